//! Posts notices to a Rocket.Chat channel through an incoming webhook.

mod message;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct RocketChat;

/// The configuration of a Rocket.Chat channel. Only `hook_url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The incoming integration's address: `https://chat.example.com/hooks/…`.
    /// Who knows it can post, so it is treated as a secret.
    pub hook_url: SecretUri,
    /// Another channel than the integration's own: `#channel`, or `@name` for a
    /// person.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[#@]\S+$"))]
    pub channel: Option<String>,
    /// The name to post under.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub alias: Option<String>,
    /// Whom to mention while something is sick or dead: `all`, `here`, or a
    /// person's name.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,64}$"))]
    pub mention: Option<String>,
}

/// <https://developer.rocket.chat/apidocs>: errors are
/// `{"success":false,"error":…}`.
const ANSWERS: Answers = Answers {
    reason: &["/error", "/message"],
    ..Answers::COMMON
};

/// What a hook answers.
#[derive(Deserialize)]
struct Answer {
    success: bool,
}

impl Notifier for RocketChat {
    type Config = Config;

    const NAME: &'static str = "rocketchat";
    const SUMMARY: &'static str = "Posts notices to a Rocket.Chat channel";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let answer = Request::to_url("POST", config.hook_url.expose().clone())
            .json(&message::Message::new(notice, &config))
            .send()?;
        ANSWERS.judge(&answer)?;
        // An integration's own script can answer anything: that is no refusal.
        match answer.json::<Answer>() {
            Ok(Answer { success: false }) => Err(ANSWERS.refused(&answer)),
            Ok(Answer { success: true }) | Err(_) => Ok(()),
        }
    }
}

watchkeeper_sdk::notifier!(RocketChat);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
