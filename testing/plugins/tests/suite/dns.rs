//! The dns probe.

use plugin_tests::{ANY, Trial, check, run};
use target_server::{DnsTarget, Zone};

use crate::http::SHORT;
use crate::measured::{names, value};

async fn server() -> DnsTarget {
    DnsTarget::start(ANY, Zone::demo())
        .await
        .expect("a server starts")
}

fn target(server: &DnsTarget, name: &str) -> String {
    format!("dns://{}/{name}", server.address())
}

#[test]
fn records_of_each_type_are_compared() {
    run(async {
        let server = server().await;
        let long = format!(
            r#"{{"type": "TXT", "answers": {{"exactly": ["{}"]}}}}"#,
            "x".repeat(2000)
        );
        for (name, config, expected) in [
            ("ok.demo.test", "{}", "healthy"),
            (
                "ok.demo.test",
                r#"{"answers": {"contains": ["127.0.0.1"]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test",
                r#"{"answers": {"exactly": ["127.0.0.1"]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test",
                r#"{"answers": {"any": ["127.0.0.2", "127.0.0.1"]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test",
                r#"{"answers": {"contains": ["127.0.0.1", "127.0.0.2"]}}"#,
                "dead: ok.demo.test A: 127.0.0.2 is missing, got 127.0.0.1",
            ),
            (
                "ok.demo.test",
                r#"{"answers": {"exactly": []}}"#,
                "dead: ok.demo.test A: 127.0.0.1 not expected",
            ),
            (
                "ok.demo.test",
                r#"{"answers": {"any": ["127.0.0.2"]}}"#,
                "dead: ok.demo.test A: expected one of 127.0.0.2, got 127.0.0.1",
            ),
            (
                "ok.demo.test",
                r#"{"type": "AAAA", "answers": {"exactly": ["0:0::1"]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test?type=AAAA",
                r#"{"answers": {"exactly": ["::1"]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test",
                r#"{"type": "mx", "answers": {"exactly": ["10 Mail.demo.test."]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test",
                r#"{"type": "MX", "answers": {"exactly": ["20 mail.demo.test"]}}"#,
                "dead: ok.demo.test MX: 20 mail.demo.test is missing, got 10 mail.demo.test",
            ),
            (
                "ok.demo.test",
                r#"{"type": "TXT", "answers": {"exactly": ["v=spf1 -all"]}}"#,
                "healthy",
            ),
            (
                "alias.demo.test",
                r#"{"type": "CNAME", "answers": {"exactly": ["ok.demo.test"]}}"#,
                "healthy",
            ),
            (
                "alias.demo.test",
                r#"{"answers": {"exactly": ["127.0.0.1"]}}"#,
                "healthy",
            ),
            (
                "ok.demo.test",
                r#"{"type": "NS"}"#,
                "dead: ok.demo.test NS: no records",
            ),
            (
                "ok.demo.test",
                r#"{"type": "NS", "answers": {"exactly": []}}"#,
                "healthy",
            ),
            // It does not fit into a datagram.
            ("long.demo.test", &long, "healthy"),
            (
                "ok.demo.test",
                r#"{"authenticated": true}"#,
                "dead: the resolver did not validate the answer (DNSSEC)",
            ),
        ] {
            let said = check("dns", &target(&server, name), config).await;
            assert_eq!(said, expected, "{name} {config}");
        }
        let run = Trial::new("dns", "{}")
            .check(&target(&server, "ok.demo.test"))
            .await
            .unwrap();
        assert_eq!(names(&run), ["records records", "ttl seconds"]);
        assert!((value(&run, "records") - 1.0).abs() < f64::EPSILON);
        assert!((value(&run, "ttl") - 30.0).abs() < f64::EPSILON);
    });
}

