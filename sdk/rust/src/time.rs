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

    /// Reads RFC 3339: `2026-12-01T02:00:00Z`, with fractions of a second and any
    /// offset, and a blank in place of the `T`. None for what is no such time, and
    /// before 1970 or after 2554.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.trim().split_once(['T', 't', ' '])?;
        let zone = time.find(['Z', 'z', '+', '-'])?;
        let (time, zone) = time.split_at_checked(zone)?;
        let [year, month, day] = numbers(date, '-')?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        let [hour, minute, second] = numbers(time, ':')?;
        // A leap second counts as the last of its minute.
        let fits = (1..=12).contains(&month)
            && (1..=days_of(year, month)).contains(&day)
            && (hour < 24 && minute < 60 && second <= 60);
        if !fits || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let offset = match zone {
            "Z" | "z" => 0,
            _ => {
                let (sign, zone) = zone.split_at_checked(1)?;
                let [hours, minutes] = numbers(zone, ':')?;
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let seconds = hours * 3600 + minutes * 60;
                if sign == "-" { -seconds } else { seconds }
            }
        };
        let seconds =
            days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59)
                - offset;
        let digits: String = fraction
            .chars()
            .chain("000000000".chars())
            .take(9)
            .collect();
        let nanos = u64::try_from(seconds).ok()?.checked_mul(NANOS_A_SECOND)?;
        nanos.checked_add(digits.parse().ok()?).map(Self)
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

/// So many numbers without signs.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let number = |part: &str| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    };
    let numbers: Vec<i64> = text.split(separator).map(number).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Years begin in March, so that the leap day ends one; see [`Timestamp::date`].
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
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

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in 0_u64..16_000_000_000) {
            let time = Timestamp::from_seconds(seconds);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn no_text_is_too_odd_to_be_read(text in "\\PC*") {
            let _ = Timestamp::parse(&text);
        }
    }

    #[test]
    fn times_are_read_as_rfc_3339_has_them() {
        let at = |text| Timestamp::parse(text).map(Timestamp::nanos);
        for text in [
            "2020-02-29T12:00:00Z",
            "2020-02-29t14:30:00.0+02:30",
            "2020-02-29 04:00:00-08:00",
        ] {
            assert_eq!(at(text), Some(1_582_977_600 * NANOS_A_SECOND), "{text}");
        }
        assert_eq!(at("1970-01-01T00:00:01.5Z"), Some(1_500_000_000));
        assert_eq!(at("2016-12-31T23:59:60Z"), at("2016-12-31T23:59:59Z"));
        for text in [
            "",
            "2020-02-30T00:00:00Z",
            "2021-02-29T00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01T00:00Z",
            "1969-12-31T23:59:59Z",
            "2020-01-01T00:00:00+25:00",
            "2020-01-01T00:00:00.xZ",
            "9999-01-01T00:00:00Z",
            "+2020-01-01T00:00:00Z",
        ] {
            assert_eq!(at(text), None, "{text}");
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
