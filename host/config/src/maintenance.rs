//! Maintenances as people write them, in a file or through the API, and what they
//! amount to.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;
use watchkeeper_engine::id::{MaintenanceId, MonitorId, ServiceId};
use watchkeeper_engine::maintenance::{Scope, When, Window};
use watchkeeper_engine::time::Timestamp;

use crate::cron::Cron;
use crate::duration;

/// The longest title, in characters.
pub const LONGEST_TITLE: usize = 200;

/// The longest description, in characters.
pub const LONGEST_TEXT: usize = 10_000;

/// The most services or monitors that one names.
pub const MOST_NAMED: usize = 1_000;

/// The shortest and the longest time that one takes.
const LASTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_hours(366 * 24)];

/// What a maintenance is called where nothing is said.
const TITLE: &str = "Maintenance";

/// A maintenance as it is written. Times are RFC 3339, or without an offset by the
/// clock of `time_zone`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// By what it is known; one is made where there is none.
    pub id: Option<String>,
    /// What is done, in a line.
    pub title: Option<String>,
    /// What people will notice of it, in Markdown.
    pub description: Option<String>,
    /// The ids of services that it covers.
    pub services: Vec<String>,
    /// Monitors that it covers, each as `service/monitor`.
    pub monitors: Vec<String>,
    /// When it begins, for one that comes once.
    pub starts: Option<String>,
    /// When it ends, instead of `lasts`.
    pub ends: Option<String>,
    /// How long it takes, such as `1h30m`.
    pub lasts: Option<String>,
    /// When it begins, for one that comes again and again.
    pub cron: Option<String>,
    /// The zone of times without an offset and of `cron`.
    pub time_zone: Option<String>,
    /// When it begins no more, with `cron`.
    pub until: Option<String>,
}

/// A maintenance that makes sense. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// Unique over files and database.
    pub id: MaintenanceId,
    /// What is done, in a line.
    pub title: Arc<str>,
    /// What people will notice of it, in Markdown; may be empty.
    pub text: Arc<str>,
    /// What it covers; not nothing.
    pub scope: Arc<Scope>,
    /// When.
    pub when: When,
    /// As it was written.
    pub draft: Arc<Draft>,
}

/// What is wrong with a key of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which key.
    pub key: &'static str,
    /// What is wrong with it, and what to write instead.
    pub what: String,
}

