//! Addresses that somebody was given and nobody can make up: signed with a key
//! that never leaves the host, and good until a time that is part of what is
//! signed.

use std::fmt::Write as _;

use form_urlencoded::Serializer;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use watchkeeper_engine::id::ChannelId;
use watchkeeper_engine::incident::IncidentId;
use watchkeeper_engine::time::Timestamp;

/// What the key is called in the store.
pub(crate) const KEY: &str = "links";

/// How many bytes the key has: as many as the signature.
const KEY_BYTES: usize = 32;

/// Signs, and checks what is shown.
#[derive(Clone)]
pub(crate) struct Links {
    key: Vec<u8>,
}

/// What a link says that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown<'a> {
    pub(crate) incident: IncidentId,
    /// Until when it is good, in seconds since the epoch.
    pub(crate) until: i64,
    /// The channel that it went to.
    pub(crate) channel: &'a str,
    /// In hexadecimal digits.
    pub(crate) signature: &'a str,
}

/// Why a link is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotGood {
    /// Nobody signed it.
    Forged,
    /// It was good once.
    Expired,
}

/// A new key.
pub(crate) fn fresh_key() -> Result<Vec<u8>, getrandom::Error> {
    let mut key = vec![0; KEY_BYTES];
    getrandom::fill(&mut key)?;
    Ok(key)
}

impl Links {
    /// Signs with `key`.
    pub(crate) const fn new(key: Vec<u8>) -> Self {
        Self { key }
    }

    /// The address below `base` at which whom `channel` leads to can take an
    /// incident until `until`.
    pub(crate) fn acknowledge(
        &self,
        base: &str,
        incident: IncidentId,
        channel: &ChannelId,
        until: Timestamp,
    ) -> String {
        let until = until.as_secs();
        let signature = self.sign(incident, until, channel.as_str());
        let query = Serializer::new(String::new())
            .append_pair("until", &until.to_string())
            .append_pair("to", channel.as_str())
            .append_pair("signature", &signature)
            .finish();
        format!("{base}/incidents/{incident}/acknowledge?{query}")
    }

    /// Whether a link is good at `now`.
    pub(crate) fn check(&self, shown: &Shown<'_>, now: Timestamp) -> Result<(), NotGood> {
        let signature = self.sign(shown.incident, shown.until, shown.channel);
        if !bool::from(signature.as_bytes().ct_eq(shown.signature.as_bytes())) {
            return Err(NotGood::Forged);
        }
        if shown.until < now.as_secs() {
            return Err(NotGood::Expired);
        }
        Ok(())
    }

    fn sign(&self, incident: IncidentId, until: i64, channel: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of every length");
        // No part can hold the line feed that sets them apart.
        mac.update(format!("acknowledge\n{incident}\n{until}\n{channel}").as_bytes());
        let mut digits = String::new();
        for byte in mac.finalize().into_bytes() {
            write!(digits, "{byte:02x}").expect("a String takes all that is written to it");
        }
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_is_good_and_not_for_ever() {
        let links = Links::new(vec![7; 32]);
        let (id, channel) = (IncidentId::new(12), ChannelId::new("ops").unwrap());
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let address = links.acknowledge("https://s.example/x", id, &channel, at(100));
        let (start, signature) = address.split_once("&signature=").unwrap();
        assert_eq!(
            start,
            "https://s.example/x/incidents/12/acknowledge?until=100&to=ops"
        );
        let good = Shown {
            incident: id,
            until: 100,
            channel: "ops",
            signature,
        };
        assert_eq!(links.check(&good, at(100)), Ok(()));
        assert_eq!(links.check(&good, at(101)), Err(NotGood::Expired));
        let other = IncidentId::new(13);
        for forged in [
            Shown {
                incident: other,
                ..good.clone()
            },
            Shown {
                until: 200,
                ..good.clone()
            },
            Shown {
                channel: "boss",
                ..good.clone()
            },
            Shown {
                signature: "",
                ..good.clone()
            },
            Shown {
                signature: &signature.to_uppercase(),
                ..good.clone()
            },
        ] {
            assert_eq!(
                links.check(&forged, at(0)),
                Err(NotGood::Forged),
                "{forged:?}"
            );
        }
        assert_eq!(
            Links::new(vec![8; 32]).check(&good, at(0)),
            Err(NotGood::Forged)
        );
    }
}
