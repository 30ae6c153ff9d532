//! Points in time, as the caller measured them.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// The engine never reads a clock. A timestamp comes from the caller and is a
/// label on what happened; how long a check took is a [`Duration`] that a
/// monotonic clock measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `millis` milliseconds after the epoch (before it, if negative).
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time since `earlier`; zero if `earlier` is later, as it may be after
    /// the wall clock was set back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).try_into().unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(span.as_millis().try_into().unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(span.as_millis().try_into().unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Writes a span for people, with its two largest units: `850 ms`, `2.5 s`,
/// `12 min`, `1 h 5 min`, `3 d 4 h`.
pub fn spell(span: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    let seconds = span.as_secs();
    let pair = |large: u64, small: u64, names: [&str; 2]| match (seconds % large) / small {
        0 => format!("{} {}", seconds / large, names[0]),
        rest => format!("{} {} {rest} {}", seconds / large, names[0], names[1]),
    };
    match seconds {
        0 => format!("{} ms", span.subsec_millis()),
        1..MINUTE => match span.subsec_millis() / 100 {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        },
        MINUTE..HOUR => pair(MINUTE, 1, ["min", "s"]),
        HOUR..DAY => pair(HOUR, MINUTE, ["h", "min"]),
        DAY.. => pair(DAY, HOUR, ["d", "h"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_spelled_with_their_two_largest_units() {
        for (millis, expected) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1000, "1 s"),
            (2590, "2.5 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min"),
            (95_000, "1 min 35 s"),
            (3_600_000, "1 h"),
            (3_900_000, "1 h 5 min"),
            (86_399_000, "23 h 59 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(spell(Duration::from_millis(millis)), expected);
        }
    }
}
