//! Sends notices to a URL: as full JSON, as Vigil does, or as templates for the
//! body, the headers and the query say.

mod message;
mod payload;
mod template;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::expect::StatusRange;
use watchkeeper_sdk::http::{Auth, Request, Response};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, Problem, Stop};

use self::message::Form;

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

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        match Form::of(config) {
            Ok(_) => Ok(()),
            Err(why) => Err(vec![Stop::Misconfigured(why).into()]),
        }
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let form = Form::of(&config).map_err(Failure::Permanent)?;
        let message = form.fill(notice);
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

#[cfg(test)]
mod tests {
    use super::*;

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
