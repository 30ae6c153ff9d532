//! What holds for every story of one target.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use watchkeeper_engine::change::{Cause, Change, Event, Standing};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::reading::Fault;
use watchkeeper_engine::target::{
    FaultSeen, Flapping, Input, Run, Streak, TargetRules, TargetState, next_tick, step,
};
use watchkeeper_engine::telling::{Interest, Occasion, Told, tell};
use watchkeeper_engine::time::Timestamp;

use super::arbitrary::{input, rules, stamped, story, timed, wild_clock};

/// Writes a state down field by field and reads it back, as storage does. A new
/// field breaks this before it is forgotten there.
fn through_storage(state: &TargetState) -> TargetState {
    let standing = |it: &Standing| {
        let Standing {
            health,
            since,
            reason,
            cause,
        } = it;
        let words = (
            health.as_str(),
            since.map(Timestamp::as_millis),
            cause.map(Cause::as_str),
        );
        Standing {
            health: Health::from_word(words.0).unwrap(),
            since: words.1.map(Timestamp::from_millis),
            reason: reason.as_deref().map(Arc::from),
            cause: words.2.map(|word| Cause::from_word(word).unwrap()),
        }
    };
    let TargetState {
        standing: stands,
        streak,
        judged_at,
        fault,
        changes,
        flapping,
    } = state;
    TargetState {
        standing: standing(stands),
        streak: streak.map(
            |Streak {
                 latest,
                 ailing,
                 dead,
             }| {
                let run = |Run { count, since }: Run| Run { count, since };
                Streak {
                    latest,
                    ailing: run(ailing),
                    dead: run(dead),
                }
            },
        ),
        judged_at: *judged_at,
        fault: fault
            .as_ref()
            .map(|FaultSeen { at, fault, reason }| FaultSeen {
                at: *at,
                fault: Fault::from_word(fault.as_str()).unwrap(),
                reason: reason.as_ref().into(),
            }),
        changes: changes.clone(),
        flapping: flapping.as_ref().map(
            |Flapping {
                 since,
                 held,
                 beneath,
             }| Flapping {
                since: *since,
                held: *held,
                beneath: standing(beneath),
            },
        ),
    }
}

