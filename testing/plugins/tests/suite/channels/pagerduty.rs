//! PagerDuty, by <https://developer.pagerduty.com/docs/send-alert-event>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

pub(super) const PAGERDUTY: Service = Service {
    notifier: "pagerduty",
    config: |server| json!({"routing_key": "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "api_url": server}),
    taken: || {
        Answer::status(202)
            .body(r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#)
    },
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#,
                ),
                "permanent: status 400: Length of 'routing_key' is incorrect (should be 32 characters)",
            ),
            (
                Answer::status(429).body(
                    r#"{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly. Please retry later."}"#,
                ),
                "temporary: status 429: Requests for this service are arriving too quickly. Please retry later.",
            ),
            (
                Answer::status(500).body("Internal Server Error"),
                "temporary: status 500: Internal Server Error",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(PAGERDUTY);

fn form(received: &Received) {
    let body = json(received, "POST", "/v2/enqueue");
    assert!(received.body.len() <= 512_000, "{}", received.body.len());
    assert_eq!(
        body["routing_key"]
            .as_str()
            .expect("it is as documented")
            .len(),
        32
    );
    text(&body["dedup_key"], 255);
    if body["event_action"] == "resolve" {
        assert_eq!(body.get("payload"), None);
        return;
    }
    assert_eq!(body["event_action"], "trigger");
    let payload = &body["payload"];
    assert!(text(&payload["summary"], 2048).chars().count() <= 1024);
    text(&payload["source"], 2048);
    let severity = payload["severity"].as_str().expect("it is as documented");
    assert!(["critical", "error", "warning", "info"].contains(&severity));
    let at: jiff::Timestamp = payload["timestamp"]
        .as_str()
        .expect("it is as documented")
        .parse()
        .expect("it is as documented");
    assert_eq!(at.as_second(), 1_700_000_005);
    for (_, value) in payload["custom_details"]
        .as_object()
        .expect("it is as documented")
    {
        assert!(value.is_string());
    }
    for link in body["links"].as_array().expect("it is as documented") {
        assert!(
            link["href"]
                .as_str()
                .expect("it is as documented")
                .starts_with("https://")
        );
        text(&link["text"], 100);
    }
}

#[test]
fn an_outage_triggers_and_its_end_resolves() {
    plugin_tests::run(async {
        let event = PAGERDUTY.delivered(plugin_tests::notice()).await;
        let event = event.json().expect("it is as documented");
        assert_eq!(event["event_action"], "trigger");
        assert_eq!(event["payload"]["severity"], "critical");
        assert_eq!(
            event["payload"]["summary"],
            "API is dead: \"<refused>\" & more"
        );
        assert_eq!(event["payload"]["source"], "API");
        assert_eq!(event["client_url"], "https://status.test/?a=1&b=2");
        let one = Notice {
            affected: vec![plugin_tests::affected(
                "api:health:https://a.test/",
                Verdict::Sick,
            )],
            health: Verdict::Sick,
            ..plugin_tests::notice()
        };
        let sick = PAGERDUTY
            .delivered(one)
            .await
            .json()
            .expect("it is as documented");
        let payload = &sick["payload"];
        assert_eq!(
            (
                &payload["severity"],
                &payload["source"],
                &payload["component"],
                &payload["group"]
            ),
            (
                &"warning".into(),
                &"https://a.test/".into(),
                &"Health & speed".into(),
                &"API".into()
            )
        );
        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        let over = PAGERDUTY
            .delivered(over)
            .await
            .json()
            .expect("it is as documented");
        assert_eq!(over["event_action"], "resolve");
        assert_eq!(over["dedup_key"], event["dedup_key"]);
        assert_eq!(over["dedup_key"], "api/health@1700000000000");
    });
}
