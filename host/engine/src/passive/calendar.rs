//! When something is due again and again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::{Timestamp, spell};

/// How often something is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// So long after it was heard of last. Zero counts as a millisecond.
    Every(Duration),
    /// At the times of a calendar.
    At(Calendar),
}

/// A calendar of points in time, kept by somebody who knows months and time
/// zones. Cheap to clone; two are equal if they were written the same way.
#[derive(Clone)]
pub struct Calendar {
    name: Arc<str>,
    next: Arc<dyn Fn(Timestamp) -> Option<Timestamp> + Send + Sync>,
}

impl Calendar {
    /// The calendar that people write as `name`, in which `next` finds the first
    /// time after another one. `next` must depend on nothing but its argument.
    pub fn new(
        name: &str,
        next: impl Fn(Timestamp) -> Option<Timestamp> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            next: Arc::new(next),
        }
    }

    /// How people write it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first time after `after`; `None` if there is none that could be found.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        // A calendar that goes backwards would be looked at for ever.
        (self.next)(after).filter(|next| *next > after)
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Calendar {}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calendar").field(&self.name).finish()
    }
}

impl fmt::Display for Rhythm {
    /// `every 1 d`, or the calendar as people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(period) => write!(f, "every {}", spell(*period)),
            Self::At(calendar) => f.write_str(calendar.name()),
        }
    }
}

impl Rhythm {
    /// When something is due next that was heard of at `heard`; `None` for never.
    pub fn next(&self, heard: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(period) => Some(heard + at_least_a_milli(*period)),
            Self::At(calendar) => calendar.next(heard),
        }
    }

    /// The first time after `after` at which something is due that was due at
    /// `due`.
    pub(super) fn skip(&self, due: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(_) if due > after => Some(due),
            Self::Every(period) => {
                let period = i128::try_from(at_least_a_milli(*period).as_millis()).ok()?;
                let (due, after) = (i128::from(due.as_millis()), i128::from(after.as_millis()));
                let skipped = (after - due) / period + 1;
                let next = i64::try_from(due + skipped * period).ok()?;
                Some(Timestamp::from_millis(next))
            }
            Self::At(calendar) => calendar.next(after),
        }
    }
}

fn at_least_a_milli(period: Duration) -> Duration {
    period.max(Duration::from_millis(1))
}
