//! ntfy, by <https://docs.ntfy.sh/publish/#publish-as-json>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, json, text};

pub(super) const NTFY: Service = Service {
    notifier: "ntfy",
    config: |server| json!({"url": server, "topic": "XXXXXXXXXXXXXXXX", "token": "tk_XXXXXXXXXXXXXXXX"}),
    taken: || Answer::ok().body(r#"{"id":"x","event":"message"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(403).body(
                    r#"{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs/publish/#authentication"}"#,
                ),
                "permanent: status 403: forbidden",
            ),
            (
                Answer::status(429).body(
                    r#"{"code":42901,"http":429,"error":"limit reached: too many requests; increase your limits with a paid plan, see https://ntfy.sh","link":"x"}"#,
                ),
                "temporary: status 429: limit reached: too many requests; increase your limits with a paid plan, see https://ntfy.sh",
            ),
            (
                Answer::status(507).body(r#"{"code":50701,"http":507,"error":"cannot publish to UnifiedPush topic without previously active subscriber"}"#),
                "temporary: status 507: cannot publish to UnifiedPush topic without previously active subscriber",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(NTFY);

fn form(received: &Received) {
    let body = json(received, "POST", "/");
    assert!(received.body.len() <= 8192, "{}", received.body.len());
    assert_eq!(
        received.header("authorization"),
        Some("Bearer tk_XXXXXXXXXXXXXXXX")
    );
    assert_eq!(body["topic"], "XXXXXXXXXXXXXXXX");
    assert!(text(&body["title"], 250).len() <= 250);
    assert!(text(&body["message"], 4096).len() <= 4096);
    assert!((1..=5).contains(&body["priority"].as_u64().expect("it is as documented")));
    assert!(body["tags"].as_array().is_some_and(|tags| !tags.is_empty()));
    let actions = body
        .get("actions")
        .map(|actions| actions.as_array().expect("it is as documented").clone());
    let actions = actions.unwrap_or_default();
    assert!(actions.len() <= 3);
    for action in actions {
        assert_eq!(action["action"], "view");
        assert!(
            action["url"]
                .as_str()
                .expect("it is as documented")
                .starts_with("https://")
        );
    }
}

#[test]
fn a_notice_has_a_priority_and_buttons() {
    plugin_tests::run(async {
        let service = NTFY.with(json!({
            "token": null,
            "login": {"username": "me", "password": "secret"},
            "priority": {"dead": 4},
            "tags": ["web"],
        }));
        let received = service.delivered(plugin_tests::notice()).await;
        assert_eq!(received.header("authorization"), Some("Basic bWU6c2VjcmV0"));
        let body = received.json().expect("it is as documented");
        assert_eq!(body["priority"], 4);
        assert_eq!(body["tags"], json!(["x", "web"]));
        assert_eq!(body["title"], "API is dead: \"<refused>\" & more");
        assert_eq!(body["click"], "https://status.test/?a=1&b=2");
        assert_eq!(
            body["actions"],
            json!([{"action": "view", "label": "Status page", "url": "https://status.test/?a=1&b=2"}])
        );
    });
}

#[test]
fn a_topic_that_is_none_is_told_and_not_sent() {
    plugin_tests::run(async {
        for topic in ["", "a/b", "a b"] {
            let said = NTFY.with(json!({"topic": topic})).refused().await;
            assert!(said.starts_with("permanent: config.topic: "), "{said}");
        }
        let said = NTFY.with(json!({"priority": {"dead": 6}})).refused().await;
        assert!(said.contains("config.priority.dead"), "{said}");
    });
}
