//! The grpc probe, against gRPC's own server in Python.

use plugin_tests::{ANY, Program, Trial, check, run};
use target_server::{HttpTarget, TcpBehaviour, TcpTarget, TlsKind, TlsTarget};

use crate::http::SHORT;
use crate::http_tls::in_ten_days;
use crate::measured::{names, shown};
use crate::python::python;

pub(crate) async fn grpc(kind: Option<TlsKind>) -> Option<Program> {
    python("health.py", "grpc", "python3-grpcio", kind).await
}

/// By name, so that certificates can be for it.
fn target(scheme: &str, server: &Program) -> String {
    format!("{scheme}://localhost:{}", server.address().port())
}

#[test]
fn the_status_is_the_verdict() {
    run(async {
        let Some(server) = grpc(None).await else {
            return;
        };
        let target = target("grpc", &server);
        for (config, expected) in [
            ("{}", "healthy"),
            (r#"{"service": "up"}"#, "healthy"),
            (r#"{"service": "up", "authority": "other.test"}"#, "healthy"),
            (r#"{"service": "down"}"#, "dead: down is NOT_SERVING"),
            (r#"{"service": "unsure"}"#, "dead: unsure is UNKNOWN"),
            (
                r#"{"service": "shop.v1.Cart"}"#,
                r#"dead: knows no service "shop.v1.Cart""#,
            ),
            (
                r#"{"service": "absent"}"#,
                "dead: has no health service (UNIMPLEMENTED)",
            ),
            (
                r#"{"service": "broken"}"#,
                r#"dead: answers with UNAVAILABLE: "100% débris""#,
            ),
            (
                r#"{"service": "private"}"#,
                r#"dead: answers with UNAUTHENTICATED: "who is there?""#,
            ),
            (
                r#"{"service": "private", "metadata": {"X-Token": "s3cret"}}"#,
                "healthy",
            ),
            (
                r#"{"metadata": {"te": "x"}}"#,
                "misconfigured: config.metadata.te: gRPC sets it",
            ),
            (
                r#"{"authority": "a b"}"#,
                r#"misconfigured: config.authority: "a b": "#,
            ),
        ] {
            let said = check("grpc", &target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let run = Trial::new("grpc", "{}").check(&target).await.unwrap();
        assert_eq!(names(&run), ["connect seconds", "answer seconds"]);
        let slow = Trial::new("grpc", r#"{"service": "slow"}"#).within(SHORT);
        assert_eq!(
            slow.check_in_words(&target).await,
            "dead: waited 1 s for the answer of the health service"
        );
        let secret = r#"{"service": "private", "metadata": {"x-token": "wr0ng-one"}}"#;
        let trial = Trial::new("grpc", secret).secret("wr0ng-one");
        assert!(!shown(&trial.check(&target).await.unwrap()).contains("wr0ng-one"));
    });
}

#[test]
fn certificates_are_judged() {
    run(async {
        for (kind, config, expected) in [
            (TlsKind::Valid, "{}", "healthy"),
            (
                TlsKind::Valid,
                r#"{"tls": {"server_name": "other.test"}}"#,
                "dead: certificate name does not match",
            ),
            (
                TlsKind::SelfSigned,
                "{}",
                "dead: certificate is self-signed",
            ),
            (
                TlsKind::SelfSigned,
                r#"{"tls": {"allow_untrusted": true}}"#,
                "healthy",
            ),
            (TlsKind::Expired, "{}", "dead: certificate expired "),
            (
                TlsKind::ValidUntil(in_ten_days()),
                "{}",
                "sick: certificate expires in 10 days",
            ),
        ] {
            let Some(server) = grpc(Some(kind)).await else {
                return;
            };
            let said = check("grpc", &target("grpcs", &server), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            if kind == TlsKind::Valid {
                let said = check("grpc", &target("grpc", &server), "{}").await;
                assert!(said.starts_with("dead: "), "{said}");
            }
        }
        // TLS, and no HTTP/2 behind it.
        let site = TlsTarget::start_with(ANY, TlsKind::Valid, plugin_tests::authority())
            .await
            .unwrap();
        let target = format!("grpcs://localhost:{}", site.address().port());
        let said = check("grpc", &target, "{}").await;
        assert!(said.starts_with("dead: "), "{said}");
    });
}

#[test]
fn what_is_no_grpc_server_is_dead() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let target = format!("grpc://{}", site.address());
        assert_eq!(
            check("grpc", &target, "{}").await,
            "dead: connection closed before the answer of the health service"
        );

        let mut server = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let target = format!("grpc://{}", server.address());
        let silent = Trial::new("grpc", "{}").within(SHORT);
        assert_eq!(
            silent.check_in_words(&target).await,
            "dead: waited 1 s for the answer of the health service"
        );
        server.set(TcpBehaviour::greeting());
        let said = check("grpc", &target, "{}").await;
        assert!(said.starts_with("dead: does not speak HTTP/2: "), "{said}");
        server.set(TcpBehaviour::Close);
        assert_eq!(
            check("grpc", &target, "{}").await,
            "dead: connection closed before the answer of the health service"
        );
        server.stop().await;
        assert_eq!(
            check("grpc", &target, "{}").await,
            "dead: connection refused"
        );
        assert_eq!(
            check("grpc", "grpc://gone.test:1", "{}").await,
            "dead: no such host: gone.test"
        );
        assert_eq!(
            check("grpc", "grpc://127.0.0.1", "{}").await,
            "misconfigured: target grpc://127.0.0.1: no port: write host:port"
        );
    });
}
