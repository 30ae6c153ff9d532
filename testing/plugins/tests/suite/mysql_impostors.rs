//! The mysql probe against a server that lets in as MySQL 8 does, and against
//! servers that are none or ask for too much.

use std::process::Command;

use plugin_tests::{ANY, Trial, check, run, skip};
use target_server::{TcpBehaviour, TcpTarget};

use crate::databases::find;
use crate::databases::scripted::{Step, scripted};
use crate::databases::sha2::{Greets, PASSWORD, Sha2Server, USER};
use crate::http::SHORT;

fn good() -> String {
    format!(r#"{{"password": "{PASSWORD}"}}"#)
}

fn off() -> String {
    format!(r#"{{"password": "{PASSWORD}", "tls": {{"mode": "disable"}}}}"#)
}

#[test]
fn passwords_are_proven_as_mysql_wants_it() {
    run(async {
        for greets in [Greets::WithIt, Greets::WithAnother] {
            let server = Sha2Server::start(greets).await;
            let target = format!("mysql://{USER}@localhost:{}", server.address.port());
            let (good, off) = (good(), off());
            let wrong = r#"{"password": "wrong"}"#;
            let denied = "dead: error 1045: Access denied";
            assert_eq!(
                check("mysql", &target, &off).await,
                "misconfigured: config.tls.mode: caching_sha2_password needs an encrypted connection for a password that the server has not seen since it started"
            );
            assert_eq!(check("mysql", &target, wrong).await, denied);
            assert!(!server.knows());
            assert_eq!(check("mysql", &target, &good).await, "healthy");
            assert!(server.knows());
            for config in [&good, &off] {
                assert_eq!(check("mysql", &target, config).await, "healthy", "{config}");
            }
            assert_eq!(check("mysql", &target, wrong).await, denied);
            server.forget();
            assert_eq!(check("mysql", &target, &good).await, "healthy");
        }
    });
}

/// What stands in for MySQL takes the same as MySQL from a client that others wrote.
#[test]
fn the_server_of_that_test_speaks_as_mysql_does() {
    run(async {
        let Some(client) = find("mariadb", &[]) else {
            return skip("mysql: mariadb (Debian's mariadb-client) is missing");
        };
        for greets in [Greets::WithIt, Greets::WithAnother] {
            let server = Sha2Server::start(greets).await;
            let log_in = |password: &str| {
                let mut command = Command::new(&client);
                command
                    .args([
                        "--no-defaults",
                        "--protocol=tcp",
                        "--host=127.0.0.1",
                        "--ssl",
                    ])
                    .arg(format!("--port={}", server.address.port()))
                    .arg(format!("--user={USER}"))
                    .arg(format!("--password={password}"))
                    .arg("--execute=DO 1");
                let output = command.output().expect("it can be started");
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                (output.status.success(), said)
            };
            for step in ["in full", "known"] {
                let (is_in, said) = log_in(PASSWORD);
                assert!(is_in && server.knows(), "{greets:?} {step}: {said}");
            }
            let (is_in, said) = log_in("wrong");
            assert!(!is_in && said.contains("1045"), "{greets:?}: {said}");
        }
    });
}

#[test]
fn a_server_that_is_none_is_dead() {
    run(async {
        for (behaviour, expected) in [
            (TcpBehaviour::Hang, "dead: no greeting in 1 s"),
            (
                TcpBehaviour::Close,
                "dead: connection closed before the answer was complete",
            ),
            (
                TcpBehaviour::greeting(),
                "dead: this is not MySQL: no greeting",
            ),
        ] {
            let server = TcpTarget::start(ANY, behaviour.clone()).await.unwrap();
            let target = format!("mysql://{}", server.address());
            let trial = Trial::new("mysql", "{}").within(SHORT);
            assert_eq!(
                trial.check_in_words(&target).await,
                expected,
                "{behaviour:?}"
            );
        }
        let said = check("mysql", "mysql://gone.test", "{}").await;
        assert_eq!(said, "dead: no such host: gone.test");
        let said = check("mysql", "mysql://watch:x@localhost", "{}").await;
        assert!(
            said.starts_with("misconfigured: target mysql://watch@localhost"),
            "{said}"
        );
    });
}

#[test]
fn a_server_that_asks_for_too_much_gets_nothing() {
    run(async {
        // Without TLS: protocol 4.1 and plugins alone.
        let mut greeting = b"\x0a5.7.1\0\x01\0\0\0abcdefgh\0\0\x82\x2d\x02\0\x08\0\x15".to_vec();
        greeting.extend_from_slice(&[0; 10]);
        greeting.extend_from_slice(b"ijklmnopqrst\0mysql_native_password\0");
        let packet = |sequence: u8, payload: &[u8]| {
            let length = u8::try_from(payload.len()).unwrap();
            [&[length, 0, 0, sequence], payload].concat()
        };
        for (answer, expected) in [
            (
                &b"\xfemysql_clear_password\0"[..],
                "misconfigured: config.allow_cleartext: the server asks for the password itself, and the connection is not encrypted",
            ),
            (
                b"\xfe",
                "undecided: the server wants to be logged in to by mysql_old_password, which this probe cannot",
            ),
            (
                b"\x01\x04",
                "dead: this is not MySQL: no answer to the login",
            ),
            (b"", "dead: this is not MySQL: no answer to the login"),
        ] {
            let steps = vec![
                Step::Say(packet(0, &greeting)),
                Step::Hear,
                Step::Say(packet(2, answer)),
            ];
            let target = format!("mysql://{}", scripted(steps).await);
            assert_eq!(check("mysql", &target, &good()).await, expected);
        }
        // Logged in, the limit of time agreed on, and then it asks for a file.
        let steps = vec![
            Step::Say(packet(0, &greeting)),
            Step::Hear,
            Step::Say(packet(2, b"\0\0\0\x02\0\0\0")),
            Step::Hear,
            Step::Say(packet(1, b"\0\0\0\x02\0\0\0")),
            Step::Hear,
            Step::Say(packet(1, b"\xfb/etc/passwd")),
        ];
        let target = format!("mysql://{}", scripted(steps).await);
        assert_eq!(
            check("mysql", &target, r#"{"query": "SELECT 1"}"#).await,
            "dead: this is not MySQL: the server asks for a file"
        );
    });
}
