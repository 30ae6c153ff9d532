//! Runs shell scripts inside the sandbox.
//!
//! A script is POSIX shell or bash; the shell is ours. It starts no process and
//! sees no file: what it calls are the builtins of this plugin, and those that
//! reach out go through the grants of its monitor.

mod builtins;
mod config;
mod escape;
mod pattern;
mod regex;
mod shell;
mod syntax;
mod verdict;
mod world;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use watchkeeper_sdk::{Capability, Context, Probe, Problem, Reading, Stop, Target};

pub use config::Config;

/// The probe for scripts.
pub struct Script;

impl Probe for Script {
    type Config = Config;

    const NAME: &'static str = "script";
    const SUMMARY: &'static str = "Runs a shell script inside the sandbox";
    const SCHEMES: &'static [&'static str] = &["script"];
    const ASKS: &'static [Capability] = &[
        Capability::Http,
        Capability::Tcp,
        Capability::Icmp,
        Capability::Dns,
        Capability::State,
    ];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        verdict::validate(config)
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        verdict::check(config, target, context)
    }
}

watchkeeper_sdk::probe!(Script);
