//! Checks a way through a site: several HTTP requests, each with what the ones
//! before it found, and assertions on every answer.

mod config;
mod plan;
mod template;
mod walk;

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use watchkeeper_sdk::{Capability, Context, Probe, Problem, Reading, Stop, Target, Timestamp};

pub use self::config::Config;
use self::plan::Plan;
use self::template::Saved;
use self::walk::Walk;

/// What every step can put in without saving it: the seconds since 1970, and 16
/// hexadecimal digits that no other check has.
const BUILT_IN: [&str; 2] = ["now", "random"];

/// The probe for ways through a site. It has no scheme of its own: monitors name
/// it.
pub struct Steps;

impl Probe for Steps {
    type Config = Config;

    const NAME: &'static str = "steps";
    const SUMMARY: &'static str =
        "Takes several HTTP requests, each with what the ones before found";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        match Plan::all(config) {
            Ok(_) => Ok(()),
            Err(stop) => Err(vec![stop.into()]),
        }
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        // Before anything is sent: a mistake in the last step is none of the site's.
        let plans = Plan::all(&config)?;
        let mut walk = Walk::new(&config, target, context, built_in())?;
        for (plan, step) in plans.iter().zip(&config.steps) {
            walk.take(plan, step);
        }
        walk.finish(Timestamp::now())
    }
}

watchkeeper_sdk::probe!(Steps);

fn built_in() -> Saved {
    // The only source of randomness in std: its keys are drawn for every instance.
    let random = RandomState::new().build_hasher().finish();
    let values = [
        Timestamp::now().seconds().into(),
        format!("{random:016x}").into(),
    ];
    BUILT_IN
        .map(str::to_owned)
        .into_iter()
        .zip(values)
        .collect()
}

#[cfg(test)]
mod tests;
