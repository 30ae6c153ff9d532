//! What runs took, as the metrics have counted it, for pages.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Metrics, OutcomeLabels, PluginLabels};

/// How many of the latest checks are looked at.
const LATEST: usize = 1_024;

/// The words by which outcomes are counted.
const OUTCOMES: [&str; 9] = [
    "healthy",
    "sick",
    "dead",
    "misconfigured",
    "undecided",
    "denied",
    "limit",
    "trap",
    "host",
];

/// How late the latest checks began.
#[derive(Debug, Default)]
pub(super) struct Lateness(Mutex<VecDeque<Duration>>);

impl Lateness {
    pub(super) fn add(&self, late: Duration) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() == LATEST {
            latest.pop_front();
        }
        latest.push_back(late);
    }

    pub(super) fn p99(&self) -> Option<Duration> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<_> = latest.iter().copied().collect();
        drop(latest);
        sorted.sort_unstable();
        sorted
            .get((sorted.len() * 99).div_ceil(100).saturating_sub(1))
            .copied()
    }
}

/// What runs of plugins took since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Work {
    /// How many there were.
    pub(crate) runs: u64,
    /// How many of them ended at a limit or broke down.
    pub(crate) ended: u64,
    /// The processor time of all of them.
    pub(crate) cpu: Duration,
    /// The memory that the last one used at most, in bytes.
    pub(crate) memory: Option<u64>,
}

impl Work {
    /// The processor time of a run, on average.
    pub(crate) fn cpu_per_run(&self) -> Option<Duration> {
        let runs = u32::try_from(self.runs).unwrap_or(u32::MAX);
        self.cpu.checked_div(runs)
    }
}

impl Metrics {
    /// What runs of these plugins took.
    pub(crate) fn work<'a>(&self, plugins: impl IntoIterator<Item = &'a str>) -> Work {
        let mut work = Work::default();
        for plugin in plugins {
            for outcome in OUTCOMES {
                let labels = OutcomeLabels {
                    plugin: plugin.to_owned(),
                    outcome,
                };
                // To look a counter up must not make one.
                let count = self.checks.get(&labels).map_or(0, |counter| counter.get());
                work.runs += count;
                if matches!(outcome, "limit" | "trap") {
                    work.ended += count;
                }
            }
            let labels = PluginLabels {
                plugin: plugin.to_owned(),
            };
            if let Some(cpu) = self.check_cpu.get(&labels) {
                work.cpu += Duration::try_from_secs_f64(cpu.get()).unwrap_or_default();
            }
            if let Some(memory) = self.check_memory.get(&labels) {
                work.memory = u64::try_from(memory.get()).ok();
            }
        }
        work
    }

    /// How late one in a hundred of the latest checks began, or later.
    pub(crate) fn lateness_p99(&self) -> Option<Duration> {
        self.latest.p99()
    }

    /// Notes how long after its due time a check began.
    pub(crate) fn began_late(&self, late: Duration) {
        self.lateness.observe(late.as_secs_f64());
        self.latest.add(late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_later() {
        let lateness = Lateness::default();
        assert_eq!(lateness.p99(), None);
        for millis in 1..=2_000 {
            lateness.add(Duration::from_millis(millis));
        }
        // Of the latest 1,024, which are those from 977 ms on.
        assert_eq!(lateness.p99(), Some(Duration::from_millis(976 + 1_014)));
    }
}
