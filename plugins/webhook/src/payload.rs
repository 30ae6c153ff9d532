//! The two fixed bodies.

use serde::Serialize;
use watchkeeper_sdk::{Affected, Health, Notice, Occasion};

/// All that is known of the notice.
pub(crate) fn full(notice: &Notice) -> String {
    to_json(&Full {
        id: &notice.id,
        occasion: occasion(notice.occasion),
        health: health(notice.health),
        previous: notice.previous.map(health),
        at: notice.at.to_string(),
        title: &notice.title,
        body: &notice.body,
        affected: notice.affected.iter().map(FullAffected::from).collect(),
        lasted_seconds: notice.lasted.map(|lasted| lasted.as_secs()),
        reminder: notice.reminder,
        page: Page {
            title: &notice.page_title,
            url: &notice.page_url,
        },
        incident_url: notice.incident_url.as_deref(),
        thread: &notice.thread,
        started: notice.started.map(|started| started.to_string()),
        acknowledge_url: notice.acknowledge_url.as_deref(),
    })
}

/// What Vigil 1.29 sends, byte for byte: it knows no occasions but these three,
/// and names only what is dead.
pub(crate) fn vigil(notice: &Notice) -> String {
    let (hour, minute, second) = notice.at.time_of_day();
    to_json(&Vigil {
        r#type: match notice.occasion {
            Occasion::Startup => "startup",
            Occasion::Reminder => "reminder",
            _ => "changed",
        },
        status: health(notice.health),
        time: format!("{hour:02}:{minute:02}:{second:02} UTC+00:00"),
        replicas: notice
            .affected
            .iter()
            .filter(|affected| affected.health == Health::Dead)
            .map(|affected| affected.id.as_str())
            .collect(),
        page: Page {
            title: &notice.page_title,
            url: &notice.page_url,
        },
    })
}

/// The affected targets alone, as in [`full`].
pub(crate) fn affected(notice: &Notice) -> String {
    to_json(
        &notice
            .affected
            .iter()
            .map(FullAffected::from)
            .collect::<Vec<_>>(),
    )
}

/// The contract's word.
pub(crate) fn health(health: Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::Sick => "sick",
        Health::Dead => "dead",
    }
}

/// The contract's word.
pub(crate) fn occasion(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Startup => "startup",
        Occasion::Changed => "changed",
        Occasion::Reminder => "reminder",
        Occasion::Incident => "incident",
        Occasion::Maintenance => "maintenance",
        Occasion::Announcement => "announcement",
        Occasion::Breach => "breach",
        Occasion::Trial => "trial",
    }
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists of them are JSON")
}

#[derive(Serialize)]
struct Full<'a> {
    id: &'a str,
    occasion: &'static str,
    health: &'static str,
    previous: Option<&'static str>,
    at: String,
    title: &'a str,
    body: &'a str,
    affected: Vec<FullAffected<'a>>,
    lasted_seconds: Option<u64>,
    reminder: u32,
    page: Page<'a>,
    incident_url: Option<&'a str>,
    thread: &'a str,
    started: Option<String>,
    acknowledge_url: Option<&'a str>,
}

#[derive(Serialize)]
struct FullAffected<'a> {
    id: &'a str,
    service: &'a str,
    monitor: &'a str,
    health: &'static str,
    reason: Option<&'a str>,
    since: String,
}

#[derive(Serialize)]
struct Vigil<'a> {
    r#type: &'static str,
    status: &'static str,
    time: String,
    replicas: Vec<&'a str>,
    page: Page<'a>,
}

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    url: &'a str,
}

impl<'a> From<&'a Affected> for FullAffected<'a> {
    fn from(affected: &'a Affected) -> Self {
        Self {
            id: &affected.id,
            service: &affected.service,
            monitor: &affected.monitor,
            health: health(affected.health),
            reason: affected.reason.as_deref(),
            since: affected.since.to_string(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use watchkeeper_sdk::Timestamp;

    use super::*;

    pub(crate) fn notice() -> Notice {
        let affected = |id: &str, health, reason: Option<&str>| Affected {
            id: id.to_owned(),
            service: "API".to_owned(),
            monitor: "Health".to_owned(),
            health,
            reason: reason.map(str::to_owned),
            since: Timestamp::from_seconds(1_700_000_000),
        };
        Notice {
            id: "n1".to_owned(),
            occasion: Occasion::Changed,
            health: Health::Dead,
            previous: Some(Health::Healthy),
            at: Timestamp::from_seconds(1_700_000_005),
            title: "API is dead: \"connection refused\"".to_owned(),
            body: "Two\nlines".to_owned(),
            affected: vec![
                affected("api:health:a", Health::Dead, Some("connection refused")),
                affected("api:health:b", Health::Sick, None),
            ],
            lasted: Some(Duration::from_secs(5)),
            reminder: 0,
            page_title: "Acme".to_owned(),
            page_url: "https://status.test/".to_owned(),
            incident_url: None,
            thread: "api/health@1".to_owned(),
            started: Some(Timestamp::from_seconds(1_700_000_000)),
            acknowledge_url: Some("https://status.test/a?k=1".to_owned()),
        }
    }

    #[test]
    fn our_own_tells_all() {
        let expected = concat!(
            r#"{"id":"n1","occasion":"changed","health":"dead","previous":"healthy","#,
            r#""at":"2023-11-14T22:13:25Z","title":"API is dead: \"connection refused\"","#,
            r#""body":"Two\nlines","affected":["#,
            r#"{"id":"api:health:a","service":"API","monitor":"Health","health":"dead","#,
            r#""reason":"connection refused","since":"2023-11-14T22:13:20Z"},"#,
            r#"{"id":"api:health:b","service":"API","monitor":"Health","health":"sick","#,
            r#""reason":null,"since":"2023-11-14T22:13:20Z"}],"lasted_seconds":5,"reminder":0,"#,
            r#""page":{"title":"Acme","url":"https://status.test/"},"incident_url":null,"#,
            r#""thread":"api/health@1","started":"2023-11-14T22:13:20Z","#,
            r#""acknowledge_url":"https://status.test/a?k=1"}"#,
        );
        assert_eq!(full(&notice()), expected);
    }

    #[test]
    fn vigils_is_what_its_receivers_know() {
        let expected = concat!(
            r#"{"type":"changed","status":"dead","time":"22:13:25 UTC+00:00","#,
            r#""replicas":["api:health:a"],"page":{"title":"Acme","url":"https://status.test/"}}"#,
        );
        assert_eq!(vigil(&notice()), expected);
        for (occasion, expected) in [
            (Occasion::Startup, "startup"),
            (Occasion::Reminder, "reminder"),
            (Occasion::Incident, "changed"),
        ] {
            let body = vigil(&Notice {
                occasion,
                ..notice()
            });
            assert!(
                body.starts_with(&format!(r#"{{"type":"{expected}""#)),
                "{body}"
            );
        }
    }
}
