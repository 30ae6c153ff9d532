//! Waiting for the host, with a deadline.

use std::time::{Duration, Instant};

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::{Pollable, poll};

use crate::Error;
use crate::probe::nanos;

/// When a series of calls must be over.
#[derive(Clone, Copy)]
pub(crate) enum Deadline {
    /// When the host ends the run.
    Run,
    /// After `timeout`, of which this is the end.
    At { end: Instant, timeout: Duration },
}

impl Deadline {
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        match timeout.and_then(|timeout| Some((Instant::now().checked_add(timeout)?, timeout))) {
            Some((end, timeout)) => Self::At { end, timeout },
            None => Self::Run,
        }
    }

    /// Waits until `event` is ready.
    pub(crate) fn wait(self, event: &Pollable) -> Result<(), Error> {
        match self {
            Self::Run => event.block(),
            Self::At { end, timeout } => {
                if event.ready() {
                    return Ok(());
                }
                let left = end.saturating_duration_since(Instant::now());
                let alarm = monotonic_clock::subscribe_duration(nanos(left));
                if !poll(&[event, &alarm]).contains(&0) {
                    return Err(Error::TimedOut(Some(timeout)));
                }
            }
        }
        Ok(())
    }
}
