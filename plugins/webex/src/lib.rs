//! Posts notices to a Webex space or a person through a bot.

mod recipient;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, Url};

pub use self::recipient::Recipient;

/// The notifier.
pub struct Webex;

/// The configuration of a Webex bot and of whom it tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The bot's access token.
    pub token: Secret,
    /// Who is told.
    pub to: Recipient,
    /// Another address of the API; `https://webexapis.com` unless given.
    #[serde(default)]
    pub api_url: Option<Uri>,
}

/// <https://developer.webex.com/docs/api/v1/messages/create-a-message>: "The
/// maximum message length is 7439 bytes".
const TEXT: Limit = Limit::bytes(7439);

/// Half of it: two spaces before every line break double it at most.
const MARKDOWN: Limit = Limit::bytes(TEXT.most() / 2);

/// <https://developer.webex.com/docs/basics#api-errors>.
const ANSWERS: Answers = Answers {
    reason: &["/message", "/errors/0/description"],
    ..Answers::COMMON
};

/// The body of the request.
#[derive(Debug, Serialize)]
struct Message<'a> {
    #[serde(flatten)]
    to: &'a Recipient,
    text: String,
    markdown: String,
}

impl Notifier for Webex {
    type Config = Config;

    const NAME: &'static str = "webex";
    const SUMMARY: &'static str = "Posts notices to a Webex space";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["webexapis.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let api = config.api_url.map(|url| url.url().clone());
        let mut url = api.map_or_else(|| Url::parse("https://webexapis.com"), Ok);
        if let Ok(url) = &mut url {
            url.push_path("v1");
            url.push_path("messages");
        }
        let url = url.map_err(|error| Failure::permanent(format!("config.api_url: {error}")))?;
        let wording = Wording::of(notice);
        let message = Message {
            to: &config.to,
            text: wording.render(Markup::Plain, TEXT),
            // One line break is a space in Webex's Markdown, two spaces before it
            // make it a line's end.
            markdown: wording
                .render(Markup::Markdown, MARKDOWN)
                .replace('\n', "  \n"),
        };
        let answer = Request::to_url("POST", url)
            .bearer_auth(config.token.expose())
            .json(&message)
            .send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(Webex);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
