//! The words for how something is.

use std::fmt;

/// What a probe finds a target to be. Each is worse than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Works as it should.
    Healthy,
    /// Works, but slowly or only in part.
    Sick,
    /// Does not work.
    Dead,
}

/// The health of a target, monitor, service or page. Each is worse than the one
/// before it: not to know is worse than to know that all is well, and better
/// than to know that it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Works as it should.
    Healthy,
    /// No fresh reading exists.
    #[default]
    Unknown,
    /// Works, but slowly or only in part.
    Sick,
    /// Does not work.
    Dead,
}

impl Health {
    /// Every health, best first.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Unknown, Self::Sick, Self::Dead];

    /// The word used in configuration, API and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Sick => "sick",
            Self::Dead => "dead",
        }
    }

    /// The health that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.as_str() == word)
    }
}

impl From<Verdict> for Health {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Healthy => Self::Healthy,
            Verdict::Sick => Self::Sick,
            Verdict::Dead => Self::Dead,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Health::from(*self).fmt(f)
    }
}
