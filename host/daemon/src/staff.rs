//! Who works with the host: passwords, sessions, tokens, and who did what.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::future::BoxFuture;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{error, info, warn};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{
    Act, Acted, Deed, DeedQuery, Digest, Scope, Store, StoreError, TokenId, User, UserId,
};
use watchkeeper_web::{
    Change, Changed, DeedRecord, Doer, Found, NotChanged, NotSetUp, Person, PersonRecord, Refusal,
    Right, Role, Staff, TokenRecord, WantedDeeds,
};

use crate::clock;
use crate::intake::digest;

mod password;

/// How many passwords are hashed at once: each takes 19 MiB and some hundredths of a
/// second of a processor, and checks are not to wait for that.
const HASHING: usize = 2;

/// How long somebody waits for their turn at that.
const PATIENCE: Duration = Duration::from_secs(8);

/// The longest name of a user or token, in characters.
const LONGEST_NAME: usize = 100;

/// How long it may take until it is noted that a session is used.
const TOUCH_EVERY: Duration = Duration::from_mins(5);

/// A hash that belongs to nobody, so that a name that nobody has takes as long as a
/// wrong password.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| password::hash("nobody").ok());

/// Who works with the host.
pub(crate) struct Roster {
    store: Arc<dyn Store>,
    hashing: Arc<Semaphore>,
    /// The digest of the code with which the first user can be made.
    setup: Digest,
}

impl Roster {
    /// Prints the code with which the first user can be made, where there is none.
    /// `admin` is where the pages are that ask for it.
    pub(crate) async fn open(store: Arc<dyn Store>, admin: &str) -> anyhow::Result<Self> {
        let code = secret("")?;
        if store.users().await?.is_empty() {
            warn!(
                open = format!("{admin}/admin/setup?code={code}"),
                "nobody can sign in yet: open this address to make the first user, or use `watchkeeper user create`"
            );
        }
        Ok(Self {
            store,
            hashing: Arc::new(Semaphore::new(HASHING)),
            setup: digest(&code),
        })
    }

