//! Users, sessions, tokens and deeds in SQL, and the way to them for a command
//! beside a running server.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, named_params};
use watchkeeper_engine::time::Timestamp;

use super::database;
use super::folder::Folder;
use super::outbox::sql_limit;
use super::tokens;
use super::{STATE, STATE_SCHEMA};
use crate::access::{
    Act, Acted, Deed, DeedQuery, DeedRow, Role, SESSION_IDLE, SESSION_WHOLE, Session, User, UserId,
};
use crate::error::StoreError;
use crate::token::{Digest, Token};

/// How long deeds are kept, in milliseconds: 400 days.
const KEEP_DEEDS: i64 = 400 * 24 * 3_600_000;

/// How many deeds are kept at most, the newest.
const MOST_DEEDS: i64 = 100_000;

/// How many browsers one user may be signed in with at most. The one that was not
/// used for longest is signed out for another one.
const MOST_SESSIONS: i64 = 20;

/// The most that is kept of each of a deed's texts, in characters.
const MOST_TEXT: usize = 500;

/// Who may do what in a data folder, whether a server uses the folder or not.
///
/// Beside a server this writes to the server's database: a few rows now and then,
/// for which both wait for each other. Blocks the thread.
pub struct AccessBook {
    connection: Connection,
    /// Held where no server does.
    _folder: Option<Folder>,
}

impl AccessBook {
    /// Opens that of the data folder `path`; makes the folder where it is missing.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        database::assert_version()?;
        match Folder::claim(path) {
            Ok(folder) => Ok(Self {
                connection: database::open_writer(&folder.file(STATE), &STATE_SCHEMA, now)?,
                _folder: Some(folder),
            }),
            Err(StoreError::InUse { .. }) => Ok(Self {
                connection: database::open_beside(&path.join(STATE), &STATE_SCHEMA)?,
                _folder: None,
            }),
            Err(error) => Err(error),
        }
    }

    /// As [`crate::Store::act`].
    pub fn act(&mut self, act: &Act, deed: &Deed) -> Result<Acted, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let acted = self::act(&transaction, act, Some(deed), deed.at)?;
        transaction.commit()?;
        Ok(acted)
    }

    /// Every user, by name.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        users(&self.connection)
    }

    /// Every token, oldest first.
    pub fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        tokens::all(&self.connection)
    }
}

/// Does `act` and notes `deed` of it, if it was done.
pub(super) fn act(
    connection: &Connection,
    act: &Act,
    deed: Option<&Deed>,
    now: Timestamp,
) -> Result<Acted, StoreError> {
    let acted = match act {
        Act::AddUser {
            name,
            role,
            password,
            only_first,
        } => add_user(connection, name, *role, password, *only_first, now)?,
        Act::SetPassword { user, password } => {
            let update = "UPDATE user SET password = ? WHERE id = ?";
            let found = connection.execute(update, (password, user.0))?;
            sign_out(connection, *user)?;
            done_if(found)
        }
        Act::SetRole { user, role } => {
            if *role != Role::Admin && is_last_admin(connection, *user)? {
                return Ok(Acted::Refused);
            }
            let update = "UPDATE user SET role = ? WHERE id = ?";
            done_if(connection.execute(update, (role.as_str(), user.0))?)
        }
        Act::RemoveUser { user } => {
            if is_last_admin(connection, *user)? {
                return Ok(Acted::Refused);
            }
            sign_out(connection, *user)?;
            done_if(connection.execute("DELETE FROM user WHERE id = ?", [user.0])?)
        }
        Act::OpenSession { user, digest } => open_session(connection, *user, digest, now)?,
        Act::TouchSession { digest } => {
            let update = "UPDATE session SET used_at = max(used_at, ?) WHERE digest = ?";
            done_if(connection.execute(update, (now.as_millis(), digest))?)
        }
        Act::CloseSession { digest } => {
            done_if(connection.execute("DELETE FROM session WHERE digest = ?", [digest])?)
        }
        Act::AddToken {
            name,
            digest,
            scopes,
            expires_at,
        } => Acted::Token(tokens::add(
            connection,
            name,
            digest,
            scopes,
            *expires_at,
            now,
        )?),
        Act::RevokeToken { token } => {
            done_if(connection.execute("DELETE FROM token WHERE id = ?", [token.0])?)
        }
        Act::Nothing => Acted::Done,
    };
    if let Some(deed) = deed
        && acted.is_done()
    {
        note(connection, deed)?;
    }
    Ok(acted)
}

fn add_user(
    connection: &Connection,
    name: &str,
    role: Role,
    password: &str,
    only_first: bool,
    now: Timestamp,
) -> Result<Acted, StoreError> {
    if only_first && count(connection, "SELECT count(*) FROM user")? > 0 {
        return Ok(Acted::Refused);
    }
    let insert = "INSERT INTO user (name, role, password, created_at) VALUES (?, ?, ?, ?)";
    let values = (name, role.as_str(), password, now.as_millis());
    match connection.execute(insert, values) {
        Ok(_) => Ok(Acted::User(UserId(connection.last_insert_rowid()))),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Ok(Acted::Taken)
        }
        Err(error) => Err(error.into()),
    }
}

