//! Points in time and spans as text, in the language and the zone that are spoken
//! (see [`crate::locale`]). A script rewrites each time to the visitor's zone where
//! scripts run.

use std::fmt;

use http::HeaderValue;
use jiff::tz::TimeZone;
use watchkeeper_engine::time::Timestamp;

use crate::locale::{self, fill};

/// The milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How much of a time is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `17 Nov 2026`
    Date,
    /// `01:06 UTC`
    Time,
    /// `01:06:12 UTC`
    Second,
    /// `21 Nov, 01:09 UTC`
    Moment,
    /// `21 Nov`: a day of the calendar, the same wherever the visitor is.
    Day,
    /// `21 Nov 2026`, likewise.
    WholeDay,
}

/// A `<time>` element.
pub(crate) struct Moment {
    at: Timestamp,
    form: Form,
}

/// A point in time as `YYYY-MM-DDThh:mm:ssZ`.
pub(crate) struct Iso(pub(crate) Timestamp);

/// A point in time as `YYYY-MM-DDThh:mm:ss.sssZ`.
pub(crate) struct IsoMillis(pub(crate) Timestamp);

/// A day as `YYYY-MM-DD`.
pub(crate) struct IsoDay(pub(crate) Timestamp);

/// The text of a time, without an element around it.
pub(crate) struct Utc {
    at: Timestamp,
    form: Form,
}

/// A span in the two largest units that matter: `1 h 36 min`.
pub(crate) struct Minutes(pub(crate) u64);

/// A month of the calendar, in UTC. Written as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(jiff::civil::Date);

/// A latency in milliseconds, with its thousands set apart: `1 870 ms`.
pub(crate) struct Latency(pub(crate) u32);

impl Month {
    /// The month in which `at` lies.
    pub(crate) fn of(at: Timestamp) -> Self {
        let date = calendar(at).to_zoned(jiff::tz::TimeZone::UTC).date();
        Self(date.first_of_month())
    }

    /// Reads `2026-11`; years from 1970 to 9998.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return None;
        }
        let year: i16 = year.parse().ok()?;
        let date = jiff::civil::Date::new(year, month.parse().ok()?, 1).ok()?;
        (1970..=9998).contains(&year).then_some(Self(date))
    }

    /// Its beginning.
    pub(crate) fn start(self) -> Timestamp {
        let days = self.0 - jiff::civil::date(1970, 1, 1);
        day_start(i64::from(days.get_days()))
    }

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().months(1)))
    }

    /// The one before it.
    pub(crate) fn previous(self) -> Self {
        Self(self.0.saturating_sub(jiff::Span::new().months(1)))
    }

    /// `November 2026`.
    pub(crate) fn name(self) -> String {
        let texts = locale::texts();
        let month = name(&texts.months_long, self.0.month());
        let year = self.0.year().to_string();
        fill(&texts.month_of_year, &[("month", month), ("year", &year)])
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

impl Moment {
    pub(crate) const fn new(at: Timestamp, form: Form) -> Self {
        Self { at, form }
    }
}

impl Utc {
    pub(crate) const fn new(at: Timestamp, form: Form) -> Self {
        Self { at, form }
    }
}

impl Form {
    /// What the script calls it; nothing where it must not rewrite it.
    const fn mark(self) -> Option<&'static str> {
        match self {
            Self::Date => Some("d"),
            Self::Time => Some("t"),
            Self::Second => Some("s"),
            Self::Moment => Some("dt"),
            Self::WholeDay => Some("u"),
            Self::Day => None,
        }
    }

    /// The zone of a time; a day of the calendar is the same everywhere.
    fn zone(self) -> TimeZone {
        match self {
            Self::Day | Self::WholeDay => TimeZone::UTC,
            Self::Date | Self::Time | Self::Second | Self::Moment => locale::zone(),
        }
    }
}

/// `at` by the calendar. What lies outside of the years that a calendar knows is
/// shown as the epoch: it comes from no clock.
fn calendar(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// What a calendar leaf shows: `Nov` and `26`.
pub(crate) fn leaf(at: Timestamp) -> (String, String) {
    let at = calendar(at).to_zoned(locale::zone());
    let month = name(&locale::texts().months_short, at.month());
    (month.to_owned(), at.day().to_string())
}

/// The day that is shown of `at`.
pub(crate) fn shown_day(at: Timestamp) -> jiff::civil::Date {
    calendar(at).to_zoned(locale::zone()).date()
}

/// The day of the calendar in UTC.
pub(crate) fn utc_day(at: Timestamp) -> jiff::civil::Date {
    calendar(at).to_zoned(TimeZone::UTC).date()
}

/// The name of a month, which counts from 1.
fn name(months: &[String; 12], month: i8) -> &str {
    let index = usize::try_from(month).unwrap_or(1).saturating_sub(1);
    months.get(index).map_or("", String::as_str)
}

/// As in mails and RSS: `Sat, 21 Nov 2026 01:49:12 +0000` (RFC 2822).
pub(crate) fn mail(at: Timestamp) -> String {
    calendar(at)
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}

/// As in HTTP headers: `Sat, 21 Nov 2026 01:49:12 GMT` (RFC 9110, section 5.6.7).
pub(crate) fn http(at: Timestamp) -> Option<HeaderValue> {
    let text = calendar(at)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    HeaderValue::from_str(&text).ok()
}

/// Reads a time from an HTTP header, in the one form that is written today.
pub(crate) fn from_http(value: &HeaderValue) -> Option<Timestamp> {
    let text = value.to_str().ok()?;
    let read = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(Timestamp::from_millis(read.as_millisecond()))
}

/// The days since the epoch.
pub(crate) const fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MS)
}

