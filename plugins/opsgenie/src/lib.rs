//! Creates Opsgenie alerts and closes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Opsgenie;

/// The configuration of an Opsgenie integration. Only `api_key` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The key of an API integration.
    pub api_key: Secret,
    /// Another address of the API, such as that of the EU,
    /// `https://api.eu.opsgenie.com`.
    #[serde(default = "api")]
    pub api_url: Uri,
    /// How urgent what is dead is.
    #[serde(default = "dead")]
    pub dead: Priority,
    /// How urgent what is sick is.
    #[serde(default = "sick")]
    pub sick: Priority,
    /// The name of the team that is told, instead of the integration's.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub team: Option<String>,
    /// Tags of every alert.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 50)))]
    pub tags: Vec<String>,
}

/// How urgent an alert is: `P1` most, `P5` least.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "their order is all that Opsgenie says of them")]
pub enum Priority {
    P1,
    P2,
    P3,
    P4,
    P5,
}

/// This and the following by <https://docs.opsgenie.com/docs/alert-api#create-alert>.
const MESSAGE: Limit = Limit::utf16(130);
const ALIAS: Limit = Limit::utf16(512);
const DESCRIPTION: Limit = Limit::utf16(15_000);

/// Of all names and values of `details` together.
const DETAILS: usize = 8000;

/// Of `note`, by <https://docs.opsgenie.com/docs/alert-api#close-alert>.
const NOTE: Limit = Limit::utf16(25_000);

/// <https://docs.opsgenie.com/docs/response>.
const ANSWERS: Answers = Answers {
    reason: &["/message"],
    ..Answers::COMMON
};

const SOURCE: &str = "Watchkeeper";

/// The body of the request that creates.
#[derive(Debug, Serialize)]
struct Alert<'a> {
    message: String,
    alias: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    responders: Vec<Responder<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    details: BTreeMap<&'static str, &'a str>,
    source: &'static str,
    priority: Priority,
}

#[derive(Debug, Serialize)]
struct Responder<'a> {
    name: &'a str,
    r#type: &'static str,
}

/// The body of the request that closes.
#[derive(Debug, Serialize)]
struct Close {
    source: &'static str,
    note: String,
}

impl Notifier for Opsgenie {
    type Config = Config;

    const NAME: &'static str = "opsgenie";
    const SUMMARY: &'static str = "Creates and closes Opsgenie alerts";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["api.opsgenie.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let wording = Wording::of(notice);
        let alias = ALIAS.cut(&notice.thread);
        let mut url = config.api_url.url().clone();
        url.push_path("v2");
        url.push_path("alerts");
        let is_over = wording.severity == Severity::Healthy;
        if is_over {
            url.push_path(&alias);
            url.push_path("close");
            url.append_query("identifierType", "alias");
        }
        let key = format!("GenieKey {}", config.api_key.expose());
        let request = Request::to_url("POST", url).header("authorization", key);
        let request = if is_over {
            request.json(&Close {
                source: SOURCE,
                note: wording.render(Markup::Plain, NOTE),
            })
        } else {
            request.json(&alert(&config, &wording, alias))
        };
        ANSWERS.judge(&request.send()?)
    }
}

fn alert<'a>(config: &'a Config, wording: &'a Wording, alias: String) -> Alert<'a> {
    let mut room = DETAILS;
    let facts = wording.facts.iter().filter(|fact| {
        let size = fact.label.len() + MESSAGE.size(&fact.value);
        let fits = size <= room;
        room -= if fits { size } else { 0 };
        fits
    });
    Alert {
        message: MESSAGE.cut(wording.subject()),
        alias,
        description: wording.details(Markup::Plain, DESCRIPTION),
        responders: config
            .team
            .iter()
            .map(|name| Responder {
                name,
                r#type: "team",
            })
            .collect(),
        tags: &config.tags,
        details: facts
            .map(|fact| (fact.label, fact.value.as_str()))
            .collect(),
        source: SOURCE,
        priority: match wording.severity {
            Severity::Dead => config.dead,
            Severity::Sick => config.sick,
            Severity::Info | Severity::Healthy => Priority::P5,
        },
    }
}

fn api() -> Uri {
    Uri::parse("https://api.opsgenie.com").expect("it is a URL with a host")
}

fn dead() -> Priority {
    Priority::P1
}

fn sick() -> Priority {
    Priority::P3
}

watchkeeper_sdk::notifier!(Opsgenie);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
