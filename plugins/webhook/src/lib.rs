//! Posts notices to a URL: as full JSON, as Vigil does, or as a template says.

mod payload;
mod template;

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::Sha256;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::Request;
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

use self::template::{Escaping, Template};

/// The notifier.
pub struct Webhook;

/// The configuration of a webhook. Only `url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to send the notices. Redirects are not followed.
    pub url: Uri,
    /// The request's method.
    #[serde(default)]
    pub method: Method,
    /// What the body is.
    #[serde(default)]
    pub format: Format,
    /// The body for the format `template`: any text with placeholders such as
    /// `{{title}}`.
    #[serde(default)]
    pub template: Option<String>,
    /// The template's content type, by which values are escaped.
    #[serde(default = "json")]
    #[schemars(length(min = 1, max = 200))]
    pub content_type: String,
    /// More headers; one of the same name stands in for ours.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A key to sign the body with: adds the header `X-Watchkeeper-Signature`.
    #[serde(default)]
    pub secret: Option<Secret>,
}

/// A request's method.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// All that is known of the notice, as JSON.
    #[default]
    Watchkeeper,
    /// What Vigil's webhook sends.
    Vigil,
    /// What `template` says.
    Template,
}

impl Notifier for Webhook {
    type Config = Config;

    const NAME: &'static str = "webhook";
    const SUMMARY: &'static str = "Posts notices to a URL";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let message = Message::new(&config, notice).map_err(Failure::Permanent)?;
        let method = match config.method {
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
        };
        let mut request = Request::to_url(method, config.url.url().clone());
        for (name, value) in message.headers {
            request = request.header(name, value);
        }
        request.body(message.body).send()?.delivered()
    }
}

watchkeeper_sdk::notifier!(Webhook);

fn json() -> String {
    "application/json".to_owned()
}

/// A request's headers and body.
#[derive(Debug)]
struct Message {
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    fn new(config: &Config, notice: &Notice) -> Result<Self, String> {
        let (content_type, body) = match (config.format, &config.template) {
            (Format::Template, Some(template)) => {
                let escaping = Escaping::of(&config.content_type);
                (
                    config.content_type.clone(),
                    Template::parse(template)?.fill(notice, escaping),
                )
            }
            (Format::Template, None) => {
                return Err("config.template: the format \"template\" needs one".to_owned());
            }
            (Format::Watchkeeper | Format::Vigil, Some(_)) => {
                return Err("config.template: needs config.format = \"template\"".to_owned());
            }
            (Format::Watchkeeper, None) => (json(), payload::full(notice)),
            (Format::Vigil, None) => (json(), payload::vigil(notice)),
        };
        let mut headers = vec![
            ("content-type".to_owned(), content_type),
            ("idempotency-key".to_owned(), notice.id.clone()),
        ];
        if let Some(secret) = &config.secret {
            headers.push((
                "x-watchkeeper-signature".to_owned(),
                signature(secret, &body),
            ));
        }
        for (name, value) in &config.headers {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
        }
        Ok(Self { headers, body })
    }
}

/// `sha256=` and the body's HMAC (RFC 2104) in hexadecimal, the form that
/// receivers of GitHub's webhooks know.
fn signature(secret: &Secret, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::tests::notice;

    fn message(config: &str) -> Result<Message, String> {
        Message::new(&watchkeeper_sdk::config::parse(config).unwrap(), &notice())
    }

    fn header<'a>(message: &'a Message, name: &str) -> Vec<&'a str> {
        let named = message
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn a_signature_is_what_the_receiver_computes() {
        // RFC 4231 section 4.3.
        assert_eq!(
            signature(&Secret::new("Jefe"), "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn headers_identify_sign_and_give_way() {
        let message = message(
            r#"{"url":"https://a.test/","secret":"k","headers":{"X-Token":"t","Content-Type":"x/y"}}"#,
        )
        .unwrap();
        assert_eq!(header(&message, "idempotency-key"), ["n1"]);
        assert_eq!(header(&message, "x-token"), ["t"]);
        assert_eq!(header(&message, "content-type"), ["x/y"]);
        assert_eq!(
            header(&message, "x-watchkeeper-signature"),
            [signature(&Secret::new("k"), &message.body)]
        );
    }

    #[test]
    fn a_template_and_its_format_belong_together() {
        let check = |config, expected: &str| assert_eq!(message(config).unwrap_err(), expected);
        check(
            r#"{"url":"https://a.test/","format":"template"}"#,
            "config.template: the format \"template\" needs one",
        );
        check(
            r#"{"url":"https://a.test/","template":"x"}"#,
            "config.template: needs config.format = \"template\"",
        );
        let message = message(
            r#"{"url":"https://a.test/","format":"template","content_type":"text/plain","template":"{{title}}!"}"#,
        )
        .unwrap();
        assert_eq!(message.body, "API is dead: \"connection refused\"!");
        assert_eq!(header(&message, "content-type"), ["text/plain"]);
    }

    #[test]
    fn the_schema_grants_the_url_and_marks_the_secrets() {
        let description = watchkeeper_sdk::describe::notifier::<Webhook>("0.1.0");
        let schema: serde_json::Value = serde_json::from_str(&description.config_schema).unwrap();
        assert_eq!(schema["properties"]["url"]["format"], "uri");
        assert_eq!(schema["required"], serde_json::json!(["url"]));
        assert!(
            schema["properties"]["secret"]
                .to_string()
                .contains(r#""writeOnly":true"#)
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
