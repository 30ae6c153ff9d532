//! Whether the host itself still has a network.
//!
//! A host without a network finds every target dead. The canaries are checks of
//! addresses that practically never fail all at once; when they do, it is the
//! host that is cut off.

use std::time::Duration;

use crate::health::Verdict;
use crate::time::Timestamp;

/// Whether the host has a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OwnNetwork {
    /// It has, or nothing speaks against it.
    #[default]
    Fine,
    /// It has not: what checks find says nothing about their targets.
    Lost,
}

/// What is remembered of the host's network. The default is one that is fine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkState {
    /// What it is.
    pub network: OwnNetwork,
    /// Since when; `None` if it was never lost.
    pub since: Option<Timestamp>,
}

/// What happened to the host's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkEvent {
    /// It was lost at this time. Nothing can be sent now.
    LostAt(Timestamp),
    /// It is back. One notice tells of both ends.
    BackAt {
        /// When it was lost.
        lost_at: Timestamp,
        /// When it came back.
        at: Timestamp,
        /// How long it was lost.
        lasted: Duration,
    },
}

/// What the latest verdicts of the canaries say; `None` for a canary that has
/// none yet. Lost only if there is a canary and each of them is dead: without
/// canaries, or before all of them have been heard, nothing is concluded.
pub fn own_network(canaries: &[Option<Verdict>]) -> OwnNetwork {
    if !canaries.is_empty()
        && canaries
            .iter()
            .all(|verdict| *verdict == Some(Verdict::Dead))
    {
        OwnNetwork::Lost
    } else {
        OwnNetwork::Fine
    }
}

/// Takes note of what the canaries say at `now`. The event comes once for each
/// loss and once for each return.
pub fn step_network(
    state: &NetworkState,
    canaries: &[Option<Verdict>],
    now: Timestamp,
) -> (NetworkState, Option<NetworkEvent>) {
    let network = own_network(canaries);
    if network == state.network {
        return (state.clone(), None);
    }
    let event = match network {
        OwnNetwork::Lost => NetworkEvent::LostAt(now),
        OwnNetwork::Fine => {
            let lost_at = state.since.unwrap_or(now);
            NetworkEvent::BackAt {
                lost_at,
                at: now,
                lasted: now.since(lost_at),
            }
        }
    };
    (
        NetworkState {
            network,
            since: Some(now),
        },
        Some(event),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line of `given` is the canaries' verdicts, one second after the line
    /// before: `-` none, `h`, `s`, `d`.
    fn check(given: &str, expected: &str) {
        let mut state = NetworkState::default();
        let mut seen = Vec::new();
        for (second, line) in given.split(',').enumerate() {
            let canaries: Vec<_> = line
                .split_whitespace()
                .map(|word| match word {
                    "h" => Some(Verdict::Healthy),
                    "s" => Some(Verdict::Sick),
                    "d" => Some(Verdict::Dead),
                    _ => None,
                })
                .collect();
            let now = Timestamp::from_millis(i64::try_from(second).unwrap() * 1000);
            let (next, event) = step_network(&state, &canaries, now);
            match event {
                Some(NetworkEvent::LostAt(at)) => seen.push(format!("lost at {}", at.as_secs())),
                Some(NetworkEvent::BackAt {
                    lost_at,
                    at,
                    lasted,
                }) => seen.push(format!(
                    "back at {}, lost at {}, for {} s",
                    at.as_secs(),
                    lost_at.as_secs(),
                    lasted.as_secs()
                )),
                None => {}
            }
            state = next;
        }
        assert_eq!(seen.join("; "), expected, "for {given:?}");
    }

    #[test]
    fn lost_when_every_canary_is_dead() {
        check(
            "d d, d d, d d, h d, h h",
            "lost at 0; back at 3, lost at 0, for 3 s",
        );
        check("h d, d d, s d", "lost at 1; back at 2, lost at 1, for 1 s");
    }

    #[test]
    fn nothing_is_concluded_without_canaries_or_before_all_were_heard() {
        check(", ,", "");
        check("- -, - d, d d", "lost at 2");
        check("d", "lost at 0");
    }
}
