//! Checks that a PostgreSQL server lets a user in and, where asked, what a query
//! finds.

mod login;
mod message;
mod server;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::database::{Address, AnswerRules};
use watchkeeper_sdk::tls::Encryption;
use watchkeeper_sdk::{Capability, Context, Figure, Probe, Reading, Stop, Target, Timestamp};

use self::server::Server;

/// Where PostgreSQL listens unless told otherwise.
const PORT: u16 = 5432;

/// The probe for `postgres` targets.
pub struct Postgres;

/// The configuration of a PostgreSQL check. All keys are optional: without a
/// query, being let in is enough.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who logs in, where the target does not say. Default: `postgres`.
    #[schemars(length(min = 1, max = 63))]
    pub username: Option<String>,
    /// The user's password, if the server asks for one.
    pub password: Option<Secret>,
    /// The database, where the target does not say. Default: the one that is
    /// called as the user is.
    #[schemars(length(min = 1, max = 63))]
    pub database: Option<String>,
    /// Whether the connection is encrypted.
    pub tls: Encryption,
    /// Whether the password may be sent as it is over a connection that is not
    /// encrypted, to a server that asks for that.
    pub allow_cleartext: bool,
    /// What to ask once logged in: one statement, or several of which the last
    /// that finds something counts.
    #[schemars(length(min = 1, max = 65_536))]
    pub query: Option<String>,
    /// What the first column of the first row must be.
    pub value: Option<Figure>,
    /// How many rows there must be.
    pub rows: Option<Figure>,
}

impl Probe for Postgres {
    type Config = Config;

    const NAME: &'static str = "postgres";
    const SUMMARY: &'static str = "Checks that a PostgreSQL server lets in and what a query finds";
    const SCHEMES: &'static [&'static str] = &["postgres", "postgresql"];
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
        let mut server = Server::connect(&address, &config.tls, context)?;
        let mut reading = server.reading();
        if let Some(session) = &server.session {
            reading = config.tls.judge(reading, session, Timestamp::now());
        }
        let connected = context.elapsed();
        server.log_in(&address, &config)?;
        let logged_in = context.elapsed();
        let span = logged_in.saturating_sub(connected);
        reading = reading.measure("login", span.as_secs_f64(), "seconds");
        if let Some(query) = &config.query {
            let answer = server.ask(query, &address, context)?;
            let span = context.elapsed().saturating_sub(logged_in);
            reading = reading.measure("query", span.as_secs_f64(), "seconds");
            reading = rules.judge(reading, &answer);
        }
        let latency = context.elapsed();
        server.leave();
        Ok(reading.latency(latency))
    }
}

watchkeeper_sdk::probe!(Postgres);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
