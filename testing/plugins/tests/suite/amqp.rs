//! The amqp probe, against RabbitMQ and against servers that are none.

use plugin_tests::{ANY, Trial, authority, check, run};
use serde_json::json;
use target_server::{HttpTarget, TcpBehaviour, TcpTarget, TlsKind};
use test_brokers::RabbitMq;

use crate::brokers::has_rabbitmq;
use crate::http::SHORT;
use crate::http_tls::server;
use crate::measured::{names, shown, value};

#[test]
fn a_real_broker() {
    if !has_rabbitmq() {
        return;
    }
    run(async {
        let identity = authority().identity(TlsKind::Valid).expect("it is signed");
        let mut broker = RabbitMq::start(Some(&identity)).await.expect("it starts");
        logins_and_virtual_hosts_are_tried(&broker).await;
        with_tls_the_certificate_is_verified(&broker).await;
        let target = format!("amqp://{}", broker.amqp());
        broker.kill();
        assert_eq!(
            check("amqp", &target, "{}").await,
            "dead: connection refused"
        );
    });
}

async fn logins_and_virtual_hosts_are_tried(broker: &RabbitMq) {
    let target = format!("amqp://{}", broker.amqp());
    broker.put("vhosts/eu%2Fmail", &json!({})).await;
    broker.put("vhosts/closed", &json!({})).await;
    let user = json!({"password": "correct-horse", "tags": ""});
    broker.put("users/watch", &user).await;
    let none = json!({"configure": "", "write": "", "read": ""});
    broker.put("permissions/eu%2Fmail/watch", &none).await;

    let watch = r#""username": "watch", "password": "correct-horse""#;
    for (config, expected) in [
        ("{}".to_owned(), "healthy"),
        (format!(r#"{{{watch}, "vhost": "eu/mail"}}"#), "healthy"),
        (
            format!(r#"{{{watch}, "vhost": "closed"}}"#),
            "dead: the broker refused: 530 NOT_ALLOWED - access to vhost 'closed' refused for user 'watch'",
        ),
        (
            r#"{"vhost": "nowhere"}"#.to_owned(),
            "dead: the broker refused: 530 NOT_ALLOWED - vhost nowhere not found",
        ),
        (
            r#"{"username": "watch", "password": "wrong"}"#.to_owned(),
            "dead: the broker refused: 403 ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.",
        ),
    ] {
        assert_eq!(check("amqp", &target, &config).await, expected, "{config}");
    }
    let with_login = target.replace("amqp://", "amqp://watch:correct-horse@") + "/eu%2Fmail";
    let run = Trial::new("amqp", "{}").check(&with_login).await;
    let run = run.expect("it fits");
    assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
    assert_eq!(
        names(&run),
        [
            "connect seconds",
            "login seconds",
            "open seconds",
            "close seconds"
        ]
    );
    let config = format!(r#"{{{watch}, "vhost": "closed"}}"#);
    let run = Trial::new("amqp", &config).check(&target).await;
    let run = run.expect("it fits");
    assert!(!shown(&run).contains("correct-horse"), "{}", shown(&run));
    // It was closed in order: the broker writes a warning where it was not.
    let connections = broker.get("connections").await.expect("it answers");
    assert_eq!(connections.as_array().map(Vec::len), Some(0));
}

async fn with_tls_the_certificate_is_verified(broker: &RabbitMq) {
    let target = format!("amqps://localhost:{}", broker.amqps_port());
    let run = Trial::new("amqp", "{}").check(&target).await;
    let run = run.expect("it fits");
    assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
    assert_eq!(
        names(&run),
        [
            "connect seconds",
            "tls seconds",
            "certificate-expiry days",
            "login seconds",
            "open seconds",
            "close seconds"
        ]
    );
    assert!(
        value(&run, "certificate-expiry") > 20_000.0,
        "valid until 2099"
    );
    for (config, expected) in [
        (
            r#"{"server_name": "a.test"}"#,
            "dead: certificate name does not match: names are localhost, 127.0.0.1, ::1",
        ),
        (
            r#"{"server_name": "a.test", "allow_untrusted": true}"#,
            "healthy",
        ),
        (
            r#"{"expiry": {"dead_below": "90000d"}}"#,
            "dead: certificate expires in ",
        ),
    ] {
        let said = check("amqp", &target, config).await;
        assert!(said.starts_with(expected), "{config}: {said}");
    }
    let plain = format!("amqp://localhost:{}", broker.amqps_port());
    let said = check("amqp", &plain, "{}").await;
    assert!(said.starts_with("dead: "), "{said}");
    let secure = format!("amqps://localhost:{}", broker.amqp().port());
    let said = check("amqp", &secure, "{}").await;
    assert_eq!(said, "dead: the server does not speak TLS");
}

#[test]
fn a_server_that_is_no_broker_is_dead() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let target = format!("amqp://{}", site.address());
        let said = check("amqp", &target, "{}").await;
        assert!(
            said.starts_with("dead: the server does not speak AMQP: \"HTTP/1.1 400"),
            "{said}"
        );
        let mut other = TcpTarget::start(ANY, TcpBehaviour::greeting())
            .await
            .unwrap();
        let target = format!("amqp://{}", other.address());
        let said = check("amqp", &target, "{}").await;
        assert!(
            said.starts_with("dead: the server does not speak AMQP: \"target-server"),
            "{said}"
        );
        // A broker of version 1.0 answers with its own greeting, as this one does
        // with ours.
        other.set(TcpBehaviour::Echo { banner: None });
        assert_eq!(
            check("amqp", &target, "{}").await,
            "dead: the server speaks AMQP 0-9-1, not 0-9-1"
        );
        other.set(TcpBehaviour::Close);
        assert_eq!(
            check("amqp", &target, "{}").await,
            "dead: the broker closed the connection before its greeting"
        );
        other.set(TcpBehaviour::Reset);
        let said = check("amqp", &target, "{}").await;
        assert_eq!(said, "dead: connection reset");
        other.set(TcpBehaviour::Hang);
        let trial = Trial::new("amqp", "{}").within(SHORT);
        let said = trial.check_in_words(&target).await;
        assert!(said.starts_with("dead: no answer in "), "{said}");
        other.stop().await;
        assert_eq!(
            check("amqp", &target, "{}").await,
            "dead: connection refused"
        );
        let gone = check("amqp", "amqp://gone.test", "{}").await;
        assert_eq!(gone, "dead: no such host: gone.test");
    });
}

#[test]
fn nobody_who_is_not_trusted_gets_the_password() {
    run(async {
        for (kind, expected) in [
            (TlsKind::SelfSigned, "dead: certificate is self-signed"),
            (TlsKind::Expired, "dead: certificate expired on 2020-12-31"),
        ] {
            let server = server(kind).await;
            let target = format!("amqps://localhost:{}", server.address().port());
            let run = Trial::new("amqp", r#"{"password": "correct-horse"}"#)
                .check(&target)
                .await
                .unwrap();
            assert_eq!(plugin_tests::of_check(&run.outcome), expected);
            assert_eq!(server.handshakes(), 0, "{kind:?}");
        }
        let silent = server(TlsKind::SilentHandshake).await;
        let target = format!("amqps://localhost:{}", silent.address().port());
        let trial = Trial::new("amqp", "{}").within(SHORT);
        let said = trial.check_in_words(&target).await;
        assert!(said.starts_with("dead: no answer in "), "{said}");
    });
}

#[test]
fn what_cannot_work_names_its_key() {
    run(async {
        for (target, config, expected) in [
            (
                "http://127.0.0.1:1",
                "{}",
                "misconfigured: target http://127.0.0.1:1: http is neither amqp nor amqps",
            ),
            (
                "amqp://127.0.0.1:1",
                r#"{"allow_untrusted": true}"#,
                "misconfigured: config.allow_untrusted: is of no use without TLS",
            ),
            (
                "amqp://127.0.0.1:1/a/b",
                "{}",
                "misconfigured: target: its path is no name of a virtual host",
            ),
            (
                "amqp://127.0.0.1:1",
                r#"{"host": "/"}"#,
                "refused: config.host",
            ),
            (
                "amqp://127.0.0.1:1",
                r#"{"vhost": ""}"#,
                "refused: config.vhost",
            ),
        ] {
            let said = check("amqp", target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
        let refused = Trial::new("amqp", "{}").ungranted();
        let said = refused.check_in_words("amqp://127.0.0.1:1").await;
        assert!(said.starts_with("undecided: not granted: "), "{said}");
    });
}
