//! What operators can say about an HTTP check.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Span;
use watchkeeper_sdk::expect::Expect;
use watchkeeper_sdk::http::Auth;
use watchkeeper_sdk::tls::{Expiry, Verify};

/// The configuration of an HTTP check. All keys are optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The request's method.
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[A-Za-z]+$"))]
    pub method: String,
    /// The request's headers.
    pub headers: BTreeMap<String, String>,
    /// The request's body.
    pub body: Option<String>,
    /// Credentials to send. They go to no other host than the target's, whatever
    /// it redirects to.
    pub auth: Option<Auth>,
    /// What must hold: what does not makes the target dead.
    pub expect: Expect,
    /// What should hold: what does not makes the target sick.
    pub prefer: Expect,
    /// What to do about redirects.
    pub redirects: Redirects,
    /// What to think of certificates.
    pub tls: Tls,
    /// The name of a query parameter that gets a new value at every check, so
    /// that no cache answers.
    #[schemars(length(min = 1, max = 64))]
    pub cache_buster: Option<String>,
    /// How many bytes of the body to read at most.
    pub max_body: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            body: None,
            auth: None,
            expect: Expect::default(),
            prefer: Expect::default(),
            redirects: Redirects::default(),
            tls: Tls::default(),
            cache_buster: None,
            max_body: 1 << 20,
        }
    }
}

/// What to do about redirects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Redirects {
    /// How many to follow. The answer after the last is what is judged.
    #[schemars(range(max = 15))]
    pub follow: u32,
}

impl Default for Redirects {
    fn default() -> Self {
        Self { follow: 10 }
    }
}

/// What to think of certificates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Whether the certificate must be trusted for the target's name. With
    /// `false` any certificate will do, an expired one too unless a threshold
    /// below is given: whoever is on the way can pose as the target, read what is
    /// sent, credentials included, and answer in its place.
    pub verify: bool,
    /// Sick when a certificate of the chain is valid for less than this. Default:
    /// 14 days, or a third of the certificate's whole validity if that is
    /// shorter; nothing with `verify = false`. `"0s"`: never.
    pub sick_below: Option<Span>,
    /// Dead when a certificate of the chain is valid for less than this. An
    /// expired one is dead in any case, but with `verify = false` only where a
    /// threshold is given.
    pub dead_below: Option<Span>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            verify: true,
            sick_below: None,
            dead_below: None,
        }
    }
}

impl Tls {
    /// Whether an untrusted chain ends the exchange.
    pub(crate) fn verification(&self) -> Verify {
        if self.verify {
            Verify::Required
        } else {
            Verify::Reported
        }
    }

    /// The thresholds on the expiry; none where the certificate does not matter.
    pub(crate) fn expiry(&self) -> Option<Expiry> {
        let asked = self.verify || self.sick_below.is_some() || self.dead_below.is_some();
        asked.then_some(Expiry {
            sick_below: self.sick_below,
            dead_below: self.dead_below,
        })
    }
}
