//! What a plugin is told of the run it is in.

use std::time::{Duration, Instant};

/// The run that a plugin is called in.
#[derive(Clone, Debug)]
pub struct Context {
    monitor: Option<String>,
    timeout: Duration,
    started: Instant,
}

impl Context {
    /// A run that begins now and that the host ends after `timeout`. The host's
    /// calls make their own; this is for tests.
    pub fn new(monitor: Option<String>, timeout: Duration) -> Self {
        Self {
            monitor,
            timeout,
            started: Instant::now(),
        }
    }

    /// `service/monitor` of a check, for log lines; none in a notifier.
    pub fn monitor(&self) -> Option<&str> {
        self.monitor.as_deref()
    }

    /// The whole time that this run has.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What of it is over.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What is left of it; zero when it is over.
    pub fn remaining(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }
}
