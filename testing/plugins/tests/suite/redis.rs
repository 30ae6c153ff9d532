//! The redis probe against Debian's Redis, and against servers that are none.

use plugin_tests::{ANY, Trial, authority, check, run};
use target_server::{TcpBehaviour, TcpTarget, TlsKind};

use crate::databases::redis::{PASSWORD, Redis};
use crate::databases::scripted::answering;
use crate::databases::until;
use crate::http::SHORT;
use crate::measured::{names, shown, value};

/// A configuration with the password and `more` keys.
fn with_password(more: &str) -> String {
    format!(r#"{{"password": "{PASSWORD}"{more}}}"#)
}

#[test]
fn a_real_server_is_judged() {
    run(async {
        let valid = authority()
            .identity(TlsKind::Valid)
            .expect("keys can be made");
        let Some(mut server) = Redis::start(&valid) else {
            return;
        };
        let trial = Trial::new("redis", &with_password(""));
        let run = until(&trial, &server.target("watch"), "healthy", &server.home).await;
        assert_eq!(names(&run), ["connect seconds", "ping seconds"]);
        assert!(!shown(&run).contains(PASSWORD));
        server.tell(&[
            "RPUSH queue:jobs a b c",
            "SET version 7",
            "SET mode blue",
            "SELECT 3",
            "SET version 8 EX 1000",
        ]);
        who_is_let_in(&server).await;
        what_keys_hold(&server).await;
        what_it_says_of_itself(&server).await;
        let run = trial
            .check(&server.tls_target("watch"))
            .await
            .expect("the configuration fits");
        let expected = [
            "connect seconds",
            "tls seconds",
            "certificate-expiry days",
            "ping seconds",
        ];
        assert_eq!(names(&run), expected);
        replicas_are_counted(&server).await;
        server.stop();
        assert_eq!(
            trial.check_in_words(&server.target("watch")).await,
            "dead: connection refused"
        );
    });
}

async fn who_is_let_in(server: &Redis) {
    let good = with_password("");
    let wrong = r#"{"password": "wrong"}"#;
    let refused = "dead: WRONGPASS invalid username-password pair or user is disabled.";
    let nobody = format!("redis://localhost:{}", server.port);
    for (target, config, expected) in [
        (server.target("watch"), &*good, "healthy"),
        (nobody.clone(), &good, "healthy"),
        (
            nobody.clone(),
            &*with_password(r#", "username": "watch", "database": 3"#),
            "healthy",
        ),
        (server.target("watch"), wrong, refused),
        (nobody.clone(), wrong, refused),
        (server.target("watch"), "{}", refused),
        (
            nobody.clone(),
            "{}",
            "misconfigured: config.password: the server asks for one",
        ),
        (
            format!("{nobody}/99"),
            &good,
            "dead: ERR DB index is out of range",
        ),
        (format!("{nobody}/app"), &good, "no number of a database"),
        (
            nobody.clone(),
            &*with_password(r#", "tls": {}"#),
            "misconfigured: config.tls: needs a target that begins with rediss://",
        ),
        (server.tls_target("watch"), &good, "healthy"),
        (
            server.tls_target("watch"),
            &*with_password(r#", "tls": {"server_name": "other.test"}"#),
            "dead: certificate name does not match: names are localhost, 127.0.0.1, ::1",
        ),
        (
            server.tls_target("watch"),
            &*with_password(r#", "tls": {"server_name": "other.test", "allow_untrusted": true}"#),
            "healthy",
        ),
        (
            server.tls_target("watch"),
            &*with_password(r#", "tls": {"expiry": {"sick_below": "99999d"}}"#),
            "sick: certificate expires in ",
        ),
    ] {
        let said = check("redis", &target, config).await;
        assert!(said.contains(expected), "{target} {config}: {said}");
    }
}

async fn what_keys_hold(server: &Redis) {
    for (target, key, expected) in [
        (
            "",
            r#""key": "version", "value": {"expect": {"value": 7}}"#,
            "healthy",
        ),
        (
            "/3",
            r#""key": "version", "value": {"expect": {"value": 8}}"#,
            "healthy",
        ),
        (
            "",
            r#""key": "mode", "value": {"prefer": {"value": "green"}}"#,
            r#"sick: mode is "blue", expected "green""#,
        ),
        (
            "",
            r#""key": "gone", "value": {"expect": {"op": "exists"}}"#,
            "dead: gone is missing",
        ),
        ("", r#""key": "gone""#, "healthy"),
        (
            "",
            r#""key": "queue:jobs", "command": "llen", "value": {"sick_above": 2, "dead_above": 10}"#,
            "sick: queue-jobs is 3, more than 2",
        ),
        (
            "",
            r#""key": "queue:jobs", "command": "exists", "value": {"dead_below": 1}"#,
            "healthy",
        ),
        (
            "/3",
            r#""key": "version", "command": "ttl", "value": {"dead_below": 2000}"#,
            "dead: version is ",
        ),
        (
            "",
            r#""key": "queue:jobs", "command": "get""#,
            "dead: WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        (
            "",
            r#""key": "mode", "command": "strlen", "value": {"expect": {"value": 4}}"#,
            "healthy",
        ),
    ] {
        let config = with_password(&format!(r#", "keys": [{{{key}}}]"#));
        let target = format!("{}{target}", server.target("watch"));
        let said = check("redis", &target, &config).await;
        assert!(said.starts_with(expected), "{key}: {said}");
    }
    let config =
        r#", "keys": [{"key": "queue:jobs", "command": "llen", "value": {"unit": "jobs"}}]"#;
    let trial = Trial::new("redis", &with_password(config));
    let run = trial
        .check(&server.target("watch"))
        .await
        .expect("the configuration fits");
    assert_eq!(
        names(&run),
        ["connect seconds", "ping seconds", "queue-jobs jobs"]
    );
    assert!((value(&run, "queue-jobs") - 3.0).abs() < f64::EPSILON);
    let said = check("redis", &server.target("watch"), r#"{"keys": [{}]}"#).await;
    assert!(said.starts_with("refused: config.keys[0]"), "{said}");
}

async fn what_it_says_of_itself(server: &Redis) {
    for (info, expected) in [
        (
            r#""info": {"role": {"expect": {"value": "master"}}}"#,
            "healthy",
        ),
        (
            r#""info": {"role": {"expect": {"value": "slave"}}}"#,
            r#"dead: role is "master", expected "slave""#,
        ),
        (
            r#""info": {"connected_slaves": {"expect": {"op": ">=", "value": 1}}}"#,
            "dead: connected-slaves is 0, expected at least 1",
        ),
        (
            r#""info": {"used_memory": {"sick_above": 1000, "dead_above": 900000000}}"#,
            "sick: used-memory is ",
        ),
        (
            r#""info": {"db0.keys": {"expect": {"value": 3}}}"#,
            "healthy",
        ),
        (
            r#""info": {"no_such_field": {"dead_above": 1}}"#,
            "dead: no-such-field is missing",
        ),
        (
            r#""memory": {"sick_above": 0.9, "dead_above": 0.95}"#,
            "healthy",
        ),
        (
            r#""memory": {"dead_above": 0.00001}"#,
            "dead: memory-used is ",
        ),
    ] {
        let config = with_password(&format!(", {info}"));
        let said = check("redis", &server.target("watch"), &config).await;
        assert!(said.starts_with(expected), "{info}: {said}");
    }
    let config =
        r#", "info": {"connected_slaves": {}, "used_memory": {}, "role": {}}, "memory": {}"#;
    let trial = Trial::new("redis", &with_password(config));
    let run = trial
        .check(&server.target("watch"))
        .await
        .expect("the configuration fits");
    let expected = [
        "connect seconds",
        "ping seconds",
        "connected-slaves replicas",
        "used-memory bytes",
        "memory-used ratio",
    ];
    assert_eq!(names(&run), expected);
    let share = value(&run, "used-memory") / f64::from(64 << 20);
    assert!((value(&run, "memory-used") - share).abs() < 1e-9);
}

async fn replicas_are_counted(server: &Redis) {
    let config = with_password(r#", "info": {"connected_slaves": {"dead_below": 1}}"#);
    let trial = Trial::new("redis", &config);
    let target = server.target("watch");
    let alone = "dead: connected-slaves is 0, less than 1";
    assert_eq!(trial.check_in_words(&target).await, alone);
    let valid = authority()
        .identity(TlsKind::Valid)
        .expect("keys can be made");
    let mut follower = server.follower(&valid);
    until(&trial, &target, "healthy", &server.home).await;
    let config = r#", "info": {"role": {"expect": {"value": "slave"}}, "master_link_status": {"expect": {"value": "up"}}}"#;
    let follows = Trial::new("redis", &with_password(config));
    until(
        &follows,
        &follower.target("watch"),
        "healthy",
        &follower.home,
    )
    .await;
    follower.stop();
    until(&trial, &target, alone, &server.home).await;
}

#[test]
fn a_server_that_is_none_is_dead() {
    run(async {
        for (behaviour, config, expected) in [
            (
                TcpBehaviour::Hang,
                "{}",
                "dead: no answer to the ping in 1 s",
            ),
            (
                TcpBehaviour::Hang,
                r#"{"password": "x"}"#,
                "dead: no answer to the login in 1 s",
            ),
            (
                TcpBehaviour::Close,
                "{}",
                "dead: connection closed before the answer was complete",
            ),
            (
                TcpBehaviour::greeting(),
                "{}",
                "dead: this is not Redis: no answer begins so",
            ),
        ] {
            let server = TcpTarget::start(ANY, behaviour.clone()).await.unwrap();
            let target = format!("redis://{}", server.address());
            let trial = Trial::new("redis", config).within(SHORT);
            assert_eq!(
                trial.check_in_words(&target).await,
                expected,
                "{behaviour:?}"
            );
        }
        let said = check("redis", "redis://gone.test", "{}").await;
        assert_eq!(said, "dead: no such host: gone.test");
    });
}

#[test]
fn a_server_that_cannot_serve_is_dead_and_says_why() {
    run(async {
        for (answer, config, expected) in [
            (
                &b"-LOADING Redis is loading the dataset in memory\r\n"[..],
                "{}",
                "dead: LOADING Redis is loading the dataset in memory",
            ),
            (
                b"+PANG\r\n",
                "{}",
                "dead: this is not Redis: no PONG for a PING",
            ),
            (
                b"+PONG\r\n:1\r\n",
                r#"{"memory": {}}"#,
                "dead: this is not Redis: no text for INFO",
            ),
            (
                b"+PONG\r\n$9\r\nrole:none\r\n",
                r#"{"memory": {"dead_above": 1}}"#,
                "dead: memory-used is missing",
            ),
            (
                b"$99999999\r\nx",
                "{}",
                "dead: no answer to the ping in 1 s",
            ),
        ] {
            let server = answering(answer).await;
            let target = format!("redis://{server}");
            let trial = Trial::new("redis", config).within(SHORT);
            assert_eq!(trial.check_in_words(&target).await, expected);
        }
    });
}
