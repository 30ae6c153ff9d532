//! Posts notices to a Discord channel through a webhook.

mod message;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Discord;

/// The configuration of a Discord channel. Only `hook_url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The webhook's address: `https://discord.com/api/webhooks/…`. Who knows it
    /// can post, so it is treated as a secret.
    pub hook_url: SecretUri,
    /// Whom to mention while something is sick or dead: `everyone`, `here`, a
    /// member (`<@…>`) or a role (`<@&…>`), with the number that "Copy ID" gives.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(everyone|here|<@&?[0-9]{1,20}>)$"))]
    pub mention: Option<String>,
    /// The number of a thread of the channel to post in.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,20}$"))]
    pub thread_id: Option<String>,
    /// The name to post under, instead of the webhook's own.
    #[serde(default)]
    #[schemars(length(min = 1, max = 80))]
    pub username: Option<String>,
}

/// <https://discord.com/developers/docs/topics/rate-limits> and
/// <https://discord.com/developers/docs/reference#error-messages>.
const ANSWERS: Answers = Answers {
    reason: &["/message"],
    wait: &["/retry_after"],
    ..Answers::COMMON
};

impl Notifier for Discord {
    type Config = Config;

    const NAME: &'static str = "discord";
    const SUMMARY: &'static str = "Posts notices to a Discord channel";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.hook_url.expose().clone();
        if let Some(thread) = &config.thread_id {
            url.append_query("thread_id", thread);
        }
        let message = message::Message::new(notice, &config);
        let answer = Request::to_url("POST", url).json(&message).send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(Discord);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
