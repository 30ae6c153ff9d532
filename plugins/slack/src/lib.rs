//! Posts notices to a Slack channel through an incoming webhook.

mod message;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::Request;
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Slack;

/// The configuration of a Slack channel. Only `hook_url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The incoming webhook's address: `https://hooks.slack.com/services/…`. Who
    /// knows it can post, so it is treated as a secret.
    pub hook_url: SecretUri,
    /// Whom to mention while something is sick or dead: `channel`, `here`,
    /// `everyone`, a member (`U…`, `W…`) or a user group (`S…`).
    #[serde(default)]
    pub mention: Option<Mention>,
}

/// Someone to mention.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Mention(String);

impl TryFrom<String> for Mention {
    type Error = String;

    fn try_from(whom: String) -> Result<Self, String> {
        let is_id = whom.len() > 1
            && whom
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        match whom.chars().next() {
            _ if matches!(whom.as_str(), "channel" | "here" | "everyone") => {
                Ok(Self(format!("<!{whom}>")))
            }
            Some('U' | 'W') if is_id => Ok(Self(format!("<@{whom}>"))),
            Some('S') if is_id => Ok(Self(format!("<!subteam^{whom}>"))),
            _ => Err(format!(
                "{whom:?} is neither channel, here, everyone nor the id of a member (U…, W…) or group (S…)"
            )),
        }
    }
}

impl JsonSchema for Mention {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Mention".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(channel|here|everyone|[UWS][A-Z0-9]+)$",
            "examples": ["channel", "here", "U024BE7LH"],
        })
    }
}

impl Notifier for Slack {
    type Config = Config;

    const NAME: &'static str = "slack";
    const SUMMARY: &'static str = "Posts notices to a Slack channel";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let message = message::Message::new(notice, config.mention.as_ref());
        Request::to_url("POST", config.hook_url.expose().clone())
            .json(&message)
            .send()?
            .delivered()
    }
}

watchkeeper_sdk::notifier!(Slack);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_slacks() {
        for (whom, expected) in [
            ("channel", "<!channel>"),
            ("U024BE7LH", "<@U024BE7LH>"),
            ("S0614TZR7", "<!subteam^S0614TZR7>"),
        ] {
            assert_eq!(
                Mention::try_from(whom.to_owned()),
                Ok(Mention(expected.to_owned()))
            );
        }
        for whom in ["", "U", "bob", "U1>", "@here"] {
            assert!(Mention::try_from(whom.to_owned()).is_err(), "{whom}");
        }
    }

    #[test]
    fn the_hooks_address_is_secret_and_granted() {
        let description = watchkeeper_sdk::describe::notifier::<Slack>("0.1.0");
        let schema: serde_json::Value = serde_json::from_str(&description.config_schema).unwrap();
        let hook = &schema["properties"]["hook_url"];
        assert_eq!(
            (&hook["format"], &hook["writeOnly"]),
            (&"uri".into(), &true.into())
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
