//! A notice to be delivered.

use std::time::Duration;

use watchkeeper_sandbox::{Affected, Notice, Occasion, Verdict};

/// 2023-11-14T22:13:20Z.
const SINCE: Duration = Duration::from_secs(1_700_000_000);

/// Two targets of three are dead, one is sick; with every character that a format
/// may have to escape.
pub fn notice() -> Notice {
    Notice {
        id: "0192f3a1-notice".to_owned(),
        occasion: Occasion::Changed,
        health: Verdict::Dead,
        previous: Some(Verdict::Healthy),
        at: SINCE + Duration::from_secs(5),
        title: "API is dead: \"<refused>\" & more".to_owned(),
        body: "first line\nsecond \\ line".to_owned(),
        affected: vec![
            affected("api:health:https://a.test/", Verdict::Dead),
            affected("api:health:https://b.test/", Verdict::Sick),
            affected("api:jobs:tcp://c.test:5672", Verdict::Dead),
        ],
        lasted: Some(Duration::from_secs(125)),
        reminder: 0,
        page_title: "Acme <status>".to_owned(),
        page_url: "https://status.test/?a=1&b=2".to_owned(),
        incident_url: None,
        thread: "api/health@1700000000000".to_owned(),
        started: Some(SINCE),
        acknowledge_url: None,
    }
}

/// A target that a notice is about.
pub fn affected(id: &str, health: Verdict) -> Affected {
    Affected {
        id: id.to_owned(),
        service: "API".to_owned(),
        monitor: "Health & speed".to_owned(),
        health,
        reason: (health == Verdict::Dead).then(|| "connection refused".to_owned()),
        since: SINCE,
    }
}
