//! Google Chat, by <https://developers.google.com/workspace/chat/quickstart/webhooks>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, json, list, only, text};

const HOOK: &str = "/v1/spaces/AAAA/messages?key=k&token=XXXXXXXXXXXXXXXX";

pub(super) const GOOGLE_CHAT: Service = Service {
    notifier: "google-chat",
    config: |server| json!({"hook_url": format!("{server}{HOOK}")}),
    taken: || Answer::ok().body(r#"{"name":"spaces/AAAA/messages/B"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"error":{"code":400,"message":"Invalid JSON payload received.","status":"INVALID_ARGUMENT"}}"#,
                ),
                "permanent: status 400: Invalid JSON payload received.",
            ),
            (
                Answer::status(429).body(
                    r#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#,
                ),
                "temporary: status 429: Resource has been exhausted (e.g. check quota).",
            ),
            (
                Answer::status(404).body(
                    r#"{"error":{"code":404,"message":"Space not found.","status":"NOT_FOUND"}}"#,
                ),
                "permanent: status 404: Space not found.",
            ),
            (
                Answer::status(503).body(r#"{"error":{"code":503,"message":"try later"}}"#),
                "temporary: status 503: try later",
            ),
        ]
    },
    // The title and the text for notifications are plain, and mention nobody.
    alive: &["<a href='https://evil.test/'>z</a>\n"],
};

channel_tests!(GOOGLE_CHAT);

fn form(received: &Received) {
    let path = format!("{HOOK}&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
    let body = json(received, "POST", &path);
    assert!(received.body.len() <= 32_000, "{}", received.body.len());
    assert_eq!(
        body["thread"],
        json!({"threadKey": "api/health@1700000000000"})
    );
    assert_eq!(body.get("text"), None);
    text(&body["fallbackText"], 600);
    let card = only(&body["cardsV2"]);
    text(&card["cardId"], 64);
    text(&card["card"]["header"]["title"], 600);
    let Some(sections) = card["card"].get("sections") else {
        return;
    };
    for widget in list(&sections[0]["widgets"]) {
        let html = if let Some(paragraph) = widget.get("textParagraph") {
            text(&paragraph["text"], 20_000)
        } else if let Some(decorated) = widget.get("decoratedText") {
            text(&decorated["topLabel"], 30);
            text(&decorated["text"], 10_000)
        } else {
            for button in list(&widget["buttonList"]["buttons"]) {
                text(&button["text"], 20);
                assert!(text(&button["onClick"]["openLink"]["url"], 1000).starts_with("http"));
            }
            continue;
        };
        for tag in html.split('<').skip(1) {
            assert!(tag.starts_with("br>"), "{tag}");
        }
    }
}

#[test]
fn a_card_says_what_is_wrong() {
    plugin_tests::run(async {
        let service = GOOGLE_CHAT.with(json!({"mention_all": true, "threads": false}));
        let received = service.delivered(plugin_tests::notice()).await;
        assert_eq!(received.path, HOOK);
        let body = received.json().unwrap();
        assert_eq!(body["text"], "<users/all>");
        assert_eq!(body.get("thread"), None);
        let card = &body["cardsV2"][0]["card"];
        assert_eq!(
            card["header"],
            json!({"title": "❌ API is dead: \"<refused>\" & more", "subtitle": "Acme <status>"})
        );
        assert_eq!(
            card["sections"][0]["widgets"][0]["textParagraph"]["text"],
            "first line<br>second \\ line"
        );
    });
}
