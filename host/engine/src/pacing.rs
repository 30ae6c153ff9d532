//! How many notices a receiver gets.

use std::collections::VecDeque;
use std::time::Duration;

use crate::folding::Bundle;
use crate::time::Timestamp;

/// At most so many notices in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub notices: u32,
    /// In how long a time.
    pub per: Duration,
}

/// What a receiver got lately, and what it may not get yet. What is too much
/// becomes one summary as soon as another notice is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// When the last notices went out, oldest first.
    pub sent: VecDeque<Timestamp>,
    /// What goes into the summary.
    pub waiting: Bundle,
}

impl Pace {
    /// Takes a notice. Returns it if it may go out at `now`. Nothing overtakes what
    /// waits.
    pub fn offer(&mut self, bundle: Bundle, rate: Option<Rate>, now: Timestamp) -> Option<Bundle> {
        if self.waiting.is_empty() && self.admits(rate, now) {
            return Some(bundle);
        }
        self.waiting.merge(bundle);
        self.waiting.folded = self.waiting.folded.saturating_add(1);
        None
    }

    /// When the summary may go out; `None` if nothing waits.
    pub fn due_at(&self, rate: Option<Rate>, now: Timestamp) -> Option<Timestamp> {
        if self.waiting.is_empty() {
            return None;
        }
        let Some(rate) = rate else { return Some(now) };
        let recent = || {
            self.sent
                .iter()
                .filter(move |at| is_recent(**at, rate, now))
        };
        let count = u32::try_from(recent().count()).unwrap_or(u32::MAX);
        match recent().next() {
            Some(oldest) if count >= rate.notices.max(1) => Some(*oldest + rate.per),
            _ => Some(now),
        }
    }

    /// Returns the summary if it may go out at `now`.
    pub fn release(&mut self, rate: Option<Rate>, now: Timestamp) -> Option<Bundle> {
        if self.waiting.is_empty() || !self.admits(rate, now) {
            return None;
        }
        Some(std::mem::take(&mut self.waiting))
    }

    /// Whether a notice may go out at `now`; if so, it is counted.
    fn admits(&mut self, rate: Option<Rate>, now: Timestamp) -> bool {
        let Some(rate) = rate else {
            self.sent.clear();
            return true;
        };
        self.sent.retain(|at| is_recent(*at, rate, now));
        let count = u32::try_from(self.sent.len()).unwrap_or(u32::MAX);
        if count >= rate.notices.max(1) {
            return false;
        }
        self.sent.push_back(now);
        true
    }
}

/// A time in the future belongs to a clock that has been set back.
fn is_recent(at: Timestamp, rate: Rate, now: Timestamp) -> bool {
    at <= now && now.since(at) < rate.per
}
