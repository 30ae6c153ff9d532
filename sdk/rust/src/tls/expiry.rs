//! What to think of a certificate that is about to expire.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Session;
use crate::config::Span;
use crate::{Health, Reading, Timestamp, in_words};

/// Below how long a validity a chain is sick when nothing else is said.
const SICK_BELOW: Duration = Duration::from_hours(14 * 24);

/// From how long a validity on a certificate is sick or dead.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// Sick when a certificate of the chain is valid for less than this. Default:
    /// 14 days, or a third of the certificate's whole validity if that is
    /// shorter. `"0s"`: never.
    #[serde(default)]
    pub sick_below: Option<Span>,
    /// Dead when a certificate of the chain is valid for less than this. An
    /// expired one is dead in any case.
    #[serde(default)]
    pub dead_below: Option<Span>,
}

impl Expiry {
    /// Adds the measurement `certificate-expiry` and judges nothing: the days
    /// from `now` until the certificate of the chain that expires first does,
    /// negative once it has.
    pub fn measure(reading: Reading, session: &Session, now: Timestamp) -> Reading {
        let ends = session
            .chain
            .iter()
            .map(|certificate| certificate.not_after);
        match ends.min() {
            Some(first) => reading.measure("certificate-expiry", days_until(first, now), "days"),
            None => reading,
        }
    }

    /// Judges every certificate of the chain at the time `now`, and adds what
    /// [`Expiry::measure`] does.
    pub fn judge(&self, reading: Reading, session: &Session, now: Timestamp) -> Reading {
        let mut reading = Self::measure(reading, session, now);
        for (index, certificate) in session.chain.iter().enumerate() {
            let whose = if index == 0 {
                "certificate".to_owned()
            } else {
                format!("certificate of {}", certificate.subject)
            };
            if now > certificate.not_after {
                let ago = in_words(now.since(certificate.not_after));
                reading = reading.worsen(Health::Dead, format!("{whose} expired {ago} ago"));
                continue;
            }
            let left = certificate.not_after.since(now);
            let validity = certificate.not_after.since(certificate.not_before);
            let dead_below = self.dead_below.map_or(Duration::ZERO, Span::duration);
            let sick_below = self
                .sick_below
                .map_or_else(|| SICK_BELOW.min(validity / 3), Span::duration);
            let health = if left < dead_below {
                Health::Dead
            } else if left < sick_below {
                Health::Sick
            } else {
                continue;
            };
            reading = reading.worsen(health, format!("{whose} expires in {}", in_words(left)));
        }
        reading
    }
}

/// Precise to a thousandth of a day, so that a chart has no steps.
fn days_until(then: Timestamp, now: Timestamp) -> f64 {
    let seconds = then.since(now).as_secs_f64() - now.since(then).as_secs_f64();
    (seconds / 86.4).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::Certificate;
    use super::*;

    const DAY: u64 = 86_400;

    fn check(expiry: &str, validities: &[(u64, u64)], expected: &str) {
        let chain = validities
            .iter()
            .map(|&(from, to)| Certificate {
                subject: "CN=it".to_owned(),
                issuer: "CN=ca".to_owned(),
                names: Vec::new(),
                not_before: Timestamp::from_seconds(from * DAY),
                not_after: Timestamp::from_seconds(to * DAY),
                der: Vec::new(),
            })
            .collect();
        let session = Session {
            version: "TLSv1.3".to_owned(),
            cipher: String::new(),
            alpn: None,
            chain,
            untrusted: None,
            handshake: Duration::ZERO,
        };
        let expiry: Expiry = serde_json::from_str(expiry).unwrap();
        let now = Timestamp::from_seconds(100 * DAY);
        let reading = expiry.judge(Reading::healthy(), &session, now);
        let days = reading
            .measurements
            .first()
            .map(|measurement| measurement.value);
        let found = format!(
            "{:?} {:?} {:?}",
            reading.health,
            reading.reason.unwrap_or_default(),
            days
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn thresholds_and_their_defaults_decide() {
        check("{}", &[(50, 140)], r#"Health::Healthy "" Some(40.0)"#);
        check(
            "{}",
            &[(50, 113)],
            r#"Health::Sick "certificate expires in 13 days" Some(13.0)"#,
        );
        check("{}", &[(97, 103)], r#"Health::Healthy "" Some(3.0)"#);
        check(
            "{}",
            &[(95, 101)],
            r#"Health::Sick "certificate expires in 1 day" Some(1.0)"#,
        );
        check(
            r#"{"sick_below":"0s"}"#,
            &[(50, 101)],
            r#"Health::Healthy "" Some(1.0)"#,
        );
        check(
            r#"{"dead_below":"2d"}"#,
            &[(50, 101)],
            r#"Health::Dead "certificate expires in 1 day" Some(1.0)"#,
        );
        check(
            "{}",
            &[(50, 98)],
            r#"Health::Dead "certificate expired 2 days ago" Some(-2.0)"#,
        );
        check("{}", &[], r#"Health::Healthy "" None"#);
    }

    #[test]
    fn the_whole_chain_counts() {
        check(
            "{}",
            &[(50, 140), (50, 105)],
            r#"Health::Sick "certificate of CN=it expires in 5 days" Some(5.0)"#,
        );
    }
}
