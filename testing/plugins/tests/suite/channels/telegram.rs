//! Telegram, by <https://core.telegram.org/bots/api#sendmessage>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, json, text};

const PATH: &str = "/bot123:XXXXXXXXXXXXXXXX/sendMessage";

pub(super) const TELEGRAM: Service = Service {
    notifier: "telegram",
    config: |server| json!({"token": "123:XXXXXXXXXXXXXXXX", "chat_id": -1001, "api_url": server}),
    taken: || Answer::ok().body(r#"{"ok":true,"result":{"message_id":1}}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(429).body(
                    r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 14","parameters":{"retry_after":14}}"#,
                ),
                "temporary: status 429: Too Many Requests: retry after 14 (wait 14 s)",
            ),
            (
                Answer::status(400).body(
                    r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
                ),
                "permanent: status 400: Bad Request: chat not found",
            ),
            (
                Answer::status(401)
                    .body(r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
                "permanent: status 401: Unauthorized",
            ),
            (
                Answer::status(403).body(
                    r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the group chat"}"#,
                ),
                "permanent: status 403: Forbidden: bot was kicked from the group chat",
            ),
            (
                Answer::status(500).body(r#"{"ok":false,"description":"Internal Server Error"}"#),
                "temporary: status 500: Internal Server Error",
            ),
        ]
    },
    alive: &["@all", "<b>x", "<a href='", "<script"],
};

channel_tests!(TELEGRAM);

fn form(received: &Received) {
    let body = json(received, "POST", PATH);
    assert_eq!(body["chat_id"], -1001);
    assert_eq!(body["parse_mode"], "HTML");
    assert_eq!(body["link_preview_options"], json!({"is_disabled": true}));
    let said = text(&body["text"], 4096);
    // Of the tags that Telegram knows only these are used, each is closed, and no
    // entity is there that it does not know.
    for (open, close) in [("<b>", "</b>"), ("<a href=\"", "</a>")] {
        assert_eq!(said.matches(open).count(), said.matches(close).count());
    }
    for tag in said.split('<').skip(1) {
        let known = ["b>", "/b>", "a href=\"http", "/a>"];
        assert!(known.iter().any(|known| tag.starts_with(known)), "{tag}");
    }
    for entity in said.split('&').skip(1) {
        let known = ["lt;", "gt;", "amp;", "quot;", "#39;"];
        assert!(
            known.iter().any(|known| entity.starts_with(known)),
            "{entity}"
        );
    }
}

#[test]
fn a_message_says_what_is_wrong() {
    plugin_tests::run(async {
        let service = TELEGRAM.with(json!({"chat_id": "@ops", "thread_id": 5, "silent": true}));
        let body = service
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        assert_eq!(
            (
                &body["chat_id"],
                &body["message_thread_id"],
                &body["disable_notification"]
            ),
            (&"@ops".into(), &5.into(), &true.into())
        );
        assert_eq!(
            body["text"],
            "<b>❌ API is dead: &quot;&lt;refused&gt;&quot; &amp; more</b>\n\
             first line\n\
             second \\ line\n\
             <b>Affected:</b>\n\
             API / Health &amp; speed (https://a.test/): dead, connection refused\n\
             API / Health &amp; speed (https://b.test/): sick\n\
             API / Health &amp; speed (tcp://c.test:5672): dead, connection refused\n\
             <b>Lasting:</b> 2 min 5 s\n\
             <a href=\"https://status.test/?a=1&amp;b=2\">Status page</a>"
        );
        let number = TELEGRAM.with(json!({"chat_id": "-77"}));
        let body = number
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        assert_eq!(body["chat_id"], -77);
    });
}

#[test]
fn a_token_that_is_none_is_told_and_not_sent() {
    plugin_tests::run(async {
        for token in ["nothing", "1:a/../../b", "1:a?x="] {
            let said = TELEGRAM.with(json!({"token": token})).refused().await;
            assert!(said.starts_with("permanent: config.token: "), "{said}");
        }
    });
}
