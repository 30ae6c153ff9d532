//! Checks that a Redis server answers and, where asked, what it says of itself
//! and holds.

mod config;
mod info;
mod reply;
mod server;

use std::borrow::Cow;

use watchkeeper_sdk::database::Address;
use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target, Timestamp};

use self::config::Rules;
pub use self::config::{Command, Config, Key, Tls};
use self::info::Info;
use self::server::Server;

/// Where Redis listens unless told otherwise.
const PORT: u16 = 6379;

/// The probe for `redis` targets.
pub struct Redis;

impl Probe for Redis {
    type Config = Config;

    const NAME: &'static str = "redis";
    const SUMMARY: &'static str = "Checks that a Redis server answers and what it says of itself";
    const SCHEMES: &'static [&'static str] = &["redis", "rediss"];
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let (user, database) = (config.username.as_deref(), config.database.as_ref());
        let database = database.map(ToString::to_string);
        let address = Address::new(target, PORT, user, database.as_deref())?;
        let database = index(&address, target)?;
        let encryption = config.encryption(target)?;
        let rules = Rules::new(&config).map_err(Stop::Misconfigured)?;

        let mut server = Server::connect(&address, encryption.as_ref(), context)?;
        let mut reading = server.reading();
        if let (Some(encryption), Some(session)) = (&encryption, &server.session) {
            reading = encryption.judge(reading, session, Timestamp::now());
        }
        let connected = context.elapsed();
        server.log_in(address.user.as_deref(), config.password.as_ref(), database)?;
        server.ping()?;
        let pinged = context.elapsed();
        let span = pinged.saturating_sub(connected);
        reading = reading.measure("ping", span.as_secs_f64(), "seconds");
        if rules.need_info() {
            reading = rules.judge_info(reading, Info(&server.info()?));
        }
        for (key, rule) in &rules.keys {
            let found = server.look_up(key)?;
            reading = rule.judge(reading, found.as_ref());
        }
        let latency = context.elapsed();
        server.leave();
        Ok(reading.latency(latency))
    }
}

watchkeeper_sdk::probe!(Redis);

/// The database's number, which is all the name that it has.
fn index(address: &Address, target: &Target) -> Result<Option<u32>, Stop> {
    let number = |name: &String| {
        name.parse()
            .map_err(|_| target.unfit(&format!("{name:?} is no number of a database")))
    };
    address.database.as_ref().map(number).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_numbers() {
        let check = |target: &str, expected: Result<Option<u32>, &str>| {
            let target = Target::new(target);
            let address = Address::new(&target, PORT, None, None).unwrap();
            let expected = expected.map_err(|why| Stop::Misconfigured(why.to_owned()));
            assert_eq!(index(&address, &target), expected);
        };
        check("redis://h", Ok(None));
        check("redis://h/3", Ok(Some(3)));
        check(
            "redis://h/app",
            Err(r#"target redis://h/app: "app" is no number of a database"#),
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
