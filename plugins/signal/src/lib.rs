//! Sends notices through Signal, by a signal-cli-rest-api of one's own.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request, Response};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Signal;

/// The configuration of a signal-cli-rest-api, and of whom it tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address of the signal-cli-rest-api.
    pub url: Uri,
    /// The number that is registered there, in the form `+15551234567`.
    #[schemars(regex(pattern = r"^\+[1-9][0-9]{5,14}$"))]
    pub number: String,
    /// Whom to tell: numbers, or groups by their id `group.…`.
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 200)))]
    pub recipients: Vec<String>,
    /// A token, where a proxy before it asks for one.
    #[serde(default)]
    pub token: Option<Secret>,
}

/// What Signal's apps show without a further tap: `MAX_INLINE_BODY_SIZE_BYTES` of
/// the one for Android.
const MESSAGE: Limit = Limit::bytes(2000);

/// <https://bbernhard.github.io/signal-cli-rest-api/#/Messages/post_v2_send>.
const ANSWERS: Answers = Answers {
    reason: &["/error"],
    ..Answers::COMMON
};

/// In the words of an error that trying again may cure. The status is 400 for all
/// that signal-cli could not do, its network included.
const PASSING: [&str; 6] = [
    "exception",
    "timeout",
    "timed out",
    "connection",
    "network",
    "rate limit",
];

/// The body of the request.
#[derive(Debug, Serialize)]
struct Body<'a> {
    number: &'a str,
    recipients: &'a [String],
    message: String,
    text_mode: &'static str,
}

impl Notifier for Signal {
    type Config = Config;

    const NAME: &'static str = "signal";
    const SUMMARY: &'static str = "Sends notices through Signal";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.url.url().clone();
        url.push_path("v2");
        url.push_path("send");
        let message = Body {
            number: &config.number,
            recipients: &config.recipients,
            message: Wording::of(notice).render(Markup::Plain, MESSAGE),
            // The other, `styled`, would read asterisks as marks.
            text_mode: "normal",
        };
        let request = Request::to_url("POST", url).json(&message);
        let request = match &config.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        judge(&request.send()?)
    }
}

fn judge(answer: &Response) -> Result<(), Failure> {
    ANSWERS.judge(answer).map_err(|failure| match failure {
        Failure::Permanent(reason) if answer.status() == 400 && is_passing(&reason) => {
            Failure::temporary(reason)
        }
        other => other,
    })
}

fn is_passing(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    PASSING.iter().any(|word| reason.contains(word))
}

watchkeeper_sdk::notifier!(Signal);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_is_gone_is_not_the_end() {
        let judged = |error: &str| {
            let body = serde_json::json!({ "error": error }).to_string();
            judge(&Response::new(400, &[], body))
        };
        assert_eq!(
            judged("Failed to send: java.net.UnknownHostException: chat.signal.org"),
            Err(Failure::temporary(
                "status 400: Failed to send: java.net.UnknownHostException: chat.signal.org"
            ))
        );
        assert_eq!(
            judged("Specified account does not exist"),
            Err(Failure::permanent(
                "status 400: Specified account does not exist"
            ))
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
