//! Who works with the host: who they are, what they may do, and what they did.
//! Whoever keeps them stands behind [`Staff`].

use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::time::Timestamp;

use crate::intake::Access;
use crate::records::Found;

/// Knows who may sign in, and keeps what they did.
///
/// Whoever implements it takes as long for a name that nobody has as for a wrong
/// password, and keeps of what browsers and programs show only digests.
pub trait Staff: Send + Sync {
    /// Whether there is anybody who may sign in.
    fn is_set_up(&self) -> Found<'_, bool>;

    /// Makes the first user, an administrator, for who knows the code that was
    /// printed when the host started, and signs them in. The answer is what their
    /// browser is to show from then on.
    fn set_up<'a>(
        &'a self,
        code: &'a str,
        name: &'a str,
        password: &'a str,
        origin: &'a str,
    ) -> BoxFuture<'a, Result<Arc<str>, NotSetUp>>;

    /// Signs somebody in; `None` where the name or the password is wrong. The answer
    /// is what their browser is to show from then on.
    fn sign_in<'a>(
        &'a self,
        name: &'a str,
        password: &'a str,
        origin: &'a str,
    ) -> Found<'a, Option<Arc<str>>>;

    /// Who is signed in with a browser that shows this.
    fn person<'a>(&'a self, shown: &'a str) -> Found<'a, Option<Person>>;

    /// Signs them out, for good.
    fn sign_out<'a>(&'a self, shown: &'a str, by: &'a Doer) -> Found<'a, ()>;

    /// Everybody, by name.
    fn people(&self) -> Found<'_, Vec<PersonRecord>>;

    /// Every token, oldest first.
    fn tokens(&self) -> Found<'_, Vec<TokenRecord>>;

    /// Does what an administrator wants, and notes who did it.
    fn change<'a>(
        &'a self,
        wanted: Change,
        by: &'a Doer,
    ) -> BoxFuture<'a, Result<Changed, NotChanged>>;

    /// Notes what somebody did elsewhere.
    fn note<'a>(&'a self, by: &'a Doer, what: &'a str, subject: &'a str) -> Found<'a, ()>;

    /// What was noted, newest first.
    fn deeds(&self, wanted: WantedDeeds) -> Found<'_, Vec<DeedRecord>>;
}

/// What somebody may do: each may do what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look at everything that is no secret.
    Viewer,
    /// Work with what happens, and change what is watched.
    Operator,
    /// Say who may do what.
    Admin,
}

/// What an address asks of who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// To look.
    Read,
    /// To say how things are.
    Report,
    /// To work and to change.
    Write,
    /// To say who may do what.
    Admin,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub id: i64,
    /// What they sign in with.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
}

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doer {
    /// Who: a user, or the name of a token.
    pub who: Arc<str>,
    /// From where: an address.
    pub origin: Arc<str>,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecord {
    /// Who.
    pub person: Person,
    /// When they were made.
    pub created: Timestamp,
    /// When they last signed in.
    pub seen: Option<Timestamp>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: Arc<str>,
    /// What it may be used for.
    pub scopes: Vec<Right>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is worthless.
    pub expires: Option<Timestamp>,
    /// Whether that is now.
    pub is_over: bool,
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeedRecord {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// From where.
    pub origin: String,
    /// What.
    pub what: String,
    /// To what, and how.
    pub subject: String,
}

/// Which deeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedDeeds {
    /// Only those in whose words this occurs.
    pub containing: Option<String>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// What is to be changed.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Somebody more may sign in.
    AddPerson {
        /// What they sign in with.
        name: String,
        /// What they may do.
        role: Role,
        /// Their password.
        password: String,
    },
    /// Somebody gets another password, and is signed out everywhere.
    SetPassword {
        /// Who.
        person: i64,
        /// The new one.
        password: String,
    },
    /// Somebody changes their own password, and is signed out everywhere.
    OwnPassword {
        /// Who.
        person: Person,
        /// The one that they have.
        old: String,
        /// The new one.
        new: String,
    },
    /// Somebody may do more or less.
    SetRole {
        /// Who.
        person: i64,
        /// What they may do from now on.
        role: Role,
    },
    /// Somebody may not sign in any more, and is signed out everywhere.
    RemovePerson {
        /// Who.
        person: i64,
    },
    /// There is a token more.
    AddToken {
        /// What to call it.
        name: String,
        /// What it may be used for.
        scopes: Vec<Right>,
        /// For how many days it is good; `None`: for ever.
        days: Option<u32>,
    },
    /// A token is worthless from now on.
    RevokeToken {
        /// Which one.
        token: i64,
    },
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// What was wanted.
    Done,
    /// A token was made; it is shown this once.
    Token(Arc<str>),
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotChanged {
    /// What was said cannot be: why, in a sentence for people.
    Wrong(String),
    /// There is no such user or token.
    Unknown,
    /// Nobody would be left who may say who may do what.
    LastAdmin,
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

/// Why there is no first user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSetUp {
    /// The code is not the one that was printed.
    WrongCode,
    /// Somebody was faster.
    HasUsers,
    /// What was said cannot be: why, in a sentence for people.
    Wrong(String),
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word that forms and people use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether who has this role may do what needs `right`.
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Read => true,
            Right::Report | Right::Write => matches!(self, Self::Operator | Self::Admin),
            Right::Admin => matches!(self, Self::Admin),
        }
    }
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 4] = [Self::Read, Self::Report, Self::Write, Self::Admin];

    /// The word that forms, programs and people use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The right that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == word)
    }
}

impl Access {
    /// Whether who has it may do what needs `right`.
    pub const fn may(&self, right: Right) -> bool {
        match right {
            Right::Read => self.read,
            Right::Report => self.report,
            Right::Write => self.write,
            Right::Admin => self.admin,
        }
    }
}

/// Stands in where nobody works.
pub(crate) struct NoStaff;

impl Staff for NoStaff {
    fn is_set_up(&self) -> Found<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn set_up<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Arc<str>, NotSetUp>> {
        Box::pin(async { Err(NotSetUp::HasUsers) })
    }

    fn sign_in<'a>(&'a self, _: &'a str, _: &'a str, _: &'a str) -> Found<'a, Option<Arc<str>>> {
        Box::pin(async { Ok(None) })
    }

    fn person<'a>(&'a self, _: &'a str) -> Found<'a, Option<Person>> {
        Box::pin(async { Ok(None) })
    }

    fn sign_out<'a>(&'a self, _: &'a str, _: &'a Doer) -> Found<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn people(&self) -> Found<'_, Vec<PersonRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn tokens(&self) -> Found<'_, Vec<TokenRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn change<'a>(&'a self, _: Change, _: &'a Doer) -> BoxFuture<'a, Result<Changed, NotChanged>> {
        Box::pin(async { Err(NotChanged::Busy) })
    }

    fn note<'a>(&'a self, _: &'a Doer, _: &'a str, _: &'a str) -> Found<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn deeds(&self, _: WantedDeeds) -> Found<'_, Vec<DeedRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
