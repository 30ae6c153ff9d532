//! GitLab, by <https://docs.gitlab.com/api/issues/> and
//! <https://docs.gitlab.com/api/notes/#issues>.

use serde_json::{Value, json};
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Channel, asked, found, made, notice};
use crate::channels::{SECRET, hostile};
use crate::measured::shown;

const ISSUES: &str = "/api/v4/projects/acme%2Fweb%2Fstatus/issues";

fn config(server: &str) -> Value {
    json!({
        "project": "acme/web/status",
        "token": "glpat-XXXXXXXXXXXXXXXX",
        "labels": ["outage", "web"],
        "confidential": true,
        "url": server,
    })
}

fn form(received: &[Received]) {
    for received in received {
        assert_eq!(
            received.header("private-token"),
            Some("glpat-XXXXXXXXXXXXXXXX")
        );
    }
}

#[test]
fn an_outage_is_an_issue_that_is_commented_and_closed() {
    plugin_tests::run(async {
        let channel = Channel::new("gitlab", config).await;
        let first = vec![found(&json!([])), made(&json!({"id": 84, "iid": 7}))];
        let (said, received) = channel.told(notice("n1", Verdict::Dead), first).await;
        assert_eq!(said, "delivered");
        form(&received);
        assert_eq!(
            received[0].path,
            format!(
                "{ISSUES}?search=api_2fhealth_401700000000000&in=description&order_by=created_at&sort=desc&per_page=30"
            )
        );
        assert_eq!(asked(&received)[1], format!("POST {ISSUES}"));
        let issue = received[1].json().expect("it is as documented");
        assert_eq!(
            (&issue["title"], &issue["labels"], &issue["confidential"]),
            (
                &"❌ API is dead: \"<refused>\" & more".into(),
                &"outage,web".into(),
                &true.into()
            )
        );
        let text = issue["description"].as_str().expect("it is as documented");
        assert!(
            text.starts_with("first line  \nsecond \\\\ line  \n**Affected:**"),
            "{text}"
        );

        let reminder = vec![found(&json!([])), made(&json!({"id": 1}))];
        let (said, received) = channel.told(notice("n2", Verdict::Dead), reminder).await;
        assert_eq!(said, "delivered");
        let notes = format!("{ISSUES}/7/notes");
        assert_eq!(
            asked(&received),
            [format!("GET {notes}"), format!("POST {notes}")]
        );

        let end = vec![
            found(&json!([])),
            made(&json!({"id": 2})),
            found(&json!({"iid": 7})),
        ];
        let (said, received) = channel.told(notice("n3", Verdict::Healthy), end).await;
        assert_eq!(said, "delivered");
        assert_eq!(asked(&received)[2], format!("PUT {ISSUES}/7"));
        assert_eq!(
            received[2].json().expect("it is as documented"),
            json!({"state_event": "close"})
        );
    });
}

#[test]
fn a_second_try_finds_what_the_first_one_wrote() {
    plugin_tests::run(async {
        let mut channel = Channel::new("gitlab", config).await;
        let lost = vec![found(&json!([])), Answer::reset()];
        let (said, received) = channel.told(notice("n1", Verdict::Dead), lost).await;
        assert!(said.starts_with("temporary: "), "{said}");
        let text = received[1].json().expect("it is as documented")["description"].clone();
        let there = json!([{"iid": 9, "description": null}, {"iid": 8, "description": text}]);
        let (said, received) = channel
            .told(notice("n1", Verdict::Dead), vec![found(&there)])
            .await;
        assert_eq!((said.as_str(), received.len()), ("delivered", 1));
        let lost = vec![found(&json!([])), Answer::reset()];
        let (_, received) = channel.told(notice("n2", Verdict::Dead), lost).await;
        let note = json!([{"body": received[1].json().expect("it is as documented")["body"]}]);
        channel.forgetful();
        let answers = vec![found(&there), found(&note)];
        let (said, received) = channel.told(notice("n2", Verdict::Dead), answers).await;
        assert_eq!((said.as_str(), received.len()), ("delivered", 2));
    });
}

#[test]
fn refusals_are_told_in_the_services_words_and_without_the_token() {
    plugin_tests::run(async {
        let channel = Channel::new("gitlab", config).await;
        for (answer, expected) in [
            (
                Answer::status(401).body(r#"{"message":"401 Unauthorized"}"#),
                "permanent: status 401: 401 Unauthorized",
            ),
            (
                Answer::status(403).body(
                    r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api"}"#,
                ),
                "permanent: status 403: The request requires higher privileges than provided by the access token.",
            ),
            (
                Answer::status(400).body(r#"{"message":{"title":["is too long (maximum is 255 characters)"]}}"#),
                "permanent: status 400: is too long (maximum is 255 characters)",
            ),
            (
                Answer::status(429).header("retry-after", "60").body("Retry later"),
                "temporary: status 429: Retry later (wait 60 s)",
            ),
        ] {
            let (said, _) = channel.told(notice("n1", Verdict::Dead), vec![answer]).await;
            assert_eq!(said, expected);
        }
        let answer = Answer::status(401).body("glpat-XXXXXXXXXXXXXXXX");
        channel.receiver.then([answer]);
        let run = channel
            .trial
            .deliver(notice("n1", Verdict::Dead))
            .await
            .expect("it is as documented");
        assert!(!shown(&run).contains(SECRET));
    });
}

#[test]
fn nothing_that_targets_say_is_a_command() {
    plugin_tests::run(async {
        for times in [1, 200] {
            let channel = Channel::new("gitlab", config).await;
            let first = vec![found(&json!([])), made(&json!({"iid": 7}))];
            let commands = Notice {
                body: "/close\n  /assign @root\n\u{200B}/label ~x".to_owned(),
                ..hostile(times)
            };
            let (said, received) = channel.told(commands, first).await;
            assert_eq!(said, "delivered");
            let issue = received[1].json().expect("it is as documented");
            assert!(
                issue["title"]
                    .as_str()
                    .expect("it is as documented")
                    .encode_utf16()
                    .count()
                    <= 255
            );
            let text = issue["description"].as_str().expect("it is as documented");
            assert!(text.contains("\\/close"), "{text}");
            for line in text.lines() {
                assert!(!line.trim_start().starts_with('/'), "{line}");
            }
            for alive in ["@everyone", "**bold**", "[x](", "<a href", "<script"] {
                assert!(!text.contains(alive), "{alive} in {text}");
            }
        }
    });
}
