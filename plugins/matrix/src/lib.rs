//! Posts notices to a Matrix room.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Matrix;

/// The configuration of a Matrix room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The homeserver's address: `https://matrix.example.com`.
    pub homeserver: Uri,
    /// The access token of the account that posts; it must be in the room.
    pub access_token: Secret,
    /// The room's id: `!…`, in Element under Settings, Advanced. It is not its
    /// address, which begins with `#`.
    #[schemars(regex(pattern = r"^!\S+$"))]
    pub room: String,
    /// How the message counts.
    #[serde(default)]
    pub message: Kind,
}

/// How a message counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// As one of a program, which other programs do not answer.
    #[default]
    Notice,
    /// As one of a person: more clients make a sound.
    Text,
}

/// An event has 65,536 bytes at most
/// (<https://spec.matrix.org/v1.11/client-server-api/#size-limits>), with both
/// texts and what JSON adds to them.
const TEXT: Limit = Limit::bytes(10_000);

/// <https://spec.matrix.org/v1.11/client-server-api/#standard-error-response>.
const ANSWERS: Answers = Answers {
    reason: &["/error", "/errcode"],
    wait_millis: &["/retry_after_ms"],
    ..Answers::COMMON
};

/// The content of the event.
#[derive(Debug, Serialize)]
struct Message {
    msgtype: &'static str,
    body: String,
    format: &'static str,
    formatted_body: String,
    /// Nobody is mentioned by what the text happens to hold.
    #[serde(rename = "m.mentions")]
    mentions: Nobody,
}

#[derive(Debug, Serialize)]
struct Nobody {}

impl Notifier for Matrix {
    type Config = Config;

    const NAME: &'static str = "matrix";
    const SUMMARY: &'static str = "Posts notices to a Matrix room";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.homeserver.url().clone();
        for segment in ["_matrix", "client", "v3", "rooms", config.room.as_str()] {
            url.push_path(segment);
        }
        // The notice's id makes a second try no second message.
        for segment in ["send", "m.room.message", notice.id.as_str()] {
            url.push_path(segment);
        }
        let wording = Wording::of(notice);
        let message = Message {
            msgtype: match config.message {
                Kind::Notice => "m.notice",
                Kind::Text => "m.text",
            },
            body: wording.render(Markup::Plain, TEXT),
            format: "org.matrix.custom.html",
            formatted_body: wording.render(Markup::Html, TEXT).replace('\n', "<br>"),
            mentions: Nobody {},
        };
        let answer = Request::to_url("PUT", url)
            .bearer_auth(config.access_token.expose())
            .json(&message)
            .send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(Matrix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
