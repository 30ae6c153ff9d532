//! Asks a gRPC server by the standard health service (`grpc.health.v1`) how one of
//! its services is.

mod health;
mod http2;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::tls::{Connection, Trust};
use watchkeeper_sdk::{
    Capability, Context, Error, Health, Probe, Reading, Stop, Target, Timestamp,
};

use crate::health::{ServingStatus, question, request, verdict};
use crate::http2::call;

/// The probe for `grpc` and `grpcs` targets.
pub struct Grpc;

/// The configuration of a gRPC check. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The service to ask for, such as `shop.v1.Cart`. Default: the server as a
    /// whole.
    #[schemars(length(max = 1024))]
    pub service: String,
    /// The authority to ask for, where it is not the target's host and port.
    #[schemars(length(min = 1, max = 260))]
    pub authority: Option<String>,
    /// Metadata to send, such as `authorization`.
    pub metadata: BTreeMap<String, String>,
    /// What is demanded of the certificate of a target `grpcs://`.
    pub tls: Trust,
}

impl Probe for Grpc {
    type Config = Config;

    const NAME: &'static str = "grpc";
    const SUMMARY: &'static str = "Asks a gRPC server's health service how it is";
    const SCHEMES: &'static [&'static str] = &["grpc", "grpcs"];
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let waiting = |what| move |error: Error| error.waiting_for(what, context.timeout());
        let (url, host, port) = (target.url()?, target.host()?, target.port()?);
        let request = request(&url, config.authority.as_deref(), &config.metadata)
            .map_err(Stop::Misconfigured)?;

        // Waiting must end before the host ends the check: what was waited for
        // says more than that nothing came.
        let patience = context.remaining().mul_f64(0.98);
        let connection =
            Connection::open(&host, port, patience).map_err(waiting("the TCP handshake"))?;
        let mut reading =
            Reading::healthy().measure("connect", context.elapsed().as_secs_f64(), "seconds");
        if url.scheme() == "grpcs" {
            let name = config.tls.server_name(&host);
            let session = connection
                .start_tls(name, &["h2"], Trust::VERIFY)
                .map_err(waiting("the TLS handshake"))?;
            reading = reading.measure("tls", session.handshake.as_secs_f64(), "seconds");
            reading = config.tls.judge(reading, &session, Timestamp::now());
            if reading.health == Health::Dead {
                // Metadata may hold secrets.
                return Ok(reading);
            }
        }
        let connected = context.elapsed();
        let answer = call(&connection, request, question(&config.service))
            .map_err(waiting("the answer of the health service"))?;
        let took = context.elapsed().saturating_sub(connected);
        reading = reading
            .measure("answer", took.as_secs_f64(), "seconds")
            .latency(context.elapsed());
        let why = match verdict(&answer, &config.service) {
            Ok(ServingStatus::Serving) => return Ok(reading),
            Ok(ServingStatus::NotServing) => format!("{} is NOT_SERVING", named(&config)),
            Ok(ServingStatus::Unknown) => format!("{} is UNKNOWN", named(&config)),
            Ok(ServingStatus::ServiceUnknown) => {
                format!("knows no service {:?}", config.service)
            }
            Err(why) => why,
        };
        Ok(reading.worsen(Health::Dead, why))
    }
}

watchkeeper_sdk::probe!(Grpc);

fn named(config: &Config) -> &str {
    match config.service.as_str() {
        "" => "the server",
        service => service,
    }
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
