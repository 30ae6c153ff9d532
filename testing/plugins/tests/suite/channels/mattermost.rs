//! Mattermost, by <https://developers.mattermost.com/integrate/webhooks/incoming/>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, any_text, channel_tests, json, list, only, text};

const PATH: &str = "/hooks/XXXXXXXXXXXXXXXX";

pub(super) const MATTERMOST: Service = Service {
    notifier: "mattermost",
    config: |server| json!({"hook_url": format!("{server}{PATH}")}),
    taken: || Answer::ok().body("ok"),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook.","detailed_error":"","request_id":"x","status_code":400}"#,
                ),
                "permanent: status 400: Invalid webhook.",
            ),
            (
                Answer::status(403).body(
                    r#"{"id":"web.incoming_webhook.permissions.app_error","message":"Inappropriate channel permissions.","status_code":403}"#,
                ),
                "permanent: status 403: Inappropriate channel permissions.",
            ),
            (
                Answer::status(429).header("retry-after", "3").body("limit exceeded"),
                "temporary: status 429: limit exceeded (wait 3 s)",
            ),
            (
                Answer::status(500).body(r#"{"message":"Unable to create the post."}"#),
                "temporary: status 500: Unable to create the post.",
            ),
        ]
    },
    alive: &["@all", "@here", "@channel", "**bold**", "[x]("],
};

channel_tests!(MATTERMOST);

fn form(received: &Received) {
    let body = json(received, "POST", PATH);
    text(&body["text"], 16_383);
    let attachment = only(&body["attachments"]);
    let colour = text(&attachment["color"], 7);
    assert!(colour.starts_with('#') && colour.len() == 7, "{colour}");
    assert!(any_text(&attachment["text"]).chars().count() <= 4000);
    assert!(attachment["fallback"].is_string());
    for field in list(&attachment["fields"]) {
        text(&field["title"], 30);
        text(&field["value"], 4000);
        assert!(field["short"].is_boolean());
    }
    let all: usize = super::texts(received)
        .iter()
        .map(|text| text.chars().count())
        .sum();
    assert!(all <= 16_383, "{all}");
}

#[test]
fn a_post_says_what_is_wrong_and_to_whom() {
    plugin_tests::run(async {
        let service =
            MATTERMOST.with(json!({"channel": "town-square", "username": "W", "mention": "here"}));
        let body = service
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        assert_eq!(
            body["text"],
            "@here **❌ API is dead: \"<\u{200B}refused\\>\" & more**"
        );
        assert_eq!(
            (
                &body["channel"],
                &body["username"],
                &body["attachments"][0]["color"]
            ),
            (&"town-square".into(), &"W".into(), &"#C4291C".into())
        );
        let wrong = MATTERMOST.with(json!({"mention": "@here"}));
        assert!(wrong.refused().await.contains("config.mention"));
    });
}
