//! What operators can say about a WebSocket server.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::tls::Trust;

/// The configuration of a WebSocket check. All keys are optional: without any, the
/// upgrade, a ping and the closing are what is checked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Headers of the request besides those that the upgrade needs, such as
    /// `Origin` or `Authorization`.
    pub headers: BTreeMap<String, String>,
    /// Subprotocols to offer, the best first. A server that chooses another is dead.
    #[schemars(inner(length(min = 1, max = 100)))]
    pub subprotocols: Vec<String>,
    /// A text message to send once upgraded.
    pub send: Option<String>,
    /// What must come back: what does not makes the target dead.
    pub expect: Expect,
    /// Whether to send a ping, which must be answered: a server that does not is
    /// dead.
    pub ping: bool,
    /// Whether the server must answer the closing of the connection: one that does
    /// not is sick.
    pub clean_close: bool,
    /// The longest message that is taken, in bytes; a longer one makes the target
    /// dead.
    #[schemars(range(min = 125, max = 1_048_576))]
    pub message_limit: usize,
    /// What is demanded of the certificate of a target `wss://`.
    pub tls: Trust,
}

/// What must come back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The subprotocol that the server must choose.
    pub subprotocol: Option<String>,
    /// Headers that the answer to the upgrade must have, each with a regular
    /// expression that must match somewhere in its value.
    pub headers: BTreeMap<String, String>,
    /// A text that a message must contain. Others before it are passed over.
    pub contains: Option<String>,
    /// A regular expression that must match somewhere in a message; with `contains`,
    /// in the same.
    pub regex: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            headers: BTreeMap::new(),
            subprotocols: Vec::new(),
            send: None,
            expect: Expect::default(),
            ping: true,
            clean_close: true,
            message_limit: 64 * 1024,
            tls: Trust::default(),
        }
    }
}