fn open_session(
    connection: &Connection,
    user: UserId,
    digest: &Digest,
    now: Timestamp,
) -> Result<Acted, StoreError> {
    let update = "UPDATE user SET seen_at = ? WHERE id = ?";
    if connection.execute(update, (now.as_millis(), user.0))? == 0 {
        return Ok(Acted::Unknown);
    }
    connection.execute(
        "DELETE FROM session WHERE user = :user AND digest NOT IN (
             SELECT digest FROM session WHERE user = :user ORDER BY used_at DESC LIMIT :most)",
        named_params! { ":user": user.0, ":most": MOST_SESSIONS - 1 },
    )?;
    let insert = "INSERT INTO session (digest, user, began_at, used_at) VALUES (?, ?, ?, ?)";
    let now = now.as_millis();
    connection.execute(insert, (digest, user.0, now, now))?;
    Ok(Acted::Done)
}

/// Ends every session of `user`.
fn sign_out(connection: &Connection, user: UserId) -> Result<(), StoreError> {
    connection.execute("DELETE FROM session WHERE user = ?", [user.0])?;
    Ok(())
}

/// Whether `user` is the only one who may say who may do what.
fn is_last_admin(connection: &Connection, user: UserId) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM user WHERE role = 'admin' LIMIT 2")?;
    let admins = statement.query_map((), |row| row.get::<_, i64>(0))?;
    Ok(admins.collect::<Result<Vec<_>, _>>()? == [user.0])
}

/// What is known of the session that shows this, if it is still good at `now`.
pub(super) fn session(
    connection: &Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT user.id, name, role, password, created_at, seen_at, began_at, used_at
         FROM session JOIN user ON user.id = session.user
         WHERE digest = :digest AND began_at > :began AND used_at > :used",
    )?;
    let (began, used) = oldest(now);
    let session = statement.query_row(
        named_params! { ":digest": digest, ":began": began, ":used": used },
        |row| Ok(user(row)?.map(|user| (user, row.get::<_, i64>(6), row.get::<_, i64>(7)))),
    );
    let Some((user, began_at, used_at)) = session.optional()?.flatten() else {
        return Ok(None);
    };
    Ok(Some(Session {
        user,
        began_at: Timestamp::from_millis(began_at?),
        used_at: Timestamp::from_millis(used_at?),
    }))
}

/// When a session that is good at `now` began and was used at the earliest.
fn oldest(now: Timestamp) -> (i64, i64) {
    (
        (now - SESSION_WHOLE).as_millis(),
        (now - SESSION_IDLE).as_millis(),
    )
}

/// Every user, by name.
pub(super) fn users(connection: &Connection) -> Result<Vec<User>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, role, password, created_at, seen_at FROM user ORDER BY name",
    )?;
    let users = statement.query_map((), user)?;
    Ok(users
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// A user; `None` if their role is one of a newer version, which grants nothing in
/// this one.
fn user(row: &Row<'_>) -> rusqlite::Result<Option<User>> {
    let role: String = row.get(2)?;
    let Some(role) = Role::from_word(&role) else {
        return Ok(None);
    };
    Ok(Some(User {
        id: UserId(row.get(0)?),
        name: row.get(1)?,
        role,
        password: row.get(3)?,
        created_at: Timestamp::from_millis(row.get(4)?),
        seen_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
    }))
}

/// Notes what somebody did.
fn note(connection: &Connection, deed: &Deed) -> Result<(), StoreError> {
    let cut = |text: &str| text.chars().take(MOST_TEXT).collect::<String>();
    let insert = "INSERT INTO deed (at, who, origin, what, subject) VALUES (?, ?, ?, ?, ?)";
    let values = (
        deed.at.as_millis(),
        cut(&deed.who),
        cut(&deed.origin),
        cut(&deed.what),
        cut(&deed.subject),
    );
    connection.execute(insert, values)?;
    Ok(())
}

/// Deeds that match, newest first.
pub(super) fn deeds(
    connection: &Connection,
    query: &DeedQuery,
) -> Result<Vec<DeedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, who, origin, what, subject FROM deed
         WHERE (:before IS NULL OR id < :before)
             AND (:part IS NULL OR instr(lower(who || ' ' || origin || ' ' || what || ' ' || subject), lower(:part)) > 0)
         ORDER BY id DESC LIMIT :limit",
    )?;
    let rows = statement.query_map(
        named_params! {
            ":before": query.before,
            ":part": query.containing,
            ":limit": sql_limit(query.limit),
        },
        |row| {
            Ok(DeedRow {
                id: row.get(0)?,
                deed: Deed {
                    at: Timestamp::from_millis(row.get(1)?),
                    who: row.get(2)?,
                    origin: row.get(3)?,
                    what: row.get(4)?,
                    subject: row.get(5)?,
                },
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes sessions that are over, and deeds that were kept long enough.
pub(super) fn prune(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let (began, used) = oldest(now);
    connection.execute(
        "DELETE FROM session WHERE began_at <= ? OR used_at <= ?",
        (began, used),
    )?;
    let kept = now.as_millis().saturating_sub(KEEP_DEEDS);
    connection.execute(
        "DELETE FROM deed WHERE at < ? OR id <= (SELECT max(id) FROM deed) - ?",
        (kept, MOST_DEEDS),
    )?;
    Ok(())
}

fn count(connection: &Connection, sql: &str) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached(sql)?
        .query_row((), |row| row.get(0))?)
}

const fn done_if(rows: usize) -> Acted {
    if rows > 0 {
        Acted::Done
    } else {
        Acted::Unknown
    }
}
