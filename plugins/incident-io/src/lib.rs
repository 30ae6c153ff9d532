//! Sends alert events to an HTTP alert source of incident.io.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording, line};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct IncidentIo;

/// The configuration of an HTTP alert source. `source_id` and `token` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The alert source's id: the last part of its address.
    #[schemars(regex(pattern = r"^[A-Za-z0-9]{1,64}$"))]
    pub source_id: String,
    /// The alert source's token.
    pub token: Secret,
    /// More metadata, by which the source can route.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Another address of the API.
    #[serde(default = "api")]
    pub api_url: Uri,
}

/// <https://docs.incident.io/api-reference/alert-events-v2/createhttp> names no
/// limits; people do.
const TITLE: Limit = Limit::chars(250);
const DESCRIPTION: Limit = Limit::chars(10_000);
const NAME: Limit = Limit::chars(200);

/// <https://docs.incident.io/api-reference/introduction#errors>.
const ANSWERS: Answers = Answers {
    reason: &["/errors/0/message", "/message"],
    ..Answers::COMMON
};

/// The body of the request.
#[derive(Debug, Serialize)]
struct Event {
    title: String,
    description: String,
    deduplication_key: String,
    status: &'static str,
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_url: Option<String>,
}

impl Notifier for IncidentIo {
    type Config = Config;

    const NAME: &'static str = "incident-io";
    const SUMMARY: &'static str = "Sends alert events to incident.io";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["api.incident.io:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.api_url.url().clone();
        for segment in ["v2", "alert_events", "http", &config.source_id] {
            url.push_path(segment);
        }
        let wording = Wording::of(notice);
        let event = Event {
            title: TITLE.cut(wording.subject()),
            // One line break is a space in Markdown, two spaces before it make it a
            // line's end.
            description: wording
                .details(Markup::Markdown, DESCRIPTION)
                .replace('\n', "  \n"),
            deduplication_key: notice.thread.clone(),
            status: if wording.severity == Severity::Healthy {
                "resolved"
            } else {
                "firing"
            },
            metadata: metadata(&config, notice, &wording),
            source_url: wording.page_link().map(|link| link.url.clone()),
        };
        let answer = Request::to_url("POST", url)
            .bearer_auth(config.token.expose())
            .json(&event)
            .send()?;
        ANSWERS.judge(&answer)
    }
}

fn metadata(config: &Config, notice: &Notice, wording: &Wording) -> BTreeMap<String, String> {
    let mut metadata = config.metadata.clone();
    metadata.insert("severity".to_owned(), wording.severity.word().to_owned());
    if let [first, rest @ ..] = notice.affected.as_slice() {
        if rest.iter().all(|other| other.service == first.service) {
            metadata.insert("service".to_owned(), NAME.cut(&line(&first.service)));
        }
        if rest.iter().all(|other| other.monitor == first.monitor) {
            metadata.insert("monitor".to_owned(), NAME.cut(&line(&first.monitor)));
        }
    }
    metadata
}

fn api() -> Uri {
    Uri::parse("https://api.incident.io").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(IncidentIo);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
