//! Checks that every address of a host answers to ping, how many answers are
//! lost and how long they take.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Span;
use watchkeeper_sdk::icmp::{self, Echo};
use watchkeeper_sdk::{Capability, Context, Error, Health, Probe, Reading, Stop, Target, in_words};

/// The probe for `icmp` targets.
pub struct Icmp;

/// The configuration of a ping. All keys are optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many times to ping each address of the host, one after the other.
    #[schemars(range(min = 1, max = 20))]
    pub packets: u32,
    /// How long to wait for each answer. Default: an equal share of the check's
    /// time for each.
    pub wait: Option<Span>,
    /// What to think of lost answers.
    pub loss: Loss,
    /// What to think of slow answers.
    pub round_trip: RoundTrip,
}

/// What to think of lost answers, as parts of 1. A ping counts as lost when not
/// every address of the host answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Loss {
    /// Sick when more than this part is lost.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sick_above: f64,
    /// Dead when more than this part is lost. When all is lost the target is dead
    /// in any case.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dead_above: f64,
}

/// What to think of slow answers: the slowest counts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoundTrip {
    /// Sick when it takes longer.
    pub sick_above: Option<Span>,
    /// Dead when it takes longer.
    pub dead_above: Option<Span>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            packets: 1,
            wait: None,
            loss: Loss::default(),
            round_trip: RoundTrip::default(),
        }
    }
}

impl Default for Loss {
    fn default() -> Self {
        Self {
            sick_above: 0.0,
            dead_above: 0.5,
        }
    }
}

impl Probe for Icmp {
    type Config = Config;

    const NAME: &'static str = "icmp";
    const SUMMARY: &'static str = "Checks that every address of a host answers to ping";
    const SCHEMES: &'static [&'static str] = &["icmp"];
    const ASKS: &'static [Capability] = &[Capability::Icmp];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let host = target.host()?;
        if target.url()?.port().is_some() {
            return Err(target.unfit(&"ICMP has no ports"));
        }
        let mut pings = Pings::default();
        for left in (1..=config.packets.max(1)).rev() {
            let mut wait = context.remaining() / left;
            if config.packets > 1 {
                // The last wait must end before the check does: a check that the
                // host ends has no figures.
                wait = wait.mul_f64(0.98);
            }
            if let Some(most) = config.wait {
                wait = wait.min(most.duration());
            }
            match icmp::ping(&host, wait) {
                Ok(echoes) => pings.answered(&echoes),
                Err(Error::TimedOut(_)) => pings.lost(wait),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(pings.judge(&config))
    }
}

watchkeeper_sdk::probe!(Icmp);

/// What came of the pings.
#[derive(Debug, Default)]
struct Pings {
    answered: u32,
    lost: u32,
    /// How long was waited for those that were lost.
    waited: Duration,
    /// Every round trip to any address.
    trips: Vec<Duration>,
    addresses: usize,
}

impl Pings {
    fn answered(&mut self, echoes: &[Echo]) {
        self.answered += 1;
        self.addresses = self.addresses.max(echoes.len());
        self.trips.extend(echoes.iter().map(|echo| echo.round_trip));
    }

    fn lost(&mut self, waited: Duration) {
        self.lost += 1;
        self.waited = self.waited.max(waited);
    }

    fn judge(&self, config: &Config) -> Reading {
        let sent = self.answered + self.lost;
        let loss = f64::from(self.lost) / f64::from(sent.max(1));
        let (Some(slowest), Some(fastest)) = (self.trips.iter().max(), self.trips.iter().min())
        else {
            let reason = format!("no answer in {}", in_words(self.waited));
            return Reading::dead(reason).measure("loss", loss, "ratio");
        };
        let health = if loss > config.loss.dead_above {
            Health::Dead
        } else if loss > config.loss.sick_above {
            Health::Sick
        } else {
            Health::Healthy
        };
        let limit = &config.round_trip;
        let above = |limit: Option<Span>| limit.is_some_and(|limit| *slowest > limit.duration());
        let slow = format!("answered after {}", in_words(*slowest));
        Reading::healthy()
            .worsen(health, format!("{} of {sent} answers lost", self.lost))
            .sick_if(above(limit.sick_above), slow.as_str())
            .dead_if(above(limit.dead_above), slow)
            .latency(*slowest)
            .measure("loss", loss, "ratio")
            .measure("round-trip-least", fastest.as_secs_f64(), "seconds")
            .measure("round-trip-most", slowest.as_secs_f64(), "seconds")
            .measure("answering", count(self.addresses), "addresses")
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &str, trips: &[Option<u64>], expected: &str) {
        let mut pings = Pings::default();
        for trip in trips {
            match trip {
                Some(millis) => pings.answered(&[Echo {
                    address: "127.0.0.1".to_owned(),
                    round_trip: Duration::from_millis(*millis),
                }]),
                None => pings.lost(Duration::from_secs(1)),
            }
        }
        let reading = pings.judge(&watchkeeper_sdk::config::parse(config).unwrap());
        let found = format!(
            "{:?} {:?} {:?}",
            reading.health,
            reading.reason.unwrap_or_default(),
            reading.latency
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn loss_and_slowness_are_judged() {
        check("{}", &[Some(5)], r#"Health::Healthy "" Some(5ms)"#);
        check("{}", &[None], r#"Health::Dead "no answer in 1 s" None"#);
        check(
            "{}",
            &[Some(5), None],
            r#"Health::Sick "1 of 2 answers lost" Some(5ms)"#,
        );
        check(
            "{}",
            &[Some(5), None, None],
            r#"Health::Dead "2 of 3 answers lost" Some(5ms)"#,
        );
        check(
            r#"{"loss":{"sick_above":0.5,"dead_above":1}}"#,
            &[Some(5), None],
            r#"Health::Healthy "" Some(5ms)"#,
        );
        check(
            r#"{"round_trip":{"sick_above":"100ms","dead_above":"1s"}}"#,
            &[Some(5), Some(150)],
            r#"Health::Sick "answered after 150 ms" Some(150ms)"#,
        );
        check(
            r#"{"round_trip":{"dead_above":"100ms"}}"#,
            &[Some(150), None],
            r#"Health::Dead "answered after 150 ms" Some(150ms)"#,
        );
    }

    #[test]
    fn lost_pings_are_a_ratio() {
        let mut pings = Pings::default();
        pings.lost(Duration::from_secs(1));
        let reading = pings.judge(&Config::default());
        let measurement = &reading.measurements[0];
        assert_eq!(
            (measurement.name.as_str(), measurement.unit.as_str()),
            ("loss", "ratio")
        );
        assert!((measurement.value - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
