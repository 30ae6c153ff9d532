//! Probes: what they implement, what a check finds, why one has no verdict.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::bindings::probe as wit;
use crate::bindings::types;
use crate::{Capability, Context, Error, Health, Problem, Target, config, in_words};

/// A plugin that judges targets. [`probe!`](crate::probe!) exports it.
pub trait Probe {
    /// The monitor's configuration for this probe. Its JSON Schema is what the
    /// host checks configurations against; `#[serde(deny_unknown_fields)]` turns
    /// an operator's typing mistake into an error. [`config`] has types for
    /// secrets, URLs and spans.
    type Config: DeserializeOwned + JsonSchema;

    /// Unique among a host's plugins: `[a-z][a-z0-9-]{0,39}`.
    const NAME: &'static str;

    /// One line for people.
    const SUMMARY: &'static str;

    /// URL schemes of the targets that this probe judges unless a monitor names
    /// another.
    const SCHEMES: &'static [&'static str] = &[];

    /// The ways out of the sandbox that it needs; all others are refused.
    const ASKS: &'static [Capability];

    /// Hosts it needs beyond those of its configuration and targets:
    /// `host:port`, `*.host:port`.
    const HOSTS: &'static [&'static str] = &[];

    /// The JSON Schema (2020-12) of [`Config`](Self::Config), derived at run time.
    /// A plugin that embeds it as a file is 100 KB smaller:
    /// `include_str!("../config.schema.json").into()`, kept true by a test that
    /// calls [`config::assert_schema_file`].
    fn schema() -> Cow<'static, str> {
        config::schema::<Self::Config>().into()
    }

    /// What is wrong with a configuration that fits the schema, such as a regular
    /// expression that is none. The host asks when it loads the configuration, so
    /// that an operator learns of a mistake there and then; no call to the host
    /// but [`log`](crate::log) is of use here. Unless given, nothing is.
    fn validate(config: &Self::Config) -> Result<(), Vec<Problem>> {
        _ = config;
        Ok(())
    }

    /// Checks one target once, in a fresh instance: nothing in memory outlives
    /// the call. The host ends it when [`Context::timeout`] is over.
    fn check(config: Self::Config, target: &Target, context: &Context) -> Result<Reading, Stop>;
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Reading {
    /// The verdict.
    pub health: Health,
    /// Why, in one line; none when healthy.
    pub reason: Option<String>,
    /// The latency to record in place of the one that the host measured.
    pub latency: Option<Duration>,
    /// Figures besides the verdict; the host takes 64.
    pub measurements: Vec<Measurement>,
}

/// One figure that a check read besides its verdict, such as a queue's depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Lower-case words joined by `-`, without the unit: `messages-ready`.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// An OpenMetrics base unit (`seconds`, `bytes`, `ratio`) or a counted thing
    /// in the plural (`messages`, `days`).
    pub unit: String,
}

impl Reading {
    /// The target works as it should.
    pub fn healthy() -> Self {
        Self {
            health: Health::Healthy,
            reason: None,
            latency: None,
            measurements: Vec::new(),
        }
    }

    /// The target works, but slowly or only in part.
    pub fn sick(reason: impl Into<String>) -> Self {
        Self::healthy().worsen(Health::Sick, reason)
    }

    /// The target does not work.
    pub fn dead(reason: impl Into<String>) -> Self {
        Self::healthy().worsen(Health::Dead, reason)
    }

    /// Sick if `condition` holds, unless it is worse already.
    pub fn sick_if(self, condition: bool, reason: impl Into<String>) -> Self {
        if condition {
            self.worsen(Health::Sick, reason)
        } else {
            self
        }
    }

    /// Dead if `condition` holds.
    pub fn dead_if(self, condition: bool, reason: impl Into<String>) -> Self {
        if condition {
            self.worsen(Health::Dead, reason)
        } else {
            self
        }
    }

    /// Makes the verdict `health` if that is worse. Reasons of the same health
    /// are joined by `; `, those of a better one give way.
    pub fn worsen(mut self, health: Health, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        if health == Health::Healthy || health < self.health {
            return self;
        }
        self.reason = match self.reason.take() {
            Some(earlier) if health == self.health => Some(format!("{earlier}; {reason}")),
            Some(_) | None => Some(reason),
        };
        self.health = health;
        self
    }

    /// Records `latency` in place of the one that the host measured.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }

    /// Adds a figure; see [`Measurement`] for how to name it.
    pub fn measure(mut self, name: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        self.measurements.push(Measurement {
            name: name.into(),
            value,
            unit: unit.into(),
        });
        self
    }
}

