//! Webex, by <https://developer.webex.com/docs/api/v1/messages/create-a-message>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, any_text, channel_tests, json, text};

pub(super) const WEBEX: Service = Service {
    notifier: "webex",
    config: |server| json!({"token": "XXXXXXXXXXXXXXXX", "to": {"room": "Y2lz"}, "api_url": server}),
    taken: || Answer::ok().body(r#"{"id":"x"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(404).body(
                    r#"{"message":"The requested resource could not be found.","errors":[{"description":"The requested resource could not be found."}],"trackingId":"x"}"#,
                ),
                "permanent: status 404: The requested resource could not be found.",
            ),
            (
                Answer::status(401).body(
                    r#"{"message":"The request requires a valid access token set in the Authorization request header.","trackingId":"x"}"#,
                ),
                "permanent: status 401: The request requires a valid access token set in the Authorization request header.",
            ),
            (
                Answer::status(429).header("retry-after", "120").body(r#"{"message":"Too many requests"}"#),
                "temporary: status 429: Too many requests (wait 120 s)",
            ),
            (
                Answer::status(400).body(r#"{"errors":[{"description":"Invalid room ID"}]}"#),
                "permanent: status 400: Invalid room ID",
            ),
        ]
    },
    // The plain text is plain: Webex shows it where it cannot show the other.
    alive: &["\u{202E}"],
};

channel_tests!(WEBEX);

fn form(received: &Received) {
    let body = json(received, "POST", "/v1/messages");
    assert_eq!(
        received.header("authorization"),
        Some("Bearer XXXXXXXXXXXXXXXX")
    );
    assert_eq!(body["roomId"], "Y2lz");
    for name in ["text", "markdown"] {
        assert!(text(&body[name], 7439).len() <= 7439);
    }
    let markdown = any_text(&body["markdown"]);
    for alive in ["**bold**", "[x](", "<@1>", "<a href"] {
        assert!(!markdown.contains(alive), "{alive}");
    }
}

#[test]
fn a_person_is_told_as_a_space_is() {
    plugin_tests::run(async {
        let service = WEBEX.with(json!({"to": {"person": "a@b.test"}}));
        let body = service
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        assert_eq!(body["toPersonEmail"], "a@b.test");
        assert_eq!(body.get("roomId"), None);
        let markdown = body["markdown"].as_str().unwrap();
        assert!(
            markdown.starts_with(
                "**❌ API is dead: \"<\u{200B}refused\\>\" & more**  \nfirst line  \n"
            ),
            "{markdown}"
        );
        let both = WEBEX.with(json!({"to": {"person": "a@b.test", "room": "x"}}));
        assert!(both.refused().await.contains("config.to"));
    });
}