/// Whether `input` can be the reason for `change`.
fn justifies(input: &Input, change: &Change, before: &TargetState) -> bool {
    match change.cause {
        Cause::Reading => {
            matches!(input, Input::Reading(it) if it.verdict().is_some())
                && change.to != Health::Unknown
        }
        Cause::Stale => {
            matches!(input, Input::Reading(_) | Input::Tick) && change.to == Health::Unknown
        }
        Cause::NetworkLost => *input == Input::Lost && change.to == Health::Unknown,
        Cause::Missing => matches!(input, Input::Missing { .. }) && change.to == Health::Unknown,
        Cause::Paused => matches!(input, Input::Paused { .. }) && change.to == Health::Unknown,
        Cause::Flapping => change.from == Health::Unknown && before.flapping.is_some(),
        Cause::Steady => before.flapping.is_some(),
        Cause::Reconfigured => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_change_without_a_cause(rules in rules(), story in story()) {
        let mut state = TargetState::default();
        for (now, input) in timed(&story) {
            let stepped = step(&state, &input, &rules, now);
            let mut health = state.standing.health;
            for event in &stepped.events {
                if let Event::Changed(change) = event {
                    prop_assert_eq!(change.from, health, "the chain of changes is broken");
                    prop_assert_ne!(change.from, change.to);
                    prop_assert_eq!(change.at, now);
                    prop_assert!(change.since <= now);
                    prop_assert!(justifies(&input, change, &state), "{change:?} by {input:?}");
                    health = change.to;
                }
            }
            prop_assert_eq!(stepped.state.standing.health, health);
            state = stepped.state;
        }
    }

    #[test]
    fn replay_equals_live(rules in rules(), story in story(), restarts in any::<u64>()) {
        let mut live = TargetState::default();
        let mut replayed = TargetState::default();
        for (index, (now, input)) in timed(&story).into_iter().enumerate() {
            if restarts >> (index % 64) & 1 == 1 {
                replayed = through_storage(&replayed);
            }
            let one = step(&live, &input, &rules, now);
            let other = step(&replayed, &input, &rules, now);
            prop_assert_eq!(&one, &other);
            (live, replayed) = (one.state, other.state);
        }
    }

    #[test]
    fn ticks_matter_when_they_are_due_and_only_then(rules in rules(), story in story()) {
        let mut state = TargetState::default();
        for (now, input) in timed(&story) {
            state = step(&state, &input, &rules, now).state;
            let due = next_tick(&state, &rules);
            let early = due.map_or(now + Duration::from_hours(24), |due| due - Duration::from_millis(1));
            if early >= now {
                let ticked = step(&state, &Input::Tick, &rules, early);
                prop_assert_eq!(&ticked.events, &vec![]);
                prop_assert_eq!(&ticked.state, &state);
            }
            if let Some(due) = due {
                let due = due.max(now);
                let ticked = step(&state, &Input::Tick, &rules, due);
                prop_assert_ne!(&ticked.state, &state);
                prop_assert!(next_tick(&ticked.state, &rules).is_none_or(|next| next > due));
            }
        }
    }

    #[test]
    fn flapping_is_said_once_and_only_gets_worse(rules in rules(), story in story()) {
        let mut state = TargetState::default();
        let mut held = None;
        for (now, input) in timed(&story) {
            let stepped = step(&state, &input, &rules, now);
            for event in &stepped.events {
                match event {
                    Event::FlappingStarted { health, .. } => {
                        prop_assert_eq!(held, None, "said twice");
                        held = Some(*health);
                    }
                    Event::FlappingEnded { .. } => {
                        prop_assert!(held.take().is_some(), "ended before it began");
                    }
                    Event::Changed(change) => if let Some(worst) = held && change.to != Health::Unknown {
                        prop_assert!(change.to >= worst, "{change:?} while held at {worst}");
                        held = Some(change.to);
                    }
                }
            }
            prop_assert_eq!(stepped.state.flapping.is_some(), held.is_some());
            if let (Some(flap), true) = (rules.flap, held.is_some()) {
                let steady = next_tick(&stepped.state, &TargetRules { stale_after: Duration::MAX, ..rules.clone() });
                prop_assert!(steady.is_some_and(|at| at <= now + flap.window));
            }
            state = stepped.state;
        }
    }

    #[test]
    fn no_timestamp_makes_it_panic(
        rules in rules(),
        story in prop::collection::vec((wild_clock(), wild_clock(), input()), 1..40),
    ) {
        let mut state = TargetState::default();
        for (now, read_at, input) in story {
            let stepped = step(&state, &stamped(&input, read_at), &rules, now);
            prop_assert!(stepped.state.changes.len() <= 101);
            // Nothing that was remembered can keep it from getting stale.
            prop_assert!(stepped.state.judged_at.is_none_or(|at| at <= now));
            let _ = next_tick(&stepped.state, &rules);
            state = stepped.state;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A target by itself whose route hears of everything: from the first word of
    /// flapping to the end of it there is no other, unless it gets worse.
    #[test]
    fn one_notice_until_steady(rules in rules(), story in story()) {
        let interest = Interest { dead: true, sick: true, recovered: true, unknown: false };
        let mut state = TargetState::default();
        let mut told = Told::default();
        let mut held = None;
        for (now, input) in timed(&story) {
            let stepped = step(&state, &input, &rules, now);
            for event in &stepped.events {
                let (next, occasion) = tell(&told, event, &interest);
                match (event, occasion) {
                    (Event::FlappingStarted { health, .. }, occasion) => {
                        let said = matches!(occasion, Some(Occasion::Flapping { .. }));
                        prop_assert!(said);
                        held = Some(*health);
                    }
                    (Event::FlappingEnded { .. }, occasion) => {
                        prop_assert_eq!(occasion, None);
                        held = None;
                    }
                    (Event::Changed(_), Some(Occasion::Outage { health, .. })) => {
                        prop_assert!(held < Some(health));
                        held = held.map(|_| health);
                    }
                    (Event::Changed(_), Some(_)) => prop_assert_eq!(held, None),
                    (Event::Changed(_), None) => {}
                }
                told = next;
            }
            state = stepped.state;
        }
    }
}
