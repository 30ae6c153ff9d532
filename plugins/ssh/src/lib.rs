//! Checks that an SSH server exchanges keys, which host key it has, and what it
//! calls itself. Nobody logs in.

mod exchange;
mod host_key;
mod identification;
#[cfg(test)]
mod peer;
mod wire;

use std::borrow::Cow;

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::stream::Buffered;
use watchkeeper_sdk::{Capability, Context, Error, Health, Probe, Reading, Stop, Target, tcp};

use crate::exchange::{CLIENT, HostKey, Randomness, exchange, take_leave};
pub use crate::host_key::KeyKind;
use crate::identification::Identification;

/// The probe for `ssh` and `sftp` targets.
pub struct Ssh;

/// The configuration of an SSH check. All keys are optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Fingerprints of the host key, as `ssh-keygen -l` prints them: one of them
    /// must be the server's, or it is dead. Default: any key will do.
    #[schemars(inner(regex(pattern = "^SHA256:[A-Za-z0-9+/]{43}=?$")))]
    pub fingerprints: Vec<String>,
    /// The kind of host key to ask for. Default: the first of `ed25519`, `ecdsa`,
    /// `rsa` that the server has.
    pub key: Option<KeyKind>,
    /// A regular expression that must match somewhere in the server's software
    /// version and comment, such as `OpenSSH_9.2p1 Debian-2`; what does not makes
    /// the target sick.
    pub software: Option<String>,
    /// Whether to exchange keys: without, the first line is all that is looked at.
    pub exchange: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fingerprints: Vec::new(),
            key: None,
            software: None,
            exchange: true,
        }
    }
}

impl Probe for Ssh {
    type Config = Config;

    const NAME: &'static str = "ssh";
    const SUMMARY: &'static str = "Checks an SSH server's key exchange, host key and version";
    const SCHEMES: &'static [&'static str] = &["ssh", "sftp"];
    const ASKS: &'static [Capability] = &[Capability::Tcp];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let plan = Plan::new(&config)?;
        let host = target.host()?;
        let port = target.url()?.port().unwrap_or(22);
        plan.run(&host, port, context)
    }
}

watchkeeper_sdk::probe!(Ssh);

/// A server that says what it should not: dead.
pub(crate) fn wrong(why: impl Into<String>) -> Error {
    Error::Malformed(why.into())
}

/// What to do, checked.
#[derive(Debug)]
struct Plan {
    fingerprints: Vec<String>,
    kinds: Vec<KeyKind>,
    software: Option<Regex>,
    exchange: bool,
}

impl Plan {
    fn new(config: &Config) -> Result<Self, Stop> {
        let software = config.software.as_deref().map(|pattern| {
            Regex::new(pattern).map_err(|error| {
                Stop::Misconfigured(format!(
                    "config.software: {pattern:?} is no regular expression: {error}"
                ))
            })
        });
        if !config.exchange && (!config.fingerprints.is_empty() || config.key.is_some()) {
            return Err(Stop::Misconfigured(
                "config.exchange: without a key exchange there is no host key to compare"
                    .to_owned(),
            ));
        }
        Ok(Self {
            // OpenSSH prints no padding; other programs do.
            fingerprints: config
                .fingerprints
                .iter()
                .map(|fingerprint| fingerprint.trim_end_matches('=').to_owned())
                .collect(),
            kinds: config
                .key
                .map_or_else(|| KeyKind::ALL.to_vec(), |kind| vec![kind]),
            software: software.transpose()?,
            exchange: config.exchange,
        })
    }

