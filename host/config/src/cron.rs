//! Times as a crontab writes them, in a time zone.

use std::fmt;
use std::sync::Arc;

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::tz::TimeZone;
use watchkeeper_engine::passive::Calendar;
use watchkeeper_engine::time::Timestamp;

/// The longest expression, in characters.
const MAX_LENGTH: usize = 200;

/// After this, 9000-01-01T00:00:00Z in milliseconds, nothing is looked for: the
/// calendar's arithmetic ends at the year 9999.
const END: i64 = 221_845_392_000_000;

/// How often a time that a clock shows twice is passed over before it is given up.
const MOST_REPEATED: usize = 1_500;

/// Minute, hour, day of the month, month and day of the week. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Cron(Arc<str>);

impl Cron {
    /// Checks the expression; the error says what is wrong with it. One that
    /// never comes true is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields = text.split_ascii_whitespace().count();
        if !text.is_ascii() || text.len() > MAX_LENGTH {
            return Err("must be five fields as in a crontab".to_owned());
        }
        if fields != 5 {
            return Err(format!(
                "must have five fields (minute, hour, day of the month, month, day of the week), not {fields}"
            ));
        }
        let cron = Self(
            text.split_ascii_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .into(),
        );
        let crontab = cron.crontab(&TimeZone::UTC).map_err(|problem| {
            let problem = problem.to_string();
            // The first lines show the expression and a mark below it.
            let words = problem
                .rsplit_once("^ ")
                .map_or(problem.as_str(), |(_, words)| words);
            format!("is no crontab expression: {}", words.trim())
        })?;
        let start = Timestamp::default();
        match next(&crontab, &TimeZone::UTC, start) {
            Some(_) => Ok(cron),
            None => Err("never comes: no year has such a day".to_owned()),
        }
    }

    /// The expression as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its times in `zone`.
    ///
    /// An hour that a clock shows twice in autumn counts once; a time that it
    /// leaves out in spring does not come on that day. Cron daemons differ there,
    /// and none of them is then late.
    pub fn calendar(&self, zone: &TimeZone) -> Calendar {
        let zone_name = zone.iana_name().unwrap_or("UTC");
        let name = format!("{} ({zone_name})", self.0);
        let crontab = self.crontab(zone).ok();
        let zone = zone.clone();
        Calendar::new(&name, move |after| next(crontab.as_ref()?, &zone, after))
    }

    fn crontab(&self, zone: &TimeZone) -> Result<Crontab, cronexpr::Error> {
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let text = match zone.iana_name() {
            Some(name) => format!("{} {name}", self.0),
            None => self.0.to_string(),
        };
        cronexpr::parse_crontab_with(&text, options)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn next(crontab: &Crontab, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut after = after.as_millis();
    for _ in 0..MOST_REPEATED {
        if after >= END {
            return None;
        }
        let start = MakeTimestamp::from_millisecond(after).ok()?;
        let found = crontab.find_next(start).ok()?;
        let millis = found.timestamp().as_millisecond();
        let first = zone.to_ambiguous_timestamp(found.datetime()).earlier();
        if first.is_ok_and(|first| first >= found.timestamp()) {
            return Some(Timestamp::from_millis(millis));
        }
        after = millis;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The three times after `after`, as the clock in `zone` shows them.
    fn check(cron: &str, zone: &str, after: &str, expected: [&str; 3]) {
        let zone = TimeZone::get(zone).unwrap();
        let calendar = Cron::parse(cron).unwrap().calendar(&zone);
        let after: jiff::Timestamp = after.parse().unwrap();
        let mut at = Timestamp::from_millis(after.as_millisecond());
        let found = expected.map(|_| {
            at = calendar.next(at).unwrap();
            let found = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
            let found = found.to_zoned(zone.clone());
            found.strftime("%Y-%m-%d %H:%M %Z").to_string()
        });
        assert_eq!(found, expected, "{cron}");
    }

    #[test]
    fn times_follow_the_zone() {
        check(
            "0 2 * * *",
            "Europe/Stockholm",
            "2026-11-21T01:00:00Z",
            [
                "2026-11-22 02:00 CET",
                "2026-11-23 02:00 CET",
                "2026-11-24 02:00 CET",
            ],
        );
        check(
            "*/20 9-10 1,15 JAN MON",
            "UTC",
            "2026-01-01T09:30:00Z",
            [
                "2026-01-01 09:40 UTC",
                "2026-01-01 10:00 UTC",
                "2026-01-01 10:20 UTC",
            ],
        );
    }

    #[test]
    fn an_hour_shown_twice_counts_once_and_one_left_out_not_at_all() {
        check(
            "30 2 * * *",
            "Europe/Stockholm",
            "2026-10-24T10:00:00Z",
            [
                "2026-10-25 02:30 CEST",
                "2026-10-26 02:30 CET",
                "2026-10-27 02:30 CET",
            ],
        );
        check(
            "0 * * * *",
            "Europe/Stockholm",
            "2026-10-24T23:30:00Z",
            [
                "2026-10-25 02:00 CEST",
                "2026-10-25 03:00 CET",
                "2026-10-25 04:00 CET",
            ],
        );
        check(
            "30 2 * * *",
            "Europe/Stockholm",
            "2026-03-28T00:00:00Z",
            [
                "2026-03-28 02:30 CET",
                "2026-03-30 02:30 CEST",
                "2026-03-31 02:30 CEST",
            ],
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (bad, expected) in [
            ("", "must have five fields"),
            ("0 2 * *", "not 4"),
            ("0 2 * * * Europe/Stockholm", "not 6"),
            ("60 * * * *", "0..=59; found 60"),
            ("x * * * *", "is no crontab expression: "),
            ("0 0 30 2 *", "never comes"),
            ("0 0 * * ä", "must be five fields"),
        ] {
            let said = Cron::parse(bad).unwrap_err();
            assert!(said.contains(expected), "{bad}: {said}");
            assert!(!said.contains('\n'), "{bad}: {said}");
        }
    }

    #[test]
    fn there_is_an_end_of_time() {
        let calendar = Cron::parse("* * * * *").unwrap().calendar(&TimeZone::UTC);
        for far in [END, i64::MAX, i64::MIN] {
            assert_eq!(calendar.next(Timestamp::from_millis(far)), None);
        }
    }
}
