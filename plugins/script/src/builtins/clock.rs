//! `date` and `sleep`. All times are UTC.

use super::options::{Takes, span};
use super::{failed, misused};
use crate::shell::{Outcome, Shell};

pub(super) fn sleep(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let mut whole = std::time::Duration::ZERO;
    for word in words {
        match span(word) {
            Some(span) => whole = whole.saturating_add(span),
            None => return misused(shell, "sleep", &format!("{word}: no span of time")),
        }
    }
    shell.world.sleep(whole);
    Ok(0)
}

const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn date(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("uR", "dI").long(&[("utc", 'u'), ("date", 'd')]);
    let words: Vec<String> = words
        .iter()
        .map(|word| match word.as_str() {
            "-Iseconds" | "-Is" | "--iso-8601=seconds" => "+%Y-%m-%dT%H:%M:%S+00:00".to_owned(),
            "-I" | "-Idate" | "--iso-8601" => "+%Y-%m-%d".to_owned(),
            word => word.to_owned(),
        })
        .collect();
    let given = match takes.read(&words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "date", &what),
    };
    let now = shell.world.now();
    let moment = match given.value('d') {
        None => Moment::of(i64::try_from(now / 1_000_000_000).unwrap_or(i64::MAX), now),
        Some(text) => {
            if let Some(seconds) = parse(text, now) {
                Moment::of(seconds, 0)
            } else {
                let what = format!(
                    "{text}: write @SECONDS, 2026-01-31, 2026-01-31T12:30:00Z or `3 hours ago`"
                );
                return failed(shell, "date", &what, 1);
            }
        }
    };
    let format = match given.rest.as_slice() {
        [] if given.has('R') => "%a, %d %b %Y %H:%M:%S +0000",
        [] => "%a %b %e %H:%M:%S UTC %Y",
        [format] => match format.strip_prefix('+') {
            Some(format) => format,
            None => return misused(shell, "date", &format!("{format}: a format begins with +")),
        },
        _ => return misused(shell, "date", "one format is enough"),
    };
    match moment.format(format) {
        Ok(text) => {
            shell.out(&format!("{text}\n"))?;
            Ok(0)
        }
        Err(what) => failed(shell, "date", &what, 1),
    }
}

/// A moment of the calendar.
struct Moment {
    seconds: i64,
    nanos: u64,
    year: i64,
    month: i64,
    day: i64,
}

impl Moment {
    fn of(seconds: i64, now: u64) -> Self {
        let (year, month, day) = date_of(seconds.div_euclid(86_400));
        Self {
            seconds,
            nanos: now % 1_000_000_000,
            year,
            month,
            day,
        }
    }

    fn format(&self, format: &str) -> Result<String, String> {
        let mut result = String::new();
        let mut rest = format.chars();
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at)
                .ok()
                .and_then(|at| names.get(at).copied())
                .unwrap_or_default()
        };
        let days = self.seconds.div_euclid(86_400);
        let weekday = days.rem_euclid(7);
        // Sunday is 0.
        let weekday_number = (weekday + 4) % 7;
        while let Some(c) = rest.next() {
            if c != '%' {
                result.push(c);
                continue;
            }
            let mut letter = rest.next();
            let padded = letter != Some('-');
            if !padded {
                letter = rest.next();
            }
            let two = |number: i64| {
                if padded {
                    format!("{number:02}")
                } else {
                    number.to_string()
                }
            };
            let text = match letter {
                Some('Y') => self.year.to_string(),
                Some('y') => two(self.year.rem_euclid(100)),
                Some('m') => two(self.month),
                Some('d') => two(self.day),
                Some('e') => format!("{:2}", self.day),
                Some('H') => two(hour),
                Some('I') => two((hour + 11) % 12 + 1),
                Some('M') => two(minute),
                Some('S') => two(second),
                Some('s') => self.seconds.to_string(),
                Some('N') => format!("{:09}", self.nanos),
                Some('j') => {
                    let day = days - days_of(self.year, 1, 1) + 1;
                    if padded {
                        format!("{day:03}")
                    } else {
                        day.to_string()
                    }
                }
                Some('u') => (if weekday_number == 0 {
                    7
                } else {
                    weekday_number
                })
                .to_string(),
                Some('w') => weekday_number.to_string(),
                Some('a') => name(&DAYS, weekday).chars().take(3).collect(),
                Some('A') => name(&DAYS, weekday).to_owned(),
                Some('b' | 'h') => name(&MONTHS, self.month - 1).chars().take(3).collect(),
                Some('B') => name(&MONTHS, self.month - 1).to_owned(),
                Some('p') => (if hour < 12 { "AM" } else { "PM" }).to_owned(),
                Some('F') => format!("{:04}-{:02}-{:02}", self.year, self.month, self.day),
                Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
                Some('R') => format!("{hour:02}:{minute:02}"),
                Some('D') => {
                    let year = self.year.rem_euclid(100);
                    format!("{:02}/{:02}/{year:02}", self.month, self.day)
                }
                Some('z') => "+0000".to_owned(),
                Some('Z') => "UTC".to_owned(),
                Some('n') => "\n".to_owned(),
                Some('t') => "\t".to_owned(),
                Some('%') | None => "%".to_owned(),
                Some(other) => return Err(format!("%{other} is not known here")),
            };
            result.push_str(&text);
        }
        Ok(result)
    }
}

/// Seconds since 1970.
fn parse(text: &str, now: u64) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    let now = i64::try_from(now / 1_000_000_000).ok()?;
    match text {
        "now" | "today" => return Some(now),
        "yesterday" => return Some(now - 86_400),
        "tomorrow" => return Some(now + 86_400),
        _ => {}
    }
    relative(text, now).or_else(|| absolute(text))
}

/// `3 hours ago`, `-2 days`, `+1 week`.
fn relative(text: &str, now: i64) -> Option<i64> {
    let (text, ago) = match text.strip_suffix(" ago") {
        Some(text) => (text, -1),
        None => (text, 1),
    };
    let (number, unit) = text.split_once(' ')?;
    let number: i64 = number.parse().ok()?;
    let unit = match unit.trim().trim_end_matches('s') {
        "second" | "sec" => 1,
        "minute" | "min" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    };
    now.checked_add(number.checked_mul(unit)?.checked_mul(ago)?)
}

/// `2026-01-31`, with a time of day, in UTC or with an offset.
fn absolute(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight = days_of(year, month, day) * 86_400;
    let time = time.trim_end_matches("UTC").trim_end_matches('Z').trim();
    if time.is_empty() {
        return Some(midnight);
    }
    let (time, offset) = match time.find(['+', '-']) {
        Some(at) => {
            let (time, offset) = time.split_at_checked(at)?;
            let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
            let number: i64 = digits.parse().ok()?;
            let seconds = match digits.len() {
                2 => number * 3600,
                4 => number / 100 * 3600 + number % 100 * 60,
                _ => return None,
            };
            (
                time,
                if offset.starts_with('-') {
                    -seconds
                } else {
                    seconds
                },
            )
        }
        None => (time, 0),
    };
    let time = time.split_once('.').map_or(time, |(whole, _)| whole).trim();
    let parts: Option<Vec<i64>> = time.split(':').map(|part| part.parse().ok()).collect();
    let second_of_day = match parts?.as_slice() {
        [hour, minute] => hour * 3600 + minute * 60,
        [hour, minute, second] => hour * 3600 + minute * 60 + second,
        _ => return None,
    };
    Some(midnight + second_of_day - offset)
}

/// Days since 1970 (Howard Hinnant's civil calendar).
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}
