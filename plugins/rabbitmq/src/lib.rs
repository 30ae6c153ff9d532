//! Checks how many messages wait in RabbitMQ's queues, by the management API of
//! the broker: with thresholds, for one queue, several or all that match a
//! pattern.

mod api;
mod look;
mod plan;
mod queue;
mod select;

use std::borrow::Cow;
use std::thread;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Span};
use watchkeeper_sdk::{Capability, Context, Health, Probe, Reading, Stop, Target};

use self::api::Api;
use self::plan::Plan;

/// The probe that reads the queues of a RabbitMQ broker.
pub struct RabbitMq;

/// The configuration of a check of a RabbitMQ broker. What is to be checked has
/// to be named: by `queue`, `queues`, `pattern` or `alarms`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name of a user with the tag `management` or `monitoring`, unless the
    /// target has one.
    #[schemars(length(min = 1, max = 255))]
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The virtual host of the queues.
    #[schemars(length(min = 1, max = 255))]
    pub vhost: String,
    /// The name of a queue, as it is.
    #[schemars(length(min = 1, max = 255))]
    pub queue: Option<String>,
    /// The names of several queues, as they are.
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    pub queues: Vec<String>,
    /// All queues whose whole name matches: `*` stands for any characters.
    #[schemars(length(min = 1, max = 255))]
    pub pattern: Option<String>,
    /// From how many messages on that wait for a consumer a queue is sick or
    /// dead.
    pub ready: Thresholds,
    /// The same for messages that a consumer has got and not acknowledged.
    pub unacked: Thresholds,
    /// How many consumers each queue must have.
    pub consumers: Minimum,
    /// How long to wait before a queue that is sick by its messages is looked at
    /// once more; what is found then counts. None: it counts at once.
    pub recheck: Option<Span>,
    /// What an alarm of a node is: the broker then blocks all who publish. None:
    /// alarms are not looked at.
    pub alarms: Option<Severity>,
}

/// How many messages are too many.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Sick with so many messages or more.
    pub sick: Option<u64>,
    /// Dead with more messages than this; at least `sick`.
    pub dead: Option<u64>,
}

/// How many consumers are too few.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Minimum {
    /// Sick with fewer consumers than this.
    pub sick_below: Option<u64>,
    /// Dead with fewer consumers than this; at most `sick_below`.
    pub dead_below: Option<u64>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It makes the target sick.
    Sick,
    /// It makes the target dead.
    Dead,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            username: None,
            password: None,
            vhost: "/".to_owned(),
            queue: None,
            queues: Vec::new(),
            pattern: None,
            ready: Thresholds::default(),
            unacked: Thresholds::default(),
            consumers: Minimum::default(),
            recheck: None,
            alarms: None,
        }
    }
}

impl From<Severity> for Health {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Sick => Self::Sick,
            Severity::Dead => Self::Dead,
        }
    }
}

impl Probe for RabbitMq {
    type Config = Config;

    const NAME: &'static str = "rabbitmq";
    const SUMMARY: &'static str = "Checks the depth of RabbitMQ queues and the broker's alarms";
    // Its targets are those of the management API, `http` and `https`: a monitor
    // says that they are not for the probe of web sites.
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let (plan, login) = Plan::new(config, context.timeout()).map_err(Stop::Misconfigured)?;
        let mut api = Api::new(target.url()?, login).map_err(Stop::Misconfigured)?;
        let mut reading = Reading::healthy();
        if let Some(selection) = &plan.selection {
            let mut look = selection.look(&mut api, &plan.rules)?;
            if look.loaded
                && let Some(wait) = plan.recheck
            {
                thread::sleep(wait);
                look = selection.look(&mut api, &plan.rules)?;
            }
            reading = look.verdict(reading)?;
        }
        if let Some(severity) = plan.alarms {
            let alarms = api.alarms()?;
            reading = look::judge_alarms(reading, &alarms, severity.into());
        }
        Ok(reading.latency(api.spent()))
    }
}

watchkeeper_sdk::probe!(RabbitMq);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
