//! The tcp probe.

use plugin_tests::{ANY, Trial, check, run};
use target_server::{TcpBehaviour, TcpTarget};

use crate::http::SHORT;
use crate::measured::names;

async fn server(behaviour: TcpBehaviour) -> TcpTarget {
    TcpTarget::start(ANY, behaviour)
        .await
        .expect("a server starts")
}

fn target(server: &TcpTarget) -> String {
    format!("tcp://{}", server.address())
}

#[test]
fn a_port_that_takes_connections_is_healthy() {
    run(async {
        for behaviour in [
            TcpBehaviour::greeting(),
            TcpBehaviour::Hang,
            TcpBehaviour::Close,
        ] {
            let server = server(behaviour).await;
            assert_eq!(check("tcp", &target(&server), "{}").await, "healthy");
        }
        let server = server(TcpBehaviour::Hang).await;
        for host in ["localhost", "here.test"] {
            let target = format!("tcp://{host}:{}", server.address().port());
            assert_eq!(check("tcp", &target, "{}").await, "healthy", "{host}");
        }
        let run = Trial::new("tcp", "{}")
            .check(&target(&server))
            .await
            .unwrap();
        assert_eq!(names(&run), ["connect seconds"]);
    });
}

#[test]
fn a_port_that_takes_none_is_dead() {
    run(async {
        let mut server = server(TcpBehaviour::Hang).await;
        server.stop().await;
        assert_eq!(
            check("tcp", &target(&server), "{}").await,
            "dead: connection refused"
        );
        let port = server.address().port();
        for (target, expected) in [
            (
                format!("tcp://localhost:{port}"),
                "dead: connection refused",
            ),
            (
                format!("tcp://gone.test:{port}"),
                "dead: no such host: gone.test",
            ),
            (
                "tcp://127.0.0.1".to_owned(),
                "misconfigured: target tcp://127.0.0.1: no port: write host:port",
            ),
        ] {
            assert_eq!(check("tcp", &target, "{}").await, expected, "{target}");
        }
    });
}

#[test]
fn what_comes_back_is_compared() {
    run(async {
        let server = server(TcpBehaviour::greeting()).await;
        for (config, expected) in [
            (r#"{"expect": {"contains": "ready"}}"#, "healthy"),
            (r#"{"expect": {"regex": "^target-\\w+ ready"}}"#, "healthy"),
            (
                r#"{"send": "ping\r\n", "expect": {"contains": "ping"}}"#,
                "healthy",
            ),
            (
                r#"{"send_hex": "70 69 6e 67", "expect": {"contains": "ping"}}"#,
                "healthy",
            ),
            (
                r#"{"send": "a1b", "expect": {"contains": "ready", "regex": "a[0-9]b"}}"#,
                "healthy",
            ),
            (
                r#"{"expect": {"contains": "220"}, "read_limit": 6}"#,
                r#"dead: expected "220", got "target" in the first 6 bytes"#,
            ),
            (
                r#"{"send": "a", "send_hex": "00"}"#,
                "misconfigured: config.send_hex: give either this or config.send",
            ),
            (
                r#"{"expect": {"regex": "("}}"#,
                "misconfigured: config.expect.regex: \"(\" is no regular expression",
            ),
            (r#"{"send_hex": "0g"}"#, "refused: config.send_hex"),
            (r#"{"read_limit": 0}"#, "refused: config.read_limit"),
        ] {
            let said = check("tcp", &target(&server), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let trial = Trial::new("tcp", r#"{"expect": {"contains": "ready"}}"#);
        let run = trial.check(&target(&server)).await.unwrap();
        assert_eq!(names(&run), ["connect seconds", "answer seconds"]);
    });
}

#[test]
fn what_does_not_come_back_is_dead() {
    run(async {
        let greeting = server(TcpBehaviour::greeting()).await;
        let trial = Trial::new("tcp", r#"{"expect": {"contains": "220"}}"#).within(SHORT);
        assert_eq!(
            trial.check_in_words(&target(&greeting)).await,
            r#"dead: expected "220", got "target-server ready\r\n" in 1 s"#
        );
        let silent = server(TcpBehaviour::Hang).await;
        assert_eq!(
            trial.check_in_words(&target(&silent)).await,
            r#"dead: expected "220", got nothing in 1 s"#
        );
        let closing = server(TcpBehaviour::Close).await;
        assert_eq!(
            check(
                "tcp",
                &target(&closing),
                r#"{"expect": {"contains": "220"}}"#
            )
            .await,
            r#"dead: expected "220", got nothing before the connection was closed"#
        );
        let resetting = server(TcpBehaviour::Reset).await;
        let said = check(
            "tcp",
            &target(&resetting),
            r#"{"expect": {"contains": "220"}}"#,
        )
        .await;
        assert_eq!(
            said,
            "dead: connection closed before the answer was complete"
        );
    });
}
