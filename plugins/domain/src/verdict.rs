//! A registration against what is expected of it.

use std::time::Duration;

use watchkeeper_sdk::{Health, Reading, Stop, Timestamp, in_words};

use crate::memory::Kept;
use crate::registration::{Finding, Registration};
use crate::{Config, RAREST, Unpublished};

/// What is expected, checked.
#[derive(Debug)]
pub(crate) struct Rules {
    sick_below: Duration,
    dead_below: Duration,
    /// Each as it is written and as it is compared.
    dead: Vec<(String, String)>,
    sick: Vec<(String, String)>,
    require: Vec<(String, String)>,
    unpublished: Unpublished,
    ask_every: Duration,
}

impl Rules {
    /// Checks the status names; [`Stop::Misconfigured`] names the first that is none.
    pub(crate) fn new(config: &Config) -> Result<Self, Stop> {
        let status = |key: &str, names: &[String]| {
            let mut status = Vec::with_capacity(names.len());
            for (index, name) in names.iter().enumerate() {
                let folded = folded(name);
                if folded.is_empty() {
                    return Err(Stop::Misconfigured(format!(
                        "config.status.{key}[{index}]: {name:?} is no status: write it like clientHold"
                    )));
                }
                status.push((name.clone(), folded));
            }
            Ok(status)
        };
        Ok(Self {
            sick_below: config.sick_below.duration(),
            dead_below: config.dead_below.duration(),
            dead: status("dead", &config.status.dead)?,
            sick: status("sick", &config.status.sick)?,
            require: status("require", &config.status.require)?,
            unpublished: config.unpublished,
            ask_every: config.ask_every.duration(),
        })
    }

    /// How long an answer is good for: a recovery should be seen soon.
    pub(crate) fn patience(&self, finding: &Finding, now: Timestamp) -> Duration {
        let is_healthy = match finding {
            Finding::Unregistered => false,
            Finding::Registered(registration) => {
                self.verdict("", registration, now).health == Health::Healthy
            }
        };
        if is_healthy { self.ask_every } else { RAREST }
    }

    /// Judges what the registry said.
    pub(crate) fn judge(&self, name: &str, kept: &Kept, now: Timestamp) -> Result<Reading, Stop> {
        let age = Duration::from_secs(now.seconds().saturating_sub(kept.at));
        let reading = match &kept.finding {
            Finding::Unregistered => Reading::dead(format!("{name} is not registered")),
            Finding::Registered(registration) => {
                let reading = self.verdict(name, registration, now);
                let is_silent = registration.expires.is_none();
                if is_silent
                    && self.unpublished == Unpublished::Undecided
                    && reading.health != Health::Dead
                {
                    return Err(Stop::Undecided(format!(
                        "the registry does not publish when {name} expires; config.unpublished says what that means"
                    )));
                }
                reading
            }
        };
        Ok(reading.measure("answer-age", age.as_secs_f64(), "seconds"))
    }

    fn verdict(&self, name: &str, registration: &Registration, now: Timestamp) -> Reading {
        let mut reading = Reading::healthy();
        if let Some(expires) = registration.expires {
            let expires = Timestamp::from_seconds(expires);
            reading = reading.measure("expiry", days_until(expires, now), "days");
            reading = match self.expiry_fault(expires, now) {
                Some((health, why)) => {
                    let registrar = registration.registrar.as_deref();
                    let at = registrar.map(|it| format!(" (registrar {it})"));
                    reading.worsen(health, format!("{name} {why}{}", at.unwrap_or_default()))
                }
                None => reading,
            };
        }
        let found: Vec<(&String, String)> = registration
            .status
            .iter()
            .map(|status| (status, folded(status)))
            .collect();
        for (bad, health) in [(&self.dead, Health::Dead), (&self.sick, Health::Sick)] {
            for (status, _) in found
                .iter()
                .filter(|(_, found)| bad.iter().any(|(_, bad)| bad == found))
            {
                reading = reading.worsen(health, format!("{name} has the status {status}"));
            }
        }
        for (status, folded) in &self.require {
            if !found.iter().any(|(_, found)| found == folded) {
                reading = reading.worsen(Health::Sick, format!("{name} lacks the status {status}"));
            }
        }
        reading
    }

    fn expiry_fault(&self, expires: Timestamp, now: Timestamp) -> Option<(Health, String)> {
        if now >= expires {
            let ago = in_words(now.since(expires));
            return Some((Health::Dead, format!("expired {ago} ago")));
        }
        let left = expires.since(now);
        let health = if left < self.dead_below {
            Health::Dead
        } else if left < self.sick_below {
            Health::Sick
        } else {
            return None;
        };
        Some((health, format!("expires in {}", in_words(left))))
    }
}

