//! Posts notices to Microsoft Teams through a workflow's webhook.

mod card;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Teams;

/// The configuration of a Teams channel or chat.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address that the workflow "When a Teams webhook request is received"
    /// gives. Who knows it can post, so it is treated as a secret.
    pub hook_url: SecretUri,
}

/// Power Automate and the services behind it say `{"error":{"code":…,"message":…}}`.
const ANSWERS: Answers = Answers {
    reason: &["/error/message", "/message"],
    ..Answers::COMMON
};

/// How an answer of status 200 begins when Teams itself refused what the
/// connector had taken.
const FAILED: &str = "Webhook message delivery failed";

impl Notifier for Teams {
    type Config = Config;

    const NAME: &'static str = "teams";
    const SUMMARY: &'static str = "Posts notices to a Microsoft Teams channel or chat";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let answer = Request::to_url("POST", config.hook_url.expose().clone())
            .json(&card::message(notice))
            .send()?;
        ANSWERS.judge(&answer)?;
        let words = ANSWERS.words(&answer);
        if !words.starts_with(FAILED) {
            return Ok(());
        }
        // The status of Teams is somewhere in the sentence.
        Err(if words.contains("429") || words.contains("HTTP error 5") {
            Failure::temporary(words)
        } else {
            Failure::permanent(words)
        })
    }
}

watchkeeper_sdk::notifier!(Teams);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
