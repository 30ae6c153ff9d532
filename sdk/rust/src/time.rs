//! Points in time and spans, as people write them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NANOS_A_SECOND: u64 = 1_000_000_000;
const SECONDS_A_DAY: u64 = 86_400;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. Displayed as
/// RFC 3339 in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From nanoseconds since 1970.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since 1970; saturates in the year 2554.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_A_SECOND))
    }

    /// The host's wall clock.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Nanoseconds since 1970.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> u64 {
        self.0 / NANOS_A_SECOND
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Hour, minute and second of the day in UTC.
    pub fn time_of_day(self) -> (u64, u64, u64) {
        let second = self.seconds() % SECONDS_A_DAY;
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// Year, month and day in UTC.
    pub fn date(self) -> (u64, u64, u64) {
        // Days are counted from 0000-03-01, so that the leap day ends a year;
        // 400 years hold 146,097 days.
        let days = self.seconds() / SECONDS_A_DAY + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        (era * 400 + year_of_era + u64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time_of_day();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// A span in words, to the two largest units: `250 ms`, `1.5 s`, `2 min 5 s`,
/// `3 h`, `13 days 4 h`.
pub fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let (large, small) = match seconds {
        0 => {
            let micros = span.as_micros();
            return if micros >= 10_000 || micros.is_multiple_of(1000) {
                format!("{} ms", micros / 1000)
            } else {
                format!("{}.{} ms", micros / 1000, micros / 100 % 10)
            };
        }
        1..60 => {
            // Rounded: a deadline that is over by a hair less than itself is it.
            let tenths = (span.as_millis() + 50) / 100;
            return if tenths.is_multiple_of(10) {
                format!("{} s", tenths / 10)
            } else {
                format!("{}.{} s", tenths / 10, tenths % 10)
            };
        }
        60..3600 => ((seconds / 60, "min"), (seconds % 60, "s")),
        3600..SECONDS_A_DAY => ((seconds / 3600, "h"), (seconds / 60 % 60, "min")),
        _ => {
            let days = seconds / SECONDS_A_DAY;
            (
                (days, if days == 1 { "day" } else { "days" }),
                (seconds / 3600 % 24, "h"),
            )
        }
    };
    match small.0 {
        0 => format!("{} {}", large.0, large.1),
        _ => format!("{} {} {} {}", large.0, large.1, small.0, small.1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timestamps_read_as_rfc_3339() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_799, "2024-02-28T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn the_next_day_is_the_next_date(day in 0_u64..200_000) {
            let date = |day| Timestamp::from_seconds(day * SECONDS_A_DAY).date();
            let (before, after) = (date(day), date(day + 1));
            prop_assert!(after > before);
            prop_assert!(after.2 == before.2 + 1 || (after.2 == 1 && before.2 >= 28));
        }
    }

    #[test]
    fn spans_read_as_people_say_them() {
        for (millis, expected) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (1500, "1.5 s"),
            (9_999, "10 s"),
            (10_000, "10 s"),
            (125_000, "2 min 5 s"),
            (3_600_000, "1 h"),
            (90_000_000, "1 day 1 h"),
            (1_209_600_000, "14 days"),
        ] {
            assert_eq!(in_words(Duration::from_millis(millis)), expected);
        }
        assert_eq!(in_words(Duration::from_micros(412)), "0.4 ms");
    }
}
