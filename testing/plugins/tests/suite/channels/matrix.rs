//! Matrix, by <https://spec.matrix.org/v1.11/client-server-api/#sending-events-to-a-room>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, channel_tests, json, text};

pub(super) const MATRIX: Service = Service {
    notifier: "matrix",
    config: |server| json!({"homeserver": server, "access_token": "XXXXXXXXXXXXXXXX", "room": "!a/b:matrix.test"}),
    taken: || Answer::ok().body(r#"{"event_id":"$x"}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(403).body(
                    r#"{"errcode":"M_FORBIDDEN","error":"User @bot:matrix.test not in room"}"#,
                ),
                "permanent: status 403: User @bot:matrix.test not in room",
            ),
            (
                Answer::status(401).body(
                    r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Invalid access token passed."}"#,
                ),
                "permanent: status 401: Invalid access token passed.",
            ),
            (
                Answer::status(429).body(
                    r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":2500}"#,
                ),
                "temporary: status 429: Too Many Requests (wait 2.5 s)",
            ),
            (
                Answer::status(504).body(r#"{"errcode":"M_UNKNOWN"}"#),
                "temporary: status 504: M_UNKNOWN",
            ),
        ]
    },
    // The plain text is plain; mentions are those that `m.mentions` lists.
    alive: &[],
};

channel_tests!(MATRIX);

fn form(received: &Received) {
    // The room's slash divides nothing; the id is the same for every attempt.
    let path =
        "/_matrix/client/v3/rooms/%21a%2Fb%3Amatrix.test/send/m.room.message/0192f3a1-notice";
    let body = json(received, "PUT", path);
    assert_eq!(
        received.header("authorization"),
        Some("Bearer XXXXXXXXXXXXXXXX")
    );
    assert!(received.body.len() <= 60_000, "{}", received.body.len());
    assert_eq!(body["msgtype"], "m.notice");
    assert_eq!(body["format"], "org.matrix.custom.html");
    assert_eq!(body["m.mentions"], json!({}));
    text(&body["body"], 10_000);
    let html = text(&body["formatted_body"], 40_000);
    for tag in html.split('<').skip(1) {
        let known = ["b>", "/b>", "br>", "a href=\"http", "/a>"];
        assert!(known.iter().any(|known| tag.starts_with(known)), "{tag}");
    }
}

#[test]
fn a_message_can_be_one_of_a_person() {
    plugin_tests::run(async {
        let service = MATRIX.with(json!({"message": "text"}));
        let body = service
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        assert_eq!(body["msgtype"], "m.text");
        let html = body["formatted_body"].as_str().unwrap();
        assert!(
            html.starts_with(
                "<b>❌ API is dead: &quot;&lt;refused&gt;&quot; &amp; more</b><br>first line<br>"
            ),
            "{html}"
        );
        let address = MATRIX.with(json!({"room": "#ops:matrix.test"}));
        assert!(address.refused().await.contains("config.room"));
    });
}
