//! Sends notices as text messages through Vonage.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request, Response};
use watchkeeper_sdk::wording::{Limit, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, recipients};

/// The notifier.
pub struct Vonage;

/// The configuration of a Vonage account, and of whom it tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account's API key.
    #[schemars(regex(pattern = r"^[0-9a-zA-Z]{1,32}$"))]
    pub api_key: String,
    /// The account's API secret.
    pub api_secret: Secret,
    /// The sender: a number in the form `+447700900000`, or a name.
    #[schemars(length(min = 1, max = 16))]
    pub from: String,
    /// Whom to tell: numbers in the form `+447700900000`.
    #[schemars(
        length(min = 1, max = 50),
        inner(regex(pattern = r"^\+?[1-9][0-9]{5,14}$"))
    )]
    pub to: Vec<String>,
    /// The longest message in characters.
    #[serde(default = "max_length")]
    #[schemars(range(min = 70, max = 1000))]
    pub max_length: usize,
    /// Another address of the API.
    #[serde(default = "api")]
    pub api_url: Uri,
}

/// The SMS API names no limit; the Messages API has this one
/// (<https://developer.vonage.com/en/api/messages>).
const TEXT: Limit = Limit::utf16(1000);

/// Two or three text messages' room.
const USUAL: usize = 320;

/// Errors of the whole request.
const ANSWERS: Answers = Answers {
    reason: &[
        "/detail",
        "/title",
        "/messages/0/error-text",
        "/error-code-label",
    ],
    ..Answers::COMMON
};

/// Statuses after which trying again may help: throttled, internal error, too
/// many connections (<https://developer.vonage.com/en/api-errors/sms>).
const PASSING: [&str; 3] = ["1", "5", "10"];

/// The answer's body: one entry for each part of the message. Its status is 200
/// even where a message was refused.
#[derive(Debug, Deserialize)]
struct Sent {
    messages: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    status: String,
    #[serde(rename = "error-text", default)]
    error_text: String,
}

impl Notifier for Vonage {
    type Config = Config;

    const NAME: &'static str = "vonage";
    const SUMMARY: &'static str = "Sends notices as text messages through Vonage";
    const ASKS: &'static [Capability] = &[Capability::Http, Capability::State];
    const HOSTS: &'static [&'static str] = &["rest.nexmo.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.api_url.url().clone();
        url.push_path("sms");
        url.push_path("json");
        let text = Wording::of(notice).brief(TEXT.with(config.max_length.min(TEXT.most())));
        let kind = if is_simple(&text) { "text" } else { "unicode" };
        let from = config.from.trim_start_matches('+');
        recipients::each(notice, &config.to, |to| {
            let fields = [
                ("from", from),
                ("to", to.trim_start_matches('+')),
                ("text", text.as_str()),
                ("type", kind),
            ];
            let answer = Request::to_url("POST", url.clone())
                .basic_auth(&config.api_key, config.api_secret.expose())
                .form(&fields)
                .send()?;
            judge(&answer)
        })
    }
}

fn judge(answer: &Response) -> Result<(), Failure> {
    ANSWERS.judge(answer)?;
    let sent: Sent = answer.json()?;
    match sent.messages.iter().find(|part| part.status != "0") {
        None if sent.messages.is_empty() => Err(Failure::temporary("no message was sent")),
        None => Ok(()),
        Some(part) => {
            let words = watchkeeper_sdk::wording::line(&part.error_text);
            let reason = format!("status {}: {}", part.status, Limit::chars(200).cut(&words));
            Err(if PASSING.contains(&part.status.as_str()) {
                Failure::temporary(reason)
            } else {
                Failure::Permanent(reason)
            })
        }
    }
}

/// Whether the alphabet of plain text messages has it all: of ASCII it lacks the
/// grave accent (3GPP TS 23.038 section 6.2.1).
fn is_simple(text: &str) -> bool {
    text.is_ascii() && !text.contains('`')
}

fn max_length() -> usize {
    USUAL
}

fn api() -> Uri {
    Uri::parse("https://rest.nexmo.com").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(Vonage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_comes_with_a_status_of_success() {
        let judged = |body: &str| judge(&Response::new(200, &[], body));
        let sent = r#"{"message-count":"2","messages":[{"status":"0"},{"status":"0"}]}"#;
        assert_eq!(judged(sent), Ok(()));
        assert_eq!(
            judged(r#"{"messages":[{"status":"0"},{"status":"1","error-text":"Throttled"}]}"#),
            Err(Failure::temporary("status 1: Throttled"))
        );
        assert_eq!(
            judged(r#"{"messages":[{"status":"4","error-text":"Bad\r\nCredentials"}]}"#),
            Err(Failure::permanent("status 4: Bad Credentials"))
        );
        assert!(judged(r#"{"messages":[]}"#).is_err());
        assert!(judged("<html>").is_err());
    }

    #[test]
    fn only_the_small_alphabet_is_plain_text() {
        assert!(is_simple("API is dead: {refused} [1]~"));
        assert!(!is_simple("`"));
        assert!(!is_simple("…"));
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
