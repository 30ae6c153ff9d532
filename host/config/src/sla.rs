//! What was promised of a service or monitor, and for which time.

use std::fmt;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Instant};
use watchkeeper_engine::sla::Level;
use watchkeeper_engine::time::Timestamp;

use crate::duration;

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sla {
    /// What is promised.
    pub level: Level,
    /// For which time, again and again.
    pub period: Period,
}

/// A span of time that comes again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    #[default]
    Month,
    /// Three months, the first of which is January, April, July or October.
    Quarter,
    /// A year of the calendar.
    Year,
    /// The time that has just passed, of this length: 1 hour to 400 days.
    Rolling(Duration),
}

impl Period {
    /// Those that have names.
    const NAMED: [(&'static str, Self); 5] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    /// The shortest and the longest that rolls.
    const ROLLING: (Duration, Duration) = (Duration::from_hours(1), Duration::from_hours(400 * 24));

    /// Their names.
    pub(crate) const WORDS: [&'static str; 5] = ["day", "week", "month", "quarter", "year"];

    /// Reads `month` or `30d`.
    pub fn parse(text: &str) -> Option<Self> {
        let named = Self::NAMED.into_iter().find(|(word, _)| *word == text);
        named.map(|(_, period)| period).or_else(|| {
            let span = duration::parse(text)?;
            let (least, most) = Self::ROLLING;
            (least..=most)
                .contains(&span)
                .then_some(Self::Rolling(span))
        })
    }

    /// Whether it has no end of its own.
    pub const fn is_rolling(self) -> bool {
        matches!(self, Self::Rolling(_))
    }

    /// The beginning and the end of the one in which `at` lies, by the calendar of
    /// `zone`; of one that rolls, that which ends at `at`. A time that no calendar
    /// has lies in an empty one.
    pub fn around(self, at: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
        if let Self::Rolling(span) = self {
            return (at - span, at);
        }
        let bounds = || {
            let now = Instant::from_millisecond(at.as_millis()).ok()?;
            let today = now.to_zoned(zone.clone()).date();
            let (first, length) = self.of(today)?;
            let start = |date: Date| {
                let start = date.to_zoned(zone.clone()).ok()?.timestamp();
                Some(Timestamp::from_millis(start.as_millisecond()))
            };
            Some((start(first)?, start(first.checked_add(length).ok()?)?))
        };
        bounds().unwrap_or((at, at))
    }

    /// The first day of the one in which `day` lies, and its length.
    fn of(self, day: Date) -> Option<(Date, Span)> {
        let days = |count: i64| Span::new().days(count);
        let months = |count: i64| Span::new().months(count);
        Some(match self {
            Self::Day => (day, days(1)),
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                (day.checked_sub(days(since_monday)).ok()?, days(7))
            }
            Self::Month => (day.first_of_month(), months(1)),
            Self::Quarter => {
                let before = i64::from((day.month() - 1).rem_euclid(3));
                let first = day.first_of_month().checked_sub(months(before)).ok()?;
                (first, months(3))
            }
            Self::Year => (day.first_of_year(), months(12)),
            Self::Rolling(_) => return None,
        })
    }
}

impl fmt::Display for Period {
    /// As [`Period::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(span) => f.write_str(&duration::display(*span)),
            named => {
                let word = Self::NAMED.iter().find(|(_, period)| period == named);
                f.write_str(word.map_or("", |(word, _)| word))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(period: &str, at: &str, expected: &str) {
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let at: Instant = at.parse().unwrap();
        let period = Period::parse(period).unwrap();
        let (from, to) = period.around(Timestamp::from_millis(at.as_millisecond()), &zone);
        let shown = |at: Timestamp| Instant::from_millisecond(at.as_millis()).unwrap();
        assert_eq!(format!("{} {}", shown(from), shown(to)), expected);
    }

    #[test]
    fn periods_follow_the_calendar_of_the_zone() {
        check(
            "month",
            "2026-11-21T12:00:00Z",
            "2026-10-31T23:00:00Z 2026-11-30T23:00:00Z",
        );
        // The month in which summer time ends has an hour more.
        check(
            "month",
            "2026-10-01T00:00:00Z",
            "2026-09-30T22:00:00Z 2026-10-31T23:00:00Z",
        );
        // It is Monday there already.
        check(
            "week",
            "2026-11-22T23:30:00Z",
            "2026-11-22T23:00:00Z 2026-11-29T23:00:00Z",
        );
        // The day on which summer time begins has 23 hours.
        check(
            "day",
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z",
        );
        check(
            "quarter",
            "2026-06-30T21:59:59Z",
            "2026-03-31T22:00:00Z 2026-06-30T22:00:00Z",
        );
        check(
            "year",
            "2026-12-31T23:00:00Z",
            "2026-12-31T23:00:00Z 2027-12-31T23:00:00Z",
        );
        check(
            "30d",
            "2026-11-21T12:00:00Z",
            "2026-10-22T12:00:00Z 2026-11-21T12:00:00Z",
        );
    }

    #[test]
    fn periods_are_written_as_they_are_read() {
        for text in ["day", "week", "month", "quarter", "year", "30d", "1d12h"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "months", "30", "30m", "401d", "Month"] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_named_period_has_its_word() {
        let words = Period::NAMED.map(|(word, _)| word);
        assert_eq!(words, Period::WORDS);
    }
}
