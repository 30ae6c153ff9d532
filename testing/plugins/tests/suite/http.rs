//! The http probe: what it sends, and servers that do not answer.

use std::time::Duration;

use plugin_tests::{ANY, Trial, check, run};
use target_server::{Fault, HttpTarget, Receiver, TcpBehaviour, TcpTarget};

use crate::measured::{names, reading, shown, value};

/// Enough to reach a server on this machine, and not long to wait for one that
/// is silent.
pub(crate) const SHORT: Duration = Duration::from_secs(1);

pub(crate) async fn site() -> HttpTarget {
    HttpTarget::start(ANY).await.expect("a server starts")
}

/// `http://host:port/path` on the port of `site`.
fn at(host: &str, site: &HttpTarget, path: &str) -> String {
    format!("http://{host}:{}{path}", site.address().port())
}

#[test]
fn a_site_that_answers_is_healthy() {
    run(async {
        let site = site().await;
        for target in [
            site.url("/ok"),
            site.url(""),
            at("localhost", &site, "/ok"),
            at("here.test", &site, "/ok"),
            at("[::ffff:127.0.0.1]", &site, "/ok"),
        ] {
            assert_eq!(check("http", &target, "{}").await, "healthy", "{target}");
        }
    });
}

#[test]
fn a_site_that_does_not_answer_is_dead_and_says_why() {
    run(async {
        let site = site().await;
        for (path, expected) in [
            ("/reset", "dead: connection reset"),
            (
                "/broken",
                "dead: connection closed before the answer was complete",
            ),
        ] {
            let said = check("http", &site.url(path), "{}").await;
            assert_eq!(said, expected, "{path}");
        }
        site.set(Fault::Refuse).await.expect("the port is ours");
        let said = check("http", &site.url("/"), "{}").await;
        assert_eq!(said, "dead: connection refused");
    });
}

#[test]
fn a_site_slower_than_the_timeout_is_dead() {
    run(async {
        let site = site().await;
        let trial = Trial::new("http", "{}").within(SHORT);
        for path in ["/hang", "/slow/60000", "/drip?bytes=100000&ms=20"] {
            let said = trial.check_in_words(&site.url(path)).await;
            assert_eq!(said, "dead: no answer in 1 s", "{path}");
        }
    });
}

#[test]
fn what_is_no_http_is_dead() {
    run(async {
        let echo = TcpBehaviour::Echo { banner: None };
        let server = TcpTarget::start(ANY, echo).await.unwrap();
        let target = format!("http://{}/", server.address());
        let said = check("http", &target, "{}").await;
        assert_eq!(
            said,
            "dead: not an HTTP response: invalid HTTP version parsed"
        );
        server.set(TcpBehaviour::Close);
        let said = check("http", &target, "{}").await;
        assert_eq!(said, "dead: connection closed by the other side");
        server.set(TcpBehaviour::greeting());
        let said = check("http", &target, "{}").await;
        assert_eq!(
            said,
            "dead: not an HTTP response: invalid HTTP version parsed"
        );
    });
}

#[test]
fn names_that_lead_nowhere_are_dead() {
    run(async {
        for (host, expected) in [
            ("gone.test", "dead: no such host: gone.test"),
            (
                "broken.test",
                "dead: broken.test: DNS failed: server failure",
            ),
            (
                "silent.test",
                "dead: silent.test: no answer from DNS in 1 s",
            ),
        ] {
            let said = check("http", &format!("http://{host}/"), "{}").await;
            assert_eq!(said.to_lowercase(), expected.to_lowercase());
        }
    });
}

#[test]
fn a_target_that_is_none_is_a_mistake() {
    run(async {
        for (target, expected) in [
            (
                "http://",
                "misconfigured: target http://: no host after the scheme",
            ),
            (
                "ftp://here.test/",
                "misconfigured: target ftp://here.test/: URL: ftp is neither http nor https",
            ),
        ] {
            assert_eq!(check("http", target, "{}").await, expected);
        }
    });
}

/// `/headers` answers with the request as JSON: what was sent is what is expected.
#[test]
fn the_request_is_what_the_configuration_says() {
    run(async {
        let site = site().await;
        for config in [
            r#"{"expect": {"json": [
                {"path": "$.method", "value": "GET"},
                {"path": "$.query", "value": "a=1"},
                {"path": "$.headers['user-agent']", "op": "matches", "value": "^Watchkeeper/"}]}}"#,
            r#"{"method": "put", "headers": {"X-Key": "k", "user-agent": "me"}, "body": "text",
                "expect": {"json": [
                {"path": "$.method", "value": "PUT"},
                {"path": "$.headers['content-length']", "value": "4"},
                {"path": "$.headers['x-key']", "value": "k"},
                {"path": "$.headers['user-agent']", "value": "me"}]}}"#,
            r#"{"method": "PURGE", "expect": {"json": [{"path": "$.method", "value": "PURGE"}]}}"#,
        ] {
            let said = check("http", &site.url("/headers?a=1"), config).await;
            assert_eq!(said, "healthy", "{config}");
        }
        let config = r#"{"method": "HEAD", "expect": {"headers": [{"name": "content-length", "value": 2}]}}"#;
        assert_eq!(check("http", &site.url("/ok"), config).await, "healthy");
    });
}

