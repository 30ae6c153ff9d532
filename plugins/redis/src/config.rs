//! What operators can say about a Redis check.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::tls::{Encryption, Expiry, Mode};
use watchkeeper_sdk::{Figure, FigureRule, Reading, Stop, Target};

use crate::info::{Info, unit_of};

/// The configuration of a Redis check. All keys are optional: without any, an
/// answer to a ping is enough.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who logs in, where the target does not say. Default: the server's `default`
    /// user, and nobody without a password.
    #[schemars(length(min = 1, max = 128))]
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The number of the database, where the target does not say.
    pub database: Option<u32>,
    /// What is asked of the certificate of a `rediss` target.
    pub tls: Option<Tls>,
    /// What the fields of `INFO` must be, by their names; a part of a field such
    /// as `db0:keys=1,expires=0` is called `db0.keys`.
    #[schemars(extend("maxProperties" = 40))]
    pub info: BTreeMap<String, Figure>,
    /// What the share of the memory in use must be: of `maxmemory`, or without
    /// one of the machine's.
    pub memory: Option<Figure>,
    /// What keys must hold.
    #[schemars(length(max = 16))]
    pub keys: Vec<Key>,
}

/// What is asked of a certificate.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Whether the chain may be untrusted for the name, as with a certificate
    /// that signed itself. Otherwise such a target is dead.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the target's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
    /// What to think of certificates that are about to expire.
    pub expiry: Expiry,
}

/// A key and what it must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key.
    #[schemars(length(min = 1, max = 1024))]
    pub key: String,
    /// What to ask of it.
    #[serde(default)]
    pub command: Command,
    /// What the answer must be.
    #[serde(default)]
    pub value: Figure,
}

/// A command that takes a key and changes nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// The text.
    #[default]
    Get,
    /// 1 if there is such a key, 0 if not.
    Exists,
    /// In how many seconds the key expires; -1: never, -2: there is none.
    Ttl,
    /// How many bytes the text has.
    Strlen,
    /// How many items the list has.
    Llen,
    /// How many fields the hash has.
    Hlen,
    /// How many members the set has.
    Scard,
    /// How many members the sorted set has.
    Zcard,
    /// How many entries the stream has.
    Xlen,
}

/// What is expected, checked.
#[derive(Debug)]
pub(crate) struct Rules {
    info: Vec<(String, FigureRule)>,
    memory: Option<FigureRule>,
    pub(crate) keys: Vec<(Key, FigureRule)>,
}

impl Config {
    /// How a `rediss` target is encrypted; none: a `redis` target is not.
    pub(crate) fn encryption(&self, target: &Target) -> Result<Option<Encryption>, Stop> {
        match (target.url()?.scheme(), &self.tls) {
            ("redis", Some(_)) => Err(Stop::Misconfigured(format!(
                "config.tls: needs a target that begins with rediss://, and this is {target}"
            ))),
            ("redis", None) => Ok(None),
            (_, tls) => {
                let tls = tls.clone().unwrap_or_default();
                let mode = if tls.allow_untrusted {
                    Mode::Require
                } else {
                    Mode::Verify
                };
                Ok(Some(Encryption {
                    mode,
                    server_name: tls.server_name,
                    expiry: Some(tls.expiry),
                }))
            }
        }
    }
}

impl Command {
    /// As it is sent.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Exists => "EXISTS",
            Self::Ttl => "TTL",
            Self::Strlen => "STRLEN",
            Self::Llen => "LLEN",
            Self::Hlen => "HLEN",
            Self::Scard => "SCARD",
            Self::Zcard => "ZCARD",
            Self::Xlen => "XLEN",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Get => "units",
            Self::Exists => "keys",
            Self::Ttl => "seconds",
            Self::Strlen => "bytes",
            Self::Llen => "items",
            Self::Hlen => "fields",
            Self::Scard | Self::Zcard => "members",
            Self::Xlen => "entries",
        }
    }
}

impl Rules {
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        let info = config.info.iter().map(|(field, figure)| {
            let key = format!("config.info.{field}");
            let rule = figure.rule(&key, &measurement_name(field), unit_of(field))?;
            Ok((field.clone(), rule))
        });
        let keys = config.keys.iter().enumerate().map(|(index, key)| {
            let at = format!("config.keys[{index}].value");
            let name = measurement_name(&key.key);
            let rule = key.value.rule(&at, &name, key.command.unit())?;
            let Key {
                key,
                command,
                value,
            } = key;
            let (key, command, value) = (key.clone(), *command, value.clone());
            Ok((
                Key {
                    key,
                    command,
                    value,
                },
                rule,
            ))
        });
        let memory = config.memory.as_ref();
        Ok(Self {
            info: info.collect::<Result<_, String>>()?,
            memory: memory
                .map(|memory| memory.rule("config.memory", "memory-used", "ratio"))
                .transpose()?,
            keys: keys.collect::<Result<_, String>>()?,
        })
    }

    pub(crate) fn need_info(&self) -> bool {
        !self.info.is_empty() || self.memory.is_some()
    }

    pub(crate) fn judge_info(&self, mut reading: Reading, info: Info<'_>) -> Reading {
        for (field, rule) in &self.info {
            reading = rule.judge(reading, info.field(field).as_ref());
        }
        if let Some(rule) = &self.memory {
            reading = rule.judge(reading, info.memory_used().as_ref());
        }
        reading
    }
}

/// A name of the server's as the name of a measurement: lower-case words joined
/// by `-`.
fn measurement_name(name: &str) -> String {
    /// What the host takes.
    const LENGTH: usize = 64;
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    match joined.as_str() {
        "" => "value".to_owned(),
        _ => joined.chars().take(LENGTH).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        watchkeeper_sdk::config::parse(json).unwrap()
    }

    #[test]
    fn tls_goes_with_the_scheme() {
        let mode = |target: &str, json: &str| {
            let encryption = config(json).encryption(&Target::new(target));
            encryption.map(|encryption| encryption.map(|it| it.mode))
        };
        assert_eq!(mode("redis://h", "{}"), Ok(None));
        assert_eq!(mode("rediss://h", "{}"), Ok(Some(Mode::Verify)));
        assert_eq!(
            mode("rediss://h", r#"{"tls": {"allow_untrusted": true}}"#),
            Ok(Some(Mode::Require))
        );
        let why = "config.tls: needs a target that begins with rediss://, and this is redis://h";
        assert_eq!(
            mode("redis://h", r#"{"tls": {}}"#),
            Err(Stop::Misconfigured(why.to_owned()))
        );
    }

    #[test]
    fn names_become_names_of_measurements() {
        for (name, expected) in [
            ("connected_slaves", "connected-slaves"),
            ("db0.keys", "db0-keys"),
            ("Queue:{jobs}", "queue-jobs"),
            ("é", "value"),
        ] {
            assert_eq!(measurement_name(name), expected);
        }
        assert_eq!(measurement_name(&"a".repeat(100)).len(), 64);
    }

    #[test]
    fn a_figure_that_cannot_be_names_its_key() {
        for (json, expected) in [
            (
                r#"{"info": {"role": {"expect": {"op": "matches", "value": "("}}}}"#,
                "config.info.role.expect.value: ",
            ),
            (
                r#"{"keys": [{"key": "a", "value": {"prefer": {"op": "<"}}}]}"#,
                "config.keys[0].value.prefer.value: is missing",
            ),
        ] {
            let error = Rules::new(&config(json)).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
