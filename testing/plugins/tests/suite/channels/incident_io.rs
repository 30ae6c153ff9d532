//! incident.io, by <https://docs.incident.io/api-reference/alert-events-v2/createhttp>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

pub(super) const INCIDENT_IO: Service = Service {
    notifier: "incident-io",
    config: |server| {
        json!({
            "source_id": "01GW2G3V0S59R238FAHPDS1R66",
            "token": "XXXXXXXXXXXXXXXX",
            "metadata": {"team": "web"},
            "api_url": server,
        })
    },
    taken: || {
        Answer::status(202).body(
            r#"{"deduplication_key":"x","message":"Event accepted for processing","status":"success"}"#,
        )
    },
    form,
    refusals: || {
        vec![
            (
                Answer::status(401).body(
                    r#"{"type":"authentication_error","status":401,"request_id":"x","errors":[{"code":"invalid_token","message":"The token is not valid for this alert source"}]}"#,
                ),
                "permanent: status 401: The token is not valid for this alert source",
            ),
            (
                Answer::status(429).header("retry-after", "7").body(
                    r#"{"type":"too_many_requests","status":429,"errors":[{"code":"rate_limit","message":"Too many requests hit the API too quickly."}]}"#,
                ),
                "temporary: status 429: Too many requests hit the API too quickly. (wait 7 s)",
            ),
            (
                Answer::status(502).body(""),
                "temporary: status 502",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(INCIDENT_IO);

fn form(received: &Received) {
    let body = json(
        received,
        "POST",
        "/v2/alert_events/http/01GW2G3V0S59R238FAHPDS1R66",
    );
    assert_eq!(
        received.header("authorization"),
        Some("Bearer XXXXXXXXXXXXXXXX")
    );
    text(&body["title"], 500);
    let description = body["description"].as_str().expect("it is as documented");
    for alive in ["**bold**", "[x](", "~~s~~", "<a href"] {
        assert!(!description.contains(alive), "{alive}");
    }
    assert_eq!(body["deduplication_key"], "api/health@1700000000000");
    assert!(
        ["firing", "resolved"].contains(&body["status"].as_str().expect("it is as documented"))
    );
    for (_, value) in body["metadata"].as_object().expect("it is as documented") {
        assert!(value.is_string());
    }
}

#[test]
fn an_outage_fires_and_its_end_resolves() {
    plugin_tests::run(async {
        let body = INCIDENT_IO.delivered(plugin_tests::notice()).await;
        let body = body.json().expect("it is as documented");
        assert_eq!(body["status"], "firing");
        assert_eq!(
            body["metadata"],
            json!({
                "team": "web",
                "severity": "dead",
                "service": "API",
                "monitor": "Health & speed",
            })
        );
        assert_eq!(body["source_url"], "https://status.test/?a=1&b=2");
        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        let over = INCIDENT_IO
            .delivered(over)
            .await
            .json()
            .expect("it is as documented");
        assert_eq!(over["status"], "resolved");
    });
}
