//! Discord, by <https://discord.com/developers/docs/resources/webhook#execute-webhook>.

use serde_json::{Value, json};
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{SECRET, Service, any_text, channel_tests, json, list, only, text};

const PATH: &str = "/api/webhooks/1234/XXXXXXXXXXXXXXXX";

pub(super) const DISCORD: Service = Service {
    notifier: "discord",
    config: |server| json!({"hook_url": format!("{server}{PATH}")}),
    taken: || Answer::status(204).body(""),
    form,
    refusals: || {
        vec![
            (
                Answer::status(429).body(
                    r#"{"message": "You are being rate limited.", "retry_after": 0.5, "global": false}"#,
                ),
                "temporary: status 429: You are being rate limited. (wait 0.5 s)",
            ),
            (
                Answer::status(429)
                    .header("retry-after", "65")
                    .body(r#"{"message": "You are being rate limited.", "retry_after": 64.57}"#),
                "temporary: status 429: You are being rate limited. (wait 65 s)",
            ),
            (
                Answer::status(404).body(r#"{"message": "Unknown Webhook", "code": 10015}"#),
                "permanent: status 404: Unknown Webhook",
            ),
            (
                Answer::status(400).body(
                    r#"{"code": 50035, "errors": {"embeds": {}}, "message": "Invalid Form Body"}"#,
                ),
                "permanent: status 400: Invalid Form Body",
            ),
            (
                Answer::status(502).body("<html>502 Bad Gateway</html>"),
                "temporary: status 502: <html>502 Bad Gateway</html>",
            ),
        ]
    },
    alive: &["@everyone", "@here", "<@1>", "**bold**", "[x](", "~~s~~"],
};

channel_tests!(DISCORD);

fn form(received: &Received) {
    let body = json(received, "POST", PATH);
    assert!(PATH.contains(SECRET));
    assert_eq!(body["allowed_mentions"], json!({"parse": []}));
    assert_eq!(body.get("content"), None);
    let embed = only(&body["embeds"]);
    let mut all = text(&embed["title"], 256).encode_utf16().count();
    let description = any_text(&embed["description"]);
    assert!(description.encode_utf16().count() <= 4096);
    all += description.encode_utf16().count();
    if let Some(footer) = embed.get("footer") {
        all += text(&footer["text"], 2048).encode_utf16().count();
    }
    let fields = list(&embed["fields"]);
    assert!(fields.len() <= 25);
    for field in fields {
        all += text(&field["name"], 256).encode_utf16().count();
        all += text(&field["value"], 1024).encode_utf16().count();
        assert!(field["inline"].is_boolean());
    }
    assert!(all <= 6000, "{all}");
    assert!(embed["color"].as_u64() <= Some(0xFF_FF_FF), "{embed}");
    assert_eq!(embed["timestamp"], "2023-11-14T22:13:25Z");
    assert!(embed.get("url").is_none_or(Value::is_string));
}

#[test]
fn an_embed_says_what_is_wrong() {
    plugin_tests::run(async {
        let body = DISCORD
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        let embed = &body["embeds"][0];
        assert_eq!(
            embed["title"],
            "❌ API is dead: \"<\u{200B}refused\\>\" & more"
        );
        assert_eq!(embed["color"], 0xC4_29_1C);
        assert_eq!(embed["url"], "https://status.test/?a=1&b=2");
        assert_eq!(embed["fields"][0]["name"], "Affected");
        assert_eq!(embed["footer"]["text"], "Acme <status>");
    });
}

#[test]
fn only_whom_the_operator_names_is_mentioned() {
    plugin_tests::run(async {
        for (mention, content, allowed) in [
            ("everyone", "@everyone", json!({"parse": ["everyone"]})),
            ("<@12>", "<@12>", json!({"parse": [], "users": ["12"]})),
            ("<@&34>", "<@&34>", json!({"parse": [], "roles": ["34"]})),
        ] {
            let service =
                DISCORD.with(json!({"mention": mention, "thread_id": "77", "username": "W"}));
            let received = service.delivered(plugin_tests::notice()).await;
            assert_eq!(received.path, format!("{PATH}?thread_id=77"));
            let body = received.json().unwrap();
            assert_eq!(
                (
                    &body["content"],
                    &body["allowed_mentions"],
                    &body["username"]
                ),
                (&content.into(), &allowed, &"W".into())
            );
            let recovered = Notice {
                health: Verdict::Healthy,
                ..plugin_tests::notice()
            };
            let body = service.delivered(recovered).await.json().unwrap();
            assert_eq!(body.get("content"), None);
            assert_eq!(body["embeds"][0]["color"], 0x54_A1_58);
        }
        let wrong = DISCORD.with(json!({"mention": "@everyone"}));
        assert!(wrong.refused().await.contains("config.mention"));
    });
}
