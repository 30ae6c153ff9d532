//! Posts notices to a Mattermost channel through an incoming webhook.

mod message;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Mattermost;

/// The configuration of a Mattermost channel. Only `hook_url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The incoming webhook's address: `https://chat.example.com/hooks/…`. Who
    /// knows it can post, so it is treated as a secret.
    pub hook_url: SecretUri,
    /// Another channel than the webhook's own, by the name in its address, or a
    /// person: `@name`.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub channel: Option<String>,
    /// The name to post under, where the server allows it.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub username: Option<String>,
    /// Whom to mention while something is sick or dead: `channel`, `here`, `all`,
    /// a person's or a group's name.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z0-9._-]{1,64}$"))]
    pub mention: Option<String>,
}

/// <https://developers.mattermost.com/api-documentation/>: errors are
/// `{"id":…,"message":…,"status_code":…}`.
const ANSWERS: Answers = Answers {
    reason: &["/message"],
    ..Answers::COMMON
};

impl Notifier for Mattermost {
    type Config = Config;

    const NAME: &'static str = "mattermost";
    const SUMMARY: &'static str = "Posts notices to a Mattermost channel";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let answer = Request::to_url("POST", config.hook_url.expose().clone())
            .json(&message::Message::new(notice, &config))
            .send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(Mattermost);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
