//! Checks that a MySQL or MariaDB server lets a user in and, where asked, what a
//! query finds.
//!
//! The protocol is written out here: of the crates that speak it without a
//! runtime, none takes apart what a hostile server sends without a panic.

mod answer;
mod greeting;
mod login;
mod packet;
mod scramble;
mod server;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::database::{Address, AnswerRules};
use watchkeeper_sdk::tls::Encryption;
use watchkeeper_sdk::{Capability, Context, Figure, Probe, Reading, Stop, Target, Timestamp};

use self::server::Server;

/// Where MySQL listens unless told otherwise.
const PORT: u16 = 3306;

/// The probe for `mysql` targets.
pub struct Mysql;

/// The configuration of a MySQL check. All keys are optional: without a query,
/// being let in is enough.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who logs in, where the target does not say. Default: `root`.
    #[schemars(length(min = 1, max = 128))]
    pub username: Option<String>,
    /// The user's password. Default: an empty one.
    pub password: Option<Secret>,
    /// The database, where the target does not say. Default: none.
    #[schemars(length(min = 1, max = 64))]
    pub database: Option<String>,
    /// Whether the connection is encrypted.
    pub tls: Encryption,
    /// Whether the password may be sent as it is over a connection that is not
    /// encrypted, to a server that asks for that.
    pub allow_cleartext: bool,
    /// What to ask once logged in: one statement.
    #[schemars(length(min = 1, max = 65_536))]
    pub query: Option<String>,
    /// The name of the column that counts, in any case. Default: the first.
    #[schemars(length(min = 1, max = 64))]
    pub column: Option<String>,
    /// What the column's value in the first row must be.
    pub value: Option<Figure>,
    /// How many rows there must be.
    pub rows: Option<Figure>,
}

impl Probe for Mysql {
    type Config = Config;

    const NAME: &'static str = "mysql";
    const SUMMARY: &'static str =
        "Checks that a MySQL or MariaDB server lets in and what a query finds";
    const SCHEMES: &'static [&'static str] = &["mysql", "mariadb"];
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let (user, database) = (config.username.as_deref(), config.database.as_deref());
        let address = Address::new(target, PORT, user, database)?;
        let (value, rows) = (config.value.as_ref(), config.rows.as_ref());
        let rules =
            AnswerRules::new(config.query.as_deref(), value, rows).map_err(Stop::Misconfigured)?;
        if config.column.is_some() && config.query.is_none() {
            return Err(Stop::Misconfigured(
                "config.column: needs config.query".to_owned(),
            ));
        }
        let (mut server, greeting) = Server::connect(&address, &config.tls, context)?;
        let mut reading = server.reading();
        if let Some(session) = &server.session {
            reading = config.tls.judge(reading, session, Timestamp::now());
        }
        let connected = context.elapsed();
        server.log_in(&greeting, &address, &config)?;
        let logged_in = context.elapsed();
        let span = logged_in.saturating_sub(connected);
        reading = reading.measure("login", span.as_secs_f64(), "seconds");
        if let Some(query) = &config.query {
            server.limit_queries(&greeting, context.remaining())?;
            let asked = context.elapsed();
            let answer = server.ask(query, config.column.as_deref())?;
            let span = context.elapsed().saturating_sub(asked);
            reading = reading.measure("query", span.as_secs_f64(), "seconds");
            reading = rules.judge(reading, &answer);
        }
        let latency = context.elapsed();
        server.leave();
        Ok(reading.latency(latency))
    }
}

watchkeeper_sdk::probe!(Mysql);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
