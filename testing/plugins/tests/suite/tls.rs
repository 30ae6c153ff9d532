//! The tls probe.

use plugin_tests::{ANY, Trial, check, run};
use target_server::{TcpBehaviour, TcpTarget, TlsKind, TlsTarget};

use crate::http::SHORT;
use crate::http_tls::{in_ten_days, server};
use crate::measured::{names, value};

fn target(server: &TlsTarget) -> String {
    format!("tls://localhost:{}", server.address().port())
}

#[test]
fn a_chain_that_is_trusted_is_healthy() {
    run(async {
        let server = server(TlsKind::Valid).await;
        let by_address = format!("tls://{}", server.address());
        for (target, config, expected) in [
            (target(&server), "{}", "healthy"),
            (by_address, "{}", "healthy"),
            (target(&server), r#"{"min_version": "1.3"}"#, "healthy"),
            (
                target(&server),
                r#"{"names": ["127.0.0.1", "LOCALHOST"]}"#,
                "healthy",
            ),
            (
                target(&server),
                r#"{"names": ["a.test"]}"#,
                "dead: certificate is not for a.test",
            ),
            (
                target(&server),
                r#"{"server_name": "a.test"}"#,
                "dead: certificate name does not match: names are localhost, 127.0.0.1, ::1",
            ),
        ] {
            assert_eq!(check("tls", &target, config).await, expected, "{config}");
        }
        let run = Trial::new("tls", "{}")
            .check(&target(&server))
            .await
            .unwrap();
        assert_eq!(
            names(&run),
            ["connect seconds", "tls seconds", "certificate-expiry days"]
        );
    });
}

#[test]
fn a_chain_that_is_not_is_dead_and_says_why() {
    run(async {
        for (kind, expected) in [
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
        ] {
            let server = server(kind).await;
            assert_eq!(
                check("tls", &target(&server), "{}").await,
                expected,
                "{kind:?}"
            );
            let said = check("tls", &target(&server), r#"{"allow_untrusted": true}"#).await;
            assert_eq!(said, "healthy", "{kind:?}");
        }
        let other = server(TlsKind::WrongName).await;
        let said = check("tls", &target(&other), r#"{"server_name": "other.test"}"#).await;
        assert_eq!(said, "healthy");
    });
}

#[test]
fn expiry_is_judged_by_the_thresholds() {
    run(async {
        let soon = server(TlsKind::ValidUntil(in_ten_days())).await;
        for (config, expected) in [
            ("{}", "sick: certificate expires in 10 days"),
            (r#"{"expiry": {"sick_below": "9d"}}"#, "healthy"),
            (
                r#"{"expiry": {"dead_below": "11d"}}"#,
                "dead: certificate expires in 10 days",
            ),
        ] {
            assert_eq!(
                check("tls", &target(&soon), config).await,
                expected,
                "{config}"
            );
        }
        let expired = server(TlsKind::Expired).await;
        for config in ["{}", r#"{"allow_untrusted": true}"#] {
            let run = Trial::new("tls", config)
                .check(&target(&expired))
                .await
                .unwrap();
            let said = plugin_tests::of_check(&run.outcome);
            let once = said.matches("expired").count() == 1;
            assert!(
                once && said.starts_with("dead: certificate expired "),
                "{said}"
            );
            assert!(said.ends_with(" ago"), "{said}");
            assert!(value(&run, "certificate-expiry") < -1000.0);
        }
    });
}

#[test]
fn an_old_version_is_sick() {
    run(async {
        let server = server(TlsKind::OldTls12Only).await;
        for (config, expected) in [
            ("{}", "healthy"),
            (r#"{"min_version": "1.2"}"#, "healthy"),
            (
                r#"{"min_version": "1.3"}"#,
                "sick: speaks TLSv1.2, expected TLSv1.3 or newer",
            ),
            (r#"{"min_version": "1.1"}"#, "refused: config.min_version"),
        ] {
            let said = check("tls", &target(&server), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
    });
}

#[test]
fn the_application_protocol_is_offered_and_compared() {
    run(async {
        let http = server(TlsKind::Valid).await;
        let none = server(TlsKind::WithoutAlpn).await;
        let both = r#"{"alpn": {"offer": ["h2", "http/1.1"], "expect": "http/1.1"}}"#;
        for (server, config, expected) in [
            (&http, both, "healthy"),
            (&http, r#"{"alpn": {"expect": "http/1.1"}}"#, "healthy"),
            (&http, r#"{"alpn": {"offer": ["http/1.1"]}}"#, "healthy"),
            (
                &http,
                r#"{"alpn": {"offer": ["h2", "http/1.1"], "expect": "h2"}}"#,
                "dead: agreed on http/1.1, expected h2",
            ),
            (
                &http,
                r#"{"alpn": {"expect": "h2"}}"#,
                "dead: no application protocol (ALPN) in common with the server",
            ),
            (
                &none,
                both,
                "dead: agreed on no application protocol, expected http/1.1",
            ),
            (&none, r#"{"alpn": {"offer": ["h2"]}}"#, "healthy"),
            (
                &http,
                r#"{"alpn": {"offer": ["h2"], "expect": "imap"}}"#,
                "misconfigured: config.alpn.expect: imap is not among config.alpn.offer: h2",
            ),
        ] {
            assert_eq!(
                check("tls", &target(server), config).await,
                expected,
                "{config}"
            );
        }
        let said = check("tls", &target(&http), r#"{"alpn": {"offer": [""]}}"#).await;
        assert!(said.starts_with("refused: config.alpn.offer"), "{said}");
    });
}

#[test]
fn a_server_that_does_not_speak_tls_is_dead() {
    run(async {
        let silent = server(TlsKind::SilentHandshake).await;
        let trial = Trial::new("tls", "{}").within(SHORT);
        let said = trial.check_in_words(&target(&silent)).await;
        assert_eq!(said, "dead: no answer in 1 s");
        let mut plain = TcpTarget::start(ANY, TcpBehaviour::greeting())
            .await
            .unwrap();
        let target = format!("tls://localhost:{}", plain.address().port());
        assert_eq!(
            check("tls", &target, "{}").await,
            "dead: the server does not speak TLS"
        );
        plain.set(TcpBehaviour::Close);
        assert_eq!(
            check("tls", &target, "{}").await,
            "dead: connection closed in the handshake"
        );
        plain.stop().await;
        assert_eq!(
            check("tls", &target, "{}").await,
            "dead: connection refused"
        );
        let said = check("tls", "tls://gone.test:1", "{}").await;
        assert_eq!(said, "dead: no such host: gone.test");
    });
}
