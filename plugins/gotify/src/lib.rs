//! Sends notices to a Gotify server.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Gotify;

/// The configuration of a Gotify application. `url` and `token` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's address.
    pub url: Uri,
    /// The application's token.
    pub token: Secret,
    /// How much noise a notice makes: 0 none, 1 to 3 an icon, 4 to 7 a sound, 8 to
    /// 10 vibration as well.
    #[serde(default)]
    pub priority: Priority,
}

/// A priority for each severity.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Priority {
    /// Of what is dead.
    #[schemars(range(min = 0, max = 10))]
    pub dead: u8,
    /// Of what is sick.
    #[schemars(range(min = 0, max = 10))]
    pub sick: u8,
    /// Of what is well again.
    #[schemars(range(min = 0, max = 10))]
    pub healthy: u8,
    /// Of all else.
    #[schemars(range(min = 0, max = 10))]
    pub info: u8,
}

impl Default for Priority {
    fn default() -> Self {
        Self {
            dead: 8,
            sick: 5,
            healthy: 5,
            info: 3,
        }
    }
}

/// Gotify names no limit; nobody reads more on a phone.
const TITLE: Limit = Limit::chars(250);
const MESSAGE: Limit = Limit::chars(10_000);

/// <https://gotify.net/api-docs>, the model `Error`.
const ANSWERS: Answers = Answers {
    reason: &["/errorDescription", "/error"],
    ..Answers::COMMON
};

/// The body of the request (<https://gotify.net/docs/pushmsg>).
#[derive(Debug, Serialize)]
struct Body {
    title: String,
    message: String,
    priority: u8,
    /// <https://gotify.net/docs/msgextras>.
    extras: Value,
}

impl Notifier for Gotify {
    type Config = Config;

    const NAME: &'static str = "gotify";
    const SUMMARY: &'static str = "Sends notices to a Gotify server";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let wording = Wording::of(notice);
        let details = wording.details(Markup::Plain, MESSAGE);
        let mut extras = json!({"client::display": {"contentType": "text/plain"}});
        if let Some(link) = wording.page_link() {
            extras["client::notification"] = json!({"click": {"url": link.url}});
        }
        let message = Body {
            title: TITLE.cut(&wording.headline()),
            // Gotify refuses a message without text.
            message: if details.is_empty() {
                MESSAGE.cut(wording.subject())
            } else {
                details
            },
            priority: match wording.severity {
                Severity::Dead => config.priority.dead,
                Severity::Sick => config.priority.sick,
                Severity::Healthy => config.priority.healthy,
                Severity::Info => config.priority.info,
            },
            extras,
        };
        let mut url = config.url.url().clone();
        url.push_path("message");
        let answer = Request::to_url("POST", url)
            .header("x-gotify-key", config.token.expose())
            .json(&message)
            .send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(Gotify);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