/// Why a check ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A verdict after all: the target does not work; says why.
    Dead(String),
    /// The configuration or target cannot work; says which key and why.
    Misconfigured(String),
    /// The probe could not decide; says why.
    Undecided(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Denied(_) | Error::TooLarge(_) | Error::Host(_) => Self::Undecided(reason),
            Error::Invalid(_) => Self::Misconfigured(reason),
            _ => Self::Dead(reason),
        }
    }
}

impl Error {
    /// The stop of a check with that `timeout` which waited for `what`: silence and
    /// a connection that ends are told with it, `waited 10 s for the greeting` and
    /// `connection closed before the greeting`; all else is as by `?`.
    pub fn waiting_for(self, what: &str, timeout: Duration) -> Stop {
        match self {
            Self::TimedOut(_) => Stop::Dead(format!("waited {} for {what}", in_words(timeout))),
            Self::Closed => Stop::Dead(format!("connection closed before {what}")),
            other => other.into(),
        }
    }
}

/// Answers the host's `check`.
#[doc(hidden)]
pub fn run<P: Probe>(request: wit::Request) -> Result<wit::Reading, wit::Fault> {
    let timeout = Duration::from_nanos(request.timeout);
    let context = Context::new(Some(request.monitor), timeout);
    let config = config::parse(&request.config).map_err(wit::Fault::Misconfigured)?;
    let reading = match P::check(config, &Target::new(request.target), &context) {
        Ok(reading) => reading,
        Err(Stop::Dead(reason)) => Reading::dead(reason),
        Err(Stop::Misconfigured(reason)) => return Err(wit::Fault::Misconfigured(reason)),
        Err(Stop::Undecided(reason)) => return Err(wit::Fault::Undecided(reason)),
    };
    Ok(wit::Reading {
        health: reading.health,
        reason: reading.reason,
        latency: reading.latency.map(nanos),
        measurements: reading
            .measurements
            .into_iter()
            .map(|Measurement { name, value, unit }| types::Measurement { name, value, unit })
            .collect(),
    })
}

/// A span as the contract has it; saturates after 584 years.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;

    impl Probe for Echo {
        type Config = std::collections::BTreeMap<String, String>;
        const NAME: &'static str = "echo";
        const SUMMARY: &'static str = "Does as it is told";
        const ASKS: &'static [Capability] = &[];

        fn check(
            config: Self::Config,
            target: &Target,
            context: &Context,
        ) -> Result<Reading, Stop> {
            assert_eq!(context.monitor(), Some("api/health"));
            match target.as_str() {
                "refused" => Err(Error::Refused)?,
                "denied" => Err(Error::Denied("no".to_owned()))?,
                "invalid" => Err(target.unfit(&"no"))?,
                _ => Ok(Reading::healthy().sick_if(config.is_empty(), "empty")),
            }
        }
    }

    fn check(target: &str, config: &str, expected: &str) {
        let request = wit::Request {
            monitor: "api/health".to_owned(),
            target: target.to_owned(),
            config: config.to_owned(),
            timeout: 1,
        };
        let found = match run::<Echo>(request) {
            Ok(reading) => format!(
                "{:?} {}",
                reading.health,
                reading.reason.unwrap_or_default()
            ),
            Err(fault) => format!("{fault:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn every_end_of_a_check_reaches_the_host_as_what_it_is() {
        check("x", r#"{"a":"b"}"#, "Health::Healthy ");
        check("x", "{}", "Health::Sick empty");
        check("refused", "{}", "Health::Dead connection refused");
        check("denied", "{}", r#"Fault::Undecided("denied: no")"#);
        check(
            "invalid",
            "{}",
            r#"Fault::Misconfigured("target invalid: no")"#,
        );
        check(
            "x",
            r#"{"a":1}"#,
            r#"Fault::Misconfigured("config.a: invalid type: integer `1`, expected a string")"#,
        );
    }

    #[test]
    fn silence_says_what_was_waited_for() {
        let told = |error: Error| error.waiting_for("the greeting", Duration::from_secs(10));
        for (error, expected) in [
            (Error::TimedOut(None), "waited 10 s for the greeting"),
            (Error::Closed, "connection closed before the greeting"),
            (Error::Refused, "connection refused"),
        ] {
            assert_eq!(told(error), Stop::Dead(expected.to_owned()));
        }
        let denied = told(Error::Denied("no".to_owned()));
        assert_eq!(denied, Stop::Undecided("denied: no".to_owned()));
    }

    #[test]
    fn a_verdict_only_gets_worse_and_keeps_the_reasons_of_the_worst() {
        let reading = Reading::sick("slow")
            .worsen(Health::Sick, "stale")
            .worsen(Health::Healthy, "x");
        assert_eq!(reading.reason.as_deref(), Some("slow; stale"));
        let reading = reading
            .worsen(Health::Dead, "gone")
            .worsen(Health::Sick, "late");
        assert_eq!(
            (reading.health, reading.reason.as_deref()),
            (Health::Dead, Some("gone"))
        );
    }
}
