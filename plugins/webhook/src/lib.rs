//! Sends notices to a URL: as full JSON, as Vigil does, or as templates for the
//! body, the headers and the query say.

mod payload;
mod template;

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::Sha256;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::expect::StatusRange;
use watchkeeper_sdk::http::{Auth, Request, Response};
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
    /// More headers; one of the same name stands in for ours. The values may have
    /// placeholders.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// More parameters for the URL's query. The values may have placeholders.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Credentials to send.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// A key to sign the body with: adds the header `X-Watchkeeper-Signature`.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// What the receiver answers to what it takes.
    #[serde(default)]
    pub expect: Expected,
}

/// What the receiver answers to what it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// Status codes: `200`, `"2xx"`, `"200-204"`.
    #[schemars(length(min = 1))]
    pub status: Vec<StatusRange>,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            status: vec![StatusRange::SUCCESS],
        }
    }
}

impl Expected {
    /// Whether the answer says that the notice was taken. Where it does not, its
    /// status says whether trying again may help.
    fn judge(&self, response: &Response) -> Result<(), Failure> {
        let status = response.status();
        if self.status.iter().any(|range| range.contains(status)) {
            return Ok(());
        }
        response.delivered()?;
        let expected: Vec<String> = self.status.iter().map(ToString::to_string).collect();
        let expected = expected.join(", ");
        Err(Failure::permanent(format!(
            "status {status} where {expected} is expected"
        )))
    }
}

/// A request's method.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// GET, for receivers that want all in the query: without a body.
    Get,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Get => "GET",
        }
    }
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
    /// Nothing.
    None,
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
        let mut url = config.url.url().clone();
        for (name, value) in &message.query {
            url.append_query(name, value);
        }
        let mut request = Request::to_url(config.method.name(), url);
        if let Some(auth) = &config.auth {
            request = request.auth(auth);
        }
        for (name, value) in message.headers {
            request = request.header(name, value);
        }
        if let Some(body) = message.body {
            request = request.body(body);
        }
        config.expect.judge(&request.send()?)
    }
}

watchkeeper_sdk::notifier!(Webhook);

fn json() -> String {
    "application/json".to_owned()
}

/// What a request has besides its address.
#[derive(Debug)]
struct Message {
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Message {
    fn new(config: &Config, notice: &Notice) -> Result<Self, String> {
        let body = body(config, notice)?;
        let mut headers = vec![("idempotency-key".to_owned(), notice.id.clone())];
        if body.is_some() {
            let content_type = match config.format {
                Format::Template => config.content_type.clone(),
                Format::Watchkeeper | Format::Vigil | Format::None => json(),
            };
            headers.push(("content-type".to_owned(), content_type));
        }
        if let Some(secret) = &config.secret {
            let body = body.as_deref().unwrap_or_default();
            headers.push((
                "x-watchkeeper-signature".to_owned(),
                signature(secret, body),
            ));
        }
        for (name, value) in &config.headers {
            let value = Template::parse(&format!("config.headers.{name}"), value)?;
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.fill(notice, Escaping::Line)));
        }
        let mut query = Vec::new();
        for (name, value) in &config.query {
            let value = Template::parse(&format!("config.query.{name}"), value)?;
            query.push((name.clone(), value.fill(notice, Escaping::None)));
        }
        Ok(Self {
            query,
            headers,
            body,
        })
    }
}

fn body(config: &Config, notice: &Notice) -> Result<Option<String>, String> {
    if config.method == Method::Get && config.format != Format::None {
        return Err(
            "config.method: GET sends no body: it needs config.format = \"none\"".to_owned(),
        );
    }
    Ok(Some(match (config.format, &config.template) {
        (Format::Template, Some(template)) => {
            let template = Template::parse("config.template", template)?;
            template.fill(notice, Escaping::of(&config.content_type))
        }
        (Format::Template, None) => {
            return Err("config.template: the format \"template\" needs one".to_owned());
        }
        (Format::Watchkeeper | Format::Vigil | Format::None, Some(_)) => {
            return Err("config.template: needs config.format = \"template\"".to_owned());
        }
        (Format::Watchkeeper, None) => payload::full(notice),
        (Format::Vigil, None) => payload::vigil(notice),
        (Format::None, None) => return Ok(None),
    }))
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
            [signature(
                &Secret::new("k"),
                message.body.as_deref().unwrap()
            )]
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
        assert_eq!(
            message.body.as_deref(),
            Some("API is dead: \"connection refused\"!")
        );
        assert_eq!(header(&message, "content-type"), ["text/plain"]);
    }

    #[test]
    fn headers_and_query_are_templates_as_well() {
        let message = message(
            r#"{"url":"https://a.test/","method":"GET","format":"none",
                "headers":{"X-Health":"{{health}} {{body}}"},"query":{"t":"{{title}} & more"}}"#,
        )
        .unwrap();
        assert_eq!(header(&message, "x-health"), ["dead Two lines"]);
        let title = "API is dead: \"connection refused\" & more";
        assert_eq!(message.query, [("t".to_owned(), title.to_owned())]);
        assert_eq!(message.body, None);
        assert!(header(&message, "content-type").is_empty());
    }

    #[test]
    fn what_cannot_be_sent_names_its_key() {
        for (keys, expected) in [
            (r#""method":"GET""#, "config.method: GET sends no body"),
            (
                r#""headers":{"X":"{{x}}"}"#,
                "config.headers.X: no {{x}}; there are id",
            ),
            (r#""query":{"q":"{{"}"#, "config.query.q: {{ without }}"),
            (
                r#""format":"none","template":"x""#,
                "config.template: needs config.format",
            ),
        ] {
            let found = message(&format!(r#"{{"url":"https://a.test/",{keys}}}"#)).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn the_receiver_may_answer_otherwise() {
        let judge = |expect: &str, status| {
            let config = format!(r#"{{"url":"https://a.test/","expect":{expect}}}"#);
            let config: Config = watchkeeper_sdk::config::parse(&config).unwrap();
            config.expect.judge(&Response::new(status, &[], ""))
        };
        assert_eq!(judge("{}", 204), Ok(()));
        assert_eq!(judge(r#"{"status":[200,302]}"#, 302), Ok(()));
        assert_eq!(
            judge(r#"{"status":[201,"3xx"]}"#, 200),
            Err(Failure::permanent("status 200 where 201, 3xx is expected"))
        );
        assert_eq!(
            judge(r#"{"status":[201]}"#, 503),
            Err(Failure::temporary("status 503"))
        );
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
