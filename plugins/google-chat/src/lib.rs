//! Posts notices to a Google Chat space through an incoming webhook.

mod card;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct GoogleChat;

/// The configuration of a Google Chat space. Only `hook_url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The webhook's address:
    /// `https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…`. Who knows
    /// it can post, so it is treated as a secret.
    pub hook_url: SecretUri,
    /// Mention everybody in the space while something is sick or dead.
    #[serde(default)]
    pub mention_all: bool,
    /// Keep the notices of one outage in one thread.
    #[serde(default = "default_threads")]
    pub threads: bool,
}

fn default_threads() -> bool {
    true
}

/// <https://cloud.google.com/apis/design/errors#http_mapping>.
const ANSWERS: Answers = Answers {
    reason: &["/error/message"],
    ..Answers::COMMON
};

impl Notifier for GoogleChat {
    type Config = Config;

    const NAME: &'static str = "google-chat";
    const SUMMARY: &'static str = "Posts notices to a Google Chat space";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.hook_url.expose().clone();
        if config.threads {
            // Without it a message with a thread's key begins a new thread.
            url.append_query("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
        }
        let answer = Request::to_url("POST", url)
            .json(&card::message(notice, &config))
            .send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(GoogleChat);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
