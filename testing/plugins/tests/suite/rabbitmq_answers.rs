//! The rabbitmq probe, against a server that answers what it was told to: what a
//! real broker cannot be made to say at will.

use plugin_tests::{ANY, Trial, check, run};
use target_server::{Answer, HttpTarget, Receiver, TlsKind};

use crate::http::SHORT;
use crate::http_tls::server;
use crate::measured::{names, shown, value};

const JOBS: &str = r#"{"username": "watch", "password": "correct-horse", "queue": "jobs", "ready": {"sick": 5, "dead": 10}}"#;

fn answer(ready: u32) -> Answer {
    Answer::ok().body(format!(
        r#"{{"name": "jobs", "state": "running", "messages_ready": {ready}, "messages_unacknowledged": 0, "consumers": 1}}"#
    ))
}

async fn receiver() -> Receiver {
    Receiver::start(ANY).await.expect("a receiver starts")
}

/// Vigil's: when the queue is sick it is looked at again after the delay, and the
/// second answer wins, for worse as for better.
#[test]
fn a_sick_queue_is_looked_at_again() {
    run(async {
        let config = JOBS.replace(r#""queue""#, r#""recheck": "100ms", "queue""#);
        for (first, second, expected, asked) in [
            (4, None, "healthy", 1),
            (5, Some(4), "healthy", 2),
            (
                5,
                Some(5),
                "sick: queue jobs: 5 messages ready, sick from 5",
                2,
            ),
            (
                5,
                Some(11),
                "dead: queue jobs: 11 messages ready, dead above 10",
                2,
            ),
            (11, Some(0), "healthy", 2),
        ] {
            let receiver = receiver().await;
            receiver.then(std::iter::once(first).chain(second).map(answer));
            let run = Trial::new("rabbitmq", &config)
                .check(&receiver.url("/"))
                .await
                .unwrap();
            let said = plugin_tests::of_check(&run.outcome);
            assert_eq!(said, expected, "{first} {second:?}");
            assert_eq!(receiver.received().len(), asked, "{first} {second:?}");
        }
        // Without the key one look decides.
        let receiver = receiver().await;
        receiver.then([answer(5), answer(0)]);
        let said = check("rabbitmq", &receiver.url("/"), JOBS).await;
        assert_eq!(said, "sick: queue jobs: 5 messages ready, sick from 5");
    });
}

#[test]
fn the_request_is_the_one_that_is_documented() {
    run(async {
        let receiver = receiver().await;
        receiver.then([answer(0)]);
        // The base64 of `watch:correct-horse`.
        let login = "Basic d2F0Y2g6Y29ycmVjdC1ob3JzZQ==";
        check("rabbitmq", &receiver.url("/mq/"), JOBS).await;
        let asked = receiver.nth(0).await;
        assert_eq!(asked.method, "GET");
        assert_eq!(
            asked.path,
            "/mq/api/queues/%2F/jobs?columns=name%2Cstate%2Cmessages_ready%2Cmessages_unacknowledged%2Cconsumers"
        );
        assert_eq!(asked.header("authorization"), Some(login));

        let page = |number: u32| {
            Answer::ok().body(format!(
                r#"{{"items": [{{"name": "jobs.{number}", "messages_ready": 1, "messages_unacknowledged": 2, "consumers": 3}}], "page_count": 2}}"#
            ))
        };
        let config = JOBS.replace(r#""queue": "jobs""#, r#""pattern": "jobs.*""#);
        receiver.then([page(1), page(2)]);
        let run = Trial::new("rabbitmq", &config)
            .check(&receiver.url(""))
            .await
            .unwrap();
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
        let measured: Vec<f64> = [
            "messages-ready",
            "messages-unacknowledged",
            "consumers",
            "queues",
        ]
        .iter()
        .map(|name| value(&run, name))
        .collect();
        assert_eq!(measured, [2.0, 4.0, 6.0, 2.0], "{:?}", names(&run));
        let asked = receiver.nth(2).await.path;
        assert!(asked.contains("&page=2&page_size=500&"), "{asked}");
        assert!(
            asked.ends_with("&name=%5E%28jobs%5C..%2A%29%24&use_regex=true"),
            "{asked}"
        );
    });
}

#[test]
fn faults_of_the_server_are_told() {
    run(async {
        let receiver = receiver().await;
        for (answer, expected) in [
            (
                Answer::status(500).body("oops"),
                "dead: the management API answered with status 500",
            ),
            (
                Answer::status(404).body("<html>"),
                "dead: the management API answered with status 404",
            ),
            (
                Answer::ok().body("<html>"),
                "dead: the answer is not the JSON expected",
            ),
            (
                Answer::ok().body(r#"{"name": "jobs", "messages_ready": "many"}"#),
                "dead: the answer is not the JSON expected",
            ),
            (
                Answer::ok().body(r#"{"name": "jobs", "state": "down"}"#),
                "dead: queue jobs is down",
            ),
            // Made a moment ago: there is no verdict yet, rather than a good one.
            (
                Answer::ok().body(r#"{"name": "jobs"}"#),
                "undecided: the broker has no figures of queue jobs yet",
            ),
            (Answer::reset(), "dead: connection reset"),
        ] {
            receiver.then([answer]);
            let said = check("rabbitmq", &receiver.url("/"), JOBS).await;
            assert!(said.starts_with(expected), "{said}");
        }
        receiver.then([Answer::hang()]);
        let trial = Trial::new("rabbitmq", JOBS).within(SHORT);
        let said = trial.check_in_words(&receiver.url("/")).await;
        assert_eq!(said, "dead: no answer in 1 s");

        let many = JOBS.replace(r#""queue": "jobs""#, r#""pattern": "*""#);
        receiver.then([
            Answer::ok().body(r#"{"items": [], "page_count": 40, "filtered_count": 20000}"#)
        ]);
        let said = check("rabbitmq", &receiver.url("/"), &many).await;
        assert!(
            said.starts_with("undecided: 20000 queues to choose from"),
            "{said}"
        );
        receiver.then([Answer::status(404)]);
        let alarms = r#"{"username": "watch", "alarms": "sick"}"#;
        let said = check("rabbitmq", &receiver.url("/"), alarms).await;
        assert!(said.starts_with("misconfigured: config.alarms: "), "{said}");
    });
}

#[test]
fn the_password_is_in_nothing_that_is_shown_and_goes_to_nobody_who_is_not_trusted() {
    run(async {
        let receiver = receiver().await;
        receiver.then([Answer::status(401)
            .body(r#"{"error": "not_authorized", "reason": "correct-horse is wrong"}"#)]);
        let run = Trial::new("rabbitmq", JOBS)
            .check(&receiver.url("/"))
            .await
            .unwrap();
        assert!(!shown(&run).contains("correct-horse"), "{}", shown(&run));

        let secure = server(TlsKind::SelfSigned).await;
        let said = check("rabbitmq", &secure.url("/"), JOBS).await;
        assert_eq!(said, "dead: certificate is self-signed");
        let trusted = server(TlsKind::Valid).await;
        let said = check("rabbitmq", &trusted.url("/"), JOBS).await;
        assert!(
            said.starts_with("dead: the answer is not the JSON"),
            "{said}"
        );
        // A redirect is not followed: it would take the password along.
        receiver.then([Answer::status(302).header("location", &receiver.url("/x"))]);
        let said = check("rabbitmq", &receiver.url("/"), JOBS).await;
        assert_eq!(said, "dead: the management API answered with status 302");
    });
}

#[test]
fn what_cannot_work_names_its_key() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        for (config, expected) in [
            ("{}", "misconfigured: config: nothing to check"),
            (
                r#"{"queue": "jobs"}"#,
                "misconfigured: config.username: missing",
            ),
            (
                r#"{"username": "a", "queue": "jobs", "ready": {"sick": 2, "dead": 1}}"#,
                "misconfigured: config.ready.dead: ",
            ),
            (
                r#"{"username": "a", "queue": "jobs", "ready": {"sick": 2}, "recheck": "1m"}"#,
                "misconfigured: config.recheck: ",
            ),
            (r#"{"queue": ""}"#, "refused: config.queue"),
            (r#"{"qeue": "jobs"}"#, "refused: config.qeue"),
            (
                r#"{"queue": "jobs", "ready": {"sick": -1}}"#,
                "refused: config.ready.sick",
            ),
            (r#"{"alarms": "fatal"}"#, "refused: config.alarms"),
        ] {
            let said = check("rabbitmq", &site.url("/"), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
        let said = check("rabbitmq", "amqp://127.0.0.1:1", JOBS).await;
        assert!(said.starts_with("misconfigured: "), "{said}");
        let refused = Trial::new("rabbitmq", JOBS).ungranted();
        let said = refused.check_in_words(&site.url("/")).await;
        assert!(said.starts_with("undecided: not granted: "), "{said}");
    });
}
