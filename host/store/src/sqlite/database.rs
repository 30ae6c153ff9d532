//! One SQLite file: opening, migrating, copying.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tracing::info;
use watchkeeper_engine::time::Timestamp;

use super::folder::{stamp, with_suffix};
use crate::error::StoreError;

/// The first SQLite without the WAL-reset bug that can corrupt a database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a statement waits for a lock. Only an outsider (a `sqlite3` shell)
/// can hold one that matters: the store has one writer to a file.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// What a file needs to be when it is opened.
pub(super) struct Schema {
    /// The steps from an empty file to the present version. Only ever appended
    /// to; the number of the last is the version.
    pub(super) steps: &'static [&'static str],
    /// Whether a commit waits for the disk.
    pub(super) synchronous: Synchronous,
}

/// What a commit waits for.
#[derive(Clone, Copy)]
pub(super) enum Synchronous {
    /// The disk: what is answered survives a loss of power.
    Full,
    /// The kernel: survives the end of the process; a loss of power may take
    /// the last commits, but never damages the file.
    Normal,
}

/// Refuses a SQLite that is too old to be trusted.
pub(super) fn assert_version() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite {
            found: rusqlite::version(),
        });
    }
    Ok(())
}

/// Opens the one connection that writes to `file`, and brings the file to the
/// present version. One that already has content is copied first.
pub(super) fn open_writer(
    file: &Path,
    schema: &Schema,
    now: Timestamp,
) -> Result<Connection, StoreError> {
    let wrong = |error| damaged_or(file, error);
    create(file)?;
    let mut connection = Connection::open(file).map_err(wrong)?;
    prepare(&connection).map_err(wrong)?;
    // A file that a newer version wrote is refused before anything is changed.
    let found = version(&connection).map_err(wrong)?;
    refuse_newer(file, schema, found)?;
    // Takes effect only before the first table exists: lets retention give
    // space back to the file system.
    connection
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(wrong)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(wrong)?;
    if mode != "wal" {
        return Err(StoreError::Unstorable {
            what: "the database",
            problem: format!("its file system does not allow SQLite's WAL mode (got {mode})"),
        });
    }
    let synchronous = match schema.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    connection
        .pragma_update(None, "synchronous", synchronous)
        .map_err(wrong)?;
    connection
        .pragma_update(None, "journal_size_limit", 64 << 20)
        .map_err(wrong)?;
    migrate(&mut connection, file, schema, found, now).map_err(|error| refine(file, error))?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(file, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Opens a connection that writes beside the process to which `file` belongs. It
/// must be of the present version: only its owner may migrate it.
pub(super) fn open_beside(file: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    prepare(&connection)?;
    let found = version(&connection).map_err(|error| damaged_or(file, error))?;
    refuse_newer(file, schema, found)?;
    if usize::try_from(found).is_ok_and(|found| found < schema.steps.len()) {
        return Err(StoreError::Older {
            file: file.to_owned(),
        });
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// SQLite's own check of the file, without that of its indexes' content.
pub(super) fn quick_check(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let problem: String = connection
        .query_row("PRAGMA quick_check(1)", (), |row| row.get(0))
        .map_err(|error| damaged_or(file, error))?;
    if problem == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        file: file.to_owned(),
        problem,
    })
}

/// Whether SQLite says that the file is damaged or no database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Copies the database behind `connection` to the new file `to`, as of one
/// moment, while others go on writing. An interrupted copy leaves only
/// `to` with `.part` behind it.
pub(super) fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::BackupExists {
            file: to.to_owned(),
        });
    }
    let part = with_suffix(to, ".part");
    match fs::remove_file(&part) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("cannot remove", part, error)),
    }
    {
        create(&part)?;
        let mut target = Connection::open(&part)?;
        // One step copies everything under one read transaction, so that a
        // writer neither waits nor makes the copy start again.
        let backup = Backup::new(connection, &mut target)?;
        if backup.step(-1)? != StepResult::Done {
            return Err(StoreError::Unstorable {
                what: "the backup",
                problem: "another process holds a lock on the database".into(),
            });
        }
    }
    let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all());
    sync(&part).map_err(|error| StoreError::io("cannot sync", &part, error))?;
    fs::rename(&part, to).map_err(|error| StoreError::io("cannot rename to", to, error))?;
    if let Some(folder) = to.parent() {
        sync(folder).map_err(|error| StoreError::io("cannot sync", folder, error))?;
    }
    Ok(())
}

