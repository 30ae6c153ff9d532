//! What operators can say about a script.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Uri;

/// The configuration of a script.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The script itself, or `{ file = "…", secret = false }` for one in a file.
    #[schemars(length(min = 1, max = 65_536))]
    pub script: String,
    /// Its arguments: `$1`, `$2` and so on.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub args: Vec<String>,
    /// Variables that it begins with; a value can be a secret.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub env: BTreeMap<String, String>,
    /// What it may reach besides its targets, each as a URL.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub reach: Vec<Uri>,
}
