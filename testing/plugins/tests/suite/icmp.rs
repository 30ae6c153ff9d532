//! The icmp probe, as far as loopback goes: there every address answers.

use plugin_tests::{Trial, check, run, skip};
use watchkeeper_egress::icmp::availability;

use crate::measured::{names, value};

/// Whether this process may ping; says so if not.
fn may_ping() -> bool {
    // It opens a socket, which takes a runtime.
    match run(async { availability() }) {
        Ok(()) => true,
        Err(why) => {
            skip(&format!("icmp: {why}"));
            false
        }
    }
}

/// Whether this machine has IPv6; says so if not.
fn has_ipv6() -> bool {
    let bound = std::net::UdpSocket::bind(("::1", 0));
    if let Err(error) = &bound {
        skip(&format!("icmp: ::1 cannot be pinged: {error}"));
    }
    bound.is_ok()
}

#[test]
fn a_host_that_answers_is_healthy() {
    if !may_ping() {
        return;
    }
    run(async {
        for host in ["127.0.0.1", "localhost", "here.test"] {
            let said = check("icmp", &format!("icmp://{host}"), "{}").await;
            assert_eq!(said, "healthy", "{host}");
        }
        let trial = Trial::new("icmp", r#"{"packets": 3}"#);
        let run = trial.check("icmp://127.0.0.1").await.unwrap();
        assert_eq!(
            names(&run),
            [
                "loss ratio",
                "round-trip-least seconds",
                "round-trip-most seconds",
                "answering addresses"
            ]
        );
        assert!(value(&run, "loss").abs() < f64::EPSILON);
        assert!(value(&run, "round-trip-least") <= value(&run, "round-trip-most"));
    });
}

#[test]
fn every_address_of_a_host_is_pinged() {
    if !may_ping() || !has_ipv6() {
        return;
    }
    run(async {
        assert_eq!(check("icmp", "icmp://[::1]", "{}").await, "healthy");
        let run = Trial::new("icmp", "{}")
            .check("icmp://localhost")
            .await
            .unwrap();
        assert!((value(&run, "answering") - 2.0).abs() < f64::EPSILON);
    });
}

#[test]
fn which_addresses_count_is_said_by_family_and_mode() {
    if !may_ping() || !has_ipv6() {
        return;
    }
    run(async {
        for (config, addresses) in [
            (r#"{"family": "ipv4"}"#, 1.0),
            (r#"{"family": "ipv6"}"#, 1.0),
            (r#"{"addresses": "first"}"#, 1.0),
            (r#"{"addresses": "any"}"#, 2.0),
        ] {
            let run = Trial::new("icmp", config)
                .check("icmp://localhost")
                .await
                .unwrap();
            assert_eq!(plugin_tests::of_check(&run.outcome), "healthy", "{config}");
            let answering = value(&run, "answering");
            assert!((answering - addresses).abs() < f64::EPSILON, "{config}");
        }
        for (target, config, expected) in [
            (
                "icmp://127.0.0.1",
                r#"{"family": "ipv6"}"#,
                "dead: the host has no IPv6 address",
            ),
            (
                "icmp://[::1]",
                r#"{"family": "ipv4"}"#,
                "dead: the host has no IPv4 address",
            ),
            (
                "icmp://127.0.0.1",
                r#"{"addresses": "most"}"#,
                "refused: config.addresses",
            ),
        ] {
            let said = check("icmp", target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
    });
}

#[test]
fn lost_answers_are_told_with_the_time_that_was_asked_for() {
    if !may_ping() {
        return;
    }
    run(async {
        // No time at all: not even this machine answers in it.
        let config = r#"{"packets": 2, "wait": "0s"}"#;
        let said = check("icmp", "icmp://127.0.0.1", config).await;
        assert_eq!(said, "dead: no answer in 0 ms");
    });
}

#[test]
fn slow_answers_are_judged() {
    if !may_ping() {
        return;
    }
    run(async {
        for (config, expected) in [
            (
                r#"{"round_trip": {"sick_above": "0s"}}"#,
                "sick: answered after ",
            ),
            (
                r#"{"round_trip": {"dead_above": "0s"}}"#,
                "dead: answered after ",
            ),
            (r#"{"round_trip": {"dead_above": "1m"}}"#, "healthy"),
            (r#"{"packets": 0}"#, "refused: config.packets"),
        ] {
            let said = check("icmp", "icmp://127.0.0.1", config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
    });
}

#[test]
fn what_cannot_be_pinged_is_told_apart() {
    run(async {
        for (target, expected) in [
            ("icmp://gone.test", "dead: no such host: gone.test"),
            (
                "icmp://127.0.0.1:80",
                "misconfigured: target icmp://127.0.0.1:80: ICMP has no ports",
            ),
            ("icmp:", "misconfigured: target icmp:: no host"),
        ] {
            assert_eq!(check("icmp", target, "{}").await, expected);
        }
        let said = Trial::new("icmp", "{}")
            .ungranted()
            .check_in_words("icmp://127.0.0.1")
            .await;
        assert_eq!(
            said,
            "undecided: not granted: 127.0.0.1; add allow = [\"127.0.0.1:*\"] under [plugins.icmp]"
        );
    });
}
