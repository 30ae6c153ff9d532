//! Whether a connection is encrypted, for protocols that begin in the clear and
//! whose servers offer TLS.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expiry, Session, Verify};
use crate::{Reading, Timestamp};

/// Whether a connection is encrypted, and what is asked of the certificate.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Encryption {
    /// Whether to encrypt, and whether the certificate must be trusted.
    pub mode: Mode,
    /// The name to ask for and to verify, where it is not the target's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
    /// What to think of certificates that are about to expire. They are looked at
    /// with the mode `verify`, and with any other where this is given.
    pub expiry: Option<Expiry>,
}

/// Whether to encrypt, and whether the certificate must be trusted.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Never.
    Disable,
    /// Where the server offers it, with any certificate.
    #[default]
    Prefer,
    /// Always, with any certificate.
    Require,
    /// Always, with a certificate that is trusted for the name.
    Verify,
}

impl Encryption {
    /// Whether the server is asked for TLS at all.
    pub fn is_wanted(&self) -> bool {
        self.mode != Mode::Disable
    }

    /// Whether a server without TLS will not do.
    pub fn is_required(&self) -> bool {
        matches!(self.mode, Mode::Require | Mode::Verify)
    }

    /// What the handshake is to do about a chain that is not trusted.
    pub fn verify(&self) -> Verify {
        match self.mode {
            Mode::Verify => Verify::Required,
            Mode::Disable | Mode::Prefer | Mode::Require => Verify::Reported,
        }
    }

    /// The name to ask for and to verify at `host`.
    pub fn server_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }

    /// Judges how long the session's certificates are still valid, where that is
    /// asked for.
    pub fn judge(&self, reading: Reading, session: &Session, now: Timestamp) -> Reading {
        match (self.mode, self.expiry) {
            (_, Some(expiry)) => expiry.judge(reading, session, now),
            (Mode::Verify, None) => Expiry::default().judge(reading, session, now),
            (Mode::Disable | Mode::Prefer | Mode::Require, None) => reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_differ_in_what_they_ask_for() {
        let check = |mode: &str, expected: (bool, bool, Verify)| {
            let json = format!(r#"{{"mode": "{mode}"}}"#);
            let it: Encryption = crate::config::parse(&json).unwrap();
            assert_eq!(
                (it.is_wanted(), it.is_required(), it.verify()),
                expected,
                "{mode}"
            );
        };
        check("disable", (false, false, Verify::Reported));
        check("prefer", (true, false, Verify::Reported));
        check("require", (true, true, Verify::Reported));
        check("verify", (true, true, Verify::Required));
    }
}
