//! Checks a TLS server: its certificate's trust, names and expiry, and the
//! protocol version and application protocol it agrees to.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::tls::{Certificate, Connection, Expiry, Session, Trust};
use watchkeeper_sdk::{Capability, Context, Health, Probe, Reading, Stop, Target, Timestamp};

/// The probe for `tls` targets.
pub struct Tls;

/// The configuration of a TLS check. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What to think of certificates that are about to expire.
    pub expiry: Expiry,
    /// Whether the chain may be untrusted for the name, as with a certificate
    /// that signed itself. Otherwise such a target is dead.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the target's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
    /// Names that the certificate must have besides the server's; a wildcard in
    /// it counts for what it stands for. A missing one makes the target dead.
    pub names: Vec<String>,
    /// The oldest protocol version that is good enough; an older one makes the
    /// target sick.
    pub min_version: Option<Version>,
    /// The application protocol to agree on (ALPN, RFC 7301).
    pub alpn: Alpn,
}

/// Which application protocols to offer, and which of them to expect.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alpn {
    /// The protocols to offer, best first: `h2`, `http/1.1`, `imap`. A server
    /// that knows none of them refuses. Default: what is expected, or none.
    #[schemars(length(max = 16), inner(length(min = 1, max = 255)))]
    pub offer: Vec<String>,
    /// The protocol that the server must choose; another one, or none, makes the
    /// target dead.
    #[schemars(length(min = 1, max = 255))]
    pub expect: Option<String>,
}

/// A protocol version.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.2 (RFC 5246).
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    Tls13,
}

impl Probe for Tls {
    type Config = Config;

    const NAME: &'static str = "tls";
    const SUMMARY: &'static str = "Checks a TLS server's certificate and protocol version";
    const SCHEMES: &'static [&'static str] = &["tls"];
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let url = target.url()?;
        let host = target.host()?;
        let alpn = config.alpn.offered()?;
        let connection = Connection::open(&host, url.port().unwrap_or(443), context.timeout())?;
        let connected = context.elapsed();
        let server_name = config.server_name.as_deref().unwrap_or(&host);
        let session = connection.start_tls(server_name, &alpn, Trust::VERIFY)?;
        let reading = Reading::healthy()
            .latency(connected + session.handshake)
            .measure("connect", connected.as_secs_f64(), "seconds")
            .measure("tls", session.handshake.as_secs_f64(), "seconds");
        Ok(judge(reading, &config, &session, Timestamp::now()))
    }
}

watchkeeper_sdk::probe!(Tls);

fn judge(reading: Reading, config: &Config, session: &Session, now: Timestamp) -> Reading {
    let trust = Trust {
        expiry: config.expiry,
        allow_untrusted: config.allow_untrusted,
        server_name: None,
    };
    let mut reading = trust.judge(reading, session, now);
    if let Some(leaf) = session.chain.first() {
        for name in config.names.iter().filter(|name| !covers(leaf, name)) {
            let reason = format!("certificate is not for {name}");
            reading = reading.worsen(Health::Dead, reason);
        }
    }
    let version = version_of(session);
    if let Some(least) = config.min_version
        && version.is_none_or(|version| version < least)
    {
        let reason = format!(
            "speaks {}, expected {} or newer",
            session.version,
            least.name()
        );
        reading = reading.worsen(Health::Sick, reason);
    }
    if let Some(expected) = &config.alpn.expect
        && session.alpn.as_ref() != Some(expected)
    {
        let reason = match &session.alpn {
            Some(agreed) => format!("agreed on {agreed}, expected {expected}"),
            None => format!("agreed on no application protocol, expected {expected}"),
        };
        reading = reading.worsen(Health::Dead, reason);
    }
    reading
}

impl Alpn {
    /// What to offer.
    fn offered(&self) -> Result<Vec<&str>, Stop> {
        let offer: Vec<&str> = self.offer.iter().map(String::as_str).collect();
        match self.expect.as_deref() {
            Some(expected) if offer.is_empty() => Ok(vec![expected]),
            Some(expected) if !offer.contains(&expected) => Err(Stop::Misconfigured(format!(
                "config.alpn.expect: {expected} is not among config.alpn.offer: {}",
                offer.join(", ")
            ))),
            _ => Ok(offer),
        }
    }
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }
}

/// None for one that is older than all we know.
fn version_of(session: &Session) -> Option<Version> {
    [Version::Tls12, Version::Tls13]
        .into_iter()
        .find(|version| version.name() == session.version)
}

