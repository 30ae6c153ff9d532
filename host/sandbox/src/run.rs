//! What comes out of one run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use watchkeeper_egress::http::Exchange;

use crate::journal::LogLine;
use crate::limits::LimitHit;

/// Small values that outlive a run, by key.
pub type StateSpace = BTreeMap<String, Vec<u8>>;

/// What came of one call of a plugin, and what it took.
#[derive(Debug)]
pub struct Run<T> {
    /// What came of it.
    pub outcome: T,
    /// Wall time from the making of the instance to the answer. Time spent
    /// waiting for a free instance is not in it.
    pub latency: Duration,
    /// Processor time of the guest and of the host on its behalf.
    pub cpu: Duration,
    /// The most linear memory it had, in bytes.
    pub peak_memory: usize,
    /// What it logged, oldest first.
    pub log: Vec<LogLine>,
    /// Its HTTP exchanges, oldest first.
    pub exchanges: Vec<Exchange>,
    /// Its calls that reached for the outside, oldest first; of many, the first
    /// sixty-four.
    pub calls: Vec<HostCall>,
    /// Where in its source it broke down, innermost function first. Empty unless
    /// it did, the sandbox takes backtraces and the component has names.
    pub backtrace: Vec<String>,
    /// The state to keep, if the run changed it and ended with an answer.
    pub state: Option<StateSpace>,
}

impl<T> Run<T> {
    /// The same run with `change` done to its outcome.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Run<U> {
        let Self {
            outcome,
            latency,
            cpu,
            peak_memory,
            log,
            exchanges,
            calls,
            backtrace,
            state,
        } = self;
        Run {
            outcome: change(outcome),
            latency,
            cpu,
            peak_memory,
            log,
            exchanges,
            calls,
            backtrace,
            state,
        }
    }
}

/// One call by which a guest reached for the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// What it asked for: `tls connect mail.example.com:465`. Free of secrets.
    pub what: String,
    /// How long that took.
    pub took: Duration,
    /// What came of it, in a few words: `200`, `refused`. Free of secrets.
    pub outcome: String,
}

/// What a probe finds a target to be. Each is worse than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Works as it should.
    Healthy,
    /// Works, but slowly or only in part.
    Sick,
    /// Does not work.
    Dead,
}

/// One figure that a check read besides its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Lower-case words joined by `-`.
    pub name: String,
    /// Finite.
    pub value: f64,
    /// An OpenMetrics base unit, or a counted thing in the plural; may be empty.
    pub unit: String,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What the target is found to be.
    pub verdict: Verdict,
    /// Why, in one line without secrets; always there unless healthy.
    pub reason: Option<String>,
    /// The latency to record in place of [`Run::latency`], if the probe says so.
    pub latency: Option<Duration>,
    /// In the order in which the probe gave them.
    pub measurements: Vec<Measurement>,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckOutcome {
    /// A verdict.
    Reading(Reading),
    /// The timeout passed while the probe waited on the network: whatever it
    /// asked does not answer.
    NoAnswer {
        /// The timeout.
        after: Duration,
    },
    /// No verdict, and why.
    Fault(Fault),
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyOutcome {
    /// The receiver took it.
    Delivered,
    /// Another attempt may succeed.
    Temporary {
        /// Why it was not delivered, in one line without secrets.
        reason: String,
        /// How long to wait, if the receiver said.
        retry_after: Option<Duration>,
    },
    /// No other attempt can succeed: why, in one line without secrets.
    Permanent(String),
    /// The notifier itself failed.
    Fault(Fault),
}

/// Why a run has no answer. Its `Display` is the sentence to show to people: one
/// line, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operator's: the plugin says that its configuration or target cannot
    /// work.
    Misconfigured(String),
    /// The plugin could not decide, and says why.
    Undecided(String),
    /// The operator's, or the plugin's: it reached for what it was not granted or
    /// did not ask for. Says what is missing and how to grant it.
    Denied(String),
    /// The plugin's: it met a limit.
    Limit(LimitHit),
    /// The plugin's: it broke down, and its last words.
    Trap(String),
    /// The host's: it could not run the plugin.
    Host(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misconfigured(why) => write!(f, "misconfigured: {why}"),
            Self::Undecided(why) | Self::Denied(why) => f.write_str(why),
            Self::Limit(limit) => write!(f, "the plugin {limit}"),
            Self::Trap(words) => write!(f, "the plugin broke down: {words}"),
            Self::Host(why) => write!(f, "the host could not run the plugin: {why}"),
        }
    }
}

impl std::error::Error for Fault {}
