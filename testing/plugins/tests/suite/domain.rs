//! The domain probe, against an RDAP server of our own: it answers as RFC 9083 has
//! it. No registry is asked by a test.

use std::collections::BTreeMap;

use plugin_tests::{ANY, Trial, run};
use serde_json::json;
use target_server::{Answer, Receiver};
use watchkeeper_sandbox::{CheckOutcome, Run, StateSpace};

use crate::measured::{names, reading, value};

/// A registry with its entry in a list of servers.
pub(crate) struct Registry {
    server: Receiver,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        let server = Receiver::start(ANY).await.expect("a server starts");
        let list = json!({
            "version": "1.0",
            "publication": "2026-01-01T00:00:00Z",
            "description": "RDAP bootstrap file for Domain Name System registrations",
            "services": [
                [["other"], ["https://rdap.other.test/"]],
                [["test", "example"], [server.url("/v1/")]],
            ],
        });
        server.at("/rdap/dns.json", Answer::ok().body(list.to_string()));
        server.otherwise(Answer::status(404).body(r#"{"errorCode": 404, "title": "Not Found"}"#));
        Self { server }
    }

    /// Has the domain, until so many days from now.
    pub(crate) fn has(&self, name: &str, days: i64, status: &[&str]) {
        let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(days * 24 + 1);
        let body = json!({
            "rdapConformance": ["rdap_level_0", "icann_rdap_response_profile_1"],
            "objectClassName": "domain",
            "handle": "2138514_DOMAIN_TEST-VRSN",
            "ldhName": name.to_uppercase(),
            "status": status,
            "events": [
                {"eventAction": "registration", "eventDate": "1997-09-15T04:00:00Z"},
                {"eventAction": "expiration", "eventDate": expires.to_string()},
                {"eventAction": "last update of RDAP database", "eventDate": "2026-01-01T00:00:00Z"},
            ],
            "entities": [{
                "objectClassName": "entity",
                "handle": "292",
                "roles": ["registrar"],
                "vcardArray": ["vcard", [
                    ["version", {}, "text", "4.0"],
                    ["fn", {}, "text", "Example Registrar, Inc."]
                ]],
            }],
            "secureDNS": {"delegationSigned": false},
            "nameservers": [{"objectClassName": "nameserver", "ldhName": "NS1.EXAMPLE.TEST"}],
        });
        let answer = Answer::ok()
            .header("content-type", "application/rdap+json")
            .body(body.to_string());
        self.server.at(&format!("/v1/domain/{name}"), answer);
    }

    /// Where its RDAP server is.
    pub(crate) fn url(&self) -> String {
        self.server.url("/v1")
    }

    /// The paths that were asked for since the last call.
    fn asked(&self) -> Vec<String> {
        let paths = self.server.received().into_iter().map(|it| it.path);
        let paths = paths.collect();
        self.server.forget();
        paths
    }

    /// A configuration that finds the server in the list, with these keys besides.
    fn listed(&self, keys: &str) -> Trial {
        let list = self.server.url("/rdap/dns.json");
        let config = format!(r#"{{"bootstrap": "{list}"{keys}}}"#);
        Trial::new("domain", &config)
    }
}

async fn check(trial: &Trial, target: &str) -> Run<CheckOutcome> {
    trial.check(target).await.expect("the configuration fits")
}

fn said(run: &Run<CheckOutcome>) -> String {
    plugin_tests::of_check(&run.outcome)
}

/// What is kept, as if `seconds` had gone by since.
fn aged(run: &Run<CheckOutcome>, seconds: u64) -> StateSpace {
    let space = run.state.clone().expect("something was kept");
    let age = |bytes: Vec<u8>| {
        let mut memory: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
        for time in ["/server/at", "/kept/at", "/pause/from", "/pause/until"] {
            if let Some(time) = memory.pointer_mut(time)
                && let Some(at) = time.as_u64()
            {
                *time = (at - seconds).into();
            }
        }
        serde_json::to_vec(&memory).expect("it was JSON")
    };
    space
        .into_iter()
        .map(|(key, bytes)| (key, age(bytes)))
        .collect::<BTreeMap<_, _>>()
}

const HOUR: u64 = 3600;

#[test]
fn the_registry_is_found_in_the_list_and_asked() {
    run(async {
        let registry = Registry::start().await;
        registry.has("acme.test", 200, &["client transfer prohibited"]);
        for target in ["domain:acme.test", "domain://ACME.test"] {
            let run = check(&registry.listed(""), target).await;
            assert_eq!(said(&run), "healthy", "{target}");
            assert_eq!(registry.asked(), ["/rdap/dns.json", "/v1/domain/acme.test"]);
            assert_eq!(names(&run), ["expiry days", "answer-age seconds"]);
            assert!((value(&run, "expiry") - 200.0).abs() < 0.1);
            assert!(reading(&run).latency.is_some());
        }
        let own = format!(r#"{{"rdap": "{}"}}"#, registry.url());
        let run = check(&Trial::new("domain", &own), "domain://acme.test").await;
        assert_eq!(said(&run), "healthy");
        assert_eq!(registry.asked(), ["/v1/domain/acme.test"]);
    });
}

#[test]
fn what_is_wrong_with_a_domain_is_told() {
    run(async {
        let registry = Registry::start().await;
        registry.has("soon.test", 12, &["active"]);
        registry.has("late.test", -3, &["auto renew period"]);
        registry.has(
            "held.test",
            200,
            &["client hold", "server transfer prohibited"],
        );
        for (target, keys, expected) in [
            (
                "domain://soon.test",
                "",
                "sick: soon.test expires in 12 days (registrar Example Registrar, Inc.)",
            ),
            ("domain://soon.test", r#", "sick_below": "7d""#, "healthy"),
            (
                "domain://soon.test",
                r#", "dead_below": "14d""#,
                "dead: soon.test expires in 12 days (registrar Example Registrar, Inc.)",
            ),
            (
                "domain://late.test",
                "",
                "dead: late.test expired 2 days 23 h ago (registrar Example Registrar, Inc.)",
            ),
            (
                "domain://held.test",
                "",
                "dead: held.test has the status client hold",
            ),
            (
                "domain://held.test",
                r#", "status": {"dead": [], "require": ["clientTransferProhibited"]}"#,
                "sick: held.test lacks the status clientTransferProhibited",
            ),
            (
                "domain://gone.test",
                "",
                "dead: gone.test is not registered",
            ),
        ] {
            let run = check(&registry.listed(keys), target).await;
            assert_eq!(said(&run), expected, "{target} {keys}");
        }
    });
}

#[test]
fn a_registry_is_asked_seldom_and_its_answer_judged_meanwhile() {
    run(async {
        let registry = Registry::start().await;
        registry.has("acme.test", 31, &["active"]);
        let trial = registry.listed("");
        let first = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&first), "healthy");
        assert_eq!(registry.asked().len(), 2);

        let trial = trial.state(aged(&first, 11 * HOUR));
        let second = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&second), "healthy");
        assert!(registry.asked().is_empty());
        assert!((value(&second, "answer-age") - 39_600.0).abs() < 60.0);
        assert!(second.state.is_none(), "nothing new is kept");

        let trial = trial.state(aged(&first, 12 * HOUR));
        let third = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&third), "healthy");
        assert_eq!(
            registry.asked(),
            ["/v1/domain/acme.test"],
            "the server is known"
        );

