//! When people are told again of an outage that goes on, and when others are told.
//!
//! The next time is a function of what a route was told, so that a restart in the
//! middle of an outage goes on where it was.

use std::ops::Range;
use std::time::Duration;

use crate::telling::ToldOutage;
use crate::time::Timestamp;

/// How a route insists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// When those who know are reminded; `None` for never.
    pub reminders: Option<Reminders>,
    /// How long after the first notice of an outage each step of the escalation is
    /// taken, in rising order.
    pub steps: Vec<Duration>,
}

/// How often an outage is brought back to mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminders {
    /// The pause before the first.
    pub every: Duration,
    /// How pauses grow.
    pub backoff: Backoff,
    /// Up to which counter they grow; at least 1.
    pub limit: u32,
}

/// How the pauses between reminders grow with the counter, which is 1 before the
/// first reminder and grows by one with each, up to the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// Not at all.
    #[default]
    None,
    /// With the counter.
    Linear,
    /// With its square.
    Square,
    /// With its cube.
    Cubic,
}

/// What is due of an outage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The number of the reminder, from 1.
    pub reminder: Option<u32>,
    /// The steps to take, from 0.
    pub steps: Range<usize>,
}

impl Reminders {
    /// The pause before the next reminder, after `sent` of them: `every` times the
    /// counter to the power of the back-off.
    pub fn pause(&self, sent: u32) -> Duration {
        let counter = sent.saturating_add(1).min(self.limit.max(1));
        self.every
            .saturating_mul(counter.saturating_pow(self.backoff.exponent()))
    }
}

impl Backoff {
    /// Every back-off and its word.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("linear", Self::Linear),
        ("square", Self::Square),
        ("cubic", Self::Cubic),
    ];

    const fn exponent(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Linear => 1,
            Self::Square => 2,
            Self::Cubic => 3,
        }
    }
}

impl Plan {
    /// When something is next due of `outage`; `None` for never. Reminders wait for
    /// the end of `hush`.
    pub fn next(&self, outage: &ToldOutage, hush: Option<Timestamp>) -> Option<Timestamp> {
        if outage.ended.is_some() {
            return None;
        }
        let reminder = self.reminder_at(outage, hush);
        let step = self.steps.get(taken(outage)).map(|it| outage.first + *it);
        reminder.into_iter().chain(step).min()
    }

    /// Takes what is due of `outage` at `now`: at most one reminder, however late,
    /// and every step that is due. Returns what the route was told afterwards.
    pub fn take(
        &self,
        outage: &ToldOutage,
        hush: Option<Timestamp>,
        now: Timestamp,
    ) -> (ToldOutage, Due) {
        let mut after = outage.clone();
        let mut due = Due::default();
        if outage.ended.is_some() {
            return (after, due);
        }
        if self.reminder_at(outage, hush).is_some_and(|at| at <= now) {
            after.reminders = outage.reminders.saturating_add(1);
            after.last = now;
            due.reminder = Some(after.reminders);
        }
        let from = taken(outage).min(self.steps.len());
        let late = self.steps.iter().skip(from);
        let count = late.take_while(|step| outage.first + **step <= now).count();
        due.steps = from..from + count;
        after.steps = u32::try_from(due.steps.end)
            .unwrap_or(u32::MAX)
            .max(outage.steps);
        (after, due)
    }

    fn reminder_at(&self, outage: &ToldOutage, hush: Option<Timestamp>) -> Option<Timestamp> {
        let at = outage.last + self.reminders?.pause(outage.reminders);
        Some(hush.map_or(at, |hush| at.max(hush)))
    }
}

fn taken(outage: &ToldOutage) -> usize {
    usize::try_from(outage.steps).unwrap_or(usize::MAX)
}
