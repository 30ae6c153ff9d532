//! The slack notifier.

use plugin_tests::{Trial, deliver, notice, run};
use serde_json::json;
use target_server::{Answer, Receiver};
use watchkeeper_sandbox::{Notice, Verdict};

use crate::http::SHORT;
use crate::measured::shown;
use crate::webhook::receiver;

/// As Slack's own are, and as secret.
const HOOK: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";

fn config(receiver: &Receiver) -> String {
    format!(r#"{{"hook_url": "{}"}}"#, receiver.url(HOOK))
}

#[test]
fn a_message_has_the_form_that_slack_documents() {
    run(async {
        let receiver = receiver().await;
        assert_eq!(
            deliver("slack", &config(&receiver), notice()).await,
            "delivered"
        );
        let received = receiver.nth(0).await;
        assert_eq!(
            (received.method.as_str(), received.path.as_str()),
            ("POST", HOOK)
        );
        assert_eq!(received.header("content-type"), Some("application/json"));
        // Slack asks for & < > to be escaped, and for nothing else.
        let title = "API is dead: \"&lt;refused&gt;\" &amp; more";
        let expected = json!({
            "text": title,
            "attachments": [{
                "fallback": title,
                "color": "danger",
                "text": "first line\nsecond \\ line",
                "fields": [
                    {
                        "title": "Affected",
                        "value": "API / Health &amp; speed (https://a.test/): dead, connection refused\n\
                                  API / Health &amp; speed (https://b.test/): sick\n\
                                  API / Health &amp; speed (tcp://c.test:5672): dead, connection refused",
                        "short": false,
                    },
                    {"title": "Lasting", "value": "2 min 5 s", "short": true},
                    {"title": "More", "value": "<https://status.test/?a=1&amp;b=2|Status page>", "short": true},
                ],
                "mrkdwn_in": ["text", "fields"],
                "footer": "Acme &lt;status&gt;",
                "ts": 1_700_000_005,
            }],
        });
        assert_eq!(received.json().unwrap(), expected);
    });
}

#[test]
fn people_are_mentioned_while_something_is_wrong() {
    run(async {
        let receiver = receiver().await;
        let url = receiver.url(HOOK);
        let recovered = Notice {
            health: Verdict::Healthy,
            title: "API is healthy".to_owned(),
            ..notice()
        };
        let sick = Notice {
            health: Verdict::Sick,
            title: "API is sick".to_owned(),
            ..notice()
        };
        let cases = [
            ("channel", &sick, "<!channel> API is sick", "warning"),
            ("here", &sick, "<!here> API is sick", "warning"),
            ("U024BE7LH", &sick, "<@U024BE7LH> API is sick", "warning"),
            (
                "S0614TZR7",
                &sick,
                "<!subteam^S0614TZR7> API is sick",
                "warning",
            ),
            ("channel", &recovered, "API is healthy", "good"),
        ];
        for (number, (mention, notice, text, color)) in (0..).zip(cases) {
            let config = format!(r#"{{"hook_url": "{url}", "mention": "{mention}"}}"#);
            assert_eq!(deliver("slack", &config, notice.clone()).await, "delivered");
            let body = receiver.nth(number).await.json().unwrap();
            assert_eq!(body["text"], text);
            assert_eq!(body["attachments"][0]["color"], color);
        }
        let wrong = format!(r#"{{"hook_url": "{url}", "mention": "@bob"}}"#);
        let said = deliver("slack", &wrong, notice()).await;
        assert!(said.starts_with("refused: config.mention"), "{said}");
    });
}

/// Slack's own answers, as its documentation of incoming webhooks lists them.
#[test]
fn slack_says_whether_to_try_again() {
    run(async {
        let receiver = receiver().await;
        for (answer, expected) in [
            (Answer::ok(), "delivered"),
            (
                Answer::status(429)
                    .header("retry-after", "30")
                    .body("rate_limited"),
                "temporary: status 429: rate_limited (wait 30 s)",
            ),
            (
                Answer::status(500).body("rollup_error"),
                "temporary: status 500: rollup_error",
            ),
            (
                Answer::status(400).body("invalid_payload"),
                "permanent: status 400: invalid_payload",
            ),
            (
                Answer::status(403).body("action_prohibited"),
                "permanent: status 403: action_prohibited",
            ),
            (
                Answer::status(404).body("no_service"),
                "permanent: status 404: no_service",
            ),
            (
                Answer::status(404).body("channel_not_found"),
                "permanent: status 404: channel_not_found",
            ),
            (
                Answer::status(410).body("channel_is_archived"),
                "permanent: status 410: channel_is_archived",
            ),
        ] {
            receiver.then([answer]);
            assert_eq!(
                deliver("slack", &config(&receiver), notice()).await,
                expected
            );
        }
    });
}

#[test]
fn the_hooks_address_is_in_nothing_that_is_shown() {
    run(async {
        let receiver = receiver().await;
        let url = receiver.url(HOOK);
        receiver.then([
            Answer::ok(),
            Answer::status(404).body(format!("no service at {url}")),
            Answer::status(302).header("location", &url).body(""),
            Answer::reset(),
            Answer::hang(),
        ]);
        let trial = Trial::new("slack", &config(&receiver)).within(SHORT);
        for number in 0..5 {
            let run = trial.deliver(notice()).await.unwrap();
            let shown = shown(&run);
            assert!(!shown.contains("XXXX"), "{number}: {shown}");
        }
        let nowhere = format!(r#"{{"hook_url": "http://gone.test{HOOK}"}}"#);
        let run = Trial::new("slack", &nowhere)
            .deliver(notice())
            .await
            .unwrap();
        assert_eq!(
            plugin_tests::of_delivery(&run.outcome),
            "temporary: no such host: gone.test"
        );
        assert!(!shown(&run).contains("XXXX"), "{}", shown(&run));
        let run = Trial::new("slack", &nowhere)
            .ungranted()
            .deliver(notice())
            .await
            .unwrap();
        assert!(!shown(&run).contains("XXXX"), "{}", shown(&run));
    });
}

// A plugin may write a secret address in another way than its configuration does.
#[test]
fn an_address_that_is_written_in_another_way_is_masked_too() {
    run(async {
        let receiver = receiver().await;
        let port = receiver.address().port();
        for hook in [
            format!("HTTP://LocalHost:{port}{HOOK}"),
            format!("{}#fragment", receiver.url(HOOK)),
        ] {
            let config = format!(r#"{{"hook_url": "{hook}"}}"#);
            let run = Trial::new("slack", &config)
                .deliver(notice())
                .await
                .unwrap();
            assert_eq!(plugin_tests::of_delivery(&run.outcome), "delivered");
            assert!(!run.calls[0].what.contains(HOOK), "{:?}", run.calls);
        }
    });
}