/// Everything that is wrong with a draft.
#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Draft {
    /// What it amounts to, where nothing is said of the zone by the clock of `zone`;
    /// or everything that is wrong with it. Whether what it names exists is for the
    /// caller to see to.
    pub fn check(&self, zone: &TimeZone) -> Result<Maintenance, Vec<Mistake>> {
        let mut wrong = Mistakes::default();
        let title = self.title.as_deref().unwrap_or(TITLE);
        wrong.line("title", title);
        let text = self.description.as_deref().unwrap_or_default().trim();
        wrong.prose("description", text);
        let scope = self.scope(&mut wrong);
        let zone = self.zone(zone, &mut wrong);
        let when = self.when(&zone, &mut wrong);
        let id = match self.id.as_deref().map(MaintenanceId::new) {
            Some(Err(problem)) => {
                wrong.add("id", problem.to_string());
                None
            }
            Some(Ok(id)) => Some(id),
            None => derived_id(&scope, when.as_ref()),
        };
        match (id, when) {
            (Some(id), Some(when)) if wrong.0.is_empty() => Ok(Maintenance {
                id,
                title: title.trim().into(),
                text: text.into(),
                scope: Arc::new(scope),
                when,
                draft: Arc::new(self.clone()),
            }),
            _ => Err(wrong.0),
        }
    }

    fn scope(&self, wrong: &mut Mistakes) -> Scope {
        if self.services.is_empty() && self.monitors.is_empty() {
            let what = "is missing: name what it covers, as `services = [\"api\"]` or `monitors = [\"api/health\"]`";
            wrong.add("services", what);
        }
        for (key, named) in [("services", &self.services), ("monitors", &self.monitors)] {
            if named.len() > MOST_NAMED {
                wrong.add(key, format!("must have at most {MOST_NAMED} elements"));
            }
        }
        let mut scope = Scope::default();
        for service in self.services.iter().take(MOST_NAMED) {
            match ServiceId::new(service) {
                Ok(id) if scope.services.contains(&id) => {}
                Ok(id) => scope.services.push(id),
                Err(problem) => wrong.add("services", format!("`{service}` {problem}")),
            }
        }
        for monitor in self.monitors.iter().take(MOST_NAMED) {
            match MonitorId::parse(monitor) {
                Ok(id) if scope.monitors.contains(&id) => {}
                Ok(id) => scope.monitors.push(id),
                Err(problem) => wrong.add("monitors", format!("`{monitor}` {problem}")),
            }
        }
        scope
    }

    fn zone(&self, default: &TimeZone, wrong: &mut Mistakes) -> TimeZone {
        let Some(name) = &self.time_zone else {
            return default.clone();
        };
        TimeZone::get(name).unwrap_or_else(|_| {
            let what = "must be a time zone of the IANA database such as \"Europe/Stockholm\"";
            wrong.add("time_zone", what);
            TimeZone::UTC
        })
    }

    fn when(&self, zone: &TimeZone, wrong: &mut Mistakes) -> Option<When> {
        let lasts = self.lasts.as_deref().and_then(|text| span(text, wrong));
        let mut at =
            |key, text: Option<&String>| text.and_then(|text| time(key, text, zone, wrong));
        let starts = at("starts", self.starts.as_ref());
        let ends = at("ends", self.ends.as_ref());
        let until = at("until", self.until.as_ref());
        match (&self.starts, &self.cron) {
            (Some(_), Some(_)) => {
                let what = "stands beside `starts`: one comes at a time, the other again and again; leave one of them out";
                wrong.add("cron", what);
                None
            }
            (None, None) => {
                let what = "is missing: write when it begins, as `starts = 2026-12-01T02:00:00Z`, or `cron = \"0 2 * * SUN\"` for one that comes again and again";
                wrong.add("starts", what);
                None
            }
            (Some(_), None) => {
                if self.until.is_some() {
                    wrong.add("until", "means nothing without `cron`");
                }
                self.once(starts, ends, lasts, wrong)
            }
            (None, Some(cron)) => {
                if self.ends.is_some() {
                    wrong.add(
                        "ends",
                        "means nothing with `cron`: write how long it takes, as `lasts = \"1h\"`",
                    );
                }
                if self.lasts.is_none() {
                    wrong.add(
                        "lasts",
                        "is missing: write how long it takes, as `lasts = \"1h\"`",
                    );
                }
                match Cron::parse(cron) {
                    Ok(cron) => Some(When::Again {
                        calendar: cron.calendar(zone),
                        lasts: lasts?,
                        until,
                    }),
                    Err(problem) => {
                        wrong.add("cron", problem);
                        None
                    }
                }
            }
        }
    }

    fn once(
        &self,
        starts: Option<Timestamp>,
        ends: Option<Timestamp>,
        lasts: Option<Duration>,
        wrong: &mut Mistakes,
    ) -> Option<When> {
        match (&self.ends, &self.lasts) {
            (Some(_), Some(_)) => {
                wrong.add("ends", "stands beside `lasts`: leave one of them out");
                return None;
            }
            (None, None) => {
                wrong.add(
                    "lasts",
                    "is missing: write how long it takes, as `lasts = \"1h\"`",
                );
                return None;
            }
            _ => {}
        }
        let from = starts?;
        let to = ends.or_else(|| Some(from + lasts?))?;
        if to <= from {
            wrong.add("ends", "must be later than `starts`");
        } else if to.since(from) > LASTS[1] {
            wrong.add("ends", "must be within 366 days of `starts`");
        }
        Some(When::Once(Window { from, to }))
    }
}

impl Mistakes {
    fn add(&mut self, key: &'static str, what: impl Into<String>) {
        let what = format!("`{key}` {}", what.into());
        self.0.push(Mistake { key, what });
    }

