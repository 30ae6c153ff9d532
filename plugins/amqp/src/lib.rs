//! Checks that an AMQP 0-9-1 broker takes a login, opens a virtual host and closes
//! the connection in order: what every client of it has to come through.

mod frame;
mod handshake;
mod method;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::tls::{Connection, Expiry, Verify};
use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target, Timestamp, Url};

use self::frame::Frames;
use self::handshake::Login;

/// The probe for `amqp` and `amqps` targets.
pub struct Amqp;

/// The configuration of a check of an AMQP broker. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who logs in, unless the target says it; `guest` where neither does.
    #[schemars(length(min = 1, max = 255))]
    pub username: Option<String>,
    /// The user's password; `guest` where neither this nor the target says it.
    pub password: Option<Secret>,
    /// The virtual host to open, unless the target's path names it; `/` where
    /// neither does.
    #[schemars(length(min = 1, max = 255))]
    pub vhost: Option<String>,
    /// What to think of certificates that are about to expire, with `amqps`.
    pub expiry: Expiry,
    /// Whether the broker's chain of certificates may be untrusted for the name.
    /// Otherwise it is not given the password, and the target is dead.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the target's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

impl Probe for Amqp {
    type Config = Config;

    const NAME: &'static str = "amqp";
    const SUMMARY: &'static str = "Checks that an AMQP broker takes a login and opens a host";
    const SCHEMES: &'static [&'static str] = &["amqp", "amqps"];
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
            "amqps" => true,
            "amqp" => false,
            other => {
                let why = format!("{other} is neither amqp nor amqps");
                return Err(target.unfit(&why));
            }
        };
        if !is_secure {
            only_with_tls(&config).map_err(Stop::Misconfigured)?;
        }
        let login = login(&config, &url).map_err(Stop::Misconfigured)?;

        let port = url.port().unwrap_or(if is_secure { 5671 } else { 5672 });
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

        let mut frames = Frames::new(&connection);
        let began = context.elapsed();
        handshake::log_in(&mut frames, &login)?;
        let logged_in = context.elapsed();
        handshake::open(&mut frames, &login)?;
        let opened = context.elapsed();
        let ending = handshake::close(&mut frames)?;
        let closed = context.elapsed();
        for (name, from, to) in [
            ("login", began, logged_in),
            ("open", logged_in, opened),
            ("close", opened, closed),
        ] {
            reading = reading.measure(name, to.saturating_sub(from).as_secs_f64(), "seconds");
        }
        if let Some(why) = ending.fault() {
            reading = reading.sick_if(true, why);
        }
        Ok(reading.latency(closed))
    }
}

watchkeeper_sdk::probe!(Amqp);

/// A key that would be without effect is a mistake.
fn only_with_tls(config: &Config) -> Result<(), String> {
    for (key, is_set) in [
        ("allow_untrusted", config.allow_untrusted),
        ("server_name", config.server_name.is_some()),
        ("expiry", config.expiry != Expiry::default()),
    ] {
        if is_set {
            return Err(format!(
                "config.{key}: is of no use without TLS: write the target as amqps://…"
            ));
        }
    }
    Ok(())
}

/// Who logs in to what: the configuration's word counts before the target's.
fn login(config: &Config, url: &Url) -> Result<Login, String> {
    let of_url = url.credentials();
    let (name, password) = match (&config.username, &config.password) {
        (Some(name), password) => (name.as_str(), password.as_ref().map(Secret::expose)),
        (None, Some(password)) => (
            of_url.map_or("guest", |(name, _)| name),
            Some(password.expose()),
        ),
        (None, None) => match of_url {
            Some((name, password)) => (name, Some(password)),
            None => ("guest", None),
        },
    };
    let password = password.unwrap_or("guest");
    if name.contains('\0') || password.contains('\0') {
        return Err("config.username: neither name nor password can hold a NUL".to_owned());
    }
    let path = url.path().trim_start_matches('/');
    let vhost = match (&config.vhost, path) {
        (Some(vhost), _) => vhost.clone(),
        (None, "") => "/".to_owned(),
        (None, path) => decoded(path).ok_or("target: its path is no name of a virtual host")?,
    };
    if vhost.len() > 255 {
        return Err("config.vhost: longer than 255 bytes".to_owned());
    }
    Ok(Login {
        name: name.to_owned(),
        password: Secret::new(password),
        vhost,
    })
}

/// A path's only segment, without its percent-encoding.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'/' => return None,
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_logs_in_to_what_is_said_by_the_configuration_or_the_target() {
        let check = |target: &str, config: &str, expected: &str| {
            let config = watchkeeper_sdk::config::parse(config).unwrap();
            let found = match login(&config, &Url::parse(target).unwrap()) {
                Ok(login) => format!("{} {} {}", login.name, login.password.expose(), login.vhost),
                Err(why) => why,
            };
            assert_eq!(found, expected, "{target}");
        };
        check("amqp://a.test", "{}", "guest guest /");
        check("amqp://a.test/", "{}", "guest guest /");
        check("amqp://u:p%40@a.test/%2F", "{}", "u p@ /");
        check("amqp://u:p@a.test/jobs%2fmail", "{}", "u p jobs/mail");
        check(
            "amqp://u:p@a.test/jobs",
            r#"{"username":"v","vhost":"other"}"#,
            "v guest other",
        );
        check("amqp://u:p@a.test", r#"{"password":"q"}"#, "u q /");
        check("amqp://a.test", r#"{"password":"q"}"#, "guest q /");
        let unfit = "target: its path is no name of a virtual host";
        check("amqp://a.test/a/b", "{}", unfit);
        check("amqp://a.test/%zz", "{}", unfit);
        check(
            "amqp://a.test",
            r#"{"username":"a\u0000b"}"#,
            "config.username: neither name nor password can hold a NUL",
        );
    }

    #[test]
    fn keys_for_tls_need_tls() {
        let check = |config: &str, expected: &str| {
            let config = watchkeeper_sdk::config::parse(config).unwrap();
            let found = only_with_tls(&config).err().unwrap_or_default();
            assert!(found.starts_with(expected) && found.is_empty() == expected.is_empty());
        };
        check(r#"{"username":"a"}"#, "");
        check(r#"{"allow_untrusted":true}"#, "config.allow_untrusted: ");
        check(r#"{"server_name":"a.test"}"#, "config.server_name: ");
        check(r#"{"expiry":{"sick_below":"9d"}}"#, "config.expiry: ");
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