/// The beginning of a day.
pub(crate) const fn day_start(day: i64) -> Timestamp {
    Timestamp::from_millis(day.saturating_mul(DAY_MS))
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = locale::texts();
        let at = calendar(self.at).to_zoned(self.form.zone());
        let (day, year) = (at.day().to_string(), at.year().to_string());
        let parts = [
            ("day", day.as_str()),
            ("month", name(&texts.months_short, at.month())),
            ("year", year.as_str()),
        ];
        match self.form {
            Form::Date | Form::WholeDay => f.write_str(&fill(&texts.date, &parts)),
            Form::Day => f.write_str(&fill(&texts.day, &parts)),
            Form::Time => write!(f, "{}", at.strftime("%H:%M %Z")),
            Form::Second => write!(f, "{}", at.strftime("%H:%M:%S %Z")),
            Form::Moment => {
                let day = fill(&texts.day, &parts);
                write!(f, "{day}, {}", at.strftime("%H:%M %Z"))
            }
        }
    }
}

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar(self.0).strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Display for IsoMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar(self.0).strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl fmt::Display for IsoDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar(self.0).strftime("%Y-%m-%d"))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, form } = *self;
        match form.mark() {
            Some(mark) => write!(f, "<time datetime=\"{}\" data-f=\"{mark}\">", Iso(at))?,
            None => write!(f, "<time datetime=\"{}\">", IsoDay(at))?,
        }
        write!(f, "{}</time>", Utc::new(at, form))
    }
}

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours, minutes) = (self.0 / 1440, self.0 / 60 % 24, self.0 % 60);
        let texts = locale::texts();
        let part = |text: &str, count: u64| fill(text, &[("n", &count.to_string())]);
        let whole = || texts.days.of(usize::try_from(days).unwrap_or(usize::MAX));
        match (days, hours % 24, minutes) {
            (0, 0, minutes) => f.write_str(&part(&texts.minutes, minutes)),
            (0, hours, 0) => f.write_str(&part(&texts.hours, hours)),
            (0, hours, minutes) => {
                let hours = part(&texts.hours, hours);
                write!(f, "{hours} {}", part(&texts.minutes, minutes))
            }
            (_, 0, _) => f.write_str(&whole()),
            (_, hours, _) => write!(f, "{} {}", whole(), part(&texts.hours, hours)),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (millions, thousands, rest) = (self.0 / 1_000_000, self.0 / 1000 % 1000, self.0 % 1000);
        // Narrow no-break spaces, so that a number is never cut in two.
        match (millions, thousands) {
            (0, 0) => write!(f, "{rest}"),
            (0, thousands) => write!(f, "{thousands}\u{202f}{rest:03}"),
            _ => write!(f, "{millions}\u{202f}{thousands:03}\u{202f}{rest:03}"),
        }?;
        f.write_str("\u{a0}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        let at = Timestamp::from_millis(1_795_223_345_678);
        let seen: Vec<_> = [
            Form::Date,
            Form::Time,
            Form::Second,
            Form::Moment,
            Form::Day,
        ]
        .into_iter()
        .map(|form| Utc::new(at, form).to_string())
        .collect();
        assert_eq!(
            seen,
            [
                "21 Nov 2026",
                "01:09 UTC",
                "01:09:05 UTC",
                "21 Nov, 01:09 UTC",
                "21 Nov"
            ]
        );
        assert_eq!(
            Moment::new(at, Form::Time).to_string(),
            "<time datetime=\"2026-11-21T01:09:05Z\" data-f=\"t\">01:09 UTC</time>"
        );
        assert_eq!(
            Moment::new(at, Form::Day).to_string(),
            "<time datetime=\"2026-11-21\">21 Nov</time>"
        );
        assert_eq!(leaf(at), ("Nov".to_owned(), "21".to_owned()));
    }

    #[test]
    fn months_follow_each_other() {
        let november = Month::parse("2026-11").unwrap();
        let at = Timestamp::from_millis(1_795_223_345_678);
        assert_eq!(Month::of(at), november);
        assert_eq!(
            (november.to_string(), november.name()),
            ("2026-11".to_owned(), "November 2026".to_owned())
        );
        let december = november.next();
        assert_eq!(
            (december.previous(), december.next().to_string()),
            (november, "2027-01".to_owned())
        );
        assert!(november.start() <= at && at < december.start());
        assert_eq!(day_of(december.start()) - day_of(november.start()), 30);
        assert_eq!(
            Month::parse("1970-01").unwrap().start(),
            Timestamp::default()
        );
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-1",
            "26-01",
            "9999-01",
            "2026-11-01",
            "+026-01",
        ] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_time_is_too_far() {
        for millis in [i64::MIN, i64::MAX] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(Iso(at).to_string(), "1970-01-01T00:00:00Z");
            assert_eq!(day_start(day_of(at).saturating_mul(2)).as_millis(), millis);
        }
    }

    #[test]
    fn spans_and_latencies() {
        let spans: Vec<_> = [0, 1, 59, 60, 96, 1439, 1440, 1500, 2880, 4000]
            .into_iter()
            .map(|minutes| Minutes(minutes).to_string())
            .collect();
        assert_eq!(
            spans.join(", "),
            "0 min, 1 min, 59 min, 1 h, 1 h 36 min, 23 h 59 min, 1 day, 1 day 1 h, 2 days, 2 days 18 h"
        );
        let latencies: Vec<_> = [0, 7, 999, 1000, 1870, 12_045, 1_000_001]
            .into_iter()
            .map(|millis| {
                Latency(millis)
                    .to_string()
                    .replace(['\u{202f}', '\u{a0}'], " ")
            })
            .collect();
        assert_eq!(
            latencies.join(", "),
            "0 ms, 7 ms, 999 ms, 1 000 ms, 1 870 ms, 12 045 ms, 1 000 001 ms"
        );
    }
}
