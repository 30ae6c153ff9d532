//! A notice as it lies in the outbox: written in the transaction of the change
//! that it tells, read again for every try to deliver it.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_sandbox as sandbox;

/// What happened, to be told through one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// The same on every try to deliver it.
    pub(crate) id: String,
    pub(crate) occasion: Occasion,
    pub(crate) health: Word,
    pub(crate) previous: Option<Word>,
    /// When it happened, in milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// One line: `Website is dead: connection refused`.
    pub(crate) title: String,
    /// More lines of plain text.
    pub(crate) body: String,
    pub(crate) affected: Vec<Affected>,
    /// How long it lasted, for reminders and recoveries.
    pub(crate) lasted_ms: Option<u64>,
    /// 0 for the first notice, then 1, 2, … for reminders.
    #[serde(default)]
    pub(crate) reminder: u32,
    pub(crate) page_title: String,
    pub(crate) page_url: String,
    /// The same for every notice about one outage, its recovery included. Empty
    /// in rows that an older version wrote.
    #[serde(default)]
    pub(crate) thread: String,
    /// When the outage began, in milliseconds since the epoch.
    #[serde(default)]
    pub(crate) started_ms: Option<i64>,
    /// The page of the incident that it belongs to.
    #[serde(default)]
    pub(crate) incident_url: Option<String>,
    /// Where a person acknowledges.
    #[serde(default)]
    pub(crate) acknowledge_url: Option<String>,
}

/// What kind of notice it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Occasion {
    /// A monitor's health changed.
    Changed,
    /// It is still not healthy.
    Reminder,
    /// The host has started.
    Startup,
    /// A maintenance begins soon, has begun or is over.
    Maintenance,
    /// A promise was broken.
    Breach,
    /// The host's own trouble, or its end.
    Host,
    /// As an older version wrote that the host lost its own network.
    Network,
}

/// A target that a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Affected {
    /// `service:monitor:target`.
    pub(crate) id: String,
    /// Labels.
    pub(crate) service: String,
    pub(crate) monitor: String,
    pub(crate) health: Word,
    pub(crate) reason: Option<String>,
    /// In milliseconds since the epoch.
    pub(crate) since_ms: i64,
}

/// A health as its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) Health);

impl Serialize for Word {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Health::from_word(&word)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("no health is called `{word}`")))
    }
}

impl Notice {
    /// The form in the outbox.
    pub(crate) fn to_payload(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialise")
    }

    /// Reads it back from the outbox.
    pub(crate) fn from_payload(payload: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(payload)
    }

    /// The form that a notifier is given.
    pub(crate) fn to_plugin(&self) -> sandbox::Notice {
        sandbox::Notice {
            id: self.id.clone(),
            occasion: self.occasion.to_plugin(),
            health: to_plugin_health(self.health),
            previous: self.previous.map(to_plugin_health),
            at: to_plugin_time(self.at_ms),
            title: self.title.clone(),
            body: self.body.clone(),
            affected: self.affected.iter().map(Affected::to_plugin).collect(),
            lasted: self.lasted_ms.map(Duration::from_millis),
            reminder: self.reminder,
            page_title: self.page_title.clone(),
            page_url: self.page_url.clone(),
            incident_url: self.incident_url.clone(),
            // No two notices of an older version are known to belong together.
            thread: if self.thread.is_empty() {
                self.id.clone()
            } else {
                self.thread.clone()
            },
            started: self.started_ms.map(to_plugin_time),
            acknowledge_url: self.acknowledge_url.clone(),
        }
    }
}

impl Occasion {
    /// As the contract has it, which has no word for the host's own trouble.
    const fn to_plugin(self) -> sandbox::Occasion {
        match self {
            Self::Changed | Self::Host | Self::Network => sandbox::Occasion::Changed,
            Self::Reminder => sandbox::Occasion::Reminder,
            Self::Startup => sandbox::Occasion::Startup,
            Self::Maintenance => sandbox::Occasion::Maintenance,
            Self::Breach => sandbox::Occasion::Breach,
        }
    }
}

impl Affected {
    fn to_plugin(&self) -> sandbox::Affected {
        sandbox::Affected {
            id: self.id.clone(),
            service: self.service.clone(),
            monitor: self.monitor.clone(),
            health: to_plugin_health(self.health),
            reason: self.reason.clone(),
            since: to_plugin_time(self.since_ms),
        }
    }
}

/// The contract has no word for not knowing; what is not known to work reads as
/// sick, and the title says which it is.
fn to_plugin_health(word: Word) -> sandbox::Verdict {
    match word.0 {
        Health::Healthy => sandbox::Verdict::Healthy,
        Health::Unknown | Health::Sick => sandbox::Verdict::Sick,
        Health::Dead => sandbox::Verdict::Dead,
    }
}

