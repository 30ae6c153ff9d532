//! Splunk On-Call, by
//! <https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

pub(super) const SPLUNK_ON_CALL: Service = Service {
    notifier: "splunk-on-call",
    config: |server| {
        json!({
            "url": format!("{server}/integrations/generic/20131114/alert/XXXXXXXXXXXXXXXX"),
            "routing_key": "ops",
        })
    },
    taken: || Answer::ok().body(r#"{"result":"success","entity_id":"api/health"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::ok().body(r#"{"result":"failure","messages":"no message_type"}"#),
                "permanent: no message_type",
            ),
            (
                Answer::status(404).body(r#"{"result":"failure","message":"unknown integration"}"#),
                "permanent: status 404: unknown integration",
            ),
            (
                Answer::status(503).body("try later"),
                "temporary: status 503: try later",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(SPLUNK_ON_CALL);

fn form(received: &Received) {
    let path = "/integrations/generic/20131114/alert/XXXXXXXXXXXXXXXX/ops";
    let body = json(received, "POST", path);
    let kind = body["message_type"].as_str().expect("it is as documented");
    assert!(["CRITICAL", "WARNING", "INFO", "RECOVERY"].contains(&kind));
    assert_eq!(text(&body["entity_id"], 512), "api/health@1700000000000");
    text(&body["entity_display_name"], 1000);
    let said = body["state_message"].as_str().expect("it is as documented");
    assert!((1..=20_480).contains(&said.chars().count()));
    assert_eq!(body["timestamp"], 1_700_000_005);
    assert_eq!(body["monitoring_tool"], "Watchkeeper");
}

#[test]
fn an_outage_and_its_end_are_one_entity() {
    plugin_tests::run(async {
        for (health, kind) in [
            (Verdict::Dead, "CRITICAL"),
            (Verdict::Sick, "WARNING"),
            (Verdict::Healthy, "RECOVERY"),
        ] {
            let notice = Notice {
                health,
                ..plugin_tests::notice()
            };
            let body = SPLUNK_ON_CALL
                .delivered(notice)
                .await
                .json()
                .expect("it is as documented");
            assert_eq!(body["message_type"], kind);
            assert_eq!(body["state_start_time"], 1_700_000_000);
            assert_eq!(body["vo_annotate.u.Status"], "https://status.test/?a=1&b=2");
        }
        let wrong = SPLUNK_ON_CALL
            .with(json!({"routing_key": "a/b"}))
            .refused()
            .await;
        assert!(wrong.contains("config.routing_key"), "{wrong}");
    });
}
