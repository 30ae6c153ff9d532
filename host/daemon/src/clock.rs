//! The time that labels what happens.
//!
//! Schedules, timeouts and spans follow the monotonic clock. The wall clock is
//! read to label them, and a step of it (an operator's `date`, a leap, a machine
//! that slept) is noticed rather than mistaken for an outage.

use tokio::time::Instant;
use watchkeeper_engine::time::Timestamp;

/// A wall clock that only moves forward at the monotonic clock's pace between
/// two calls of [`Clock::resynchronise`].
#[derive(Debug)]
pub(crate) struct Clock {
    anchor: Timestamp,
    since: Instant,
}

/// How far the wall clock may drift from the monotonic one before it counts as
/// stepped. NTP slews stay below it.
const STEP: i64 = 2_000;

impl Clock {
    /// A clock that agrees with the wall clock now.
    pub(crate) fn start() -> Self {
        Self {
            anchor: wall(),
            since: Instant::now(),
        }
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.anchor + self.since.elapsed()
    }

    /// Follows the wall clock again. Returns by how many milliseconds it had
    /// been stepped, if it had: timestamps taken before are that much off.
    pub(crate) fn resynchronise(&mut self) -> Option<i64> {
        self.resynchronise_to(wall())
    }

    fn resynchronise_to(&mut self, wall: Timestamp) -> Option<i64> {
        let drift = wall.as_millis() - self.now().as_millis();
        if drift.abs() < STEP {
            return None;
        }
        *self = Self {
            anchor: wall,
            since: Instant::now(),
        };
        Some(drift)
    }
}

/// What the machine's wall clock shows.
pub(crate) fn wall() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_is_noticed_once_and_a_slew_is_not() {
        let mut clock = Clock::start();
        let start = clock.now();
        tokio::time::advance(Duration::from_secs(10)).await;
        let expected = start + Duration::from_secs(10);
        assert_eq!(clock.now(), expected);
        assert_eq!(
            clock.resynchronise_to(expected + Duration::from_millis(1_500)),
            None
        );
        assert_eq!(clock.now(), expected);
        assert_eq!(
            clock.resynchronise_to(expected - Duration::from_hours(1)),
            Some(-3_600_000)
        );
        assert_eq!(clock.now(), expected - Duration::from_hours(1));
        assert_eq!(clock.resynchronise_to(clock.now()), None);
    }
}