#[test]
fn codes_are_compared() {
    run(async {
        let server = server().await;
        for (name, config, expected) in [
            (
                "gone.demo.test",
                "{}",
                "dead: NXDOMAIN for gone.demo.test A, expected NOERROR",
            ),
            ("gone.demo.test", r#"{"rcode": "nxdomain"}"#, "healthy"),
            (
                "broken.demo.test",
                "{}",
                "dead: SERVFAIL for broken.demo.test A, expected NOERROR",
            ),
            (
                "refused.demo.test",
                "{}",
                "dead: REFUSED for refused.demo.test A, expected NOERROR",
            ),
            ("refused.demo.test", r#"{"rcode": "REFUSED"}"#, "healthy"),
            (
                "ok.demo.test",
                r#"{"rcode": "NXDOMAIN"}"#,
                "dead: NOERROR for ok.demo.test A, expected NXDOMAIN",
            ),
        ] {
            let said = check("dns", &target(&server, name), config).await;
            assert_eq!(said, expected, "{name} {config}");
        }
    });
}

#[test]
fn a_server_that_does_not_answer_is_dead() {
    run(async {
        let server = server().await;
        let trial = Trial::new("dns", "{}").within(SHORT);
        let said = trial
            .check_in_words(&target(&server, "silent.demo.test"))
            .await;
        assert_eq!(said, "dead: no answer in 1 s");
        let gone = target(&server, "ok.demo.test");
        drop(server);
        // Its socket is closed by a task of its own.
        let said = trial.check_in_words(&gone).await;
        assert!(
            ["dead: connection refused", "dead: no answer in 1 s"].contains(&said.as_str()),
            "{said}"
        );
        let said = check("dns", "dns://gone.test/a.test", "{}").await;
        assert!(
            said.starts_with("dead: ") && said.contains("no such host"),
            "{said}"
        );
    });
}

#[test]
fn without_a_server_the_hosts_own_is_asked() {
    run(async {
        for (target, config, expected) in [
            (
                "dns:here.test",
                r#"{"answers": {"exactly": ["127.0.0.1"]}}"#,
                "healthy",
            ),
            ("dns:///here.test?type=A", "{}", "healthy"),
            (
                "dns:gone.test",
                "{}",
                "dead: NXDOMAIN for gone.test A, expected NOERROR",
            ),
        ] {
            assert_eq!(check("dns", target, config).await, expected, "{target}");
        }
        let said = Trial::new("dns", "{}")
            .ungranted()
            .check_in_words("dns:here.test")
            .await;
        assert_eq!(
            said,
            "undecided: not granted: here.test; add allow = [\"here.test:*\"] under [plugins.dns]"
        );
    });
}

#[test]
fn a_question_that_cannot_be_put_is_a_mistake() {
    run(async {
        let server = server().await;
        let empty = format!("dns://{}", server.address());
        for (target, config, expected) in [
            (
                target(&server, "a.test"),
                r#"{"type": "A-A"}"#,
                "refused: config.type",
            ),
            (
                target(&server, "a.test"),
                r#"{"rcode": "NX DOMAIN"}"#,
                "refused: config.rcode",
            ),
            (empty, "{}", "misconfigured: target dns://"),
            (
                target(&server, "a.test"),
                r#"{"name": "b.test"}"#,
                "misconfigured: target dns://",
            ),
            (
                target(&server, "a.test"),
                r#"{"type": "NOPE"}"#,
                "misconfigured: target dns://",
            ),
        ] {
            let said = check("dns", &target, config).await;
            assert!(said.starts_with(expected), "{target} {config}: {said}");
        }
        let long = format!("{}.test", "a".repeat(64));
        for (name, config, keys, why) in [
            (
                "a.test",
                r#"{"type": "NOPE"}"#,
                ", config.type",
                "`NOPE` is no DNS record type",
            ),
            (
                "a.test?type=TYPE70000",
                "{}",
                "",
                "`TYPE70000` is no DNS record type",
            ),
            (
                "a.test?type=AXFR",
                "{}",
                "",
                "zone transfers are not supported",
            ),
            ("a..test", "{}", "", "`a..test` is no DNS name"),
            (&long, "{}", "", &format!("`{long}` is no DNS name")),
            (
                "",
                r#"{"name": ".test", "type": "MX"}"#,
                ", config.name, config.type",
                "`.test` is no DNS name",
            ),
        ] {
            let target = target(&server, name);
            let said = check("dns", &target, config).await;
            assert_eq!(said, format!("misconfigured: target {target}{keys}: {why}"));
        }
        for kind in ["mx", "svcb", "TYPE257", "ANY"] {
            let config = format!(r#"{{"type": "{kind}"}}"#);
            let said = check("dns", &target(&server, "ok.demo.test"), &config).await;
            assert!(!said.starts_with("misconfigured"), "{kind}: {said}");
        }
    });
}
