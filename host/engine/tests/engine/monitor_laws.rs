//! What holds for every monitor, service and page, and for everyone who is told.

use std::time::Duration;

use proptest::prelude::*;
use watchkeeper_engine::change::{Cause, Event};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::{
    Combine, MonitorState, TargetView, Trigger, Weight, combine, page, service, step_monitor,
};
use watchkeeper_engine::target::{TargetState, step};
use watchkeeper_engine::telling::{Interest, Occasion, Told, tell};
use watchkeeper_engine::time::Timestamp;

use super::arbitrary::{health, input, rules, stamped};

fn any_combine() -> impl Strategy<Value = Combine> {
    prop_oneof![
        Just(Combine::Worst),
        Just(Combine::Best),
        (0_u32..6, 0_u32..6).prop_map(|(sick, dead)| Combine::Quorum { sick, dead }),
    ]
}

/// Healths, and the same ones with some of them worse.
fn healths_and_worse() -> impl Strategy<Value = Vec<(Health, Health)>> {
    prop::collection::vec(
        (health(), health()).prop_map(|(one, other)| (one, one.max(other))),
        0..7,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_worse_part_never_makes_a_better_whole(
        mode in any_combine(),
        parts in healths_and_worse(),
        minor in any::<u8>(),
    ) {
        let (before, after): (Vec<Health>, Vec<Health>) = parts.into_iter().unzip();
        prop_assert!(combine(mode, before.clone()) <= combine(mode, after.clone()));
        prop_assert!(page(before.clone()).worst <= page(after.clone()).worst);
        let weigh = |healths: Vec<Health>| {
            service(healths.into_iter().enumerate().map(|(index, health)| {
                (health, if minor >> index & 1 == 1 { Weight::Minor } else { Weight::Critical })
            }))
        };
        prop_assert!(weigh(before) <= weigh(after));
    }

    #[test]
    fn called_healthy_only_if_what_is_unknown_could_be_dead(
        mode in any_combine(),
        parts in prop::collection::vec(health(), 1..7),
    ) {
        let feared = parts.iter().map(|it| if *it == Health::Unknown { Health::Dead } else { *it });
        let feared = combine(mode, feared);
        prop_assert_eq!(combine(mode, parts) == Health::Healthy, feared == Health::Healthy);
    }
}

fn interest() -> impl Strategy<Value = Interest> {
    any::<[bool; 4]>().prop_map(|[dead, sick, recovered, unknown]| Interest {
        dead,
        sick,
        recovered,
        unknown,
    })
}

/// What a route has heard, checked against what it may hear.
#[derive(Default)]
struct Listener {
    /// The worst health heard since the last end of an outage.
    heard: Option<Health>,
}

impl Listener {
    fn hears(
        &mut self,
        event: &Event,
        occasion: Option<&Occasion>,
        interest: Interest,
    ) -> Result<(), TestCaseError> {
        match occasion {
            Some(Occasion::Outage { health, .. }) => {
                prop_assert!(interest.includes(*health), "nobody asked for {health}");
                prop_assert!(
                    self.heard < Some(*health),
                    "{health} after {:?}",
                    self.heard
                );
                self.heard = Some(*health);
            }
            Some(Occasion::Flapping { health, .. }) => {
                prop_assert!(self.heard.is_some() || interest.includes(*health));
                if interest.includes(*health) {
                    self.heard = self.heard.max(Some(*health));
                }
            }
            Some(Occasion::Recovered {
                from,
                since,
                at,
                lasted,
            }) => {
                prop_assert!(interest.recovered);
                prop_assert_eq!(self.heard, Some(*from), "the end of what was never told");
                prop_assert_eq!(at.since(*since), *lasted);
            }
            Some(other) => prop_assert!(false, "no event says {other:?}"),
            None => {}
        }
        if let Event::Changed(change) = event {
            if change.to == Health::Healthy {
                let ended = matches!(occasion, Some(Occasion::Recovered { .. }));
                prop_assert_eq!(ended, self.heard.is_some() && interest.recovered);
                self.heard = None;
            } else if interest.includes(change.to) {
                prop_assert!(self.heard >= Some(change.to), "{} was not told", change.to);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// From readings of two targets to notices, by way of everything between.
    #[test]
    fn no_two_deaths_without_a_recovery_and_no_recovery_without_an_outage(
        rules in rules(),
        mode in any_combine(),
        interest in interest(),
        story in prop::collection::vec((0_u64..40, any::<bool>(), input()), 1..80),
    ) {
        let monitor = MonitorId::parse("api/health").unwrap();
        let ids = ["a", "b"].map(|address| TargetId::new(monitor.clone(), address));
        let mut states = [TargetState::default(), TargetState::default()];
        let mut state = MonitorState::default();
        let mut told = Told::default();
        let mut listener = Listener::default();
        let mut flapping = false;
        let mut now = Timestamp::from_millis(1_000_000);
        for (seconds, second, input) in story {
            now = now + Duration::from_secs(seconds);
            let target = &mut states[usize::from(second)];
            *target = step(target, &stamped(&input, now), &rules, now).state;
            let views: Vec<TargetView<'_>> =
                ids.iter().zip(&states).map(|(id, state)| TargetView { id, state }).collect();
            let stepped = step_monitor(&state, mode, &views, Trigger::Targets, now);
            let mut health = state.standing.health;
            for event in &stepped.events {
                match event {
                    Event::Changed(change) => {
                        prop_assert_eq!(change.from, health);
                        prop_assert_ne!(change.from, change.to);
                        prop_assert_ne!(change.cause, Cause::Reconfigured);
                        prop_assert!(change.since <= now);
                        prop_assert!(state.standing.since.is_none_or(|since| since <= change.since));
                        health = change.to;
                    }
                    Event::FlappingStarted { .. } => {
                        prop_assert!(!flapping);
                        flapping = true;
                    }
                    Event::FlappingEnded { .. } => {
                        prop_assert!(flapping);
                        flapping = false;
                    }
                }
                let (next, occasion) = tell(&told, event, &interest);
                listener.hears(event, occasion.as_ref(), interest)?;
                prop_assert_eq!(next.outage.as_ref().map(|outage| outage.health), listener.heard);
                told = next;
            }
            prop_assert_eq!(stepped.state.standing.health, health);
            state = stepped.state;
        }
    }
}
