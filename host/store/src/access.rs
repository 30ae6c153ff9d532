//! Who may sign in, who is signed in, and who did what.

use std::fmt;

use watchkeeper_engine::time::Timestamp;

use crate::token::{Digest, Scope, TokenId};

/// The number of a user, in the order in which they were made. A number is never
/// given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Their number.
    pub id: UserId,
    /// What they sign in with; no two names differ only in the case of their letters.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their password as argon2 hashes it, in the PHC string format.
    pub password: String,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they last signed in; `None` if they never did.
    pub seen_at: Option<Timestamp>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, role, .. } = self;
        write!(f, "User({} {name:?} {role})", id.0)
    }
}

/// What a user may do: each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look at everything that is no secret.
    Viewer,
    /// Work with what happens, and change what is watched.
    Operator,
    /// Say who may do what.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word used in the command line, pages and storage.
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
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A browser in which somebody is signed in. What it shows is not kept, only the
/// SHA-256 of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is, as they are now.
    pub user: User,
    /// When they signed in.
    pub began_at: Timestamp,
    /// When it was last noted that it is used.
    pub used_at: Timestamp,
}

/// Something to be done to who may do what.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// To make a user; `Acted::Taken` where the name is somebody's.
    AddUser {
        /// What they sign in with.
        name: String,
        /// What they may do.
        role: Role,
        /// Their password, hashed.
        password: String,
        /// Only if there is no user yet; `Acted::Refused` otherwise.
        only_first: bool,
    },
    /// To give a user another password, which signs them out everywhere.
    SetPassword {
        /// Whose.
        user: UserId,
        /// The new one, hashed.
        password: String,
    },
    /// To let a user do more or less; `Acted::Refused` where nobody would be left
    /// who may say who may do what.
    SetRole {
        /// Who.
        user: UserId,
        /// What they may do from now on.
        role: Role,
    },
    /// To remove a user and sign them out everywhere; `Acted::Refused` as with
    /// [`Self::SetRole`].
    RemoveUser {
        /// Who.
        user: UserId,
    },
    /// To sign a user in.
    OpenSession {
        /// Who.
        user: UserId,
        /// The digest of what their browser will show.
        digest: Digest,
    },
    /// To note that a session is used.
    TouchSession {
        /// Which one.
        digest: Digest,
    },
    /// To sign out.
    CloseSession {
        /// Which one.
        digest: Digest,
    },
    /// To make a token.
    AddToken {
        /// What people call it.
        name: String,
        /// The digest of the token.
        digest: Digest,
        /// What it may be used for.
        scopes: Vec<Scope>,
        /// From when on it is worthless; `None`: never.
        expires_at: Option<Timestamp>,
    },
    /// To make a token worthless.
    RevokeToken {
        /// Which one.
        token: TokenId,
    },
    /// To do nothing but note what was done elsewhere.
    Nothing,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddUser { .. } => "AddUser",
            Self::SetPassword { .. } => "SetPassword",
            Self::SetRole { .. } => "SetRole",
            Self::RemoveUser { .. } => "RemoveUser",
            Self::OpenSession { .. } => "OpenSession",
            Self::TouchSession { .. } => "TouchSession",
            Self::CloseSession { .. } => "CloseSession",
            Self::AddToken { .. } => "AddToken",
            Self::RevokeToken { .. } => "RevokeToken",
            Self::Nothing => "Nothing",
        })
    }
}

/// What became of an [`Act`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It was done.
    Done,
    /// The user was made.
    User(UserId),
    /// The token was made.
    Token(TokenId),
    /// The name is taken.
    Taken,
    /// There is no such user, session or token.
    Unknown,
    /// It must not be done; the [`Act`] says when.
    Refused,
}

impl Acted {
    /// Whether something was done.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::User(_) | Self::Token(_))
    }
}

/// What is noted of something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who: a user, a token, or what else they are known by.
    pub who: String,
    /// From where: an address, or `command line`.
    pub origin: String,
    /// What they did, in a few words of the program: `token.create`.
    pub what: String,
    /// To what, and how.
    pub subject: String,
}

/// A [`Deed`] as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeedRow {
    /// Its number, in the order in which they were noted.
    pub id: i64,
    /// What was noted.
    pub deed: Deed,
}

/// Which deeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeedQuery {
    /// Only those in whose words this occurs.
    pub containing: Option<String>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// How long a session is good after it was last used.
pub const SESSION_IDLE: std::time::Duration = std::time::Duration::from_hours(12);

/// How long a session is good at all.
pub const SESSION_WHOLE: std::time::Duration = std::time::Duration::from_hours(30 * 24);
