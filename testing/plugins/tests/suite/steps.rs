//! The steps probe.

use plugin_tests::{ANY, Trial, check, run};
use target_server::{Answer, Received, Receiver, TlsKind};

use crate::http::{SHORT, site};
use crate::http_tls::server;
use crate::measured::{names, reading, shown, value};

async fn receiver() -> Receiver {
    Receiver::start(ANY).await.expect("a server starts")
}

fn json(body: &str) -> Answer {
    Answer::ok().body(body.to_owned())
}

fn lines(server: &Receiver) -> Vec<String> {
    let received = server.received();
    let line = |it: &Received| format!("{} {}", it.method, it.path);
    received.iter().map(line).collect()
}

/// A log-in that gives a token, an order that has it, and a look at the order.
const ORDER: &str = r#"{"steps": [
    {"name": "log-in", "path": "/login", "json": {"user": "watch", "password": "hunter2"},
     "save": {"token": {"json": "$.token", "secret": true}, "csrf": {"header": "x-csrf"}}},
    {"name": "order", "path": "/orders", "headers": {"X-CSRF": "{{csrf}}"},
     "auth": {"bearer": "{{token}}"}, "json": {"item": 7, "note": "by {{csrf}}"},
     "expect": {"status": [201]},
     "save": {"order": {"json": "$.id"}, "version": {"header": "etag", "regex": "v([0-9]+)"}}},
    {"name": "look", "path": "/orders/{{order}}?v={{version}}", "auth": {"bearer": "{{token}}"},
     "expect": {"json": [{"path": "$.state", "value": "open"}]}}
]}"#;

