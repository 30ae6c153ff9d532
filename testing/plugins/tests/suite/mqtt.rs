//! The mqtt probe, against Mosquitto and against servers that are none.

use plugin_tests::{ANY, Trial, authority, check, run};
use target_server::{HttpTarget, TcpBehaviour, TcpTarget, TlsKind};
use test_brokers::{Listener, Mosquitto};

use crate::brokers::has_mosquitto;
use crate::http::SHORT;
use crate::http_tls::server;
use crate::measured::{names, shown, value};

const VERSIONS: [&str; 2] = ["3.1.1", "5"];

async fn broker() -> Mosquitto {
    let identity = authority().identity(TlsKind::Valid).expect("it is signed");
    Mosquitto::start(&identity).await.expect("mosquitto starts")
}

fn target(broker: &Mosquitto, listener: Listener) -> String {
    format!("mqtt://{}", broker.address(listener))
}

#[test]
fn a_message_comes_back() {
    if !has_mosquitto() {
        return;
    }
    run(async {
        let mut broker = broker().await;
        let target = target(&broker, Listener::Open);
        assert_eq!(check("mqtt", &target, "{}").await, "healthy");
        for version in VERSIONS {
            for qos in [0, 1] {
                let config =
                    format!(r#"{{"version": "{version}", "topic": "watch/it", "qos": {qos}}}"#);
                let run = Trial::new("mqtt", &config).check(&target).await.unwrap();
                let said = plugin_tests::of_check(&run.outcome);
                assert_eq!(said, "healthy", "{config}");
                assert_eq!(
                    names(&run),
                    [
                        "connect seconds",
                        "login seconds",
                        "subscribe seconds",
                        "round-trip seconds"
                    ]
                );
            }
        }
        // Many at once on one topic: each waits for its own message.
        let trial = Trial::new("mqtt", r#"{"topic": "watch/it", "qos": 1}"#);
        let mut together = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (trial, target) = (trial.clone(), target.clone());
            together.spawn(async move { trial.check_in_words(&target).await });
        }
        for said in together.join_all().await {
            assert_eq!(said, "healthy");
        }
        broker.kill();
        assert_eq!(
            check("mqtt", &target, "{}").await,
            "dead: connection refused"
        );
    });
}

#[test]
fn a_broker_that_guards_itself_is_told_who_it_is() {
    if !has_mosquitto() {
        return;
    }
    run(async {
        let broker = broker().await;
        let target = target(&broker, Listener::Guarded);
        for (version, refused, denied) in [
            (
                "3.1.1",
                "dead: the broker refused the login: not authorized",
                // It takes the message, and delivers it to nobody.
                "dead: the message to secret did not come back: no answer in ",
            ),
            (
                "5",
                "dead: the broker refused the login: not authorized",
                "dead: the broker refused the message to secret: not authorized",
            ),
        ] {
            let with = |more: &str| {
                format!(
                    r#"{{"version": "{version}", "username": "watch", "password": "correct-horse"{more}}}"#
                )
            };
            let config = with(r#", "topic": "allowed/check", "qos": 1"#);
            assert_eq!(check("mqtt", &target, &config).await, "healthy");
            let by_target = target.replace("mqtt://", "mqtt://watch:correct-horse@");
            let bare = format!(r#"{{"version": "{version}"}}"#);
            assert_eq!(check("mqtt", &by_target, &bare).await, "healthy");
            assert_eq!(check("mqtt", &target, &bare).await, refused);
            let wrong = with("").replace("correct-horse", "wrong");
            assert_eq!(check("mqtt", &target, &wrong).await, refused);
            let config = with(r#", "topic": "secret", "qos": 1"#);
            let run = Trial::new("mqtt", &config)
                .within(SHORT)
                .check(&target)
                .await
                .unwrap();
            let said = plugin_tests::of_check(&run.outcome);
            // At the end of its time the host may be the first to say so.
            assert!(
                said.starts_with(denied)
                    || version == "3.1.1" && said.starts_with("dead: no answer in "),
                "{version}: {said}"
            );
            assert!(!shown(&run).contains("correct-horse"), "{}", shown(&run));
        }
    });
}

#[test]
fn with_tls_the_certificate_is_verified() {
    if !has_mosquitto() {
        return;
    }
    run(async {
        let broker = broker().await;
        let port = broker.address(Listener::Secure).port();
        let target = format!("mqtts://localhost:{port}");
        let run = Trial::new("mqtt", r#"{"topic": "watch"}"#)
            .check(&target)
            .await
            .unwrap();
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
        assert!(
            value(&run, "certificate-expiry") > 20_000.0,
            "valid until 2099"
        );
        for (config, expected) in [
            (
                r#"{"server_name": "a.test"}"#,
                "dead: certificate name does not match",
            ),
            (
                r#"{"server_name": "a.test", "allow_untrusted": true}"#,
                "healthy",
            ),
            (
                r#"{"expiry": {"sick_below": "90000d"}}"#,
                "sick: certificate expires in ",
            ),
        ] {
            let said = check("mqtt", &target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
        let plain = format!("mqtt://localhost:{port}");
        let said = check("mqtt", &plain, "{}").await;
        assert!(said.starts_with("dead: "), "{said}");
        let open = broker.address(Listener::Open).port();
        let said = check("mqtt", &format!("mqtts://localhost:{open}"), "{}").await;
        assert!(said.starts_with("dead: "), "{said}");
        let other = server(TlsKind::SelfSigned).await;
        let target = format!("mqtts://localhost:{}", other.address().port());
        assert_eq!(
            check("mqtt", &target, "{}").await,
            "dead: certificate is self-signed"
        );
    });
}

#[test]
fn a_server_that_is_no_broker_is_dead() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let said = check("mqtt", &format!("mqtt://{}", site.address()), "{}").await;
        assert!(
            said.starts_with("dead: the server does not speak MQTT: "),
            "{said}"
        );
        let mut other = TcpTarget::start(ANY, TcpBehaviour::Close).await.unwrap();
        let target = format!("mqtt://{}", other.address());
        assert_eq!(
            check("mqtt", &target, "{}").await,
            "dead: connection closed before the answer was complete"
        );
        other.set(TcpBehaviour::Reset);
        assert_eq!(check("mqtt", &target, "{}").await, "dead: connection reset");
        // Sends back what it was sent, which is MQTT, and no answer.
        other.set(TcpBehaviour::Echo { banner: None });
        for version in VERSIONS {
            let config = format!(r#"{{"version": "{version}"}}"#);
            let said = check("mqtt", &target, &config).await;
            assert!(
                said.starts_with("dead: the broker does not keep to MQTT"),
                "{said}"
            );
        }
        other.set(TcpBehaviour::Hang);
        let trial = Trial::new("mqtt", "{}").within(SHORT);
        let said = trial.check_in_words(&target).await;
        assert!(said.starts_with("dead: no answer in "), "{said}");
        other.stop().await;
        assert_eq!(
            check("mqtt", &target, "{}").await,
            "dead: connection refused"
        );
    });
}

#[test]
fn what_cannot_work_names_its_key() {
    run(async {
        for (target, config, expected) in [
            (
                "tcp://127.0.0.1:1",
                "{}",
                "misconfigured: target tcp://127.0.0.1:1: tcp is neither mqtt nor mqtts",
            ),
            (
                "mqtt://127.0.0.1:1",
                r#"{"topic": "a/#"}"#,
                "misconfigured: config.topic: \"a/#\" holds a wildcard",
            ),
            (
                "mqtt://127.0.0.1:1",
                r#"{"topic": "$SYS/a"}"#,
                "misconfigured: config.topic: ",
            ),
            (
                "mqtt://127.0.0.1:1",
                r#"{"qos": 1}"#,
                "misconfigured: config.qos: is of no use without config.topic",
            ),
            (
                "mqtt://127.0.0.1:1",
                r#"{"password": "correct-horse"}"#,
                "misconfigured: config.password: ",
            ),
            (
                "mqtt://127.0.0.1:1",
                r#"{"topic": "a", "qos": 2}"#,
                "refused: config.qos",
            ),
            (
                "mqtt://127.0.0.1:1",
                r#"{"version": "4"}"#,
                "refused: config.version",
            ),
        ] {
            let said = check("mqtt", target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
        let refused = Trial::new("mqtt", "{}").ungranted();
        let said = refused.check_in_words("mqtt://127.0.0.1:1").await;
        assert!(said.starts_with("undecided: not granted: "), "{said}");
    });
}
