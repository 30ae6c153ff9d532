//! Zulip, by <https://zulip.com/api/send-message>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, form as fields};

pub(super) const ZULIP: Service = Service {
    notifier: "zulip",
    config: |server| {
        json!({
            "site": server,
            "bot_email": "bot@zulip.test",
            "api_key": "XXXXXXXXXXXXXXXX",
            "to": {"channel": {"name": "ops & more"}},
        })
    },
    taken: || Answer::ok().body(r#"{"id":42,"msg":"","result":"success"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"code":"STREAM_DOES_NOT_EXIST","msg":"Channel 'ops' does not exist","result":"error","stream":"ops"}"#,
                ),
                "permanent: status 400: Channel 'ops' does not exist",
            ),
            (
                Answer::status(401)
                    .body(r#"{"code":"UNAUTHORIZED","msg":"Invalid API key","result":"error"}"#),
                "permanent: status 401: Invalid API key",
            ),
            (
                Answer::status(429).body(
                    r#"{"code":"RATE_LIMIT_HIT","msg":"API usage exceeded rate limit","result":"error","retry-after":28.706807374954224}"#,
                ),
                "temporary: status 429: API usage exceeded rate limit (wait 28.706807375 s)",
            ),
            (
                Answer::status(502).body("bad gateway"),
                "temporary: status 502: bad gateway",
            ),
        ]
    },
    alive: &["@**all**", "@_**x**", "**bold**", "[x](", "~~s~~"],
};

channel_tests!(ZULIP);

fn form(received: &Received) {
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/api/v1/messages")
    );
    // bot@zulip.test:XXXXXXXXXXXXXXXX
    assert_eq!(
        received.header("authorization"),
        Some("Basic Ym90QHp1bGlwLnRlc3Q6WFhYWFhYWFhYWFhYWFhYWA==")
    );
    let fields = fields(received);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["type", "to", "topic", "content"]);
    let of = |index: usize| fields[index].1.as_str();
    assert_eq!((of(0), of(1), of(2)), ("stream", "ops & more", "Status"));
    assert!((1..=10_000).contains(&of(3).chars().count()));
}

#[test]
fn people_are_told_as_a_channel_is() {
    plugin_tests::run(async {
        let service = ZULIP.with(json!({"to": {"people": ["a@b.test", "c@d.test"]}}));
        let received = service.delivered(plugin_tests::notice()).await;
        let fields = fields(&received);
        assert_eq!(fields[0], ("type".to_owned(), "private".to_owned()));
        assert_eq!(
            fields[1],
            ("to".to_owned(), r#"["a@b.test","c@d.test"]"#.to_owned())
        );
        assert!(
            fields[2]
                .1
                .starts_with("**❌ API is dead: \"&#60;refused&#62;\" &#38; more**\nfirst line\n"),
            "{}",
            fields[2].1
        );
        assert!(
            fields[2]
                .1
                .ends_with("\n[Status page](https://status.test/?a=1&b=2)"),
            "{}",
            fields[2].1
        );
        let long = "x".repeat(61);
        let wrong = ZULIP.with(json!({"to": {"channel": {"name": "a", "topic": long}}}));
        assert!(wrong.refused().await.contains("config.to"));
        let none = ZULIP.with(json!({"to": {"people": []}}));
        assert!(none.refused().await.contains("config.to"));
    });
}
