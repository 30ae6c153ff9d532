//! How several checks of one target make one reading.
//!
//! A run is a number of attempts; an attempt is a check that is repeated while
//! it finds the target dead. The caller checks, asks [`next`] and does as told:
//!
//! ```
//! # use std::time::Duration;
//! # use watchkeeper_engine::{attempts::{self, Next, Plan}, health::Verdict, time::Timestamp};
//! # use watchkeeper_engine::reading::{Outcome, Reading};
//! # let check = || Reading {
//! #     at: Timestamp::from_millis(0),
//! #     outcome: Outcome::Judged { verdict: Verdict::Dead, reason: None },
//! #     latency: None,
//! # };
//! # let mut slept = Duration::ZERO;
//! # let mut sleep = |span| slept += span;
//! let plan = Plan::default();
//! let mut so_far = Vec::new();
//! let reading = loop {
//!     match attempts::next(&plan, &so_far) {
//!         Next::Again { after } => {
//!             sleep(after);
//!             so_far.push(check());
//!         }
//!         Next::Done(reading) => break reading,
//!     }
//! };
//! # assert_eq!(reading.verdict(), Some(Verdict::Dead));
//! # assert_eq!((so_far.len(), slept), (2, Duration::from_secs(2)));
//! ```

use std::time::Duration;

use crate::health::Verdict;
use crate::reading::{Outcome, Reading};

/// How often and at what distance a run checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Within each attempt.
    pub retry: Retry,
    /// How many attempts.
    pub attempts: Attempts,
}

/// How a check that finds its target dead is repeated before that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many times at most, beyond the first check.
    pub times: u32,
    /// How long to wait before each repetition.
    pub wait: Duration,
}

/// How several attempts make one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// How many; zero counts as one.
    pub times: u32,
    /// How long to wait between two of them.
    pub spacing: Duration,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Check (again).
    Again {
        /// How long to wait first.
        after: Duration,
    },
    /// The run is over, and this is what it found.
    Done(Reading),
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            times: 1,
            wait: Duration::from_secs(2),
        }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            times: 1,
            spacing: Duration::ZERO,
        }
    }
}

impl Plan {
    /// How long a run can take if no check takes longer than `timeout`.
    /// Saturates.
    pub fn longest(&self, timeout: Duration) -> Duration {
        let Self { retry, attempts } = self;
        let times = attempts.times.max(1);
        let attempt = timeout
            .saturating_mul(retry.times.saturating_add(1))
            .saturating_add(retry.wait.saturating_mul(retry.times));
        attempt
            .saturating_mul(times)
            .saturating_add(attempts.spacing.saturating_mul(times - 1))
    }
}

/// What to do after the checks `so_far` of a run, in the order in which they were
/// made. Checks beyond the end of the run are disregarded.
///
/// An attempt counts as its last check with a verdict, so that the latency is
/// that of the repetition. A repetition that comes to no verdict does not refute
/// the death that was found before it.
///
/// One dead attempt makes the run dead and ends it, since nothing after it could
/// change that. Otherwise the run is as bad as its worst attempt, and its latency
/// is the median of theirs. Attempts without a verdict are left out; if there is
/// none with one, the run is the last of them. A fault that would only repeat
/// itself (see [`crate::reading::Fault::lasts`]) ends the run.
pub fn next(plan: &Plan, so_far: &[Reading]) -> Next {
    let mut rest = so_far;
    let mut ended: Vec<&Reading> = Vec::new();
    let times = plan.attempts.times.max(1);
    loop {
        if rest.is_empty() {
            let after = if ended.is_empty() {
                Duration::ZERO
            } else {
                plan.attempts.spacing
            };
            return Next::Again { after };
        }
        let Some((reading, used)) = attempt(plan.retry.times, rest) else {
            return Next::Again {
                after: plan.retry.wait,
            };
        };
        rest = rest.get(used..).unwrap_or_default();
        ended.push(reading);
        let dead = reading.verdict() == Some(Verdict::Dead);
        let all_made = u32::try_from(ended.len()).map_or(true, |made| made >= times);
        if dead || all_made || lasts(reading) {
            return Next::Done(merge(&ended, reading));
        }
    }
}

/// What the attempt that begins with the first of `checks` found, and how many
/// checks it took; `None` if it has not ended.
fn attempt(retries: u32, checks: &[Reading]) -> Option<(&Reading, usize)> {
    let mut dead = None;
    for (index, reading) in checks.iter().enumerate() {
        match reading.verdict() {
            Some(Verdict::Dead) => dead = Some(reading),
            None if dead.is_some() => {}
            Some(_) | None => return Some((reading, index + 1)),
        }
        let spent = u32::try_from(index).map_or(true, |index| index >= retries);
        if spent || lasts(reading) {
            return dead.map(|dead| (dead, index + 1));
        }
    }
    None
}

fn lasts(reading: &Reading) -> bool {
    matches!(reading.outcome, Outcome::NoVerdict { fault, .. } if fault.lasts())
}

/// One reading of several attempts, the last of which is `last`.
fn merge(attempts: &[&Reading], last: &Reading) -> Reading {
    let judged = attempts
        .iter()
        .filter(|reading| reading.verdict().is_some());
    let Some(worst) = judged.clone().max_by_key(|reading| reading.verdict()) else {
        return last.clone();
    };
    Reading {
        at: last.at,
        outcome: worst.outcome.clone(),
        latency: median(judged.filter_map(|reading| reading.latency).collect()),
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut latencies: Vec<Duration>) -> Option<Duration> {
    latencies.sort_unstable();
    let middle = latencies.len() / 2;
    let upper = *latencies.get(middle)?;
    if latencies.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *latencies.get(middle.checked_sub(1)?)?;
    Some(lower + upper.saturating_sub(lower) / 2)
}

#[cfg(test)]
mod tests;
