//! Credentials in a configuration.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::Secret;

/// Credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// A user name and password (RFC 7617).
    Basic(Basic),
    /// A token (RFC 6750).
    Bearer(Secret),
}

/// A user name and password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Secret,
}