    /// Does something with a password, off the threads that serve everybody.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = Arc::clone(&self.hashing).acquire_owned();
        let Ok(Ok(turn)) = timeout(PATIENCE, turn).await else {
            return Err(Refusal::Busy);
        };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|problem| {
            error!(%problem, "a password could not be hashed");
            Refusal::Busy
        })
    }

    async fn hashed(&self, password: String) -> Result<String, NotChanged> {
        password::judge(&password).map_err(|why| NotChanged::Wrong(why.to_owned()))?;
        let hashed = self.aside(move || password::hash(&password)).await;
        match hashed {
            Ok(Ok(hashed)) => Ok(hashed),
            Ok(Err(problem)) => {
                error!(%problem, "a password could not be hashed");
                Err(NotChanged::Busy)
            }
            Err(_) => Err(NotChanged::Busy),
        }
    }

    async fn users(&self) -> Result<Vec<User>, Refusal> {
        self.store.users().await.map_err(|problem| lost(&problem))
    }

    async fn user(&self, id: i64) -> Result<User, NotChanged> {
        let users = self.users().await.map_err(|_| NotChanged::Busy)?;
        let found = users.into_iter().find(|user| user.id == UserId(id));
        found.ok_or(NotChanged::Unknown)
    }

    /// Signs `user` in: what their browser is to show.
    async fn open_session(&self, user: &User, origin: &str) -> Result<Arc<str>, Refusal> {
        let shown = secret("").map_err(|problem| {
            error!(%problem, "the system has no random numbers");
            Refusal::Busy
        })?;
        let act = Act::OpenSession {
            user: user.id,
            digest: digest(&shown),
        };
        let doer = Doer {
            who: user.name.as_str().into(),
            origin: origin.into(),
        };
        match self.act(act, &doer, "login", "").await {
            Ok(acted) if acted.is_done() => Ok(shown.into()),
            Ok(_) => Err(Refusal::Unknown),
            Err(refusal) => Err(refusal),
        }
    }

    async fn act(&self, act: Act, by: &Doer, what: &str, subject: &str) -> Result<Acted, Refusal> {
        let now = clock::wall();
        let deed = Deed {
            at: now,
            who: by.who.to_string(),
            origin: by.origin.to_string(),
            what: what.to_owned(),
            subject: subject.to_owned(),
        };
        let acted = self.store.act(act, Some(deed), now).await;
        let acted = acted.map_err(|problem| lost(&problem))?;
        if acted.is_done() {
            info!(who = %by.who, origin = %by.origin, what, subject, "done");
        }
        Ok(acted)
    }

    async fn changed(
        &self,
        act: Act,
        by: &Doer,
        what: &str,
        subject: &str,
    ) -> Result<Changed, NotChanged> {
        match self.act(act, by, what, subject).await {
            Ok(Acted::Done | Acted::User(_) | Acted::Token(_)) => Ok(Changed::Done),
            Ok(Acted::Taken) => Err(NotChanged::Wrong(
                "The name is somebody's already.".to_owned(),
            )),
            Ok(Acted::Unknown) => Err(NotChanged::Unknown),
            Ok(Acted::Refused) => Err(NotChanged::LastAdmin),
            Err(_) => Err(NotChanged::Busy),
        }
    }

    async fn add_token(
        &self,
        name: &str,
        scopes: &[Right],
        days: Option<u32>,
        by: &Doer,
    ) -> Result<Changed, NotChanged> {
        let name = name_of(name).map_err(|why| NotChanged::Wrong(why.to_owned()))?;
        if scopes.is_empty() {
            let why = "A token needs a scope at least.";
            return Err(NotChanged::Wrong(why.to_owned()));
        }
        let token = secret(TOKEN_PREFIX).map_err(|problem| {
            error!(%problem, "the system has no random numbers");
            NotChanged::Busy
        })?;
        let expires_at = days.map(|days| in_days(clock::wall(), days));
        let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let act = Act::AddToken {
            name: name.to_owned(),
            digest: digest(&token),
            scopes: scopes.iter().map(|right| scope(*right)).collect(),
            expires_at,
        };
        let subject = format!("{name}: {}", words.join(", "));
        self.changed(act, by, "token.create", &subject).await?;
        Ok(Changed::Token(token.into()))
    }
}

/// What every token begins with, so that people and scanners know one when they
/// see it.
pub(crate) const TOKEN_PREFIX: &str = "wk_";

/// 256 random bits after `prefix`.
pub(crate) fn secret(prefix: &str) -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)?;
    let mut secret = prefix.to_owned();
    for byte in random {
        // Writing into a `String` cannot fail.
        _ = write!(secret, "{byte:02x}");
    }
    Ok(secret)
}

/// What somebody or something is called, without the space around it.
pub(crate) fn name_of(name: &str) -> Result<&str, &'static str> {
    let name = name.trim();
    let fits = !name.is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.chars().any(char::is_control);
    fits.then_some(name)
        .ok_or("A name is one line of 1 to 100 characters.")
}

/// So many days after `now`.
pub(crate) fn in_days(now: Timestamp, days: u32) -> Timestamp {
    now + Duration::from_hours(24) * days
}

/// A password as it is kept, if it is one.
pub(crate) fn hash(password: &str) -> Result<String, String> {
    password::judge(password).map_err(str::to_owned)?;
    password::hash(password).map_err(|problem| problem.to_string())
}

