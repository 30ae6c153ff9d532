//! Monitors that are told how something is instead of asking: from what was said,
//! and from silence, to [readings](crate::reading::Reading) of targets.
//!
//! Silence is judged as everything else is, as a function of the state and the
//! time: each kind says when silence will have lasted too long, and the reading
//! that says so is of that very moment, however late somebody looks.
//!
//! **Time in which nobody could listen is no silence.** While the host does not
//! run, its machine sleeps or its own network is gone, nothing that is said
//! arrives, so nothing can be concluded from not having heard it. Each kind has a
//! `resume` that takes such a [`Gap`] and says what is waited for from then on.
//! What had been silent for too long before the gap began stays so.

use crate::health::Verdict;
use crate::reading::{Outcome, Reading};
use crate::time::Timestamp;

mod calendar;
pub mod heartbeat;
pub mod report;

pub use calendar::{Calendar, Rhythm};

/// What is remembered of a target that tells how it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Of a replica that reports.
    Report(report::ReportState),
    /// Of a job that calls.
    Heartbeat(heartbeat::HeartbeatState),
}

/// A time in which nobody could listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When somebody was last known to listen.
    pub from: Timestamp,
    /// Since when somebody listens again.
    pub to: Timestamp,
}

/// A reading that found `verdict` at `at`, and nothing that was timed.
fn reading(at: Timestamp, verdict: Verdict, reason: Option<String>) -> Reading {
    Reading {
        at,
        outcome: Outcome::Judged {
            verdict,
            reason: reason.map(Into::into),
        },
        latency: None,
    }
}