    fn line(&mut self, key: &'static str, text: &str) {
        if text.trim().is_empty() {
            self.add(key, "must not be empty");
        } else if text.chars().count() > LONGEST_TITLE {
            self.add(key, format!("must have at most {LONGEST_TITLE} characters"));
        } else if text.chars().any(char::is_control) {
            self.add(key, "must be a single line without control characters");
        }
    }

    fn prose(&mut self, key: &'static str, text: &str) {
        if text.chars().count() > LONGEST_TEXT {
            self.add(key, format!("must have at most {LONGEST_TEXT} characters"));
        } else if text
            .chars()
            .any(|it| it.is_control() && !"\n\r\t".contains(it))
        {
            self.add(key, "must not have control characters");
        }
    }
}

fn span(text: &str, wrong: &mut Mistakes) -> Option<Duration> {
    let Some(span) = duration::parse(text) else {
        wrong.add(
            "lasts",
            "must be a span of time such as \"1h\" or \"1h30m\"",
        );
        return None;
    };
    if !(LASTS[0]..=LASTS[1]).contains(&span) {
        wrong.add("lasts", "must be from 1s to 366d");
        return None;
    }
    Some(span)
}

/// A time with its offset, or by the clock of `zone`: one that a clock shows twice
/// is the first, and one that it leaves out is as much later as it leaves out.
fn time(key: &'static str, text: &str, zone: &TimeZone, wrong: &mut Mistakes) -> Option<Timestamp> {
    let text = text.trim();
    let read = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        // What has an offset that cannot be read is no time without one.
        let is_plain = !text.ends_with(['Z', 'z', ']']);
        let date: civil::DateTime = text.parse().ok().filter(|_| is_plain)?;
        zone.to_timestamp(date).ok()
    });
    let Some(read) = read else {
        let what = "must be a time such as 2026-12-01T02:00:00Z, or without the Z by the clock of `time_zone`";
        wrong.add(key, what);
        return None;
    };
    Some(Timestamp::from_millis(read.as_millisecond()))
}

