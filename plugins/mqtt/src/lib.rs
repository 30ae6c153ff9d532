//! Checks that an MQTT broker takes a login and, where asked, that a message comes
//! back to whoever has subscribed to its topic.

mod codec;
mod exchange;

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::tls::{Connection, Expiry, Verify};
use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target, Timestamp, Url};

use self::codec::{Codec, Hello};
use self::exchange::{Packets, RoundTrip};

/// The longest client id that every broker of version 3.1.1 has to take.
const CLIENT_ID_LENGTH: usize = 23;

/// The longest text that a packet can hold, in bytes.
const LONGEST: usize = u16::MAX as usize;

/// The probe for `mqtt` and `mqtts` targets.
pub struct Mqtt;

/// The configuration of a check of an MQTT broker. All keys are optional:
/// without any, that the broker takes the connection is enough.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The protocol's version.
    pub version: Version,
    /// Who logs in, unless the target says it; nobody where neither does.
    #[schemars(length(min = 1, max = 255))]
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The client id to connect with; another at every check unless given. A
    /// broker ends the connection of whoever else has the same.
    #[schemars(length(min = 1, max = 255))]
    pub client_id: Option<String>,
    /// Where to send a message that has to come back; none is sent unless given.
    /// It is seen by whoever else has subscribed to the topic.
    #[schemars(length(min = 1, max = 255))]
    pub topic: Option<String>,
    /// The quality of service of subscription and message: 0, or 1 by which the
    /// broker has to acknowledge both.
    #[schemars(range(max = 1))]
    pub qos: Option<u8>,
    /// What to think of certificates that are about to expire, with `mqtts`.
    pub expiry: Expiry,
    /// Whether the broker's chain of certificates may be untrusted for the name.
    /// Otherwise it is not given the password, and the target is dead.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the target's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1 (OASIS, 2014).
    #[default]
    #[serde(rename = "3.1.1")]
    V311,
    /// MQTT 5 (OASIS, 2019): the broker says why it refuses.
    #[serde(rename = "5")]
    V5,
}

impl Probe for Mqtt {
    type Config = Config;

    const NAME: &'static str = "mqtt";
    const SUMMARY: &'static str = "Checks that an MQTT broker takes a login and delivers";
    const SCHEMES: &'static [&'static str] = &["mqtt", "mqtts"];
    // The host holds connections in the clear by the same interface as those with
    // TLS.
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let url = target.url()?;
        let host = target.host()?;
        let is_secure = match url.scheme() {
            "mqtts" => true,
            "mqtt" => false,
            other => {
                let why = format!("{other} is neither mqtt nor mqtts");
                return Err(target.unfit(&why));
            }
        };
        fitting(&config, is_secure).map_err(Stop::Misconfigured)?;
        let unique = unique();
        let hello = hello(&config, &url, &unique).map_err(Stop::Misconfigured)?;
        let trip = match &config.topic {
            Some(topic) => Some(RoundTrip::new(topic, config.qos, &unique)?),
            None => None,
        };

        let port = url.port().unwrap_or(if is_secure { 8883 } else { 1883 });
        let connection = Connection::open(&host, port, context.timeout())?;
        let connected = context.elapsed();
        let mut reading = Reading::healthy().measure("connect", connected.as_secs_f64(), "seconds");
        if is_secure {
            let verify = if config.allow_untrusted {
                Verify::Reported
            } else {
                Verify::Required
            };
            let server_name = config.server_name.as_deref().unwrap_or(&host);
            let session = connection.start_tls(server_name, &[], verify)?;
            reading = reading.measure("tls", session.handshake.as_secs_f64(), "seconds");
            reading = config.expiry.judge(reading, &session, Timestamp::now());
        }

        let mut packets = Packets::new(&connection, Codec::new(config.version));
        let began = context.elapsed();
        packets.log_in(&hello)?;
        let logged_in = context.elapsed();
        reading = reading.measure(
            "login",
            logged_in.saturating_sub(began).as_secs_f64(),
            "seconds",
        );
        if let Some(trip) = &trip {
            packets.subscribe(trip)?;
            let subscribed = context.elapsed();
            packets.send_and_receive(trip)?;
            let back = context.elapsed();
            for (name, from, to) in [
                ("subscribe", logged_in, subscribed),
                ("round-trip", subscribed, back),
            ] {
                reading = reading.measure(name, to.saturating_sub(from).as_secs_f64(), "seconds");
            }
        }
        packets.leave()?;
        Ok(reading.latency(context.elapsed()))
    }
}

watchkeeper_sdk::probe!(Mqtt);

