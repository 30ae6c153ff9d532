//! A probe that finds every target healthy at once: what a run of it costs is
//! what the sandbox costs.

use std::borrow::Cow;

use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target};

/// No configuration: its keys would be read in every run.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

struct Trivial;

impl Probe for Trivial {
    type Config = Config;

    const NAME: &'static str = "trivial";
    const SUMMARY: &'static str = "Finds everything healthy";
    const ASKS: &'static [Capability] = &[];

    fn schema() -> Cow<'static, str> {
        r#"{"type":"object","additionalProperties":false}"#.into()
    }

    fn check(_: Config, _: &Target, _: &Context) -> Result<Reading, Stop> {
        Ok(Reading::healthy())
    }
}

watchkeeper_sdk::probe!(Trivial);
