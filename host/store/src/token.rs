//! Who may use the API, and for what.

use std::fmt;

use watchkeeper_engine::time::Timestamp;

/// The SHA-256 of a token. The token itself is never kept.
pub type Digest = [u8; 32];

/// The number of a token, in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub i64);

/// A token as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
    /// What it may be used for; at least one.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is worthless; `None`: never.
    pub expires_at: Option<Timestamp>,
}

impl Token {
    /// Whether it may be used for what `scope` is for.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| own.includes(scope))
    }

    /// Whether it may be used at all at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// To read everything that is no secret.
    Read,
    /// To report how things are.
    Report,
    /// To change what is watched and how.
    Write,
    /// For everything.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Report, Self::Write, Self::Admin];

    /// The word used in the command line, API and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Whether who has this one may do what `other` is for: who may change things
    /// may look at them and report as well, and an administrator may do all.
    pub const fn includes(self, other: Self) -> bool {
        match self {
            Self::Read => matches!(other, Self::Read),
            Self::Report => matches!(other, Self::Report),
            Self::Write => !matches!(other, Self::Admin),
            Self::Admin => true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
