//! Keeps an issue on GitLab for every outage.

mod api;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, issues};

use self::api::Project;

/// The notifier.
pub struct GitLab;

/// The configuration of a project on GitLab. `project` and `token` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The project's path, `group/name`, or its number.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._/-]{1,255}$"))]
    pub project: String,
    /// A project's or personal access token with the scope `api`.
    pub token: Secret,
    /// Labels of every issue.
    #[serde(default = "labels")]
    #[schemars(length(max = 20), inner(regex(pattern = r"^[^,]{1,255}$")))]
    pub labels: Vec<String>,
    /// Whether only members of the project see the issues.
    #[serde(default)]
    pub confidential: bool,
    /// The address of another GitLab than gitlab.com.
    #[serde(default = "url")]
    pub url: Uri,
}

impl Notifier for GitLab {
    type Config = Config;

    const NAME: &'static str = "gitlab";
    const SUMMARY: &'static str = "Keeps an issue on GitLab for every outage";
    const ASKS: &'static [Capability] = &[Capability::Http, Capability::State];
    const HOSTS: &'static [&'static str] = &["gitlab.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        issues::tell(&Project::new(&config), notice)
    }
}

fn labels() -> Vec<String> {
    vec!["watchkeeper".to_owned()]
}

fn url() -> Uri {
    Uri::parse("https://gitlab.com").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(GitLab);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
