//! Pushover, by <https://pushover.net/api>.

use std::collections::BTreeMap;

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, form as fields};

pub(super) const PUSHOVER: Service = Service {
    notifier: "pushover",
    config: |server| json!({"token": "aXXXXXXXXXXXXXXXX", "user": "uXXXXXXXXXXXXXXXX", "api_url": server}),
    taken: || Answer::ok().body(r#"{"status":1,"request":"647d2300"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"user":"invalid","errors":["user identifier is invalid"],"status":0,"request":"5042853c"}"#,
                ),
                "permanent: status 400: user identifier is invalid",
            ),
            (
                Answer::status(429).body(
                    r#"{"errors":["application has exceeded its quota"],"status":0,"request":"x"}"#,
                ),
                "temporary: status 429: application has exceeded its quota",
            ),
            (
                Answer::status(500).body(""),
                "temporary: status 500",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(PUSHOVER);

fn table(received: &Received) -> BTreeMap<String, String> {
    fields(received).into_iter().collect()
}

fn form(received: &Received) {
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/1/messages.json")
    );
    let fields = table(received);
    assert_eq!(fields["token"], "aXXXXXXXXXXXXXXXX");
    assert_eq!(fields["user"], "uXXXXXXXXXXXXXXXX");
    for (name, most) in [("message", 1024), ("title", 250)] {
        assert!((1..=most).contains(&fields[name].chars().count()), "{name}");
    }
    for (name, most) in [("url", 512), ("url_title", 100)] {
        assert!(
            fields
                .get(name)
                .is_none_or(|text| text.chars().count() <= most)
        );
    }
    let priority: i32 = fields["priority"].parse().expect("it is as documented");
    assert!((-2..=2).contains(&priority));
    assert_eq!(fields["timestamp"], "1700000005");
    assert!(!fields.contains_key("html"));
}

#[test]
fn an_emergency_rings_until_it_is_over() {
    plugin_tests::run(async {
        let keys = json!({
            "priority": {"dead": 2},
            "retry": "90s",
            "expire": "2h",
            "sound": "siren",
            "device": "phone",
        });
        let service = PUSHOVER.with(keys);
        let dead = table(&service.delivered(plugin_tests::notice()).await);
        assert_eq!(dead["priority"], "2");
        assert_eq!(
            (dead["retry"].as_str(), dead["expire"].as_str()),
            ("90", "7200")
        );
        assert_eq!(
            (dead["sound"].as_str(), dead["device"].as_str()),
            ("siren", "phone")
        );
        assert_eq!(dead["title"], "❌ API is dead: \"<refused>\" & more");
        assert_eq!(dead["url"], "https://status.test/?a=1&b=2");
        let tag = &dead["tags"];
        assert_eq!(tag, "api-health-1700000000000");

        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        let received = service.delivered_all(over).await;
        let [cancelled, said] = received.as_slice() else {
            panic!("{received:?}");
        };
        assert_eq!(
            cancelled.path,
            format!("/1/receipts/cancel_by_tag/{tag}.json")
        );
        assert_eq!(table(cancelled)["token"], "aXXXXXXXXXXXXXXXX");
        let said = table(said);
        assert_eq!(said["priority"], "0");
        assert!(!said.contains_key("retry"));
    });
}

#[test]
fn an_emergency_that_cannot_be_is_told_and_not_sent() {
    plugin_tests::run(async {
        for (key, span) in [("retry", "10s"), ("expire", "4h")] {
            let service = PUSHOVER.with(json!({"priority": {"dead": 2}, key: span}));
            let said = service.refused().await;
            assert!(
                said.starts_with(&format!("permanent: config.{key}: ")),
                "{said}"
            );
        }
    });
}