#[test]
fn a_body_is_posted_whole() {
    run(async {
        let site = site().await;
        let text = "é".repeat(50_000);
        for (body, type_) in [
            ("{\"a\":[1,2]}", "application/json"),
            (text.as_str(), "text/plain"),
        ] {
            let config = serde_json::json!({
                "method": "POST",
                "headers": {"content-type": type_},
                "body": body,
                "expect": {
                    "body": body,
                    "headers": [
                        {"name": "Content-Type", "value": type_},
                        {"name": "content-length", "value": body.len()},
                    ],
                },
            });
            let said = check("http", &site.url("/echo"), &config.to_string()).await;
            assert_eq!(said, "healthy");
        }
    });
}

#[test]
fn credentials_are_sent_as_the_server_wants_them() {
    run(async {
        let site = site().await;
        let with_user = format!("http://user:pass@{}/basic", site.address());
        for (target, config, expected) in [
            (
                site.url("/basic"),
                r#"{"auth": {"basic": {"username": "user", "password": "pass"}}}"#,
                "healthy",
            ),
            (with_user, "{}", "healthy"),
            (
                site.url("/basic"),
                r#"{"auth": {"basic": {"username": "user", "password": "word"}}}"#,
                "dead: status 401, expected 2xx",
            ),
            (
                site.url("/bearer"),
                r#"{"auth": {"bearer": "token"}}"#,
                "healthy",
            ),
            (
                site.url("/bearer"),
                r#"{"auth": {"bearer": "other"}}"#,
                "dead: status 401, expected 2xx",
            ),
            (site.url("/bearer"), "{}", "dead: status 401, expected 2xx"),
        ] {
            assert_eq!(check("http", &target, config).await, expected, "{config}");
        }
    });
}

#[test]
fn a_header_for_a_host_that_is_not_granted_is_refused() {
    run(async {
        let site = site().await;
        let port = site.address().port();
        let trial = Trial::new("http", r#"{"headers": {"Host": "inside.test"}}"#);
        assert_eq!(
            trial.check_in_words(&site.url("/ok")).await,
            format!(
                "undecided: not granted: inside.test:{port}; \
                 add allow = [\"inside.test:{port}\"] under [plugins.http]"
            )
        );
        let trial = trial.allow(format!("inside.test:{port}"));
        assert_eq!(trial.check_in_words(&site.url("/ok")).await, "healthy");
    });
}

#[test]
fn a_cache_buster_is_new_at_every_check() {
    run(async {
        let server = Receiver::start(ANY).await.unwrap();
        for target in [
            server.url("/page"),
            server.url("/page?a=1"),
            server.url("/page"),
        ] {
            let said = check("http", &target, r#"{"cache_buster": "at"}"#).await;
            assert_eq!(said, "healthy");
        }
        check("http", &server.url("/page"), "{}").await;
        let paths: Vec<String> = server.received().into_iter().map(|it| it.path).collect();
        assert!(paths[0].starts_with("/page?at="), "{paths:?}");
        assert!(paths[1].starts_with("/page?a=1&at="), "{paths:?}");
        assert_ne!(paths[0], paths[2]);
        assert_eq!(paths[3], "/page", "nobody asked for one");
    });
}

#[test]
fn secrets_are_in_nothing_that_is_shown() {
    run(async {
        let site = site().await;
        let header = r#"{"headers": {"x-key": "hunter2-of-old"}, "expect": {"json":
            [{"path": "$.headers['x-key']", "value": "other"}]}}"#;
        let token = r#"{"auth": {"bearer": "hunter2-of-old"}, "expect": {"json":
            [{"path": "$.headers.authorization", "value": "other"}]}}"#;
        let password = r#"{"auth": {"basic": {"username": "users", "password": "hunter2-of-old"}},
            "expect": {"json": [{"path": "$.headers.authorization", "value": "other"}]}}"#;
        for (trial, secret) in [
            (
                Trial::new("http", header).secret("hunter2-of-old"),
                "hunter2-of-old",
            ),
            (Trial::new("http", token), "hunter2-of-old"),
            // What base64 makes of it behind `users:`.
            (Trial::new("http", password), "aHVudGVyMi1vZi1vbGQ"),
        ] {
            let run = trial.check(&site.url("/headers")).await.unwrap();
            let reason = reading(&run).reason.as_deref().unwrap_or_default();
            assert!(reason.contains("****"), "{reason}");
            assert!(!shown(&run).contains(secret), "{}", shown(&run));
        }
    });
}

#[test]
fn every_phase_is_measured() {
    run(async {
        let site = site().await;
        let by_address = Trial::new("http", "{}")
            .check(&site.url("/ok"))
            .await
            .unwrap();
        assert_eq!(
            names(&by_address),
            [
                "status code",
                "connect seconds",
                "first-byte seconds",
                "transfer seconds"
            ]
        );
        let by_name = Trial::new("http", "{}")
            .check(&at("here.test", &site, "/ok"))
            .await
            .unwrap();
        assert_eq!(
            names(&by_name),
            [
                "status code",
                "resolve seconds",
                "connect seconds",
                "first-byte seconds",
                "transfer seconds"
            ]
        );
        let sum: f64 = ["resolve", "connect", "first-byte", "transfer"]
            .iter()
            .map(|phase| value(&by_name, phase))
            .sum();
        let latency = reading(&by_name).latency.unwrap().as_secs_f64();
        assert!((sum - latency).abs() < 1e-6, "{sum} {latency}");
        let slow = Trial::new("http", "{}")
            .check(&site.url("/slow/50"))
            .await
            .unwrap();
        assert!(value(&slow, "first-byte") >= 0.05);
        let missing = Trial::new("http", r#"{"expect": {"status": [404]}}"#);
        let missing = missing.check(&site.url("/status/404")).await.unwrap();
        assert!((value(&missing, "status") - 404.0).abs() < f64::EPSILON);
    });
}
