//! Checks that the addresses of a host answer to ping, how many answers are lost
//! and how long they take.

mod config;
mod pings;

use std::borrow::Cow;

use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target, icmp};

pub use self::config::Config;
use self::pings::Pings;

/// The probe for `icmp` targets.
pub struct Icmp;

impl Probe for Icmp {
    type Config = Config;

    const NAME: &'static str = "icmp";
    const SUMMARY: &'static str = "Checks that the addresses of a host answer to ping";
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
        let packets = config.packets.max(1);
        let most = |wait| config.wait.map_or(wait, |most| most.duration().min(wait));
        // What is told of lost answers is what was asked for, not what the calls
        // before had left of it.
        let mut pings = Pings::new(&config, most(context.timeout() / packets));
        for left in (1..=packets).rev() {
            let mut wait = context.remaining() / left;
            if packets > 1 {
                // The last wait must end before the check does: a check that the
                // host ends has no figures.
                wait = wait.mul_f64(0.98);
            }
            if let Err(reason) = pings.take(&icmp::ping_each(&host, most(wait))?) {
                return Ok(Reading::dead(reason));
            }
        }
        Ok(pings.judge())
    }
}

watchkeeper_sdk::probe!(Icmp);

#[cfg(test)]
mod tests;
