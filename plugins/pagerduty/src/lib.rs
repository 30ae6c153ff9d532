//! Triggers and resolves PagerDuty alerts through the Events API.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Link, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct PagerDuty;

/// The configuration of a PagerDuty integration. Only `routing_key` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The integration key of an integration of the type "Events API V2".
    pub routing_key: Secret,
    /// Another address of the Events API, such as that of the EU,
    /// `https://events.eu.pagerduty.com`.
    #[serde(default = "api")]
    pub api_url: Uri,
}

/// Of `payload.summary`, by
/// <https://developer.pagerduty.com/docs/send-alert-event#parameters>.
const SUMMARY: Limit = Limit::chars(1024);

/// Of `dedup_key`, by the same.
const KEY: Limit = Limit::chars(255);

/// Events have 512 kB at most
/// (<https://developer.pagerduty.com/docs/events-api-v2-overview#size-limits>).
/// Facts are never longer than 60 kB, so that with this much text the rest fits.
const TEXT: Limit = Limit::bytes(50_000);

/// Longer addresses are left out, for the same reason.
const ADDRESS: Limit = Limit::bytes(8192);

/// <https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic>.
const ANSWERS: Answers = Answers {
    reason: &["/errors", "/message"],
    ..Answers::COMMON
};

/// The body of the request.
#[derive(Debug, Serialize)]
struct Body<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    alert: Option<Alert<'a>>,
}

/// What a trigger says.
#[derive(Debug, Serialize)]
struct Alert<'a> {
    payload: Payload<'a>,
    links: Vec<Hyperlink<'a>>,
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Payload<'a> {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    custom_details: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct Hyperlink<'a> {
    href: &'a str,
    text: &'static str,
}

impl Notifier for PagerDuty {
    type Config = Config;

    const NAME: &'static str = "pagerduty";
    const SUMMARY: &'static str = "Triggers and resolves PagerDuty alerts";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["events.pagerduty.com:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.api_url.url().clone();
        url.push_path("v2");
        url.push_path("enqueue");
        let wording = Wording::of(notice);
        let is_over = wording.severity == Severity::Healthy;
        let event = Body {
            routing_key: config.routing_key.expose(),
            event_action: if is_over { "resolve" } else { "trigger" },
            dedup_key: KEY.cut(&notice.thread),
            alert: (!is_over).then(|| alert(notice, &wording)),
        };
        ANSWERS.judge(&Request::to_url("POST", url).json(&event).send()?)
    }
}

fn api() -> Uri {
    Uri::parse("https://events.pagerduty.com").expect("it is a URL with a host")
}

fn alert<'a>(notice: &'a Notice, wording: &'a Wording) -> Alert<'a> {
    let mut details: BTreeMap<_, _> = wording
        .facts
        .iter()
        .map(|fact| (fact.label, fact.value.clone()))
        .collect();
    if !wording.body.is_empty() {
        details.insert("Text", TEXT.cut(&wording.body));
    }
    // An affected target's names only where all of it is about that one.
    let only = match notice.affected.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let short = |link: &&Link| ADDRESS.holds(&link.url);
    Alert {
        payload: Payload {
            summary: SUMMARY.cut(wording.subject()),
            source: SUMMARY.cut(&source(notice, wording)),
            severity: match wording.severity {
                Severity::Dead => "critical",
                Severity::Sick => "warning",
                Severity::Info | Severity::Healthy => "info",
            },
            timestamp: notice.at.to_string(),
            component: only.and(fact(wording, "Monitor")),
            group: only.and(fact(wording, "Service")),
            custom_details: details,
        },
        links: wording
            .links
            .iter()
            .filter(short)
            .map(|link| Hyperlink {
                href: &link.url,
                text: link.label,
            })
            .collect(),
        client: "Watchkeeper",
        client_url: wording
            .page_link()
            .filter(short)
            .map(|link| link.url.as_str()),
    }
}

/// What is affected: one target by its address, several by their services.
fn source(notice: &Notice, wording: &Wording) -> String {
    if let Some(target) = fact(wording, "Target") {
        return target.to_owned();
    }
    let mut services: Vec<String> = notice
        .affected
        .iter()
        .map(|affected| watchkeeper_sdk::wording::line(&affected.service))
        .filter(|service| !service.is_empty())
        .collect();
    services.dedup();
    if services.is_empty() {
        "Watchkeeper".to_owned()
    } else {
        services.join(", ")
    }
}

fn fact<'a>(wording: &'a Wording, label: &str) -> Option<&'a str> {
    let found = wording.facts.iter().find(|fact| fact.label == label)?;
    Some(&found.value)
}

watchkeeper_sdk::notifier!(PagerDuty);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
