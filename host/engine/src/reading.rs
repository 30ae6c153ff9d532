//! What one check of one target found.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::health::Verdict;
use crate::time::Timestamp;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When the check ended, by the wall clock.
    pub at: Timestamp,
    /// The verdict, or why there is none.
    pub outcome: Outcome,
    /// How long the target took to answer, by a monotonic clock; `None` where
    /// nothing was timed.
    pub latency: Option<Duration>,
}

/// A verdict, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target was judged.
    Judged {
        /// What it was found to be.
        verdict: Verdict,
        /// Why, for people; `None` where there is nothing to explain.
        reason: Option<Arc<str>>,
    },
    /// The check says nothing about the target: its health stays what it was.
    NoVerdict {
        /// Whose fault it was.
        fault: Fault,
        /// What happened, for people.
        reason: Arc<str>,
    },
}

/// Why a check came to no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The monitor's configuration does not fit its probe: the operator's to mend.
    Misconfigured,
    /// The probe could not tell.
    Undecided,
    /// The probe reached one of its limits.
    Limit,
    /// The probe crashed.
    Trap,
    /// There is no such probe.
    Missing,
}

impl Reading {
    /// The verdict, if there is one.
    pub const fn verdict(&self) -> Option<Verdict> {
        match &self.outcome {
            Outcome::Judged { verdict, .. } => Some(*verdict),
            Outcome::NoVerdict { .. } => None,
        }
    }

    /// The reason, if there is one.
    pub const fn reason(&self) -> Option<&Arc<str>> {
        match &self.outcome {
            Outcome::Judged { reason, .. } => reason.as_ref(),
            Outcome::NoVerdict { reason, .. } => Some(reason),
        }
    }
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] = [
        Self::Misconfigured,
        Self::Undecided,
        Self::Limit,
        Self::Trap,
        Self::Missing,
    ];

    /// The word used in storage, API and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Misconfigured => "misconfigured",
            Self::Undecided => "undecided",
            Self::Limit => "limit",
            Self::Trap => "trap",
            Self::Missing => "missing",
        }
    }

    /// The fault that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == word)
    }

    /// Whether the same check would come to the same end if it were repeated
    /// at once, so that repeating it is of no use.
    pub const fn lasts(self) -> bool {
        matches!(self, Self::Misconfigured | Self::Missing)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
