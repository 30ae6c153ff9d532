//! The webhook notifier.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use plugin_tests::{ANY, Trial, affected, deliver, notice, run};
use serde_json::json;
use sha2::Sha256;
use target_server::{Answer, Received, Receiver};
use watchkeeper_sandbox::{Notice, NotifyOutcome, Occasion, Verdict};

use crate::http::SHORT;
use crate::measured::shown;

pub(crate) async fn receiver() -> Receiver {
    Receiver::start(ANY).await.expect("a server starts")
}

/// What arrives when `notice` is delivered with these keys besides `url`.
async fn delivered(keys: &str, notice: Notice) -> Received {
    let receiver = receiver().await;
    let comma = if keys.is_empty() { "" } else { ", " };
    let config = format!(r#"{{"url": "{}"{comma}{keys}}}"#, receiver.url("/hook?a=1"));
    assert_eq!(deliver("webhook", &config, notice).await, "delivered");
    let mut received = receiver.received();
    assert_eq!(received.len(), 1);
    received.remove(0)
}

#[test]
fn the_whole_notice_is_posted() {
    run(async {
        let received = delivered("", notice()).await;
        assert_eq!(
            (received.method.as_str(), received.path.as_str()),
            ("POST", "/hook?a=1")
        );
        assert_eq!(received.header("content-type"), Some("application/json"));
        assert_eq!(received.header("idempotency-key"), Some("0192f3a1-notice"));
        assert_eq!(received.header("x-watchkeeper-signature"), None);
        let one = |id: &str, health: &str, reason: Option<&str>| {
            json!({
                "id": id, "service": "API", "monitor": "Health & speed", "health": health,
                "reason": reason, "since": "2023-11-14T22:13:20Z",
            })
        };
        let expected = json!({
            "id": "0192f3a1-notice",
            "occasion": "changed",
            "health": "dead",
            "previous": "healthy",
            "at": "2023-11-14T22:13:25Z",
            "title": "API is dead: \"<refused>\" & more",
            "body": "first line\nsecond \\ line",
            "affected": [
                one("api:health:https://a.test/", "dead", Some("connection refused")),
                one("api:health:https://b.test/", "sick", None),
                one("api:jobs:tcp://c.test:5672", "dead", Some("connection refused")),
            ],
            "lasted_seconds": 125,
            "reminder": 0,
            "page": {"title": "Acme <status>", "url": "https://status.test/?a=1&b=2"},
            "incident_url": null,
            "thread": "api/health@1700000000000",
            "started": "2023-11-14T22:13:20Z",
            "acknowledge_url": null,
        });
        assert_eq!(received.json().unwrap(), expected);
    });
}

#[test]
fn vigils_payload_is_the_same_to_the_byte() {
    run(async {
        let check = async |notice: Notice, expected: &str| {
            let received = delivered(r#""format": "vigil""#, notice).await;
            assert_eq!(received.text(), expected);
            assert_eq!(received.header("content-type"), Some("application/json"));
        };
        check(
            notice(),
            concat!(
                r#"{"type":"changed","status":"dead","time":"22:13:25 UTC+00:00","#,
                r#""replicas":["api:health:https://a.test/","api:jobs:tcp://c.test:5672"],"#,
                r#""page":{"title":"Acme <status>","url":"https://status.test/?a=1&b=2"}}"#,
            ),
        )
        .await;
        let reminder = Notice {
            occasion: Occasion::Reminder,
            health: Verdict::Sick,
            affected: vec![affected("api:health:https://b.test/", Verdict::Sick)],
            ..notice()
        };
        check(
            reminder,
            concat!(
                r#"{"type":"reminder","status":"sick","time":"22:13:25 UTC+00:00","replicas":[],"#,
                r#""page":{"title":"Acme <status>","url":"https://status.test/?a=1&b=2"}}"#,
            ),
        )
        .await;
        let startup = Notice {
            occasion: Occasion::Startup,
            health: Verdict::Healthy,
            affected: Vec::new(),
            at: Duration::ZERO,
            ..notice()
        };
        check(
            startup,
            concat!(
                r#"{"type":"startup","status":"healthy","time":"00:00:00 UTC+00:00","replicas":[],"#,
                r#""page":{"title":"Acme <status>","url":"https://status.test/?a=1&b=2"}}"#,
            ),
        )
        .await;
    });
}

#[test]
fn a_template_says_what_is_sent() {
    run(async {
        let keys = r#""format": "template", "method": "PUT",
            "template": "{\"text\": \"{{title}}: {{affected}}\", \"list\": {{affected_json}}}""#;
        let received = delivered(keys, notice()).await;
        assert_eq!(received.method, "PUT");
        let body = received.json().expect("values are escaped");
        assert_eq!(
            body["text"],
            "API is dead: \"<refused>\" & more: api:health:https://a.test/, \
             api:health:https://b.test/, api:jobs:tcp://c.test:5672"
        );
        assert_eq!(body["list"][1]["health"], "sick");

        let keys = r#""format": "template", "content_type": "application/x-www-form-urlencoded",
            "template": "health={{health}}&url={{page_url}}""#;
        let received = delivered(keys, notice()).await;
        assert_eq!(
            received.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        assert_eq!(
            received.text(),
            "health=dead&url=https%3A%2F%2Fstatus.test%2F%3Fa%3D1%26b%3D2"
        );

        let keys = r#""format": "template", "content_type": "text/plain",
            "template": "{{occasion}} {{ lasted }}\n{{body}}""#;
        let received = delivered(keys, notice()).await;
        assert_eq!(
            received.text(),
            "changed 2 min 5 s\nfirst line\nsecond \\ line"
        );
    });
}

#[test]
fn any_receiver_of_http_can_be_spoken_to() {
    run(async {
        let keys = r#""method": "GET", "format": "none", "query": {"text": "{{title}}\n", "b": "2"},
            "headers": {"X-Health": "{{health}}", "X-Body": "{{body}}"},
            "auth": {"basic": {"username": "u", "password": "p"}}"#;
        let received = delivered(keys, notice()).await;
        assert_eq!(
            (received.method.as_str(), received.path.as_str()),
            (
                "GET",
                "/hook?a=1&b=2&text=API%20is%20dead%3A%20%22%3Crefused%3E%22%20%26%20more%0A"
            )
        );
        assert_eq!(received.text(), "");
        for (name, expected) in [
            ("x-health", Some("dead")),
            ("x-body", Some("first line second \\ line")),
            ("authorization", Some("Basic dTpw")),
            ("content-type", None),
        ] {
            assert_eq!(received.header(name), expected, "{name}");
        }
        let hostile = Notice {
            title: "a\r\nX-Injected: 1\r\n\r\n\0\u{202E}b".to_owned(),
            ..notice()
        };
        let keys = r#""headers": {"X-Title": "{{title}}"}, "auth": {"bearer": "t"}"#;
        let received = delivered(keys, hostile).await;
        assert_eq!(received.header("x-title"), Some("a X-Injected: 1 b"));
        assert_eq!(received.header("x-injected"), None);
        assert_eq!(received.header("authorization"), Some("Bearer t"));
    });
}

#[test]
fn a_receiver_may_answer_otherwise() {
    run(async {
        let receiver = receiver().await;
        let check = async |status: &str, answer: u16, expected: &str| {
            receiver.then([Answer::status(answer)]);
            let config = format!(
                r#"{{"url": "{}", "expect": {{"status": [{status}]}}}}"#,
                receiver.url("/")
            );
            assert_eq!(deliver("webhook", &config, notice()).await, expected);
        };
        check(r#""2xx", 302"#, 302, "delivered").await;
        check("201", 201, "delivered").await;
        check("201", 200, "permanent: status 200 where 201 is expected").await;
    });
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    run(async {
        let receiver = receiver().await;
        for (keys, expected) in [
            (
                r#""format": "template""#,
                "permanent: config.template: the format \"template\" needs one",
            ),
            (
                r#""template": "x""#,
                "permanent: config.template: needs config.format = \"template\"",
            ),
            (
                r#""format": "template", "template": "{{titel}}""#,
                "permanent: config.template: no {{titel}}; there are id, ",
            ),
            (r#""format": "slack""#, "refused: config.format"),
            (
                r#""method": "GET""#,
                "permanent: config.method: GET sends no body: it needs config.format = \"none\"",
            ),
            (r#""method": "TRACE""#, "refused: config.method"),
            (
                r#""expect": {"status": []}"#,
                "refused: config.expect.status",
            ),
            (
                r#""headers": {"X": "{{x}}"}"#,
                "permanent: config.headers.X: no {{x}}; there are id, ",
            ),
        ] {
            let config = format!(r#"{{"url": "{}", {keys}}}"#, receiver.url("/"));
            let said = deliver("webhook", &config, notice()).await;
            assert!(said.starts_with(expected), "{keys}: {said}");
        }
        let said = deliver("webhook", "{}", notice()).await;
        assert!(said.starts_with("refused: config"), "{said}");
        assert_eq!(receiver.received().len(), 0);
    });
}

#[test]
fn a_signature_is_the_receivers_to_verify() {
    run(async {
        for format in ["watchkeeper", "vigil"] {
            let keys = format!(
                r#""format": "{format}", "secret": "a key", "headers": {{"X-Token": "t"}}"#
            );
            let received = delivered(&keys, notice()).await;
            let header = received.header("x-watchkeeper-signature").unwrap();
            let digits = header.strip_prefix("sha256=").unwrap();
            let given: Vec<u8> = (0..digits.len() / 2)
                .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2).unwrap(), 16).unwrap())
                .collect();
            let mut mac = Hmac::<Sha256>::new_from_slice(b"a key").unwrap();
            mac.update(&received.body);
            mac.verify_slice(&given).expect("the body is signed");
            assert_eq!(received.header("x-token"), Some("t"));
        }
    });
}

#[test]
fn the_receiver_says_whether_to_try_again() {
    run(async {
        let receiver = receiver().await;
        let config = format!(r#"{{"url": "{}"}}"#, receiver.url("/"));
        for (answer, expected) in [
            (Answer::status(202), "delivered"),
            (
                Answer::status(503).header("retry-after", "7"),
                "temporary: status 503: Service Unavailable (wait 7 s)",
            ),
            (
                Answer::status(429)
                    .header("retry-after", "120")
                    .body("slow\ndown"),
                "temporary: status 429: slow down (wait 120 s)",
            ),
            (Answer::status(429).body(""), "temporary: status 429"),
            (
                // A date in the past: at once.
                Answer::status(503)
                    .header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")
                    .body(""),
                "temporary: status 503 (wait 0 s)",
            ),
            (
                Answer::status(500).header("retry-after", "soon").body(""),
                "temporary: status 500",
            ),
            (Answer::status(404), "permanent: status 404: Not Found"),
            (Answer::status(410), "permanent: status 410: Gone"),
            (
                Answer::status(400).body("x".repeat(3000)),
                "permanent: status 400: xxx",
            ),
            (Answer::reset(), "temporary: connection reset"),
        ] {
            receiver.then([answer]);
            let said = deliver("webhook", &config, notice()).await;
            assert!(said.starts_with(expected), "{expected}: {said}");
            assert!(
                said == expected || said.ends_with("x…") && said.len() < 300,
                "{said}"
            );
        }
    });
}

#[test]
fn a_date_to_wait_for_is_a_time_to_wait() {
    run(async {
        let receiver = receiver().await;
        let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(600);
        let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        receiver.then([Answer::status(503).header("retry-after", &date)]);
        let config = format!(r#"{{"url": "{}"}}"#, receiver.url("/"));
        let run = Trial::new("webhook", &config)
            .deliver(notice())
            .await
            .unwrap();
        let NotifyOutcome::Temporary {
            retry_after: Some(wait),
            ..
        } = run.outcome
        else {
            panic!("{:?}", run.outcome);
        };
        assert!(
            (Duration::from_secs(500)..=Duration::from_mins(10)).contains(&wait),
            "{wait:?}"
        );
    });
}

#[test]
fn a_receiver_that_does_not_answer_is_tried_again() {
    run(async {
        let receiver = receiver().await;
        receiver.otherwise(Answer::hang());
        let config = format!(r#"{{"url": "{}"}}"#, receiver.url("/"));
        let trial = Trial::new("webhook", &config).within(SHORT);
        let said = trial.deliver_in_words(notice()).await;
        assert_eq!(said, "temporary: no answer in 1 s");
        drop(receiver);
        let said = deliver("webhook", r#"{"url": "http://gone.test/"}"#, notice()).await;
        assert_eq!(said, "temporary: no such host: gone.test");
        let said = deliver("webhook", r#"{"url": "http://127.0.0.1:1/"}"#, notice()).await;
        assert_eq!(said, "temporary: connection refused");
    });
}

#[test]
fn a_redirect_is_not_followed() {
    run(async {
        let (receiver, other) = (receiver().await, receiver().await);
        let elsewhere = other.url("/hook");
        receiver.then([Answer::status(307).header("location", &elsewhere).body("")]);
        let config = format!(r#"{{"url": "{}"}}"#, receiver.url("/"));
        let trial = Trial::new("webhook", &config).allow(other.address().to_string());
        assert_eq!(
            trial.deliver_in_words(notice()).await,
            format!("permanent: status 307 redirects to {elsewhere}")
        );
        assert_eq!(other.received().len(), 0);
    });
}

#[test]
fn secrets_are_in_nothing_that_is_shown() {
    run(async {
        let receiver = receiver().await;
        receiver.then([Answer::status(400).body("token hunter2-of-old, key sign-with-this")]);
        let config = format!(
            r#"{{"url": "{}", "secret": "sign-with-this", "headers": {{"x-token": "hunter2-of-old"}}}}"#,
            receiver.url("/")
        );
        let trial = Trial::new("webhook", &config).secret("hunter2-of-old");
        let run = trial.deliver(notice()).await.unwrap();
        assert_eq!(
            plugin_tests::of_delivery(&run.outcome),
            "permanent: status 400: token ****, key ****"
        );
        let shown = shown(&run);
        assert!(
            !shown.contains("hunter2") && !shown.contains("sign-with"),
            "{shown}"
        );
    });
}
