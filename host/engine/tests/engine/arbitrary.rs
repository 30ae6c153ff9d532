//! Rules and stories at random.

use std::time::Duration;

use proptest::prelude::*;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::reading::{Fault, Outcome, Reading};
use watchkeeper_engine::target::{Confirm, Flap, Input, TargetRules};
use watchkeeper_engine::time::Timestamp;

fn verdict() -> impl Strategy<Value = Verdict> {
    // Healthy more often: rows of one verdict and changes are both wanted.
    prop_oneof![
        3 => Just(Verdict::Healthy),
        1 => Just(Verdict::Sick),
        3 => Just(Verdict::Dead),
    ]
}

pub(crate) fn health() -> impl Strategy<Value = Health> {
    prop::sample::select(Health::ALL.to_vec())
}

pub(crate) fn input() -> impl Strategy<Value = Input> {
    let latency = prop::option::of((0_u64..5_000).prop_map(Duration::from_millis));
    prop_oneof![
        12 => (verdict(), latency).prop_map(|(verdict, latency)| Input::Reading(Reading {
            at: Timestamp::default(),
            outcome: Outcome::Judged { verdict, reason: Some("why".into()) },
            latency,
        })),
        1 => prop::sample::select(Fault::ALL.to_vec()).prop_map(|fault| Input::Reading(Reading {
            at: Timestamp::default(),
            outcome: Outcome::NoVerdict { fault, reason: "why not".into() },
            latency: None,
        })),
        2 => Just(Input::Tick),
        1 => Just(Input::Lost),
        1 => Just(Input::Missing { reason: "gone".into() }),
        1 => Just(Input::Paused { reason: "paused".into() }),
    ]
}

pub(crate) fn rules() -> impl Strategy<Value = TargetRules> {
    let limit = || prop::option::weighted(0.3, (0_u64..5_000).prop_map(Duration::from_millis));
    let seconds = |range| proptest::strategy::Strategy::prop_map(range, Duration::from_secs);
    let flap =
        (0_u32..6, seconds(0_u64..300)).prop_map(|(changes, window)| Flap { changes, window });
    (
        (limit(), limit(), seconds(0_u64..120)),
        (0_u32..4, 0_u32..4, 0_u32..4),
        any::<bool>(),
        prop::option::of(flap),
    )
        .prop_map(
            |((sick_above, dead_above, stale_after), (sick, dead, healthy), degrade, flap)| {
                TargetRules {
                    sick_above,
                    dead_above,
                    stale_after,
                    confirm: Confirm {
                        sick,
                        dead,
                        healthy,
                    },
                    degrade,
                    flap,
                }
            },
        )
}

/// Inputs with the seconds that pass before each.
pub(crate) fn story() -> impl Strategy<Value = Vec<(u64, Input)>> {
    prop::collection::vec((0_u64..40, input()), 1..80)
}

/// A clock that mostly goes on, sometimes back, and now and then nowhere near.
pub(crate) fn wild_clock() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (0_i64..2_000_000).prop_map(Timestamp::from_millis),
        1 => any::<i64>().prop_map(Timestamp::from_millis),
        1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0, -1]).prop_map(Timestamp::from_millis),
    ]
}

/// Puts the times in, as a caller whose readings end when they are given.
pub(crate) fn timed(story: &[(u64, Input)]) -> Vec<(Timestamp, Input)> {
    let mut now = Timestamp::from_millis(1_000_000);
    story
        .iter()
        .map(|(seconds, input)| {
            now = now + Duration::from_secs(*seconds);
            (now, stamped(input, now))
        })
        .collect()
}

pub(crate) fn stamped(input: &Input, at: Timestamp) -> Input {
    match input {
        Input::Reading(reading) => Input::Reading(Reading {
            at,
            ..reading.clone()
        }),
        other => other.clone(),
    }
}