        let trial = trial.state(aged(&first, 8 * 24 * HOUR));
        check(&trial, "domain://acme.test").await;
        assert_eq!(
            registry.asked().len(),
            2,
            "the list is read again after a week"
        );

        let trial = registry
            .listed(r#", "ask_every": "2d""#)
            .state(aged(&first, 40 * HOUR));
        check(&trial, "domain://acme.test").await;
        assert!(registry.asked().is_empty());
    });
}

#[test]
fn a_recovery_is_seen_within_the_hour() {
    run(async {
        let registry = Registry::start().await;
        let trial = registry.listed("");
        let lost = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&lost), "dead: acme.test is not registered");
        registry.asked();
        registry.has("acme.test", 365, &["active"]);
        let trial = trial.state(aged(&lost, HOUR - 60));
        let still = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&still), "dead: acme.test is not registered");
        assert!(registry.asked().is_empty());
        let trial = trial.state(aged(&lost, HOUR));
        let back = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&back), "healthy");
    });
}

#[test]
fn a_registry_that_fails_says_nothing_about_the_domain() {
    run(async {
        let registry = Registry::start().await;
        let host = "127.0.0.1";
        for (answer, expected) in [
            (
                Answer::status(500),
                format!("undecided: {host}: status 500"),
            ),
            (
                Answer::status(503),
                format!("undecided: {host}: status 503"),
            ),
            (
                Answer::status(429),
                format!("undecided: {host}: the registry was asked too often"),
            ),
            (
                Answer::ok().body("<html>"),
                format!(
                    "undecided: {host}: the answer is not the JSON expected: expected value at line 1 column 1"
                ),
            ),
            (
                Answer::ok().body(r#"{"objectClassName": "domain", "ldhName": "other.test"}"#),
                format!("undecided: {host}: the answer is none about the domain acme.test"),
            ),
            (
                Answer::reset(),
                format!("undecided: {host}: connection reset"),
            ),
        ] {
            let trial = registry.listed("");
            registry.server.at("/v1/domain/acme.test", answer);
            let failed = check(&trial, "domain://acme.test").await;
            assert_eq!(said(&failed), expected);
            registry.asked();
            // It is left alone.
            let trial = trial.state(aged(&failed, 60));
            let waiting = check(&trial, "domain://acme.test").await;
            assert!(
                said(&waiting).starts_with(&format!("{expected}; it is asked again in ")),
                "{}",
                said(&waiting)
            );
            assert!(registry.asked().is_empty());
        }
        // What it said before holds.
        registry.has("acme.test", 200, &["active"]);
        let well = check(&registry.listed(""), "domain://acme.test").await;
        registry.server.at(
            "/v1/domain/acme.test",
            Answer::status(429).header("retry-after", "7200"),
        );
        let trial = registry.listed("").state(aged(&well, 13 * HOUR));
        let failed = check(&trial, "domain://acme.test").await;
        assert_eq!(said(&failed), "healthy");
        let log: Vec<&str> = failed.log.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(
            log,
            ["acme.test: 127.0.0.1: the registry was asked too often; the last answer is judged"]
        );
        registry.asked();
        let trial = trial.state(aged(&failed, HOUR + 1800));
        assert_eq!(said(&check(&trial, "domain://acme.test").await), "healthy");
        assert!(registry.asked().is_empty(), "two hours are not over");
        let trial = trial.state(aged(&failed, 2 * HOUR));
        check(&trial, "domain://acme.test").await;
        assert_eq!(registry.asked().len(), 1);
        // But not for ever.
        let trial = trial.state(aged(&failed, 8 * 24 * HOUR));
        let old = check(&trial, "domain://acme.test").await;
        assert!(said(&old).starts_with("undecided: "), "{}", said(&old));
    });
}

#[test]
fn what_cannot_work_is_said() {
    run(async {
        let registry = Registry::start().await;
        let refused = |keys: &str| registry.listed(keys);
        for (trial, target, expected) in [
            (
                refused(""),
                "domain://acme.unlisted",
                "undecided: the list of servers has none for the registry of acme.unlisted: \
                 name one with config.rdap",
            ),
            (
                refused(""),
                "domain://acme",
                "misconfigured: target domain://acme: no domain in ASCII: write domain://example.com, \
                 or domain://xn--… for others",
            ),
            (
                refused(r#", "ask_every": "5m""#),
                "domain://acme.test",
                "misconfigured: config.ask_every: registries refuse whoever asks more often than \
                 once an hour",
            ),
            (
                refused(r#", "status": {"sick": [""]}"#),
                "domain://acme.test",
                "misconfigured: config.status.sick[0]: \"\" is no status: write it like clientHold",
            ),
            (
                refused(r#", "rdap": "no URL""#),
                "domain://acme.test",
                "refused: config.rdap",
            ),
            // The list leads to a server that nothing grants.
            (
                refused(""),
                "domain://acme.other",
                "undecided: not granted: rdap.other.test:443; \
                 add allow = [\"rdap.other.test:443\"] under [plugins.domain]",
            ),
        ] {
            let run = trial.check(target).await;
            let found = match &run {
                Ok(run) => said(run),
                Err(problems) => format!("refused: {problems}"),
            };
            assert!(found.starts_with(expected), "{target}: {found}");
        }
        // The list is not fetched again for what it does not have.
        let trial = registry.listed("");
        let unlisted = check(&trial, "domain://acme.unlisted").await;
        registry.asked();
        let trial = trial.state(aged(&unlisted, 60));
        check(&trial, "domain://acme.unlisted").await;
        assert!(registry.asked().is_empty());
    });
}
