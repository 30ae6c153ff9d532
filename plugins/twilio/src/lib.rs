//! Sends notices as text messages through Twilio.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, recipients};

/// The notifier.
pub struct Twilio;

/// The configuration of a Twilio account, and of whom it tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account's SID: `AC…`.
    #[schemars(regex(pattern = r"^AC[0-9a-fA-F]{32}$"))]
    pub account_sid: String,
    /// The account's auth token, or the secret of `api_key`.
    pub auth_token: Secret,
    /// The SID of an API key, `SK…`, to log in with instead of the account's.
    #[serde(default)]
    #[schemars(regex(pattern = r"^SK[0-9a-fA-F]{32}$"))]
    pub api_key: Option<String>,
    /// The sender: a number of the account in the form `+15551234567`, a sender
    /// id, or the SID of a messaging service, `MG…`.
    #[schemars(length(min = 1, max = 64))]
    pub from: String,
    /// Whom to tell: numbers in the form `+15551234567`.
    #[schemars(
        length(min = 1, max = 50),
        inner(regex(pattern = r"^(whatsapp:)?\+[1-9][0-9]{5,14}$"))
    )]
    pub to: Vec<String>,
    /// The longest message in characters; 1600 is the most that Twilio takes.
    #[serde(default = "max_length")]
    #[schemars(range(min = 70, max = 1600))]
    pub max_length: usize,
    /// Another address of the API.
    #[serde(default = "api")]
    pub api_url: Uri,
}

/// <https://www.twilio.com/docs/api/errors/21617>: "up to 1,600 characters".
const BODY: Limit = Limit::utf16(1600);

/// By the same: "keep SMS messages under 320 characters when possible".
const USUAL: usize = 320;

/// <https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions>.
const ANSWERS: Answers = Answers {
    reason: &["/message"],
    ..Answers::COMMON
};

impl Notifier for Twilio {
    type Config = Config;

    const NAME: &'static str = "twilio";
    const SUMMARY: &'static str = "Sends notices as text messages through Twilio";
    const ASKS: &'static [Capability] = &[Capability::Http, Capability::State];
    const HOSTS: &'static [&'static str] = &["api.twilio.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.api_url.url().clone();
        for segment in ["2010-04-01", "Accounts", &config.account_sid] {
            url.push_path(segment);
        }
        url.push_path("Messages.json");
        let body = Wording::of(notice).brief(BODY.with(config.max_length.min(BODY.most())));
        let sender = if config.from.starts_with("MG") && config.from.len() == 34 {
            "MessagingServiceSid"
        } else {
            "From"
        };
        let user = config.api_key.as_deref().unwrap_or(&config.account_sid);
        recipients::each(notice, &config.to, |to| {
            let fields = [
                ("To", to),
                (sender, config.from.as_str()),
                ("Body", body.as_str()),
            ];
            let answer = Request::to_url("POST", url.clone())
                .basic_auth(user, config.auth_token.expose())
                .form(&fields)
                .send()?;
            ANSWERS.judge(&answer)
        })
    }
}

fn max_length() -> usize {
    USUAL
}

fn api() -> Uri {
    Uri::parse("https://api.twilio.com").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(Twilio);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
