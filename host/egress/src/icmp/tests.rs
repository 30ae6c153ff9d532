use std::fs;
use std::sync::Arc;

use super::*;
use crate::gate::Budget;
use crate::gate::tests::gate_for;

/// Whether this process may open raw sockets (bit 13 of the capabilities) or the
/// kernel lets its group ping.
fn may_ping() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let capabilities = u64::from_str_radix(&field("CapEff:")[0], 16).unwrap();
    let group: u64 = field("Gid:")[1].parse().unwrap();
    let range: Vec<u64> = fs::read_to_string("/proc/sys/net/ipv4/ping_group_range")
        .unwrap_or_default()
        .split_whitespace()
        .map(|figure| figure.parse().unwrap())
        .collect();
    capabilities & (1 << 13) != 0
        || matches!(range[..], [low, high] if (low..=high).contains(&group))
}

#[tokio::test]
async fn loopback_answers_where_the_machine_permits() {
    let gate = gate_for(&["icmp://127.0.0.1"]);
    let result = ping(&gate, "127.0.0.1", Duration::from_secs(5)).await;
    if may_ping() {
        let echoes = result.unwrap();
        let [echo] = echoes.as_slice() else {
            panic!("{echoes:?}");
        };
        assert_eq!(echo.address, IpAddr::from([127, 0, 0, 1]));
        assert!(matches!(echo.outcome, Outcome::Answered(_)), "{echo:?}");
    } else {
        let why = result.unwrap_err().to_string();
        assert!(
            why.contains("net.ipv4.ping_group_range does not include group"),
            "{why}"
        );
        assert!(why.ends_with("and CAP_NET_RAW is missing"), "{why}");
    }
}

#[test]
fn whether_it_could_ping_is_known_without_a_runtime() {
    assert_eq!(availability().is_ok(), may_ping());
}

#[tokio::test]
async fn an_address_without_an_answer_is_told() {
    if !may_ping() {
        return;
    }
    // No time at all: not even this machine answers in it.
    let gate = gate_for(&["icmp://127.0.0.1"]);
    let echoes = ping(&gate, "127.0.0.1", Duration::ZERO).await.unwrap();
    let expected = Echo {
        address: IpAddr::from([127, 0, 0, 1]),
        outcome: Outcome::TimedOut,
    };
    assert_eq!(echoes, [expected]);
}

#[tokio::test]
async fn ipv6_answers_where_there_is_any() {
    let gate = gate_for(&["icmp://[::1]"]);
    let result = ping(&gate, "::1", Duration::from_secs(5)).await;
    let has_ipv6 = std::net::UdpSocket::bind("[::1]:0").is_ok();
    match (has_ipv6, may_ping()) {
        (true, true) => assert_eq!(result.unwrap()[0].address, "::1".parse::<IpAddr>().unwrap()),
        (true, false) => assert!(matches!(result, Err(IcmpError::NotPermitted(_)))),
        (false, true) => assert!(matches!(result.unwrap()[0].outcome, Outcome::Unroutable(_))),
        (false, false) => assert!(!matches!(
            result.as_deref(),
            Ok([Echo {
                outcome: Outcome::Answered(_),
                ..
            }])
        )),
    }
}

#[tokio::test]
async fn only_granted_hosts_are_pinged() {
    let gate = gate_for(&["icmp://127.0.0.1"]);
    let error = ping(&gate, "127.0.0.2", Duration::from_secs(5))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "not granted: 127.0.0.2");
    let error = ping(&gate, "169.254.169.254", Duration::from_secs(5))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "not granted: 169.254.169.254");
}

#[tokio::test]
async fn pings_count_as_connections() {
    let gate = crate::gate::tests::gate_with(
        &["icmp://127.0.0.1"],
        Budget {
            connections: 0,
            ..Budget::default()
        },
    );
    let error = ping(&gate, "127.0.0.1", Duration::from_secs(5))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "limit reached: 0 connections");
    assert_eq!(Arc::clone(&gate).limit_hit(), Some(Limit::Connections(0)));
}

#[test]
fn the_remedy_names_the_group() {
    let why = socket::remedy();
    assert!(
        why.starts_with("net.ipv4.ping_group_range does not include group "),
        "{why}"
    );
}
