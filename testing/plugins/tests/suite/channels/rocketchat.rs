//! Rocket.Chat, by <https://docs.rocket.chat/docs/integrations>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, any_text, channel_tests, json, list, only, text};

const PATH: &str = "/hooks/1/XXXXXXXXXXXXXXXX";

pub(super) const ROCKET_CHAT: Service = Service {
    notifier: "rocketchat",
    config: |server| json!({"hook_url": format!("{server}{PATH}")}),
    taken: || Answer::ok().body(r#"{"success":true}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(r#"{"success":false,"error":"invalid-channel"}"#),
                "permanent: status 400: invalid-channel",
            ),
            (
                Answer::ok().body(r#"{"success":false,"error":"no"}"#),
                "permanent: no",
            ),
            (
                Answer::status(404).body(
                    r#"{"success":false,"error":"Invalid integration id or token provided."}"#,
                ),
                "permanent: status 404: Invalid integration id or token provided.",
            ),
            (
                Answer::status(503).body("starting"),
                "temporary: status 503: starting",
            ),
            (Answer::ok().body("what a script says"), "delivered"),
        ]
    },
    alive: &["@all", "@here", "**bold**", "[x]("],
};

channel_tests!(ROCKET_CHAT);

fn form(received: &Received) {
    let body = json(received, "POST", PATH);
    text(&body["text"], 5000);
    let attachment = only(&body["attachments"]);
    let colour = text(&attachment["color"], 7);
    assert!(colour.starts_with('#') && colour.len() == 7, "{colour}");
    assert!(any_text(&attachment["text"]).chars().count() <= 5000);
    assert_eq!(attachment["ts"], "2023-11-14T22:13:25Z");
    for field in list(&attachment["fields"]) {
        text(&field["title"], 30);
        text(&field["value"], 4000);
        assert!(field["short"].is_boolean());
    }
}

#[test]
fn a_post_says_what_is_wrong_and_to_whom() {
    plugin_tests::run(async {
        let service = ROCKET_CHAT.with(json!({"channel": "#ops", "alias": "W", "mention": "all"}));
        let body = service
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        assert_eq!(
            body["text"],
            "@all ❌ API is dead: \"<\u{200B}refused\\>\" & more"
        );
        assert_eq!(
            (&body["channel"], &body["alias"]),
            (&"#ops".into(), &"W".into())
        );
        let wrong = ROCKET_CHAT.with(json!({"channel": "ops"}));
        assert!(wrong.refused().await.contains("config.channel"));
    });
}
