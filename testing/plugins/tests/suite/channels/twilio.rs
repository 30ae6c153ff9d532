//! Twilio, by <https://www.twilio.com/docs/messaging/api/message-resource>.

use std::collections::BTreeMap;

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, form as fields};

const SID: &str = "AC0123456789abcdef0123456789abcdef";

pub(super) const TWILIO: Service = Service {
    notifier: "twilio",
    config: |server| {
        json!({
            "account_sid": SID,
            "auth_token": "XXXXXXXXXXXXXXXX",
            "from": "+15550001111",
            "to": ["+15552223333"],
            "api_url": server,
        })
    },
    taken: || Answer::status(201).body(r#"{"sid":"SM1","status":"queued"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"code":21211,"message":"The 'To' number +15552223333 is not a valid phone number.","more_info":"https://www.twilio.com/docs/errors/21211","status":400}"#,
                ),
                "permanent: status 400: The 'To' number +15552223333 is not a valid phone number.",
            ),
            (
                Answer::status(401).body(
                    r#"{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#,
                ),
                "permanent: status 401: Authenticate",
            ),
            (
                Answer::status(429)
                    .body(r#"{"code":20429,"message":"Too Many Requests","status":429}"#),
                "temporary: status 429: Too Many Requests",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(TWILIO);

fn table(received: &Received) -> BTreeMap<String, String> {
    fields(received).into_iter().collect()
}

fn form(received: &Received) {
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        (
            "POST",
            format!("/2010-04-01/Accounts/{SID}/Messages.json").as_str()
        )
    );
    let user = "QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpYWFhYWFhYWFhYWFhYWFhY";
    assert_eq!(
        received.header("authorization"),
        Some(format!("Basic {user}").as_str())
    );
    let fields = table(received);
    assert_eq!(fields["To"], "+15552223333");
    assert_eq!(fields["From"], "+15550001111");
    let size = fields["Body"].encode_utf16().count();
    assert!((1..=320).contains(&size), "{size}");
}

#[test]
fn a_message_is_short_and_without_emoji() {
    plugin_tests::run(async {
        let received = TWILIO.delivered(plugin_tests::notice()).await;
        assert_eq!(
            table(&received)["Body"],
            "API is dead: \"<refused>\" & more\nfirst line\nsecond \\ line\n\
             Status page: https://status.test/?a=1&b=2"
        );
        let service = TWILIO.with(json!({
            "from": "MG0123456789abcdef0123456789abcdef",
            "api_key": "SK0123456789abcdef0123456789abcdef",
            "max_length": 70,
        }));
        let received = service.delivered(plugin_tests::notice()).await;
        let fields = table(&received);
        assert_eq!(
            fields["MessagingServiceSid"],
            "MG0123456789abcdef0123456789abcdef"
        );
        assert!(!fields.contains_key("From"));
        assert!(fields["Body"].encode_utf16().count() <= 70);
        let wrong = TWILIO.with(json!({"to": ["555"]})).refused().await;
        assert!(wrong.contains("config.to"), "{wrong}");
    });
}

#[test]
fn nobody_is_told_twice_because_somebody_could_not_be() {
    plugin_tests::run(async {
        let receiver = TWILIO.receiver().await;
        let keys = json!({"to": ["+15552220001", "+15552220002", "+15552220003"]});
        let trial = TWILIO.with(keys).trial(&receiver).remembering();
        let busy = || Answer::status(429).body(r#"{"message":"Too Many Requests"}"#);
        receiver.then([(TWILIO.taken)(), busy(), (TWILIO.taken)()]);
        assert_eq!(
            trial.deliver_in_words(plugin_tests::notice()).await,
            "temporary: +15552220002: status 429: Too Many Requests"
        );
        assert_eq!(
            trial.deliver_in_words(plugin_tests::notice()).await,
            "delivered"
        );
        let told: Vec<String> = receiver
            .received()
            .iter()
            .map(|received| table(received)["To"].clone())
            .collect();
        assert_eq!(
            told,
            [
                "+15552220001",
                "+15552220002",
                "+15552220003",
                "+15552220002"
            ]
        );
    });
}
