//! How long a service had which health, from what its monitors had.
//!
//! Only monitors are accounted for. Two that were dead for ten minutes each may
//! have been so together or one after the other: the moments of their changes
//! tell, and what was accounted bounds that from both sides.

use super::outages::{Stretch, outages, union_millis};
use super::{SickCounts, Window, down_ms, judged_ms};
use crate::health::Health;
use crate::monitor::Weight;
use crate::uptime::HealthSums;

/// What one monitor brings to its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOfService {
    /// What it means to the service.
    pub weight: Weight,
    /// How long it had which health in the window.
    pub time: HealthSums,
    /// When it was not well.
    pub stretches: Vec<Stretch>,
}

/// How long the service had which health in what has passed of `window`, and when
/// it was not well. A minor monitor that is dead makes it sick.
///
/// The service was judged for as long as the one of its critical monitors that
/// was judged longest, all of its monitors where none is critical; likewise
/// maintenance and what is unknown, as far as there is time left for them.
pub fn of_service(parts: &[PartOfService], window: Window) -> (HealthSums, Vec<Stretch>) {
    let parts: Vec<PartOfService> = parts.iter().map(as_it_counts).collect();
    let has_critical = parts.iter().any(|part| part.weight == Weight::Critical);
    let leading: Vec<&HealthSums> = parts
        .iter()
        .filter(|part| !has_critical || part.weight == Weight::Critical)
        .map(|part| &part.time)
        .collect();
    let longest = |pick: fn(&HealthSums) -> u64| {
        let each = leading.iter().map(|time| pick(time));
        each.max().unwrap_or(0)
    };
    let judged = longest(judged_ms);
    let all: Vec<Stretch> = parts
        .iter()
        .flat_map(|part| part.stretches.iter().copied())
        .collect();
    let down = |sick: SickCounts| {
        let accounted = || parts.iter().map(|part| down_ms(&part.time, sick));
        let most = accounted().fold(0, u64::saturating_add).min(judged);
        let least = accounted().max().unwrap_or(0).min(most);
        union_millis(&outages(all.iter().copied(), sick), window).clamp(least, most)
    };
    let dead_ms = down(SickCounts::Up);
    let bad_ms = down(SickCounts::Down).max(dead_ms);
    let room = window.elapsed_ms().saturating_sub(judged);
    let maintenance_ms = longest(|time| time.maintenance_ms).min(room);
    let time = HealthSums {
        healthy_ms: judged - bad_ms,
        sick_ms: bad_ms - dead_ms,
        dead_ms,
        unknown_ms: longest(|time| time.unknown_ms).min(room - maintenance_ms),
        maintenance_ms,
    };
    (time, all)
}

/// The part as its service sees it.
fn as_it_counts(part: &PartOfService) -> PartOfService {
    let mut part = part.clone();
    if part.weight == Weight::Minor {
        part.time.sick_ms = part.time.sick_ms.saturating_add(part.time.dead_ms);
        part.time.dead_ms = 0;
        for stretch in &mut part.stretches {
            stretch.health = Health::Sick;
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;

    const LENGTH: u64 = 1_000;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(i64::try_from(millis).unwrap())
    }

    fn window() -> Window {
        Window {
            from: at(0),
            to: at(LENGTH),
            now: at(LENGTH),
        }
    }

    /// A monitor that was dead in these spans and judged all the time.
    fn part(weight: Weight, dead: &[(u64, u64)]) -> PartOfService {
        let dead_ms = dead.iter().map(|(from, to)| to - from).sum();
        PartOfService {
            weight,
            time: HealthSums {
                healthy_ms: LENGTH - dead_ms,
                dead_ms,
                ..HealthSums::default()
            },
            stretches: dead
                .iter()
                .map(|(from, to)| Stretch {
                    from: at(*from),
                    to: Some(at(*to)),
                    health: Health::Dead,
                })
                .collect(),
        }
    }

    fn dead_and_sick(parts: &[PartOfService]) -> (u64, u64) {
        let (time, _) = of_service(parts, window());
        assert_eq!(judged_ms(&time), LENGTH);
        (time.dead_ms, time.sick_ms)
    }

    #[test]
    fn what_overlaps_counts_once() {
        let critical = |dead: &[(u64, u64)]| part(Weight::Critical, dead);
        let minor = |dead: &[(u64, u64)]| part(Weight::Minor, dead);
        assert_eq!(
            dead_and_sick(&[critical(&[(0, 100)]), critical(&[(50, 150)])]),
            (150, 0)
        );
        assert_eq!(
            dead_and_sick(&[critical(&[(0, 100)]), critical(&[(200, 300)])]),
            (200, 0)
        );
        assert_eq!(
            dead_and_sick(&[critical(&[(0, 100)]), minor(&[(50, 150)])]),
            (100, 50)
        );
        assert_eq!(dead_and_sick(&[minor(&[(50, 150)])]), (0, 100));
    }

    #[test]
    fn what_was_accounted_bounds_what_the_changes_say() {
        // An outage of which only the accounts know, and one that they do not.
        let mut known = part(Weight::Critical, &[(0, 100)]);
        known.stretches.clear();
        let (time, _) = of_service(&[known], window());
        assert_eq!(time.dead_ms, 100);
        let mut unknown = part(Weight::Critical, &[(0, 100)]);
        unknown.time = HealthSums {
            healthy_ms: LENGTH,
            ..HealthSums::default()
        };
        let (time, _) = of_service(&[unknown], window());
        assert_eq!(time.dead_ms, 0);
    }

    #[test]
    fn a_service_without_monitors_has_no_time() {
        assert_eq!(of_service(&[], window()).0, HealthSums::default());
    }

    fn sums() -> impl Strategy<Value = HealthSums> {
        (0..200_u64, 0..200_u64, 0..200_u64, 0..200_u64, 0..200_u64).prop_map(
            |(healthy_ms, sick_ms, dead_ms, unknown_ms, maintenance_ms)| HealthSums {
                healthy_ms,
                sick_ms,
                dead_ms,
                unknown_ms,
                maintenance_ms,
            },
        )
    }

    proptest! {
        /// Whatever was accounted and told: the times add up to no more than has
        /// passed, and the service is down at least as long as any critical
        /// monitor that was judged as long as it.
        #[test]
        fn times_stay_in_bounds(
            times in prop::collection::vec((sums(), any::<bool>()), 1..5),
            spans in prop::collection::vec((0..LENGTH, 0..300_u64), 0..5),
        ) {
            let stretches: Vec<Stretch> = spans
                .iter()
                .map(|(from, length)| Stretch {
                    from: at(*from),
                    to: Some(at(from + length)),
                    health: Health::Dead,
                })
                .collect();
            let parts: Vec<PartOfService> = times
                .iter()
                .map(|(time, critical)| PartOfService {
                    weight: if *critical { Weight::Critical } else { Weight::Minor },
                    time: *time,
                    stretches: stretches.clone(),
                })
                .collect();
            let (time, _) = of_service(&parts, window());
            let whole = judged_ms(&time) + time.unknown_ms + time.maintenance_ms;
            prop_assert!(whole <= LENGTH);
            for (part, critical) in &times {
                if *critical {
                    prop_assert!(time.dead_ms >= part.dead_ms.min(judged_ms(&time)));
                    prop_assert!(judged_ms(&time) >= judged_ms(part));
                }
            }
        }
    }
}
