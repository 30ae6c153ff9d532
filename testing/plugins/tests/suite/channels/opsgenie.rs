//! Opsgenie, by <https://docs.opsgenie.com/docs/alert-api>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

pub(super) const OPSGENIE: Service = Service {
    notifier: "opsgenie",
    config: |server| json!({"api_key": "XXXXXXXXXXXXXXXX", "api_url": server}),
    taken: || {
        Answer::status(202)
            .body(r#"{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c"}"#)
    },
    form,
    refusals: || {
        vec![
            (
                Answer::status(422).body(
                    r#"{"message":"Request body is not processable. Please check the errors.","errors":{"message":"Message can not be empty."},"took":0.0,"requestId":"38c21"}"#,
                ),
                "permanent: status 422: Request body is not processable. Please check the errors.",
            ),
            (
                Answer::status(403).body(
                    r#"{"message":"You are not authorized for the action.","took":0.0,"requestId":"x"}"#,
                ),
                "permanent: status 403: You are not authorized for the action.",
            ),
            (
                Answer::status(429).body(
                    r#"{"message":"You are making too many requests! To avoid this problem, slow down.","took":0.0}"#,
                ),
                "temporary: status 429: You are making too many requests! To avoid this problem, slow down.",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(OPSGENIE);

const CLOSE: &str = "/v2/alerts/api%2Fhealth%401700000000000/close?identifierType=alias";

fn form(received: &Received) {
    assert_eq!(
        received.header("authorization"),
        Some("GenieKey XXXXXXXXXXXXXXXX")
    );
    if received.path.contains("/close") {
        let body = json(received, "POST", CLOSE);
        text(&body["note"], 25_000);
        return;
    }
    let body = json(received, "POST", "/v2/alerts");
    text(&body["message"], 130);
    text(&body["alias"], 512);
    assert!(
        body["description"]
            .as_str()
            .expect("it is as documented")
            .encode_utf16()
            .count()
            <= 15_000
    );
    text(&body["source"], 100);
    let priority = body["priority"].as_str().expect("it is as documented");
    assert!(["P1", "P2", "P3", "P4", "P5"].contains(&priority));
    let details = body["details"].as_object().expect("it is as documented");
    let size: usize = details
        .iter()
        .map(|(name, value)| {
            name.len()
                + value
                    .as_str()
                    .expect("it is as documented")
                    .encode_utf16()
                    .count()
        })
        .sum();
    assert!(size <= 8000, "{size}");
}

#[test]
fn an_outage_is_created_and_closed() {
    plugin_tests::run(async {
        let service =
            OPSGENIE.with(json!({"team": "Ops", "tags": ["web"], "dead": "P2", "sick": "P4"}));
        let body = service.delivered(plugin_tests::notice()).await;
        let body = body.json().expect("it is as documented");
        assert_eq!(body["message"], "API is dead: \"<refused>\" & more");
        assert_eq!(body["alias"], "api/health@1700000000000");
        assert_eq!(body["responders"], json!([{"name": "Ops", "type": "team"}]));
        assert_eq!(body["tags"], json!(["web"]));
        assert_eq!(body["priority"], "P2");
        assert_eq!(body["details"]["Lasting"], "2 min 5 s");
        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        assert_eq!(service.delivered(over).await.path, CLOSE);
        let wrong = OPSGENIE.with(json!({"dead": "P6"})).refused().await;
        assert!(wrong.contains("config.dead"), "{wrong}");
    });
}
