//! The http probe over TLS.

use std::time::{Duration, SystemTime};

use plugin_tests::{ANY, Trial, authority, check, run};
use target_server::{HttpTarget, TcpBehaviour, TcpTarget, TlsKind, TlsTarget};

use crate::http::SHORT;
use crate::measured::{names, value};

pub(crate) async fn server(kind: TlsKind) -> TlsTarget {
    TlsTarget::start_with(ANY, kind, authority())
        .await
        .expect("a server starts")
}

/// Ten days and half an hour from now: by the time it is looked at it is ten days
/// and some minutes.
pub(crate) fn in_ten_days() -> SystemTime {
    SystemTime::from(jiff::Timestamp::now()) + Duration::from_mins(10 * 24 * 60 + 30)
}

#[test]
fn a_certificate_that_is_trusted_is_healthy() {
    run(async {
        let server = server(TlsKind::Valid).await;
        let by_address = format!("https://{}/", server.address());
        for target in [server.url("/"), by_address] {
            let config = r#"{"expect": {"body": "ok"}}"#;
            assert_eq!(check("http", &target, config).await, "healthy", "{target}");
        }
        let run = Trial::new("http", "{}")
            .check(&server.url("/"))
            .await
            .unwrap();
        assert_eq!(
            names(&run),
            [
                "status code",
                "resolve seconds",
                "connect seconds",
                "tls seconds",
                "first-byte seconds",
                "transfer seconds",
                "certificate-expiry days"
            ]
        );
        assert!(
            value(&run, "certificate-expiry") > 20_000.0,
            "valid until 2099"
        );
    });
}

#[test]
fn a_certificate_that_is_not_is_dead_and_says_why() {
    run(async {
        for (kind, expected) in [
            (TlsKind::Expired, "dead: certificate expired on 2020-12-31"),
            (
                TlsKind::NotYet,
                "dead: certificate is not valid before 2090-01-01",
            ),
            (TlsKind::SelfSigned, "dead: certificate is self-signed"),
            (
                TlsKind::WrongName,
                "dead: certificate name does not match: names are other.test",
            ),
            (
                TlsKind::MissingIntermediate,
                "dead: certificate issuer is not trusted",
            ),
            (TlsKind::OldTls12Only, "healthy"),
        ] {
            let server = server(kind).await;
            assert_eq!(
                check("http", &server.url("/"), "{}").await,
                expected,
                "{kind:?}"
            );
        }
    });
}

#[test]
fn without_verification_any_certificate_will_do() {
    run(async {
        for kind in [
            TlsKind::Expired,
            TlsKind::NotYet,
            TlsKind::SelfSigned,
            TlsKind::WrongName,
            TlsKind::MissingIntermediate,
            TlsKind::ValidUntil(in_ten_days()),
        ] {
            let server = server(kind).await;
            let config = r#"{"tls": {"verify": false}, "expect": {"body": "ok"}}"#;
            let trial = Trial::new("http", config);
            let run = trial.check(&server.url("/")).await.unwrap();
            assert_eq!(plugin_tests::of_check(&run.outcome), "healthy", "{kind:?}");
            let days = value(&run, "certificate-expiry");
            assert_eq!(days < 0.0, kind == TlsKind::Expired, "{kind:?}: {days}");
            // What is expected of the answer is expected all the same.
            let config = r#"{"tls": {"verify": false}, "expect": {"body": "up"}}"#;
            let said = check("http", &server.url("/"), config).await;
            assert_eq!(said, r#"dead: the body does not contain "up""#, "{kind:?}");
        }
    });
}

#[test]
fn without_verification_the_expiry_is_judged_when_asked_for() {
    run(async {
        let expired = server(TlsKind::Expired).await;
        let soon = server(TlsKind::ValidUntil(in_ten_days())).await;
        for (server, config, expected) in [
            (
                &expired,
                r#"{"tls": {"verify": false, "sick_below": "1d"}}"#,
                "dead: certificate expired ",
            ),
            (
                &soon,
                r#"{"tls": {"verify": false, "sick_below": "14d"}}"#,
                "sick: certificate expires in 10 days",
            ),
            (
                &soon,
                r#"{"tls": {"verify": false, "dead_below": "14d"}}"#,
                "dead: certificate expires in 10 days",
            ),
        ] {
            let said = check("http", &server.url("/"), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
    });
}

#[test]
fn redirects_keep_the_verification_and_the_next_run_does_not() {
    run(async {
        let own = server(TlsKind::SelfSigned).await;
        let site = HttpTarget::start(ANY).await.unwrap();
        let target = site.url(&format!("/redirect?to={}", own.url("/")));
        let allow = format!("localhost:{}", own.address().port());
        let off = Trial::new("http", r#"{"tls": {"verify": false}}"#).allow(allow.as_str());
        let on = Trial::new("http", "{}").allow(allow);
        for _ in 0..3 {
            assert_eq!(off.check_in_words(&target).await, "healthy");
            assert_eq!(
                on.check_in_words(&target).await,
                "dead: certificate is self-signed"
            );
        }
    });
}

#[test]
fn expiry_is_judged_by_the_thresholds() {
    run(async {
        let server = server(TlsKind::ValidUntil(in_ten_days())).await;
        for (config, expected) in [
            ("{}", "sick: certificate expires in 10 days"),
            (r#"{"tls": {"sick_below": "9d"}}"#, "healthy"),
            (r#"{"tls": {"sick_below": "0s"}}"#, "healthy"),
            (
                r#"{"tls": {"dead_below": "11d"}}"#,
                "dead: certificate expires in 10 days",
            ),
            (
                r#"{"tls": {"sick_below": "0s"}, "expect": {"body": "up"}}"#,
                r#"dead: the body does not contain "up""#,
            ),
        ] {
            assert_eq!(
                check("http", &server.url("/"), config).await,
                expected,
                "{config}"
            );
        }
        let run = Trial::new("http", "{}")
            .check(&server.url("/"))
            .await
            .unwrap();
        let days = value(&run, "certificate-expiry");
        assert!((10.0..10.03).contains(&days), "{days}");
    });
}

#[test]
fn a_handshake_that_does_not_end_is_dead() {
    run(async {
        let silent = server(TlsKind::SilentHandshake).await;
        let trial = Trial::new("http", "{}").within(SHORT);
        let said = trial.check_in_words(&silent.url("/")).await;
        assert_eq!(said, "dead: no answer in 1 s");

        let site = HttpTarget::start(ANY).await.unwrap();
        let target = format!("https://localhost:{}/", site.address().port());
        assert_eq!(
            check("http", &target, "{}").await,
            "dead: the server does not speak TLS"
        );

        let closing = TcpTarget::start(ANY, TcpBehaviour::Close).await.unwrap();
        let target = format!("https://localhost:{}/", closing.address().port());
        assert_eq!(
            check("http", &target, "{}").await,
            "dead: connection closed in the handshake"
        );
    });
}
