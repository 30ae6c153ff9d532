//! Home Assistant, by <https://developers.home-assistant.io/docs/api/rest/> and
//! <https://www.home-assistant.io/docs/automation/trigger/#webhook-trigger>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

pub(super) const HOME_ASSISTANT: Service = Service {
    notifier: "home-assistant",
    config: |server| {
        json!({"to": {"action": {
            "url": server,
            "token": "XXXXXXXXXXXXXXXX",
            "name": "notify.mobile_app_phone",
            "companion": true,
        }}})
    },
    taken: || Answer::ok().body("[]"),
    form,
    refusals: || {
        vec![
            (
                Answer::status(401).body("401: Unauthorized"),
                "permanent: status 401: 401: Unauthorized",
            ),
            (
                Answer::status(400).body(r#"{"message":"Service notify.x not found."}"#),
                "permanent: status 400: Service notify.x not found.",
            ),
            (
                Answer::status(500).body("500 Internal Server Error"),
                "temporary: status 500: 500 Internal Server Error",
            ),
        ]
    },
    alive: &["{{", "{%"],
};

channel_tests!(HOME_ASSISTANT);

fn form(received: &Received) {
    let body = json(received, "POST", "/api/services/notify/mobile_app_phone");
    assert_eq!(
        received.header("authorization"),
        Some("Bearer XXXXXXXXXXXXXXXX")
    );
    text(&body["title"], 1000);
    text(&body["message"], 10_000);
    let tag = text(&body["data"]["tag"], 64);
    assert_eq!(tag, "api/health@1700000000000");
}

#[test]
fn a_phone_is_told_as_the_companion_app_takes_it() {
    plugin_tests::run(async {
        let dead = HOME_ASSISTANT.delivered(plugin_tests::notice()).await;
        let dead = dead.json().expect("it is as documented");
        assert_eq!(dead["title"], "❌ API is dead: \"<refused>\" & more");
        assert_eq!(
            dead["data"],
            json!({
                "tag": "api/health@1700000000000",
                "clickAction": "https://status.test/?a=1&b=2",
                "url": "https://status.test/?a=1&b=2",
                "ttl": 0,
                "priority": "high",
                "push": {"interruption-level": "critical"},
            })
        );
        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        let over = HOME_ASSISTANT
            .delivered(over)
            .await
            .json()
            .expect("it is as documented");
        assert_eq!(over["data"].get("push"), None);
    });
}

#[test]
fn any_action_and_any_webhook_will_do() {
    plugin_tests::run(async {
        let receiver = super::receiver().await;
        let action = json!({"to": {"action": {
            "url": receiver.url(""),
            "token": "t",
            "name": "notify.persistent_notification",
            "data": {"color": "red"},
        }}});
        let webhook = json!({"to": {"webhook": receiver.url("/api/webhook/-secret")}});
        for config in [action, webhook] {
            let trial = plugin_tests::Trial::new("home-assistant", &config.to_string());
            let said = trial.deliver_in_words(plugin_tests::notice()).await;
            assert_eq!(said, "delivered");
        }
        let received = receiver.received();
        assert_eq!(
            received[0].path,
            "/api/services/notify/persistent_notification"
        );
        assert_eq!(
            received[0].json().expect("it is as documented")["data"],
            json!({"color": "red"})
        );
        assert_eq!(received[1].path, "/api/webhook/-secret");
        assert_eq!(received[1].header("authorization"), None);
        let body = received[1].json().expect("it is as documented");
        assert_eq!(
            (
                &body["severity"],
                &body["id"],
                &body["thread"],
                &body["url"]
            ),
            (
                &"dead".into(),
                &"0192f3a1-notice".into(),
                &"api/health@1700000000000".into(),
                &"https://status.test/?a=1&b=2".into()
            )
        );
        let wrong = HOME_ASSISTANT.with(json!({"to": {}})).refused().await;
        assert!(wrong.contains("config.to"), "{wrong}");
    });
}
