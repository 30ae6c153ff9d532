//! Alerts, by `api/v2/openapi.yaml` of Alertmanager. One is told from others by
//! its labels, so that those of an outage stay what they were at its beginning.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Notice, Timestamp};

use crate::Config;

type Labels = BTreeMap<String, String>;

/// Alertmanager names no limit; who is told by it has some.
const VALUE: Limit = Limit::chars(200);
const SUMMARY: Limit = Limit::chars(1000);
const DESCRIPTION: Limit = Limit::chars(10_000);

/// How long what is neither an outage nor its end is shown.
const SHORT: Duration = Duration::from_mins(5);

/// The two that an outage can have.
const TROUBLE: [&str; 2] = ["critical", "warning"];

/// What is remembered of an outage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Known {
    /// Without the severity.
    labels: Labels,
    severity: String,
    /// In nanoseconds since 1970.
    starts: u64,
}

/// What a notice makes of them.
#[derive(Debug)]
pub(crate) struct Alerts {
    pub(crate) posted: Vec<Alert>,
    /// What is to be remembered; none where nothing goes on.
    pub(crate) known: Option<Known>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    labels: Labels,
    annotations: Labels,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

/// The alerts of `notice`: one that begins or goes on, and one that ends for each
/// severity that the outage has no more.
pub(crate) fn alerts(
    config: &Config,
    notice: &Notice,
    wording: &Wording,
    known: Option<Known>,
) -> Alerts {
    let starts = known.as_ref().map(|known| known.starts);
    let starts = starts.or(notice.started.map(Timestamp::nanos));
    let starts = Timestamp::from_nanos(starts.unwrap_or(notice.at.nanos()).min(notice.at.nanos()));
    let labels = known
        .as_ref()
        .map_or_else(|| labels(config, notice), |known| known.labels.clone());
    let alert = |severity: &str, ends: Timestamp| Alert {
        labels: with(&labels, "severity", severity),
        annotations: annotations(wording),
        starts_at: starts.to_string(),
        ends_at: ends.to_string(),
        generator_url: wording.page_link().map(|link| link.url.clone()),
    };
    let now = match wording.severity {
        Severity::Dead => Some("critical"),
        Severity::Sick => Some("warning"),
        Severity::Healthy => None,
        Severity::Info => {
            return Alerts {
                posted: vec![alert("info", after(notice.at, SHORT))],
                known,
            };
        }
    };
    let before = known.as_ref().map(|known| known.severity.as_str());
    let mut posted: Vec<Alert> = TROUBLE
        .into_iter()
        .filter(|severity| Some(*severity) != now)
        // Of what nobody remembers either may still be there, once it is over.
        .filter(|severity| before.map_or(now.is_none(), |before| before == *severity))
        .map(|severity| alert(severity, notice.at))
        .collect();
    if let Some(severity) = now {
        posted.push(alert(severity, after(notice.at, config.lasts.duration())));
    }
    Alerts {
        posted,
        known: now.map(|severity| Known {
            labels: labels.clone(),
            severity: severity.to_owned(),
            starts: starts.nanos(),
        }),
    }
}

/// Those of the configuration win, but for what tells outages apart.
fn labels(config: &Config, notice: &Notice) -> Labels {
    let mut labels = Labels::from([("alertname".to_owned(), config.alertname.clone())]);
    let mut add = |name: &str, values: Vec<&str>| {
        // A label that changes with every target names nothing.
        if let Some(first) = values.first()
            && values.iter().all(|value| value == first)
            && !first.is_empty()
        {
            let value = VALUE.cut(&watchkeeper_sdk::wording::line(first));
            labels.insert(name.to_owned(), value);
        }
    };
    let affected = notice.affected.iter();
    add(
        "service",
        affected.clone().map(|one| one.service.as_str()).collect(),
    );
    add(
        "monitor",
        affected.map(|one| one.monitor.as_str()).collect(),
    );
    labels.extend(config.labels.clone());
    with(&labels, "thread", &notice.thread)
}

fn annotations(wording: &Wording) -> Labels {
    let mut annotations = Labels::from([("summary".to_owned(), SUMMARY.cut(wording.subject()))]);
    let description = wording.details(Markup::Plain, DESCRIPTION);
    if !description.is_empty() {
        annotations.insert("description".to_owned(), description);
    }
    annotations
}

fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.insert(name.to_owned(), value.to_owned());
    labels
}

fn after(at: Timestamp, span: Duration) -> Timestamp {
    let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    Timestamp::from_nanos(at.nanos().saturating_add(span))
}
