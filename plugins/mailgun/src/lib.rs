//! Sends notices as e-mail through Mailgun's HTTP API.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Mailgun;

/// The configuration of a Mailgun domain, and of whom it tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// An API key that may send from the domain.
    pub api_key: Secret,
    /// The sending domain.
    #[schemars(regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"))]
    pub domain: String,
    /// The sender: `status@example.com` or `Status <status@example.com>`.
    #[schemars(regex(pattern = r"^[^\r\n]{0,200}[^\s@<>,]+@[^\s@<>,]+>?$"))]
    pub from: String,
    /// Whom to tell, each as the sender is written.
    #[schemars(
        length(min = 1, max = 1000),
        inner(regex(pattern = r"^[^\r\n]{0,200}[^\s@<>,]+@[^\s@<>,]+>?$"))
    )]
    pub to: Vec<String>,
    /// Another address of the API, such as that of the EU,
    /// `https://api.eu.mailgun.net`.
    #[serde(default = "api")]
    pub api_url: Uri,
}

/// A line of a mail has 998 characters at most (RFC 5322 section 2.1.1), and an
/// encoded one more than twice as many bytes.
const SUBJECT: Limit = Limit::bytes(400);

/// Mailgun takes 25 MB; nobody reads more.
const TEXT: Limit = Limit::chars(20_000);

/// <https://documentation.mailgun.com/docs/mailgun/api-reference/mg-auth>.
const ANSWERS: Answers = Answers {
    reason: &["/message", "/Error"],
    ..Answers::COMMON
};

impl Notifier for Mailgun {
    type Config = Config;

    const NAME: &'static str = "mailgun";
    const SUMMARY: &'static str = "Sends notices as e-mail through Mailgun";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["api.mailgun.net:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.api_url.url().clone();
        for segment in ["v3", &config.domain, "messages"] {
            url.push_path(segment);
        }
        let wording = Wording::of(notice);
        let html = wording.render(Markup::Html, TEXT).replace('\n', "<br>\n");
        let id = |text: &str| format!("<{}@{}>", word(text), config.domain);
        let mut fields = vec![
            ("from", config.from.clone()),
            ("subject", SUBJECT.cut(&wording.headline())),
            ("text", wording.render(Markup::Plain, TEXT)),
            ("html", format!("<!doctype html>\n<p>{html}</p>\n")),
            // The same on every try, so that a mailbox can drop the second.
            ("h:Message-Id", id(&notice.id)),
            // No mail has this id; those that refer to it are shown together.
            ("h:References", id(&notice.thread)),
            ("h:Auto-Submitted", "auto-generated".to_owned()),
            ("o:tracking", "no".to_owned()),
        ];
        fields.extend(config.to.iter().map(|to| ("to", to.clone())));
        let answer = Request::to_url("POST", url)
            .basic_auth("api", config.api_key.expose())
            .form(&fields)
            .send()?;
        ANSWERS.judge(&answer)
    }
}

/// `text` as the left side of a message's id (RFC 5322 section 3.6.4).
fn word(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn api() -> Uri {
    Uri::parse("https://api.mailgun.net").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(Mailgun);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