impl Staff for Roster {
    fn is_set_up(&self) -> Found<'_, bool> {
        Box::pin(async { Ok(!self.users().await?.is_empty()) })
    }

    fn set_up<'a>(
        &'a self,
        code: &'a str,
        name: &'a str,
        password: &'a str,
        origin: &'a str,
    ) -> BoxFuture<'a, Result<Arc<str>, NotSetUp>> {
        Box::pin(async move {
            if !bool::from(self.setup.ct_eq(&digest(code))) {
                return Err(NotSetUp::WrongCode);
            }
            let name = name_of(name).map_err(|why| NotSetUp::Wrong(why.to_owned()))?;
            let busy = |_| NotSetUp::Busy;
            let hashed = self.hashed(password.to_owned()).await;
            let hashed = hashed.map_err(|why| match why {
                NotChanged::Wrong(why) => NotSetUp::Wrong(why),
                NotChanged::Unknown | NotChanged::LastAdmin | NotChanged::Busy => NotSetUp::Busy,
            })?;
            let act = Act::AddUser {
                name: name.to_owned(),
                role: watchkeeper_store::Role::Admin,
                password: hashed,
                only_first: true,
            };
            let doer = Doer {
                who: name.into(),
                origin: origin.into(),
            };
            let subject = format!("{name}: admin");
            let acted = self.act(act, &doer, "user.create", &subject).await;
            let Acted::User(id) = acted.map_err(busy)? else {
                return Err(NotSetUp::HasUsers);
            };
            let users = self.users().await.map_err(busy)?;
            let user = users.iter().find(|user| user.id == id);
            let user = user.ok_or(NotSetUp::Busy)?;
            self.open_session(user, origin).await.map_err(busy)
        })
    }

    fn sign_in<'a>(
        &'a self,
        name: &'a str,
        password: &'a str,
        origin: &'a str,
    ) -> Found<'a, Option<Arc<str>>> {
        Box::pin(async move {
            let users = self.users().await?;
            let user = users
                .into_iter()
                .find(|user| user.name.eq_ignore_ascii_case(name.trim()));
            let kept = user.as_ref().map(|user| user.password.clone());
            let password = password.to_owned();
            let is_right = self
                .aside(move || {
                    let kept = kept.or_else(|| NOBODYS.clone()).unwrap_or_default();
                    password::is(&password, &kept)
                })
                .await?;
            match user {
                Some(user) if is_right => Ok(Some(self.open_session(&user, origin).await?)),
                _ => Ok(None),
            }
        })
    }

    fn person<'a>(&'a self, shown: &'a str) -> Found<'a, Option<Person>> {
        Box::pin(async move {
            let (digest, now) = (digest(shown), clock::wall());
            let session = self.store.session(digest, now).await;
            let Some(session) = session.map_err(|problem| lost(&problem))? else {
                return Ok(None);
            };
            if now.since(session.used_at) > TOUCH_EVERY {
                let act = Act::TouchSession { digest };
                if let Err(problem) = self.store.act(act, None, now).await {
                    lost(&problem);
                }
            }
            Ok(Some(person(&session.user)))
        })
    }

    fn sign_out<'a>(&'a self, shown: &'a str, by: &'a Doer) -> Found<'a, ()> {
        Box::pin(async move {
            let digest = digest(shown);
            self.act(Act::CloseSession { digest }, by, "logout", "")
                .await?;
            Ok(())
        })
    }

    fn people(&self) -> Found<'_, Vec<PersonRecord>> {
        Box::pin(async {
            let users = self.users().await?;
            let records = users.iter().map(|user| PersonRecord {
                person: person(user),
                created: user.created_at,
                seen: user.seen_at,
            });
            Ok(records.collect())
        })
    }

    fn tokens(&self) -> Found<'_, Vec<TokenRecord>> {
        Box::pin(async {
            let tokens = self.store.tokens().await;
            let now = clock::wall();
            let records = tokens.map_err(|problem| lost(&problem))?;
            let records = records.into_iter().map(|token| TokenRecord {
                id: token.id.0,
                is_over: !token.is_good(now),
                name: token.name.into(),
                scopes: token.scopes.into_iter().map(right).collect(),
                created: token.created_at,
                expires: token.expires_at,
            });
            Ok(records.collect())
        })
    }

    fn change<'a>(
        &'a self,
        wanted: Change,
        by: &'a Doer,
    ) -> BoxFuture<'a, Result<Changed, NotChanged>> {
        Box::pin(async move {
            match wanted {
                Change::AddPerson {
                    name,
                    role,
                    password,
                } => {
                    let name = name_of(&name).map_err(|why| NotChanged::Wrong(why.to_owned()))?;
                    let act = Act::AddUser {
                        name: name.to_owned(),
                        role: store_role(role),
                        password: self.hashed(password).await?,
                        only_first: false,
                    };
                    let subject = format!("{name}: {}", role.as_str());
                    self.changed(act, by, "user.create", &subject).await
                }
                Change::SetPassword { person, password } => {
                    let user = self.user(person).await?;
                    let password = self.hashed(password).await?;
                    let act = Act::SetPassword {
                        user: user.id,
                        password,
                    };
                    self.changed(act, by, "user.password", &user.name).await
                }
                Change::OwnPassword { person, old, new } => {
                    let user = self.user(person.id).await?;
                    let kept = user.password.clone();
                    let is_right = self.aside(move || password::is(&old, &kept)).await;
                    if !is_right.map_err(|_| NotChanged::Busy)? {
                        let why = "Your present password is another one.";
                        return Err(NotChanged::Wrong(why.to_owned()));
                    }
                    let act = Act::SetPassword {
                        user: user.id,
                        password: self.hashed(new).await?,
                    };
                    self.changed(act, by, "user.password", &user.name).await
                }
                Change::SetRole { person, role } => {
                    let user = self.user(person).await?;
                    let act = Act::SetRole {
                        user: user.id,
                        role: store_role(role),
                    };
                    let subject = format!("{}: {}", user.name, role.as_str());
                    self.changed(act, by, "user.role", &subject).await
                }
                Change::RemovePerson { person } => {
                    let user = self.user(person).await?;
                    let act = Act::RemoveUser { user: user.id };
                    self.changed(act, by, "user.remove", &user.name).await
                }
                Change::AddToken { name, scopes, days } => {
                    self.add_token(&name, &scopes, days, by).await
                }
                Change::RevokeToken { token } => {
                    let tokens = self.store.tokens().await;
                    let tokens = tokens.map_err(|problem| {
                        lost(&problem);
                        NotChanged::Busy
                    })?;
                    let found = tokens.iter().find(|known| known.id == TokenId(token));
                    let found = found.ok_or(NotChanged::Unknown)?;
                    let act = Act::RevokeToken { token: found.id };
                    self.changed(act, by, "token.revoke", &found.name).await
                }
            }
        })
    }

    fn note<'a>(&'a self, by: &'a Doer, what: &'a str, subject: &'a str) -> Found<'a, ()> {
        Box::pin(async move {
            self.act(Act::Nothing, by, what, subject).await?;
            Ok(())
        })
    }

    fn deeds(&self, wanted: WantedDeeds) -> Found<'_, Vec<DeedRecord>> {
        Box::pin(async move {
            let query = DeedQuery {
                containing: wanted.containing,
                before: wanted.before,
                limit: wanted.limit,
            };
            let found = self.store.deeds(query).await;
            let rows = found.map_err(|problem| lost(&problem))?;
            let records = rows.into_iter().map(|row| DeedRecord {
                number: row.id,
                at: row.deed.at,
                who: row.deed.who,
                origin: row.deed.origin,
                what: row.deed.what,
                subject: row.deed.subject,
            });
            Ok(records.collect())
        })
    }
}

fn person(user: &User) -> Person {
    Person {
        id: user.id.0,
        name: user.name.as_str().into(),
        role: match user.role {
            watchkeeper_store::Role::Viewer => Role::Viewer,
            watchkeeper_store::Role::Operator => Role::Operator,
            watchkeeper_store::Role::Admin => Role::Admin,
        },
    }
}

const fn store_role(role: Role) -> watchkeeper_store::Role {
    match role {
        Role::Viewer => watchkeeper_store::Role::Viewer,
        Role::Operator => watchkeeper_store::Role::Operator,
        Role::Admin => watchkeeper_store::Role::Admin,
    }
}

const fn right(scope: Scope) -> Right {
    match scope {
        Scope::Read => Right::Read,
        Scope::Report => Right::Report,
        Scope::Write => Right::Write,
        Scope::Admin => Right::Admin,
    }
}

const fn scope(right: Right) -> Scope {
    match right {
        Right::Read => Scope::Read,
        Right::Report => Scope::Report,
        Right::Write => Scope::Write,
        Right::Admin => Scope::Admin,
    }
}

fn lost(problem: &StoreError) -> Refusal {
    error!(%problem, "who works with the host cannot be looked up");
    Refusal::Busy
}
