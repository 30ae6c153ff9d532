//! Checks whatever a JavaScript function from the configuration checks: it is given
//! the target, fetches what it likes within the grants, and returns a verdict.

mod connections;
mod engine;
mod fetch;
mod globals;
mod options;
mod outcome;
mod syntax;
mod thrown;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use watchkeeper_sdk::config::Uri;
use watchkeeper_sdk::{Capability, Context, Probe, Problem, Reading, Stop, Target};

pub use self::syntax::{Mistake, validate};

/// The probe for scripts. It has no scheme of its own: monitors name it.
pub struct Js;

/// The configuration of a check by a script.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The script. It defines a function `check(target, context)`, which may be
    /// `async`.
    #[schemars(length(min = 1, max = 262_144), extend("contentMediaType" = "text/javascript"))]
    pub script: String,
    /// What the script is to know besides the target: `context.values`.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// Addresses that the script may reach besides the target: `context.urls`.
    #[serde(default)]
    pub urls: BTreeMap<String, Uri>,
}

impl Probe for Js {
    type Config = Config;

    const NAME: &'static str = "js";
    const SUMMARY: &'static str = "Judges by a JavaScript function from the configuration";
    const ASKS: &'static [Capability] = &[
        Capability::Http,
        Capability::Tcp,
        Capability::Dns,
        Capability::State,
    ];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        validate(config).map_err(
            |Mistake {
                 key,
                 position,
                 what,
             }| {
                let problem = Problem::new(key, what);
                vec![match position {
                    Some((line, column)) => problem.at(line, column),
                    None => problem,
                }]
            },
        )
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let returned = engine::run(&config, target, context)?;
        outcome::reading(returned.as_ref())
    }
}

watchkeeper_sdk::probe!(Js);

#[cfg(test)]
mod tests;