    fn run(&self, host: &str, port: u16, context: &Context) -> Result<Reading, Stop> {
        let waiting = |what| move |error: Error| error.waiting_for(what, context.timeout());
        // Waiting must end before the host ends the check: what was waited for
        // says more than that nothing came.
        let patience = context.remaining().mul_f64(0.98);
        let mut stream = Buffered::new(
            tcp::Connection::open(host, port, patience).map_err(waiting("the TCP handshake"))?,
        );
        let connected = context.elapsed();
        let server = stream
            .write(format!("{CLIENT}\r\n").as_bytes())
            .and_then(|()| Identification::read(&mut stream))
            .map_err(waiting("the identification"))?;
        let identified = context.elapsed();
        let mut reading = Reading::healthy()
            .measure("connect", connected.as_secs_f64(), "seconds")
            .measure(
                "identification",
                identified.saturating_sub(connected).as_secs_f64(),
                "seconds",
            );
        if self.exchange {
            let key = exchange(&mut stream, &server, &self.kinds, randomness()?)
                .map_err(waiting("the key exchange"))?;
            let exchanged = context.elapsed().saturating_sub(identified);
            reading = reading.measure("key-exchange", exchanged.as_secs_f64(), "seconds");
            reading = self.judge_key(reading, &key);
        } else {
            take_leave(&stream);
        }
        Ok(self
            .judge_software(reading, &server)
            .latency(context.elapsed()))
    }

    fn judge_key(&self, reading: Reading, key: &HostKey) -> Reading {
        if self.fingerprints.is_empty() || self.fingerprints.contains(&key.fingerprint) {
            return reading;
        }
        let mut why = format!(
            "host key is {} ({}), expected {}",
            key.fingerprint,
            key.kind.name(),
            self.fingerprints.join(" or ")
        );
        if self.kinds.len() > 1 && !key.others.is_empty() {
            // What was meant may be the fingerprint of another of its keys.
            let others: Vec<&str> = key.others.iter().map(|kind| kind.name()).collect();
            why = format!("{why}; it has keys for {} too", others.join(" and "));
        }
        reading.worsen(Health::Dead, why)
    }

    fn judge_software(&self, reading: Reading, server: &Identification) -> Reading {
        match &self.software {
            Some(regex) if !regex.is_match(&server.software) => {
                let why = format!(
                    "expected software that matches {regex}, got {:?}",
                    server.software
                );
                reading.worsen(Health::Sick, why)
            }
            Some(_) | None => reading,
        }
    }
}

fn randomness() -> Result<Randomness, Error> {
    let mut randomness = Randomness {
        cookie: [0; 16],
        secret: [0; 32],
    };
    getrandom::fill(&mut randomness.cookie)
        .and_then(|()| getrandom::fill(&mut randomness.secret))
        .map_err(|error| Error::Host(format!("no randomness: {error}")))?;
    Ok(randomness)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(config: &str) -> Result<Plan, Stop> {
        Plan::new(&watchkeeper_sdk::config::parse(config).unwrap())
    }

    fn check(config: &str, expected: &str) {
        let plan = plan(config).unwrap();
        let key = HostKey {
            kind: KeyKind::Ed25519,
            fingerprint: "SHA256:abc".to_owned(),
            others: vec![KeyKind::Ecdsa, KeyKind::Rsa],
        };
        let server = Identification {
            line: Vec::new(),
            software: "OpenSSH_9.2p1 Debian-2".to_owned(),
        };
        let reading = plan.judge_software(plan.judge_key(Reading::healthy(), &key), &server);
        let reason = reading.reason.unwrap_or_default();
        assert_eq!(format!("{:?} {reason}", reading.health), expected);
    }

    #[test]
    fn key_and_software_are_compared() {
        check("{}", "Health::Healthy ");
        check(
            r#"{"fingerprints":["SHA256:x","SHA256:abc="],"software":"^OpenSSH_(9|10)"}"#,
            "Health::Healthy ",
        );
        check(
            r#"{"fingerprints":["SHA256:x"]}"#,
            "Health::Dead host key is SHA256:abc (ed25519), expected SHA256:x; it has keys for ecdsa and rsa too",
        );
        check(
            r#"{"fingerprints":["SHA256:x"],"key":"ed25519"}"#,
            "Health::Dead host key is SHA256:abc (ed25519), expected SHA256:x",
        );
        check(
            r#"{"software":"dropbear"}"#,
            r#"Health::Sick expected software that matches dropbear, got "OpenSSH_9.2p1 Debian-2""#,
        );
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (config, expected) in [
            (r#"{"software":"("}"#, "config.software: "),
            (r#"{"exchange":false,"key":"rsa"}"#, "config.exchange: "),
        ] {
            let stop = plan(config).unwrap_err();
            assert!(
                matches!(&stop, Stop::Misconfigured(why) if why.starts_with(expected)),
                "{stop:?}"
            );
        }
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