#[test]
fn values_are_carried_from_step_to_step() {
    run(async {
        let server = receiver().await;
        server.then([
            json(r#"{"token": "t-o/k"}"#).header("x-csrf", "c1"),
            Answer::status(201)
                .header("etag", "\"v17\"")
                .body(r#"{"id": "a b/c"}"#),
            json(r#"{"state": "open"}"#),
        ]);
        let run = Trial::new("steps", ORDER)
            .check(&server.url("/shop/"))
            .await
            .unwrap();
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
        assert_eq!(
            lines(&server),
            ["POST /login", "POST /orders", "GET /orders/a%20b%2Fc?v=17"]
        );
        let received = server.received();
        assert_eq!(
            received[0].json().unwrap(),
            serde_json::json!({"user": "watch", "password": "hunter2"})
        );
        assert_eq!(received[1].header("authorization"), Some("Bearer t-o/k"));
        assert_eq!(received[1].header("x-csrf"), Some("c1"));
        assert_eq!(received[1].header("content-type"), Some("application/json"));
        assert_eq!(
            received[1].json().unwrap(),
            serde_json::json!({"item": 7, "note": "by c1"})
        );
        assert_eq!(
            names(&run),
            ["log-in seconds", "order seconds", "look seconds"]
        );
        let sum = value(&run, "log-in") + value(&run, "order") + value(&run, "look");
        let latency = reading(&run).latency.unwrap().as_secs_f64();
        assert!((sum - latency).abs() < 1e-6, "{sum} {latency}");
    });
}

#[test]
fn the_first_step_that_fails_ends_the_check_and_is_named() {
    run(async {
        let server = receiver().await;
        let token = || json(r#"{"token": "t0ken"}"#).header("x-csrf", "c1");
        let created = || {
            Answer::status(201)
                .header("etag", "v1")
                .body(r#"{"id": 1}"#)
        };
        for (answers, expected, sent) in [
            (
                vec![Answer::status(403)],
                "dead: step log-in: status 403, expected 2xx",
                1,
            ),
            (
                vec![json("{}").header("x-csrf", "c1")],
                "dead: step log-in: token: $.token is missing",
                1,
            ),
            (
                vec![token(), created().header("etag", "none")],
                "dead: step order: version: nothing matches v([0-9]+)",
                2,
            ),
            (
                vec![token(), Answer::reset()],
                "dead: step order: connection reset",
                2,
            ),
            (
                vec![token(), created(), json(r#"{"state": "lost"}"#)],
                r#"dead: step look: $.state is "lost", expected "open""#,
                3,
            ),
            (
                vec![token(), created(), json("<html>")],
                "dead: step look: the answer is not the JSON expected: expected value at line 1 column 1",
                3,
            ),
        ] {
            server.forget();
            server.then(answers);
            let said = check("steps", &server.url("/"), ORDER).await;
            assert_eq!(said, expected);
            assert_eq!(lines(&server).len(), sent, "{expected}");
        }
    });
}

#[test]
fn a_step_that_is_slow_or_refused_is_named() {
    run(async {
        let server = receiver().await;
        server.then([Answer::ok(), Answer::hang()]);
        let config = r#"{"steps": [{}, {"name": "pay", "path": "/pay", "timeout": "500ms"}, {}]}"#;
        let said = check("steps", &server.url("/"), config).await;
        assert_eq!(said, "dead: step pay: no answer in 500 ms");

        server.then([Answer::ok(), Answer::hang()]);
        let config = r#"{"steps": [{}, {"name": "pay", "path": "/pay"}]}"#;
        let trial = Trial::new("steps", config).within(SHORT);
        let said = trial.check_in_words(&server.url("/")).await;
        assert!(said.starts_with("dead: step pay: no answer in "), "{said}");

        let mut gone = receiver().await;
        let address = gone.url("/");
        gone.stop().await;
        let said = check("steps", &address, r#"{"steps": [{}]}"#).await;
        assert_eq!(said, "dead: step step-1: connection refused");
    });
}

#[test]
fn what_should_hold_is_sick_and_the_steps_go_on() {
    run(async {
        let server = receiver().await;
        server.then([json("stale"), json("fresh")]);
        let config = r#"{"steps": [
            {"name": "cache", "prefer": {"body": "fresh"}},
            {"name": "origin", "expect": {"body": "fresh"}}]}"#;
        let said = check("steps", &server.url("/"), config).await;
        assert_eq!(
            said,
            r#"sick: step cache: the body does not contain "fresh""#
        );
        assert_eq!(lines(&server).len(), 2);
    });
}

#[test]
fn what_was_begun_is_tidied_up() {
    run(async {
        let server = receiver().await;
        let config = r#"{"steps": [
            {"name": "make", "method": "POST", "path": "/things", "save": {"id": {"json": "$.id"}}},
            {"name": "look", "path": "/things/{{id}}"},
            {"name": "list", "path": "/things"},
            {"name": "delete", "method": "DELETE", "path": "/things/{{id}}", "always": true}]}"#;
        server.then([json(r#"{"id": 3}"#), Answer::status(500), Answer::ok()]);
        let said = check("steps", &server.url("/"), config).await;
        assert_eq!(said, "dead: step look: status 500, expected 2xx");
        assert_eq!(
            lines(&server),
            ["POST /things", "GET /things/3", "DELETE /things/3"]
        );
        server.forget();
        // Without an id there is nothing to delete.
        server.then([Answer::status(503)]);
        let said = check("steps", &server.url("/"), config).await;
        assert_eq!(said, "dead: step make: status 503, expected 2xx");
        assert_eq!(lines(&server), ["POST /things"]);
        server.forget();
        server.then([
            json(r#"{"id": 3}"#),
            Answer::status(500),
            Answer::status(409),
        ]);
        let said = check("steps", &server.url("/"), config).await;
        assert_eq!(
            said,
            "dead: step look: status 500, expected 2xx; step delete: status 409, expected 2xx"
        );
    });
}

#[test]
fn cookies_are_kept_as_a_browser_keeps_them() {
    run(async {
        let server = receiver().await;
        let answers = || {
            [
                Answer::status(303)
                    .header("location", "/welcome")
                    .header("set-cookie", "session=s1; Path=/; HttpOnly"),
                Answer::ok().header("set-cookie", "basket=b1; Path=/basket"),
                Answer::ok(),
                Answer::ok(),
            ]
        };
        let config = r#"{"steps": [
            {"name": "log-in", "path": "/login", "form": {"user": "a b", "password": "c&d"},
             "save": {"session": {"cookie": "session"}}},
            {"path": "/basket/"},
            {"path": "/about?s={{session}}"}]}"#;
        server.then(answers());
        assert_eq!(check("steps", &server.url("/"), config).await, "healthy");
        let received = server.received();
        assert_eq!(received[0].text(), "password=c%26d&user=a%20b");
        assert_eq!(received[0].header("cookie"), None);
        assert_eq!(lines(&server)[1], "GET /welcome");
        assert_eq!(received[1].header("cookie"), Some("session=s1"));
        // The longer path first.
        assert_eq!(received[2].header("cookie"), Some("basket=b1; session=s1"));
        assert_eq!(received[3].header("cookie"), Some("session=s1"));
        assert_eq!(lines(&server)[3], "GET /about?s=s1");

        server.forget();
        server.then(answers());
        let without = r#"{"cookies": false, "steps": [{"path": "/login", "method": "POST"}, {"path": "/about"}]}"#;
        assert_eq!(check("steps", &server.url("/"), without).await, "healthy");
        let sent: Vec<_> = server.received();
        assert!(sent.iter().all(|it| it.header("cookie").is_none()));
        server.then([Answer::ok()]);
        let missing = r#"{"steps": [{"save": {"session": {"cookie": "session"}}}]}"#;
        assert_eq!(
            check("steps", &server.url("/"), missing).await,
            "dead: step step-1: session: cookie session is missing"
        );
    });
}

#[test]
fn other_hosts_are_granted_by_the_configuration_alone() {
    run(async {
        let (shop, accounts) = (receiver().await, receiver().await);
        let config = format!(
            r#"{{"headers": {{"x-key": "k"}}, "auth": {{"bearer": "own"}}, "steps": [
            {{"base": "{}", "path": "token", "save": {{"t": {{"regex": ".+"}}}}}},
            {{"path": "/a", "headers": {{"X-Key": "{{{{t}}}}"}}}},
            {{"path": "/b"}}]}}"#,
            accounts.url("/v1/")
        );
        accounts.then([json("secret token")]);
        assert_eq!(check("steps", &shop.url("/"), &config).await, "healthy");
        let token = &accounts.received()[0];
        assert_eq!(token.path, "/v1/token");
        assert_eq!(token.header("x-key"), None);
        assert_eq!(token.header("authorization"), None);
        let own = shop.received();
        assert_eq!(own[0].header("x-key"), Some("secret token"));
        assert_eq!(own[1].header("x-key"), Some("k"));
        assert_eq!(own[1].header("authorization"), Some("Bearer own"));

        // What an answer names is not granted by that.
        let config = r#"{"steps": [{"save": {"next": {"json": "$.next"}}}, {"path": "{{next}}"}]}"#;
        let next = format!(r#"{{"next": "{}"}}"#, accounts.url("/page/2?a=b"));
        accounts.forget();
        shop.then([json(&next)]);
        let address = accounts.address();
        assert_eq!(
            check("steps", &shop.url("/"), config).await,
            format!(
                "undecided: not granted: {address}; add allow = [\"{address}\"] under [plugins.steps]"
            )
        );
        assert!(accounts.received().is_empty());
        shop.then([json(&next)]);
        let trial = Trial::new("steps", config).allow(address.to_string());
        assert_eq!(trial.check_in_words(&shop.url("/")).await, "healthy");
        assert_eq!(lines(&accounts), ["GET /page/2?a=b"]);
    });
}

#[test]
fn built_in_values_are_new_at_every_check() {
    run(async {
        let server = receiver().await;
        let config = r#"{"steps": [{"path": "/{{now}}/{{random}}"}, {"path": "/{{random}}"}]}"#;
        for _ in 0..2 {
            assert_eq!(check("steps", &server.url("/"), config).await, "healthy");
        }
        let paths: Vec<String> = server.received().into_iter().map(|it| it.path).collect();
        let random = |index: usize| {
            paths[index]
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(random(0), random(1), "one check has one: {paths:?}");
        assert_ne!(random(0), random(2), "{paths:?}");
        assert_eq!(random(0).len(), 16, "{paths:?}");
        assert!(
            paths[0].starts_with("/1") || paths[0].starts_with("/2"),
            "{paths:?}"
        );
    });
}

#[test]
fn secrets_are_in_nothing_that_is_shown() {
    run(async {
        let server = receiver().await;
        server.then([
            json(r#"{"token": "saved-secret"}"#),
            json(r#"{"echo": "saved-secret"}"#),
        ]);
        let config = r#"{"steps": [
            {"auth": {"basic": {"username": "u", "password": "hunter2-of-old"}},
             "save": {"token": {"json": "$.token", "secret": true}}},
            {"expect": {"json": [{"path": "$.echo", "value": "other"}]}}]}"#;
        let run = Trial::new("steps", config)
            .check(&server.url("/"))
            .await
            .unwrap();
        assert_eq!(
            reading(&run).reason.as_deref(),
            Some(r#"step step-2: $.echo is "****", expected "other""#)
        );
        let shown = shown(&run);
        for secret in ["saved-secret", "hunter2-of-old"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    });
}

#[test]
fn what_cannot_work_or_be_decided_is_said() {
    run(async {
        let site = site().await;
        for (target, config, expected) in [
            (site.url("/"), r#"{"steps": []}"#, "refused: config.steps"),
            (
                site.url("/"),
                r#"{"steps": [{"path": "/{{id}}"}]}"#,
                "misconfigured: config.steps[0].path: {{id}} is saved by no step before this one",
            ),
            (
                site.url("/"),
                r#"{"steps": [{"name": "Log in"}]}"#,
                "refused: config.steps[0].name",
            ),
            (
                site.url("/"),
                r#"{"steps": [{"save": {"A": {"json": "$"}}}]}"#,
                "refused: config.steps[0].save",
            ),
            (
                "ftp://here.test/".to_owned(),
                r#"{"steps": [{}]}"#,
                "misconfigured: config.steps[0]: URL: ftp is neither http nor https",
            ),
            (
                site.url("/"),
                r#"{"max_body": 10, "steps": [{"path": "/body/100", "save": {"x": {"regex": "y"}}}]}"#,
                "undecided: step step-1: the body is larger than 10 bytes, so that \
                 config.steps[0].save.x.regex cannot be decided: raise config.max_body",
            ),
            (
                site.url("/"),
                r#"{"max_body": 10, "steps": [{"path": "/body/100", "expect": {"body": "y"}}]}"#,
                "undecided: step step-1: the body is larger than 10 bytes, so that \
                 config.steps[0].expect.body cannot be decided: raise config.max_body",
            ),
        ] {
            let said = check("steps", &target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
        // What a site gave cannot be sent: its fault.
        let server = receiver().await;
        server.then([json("a\nb")]);
        let config =
            r#"{"steps": [{"save": {"x": {"regex": "a\nb"}}}, {"headers": {"x-a": "{{x}}"}}]}"#;
        assert_eq!(
            check("steps", &server.url("/"), config).await,
            "dead: step step-2: header x-a: no header can be so"
        );
    });
}

#[test]
fn certificates_are_looked_at() {
    run(async {
        let secure = server(TlsKind::Valid).await;
        let target = format!("https://localhost:{}", secure.address().port());
        let config = r#"{"steps": [{}, {}]}"#;
        let run = Trial::new("steps", config).check(&target).await.unwrap();
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
        assert_eq!(
            names(&run),
            [
                "step-1 seconds",
                "step-2 seconds",
                "certificate-expiry days"
            ]
        );
        let config = r#"{"tls": {"sick_below": "50000d"}, "steps": [{}]}"#;
        let said = check("steps", &target, config).await;
        assert!(said.starts_with("sick: certificate expires in "), "{said}");
        let expired = server(TlsKind::Expired).await;
        let target = format!("https://localhost:{}", expired.address().port());
        let said = check("steps", &target, r#"{"steps": [{}]}"#).await;
        assert!(
            said.starts_with("dead: step step-1: certificate "),
            "{said}"
        );
    });
}

/// More steps than a run may open connections end with the limit's name.
#[test]
fn the_limits_of_the_sandbox_hold() {
    run(async {
        let server = receiver().await;
        let steps = vec!["{}"; 20].join(",");
        let said = check(
            "steps",
            &server.url("/"),
            &format!(r#"{{"steps": [{steps}]}}"#),
        )
        .await;
        assert_eq!(
            said,
            "limit: the plugin opened more than 16 connections (limit `connections`)"
        );
    });
}
