//! Signal, by <https://bbernhard.github.io/signal-cli-rest-api/#/Messages/post_v2_send>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, json, text};

pub(super) const SIGNAL: Service = Service {
    notifier: "signal",
    config: |server| {
        json!({
            "url": server,
            "number": "+15550001111",
            "recipients": ["+15552223333", "group.abc="],
            "token": "XXXXXXXXXXXXXXXX",
        })
    },
    taken: || Answer::status(201).body(r#"{"timestamp":"1700000000000"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(r#"{"error":"Specified account does not exist"}"#),
                "permanent: status 400: Specified account does not exist",
            ),
            (
                Answer::status(400).body(
                    r#"{"error":"Failed to send message: java.net.UnknownHostException: chat.signal.org"}"#,
                ),
                "temporary: status 400: Failed to send message: java.net.UnknownHostException: chat.signal.org",
            ),
            (
                Answer::status(429).body(
                    r#"{"account":"+15550001111","challenge_tokens":["x"],"error":"Failed to send message due to rate limiting"}"#,
                ),
                "temporary: status 429: Failed to send message due to rate limiting",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(SIGNAL);

fn form(received: &Received) {
    let body = json(received, "POST", "/v2/send");
    assert_eq!(
        received.header("authorization"),
        Some("Bearer XXXXXXXXXXXXXXXX")
    );
    assert_eq!(body["number"], "+15550001111");
    assert_eq!(body["recipients"], json!(["+15552223333", "group.abc="]));
    assert_eq!(body["text_mode"], "normal");
    assert!(text(&body["message"], 2000).len() <= 2000);
}

#[test]
fn without_a_token_none_is_sent() {
    plugin_tests::run(async {
        let service = SIGNAL.with(json!({"token": null}));
        let received = service.delivered(plugin_tests::notice()).await;
        assert_eq!(received.header("authorization"), None);
        let body = received.json().expect("it is as documented");
        let message = body["message"].as_str().expect("it is as documented");
        assert!(
            message.starts_with("❌ API is dead: \"<refused>\" & more\nfirst line\n"),
            "{message}"
        );
        let wrong = SIGNAL.with(json!({"number": "555"})).refused().await;
        assert!(wrong.contains("config.number"), "{wrong}");
    });
}
