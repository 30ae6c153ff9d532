//! Publishes notices to an ntfy topic.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Link, Markup, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Ntfy;

/// The configuration of an ntfy topic. Only `topic` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The topic. On a server without access control who knows it can read and
    /// publish, so it is treated as a secret.
    pub topic: Secret,
    /// The server's address.
    #[serde(default = "server")]
    pub url: Uri,
    /// An access token: `tk_…`.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A user's name and password, where there is no token.
    #[serde(default)]
    pub login: Option<Login>,
    /// How much noise a notice makes, from 1 (none) to 5.
    #[serde(default)]
    pub priority: Priority,
    /// More tags; names of emoji are shown as such.
    #[serde(default)]
    #[schemars(length(max = 10), inner(length(min = 1, max = 50)))]
    pub tags: Vec<String>,
}

/// A user's name and password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name.
    #[schemars(length(min = 1))]
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// A priority for each severity.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Priority {
    /// Of what is dead.
    #[schemars(range(min = 1, max = 5))]
    pub dead: u8,
    /// Of what is sick.
    #[schemars(range(min = 1, max = 5))]
    pub sick: u8,
    /// Of what is well again.
    #[schemars(range(min = 1, max = 5))]
    pub healthy: u8,
    /// Of all else.
    #[schemars(range(min = 1, max = 5))]
    pub info: u8,
}

impl Default for Priority {
    fn default() -> Self {
        Self {
            dead: 5,
            sick: 4,
            healthy: 3,
            info: 3,
        }
    }
}

/// <https://docs.ntfy.sh/publish/#limitations>: a longer message becomes an
/// attachment, or is refused.
const MESSAGE: Limit = Limit::bytes(4096);

/// The server reads twice as much of the whole body, by `server/server.go`.
const BODY: usize = 2 * MESSAGE.most();

/// ntfy itself names no limit; with these the rest has room in the body.
const TITLE: Limit = Limit::bytes(250);
const ADDRESS: Limit = Limit::bytes(500);

/// <https://docs.ntfy.sh/publish/#action-buttons>: three at most.
const BUTTONS: usize = 3;

/// Errors have `error`, in words, as `server/errors.go` writes them.
const ANSWERS: Answers = Answers {
    reason: &["/error"],
    ..Answers::COMMON
};

/// The body of the request.
#[derive(Debug, Serialize)]
struct Body<'a> {
    topic: &'a str,
    title: String,
    message: String,
    priority: u8,
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Button<'a>>,
}

#[derive(Debug, Serialize)]
struct Button<'a> {
    action: &'static str,
    label: &'static str,
    url: &'a str,
}

impl Notifier for Ntfy {
    type Config = Config;

    const NAME: &'static str = "ntfy";
    const SUMMARY: &'static str = "Publishes notices to an ntfy topic";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["ntfy.sh:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let wording = Wording::of(notice);
        let mut message = message(&config, &wording)?;
        // Quotation marks and line breaks take two bytes in JSON.
        let mut most = MESSAGE.most();
        while serde_json::to_vec(&message).is_ok_and(|body| body.len() > BODY) && most > 0 {
            most /= 2;
            message.message = MESSAGE.with(most).cut(&message.message);
        }
        let request = Request::to_url("POST", config.url.url().clone()).json(&message);
        let request = match (&config.token, &config.login) {
            (Some(token), _) => request.bearer_auth(token.expose()),
            (None, Some(login)) => request.basic_auth(&login.username, login.password.expose()),
            (None, None) => request,
        };
        ANSWERS.judge(&request.send()?)
    }
}

fn message<'a>(config: &'a Config, wording: &'a Wording) -> Result<Body<'a>, Failure> {
    let Priority {
        dead,
        sick,
        healthy,
        info,
    } = config.priority;
    let (priority, tag) = match wording.severity {
        Severity::Dead => (dead, "x"),
        Severity::Sick => (sick, "warning"),
        Severity::Healthy => (healthy, "white_check_mark"),
        Severity::Info => (info, "information_source"),
    };
    let short = |link: &&Link| ADDRESS.holds(&link.url);
    Ok(Body {
        topic: topic(config.topic.expose())?,
        title: TITLE.cut(wording.subject()),
        message: text(wording),
        priority,
        tags: [tag]
            .into_iter()
            .chain(config.tags.iter().map(String::as_str))
            .collect(),
        click: wording
            .page_link()
            .filter(short)
            .map(|link| link.url.as_str()),
        actions: wording
            .links
            .iter()
            .filter(short)
            .take(BUTTONS)
            .map(|link| Button {
                action: "view",
                label: link.label,
                url: &link.url,
            })
            .collect(),
    })
}

/// Text and facts; the links are buttons. What has neither has the title twice:
/// an empty message reads "triggered".
fn text(wording: &Wording) -> String {
    let without_links = Wording {
        links: Vec::new(),
        ..wording.clone()
    };
    let text = without_links.details(Markup::Plain, MESSAGE);
    if text.is_empty() {
        MESSAGE.cut(wording.subject())
    } else {
        text
    }
}

/// <https://docs.ntfy.sh/publish/>: 64 letters, digits, `-` and `_` at most.
fn topic(topic: &str) -> Result<&str, Failure> {
    let is_topic = (1..=64).contains(&topic.len())
        && topic
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_topic {
        Ok(topic)
    } else {
        Err(Failure::permanent(
            "config.topic: a topic has 1 to 64 letters, digits, - and _",
        ))
    }
}

fn server() -> Uri {
    Uri::parse("https://ntfy.sh").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(Ntfy);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