/// EPP and RDAP write the same status in two ways (RFC 8056): `clientHold` and
/// `client hold`, `ok` and `active`.
fn folded(status: &str) -> String {
    let folded: String = status
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    if folded == "ok" {
        "active".to_owned()
    } else {
        folded
    }
}

/// Precise to a thousandth of a day; negative once it is over.
fn days_until(then: Timestamp, now: Timestamp) -> f64 {
    let seconds = then.since(now).as_secs_f64() - now.since(then).as_secs_f64();
    (seconds / 86.4).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn check(config: &str, finding: Finding, expected: &str) {
        let config: Config = watchkeeper_sdk::config::parse(config).unwrap();
        let kept = Kept {
            at: 1000 * DAY - 60,
            finding,
        };
        let now = Timestamp::from_seconds(1000 * DAY);
        let judged = Rules::new(&config).and_then(|rules| rules.judge("a.test", &kept, now));
        let found = match judged {
            Ok(reading) => {
                let figures: Vec<String> = reading
                    .measurements
                    .iter()
                    .map(|figure| format!("{} {} {}", figure.name, figure.value, figure.unit))
                    .collect();
                format!(
                    "{:?} {} [{}]",
                    reading.health,
                    reading.reason.unwrap_or_default(),
                    figures.join(", ")
                )
            }
            Err(stop) => format!("{stop:?}"),
        };
        assert_eq!(found, expected);
    }

    fn registered(day: Option<u64>, status: &[&str]) -> Finding {
        Finding::Registered(Registration {
            expires: day.map(|day| day * DAY),
            status: status.iter().map(|&status| status.to_owned()).collect(),
            registrar: Some("R".to_owned()),
        })
    }

    #[test]
    fn expiry_is_told_in_time() {
        let answer = "answer-age 60 seconds";
        check(
            "{}",
            registered(Some(1100), &["active"]),
            &format!("Health::Healthy  [expiry 100 days, {answer}]"),
        );
        check(
            "{}",
            registered(Some(1029), &[]),
            &format!(
                "Health::Sick a.test expires in 29 days (registrar R) [expiry 29 days, {answer}]"
            ),
        );
        check(
            r#"{"sick_below": "20d", "dead_below": "7d"}"#,
            registered(Some(1006), &[]),
            &format!(
                "Health::Dead a.test expires in 6 days (registrar R) [expiry 6 days, {answer}]"
            ),
        );
        check(
            "{}",
            registered(Some(998), &["autoRenewPeriod"]),
            &format!(
                "Health::Dead a.test expired 2 days ago (registrar R) [expiry -2 days, {answer}]"
            ),
        );
        check(
            "{}",
            Finding::Unregistered,
            &format!("Health::Dead a.test is not registered [{answer}]"),
        );
    }

    #[test]
    fn status_is_compared_however_it_is_written() {
        check(
            "{}",
            registered(Some(1100), &["client hold", "serverTransferProhibited"]),
            "Health::Dead a.test has the status client hold [expiry 100 days, answer-age 60 seconds]",
        );
        check(
            r#"{"status": {"dead": [], "sick": ["pending transfer"], "require": ["clientTransferProhibited", "ok"]}}"#,
            registered(Some(1100), &["clientHold", "pendingTransfer", "active"]),
            "Health::Sick a.test has the status pendingTransfer; a.test lacks the status clientTransferProhibited [expiry 100 days, answer-age 60 seconds]",
        );
        check(
            r#"{"status": {"dead": ["clientHold", "--"]}}"#,
            Finding::Unregistered,
            r#"Misconfigured("config.status.dead[1]: \"--\" is no status: write it like clientHold")"#,
        );
    }

    #[test]
    fn an_expiry_that_is_not_published_is_what_the_operator_says() {
        check(
            "{}",
            registered(None, &["active"]),
            r#"Undecided("the registry does not publish when a.test expires; config.unpublished says what that means")"#,
        );
        check(
            r#"{"unpublished": "healthy"}"#,
            registered(None, &["active"]),
            "Health::Healthy  [answer-age 60 seconds]",
        );
        check(
            "{}",
            registered(None, &["pending delete"]),
            "Health::Dead a.test has the status pending delete [answer-age 60 seconds]",
        );
    }

    #[test]
    fn a_domain_in_trouble_is_asked_about_more_often() {
        let rules = Rules::new(&Config::default()).unwrap();
        let now = Timestamp::from_seconds(1000 * DAY);
        let well = registered(Some(1100), &["active"]);
        let held = registered(Some(1100), &["client hold"]);
        assert_eq!(rules.patience(&well, now), Duration::from_hours(12));
        assert_eq!(rules.patience(&held, now), Duration::from_hours(1));
        assert_eq!(
            rules.patience(&Finding::Unregistered, now),
            Duration::from_hours(1)
        );
    }
}
