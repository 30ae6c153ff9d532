//! GitHub, by <https://docs.github.com/en/rest/issues>.

use serde_json::{Value, json};
use target_server::{Answer, Received};
use watchkeeper_sandbox::Verdict;

use super::{Channel, asked, found, made, notice};
use crate::channels::{SECRET, hostile, texts};
use crate::measured::shown;

const ISSUES: &str = "/repos/acme/status/issues";

fn config(server: &str) -> Value {
    json!({
        "repository": "acme/status",
        "token": "github_pat_XXXXXXXXXXXXXXXX",
        "labels": ["outage"],
        "assignees": ["octocat"],
        "api_url": server,
    })
}

fn form(received: &[Received]) {
    for received in received {
        assert_eq!(
            received.header("authorization"),
            Some("Bearer github_pat_XXXXXXXXXXXXXXXX")
        );
        assert_eq!(
            received.header("accept"),
            Some("application/vnd.github+json")
        );
        assert_eq!(received.header("x-github-api-version"), Some("2022-11-28"));
        assert!(received.header("user-agent").is_some());
    }
}

#[test]
fn an_outage_is_an_issue_that_is_commented_and_closed() {
    plugin_tests::run(async {
        let channel = Channel::new("github", config).await;
        let first = vec![
            found(&json!([])),
            made(&json!({"number": 7, "state": "open"})),
        ];
        let (said, received) = channel.told(notice("n1", Verdict::Dead), first).await;
        assert_eq!(said, "delivered");
        form(&received);
        assert_eq!(
            asked(&received),
            [format!("GET {ISSUES}"), format!("POST {ISSUES}")]
        );
        assert_eq!(
            received[0].path,
            format!(
                "{ISSUES}?state=all&labels=watchkeeper&sort=created&direction=desc&per_page=30"
            )
        );
        let issue = received[1].json().expect("it is as documented");
        assert_eq!(issue["title"], "❌ API is dead: \"<refused>\" & more");
        assert_eq!(issue["labels"], json!(["watchkeeper", "outage"]));
        assert_eq!(issue["assignees"], json!(["octocat"]));
        let body = issue["body"].as_str().expect("it is as documented");
        assert!(
            body.starts_with("first line\nsecond \\\\ line\n**Affected:**\n"),
            "{body}"
        );
        assert!(
            body.ends_with(
                "\n\n<!-- watchkeeper thread=api_2fhealth_401700000000000 -->\n<!-- watchkeeper notice=n1 -->\n"
            ),
            "{body}"
        );

        let reminder = vec![found(&json!([])), made(&json!({"id": 1}))];
        let (said, received) = channel.told(notice("n2", Verdict::Dead), reminder).await;
        assert_eq!(said, "delivered");
        form(&received);
        let comments = format!("{ISSUES}/7/comments");
        assert_eq!(
            asked(&received),
            [format!("GET {comments}"), format!("POST {comments}")]
        );
        assert_eq!(
            received[0].path,
            format!("{comments}?since=2023-11-14T21%3A13%3A25Z&per_page=30")
        );

        let end = vec![
            found(&json!([])),
            made(&json!({"id": 2})),
            found(&json!({"number": 7})),
        ];
        let (said, received) = channel.told(notice("n3", Verdict::Healthy), end).await;
        assert_eq!(said, "delivered");
        assert_eq!(asked(&received)[2], format!("PATCH {ISSUES}/7"));
        assert_eq!(
            received[2].json().expect("it is as documented"),
            json!({"state": "closed", "state_reason": "completed"})
        );

        // Its number is forgotten: it is looked for, and there is nothing to close.
        let (said, received) = channel
            .told(notice("n4", Verdict::Healthy), vec![found(&json!([]))])
            .await;
        assert_eq!(said, "delivered");
        assert_eq!(asked(&received), [format!("GET {ISSUES}")]);
    });
}

