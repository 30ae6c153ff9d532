//! Asks a Prometheus server, or one that speaks its API, an instant query and
//! judges what it gives by thresholds.

mod answer;
mod verdict;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::http::{self, Auth, Request};
use watchkeeper_sdk::{Capability, Context, Error, Probe, Problem, Reading, Stop, Target, log};

use self::verdict::Thresholds;

/// How much of what is left of the check's time the server is given: what it says
/// of a query that takes too long says more than that the time is over.
const PATIENCE: f64 = 0.9;

/// The probe for results of PromQL queries. It has no scheme of its own: monitors
/// name it.
pub struct Prometheus;

/// The configuration of a check of a query's result.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The query, in PromQL. It must give an instant vector or a scalar.
    #[schemars(length(min = 1, max = 16384))]
    pub query: String,
    /// How a value is compared with `sick` and `dead`.
    #[serde(default)]
    pub op: Comparison,
    /// Sick where this is true of `value op sick`.
    pub sick: Option<f64>,
    /// Dead where this is true of `value op dead`.
    pub dead: Option<f64>,
    /// Of how many of the vector's series it must be true.
    #[serde(default)]
    pub series: Series,
    /// What it means that the query gives nothing, or nothing but `NaN`.
    #[serde(default)]
    pub empty: Empty,
    /// Credentials to send.
    pub auth: Option<Auth>,
    /// The request's headers, such as `X-Scope-OrgID`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What the value is called among the measurements.
    #[serde(default = "measurement")]
    #[schemars(regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(max = 64))]
    pub name: String,
    /// The value's unit: `seconds`, `bytes`, `ratio`, or what is counted, in the
    /// plural.
    #[serde(default = "unit")]
    #[schemars(length(min = 1, max = 32))]
    pub unit: String,
    /// How many bytes of the answer to read at most.
    #[serde(default = "max_body")]
    pub max_body: u64,
}

/// How a value is compared with a threshold.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Comparison {
    /// Greater.
    #[default]
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
}

/// Of how many series a comparison must be true.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Series {
    /// Of one.
    #[default]
    Any,
    /// Of every one.
    All,
}

/// What it means that a query gives nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// All is well: for queries that give what is wrong.
    Healthy,
    /// The target is sick.
    Sick,
    /// The target is dead.
    Dead,
    /// Nothing can be said; the target keeps its health until that is stale.
    #[default]
    Undecided,
}

impl Probe for Prometheus {
    type Config = Config;

    const NAME: &'static str = "prometheus";
    const SUMMARY: &'static str = "Judges the result of a PromQL query by thresholds";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        match Thresholds::new(config) {
            Ok(_) => Ok(()),
            Err(stop) => Err(vec![stop.into()]),
        }
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let thresholds = Thresholds::new(&config)?;
        let response = request(&config, target, context)?
            .send()
            .map_err(|error| match error {
                Error::Invalid(why) => target.unfit(&why),
                Error::TooLarge(_) => too_large(config.max_body),
                error => error.into(),
            })?;
        let answer = answer::read(&response, config.max_body)?;
        for warning in &answer.warnings {
            log::warn(format!("the server warns: {warning}"));
        }
        let mut reading = thresholds.judge(&answer.samples)?;
        reading.latency = http::exchanges()
            .last()
            .and_then(watchkeeper_sdk::http::Exchange::total);
        Ok(reading)
    }
}

watchkeeper_sdk::probe!(Prometheus);

/// As a form: a query may be longer than what a URL may be.
fn request(config: &Config, target: &Target, context: &Context) -> Result<Request, Stop> {
    let mut url = target.url()?;
    for segment in ["api", "v1", "query"] {
        url.push_path(segment);
    }
    let patience = context.remaining().mul_f64(PATIENCE);
    let patience = format!("{}ms", patience.as_millis().max(1));
    let mut request = Request::to_url("POST", url)
        .form(&[("query", config.query.as_str()), ("timeout", &patience)])
        .body_limit(config.max_body);
    for (name, value) in &config.headers {
        request = request.header(name, value.as_str());
    }
    Ok(match &config.auth {
        Some(auth) => request.auth(auth),
        None => request,
    })
}

fn too_large(bytes: u64) -> Stop {
    Stop::Undecided(format!(
        "the answer is larger than {bytes} bytes: let config.query give fewer series, or raise config.max_body"
    ))
}

fn measurement() -> String {
    "value".to_owned()
}

fn unit() -> String {
    "units".to_owned()
}

fn max_body() -> u64 {
    1 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