/// What SQLite said about `file`, as damage where it is damage.
pub(super) fn damaged_or(file: &Path, error: rusqlite::Error) -> StoreError {
    if is_damage(&error) {
        return StoreError::Corrupt {
            file: file.to_owned(),
            problem: error.to_string(),
        };
    }
    error.into()
}

/// As [`damaged_or`], of an error that is the store's already.
pub(super) fn refine(file: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Sqlite { error } if is_damage(&error) => StoreError::Corrupt {
            file: file.to_owned(),
            problem: error.to_string(),
        },
        other => other,
    }
}

/// Makes an empty file for its owner alone, where there is none. SQLite gives its
/// other files the same mode.
fn create(file: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map(drop)
        .map_err(|error| StoreError::io("cannot create", file, error))
}

/// What holds for every connection.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", (), |row| row.get(0))
}

fn refuse_newer(file: &Path, schema: &Schema, found: i64) -> Result<(), StoreError> {
    let known = i64::try_from(schema.steps.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer {
            file: file.to_owned(),
            found,
            known,
        });
    }
    Ok(())
}

fn migrate(
    connection: &mut Connection,
    file: &Path,
    schema: &Schema,
    found: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = usize::try_from(found).map_err(|_| StoreError::Corrupt {
        file: file.to_owned(),
        problem: format!("schema version {found}"),
    })?;
    let missing = schema.steps.get(done..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    if done > 0 {
        let backup = free_name(&with_suffix(
            file,
            &format!(".backup-v{found}-{}", stamp(now)),
        ));
        copy(connection, &backup)?;
        info!(file = %file.display(), from = found, to = schema.steps.len(), backup = %backup.display(), "migrating");
    }
    // All steps or none, so that a crash leaves a version that some program
    // knows.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    let version = i64::try_from(schema.steps.len()).unwrap_or(i64::MAX);
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(())
}

/// `wanted`, or with a number behind it if that is taken.
pub(super) fn free_name(wanted: &Path) -> PathBuf {
    let mut free = wanted.to_owned();
    let mut number = 1_u32;
    while free.exists() {
        number += 1;
        free = with_suffix(wanted, &format!("-{number}"));
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE word (text TEXT NOT NULL) STRICT;";
    const SECOND: &str = "ALTER TABLE word ADD COLUMN length INTEGER;
        UPDATE word SET length = length(text);";
    const ONE: Schema = Schema {
        steps: &[FIRST],
        synchronous: Synchronous::Full,
    };
    const TWO: Schema = Schema {
        steps: &[FIRST, SECOND],
        synchronous: Synchronous::Full,
    };
    const BROKEN: Schema = Schema {
        steps: &[FIRST, SECOND, "CREATE TABLE word (again)"],
        synchronous: Synchronous::Full,
    };
    const NOW: Timestamp = Timestamp::from_millis(1_795_233_600_000);

    fn word(connection: &Connection, columns: &str) -> rusqlite::Result<(String, i64)> {
        connection.query_row(&format!("SELECT text, {columns} FROM word"), (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    #[test]
    fn an_old_file_is_copied_and_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        let connection = open_writer(&file, &ONE, NOW).unwrap();
        connection
            .execute("INSERT INTO word VALUES ('four')", ())
            .unwrap();
        drop(connection);
        let connection = open_writer(&file, &TWO, NOW).unwrap();
        assert_eq!(word(&connection, "length").unwrap(), ("four".to_owned(), 4));
        assert_eq!(version(&connection).unwrap(), 2);
        let copy = Connection::open(folder.path().join("x.db.backup-v1-20261121T040000Z")).unwrap();
        assert_eq!(version(&copy).unwrap(), 1);
        assert_eq!(word(&copy, "7").unwrap(), ("four".to_owned(), 7));
    }

    #[test]
    fn a_failed_migration_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        drop(open_writer(&file, &ONE, NOW).unwrap());
        open_writer(&file, &BROKEN, NOW).unwrap_err();
        let connection = open_writer(&file, &ONE, NOW).unwrap();
        assert_eq!(version(&connection).unwrap(), 1);
    }

    #[test]
    fn a_newer_file_is_refused_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        drop(open_writer(&file, &TWO, NOW).unwrap());
        let before = fs::read(&file).unwrap();
        let error = open_writer(&file, &ONE, NOW).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Newer {
                    found: 2,
                    known: 1,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("newer version"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_database_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        fs::write(&file, vec![b'?'; 8192]).unwrap();
        let error = open_writer(&file, &ONE, NOW).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn sqlite_is_new_enough() {
        assert_version().unwrap();
    }
}