/// An id of what it covers and when: the same as long as those are.
fn derived_id(scope: &impl Debug, when: Option<&When>) -> Option<MaintenanceId> {
    let when = when?;
    let text = format!("{scope:?} {when:?}");
    // FNV-1a, 64 bits.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    MaintenanceId::new(&format!("m-{hash:016x}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            services: vec!["api".to_owned()],
            starts: Some("2026-12-01T02:00:00Z".to_owned()),
            lasts: Some("1h".to_owned()),
            ..Draft::default()
        }
    }

    fn stockholm() -> TimeZone {
        TimeZone::get("Europe/Stockholm").unwrap()
    }

    /// The first windows, as the clock in Stockholm shows them.
    fn windows(draft: &Draft, after: &str, count: usize) -> Vec<String> {
        let checked = draft.check(&stockholm()).unwrap();
        let plan = watchkeeper_engine::maintenance::Plan::new(checked.when);
        let after: jiff::Timestamp = after.parse().unwrap();
        let shown = |at: Timestamp| {
            let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
            at.to_zoned(stockholm())
                .strftime("%m-%d %H:%M %Z")
                .to_string()
        };
        let windows = plan.windows(Timestamp::from_millis(after.as_millisecond()));
        windows
            .take(count)
            .map(|it| format!("{} to {}", shown(it.from), shown(it.to)))
            .collect()
    }

    #[test]
    fn one_that_comes_once() {
        let noon = "2026-11-21T12:00:00Z";
        let expected = ["12-01 03:00 CET to 12-01 04:00 CET"];
        assert_eq!(windows(&draft(), noon, 3), expected);
        let local = Draft {
            starts: Some("2026-12-01T03:00".to_owned()),
            ends: Some("2026-12-01 04:00:00".to_owned()),
            lasts: None,
            ..draft()
        };
        assert_eq!(windows(&local, noon, 3), expected);
        let elsewhere = Draft {
            starts: Some("2026-11-30T21:00:00".to_owned()),
            time_zone: Some("America/New_York".to_owned()),
            ..draft()
        };
        assert_eq!(windows(&elsewhere, noon, 3), expected);
    }

    #[test]
    fn those_again_and_again_follow_the_clock_on_the_wall() {
        let nightly = Draft {
            starts: None,
            cron: Some("0 4 * * SUN".to_owned()),
            time_zone: Some("Europe/Stockholm".to_owned()),
            ..draft()
        };
        assert_eq!(
            windows(&nightly, "2026-10-12T00:00:00Z", 3),
            [
                "10-18 04:00 CEST to 10-18 05:00 CEST",
                "10-25 04:00 CET to 10-25 05:00 CET",
                "11-01 04:00 CET to 11-01 05:00 CET",
            ]
        );
        // Over the night in which the clock goes back, an hour is an hour.
        let over = Draft {
            cron: Some("30 2 * * *".to_owned()),
            lasts: Some("2h".to_owned()),
            ..nightly
        };
        assert_eq!(
            windows(&over, "2026-10-24T12:00:00Z", 2),
            [
                "10-25 02:30 CEST to 10-25 03:30 CET",
                "10-26 02:30 CET to 10-26 04:30 CET",
            ]
        );
        let few = Draft {
            until: Some("2026-10-26".to_owned()),
            ..over
        };
        assert_eq!(windows(&few, "2026-10-24T12:00:00Z", 9).len(), 1);
    }

    #[test]
    fn ids_are_those_given_or_follow_from_what_and_when() {
        let id = |draft: Draft| draft.check(&TimeZone::UTC).unwrap().id.to_string();
        let derived = id(draft());
        let retitled = Draft {
            title: Some("Move".to_owned()),
            ..draft()
        };
        assert_eq!(id(retitled), derived);
        let later = Draft {
            lasts: Some("2h".to_owned()),
            ..draft()
        };
        assert_ne!(id(later), derived);
        let named = Draft {
            id: Some("move".to_owned()),
            ..draft()
        };
        assert_eq!(id(named), "move");
    }

    #[test]
    fn every_mistake_is_named_with_its_key() {
        let check = |draft: Draft, expected: &[(&str, &str)]| {
            let wrong = draft.check(&TimeZone::UTC).unwrap_err();
            let keys: Vec<_> = wrong.iter().map(|it| it.key).collect();
            let wanted: Vec<_> = expected.iter().map(|it| it.0).collect();
            assert_eq!(keys, wanted, "{wrong:?}");
            for (wrong, (_, words)) in wrong.iter().zip(expected) {
                assert!(wrong.what.contains(words), "{}", wrong.what);
            }
        };
        check(
            Draft::default(),
            &[("services", "is missing"), ("starts", "is missing")],
        );
        check(
            Draft {
                id: Some("A".to_owned()),
                title: Some("a\nb".to_owned()),
                description: Some("a\0b".to_owned()),
                services: vec!["Api".to_owned()],
                monitors: vec!["api".to_owned()],
                starts: Some("tomorrow".to_owned()),
                time_zone: Some("Europe/Uppsala".to_owned()),
                lasts: Some("90".to_owned()),
                ..Draft::default()
            },
            &[
                ("title", "single line"),
                ("description", "control"),
                ("services", "`Api`"),
                ("monitors", "service/monitor"),
                ("time_zone", "IANA"),
                ("lasts", "span of time"),
                ("starts", "must be a time"),
                ("id", "may only contain"),
            ],
        );
        let both = Draft {
            cron: Some("0 2 * * *".to_owned()),
            ..draft()
        };
        check(both, &[("cron", "leave one")]);
        let backwards = Draft {
            ends: Some("2026-12-01T01:00:00Z".to_owned()),
            lasts: None,
            ..draft()
        };
        check(backwards, &[("ends", "later than")]);
        let endless = Draft {
            lasts: None,
            ..draft()
        };
        check(endless, &[("lasts", "is missing")]);
        let offset = Draft {
            starts: Some("2026-12-01T02:00:00+99:00".to_owned()),
            ..draft()
        };
        check(offset, &[("starts", "must be a time")]);
    }
}
