//! Alertmanager, by `api/v2/openapi.yaml` of
//! <https://github.com/prometheus/alertmanager>.

use serde_json::{Value, json};
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json};

pub(super) const ALERTMANAGER: Service = Service {
    notifier: "alertmanager",
    config: |server| json!({"url": format!("{server}/am"), "token": "XXXXXXXXXXXXXXXX"}),
    taken: || Answer::ok().body(""),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(r#""invalid label set: invalid name \"a b\"""#),
                "permanent: status 400: invalid label set: invalid name \"a b\"",
            ),
            (
                Answer::status(422)
                    .body(r#"{"code":601,"message":"0.labels in body is required"}"#),
                "permanent: status 422: 0.labels in body is required",
            ),
            (
                Answer::status(500).body("\"out of memory\""),
                "temporary: status 500: out of memory",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(ALERTMANAGER);

fn form(received: &Received) {
    let body = json(received, "POST", "/am/api/v2/alerts");
    assert_eq!(
        received.header("authorization"),
        Some("Bearer XXXXXXXXXXXXXXXX")
    );
    let alerts = body.as_array().expect("it is as documented");
    assert!(!alerts.is_empty());
    for alert in alerts {
        for (name, value) in alert["labels"].as_object().expect("it is as documented") {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            let value = value.as_str().expect("it is as documented");
            assert!((1..=200).contains(&value.chars().count()), "{name}");
        }
        assert_eq!(alert["labels"]["alertname"], "Watchkeeper");
        assert_eq!(alert["labels"]["thread"], "api/health@1700000000000");
        for (_, value) in alert["annotations"]
            .as_object()
            .expect("it is as documented")
        {
            assert!(!value.as_str().expect("it is as documented").is_empty());
        }
        assert!(at(&alert["startsAt"]) <= at(&alert["endsAt"]));
    }
}

fn at(value: &Value) -> i64 {
    let at: jiff::Timestamp = value
        .as_str()
        .expect("it is as documented")
        .parse()
        .expect("it is as documented");
    at.as_second()
}

/// `severity begin end`, relative to the first notice, of each alert.
fn spans(received: &Received) -> Vec<String> {
    let body = received.json().expect("it is as documented");
    let alerts = body.as_array().expect("it is as documented").iter();
    let relative = |value: &Value| at(value) - 1_700_000_000;
    alerts
        .map(|alert| {
            format!(
                "{} {} {}",
                alert["labels"]["severity"]
                    .as_str()
                    .expect("it is as documented"),
                relative(&alert["startsAt"]),
                relative(&alert["endsAt"])
            )
        })
        .collect()
}

fn notice(health: Verdict, seconds: u64) -> Notice {
    Notice {
        health,
        at: std::time::Duration::from_secs(1_700_000_000 + seconds),
        affected: vec![plugin_tests::affected("api:health:https://a.test/", health)],
        ..plugin_tests::notice()
    }
}

#[test]
fn an_outage_is_one_alert_for_each_severity_and_ends() {
    plugin_tests::run(async {
        let receiver = ALERTMANAGER.receiver().await;
        let keys = json!({"lasts": "1h", "labels": {"team": "web", "service": "shop"}});
        let trial = ALERTMANAGER.with(keys).trial(&receiver).remembering();
        let renamed = |notice: Notice| {
            let mut one = plugin_tests::affected("api:health:https://a.test/", Verdict::Dead);
            "Other".clone_into(&mut one.monitor);
            Notice {
                affected: vec![one],
                ..notice
            }
        };
        for notice in [
            notice(Verdict::Sick, 5),
            notice(Verdict::Dead, 60),
            // What it is about has changed in words, and is the same outage.
            renamed(notice(Verdict::Dead, 600)),
            renamed(notice(Verdict::Healthy, 700)),
        ] {
            assert_eq!(trial.deliver_in_words(notice).await, "delivered");
        }
        let received = receiver.received();
        let spans: Vec<_> = received.iter().map(spans).collect();
        assert_eq!(
            spans,
            [
                vec!["warning 0 3605"],
                vec!["warning 0 60", "critical 0 3660"],
                vec!["critical 0 4200"],
                vec!["critical 0 700"],
            ]
        );
        for received in &received {
            let labels = &received.json().expect("it is as documented")[0]["labels"];
            assert_eq!(
                (&labels["team"], &labels["service"], &labels["monitor"]),
                (&"web".into(), &"shop".into(), &"Health & speed".into())
            );
        }
    });
}

#[test]
fn the_end_of_what_nobody_remembers_ends_all_there_may_be() {
    plugin_tests::run(async {
        let over = ALERTMANAGER.delivered(notice(Verdict::Healthy, 9)).await;
        assert_eq!(spans(&over), ["critical 0 9", "warning 0 9"]);
        let service = ALERTMANAGER
            .with(json!({"token": null, "login": {"username": "me", "password": "secret"}}));
        let received = service.delivered(plugin_tests::notice()).await;
        assert_eq!(received.header("authorization"), Some("Basic bWU6c2VjcmV0"));
    });
}
