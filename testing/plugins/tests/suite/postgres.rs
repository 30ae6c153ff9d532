//! The postgres probe against Debian's PostgreSQL.

use std::time::Duration;

use plugin_tests::{Trial, authority, check, of_check, run};
use target_server::TlsKind;

use crate::databases::postgresql::{PASSWORD, PostgreSql};
use crate::databases::until;
use crate::measured::{names, shown, value};

/// A configuration with the password and `more` keys.
fn with_password(more: &str) -> String {
    format!(r#"{{"password": "{PASSWORD}"{more}}}"#)
}

async fn said(server: &PostgreSql, user: &str, config: &str) -> String {
    check("postgres", &server.target(user), config).await
}

#[test]
fn a_real_server_is_judged() {
    run(async {
        let valid = authority()
            .identity(TlsKind::Valid)
            .expect("keys can be made");
        let Some(mut server) = PostgreSql::start(&valid) else {
            return;
        };
        let trial = Trial::new("postgres", &with_password(""));
        until(&trial, &server.target("watch"), "healthy", &server.home).await;
        every_way_to_log_in(&server).await;
        what_is_refused(&server).await;
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
        replicas_are_followed(&server).await;
        server.stop();
        assert_eq!(
            said(&server, "watch", &verify).await,
            "dead: connection refused"
        );
    });
}

async fn every_way_to_log_in(server: &PostgreSql) {
    let config = with_password("");
    for user in ["watch", "old", "plain", "secure", "trusted"] {
        assert_eq!(said(server, user, &config).await, "healthy", "{user}");
    }
    for target in [
        format!("postgresql://localhost:{}", server.port),
        format!("postgres://here.test:{}", server.port),
    ] {
        let config = with_password(r#", "username": "watch", "database": "app""#);
        assert_eq!(
            check("postgres", &target, &config).await,
            "healthy",
            "{target}"
        );
    }
    let trial = Trial::new("postgres", &config);
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

async fn what_is_refused(server: &PostgreSql) {
    let plain = r#", "tls": {"mode": "disable"}"#;
    let (good, off) = (with_password(""), with_password(plain));
    let allowed = with_password(&format!(r#"{plain}, "allow_cleartext": true"#));
    for (user, config, expected) in [
        (
            "watch",
            r#"{"password": "wrong"}"#,
            r#"dead: FATAL: password authentication failed for user "watch""#,
        ),
        (
            "old",
            r#"{"password": "wrong"}"#,
            r#"dead: FATAL: password authentication failed for user "old""#,
        ),
        (
            "watch",
            "{}",
            "misconfigured: config.password: the server asks for one",
        ),
        ("trusted", "{}", "healthy"),
        (
            "plain",
            &off,
            "misconfigured: config.allow_cleartext: the server asks for the password itself, and the connection is not encrypted",
        ),
        ("plain", &allowed, "healthy"),
        (
            "secure",
            &off,
            r#"dead: FATAL: no pg_hba.conf entry for host "127.0.0.1", user "secure", database "app", no encryption"#,
        ),
        (
            "kerberos",
            &off,
            "undecided: the server wants to be logged in to by GSSAPI, which this probe cannot",
        ),
    ] {
        assert_eq!(
            said(server, user, config).await,
            expected,
            "{user} {config}"
        );
    }
    let port = server.port;
    for (target, expected) in [
        (
            format!("postgres://watch@localhost:{port}/gone"),
            r#"dead: FATAL: database "gone" does not exist"#.to_owned(),
        ),
        (
            format!("postgres://watch:{PASSWORD}@localhost:{port}/app"),
            format!(
                "misconfigured: target postgres://watch@localhost:{port}/app: the password belongs into config.password, not into the target"
            ),
        ),
    ] {
        assert_eq!(
            check("postgres", &target, &good).await,
            expected,
            "{target}"
        );
    }
}

async fn tls_as_it_is_asked_for(server: &PostgreSql) {
    for (tls, expected, is_secure) in [
        (r#"{"mode": "disable"}"#, "healthy", false),
        (r#"{"mode": "prefer"}"#, "healthy", true),
        (r#"{"mode": "require"}"#, "healthy", true),
        (r#"{"mode": "verify"}"#, "healthy", true),
        (
            r#"{"mode": "require", "server_name": "other.test"}"#,
            "healthy",
            true,
        ),
        (
            r#"{"mode": "verify", "server_name": "other.test"}"#,
            "dead: certificate name does not match: names are localhost, 127.0.0.1, ::1",
            false,
        ),
        (
            r#"{"mode": "prefer", "expiry": {"dead_below": "99999d"}}"#,
            "dead: certificate expires in ",
            true,
        ),
    ] {
        let trial = Trial::new("postgres", &with_password(&format!(r#", "tls": {tls}"#)));
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
        let is_judged = names.iter().any(|it| it == "certificate-expiry days");
        let is_asked = is_secure && (tls.contains("verify") || tls.contains("expiry"));
        assert_eq!(is_judged, is_asked, "{tls}");
    }
}

async fn what_a_query_finds(server: &PostgreSql) {
    for (query, rules, expected) in [
        (
            "SELECT 1",
            r#""value": {"expect": {"value": 1}}"#,
            "healthy",
        ),
        (
            "SELECT count(*) FROM jobs WHERE state = 'ready'",
            r#""value": {"name": "jobs-ready", "unit": "jobs", "sick_above": 1, "dead_above": 10}"#,
            "sick: jobs-ready is 2, more than 1",
        ),
        (
            "SELECT sum(cost) FROM jobs",
            r#""value": {"expect": {"op": "<", "value": 2}}"#,
            "dead: value is 2.0, expected less than 2",
        ),
        (
            "SELECT done FROM jobs WHERE id = 3",
            r#""value": {"expect": {"value": true}}"#,
            "healthy",
        ),
        (
            "SELECT state FROM jobs ORDER BY id",
            r#""value": {"prefer": {"value": "done"}}, "rows": {"expect": {"value": 3}}"#,
            r#"sick: value is "ready", expected "done""#,
        ),
        (
            "SELECT cost FROM jobs WHERE id = 3",
            r#""value": {"dead_above": 1}"#,
            "dead: value is null, expected a number",
        ),
        (
            "SELECT id FROM jobs WHERE id = 4",
            r#""value": {"dead_above": 1}"#,
            "dead: value is missing",
        ),
        (
            "SELECT id FROM jobs WHERE id = 4",
            r#""rows": {"sick_below": 1}"#,
            "sick: rows is 0, less than 1",
        ),
        (
            "SET timezone = 'UTC'; SELECT 1; SELECT 2 UNION SELECT 3",
            r#""value": {"expect": {"value": 2}}, "rows": {"expect": {"value": 2}}"#,
            "healthy",
        ),
        ("SET timezone = 'UTC'", r#""rows": {}"#, "healthy"),
        (
            "SET timezone = 'UTC'",
            r#""rows": {"dead_below": 1}"#,
            "dead: rows is missing",
        ),
        (
            "SELECT * FROM gone",
            r#""rows": {}"#,
            r#"dead: ERROR: relation "gone" does not exist"#,
        ),
        (
            "SELEKT 1",
            r#""rows": {}"#,
            r#"misconfigured: config.query: ERROR: syntax error at or near "SELEKT""#,
        ),
        (
            "COPY jobs TO STDOUT",
            r#""rows": {}"#,
            "misconfigured: config.query: COPY cannot be answered here",
        ),
        (
            "SELECT repeat('x', 2000000)",
            r#""value": {}"#,
            "undecided: the answer is larger than 1048576 bytes",
        ),
        (
            "SELECT 1",
            r#""value": {"expect": {"op": "matches", "value": "("}}"#,
            "misconfigured: config.value.expect.value: \"(\" is no regular expression",
        ),
    ] {
        let config = with_password(&format!(r#", "query": "{query}", {rules}"#));
        let said = said(server, "watch", &config).await;
        assert!(said.starts_with(expected), "{query}: {said}");
        assert!(expected != "healthy" || said == expected, "{query}: {said}");
    }
    assert_eq!(
        said(server, "watch", r#"{"value": {}}"#).await,
        "misconfigured: config.value: needs config.query"
    );
    let config = r#", "query": "SELECT 7.5 FROM jobs", "value": {"name": "age", "unit": "seconds"}, "rows": {}"#;
    let trial = Trial::new("postgres", &with_password(config));
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

async fn queries_do_not_pile_up(server: &PostgreSql) {
    let slow = with_password(r#", "query": "SELECT pg_sleep(600)""#);
    // Long enough that there is time left to cancel it, on a busy machine too.
    let trial = Trial::new("postgres", &slow).within(Duration::from_secs(5));
    assert_eq!(
        trial.check_in_words(&server.target("watch")).await,
        "dead: no answer to the query in 5 s"
    );
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    let config = format!(r#", "query": "{running}", "value": {{"dead_above": 0}}"#);
    let trial = Trial::new("postgres", &with_password(&config));
    until(&trial, &server.target("watch"), "healthy", &server.home).await;
}

/// The queries that the README gives for replication.
async fn replicas_are_followed(server: &PostgreSql) {
    let readme = include_str!("../../../../plugins/postgres/README.md");
    let queries: Vec<&str> = readme
        .split("query = '''\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("'''")?.0))
        .collect();
    let [lag, streaming] = queries[..] else {
        panic!("the README gives {} queries", queries.len());
    };
    let trial = |query: &str, figure: &str| {
        let query = serde_json::Value::from(query);
        Trial::new(
            "postgres",
            &with_password(&format!(r#", "query": {query}, "value": {figure}"#)),
        )
    };
    let none = trial(streaming, r#"{"name": "replicas", "dead_below": 1}"#);
    let target = server.target("watch");
    assert_eq!(
        none.check_in_words(&target).await,
        "dead: replicas is 0, less than 1"
    );
    let mut follower = server.follower();
    let lag = trial(lag, r#"{"name": "replication-lag", "dead_above": 60}"#);
    until(&lag, &follower.target("watch"), "healthy", &follower.home).await;
    until(&none, &target, "healthy", &server.home).await;
    assert_eq!(
        lag.check_in_words(&target).await,
        "healthy",
        "on the primary"
    );
    follower.stop();
    until(
        &none,
        &target,
        "dead: replicas is 0, less than 1",
        &server.home,
    )
    .await;
}
