//! The postgres probe against servers that are none, or not the right one.

use plugin_tests::{ANY, Trial, check, run};
use target_server::{TcpBehaviour, TcpTarget};

use crate::databases::scripted::{Step, answering, scripted};
use crate::http::SHORT;

#[test]
fn a_server_that_is_none_is_dead() {
    run(async {
        let off = r#"{"tls": {"mode": "disable"}}"#;
        for (behaviour, config, expected) in [
            (
                TcpBehaviour::Hang,
                "{}",
                "dead: no answer to the request for TLS in 1 s",
            ),
            (
                TcpBehaviour::Hang,
                off,
                "dead: no answer to the login in 1 s",
            ),
            (
                TcpBehaviour::Close,
                off,
                "dead: connection closed before the answer was complete",
            ),
            (
                TcpBehaviour::greeting(),
                "{}",
                "dead: this is not PostgreSQL: no answer to the request for TLS",
            ),
            (
                TcpBehaviour::greeting(),
                off,
                "dead: this is not PostgreSQL: a message of ",
            ),
        ] {
            let server = TcpTarget::start(ANY, behaviour.clone()).await.unwrap();
            let target = format!("postgres://{}", server.address());
            let trial = Trial::new("postgres", config).within(SHORT);
            let said = trial.check_in_words(&target).await;
            assert!(said.starts_with(expected), "{behaviour:?} {config}: {said}");
        }
        let said = check("postgres", "postgres://gone.test", "{}").await;
        assert_eq!(said, "dead: no such host: gone.test");
        let trial = Trial::new("postgres", "{}").ungranted();
        let said = trial.check_in_words("postgres://localhost:1").await;
        assert!(
            said.starts_with("undecided: not granted: localhost:1"),
            "{said}"
        );
    });
}

/// A message with its length.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("it is short");
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

#[test]
fn a_server_that_pretends_is_dead() {
    run(async {
        // What comes in the clear before TLS could be mistaken for what comes within.
        let eager = answering(b"Sand more").await;
        assert_eq!(
            check("postgres", &format!("postgres://{eager}"), "{}").await,
            "dead: the server sent more before TLS than it was asked for"
        );
        let starting = message(
            b'E',
            b"SFATAL\0C57P03\0Mthe database system is starting up\0\0",
        );
        let starting = answering(&starting).await;
        assert_eq!(
            check("postgres", &format!("postgres://{starting}"), "{}").await,
            "dead: FATAL: the database system is starting up"
        );
        let scram = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
        let off = r#"{"password": "let-me-in-42", "tls": {"mode": "disable"}}"#;
        for (challenge, expected) in [
            (
                &b"\0\0\0\x0br=other,s=c2FsdA==,i=4096"[..],
                "dead: this is not PostgreSQL: invalid nonce",
            ),
            (
                b"\0\0\0\x0bm=rubbish",
                "dead: this is not PostgreSQL: unexpected character",
            ),
            (
                b"\0\0\0\0",
                "dead: this is not PostgreSQL: SCRAM without a challenge",
            ),
        ] {
            let steps = vec![
                Step::Hear,
                Step::Say(scram.clone()),
                Step::Hear,
                Step::Say(message(b'R', challenge)),
            ];
            let target = format!("postgres://{}", scripted(steps).await);
            let said = check("postgres", &target, off).await;
            assert!(said.starts_with(expected), "{said}");
        }
        let plus = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0\0");
        let target = format!("postgres://{}", answering(&plus).await);
        assert_eq!(
            check("postgres", &target, off).await,
            "undecided: the server wants to be logged in to by SCRAM-SHA-256-PLUS, which this probe cannot"
        );
    });
}