/// Whether the certificate is for `name`; `*` stands for one whole label, the
/// first (RFC 9525 section 6.3).
fn covers(certificate: &Certificate, name: &str) -> bool {
    certificate.names.iter().any(|pattern| {
        let one_label_up = name.split_once('.').map(|(_, parent)| parent);
        match (pattern.strip_prefix("*."), one_label_up) {
            _ if pattern.eq_ignore_ascii_case(name) => true,
            (Some(domain), Some(parent)) => domain.eq_ignore_ascii_case(parent),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn session(version: &str, untrusted: Option<&str>, last_day: u64) -> Session {
        Session {
            version: version.to_owned(),
            cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
            alpn: Some("http/1.1".to_owned()),
            chain: vec![Certificate {
                subject: "CN=a.test".to_owned(),
                issuer: "CN=ca".to_owned(),
                names: vec!["a.test".to_owned(), "*.b.test".to_owned()],
                not_before: Timestamp::from_seconds(0),
                not_after: Timestamp::from_seconds(last_day * 86_400),
                der: Vec::new(),
            }],
            untrusted: untrusted.map(str::to_owned),
            handshake: Duration::from_millis(5),
        }
    }

    fn check(config: &str, session: &Session, expected: &str) {
        let config = watchkeeper_sdk::config::parse(config).unwrap();
        let now = Timestamp::from_seconds(100 * 86_400);
        let reading = judge(Reading::healthy(), &config, session, now);
        let found = format!(
            "{:?} {}",
            reading.health,
            reading.reason.unwrap_or_default()
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn trust_and_expiry_decide() {
        check("{}", &session("TLSv1.3", None, 200), "Health::Healthy ");
        check(
            "{}",
            &session("TLSv1.3", None, 110),
            "Health::Sick certificate expires in 10 days",
        );
        let expired = session("TLSv1.3", Some("expired on 1970-04-01"), 90);
        check(
            "{}",
            &expired,
            "Health::Dead certificate expired 10 days ago",
        );
        check(
            r#"{"allow_untrusted":true}"#,
            &expired,
            "Health::Dead certificate expired 10 days ago",
        );
        let own = session("TLSv1.3", Some("is self-signed"), 200);
        check("{}", &own, "Health::Dead certificate is self-signed");
        check(r#"{"allow_untrusted":true}"#, &own, "Health::Healthy ");
    }

    #[test]
    fn names_and_version_are_compared() {
        let old = session("TLSv1.2", None, 200);
        check(
            r#"{"names":["A.test","x.b.test"]}"#,
            &old,
            "Health::Healthy ",
        );
        check(
            r#"{"names":["b.test","y.x.b.test"]}"#,
            &old,
            "Health::Dead certificate is not for b.test; certificate is not for y.x.b.test",
        );
        check(r#"{"min_version":"1.2"}"#, &old, "Health::Healthy ");
        check(
            r#"{"min_version":"1.3"}"#,
            &old,
            "Health::Sick speaks TLSv1.2, expected TLSv1.3 or newer",
        );
    }

    #[test]
    fn the_application_protocol_is_compared() {
        let mut session = session("TLSv1.3", None, 200);
        check(
            r#"{"alpn":{"expect":"http/1.1"}}"#,
            &session,
            "Health::Healthy ",
        );
        let expected = r#"{"alpn":{"offer":["h2","http/1.1"],"expect":"h2"}}"#;
        check(
            expected,
            &session,
            "Health::Dead agreed on http/1.1, expected h2",
        );
        session.alpn = None;
        check(
            expected,
            &session,
            "Health::Dead agreed on no application protocol, expected h2",
        );
        check(r#"{"alpn":{"offer":["h2"]}}"#, &session, "Health::Healthy ");
    }

    #[test]
    fn what_is_expected_is_offered() {
        let offered = |config: &str| {
            let config: Config = watchkeeper_sdk::config::parse(config).unwrap();
            match config.alpn.offered() {
                Ok(offered) => offered.join(" "),
                Err(stop) => format!("{stop:?}"),
            }
        };
        assert_eq!(offered("{}"), "");
        assert_eq!(offered(r#"{"alpn":{"expect":"h2"}}"#), "h2");
        assert_eq!(offered(r#"{"alpn":{"offer":["h2","imap"]}}"#), "h2 imap");
        assert!(
            offered(r#"{"alpn":{"offer":["h2"],"expect":"imap"}}"#)
                .contains("config.alpn.expect: imap is not among config.alpn.offer: h2")
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
