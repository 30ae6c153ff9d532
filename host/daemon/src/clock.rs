//! The time that labels what happens.
//!
//! Schedules, timeouts and spans follow the monotonic clock. The wall clock is
//! read to label them, and a step of it (an operator's `date`, a leap, a machine
//! that slept) is noticed rather than mistaken for an outage.

use std::time::Duration;

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

/// `12 min`, `3 h 5 min`, `2 d 4 h`: a span as people say it.
pub(crate) fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) if minutes < 10 && seconds % 60 != 0 => {
            format!("{minutes} min {} s", seconds % 60)
        }
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) if minutes % 60 == 0 => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) if hours % 24 == 0 => format!("{days} d"),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
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
            clock.resynchronise_to(expected - Duration::from_secs(3600)),
            Some(-3_600_000)
        );
        assert_eq!(clock.now(), expected - Duration::from_secs(3600));
        assert_eq!(clock.resynchronise_to(clock.now()), None);
    }

    #[test]
    fn spans_read_as_people_say_them() {
        let said = [7, 90, 600, 725, 3600, 3900, 86_400, 180_000]
            .map(|s| in_words(Duration::from_secs(s)));
        assert_eq!(
            said,
            [
                "7 s",
                "1 min 30 s",
                "10 min",
                "12 min",
                "1 h",
                "1 h 5 min",
                "1 d",
                "2 d 2 h"
            ]
        );
    }
}
