//! The websocket probe, against the Python package `websockets`.

use plugin_tests::{ANY, Program, Trial, check, run};
use target_server::{HttpTarget, TcpBehaviour, TcpTarget, TlsKind};

use crate::http::SHORT;
use crate::http_tls::in_ten_days;
use crate::measured::names;
use crate::python::python;

pub(crate) async fn websockets(kind: Option<TlsKind>) -> Option<Program> {
    python("websocket.py", "websockets", "python3-websockets", kind).await
}

/// By name, so that certificates can be for it.
fn target(scheme: &str, server: &Program, path: &str) -> String {
    format!("{scheme}://localhost:{}{path}", server.address().port())
}

#[test]
fn a_server_that_upgrades_and_answers_is_healthy() {
    run(async {
        let Some(server) = websockets(None).await else {
            return;
        };
        for (path, config, expected) in [
            ("/echo", "{}", "healthy"),
            ("", "{}", "healthy"),
            (
                "/echo",
                r#"{"ping": false, "clean_close": false}"#,
                "healthy",
            ),
            (
                "/echo",
                r#"{"send": "hello é", "expect": {"contains": "o é"}}"#,
                "healthy",
            ),
            (
                "/greet",
                r#"{"expect": {"regex": "^read[xyz]$"}}"#,
                "healthy",
            ),
            ("/chatty", r#"{"expect": {"contains": "ready"}}"#, "healthy"),
            (
                "/echo",
                r#"{"subprotocols": ["v1"], "expect": {"subprotocol": "v1"}}"#,
                "healthy",
            ),
            (
                "/echo",
                r#"{"subprotocols": ["v1", "v3"], "expect": {"subprotocol": "v3"}}"#,
                "dead: chooses subprotocol v1, expected v3",
            ),
            (
                "/echo",
                r#"{"subprotocols": ["v3"], "expect": {"subprotocol": "v3"}}"#,
                "dead: chooses subprotocol none, expected v3",
            ),
            (
                "/echo",
                r#"{"expect": {"headers": {"Server": "websockets/[0-9.]+"}}}"#,
                "healthy",
            ),
            (
                "/echo",
                r#"{"expect": {"headers": {"server": "nginx"}}}"#,
                r#"dead: header server is "Python/"#,
            ),
            (
                "/echo",
                r#"{"expect": {"headers": {"X-Id": "."}}}"#,
                "dead: header x-id is missing",
            ),
            (
                "/moved",
                "{}",
                "dead: answers the upgrade with status 301 to /echo",
            ),
            (
                "/private",
                "{}",
                "dead: answers the upgrade with status 401",
            ),
            (
                "/private",
                r#"{"headers": {"Authorization": "Basic d2F0Y2g6c2VjcmV0"}}"#,
                "healthy",
            ),
            (
                "/refuse",
                "{}",
                r#"dead: closes the connection with code 1008: "not today""#,
            ),
            (
                "/refuse",
                r#"{"expect": {"contains": "x"}}"#,
                r#"dead: expected "x", got no message and it closes the connection with code 1008: "not today""#,
            ),
            (
                "/big",
                "{}",
                "dead: sends a message of 100000 bytes, more than 65536",
            ),
            ("/big", r#"{"message_limit": 100000}"#, "healthy"),
            (
                "/vanish",
                r#"{"expect": {"contains": "bye"}, "ping": false}"#,
                "sick: ends the connection without answering the closing",
            ),
            (
                "/vanish",
                r#"{"expect": {"contains": "bye"}, "ping": false, "clean_close": false}"#,
                "healthy",
            ),
            (
                "/echo",
                r#"{"headers": {"Host": "x"}}"#,
                "misconfigured: config.headers.Host: the upgrade sets it",
            ),
            (
                "/echo",
                r#"{"message_limit": 1}"#,
                "refused: config.message_limit",
            ),
        ] {
            let said = check("websocket", &target("ws", &server, path), config).await;
            assert!(said.starts_with(expected), "{path} {config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let address = server.address();
        let with_password = format!("ws://watch:secret@{address}/private");
        assert_eq!(check("websocket", &with_password, "{}").await, "healthy");
        let echo = r#"{"send": "x", "expect": {"contains": "x"}}"#;
        let run = Trial::new("websocket", echo)
            .check(&target("ws", &server, "/echo"))
            .await
            .unwrap();
        assert_eq!(
            names(&run),
            [
                "connect seconds",
                "upgrade seconds",
                "answer seconds",
                "ping seconds"
            ]
        );
        let mute = Trial::new("websocket", r#"{"expect": {"contains": "x"}}"#).within(SHORT);
        assert_eq!(
            mute.check_in_words(&target("ws", &server, "/greet")).await,
            r#"dead: expected "x", got "ready" last in 1 s"#
        );
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
            let Some(server) = websockets(Some(kind)).await else {
                return;
            };
            let said = check("websocket", &target("wss", &server, "/echo"), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            if kind == TlsKind::Valid {
                let said = check("websocket", &target("ws", &server, "/echo"), "{}").await;
                assert!(said.starts_with("dead: "), "{said}");
            }
        }
        let Some(clear) = websockets(None).await else {
            return;
        };
        assert_eq!(
            check("websocket", &target("wss", &clear, "/echo"), "{}").await,
            "dead: the server does not speak TLS"
        );
    });
}

#[test]
fn what_is_no_websocket_server_is_dead() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        assert_eq!(
            check("websocket", &site.url("/ok").replace("http", "ws"), "{}").await,
            "dead: answers the upgrade with status 200"
        );
        let mut server = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let target = format!("ws://{}/", server.address());
        let silent = Trial::new("websocket", "{}").within(SHORT);
        assert_eq!(
            silent.check_in_words(&target).await,
            "dead: waited 1 s for the answer to the upgrade"
        );
        server.set(TcpBehaviour::greeting());
        assert_eq!(
            check("websocket", &target, "{}").await,
            r#"dead: does not speak HTTP: "target-server ready""#
        );
        server.set(TcpBehaviour::Echo {
            banner: Some(
                "HTTP/1.1 101 Of course\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                    .to_owned(),
            ),
        });
        assert_eq!(
            check("websocket", &target, "{}").await,
            "dead: upgrades with a wrong Sec-WebSocket-Accept"
        );
        server.set(TcpBehaviour::Close);
        assert_eq!(
            check("websocket", &target, "{}").await,
            "dead: connection closed before the answer to the upgrade"
        );
        server.stop().await;
        assert_eq!(
            check("websocket", &target, "{}").await,
            "dead: connection refused"
        );
        assert_eq!(
            check("websocket", "ws://gone.test/", "{}").await,
            "dead: no such host: gone.test"
        );
    });
}
