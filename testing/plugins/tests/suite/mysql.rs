//! The mysql probe against Debian's MariaDB.

use plugin_tests::{Trial, authority, check, of_check, run};
use target_server::TlsKind;

use crate::databases::mariadb::{MariaDb, PASSWORD};
use crate::databases::until;
use crate::http::SHORT;
use crate::measured::{names, shown, value};

const OFF: &str = r#", "tls": {"mode": "disable"}"#;

/// A configuration with the password and `more` keys.
fn with_password(more: &str) -> String {
    format!(r#"{{"password": "{PASSWORD}"{more}}}"#)
}

async fn said(server: &MariaDb, user: &str, config: &str) -> String {
    check("mysql", &server.target(user), config).await
}

#[test]
fn a_real_server_is_judged() {
    run(async {
        let valid = authority()
            .identity(TlsKind::Valid)
            .expect("keys can be made");
        let Some(mut server) = MariaDb::start(&valid) else {
            return;
        };
        let trial = Trial::new("mysql", &with_password(""));
        until(&trial, &server.target("watch"), "healthy", &server.home).await;
        who_is_let_in(&server).await;
        tls_as_it_is_asked_for(&server).await;
        what_a_query_finds(&server).await;
        queries_do_not_pile_up(&server).await;

        let own = authority()
            .identity(TlsKind::SelfSigned)
            .expect("keys can be made");
        server.restart(Some(&own));
        until(&trial, &server.target("watch"), "healthy", &server.home).await;
        let verify = with_password(r#", "tls": {"mode": "verify"}"#);
        assert_eq!(
            said(&server, "watch", &verify).await,
            "dead: certificate is self-signed"
        );
        let require = with_password(r#", "tls": {"mode": "require"}"#);
        assert_eq!(said(&server, "watch", &require).await, "healthy");

        server.restart(None);
        until(&trial, &server.target("watch"), "healthy", &server.home).await;
        for config in [&verify, &require] {
            assert_eq!(
                said(&server, "watch", config).await,
                "dead: the server does not offer TLS"
            );
        }
        server.stop();
        assert_eq!(
            said(&server, "watch", &verify).await,
            "dead: connection refused"
        );
    });
}

async fn who_is_let_in(server: &MariaDb) {
    let (good, off) = (with_password(""), with_password(OFF));
    let denied = "dead: error 1045: Access denied for user ";
    for (user, config, expected) in [
        ("watch", &*good, "healthy"),
        ("watch", &off, "healthy"),
        ("secure", &good, "healthy"),
        ("secure", &off, denied),
        ("open", "{}", "healthy"),
        ("open", &good, denied),
        ("watch", "{}", denied),
        ("watch", r#"{"password": "wrong"}"#, denied),
        ("nobody", &good, denied),
        (
            "curve",
            &good,
            "undecided: the server wants to be logged in to by client_ed25519, which this probe cannot",
        ),
    ] {
        let said = said(server, user, config).await;
        assert!(said.starts_with(expected), "{user} {config}: {said}");
    }
    let port = server.port;
    for (target, expected) in [
        (format!("mariadb://watch@here.test:{port}"), "healthy"),
        (
            format!("mysql://watch@localhost:{port}/gone"),
            "dead: error 1049: Unknown database 'gone'",
        ),
    ] {
        assert_eq!(check("mysql", &target, &good).await, expected, "{target}");
    }
    let trial = Trial::new("mysql", &good);
    let run = trial
        .check(&server.target("watch"))
        .await
        .expect("the configuration fits");
    assert_eq!(
        names(&run),
        ["connect seconds", "tls seconds", "login seconds"]
    );
    assert!(!shown(&run).contains(PASSWORD));
}

async fn tls_as_it_is_asked_for(server: &MariaDb) {
    for (tls, expected, is_secure) in [
        (r#"{"mode": "disable"}"#, "healthy", false),
        (r#"{"mode": "prefer"}"#, "healthy", true),
        (r#"{"mode": "require"}"#, "healthy", true),
        (r#"{"mode": "verify"}"#, "healthy", true),
        (
            r#"{"mode": "prefer", "expiry": {"dead_below": "99999d"}}"#,
            "dead: certificate expires in ",
            true,
        ),
    ] {
        let trial = Trial::new("mysql", &with_password(&format!(r#", "tls": {tls}"#)));
        let run = trial
            .check(&server.target("watch"))
            .await
            .expect("the configuration fits");
        let said = of_check(&run.outcome);
        assert!(said.starts_with(expected), "{tls}: {said}");
        let names = names(&run);
        assert_eq!(
            names.iter().any(|it| it == "tls seconds"),
            is_secure,
            "{tls}"
        );
    }
    let other = with_password(r#", "tls": {"mode": "verify", "server_name": "other.test"}"#);
    assert_eq!(
        said(server, "watch", &other).await,
        "dead: certificate name does not match: names are localhost, 127.0.0.1, ::1"
    );
}

async fn what_a_query_finds(server: &MariaDb) {
    for (query, rules, expected) in [
        (
            "SELECT 1",
            r#""value": {"expect": {"value": 1}}"#,
            "healthy",
        ),
        (
            "SELECT count(*) FROM jobs WHERE state = 'ready'",
            r#""value": {"name": "jobs-ready", "sick_above": 1, "dead_above": 10}"#,
            "sick: jobs-ready is 2, more than 1",
        ),
        (
            "SELECT sum(cost) FROM jobs",
            r#""value": {"expect": {"op": "<", "value": 2}}"#,
            "dead: value is 2.0, expected less than 2",
        ),
        (
            "SELECT state FROM jobs ORDER BY id",
            r#""value": {"prefer": {"value": "done"}}, "rows": {"expect": {"value": 3}}"#,
            r#"sick: value is "ready", expected "done""#,
        ),
        (
            "SELECT id, cost FROM jobs WHERE id = 3",
            r#""column": "COST", "value": {"dead_above": 1}"#,
            "dead: value is null, expected a number",
        ),
        (
            "SELECT id, state, cost FROM jobs WHERE id = 1",
            r#""column": "cost", "value": {"expect": {"value": 0.5}}"#,
            "healthy",
        ),
        (
            "SELECT id FROM jobs",
            r#""column": "price""#,
            "misconfigured: config.column: the answer has no column price",
        ),
        (
            "SHOW STATUS LIKE 'Threads_connected'",
            r#""column": "Value", "value": {"name": "threads", "dead_below": 1}"#,
            "healthy",
        ),
        (
            "SELECT id FROM jobs WHERE id = 4",
            r#""value": {"dead_above": 1}"#,
            "dead: value is missing",
        ),
        (
            "SHOW REPLICA STATUS",
            r#""column": "Seconds_Behind_Master", "rows": {"dead_below": 1}"#,
            "dead: rows is 0, less than 1",
        ),
        (
            "SET @a = 1",
            r#""rows": {"dead_below": 1}"#,
            "dead: rows is missing",
        ),
        (
            "SELECT * FROM gone",
            r#""rows": {}"#,
            "dead: error 1146: Table 'app.gone' doesn't exist",
        ),
        (
            "SELEKT 1",
            r#""rows": {}"#,
            "misconfigured: config.query: error 1064: You have an error in your SQL syntax",
        ),
        (
            "SELECT repeat('x', 2000000)",
            r#""value": {}"#,
            "undecided: the answer is larger than ",
        ),
    ] {
        let config = with_password(&format!(r#", "query": "{query}", {rules}"#));
        let said = said(server, "watch", &config).await;
        assert!(said.starts_with(expected), "{query}: {said}");
        assert!(expected != "healthy" || said == expected, "{query}: {said}");
    }
    for (config, expected) in [
        (
            r#"{"value": {}}"#,
            "misconfigured: config.value: needs config.query",
        ),
        (
            r#"{"column": "a"}"#,
            "misconfigured: config.column: needs config.query",
        ),
    ] {
        assert_eq!(said(server, "watch", config).await, expected);
    }
    let config = r#", "query": "SELECT 7.5 FROM jobs", "value": {"name": "age", "unit": "seconds"}, "rows": {}"#;
    let trial = Trial::new("mysql", &with_password(config));
    let run = trial
        .check(&server.target("watch"))
        .await
        .expect("the configuration fits");
    let expected = [
        "connect seconds",
        "tls seconds",
        "login seconds",
        "query seconds",
        "age seconds",
        "rows rows",
    ];
    assert_eq!(names(&run), expected);
    assert_eq!((value(&run, "age"), value(&run, "rows")), (7.5, 3.0));
}

async fn queries_do_not_pile_up(server: &MariaDb) {
    let slow = with_password(r#", "query": "SELECT id, SLEEP(600) FROM jobs""#);
    let trial = Trial::new("mysql", &slow).within(SHORT);
    assert_eq!(
        trial.check_in_words(&server.target("watch")).await,
        "dead: no answer to the query in 1 s"
    );
    let running =
        "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT id, SLEEP%'";
    let config = format!(r#", "query": "{running}", "value": {{"dead_above": 0}}"#);
    let trial = Trial::new("mysql", &with_password(&config));
    until(&trial, &server.target("watch"), "healthy", &server.home).await;
}