/// A key that would be without effect is a mistake.
fn fitting(config: &Config, is_secure: bool) -> Result<(), String> {
    if config.qos.is_some() && config.topic.is_none() {
        return Err("config.qos: is of no use without config.topic".to_owned());
    }
    let for_tls = [
        ("allow_untrusted", config.allow_untrusted),
        ("server_name", config.server_name.is_some()),
        ("expiry", config.expiry != Expiry::default()),
    ];
    match for_tls.iter().find(|(_, is_set)| *is_set && !is_secure) {
        Some((key, _)) => Err(format!(
            "config.{key}: is of no use without TLS: write the target as mqtts://…"
        )),
        None => Ok(()),
    }
}

/// Who connects: the configuration's word counts before the target's.
fn hello(config: &Config, url: &Url, unique: &str) -> Result<Hello, String> {
    let of_url = url.credentials();
    let username = match (&config.username, of_url) {
        (Some(name), _) => Some(name.clone()),
        (None, Some((name, _))) => Some(name.to_owned()),
        (None, None) => None,
    };
    let password = match (&config.password, of_url) {
        (Some(password), _) => Some(password.clone()),
        // A password goes with its own name only.
        (None, Some((_, password))) if config.username.is_none() && !password.is_empty() => {
            Some(Secret::new(password))
        }
        (None, _) => None,
    };
    if username.is_none() && password.is_some() {
        return Err("config.password: is of no use without config.username".to_owned());
    }
    let client_id = match &config.client_id {
        Some(id) => id.clone(),
        None => format!("watchkeeper{unique}")
            .chars()
            .take(CLIENT_ID_LENGTH)
            .collect(),
    };
    let texts = [
        ("client_id", Some(client_id.as_str())),
        ("username", username.as_deref()),
        ("password", password.as_ref().map(Secret::expose)),
    ];
    match texts
        .iter()
        .find(|(_, text)| text.is_some_and(|text| text.len() > LONGEST))
    {
        Some((key, _)) => Err(format!("config.{key}: longer than {LONGEST} bytes")),
        None => Ok(Hello {
            client_id,
            username,
            password,
        }),
    }
}

/// A word that no other check has: it need not be hard to guess.
fn unique() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_connects_is_said_by_the_configuration_or_the_target() {
        let check = |target: &str, config: &str, expected: &str| {
            let config = watchkeeper_sdk::config::parse(config).unwrap();
            let found = match hello(&config, &Url::parse(target).unwrap(), "0123456789abcdef") {
                Ok(hello) => format!(
                    "{} {:?} {:?}",
                    hello.client_id,
                    hello.username,
                    hello.password.as_ref().map(Secret::expose)
                ),
                Err(why) => why,
            };
            assert_eq!(found, expected, "{target} {config:?}");
        };
        check("mqtt://a.test", "{}", "watchkeeper0123456789ab None None");
        check(
            "mqtt://u:p@a.test",
            r#"{"client_id":"me"}"#,
            r#"me Some("u") Some("p")"#,
        );
        check(
            "mqtt://u:p@a.test",
            r#"{"client_id":"me","username":"v"}"#,
            r#"me Some("v") None"#,
        );
        check(
            "mqtt://u@a.test",
            r#"{"client_id":"me","password":"q"}"#,
            r#"me Some("u") Some("q")"#,
        );
        check(
            "mqtt://a.test",
            r#"{"password":"q"}"#,
            "config.password: is of no use without config.username",
        );
    }

    #[test]
    fn a_text_that_no_packet_holds_is_refused() {
        let long = "p".repeat(LONGEST + 1);
        let config = format!(r#"{{"username":"u","password":"{long}"}}"#);
        let config = watchkeeper_sdk::config::parse(&config).unwrap();
        let found = hello(&config, &Url::parse("mqtt://a.test").unwrap(), "1");
        assert_eq!(
            found.err().unwrap(),
            "config.password: longer than 65535 bytes"
        );
    }

    #[test]
    fn keys_without_effect_are_named() {
        let check = |config: &str, is_secure: bool, expected: &str| {
            let config = watchkeeper_sdk::config::parse(config).unwrap();
            let found = fitting(&config, is_secure).err().unwrap_or_default();
            assert!(found.starts_with(expected) && found.is_empty() == expected.is_empty());
        };
        check(r#"{"topic":"a","qos":1}"#, false, "");
        check(r#"{"qos":0}"#, false, "config.qos: ");
        check(r#"{"allow_untrusted":true}"#, true, "");
        check(
            r#"{"allow_untrusted":true}"#,
            false,
            "config.allow_untrusted: ",
        );
        check(r#"{"server_name":"a"}"#, false, "config.server_name: ");
        check(
            r#"{"expiry":{"dead_below":"1d"}}"#,
            false,
            "config.expiry: ",
        );
    }

    #[test]
    fn no_two_checks_say_the_same_word() {
        assert_ne!(unique(), unique());
        assert_eq!(unique().len(), 16);
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
