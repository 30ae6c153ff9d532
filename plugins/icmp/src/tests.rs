//! The whole judgement, from a configuration and what came of the pings to a
//! reading.

use std::time::Duration;

use watchkeeper_sdk::icmp::{Outcome, Reply};

use super::*;

/// `5` answered after 5 ms, `-` did not answer, `!` has no route, `x` failed; the
/// addresses of one ping from 192.0.2.1 or, with `v6:` before it, `2001:db8::1` on.
fn replies(text: &str) -> Vec<Reply> {
    let (family, texts) = match text.strip_prefix("v6:") {
        Some(rest) => ("2001:db8::", rest),
        None => ("192.0.2.", text),
    };
    texts
        .split(',')
        .enumerate()
        .map(|(index, text)| Reply {
            address: format!("{family}{}", index + 1),
            outcome: match text {
                "-" => Outcome::TimedOut,
                "!" => Outcome::Unroutable("network unreachable".to_owned()),
                "x" => Outcome::Failed("host unreachable".to_owned()),
                millis => Outcome::Answered(Duration::from_millis(millis.parse().unwrap())),
            },
        })
        .collect()
}

/// Each of `pings` is what came of one packet, families apart from each other by
/// a space.
fn check(config: &str, pings: &[&str], expected: &str) {
    let config = watchkeeper_sdk::config::parse(config).unwrap();
    let mut found = Pings::new(&config, Duration::from_secs(1));
    let mut stopped = None;
    for ping in pings {
        let replies: Vec<Reply> = ping.split(' ').flat_map(replies).collect();
        stopped = stopped.or(found.take(&replies).err());
    }
    let reading = stopped.map_or_else(|| found.judge(), Reading::dead);
    let found = format!(
        "{:?} {:?} {:?}",
        reading.health,
        reading.reason.unwrap_or_default(),
        reading.latency
    );
    assert_eq!(found, expected);
}

#[test]
fn loss_and_slowness_are_judged() {
    check("{}", &["5"], r#"Health::Healthy "" Some(5ms)"#);
    check("{}", &["-"], r#"Health::Dead "no answer in 1 s" None"#);
    check(
        "{}",
        &["5", "-"],
        r#"Health::Sick "1 of 2 answers lost" Some(5ms)"#,
    );
    check(
        "{}",
        &["5", "-", "-"],
        r#"Health::Dead "2 of 3 answers lost" Some(5ms)"#,
    );
    check(
        r#"{"loss":{"sick_above":0.5,"dead_above":1}}"#,
        &["5", "-"],
        r#"Health::Healthy "" Some(5ms)"#,
    );
    check(
        r#"{"round_trip":{"sick_above":"100ms","dead_above":"1s"}}"#,
        &["5", "150"],
        r#"Health::Sick "answered after 150 ms" Some(150ms)"#,
    );
    check(
        r#"{"round_trip":{"dead_above":"100ms"}}"#,
        &["150", "-"],
        r#"Health::Dead "answered after 150 ms" Some(150ms)"#,
    );
}

#[test]
fn all_addresses_must_answer_unless_said_otherwise() {
    check("{}", &["5,9"], r#"Health::Healthy "" Some(9ms)"#);
    check(
        "{}",
        &["5,-"],
        r#"Health::Dead "192.0.2.2: no answer in 1 s" None"#,
    );
    check(
        "{}",
        &["-,x"],
        r#"Health::Dead "192.0.2.1: no answer in 1 s; 192.0.2.2: host unreachable" None"#,
    );
    check(
        "{}",
        &["5,9", "5,-"],
        r#"Health::Sick "1 of 2 answers lost" Some(9ms)"#,
    );
    let any = r#"{"addresses":"any"}"#;
    check(any, &["5,9"], r#"Health::Healthy "" Some(5ms)"#);
    check(any, &["-,9"], r#"Health::Healthy "" Some(9ms)"#);
    check(
        any,
        &["-,-"],
        r#"Health::Dead "192.0.2.1: no answer in 1 s; 192.0.2.2: no answer in 1 s" None"#,
    );
    let first = r#"{"addresses":"first"}"#;
    check(first, &["5,-"], r#"Health::Healthy "" Some(5ms)"#);
    check(first, &["-,5"], r#"Health::Dead "no answer in 1 s" None"#);
}

#[test]
fn addresses_without_a_route_do_not_count_unless_they_are_all() {
    for config in ["{}", r#"{"addresses":"any"}"#, r#"{"addresses":"first"}"#] {
        check(config, &["v6:! 5"], r#"Health::Healthy "" Some(5ms)"#);
        check(
            config,
            &["v6:!"],
            r#"Health::Dead "network unreachable" None"#,
        );
    }
}

#[test]
fn a_family_leaves_the_other_out() {
    let v4 = r#"{"family":"ipv4"}"#;
    let v6 = r#"{"family":"ipv6"}"#;
    check(v4, &["v6:- 5"], r#"Health::Healthy "" Some(5ms)"#);
    check(v6, &["v6:- 5"], r#"Health::Dead "no answer in 1 s" None"#);
    check(
        v6,
        &["5"],
        r#"Health::Dead "the host has no IPv6 address" None"#,
    );
    check(
        v4,
        &["v6:5"],
        r#"Health::Dead "the host has no IPv4 address" None"#,
    );
    check(
        v6,
        &["v6:! 5"],
        r#"Health::Dead "network unreachable" None"#,
    );
}

#[test]
fn lost_pings_are_a_ratio() {
    let config = Config::default();
    let mut pings = Pings::new(&config, Duration::from_secs(1));
    pings.take(&replies("-")).unwrap();
    let reading = pings.judge();
    let measurement = &reading.measurements[0];
    assert_eq!(
        (measurement.name.as_str(), measurement.unit.as_str()),
        ("loss", "ratio")
    );
    assert!((measurement.value - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_schema_in_the_file_is_the_derived_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
    watchkeeper_sdk::config::assert_schema_file::<Config>(file);
}
