//! What to think of a server's certificate, as operators say it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expiry, Session, Verify};
use crate::{Health, Reading, Timestamp};

/// What is demanded of a server's certificate. All keys are optional.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// What to think of certificates that are about to expire.
    pub expiry: Expiry,
    /// Whether the chain may be untrusted for the name, as with a certificate
    /// that signed itself. Otherwise such a target is dead.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the target's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

impl Trust {
    /// How to make the handshake for [`judge`](Self::judge): an expired chain is
    /// then told with its day, and all of its faults at once.
    pub const VERIFY: Verify = Verify::Reported;

    /// The name to ask for and to verify at `host`.
    pub fn server_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }

    /// Judges trust and expiry of every certificate of the chain at the time
    /// `now`, with the measurements of [`Expiry::judge`]. What is dead after it
    /// must not be told a password.
    pub fn judge(&self, reading: Reading, session: &Session, now: Timestamp) -> Reading {
        let reading = self.expiry.judge(reading, session, now);
        // An expired chain is untrusted for that, which was said already.
        let is_said = |why: &str| {
            let mut chain = session.chain.iter();
            why.contains("expired") && chain.any(|certificate| now > certificate.not_after)
        };
        match &session.untrusted {
            Some(why) if !self.allow_untrusted && !is_said(why) => {
                reading.worsen(Health::Dead, format!("certificate {why}"))
            }
            Some(_) | None => reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Certificate;
    use super::*;

    const DAY: u64 = 86_400;

    fn check(trust: &str, untrusted: Option<&str>, last_day: u64, expected: &str) {
        let trust: Trust = serde_json::from_str(trust).unwrap();
        let session = Session {
            version: "TLSv1.3".to_owned(),
            cipher: String::new(),
            alpn: None,
            chain: vec![Certificate {
                subject: "CN=it".to_owned(),
                issuer: "CN=ca".to_owned(),
                names: Vec::new(),
                not_before: Timestamp::from_seconds(0),
                not_after: Timestamp::from_seconds(last_day * DAY),
                der: Vec::new(),
            }],
            untrusted: untrusted.map(str::to_owned),
            handshake: Duration::ZERO,
        };
        let now = Timestamp::from_seconds(100 * DAY);
        let reading = trust.judge(Reading::healthy(), &session, now);
        let reason = reading.reason.unwrap_or_default();
        assert_eq!(format!("{:?} {reason}", reading.health), expected);
    }

    #[test]
    fn trust_and_expiry_decide() {
        let own = Some("is self-signed");
        check("{}", None, 200, "Health::Healthy ");
        check("{}", own, 200, "Health::Dead certificate is self-signed");
        check(r#"{"allow_untrusted":true}"#, own, 200, "Health::Healthy ");
        let soon = "Health::Sick certificate expires in 10 days";
        check(r#"{"allow_untrusted":true}"#, own, 110, soon);
        let late = "Health::Dead certificate expired 10 days ago";
        check("{}", Some("expired on 1970-04-01"), 90, late);
        check(r#"{"allow_untrusted":true}"#, own, 90, late);
    }

    #[test]
    fn the_name_is_the_hosts_unless_given() {
        let trust = Trust::default();
        assert_eq!(trust.server_name("a.test"), "a.test");
        let trust: Trust = serde_json::from_str(r#"{"server_name":"b.test"}"#).unwrap();
        assert_eq!(trust.server_name("a.test"), "b.test");
    }
}