#[test]
fn a_second_try_finds_what_the_first_one_wrote() {
    plugin_tests::run(async {
        let mut channel = Channel::new("github", config).await;
        let lost = vec![found(&json!([])), Answer::reset()];
        let (said, received) = channel.told(notice("n1", Verdict::Dead), lost).await;
        assert!(said.starts_with("temporary: "), "{said}");
        let body = received[1].json().expect("it is as documented")["body"].clone();
        let there = json!([{"number": 9, "body": null}, {"number": 8, "body": body}]);

        let (said, received) = channel
            .told(notice("n1", Verdict::Dead), vec![found(&there)])
            .await;
        assert_eq!((said.as_str(), received.len()), ("delivered", 1));

        // The comment, too.
        let lost = vec![found(&json!([])), Answer::reset()];
        let (said, received) = channel.told(notice("n2", Verdict::Dead), lost).await;
        assert!(said.starts_with("temporary: "), "{said}");
        let comment = json!([{"body": received[1].json().expect("it is as documented")["body"]}]);
        channel.forgetful();
        let (said, received) = channel
            .told(
                notice("n2", Verdict::Dead),
                vec![found(&there), found(&comment)],
            )
            .await;
        assert_eq!(said, "delivered");
        assert_eq!(
            asked(&received),
            [format!("GET {ISSUES}"), format!("GET {ISSUES}/8/comments")]
        );
    });
}

#[test]
fn a_deleted_issue_is_opened_again() {
    plugin_tests::run(async {
        let channel = Channel::new("github", config).await;
        let first = vec![found(&json!([])), made(&json!({"number": 7}))];
        channel.told(notice("n1", Verdict::Dead), first).await;
        let gone = Answer::status(410).body(r#"{"message":"This issue was deleted"}"#);
        let again = vec![gone, made(&json!({"number": 8}))];
        let (said, _) = channel.told(notice("n2", Verdict::Dead), again).await;
        assert_eq!(said, "delivered");
        let third = vec![found(&json!([])), made(&json!({"id": 1}))];
        let (_, received) = channel.told(notice("n3", Verdict::Dead), third).await;
        assert_eq!(asked(&received)[0], format!("GET {ISSUES}/8/comments"));
    });
}

#[test]
fn refusals_are_told_in_the_services_words_and_without_the_token() {
    plugin_tests::run(async {
        let channel = Channel::new("github", config).await;
        for (answer, expected) in [
            (
                Answer::status(401).body(r#"{"message":"Bad credentials","status":"401"}"#),
                "permanent: status 401: Bad credentials",
            ),
            (
                Answer::status(404).body(r#"{"message":"Not Found"}"#),
                "permanent: status 404: Not Found",
            ),
            (
                Answer::status(410)
                    .body(r#"{"message":"Issues has been disabled in this repository."}"#),
                "permanent: status 410: Issues has been disabled in this repository.",
            ),
            (
                Answer::status(403)
                    .header("retry-after", "60")
                    .body(r#"{"message":"You have exceeded a secondary rate limit."}"#),
                "temporary: status 403: You have exceeded a secondary rate limit. (wait 60 s)",
            ),
            (
                Answer::status(403)
                    .body(r#"{"message":"Resource not accessible by personal access token"}"#),
                "permanent: status 403: Resource not accessible by personal access token",
            ),
            (
                Answer::status(401).body("github_pat_XXXXXXXXXXXXXXXX"),
                "permanent: status 401: ****",
            ),
        ] {
            let (said, _) = channel
                .told(notice("n1", Verdict::Dead), vec![answer])
                .await;
            assert_eq!(said, expected);
        }
        channel
            .receiver
            .then([Answer::status(503).body("x".repeat(10 << 20))]);
        let run = channel
            .trial
            .deliver(notice("n1", Verdict::Dead))
            .await
            .expect("it is as documented");
        let said = plugin_tests::of_delivery(&run.outcome);
        // The host reads no more than it must.
        assert!(
            said.starts_with("temporary: ") || said.starts_with("limit: "),
            "{said}"
        );
        assert!(!shown(&run).contains(SECRET));
    });
}

#[test]
fn nothing_that_targets_say_means_anything() {
    plugin_tests::run(async {
        for times in [1, 200] {
            let channel = Channel::new("github", config).await;
            let first = vec![found(&json!([])), made(&json!({"number": 7}))];
            let (said, received) = channel.told(hostile(times), first).await;
            assert_eq!(said, "delivered");
            let issue = received[1].json().expect("it is as documented");
            assert!(
                issue["title"]
                    .as_str()
                    .expect("it is as documented")
                    .encode_utf16()
                    .count()
                    <= 256
            );
            let body = issue["body"].as_str().expect("it is as documented");
            assert!(body.chars().count() <= 9000);
            for alive in [
                "@everyone",
                "**bold**",
                "[x](",
                "<a href",
                "<script",
                "<!channel",
            ] {
                assert!(!body.contains(alive), "{alive} in {body}");
            }
            for text in texts(&received[1]) {
                assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
            }
        }
    });
}
