//! What operators can say about an HTTP check.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::expect::Expect;
use watchkeeper_sdk::http::Auth;
use watchkeeper_sdk::tls::Expiry;

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
    /// What to think of a certificate that is about to expire.
    pub tls: Expiry,
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
            tls: Expiry::default(),
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
