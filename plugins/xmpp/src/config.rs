//! What operators say about an XMPP channel.

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};

use crate::jid::Jid;

/// The configuration of an XMPP channel. `server`, `jid`, `password` and one of
/// `to` and `rooms` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server: `xmpp://host[:5222]`, where TLS begins by STARTTLS, or
    /// `xmpps://host[:5223]`, where it begins at once. There is nothing without
    /// TLS.
    pub server: Uri,
    /// The account to log in with: `watch@example.com`.
    pub jid: Jid,
    /// The account's password.
    pub password: Secret,
    /// People to tell.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub to: Vec<Jid>,
    /// Rooms to enter and tell: `ops@conference.example.com`.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub rooms: Vec<Jid>,
    /// The name to have in rooms.
    #[serde(default = "nick")]
    #[schemars(length(min = 1, max = 64))]
    pub nick: String,
    /// What is demanded of the server's certificate.
    #[serde(default)]
    pub tls: Certificate,
}

/// What is demanded of a certificate. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Certificate {
    /// Whether the chain may be untrusted for the name, as with a certificate
    /// that signed itself.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the domain of the
    /// account.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

impl Config {
    /// People and rooms.
    pub(crate) fn recipients(&self) -> Vec<String> {
        let all = self.to.iter().chain(&self.rooms);
        all.map(ToString::to_string).collect()
    }
}

fn nick() -> String {
    "watchkeeper".to_owned()
}