/// Since the epoch; a time before it (a clock that was never set) is the epoch.
fn to_plugin_time(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// `2026-11-21 04:12:09 CET`.
pub(crate) fn in_zone(at: Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    at.map_or_else(
        |_| "an unknown time".to_owned(),
        |at| at.to_zoned(zone.clone()).strftime("%F %T %Z").to_string(),
    )
}

/// A notice by which an operator tries out a notifier.
pub(crate) fn trial() -> sandbox::Notice {
    let now = to_plugin_time(crate::clock::wall().as_millis());
    let id = uuid::Uuid::now_v7().to_string();
    sandbox::Notice {
        id: id.clone(),
        occasion: sandbox::Occasion::Trial,
        health: sandbox::Verdict::Healthy,
        previous: None,
        at: now,
        title: "This is a trial".to_owned(),
        body: "If you can read this, Watchkeeper can reach you here.".to_owned(),
        affected: Vec::new(),
        lasted: None,
        reminder: 0,
        page_title: "Watchkeeper".to_owned(),
        page_url: String::new(),
        incident_url: None,
        thread: id,
        started: None,
        acknowledge_url: None,
    }
}

/// A notice of every kind, by the name under which the command line knows it.
pub(crate) fn examples() -> Vec<(&'static str, sandbox::Notice)> {
    let trial = trial();
    let minutes = |minutes: u64| Duration::from_mins(minutes);
    let began = trial.at.saturating_sub(minutes(12));
    let affected = |health, reason: Option<&str>| {
        vec![sandbox::Affected {
            id: "website:front:https://www.example.com/".to_owned(),
            service: "Website".to_owned(),
            monitor: "Front page".to_owned(),
            health,
            reason: reason.map(ToOwned::to_owned),
            since: began,
        }]
    };
    let base = sandbox::Notice {
        occasion: sandbox::Occasion::Changed,
        health: sandbox::Verdict::Dead,
        previous: Some(sandbox::Verdict::Healthy),
        title: "Website: Front page is dead: connection refused".to_owned(),
        body: "Since 12 minutes ago.".to_owned(),
        affected: affected(sandbox::Verdict::Dead, Some("connection refused")),
        page_title: "Status".to_owned(),
        page_url: "https://status.example.com".to_owned(),
        thread: format!("website/front@{}", began.as_millis()),
        started: Some(began),
        acknowledge_url: Some("https://status.example.com/acknowledge/example".to_owned()),
        ..trial.clone()
    };
    vec![
        ("outage", base.clone()),
        (
            "reminder",
            sandbox::Notice {
                occasion: sandbox::Occasion::Reminder,
                title: "Website: Front page is still dead after 12 min: connection refused"
                    .to_owned(),
                previous: Some(sandbox::Verdict::Dead),
                lasted: Some(minutes(12)),
                reminder: 2,
                ..base.clone()
            },
        ),
        (
            "recovered",
            sandbox::Notice {
                health: sandbox::Verdict::Healthy,
                previous: Some(sandbox::Verdict::Dead),
                title: "Website: Front page is healthy again after 12 min".to_owned(),
                affected: affected(sandbox::Verdict::Healthy, None),
                lasted: Some(minutes(12)),
                acknowledge_url: None,
                ..base.clone()
            },
        ),
        (
            "host",
            sandbox::Notice {
                health: sandbox::Verdict::Sick,
                previous: None,
                title: "The monitoring host has lost its own network".to_owned(),
                affected: Vec::new(),
                thread: format!("network@{}", began.as_millis()),
                acknowledge_url: None,
                ..base.clone()
            },
        ),
        (
            "startup",
            sandbox::Notice {
                occasion: sandbox::Occasion::Startup,
                health: sandbox::Verdict::Healthy,
                previous: None,
                title: "Status is being watched again".to_owned(),
                body: "As last known: 4 healthy.".to_owned(),
                affected: Vec::new(),
                thread: trial.id.clone(),
                started: None,
                acknowledge_url: None,
                ..base
            },
        ),
        ("trial", trial),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the version before threads wrote it.
    #[test]
    fn a_row_of_an_older_version_is_still_delivered() {
        let row = concat!(
            r#"{"id":"n1","occasion":"changed","health":"dead","previous":"healthy","#,
            r#""at_ms":1000,"title":"API is dead","body":"","affected":[],"lasted_ms":null,"#,
            r#""page_title":"Acme","page_url":"https://status.test/"}"#,
        );
        let told = Notice::from_payload(row).unwrap().to_plugin();
        assert_eq!(told.thread, "n1");
        assert_eq!((told.started, told.acknowledge_url), (None, None));
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let notice = Notice {
            id: "n2".to_owned(),
            occasion: Occasion::Changed,
            health: Word(Health::Dead),
            previous: None,
            at_ms: 2000,
            title: "API is dead".to_owned(),
            body: String::new(),
            affected: Vec::new(),
            lasted_ms: None,
            reminder: 3,
            page_title: "Acme".to_owned(),
            page_url: String::new(),
            thread: "api/health@1000".to_owned(),
            started_ms: Some(1000),
            incident_url: Some("https://status.test/incidents/1".to_owned()),
            acknowledge_url: Some("https://status.test/a".to_owned()),
        };
        let again = Notice::from_payload(&notice.to_payload()).unwrap();
        assert_eq!(again, notice);
        let told = again.to_plugin();
        assert_eq!(told.thread, "api/health@1000");
        assert_eq!(told.started, Some(Duration::from_secs(1)));
    }
}
