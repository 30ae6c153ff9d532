//! How a target or a monitor stands, and what moves it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::health::Health;
use crate::time::Timestamp;

/// How something stands. The default is that of a thing nobody has looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its health.
    pub health: Health,
    /// Since when: the first reading of the row that confirmed it, not the one
    /// that completed the row. `None` while nothing was ever seen.
    pub since: Option<Timestamp>,
    /// Why, for people: the latest reason given for this health.
    pub reason: Option<Arc<str>>,
    /// What brought it here or keeps it here. `None` while nothing was ever seen.
    pub cause: Option<Cause>,
}

/// A confirmed move from one health to another. `from` is never `to`, and `from`
/// is always the `to` of the change before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The health until now.
    pub from: Health,
    /// The health from now on.
    pub to: Health,
    /// When it was decided.
    pub at: Timestamp,
    /// When the new health began, as in [`Standing::since`]: at `at` or, where
    /// several readings were needed, before it.
    pub since: Timestamp,
    /// How long the health until now had stood; `None` where nothing had been
    /// seen before.
    pub lasted: Option<Duration>,
    /// Why, for people.
    pub reason: Option<Arc<str>>,
    /// What made it.
    pub cause: Cause,
}

/// What makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A reading, or the last of a row of them.
    Reading,
    /// No verdict for too long.
    Stale,
    /// The host lost its own network.
    NetworkLost,
    /// The plugin is gone.
    Missing,
    /// People have paused it.
    Paused,
    /// It changes too often and is held at the worse health.
    Flapping,
    /// It has stopped changing too often.
    Steady,
    /// Its targets or rules were changed.
    Reconfigured,
}

/// What a step of a target or of a monitor has to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its health has changed.
    Changed(Change),
    /// It has begun to change too often. Where the health changes in the same
    /// step, this event comes first: one notice tells of both.
    FlappingStarted {
        /// When.
        at: Timestamp,
        /// The health at which it is held.
        health: Health,
        /// Why it has that health, for people.
        reason: Option<Arc<str>>,
    },
    /// It has been steady for long enough. Where its health is no longer the one
    /// at which it was held, the change follows in the same step.
    FlappingEnded {
        /// When.
        at: Timestamp,
    },
}

impl Standing {
    /// Moves to `next` at `now` and returns the change; `None` if the health is
    /// the same, and then nothing is moved.
    pub(crate) fn move_to(&mut self, next: Self, cause: Cause, now: Timestamp) -> Option<Change> {
        if self.health == next.health {
            return None;
        }
        let since = next.since.unwrap_or(now);
        let change = Change {
            from: self.health,
            to: next.health,
            at: now,
            since,
            lasted: self.since.map(|before| since.since(before)),
            reason: next.reason.clone(),
            cause,
        };
        *self = Self {
            since: Some(since),
            cause: Some(cause),
            ..next
        };
        Some(change)
    }
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 8] = [
        Self::Reading,
        Self::Stale,
        Self::NetworkLost,
        Self::Missing,
        Self::Paused,
        Self::Flapping,
        Self::Steady,
        Self::Reconfigured,
    ];

    /// The word used in storage, API and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Stale => "stale",
            Self::NetworkLost => "network-lost",
            Self::Missing => "missing",
            Self::Paused => "paused",
            Self::Flapping => "flapping",
            Self::Steady => "steady",
            Self::Reconfigured => "reconfigured",
        }
    }

    /// The cause that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
