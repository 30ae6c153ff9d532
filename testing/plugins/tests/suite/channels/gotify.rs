//! Gotify, by <https://gotify.net/docs/pushmsg> and <https://gotify.net/api-docs>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

pub(super) const GOTIFY: Service = Service {
    notifier: "gotify",
    config: |server| json!({"url": format!("{server}/gotify/"), "token": "AXXXXXXXXXXXXXXXX"}),
    taken: || Answer::ok().body(r#"{"id":25,"appid":5,"message":"x","title":"x","priority":5}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(401).body(
                    r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token or user credentials to access this api"}"#,
                ),
                "permanent: status 401: you need to provide a valid access token or user credentials to access this api",
            ),
            (
                Answer::status(400).body(
                    r#"{"error":"Bad Request","errorCode":400,"errorDescription":"Field 'message' is required"}"#,
                ),
                "permanent: status 400: Field 'message' is required",
            ),
            (
                Answer::status(502).body("<html>"),
                "temporary: status 502: <html>",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(GOTIFY);

fn form(received: &Received) {
    let body = json(received, "POST", "/gotify/message");
    assert_eq!(received.header("x-gotify-key"), Some("AXXXXXXXXXXXXXXXX"));
    text(&body["title"], 500);
    text(&body["message"], 20_000);
    assert!((0..=10).contains(&body["priority"].as_i64().expect("it is as documented")));
    assert_eq!(
        body["extras"]["client::display"],
        json!({"contentType": "text/plain"})
    );
}

#[test]
fn a_message_has_a_priority_and_a_link() {
    plugin_tests::run(async {
        let service = GOTIFY.with(json!({"priority": {"healthy": 1}}));
        let body = service.delivered(plugin_tests::notice()).await;
        let body = body.json().expect("it is as documented");
        assert_eq!(body["title"], "❌ API is dead: \"<refused>\" & more");
        assert_eq!(body["priority"], 8);
        assert_eq!(
            body["extras"]["client::notification"]["click"]["url"],
            "https://status.test/?a=1&b=2"
        );
        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        assert_eq!(
            service
                .delivered(over)
                .await
                .json()
                .expect("it is as documented")["priority"],
            1
        );
    });
}
