//! Keeps an issue on GitHub for every outage.

mod api;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, issues};

use self::api::Repository;

/// The notifier.
pub struct GitHub;

/// The configuration of a repository on GitHub. `repository` and `token` are
/// required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose and which: `owner/name`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$"))]
    pub repository: String,
    /// A token that may read and write the repository's issues.
    pub token: Secret,
    /// The label of the issues, by which they are found again.
    #[serde(default = "label")]
    #[schemars(regex(pattern = r"^[^,]{1,50}$"))]
    pub label: String,
    /// More labels of every issue.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 50)))]
    pub labels: Vec<String>,
    /// Who is assigned.
    #[serde(default)]
    #[schemars(length(max = 10), inner(regex(pattern = r"^[A-Za-z0-9-]{1,39}$")))]
    pub assignees: Vec<String>,
    /// Another address of the API, such as that of GitHub Enterprise Server,
    /// `https://github.example.com/api/v3`.
    #[serde(default = "api_url")]
    pub api_url: Uri,
}

impl Notifier for GitHub {
    type Config = Config;

    const NAME: &'static str = "github";
    const SUMMARY: &'static str = "Keeps an issue on GitHub for every outage";
    const ASKS: &'static [Capability] = &[Capability::Http, Capability::State];
    const HOSTS: &'static [&'static str] = &["api.github.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        issues::tell(&Repository::new(&config, notice), notice)
    }
}

fn label() -> String {
    "watchkeeper".to_owned()
}

fn api_url() -> Uri {
    Uri::parse("https://api.github.com").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(GitHub);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
