//! What operators can say about a mail server.

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::tls::Trust;

/// The configuration of an SMTP check. All keys are optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name to say hello with: a host name, or an address in brackets.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9._:\[\]-]+$"))]
    pub hello: String,
    /// A regular expression that must match somewhere in the greeting, without
    /// its code; what does not makes the target dead.
    pub greeting: Option<String>,
    /// What to do about TLS on a connection that begins in the clear. Default:
    /// `opportunistic`. A target `smtps://` speaks TLS from the start.
    pub starttls: Option<StartTls>,
    /// What is demanded of the certificate.
    pub tls: Trust,
    /// Extensions that the server must offer, such as `SIZE` or `PIPELINING`, as
    /// it offers them once TLS is there. A missing one makes the target dead.
    #[schemars(inner(length(min = 1, max = 64)))]
    pub extensions: Vec<String>,
    /// Ways to log in that the server must offer, such as `PLAIN`, once TLS is
    /// there. A missing one makes the target dead.
    #[schemars(inner(length(min = 1, max = 64)))]
    pub mechanisms: Vec<String>,
    /// Credentials to log in with; a refused login makes the target dead.
    pub login: Option<Login>,
}

/// What to do about TLS on a connection that begins in the clear.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum StartTls {
    /// Go over to it; a server that does not offer it is dead.
    Required,
    /// Go over to it where the server offers it.
    Opportunistic,
    /// Stay in the clear.
    Never,
}

/// Credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user name.
    #[schemars(length(min = 1, max = 320))]
    pub username: String,
    /// The password.
    pub password: Secret,
    /// How to log in. Default: `plain` where the server offers it, else `login`.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
    /// Whether the password may be sent without TLS. Otherwise a check that
    /// would have to ends undecided.
    #[serde(default)]
    pub in_the_clear: bool,
}

/// A way to log in.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// User name and password at once (RFC 4616).
    Plain,
    /// One after the other; older, and never standardised.
    Login,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hello: "localhost".to_owned(),
            greeting: None,
            starttls: None,
            tls: Trust::default(),
            extensions: Vec::new(),
            mechanisms: Vec::new(),
            login: None,
        }
    }
}

impl Mechanism {
    /// As in the server's offer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}
