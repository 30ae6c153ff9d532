//! Vonage, by <https://developer.vonage.com/en/api/sms>.

use std::collections::BTreeMap;

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::Notice;

use super::{Service, channel_tests, form as fields};

pub(super) const VONAGE: Service = Service {
    notifier: "vonage",
    config: |server| {
        json!({
            "api_key": "abcd1234",
            "api_secret": "XXXXXXXXXXXXXXXX",
            "from": "AcmeInc",
            "to": ["+447700900000"],
            "api_url": server,
        })
    },
    taken: || {
        Answer::ok().body(
            r#"{"message-count":"1","messages":[{"to":"447700900000","message-id":"x","status":"0","remaining-balance":"3.14","message-price":"0.03","network":"12345"}]}"#,
        )
    },
    form,
    refusals: || {
        vec![
            (
                Answer::ok().body(
                    r#"{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}"#,
                ),
                "permanent: status 4: Bad Credentials",
            ),
            (
                Answer::ok().body(
                    r#"{"message-count":"1","messages":[{"status":"1","error-text":"Throughput Rate Exceeded - please wait [ 250 ] and retry"}]}"#,
                ),
                "temporary: status 1: Throughput Rate Exceeded - please wait [ 250 ] and retry",
            ),
            (
                Answer::status(401)
                    .body(r#"{"type":"x","title":"Unauthorized","detail":"You did not provide correct credentials."}"#),
                "permanent: status 401: You did not provide correct credentials.",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(VONAGE);

fn table(received: &Received) -> BTreeMap<String, String> {
    fields(received).into_iter().collect()
}

fn form(received: &Received) {
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/sms/json")
    );
    assert_eq!(
        received.header("authorization"),
        Some("Basic YWJjZDEyMzQ6WFhYWFhYWFhYWFhYWFhYWA==")
    );
    let fields = table(received);
    assert_eq!(
        (fields["from"].as_str(), fields["to"].as_str()),
        ("AcmeInc", "447700900000")
    );
    let size = fields["text"].encode_utf16().count();
    assert!((1..=320).contains(&size), "{size}");
    let is_simple = fields["text"].is_ascii() && !fields["text"].contains('`');
    assert_eq!(fields["type"], if is_simple { "text" } else { "unicode" });
}

#[test]
fn what_no_plain_text_message_can_say_is_sent_as_unicode() {
    plugin_tests::run(async {
        let plain = VONAGE.delivered(plugin_tests::notice()).await;
        assert_eq!(table(&plain)["type"], "text");
        let other = Notice {
            title: "Größe".to_owned(),
            ..plugin_tests::notice()
        };
        let other = table(&VONAGE.delivered(other).await);
        assert_eq!(other["type"], "unicode");
        assert!(other["text"].starts_with("Größe\n"));
    });
}
