//! Healths in, health out.
//!
//! Each rule says how many parts must be at least as bad as a health for the
//! whole to be so. Such a rule is monotone whatever the numbers are.

use super::{Combine, PageHealth, Weight};
use crate::health::Health;

/// The health of a monitor whose targets have the given healths; unknown if it
/// has none.
pub fn combine(mode: Combine, healths: impl IntoIterator<Item = Health>) -> Health {
    let mut at_least = [0_usize; Health::ALL.len()];
    for health in healths {
        for (count, level) in at_least.iter_mut().zip(Health::ALL) {
            *count += usize::from(health >= level);
        }
    }
    // Every health is at least healthy, so the first count is that of all.
    let [total, ..] = at_least;
    if total == 0 {
        return Health::Unknown;
    }
    Health::ALL
        .into_iter()
        .zip(at_least)
        .rfind(|(level, count)| *count >= mode.needed(*level, total))
        .map_or(Health::Healthy, |(level, _)| level)
}

/// The health of a service whose monitors have the given healths and weights:
/// that of the worst monitor, where a minor one is at most sick. Unknown if it
/// has none.
pub fn service(monitors: impl IntoIterator<Item = (Health, Weight)>) -> Health {
    monitors
        .into_iter()
        .map(|(health, weight)| match weight {
            Weight::Critical => health,
            Weight::Minor => health.min(Health::Sick),
        })
        .max()
        .unwrap_or_default()
}

/// How the page is if its services have the given healths.
pub fn page(services: impl IntoIterator<Item = Health>) -> PageHealth {
    let mut total = 0_usize;
    let mut dead = 0_usize;
    let mut worst = None;
    for health in services {
        total += 1;
        dead += usize::from(health == Health::Dead);
        worst = worst.max(Some(health));
    }
    PageHealth {
        worst: worst.unwrap_or_default(),
        partial: dead > 0 && dead < total,
    }
}

impl Combine {
    /// How many of `total` targets must be at least as bad as `level` for the
    /// monitor to be; at least one and at most `total`.
    pub(super) fn needed(self, level: Health, total: usize) -> usize {
        let needed = match (self, level) {
            (Self::Worst, _) => 1,
            (Self::Best, _) => total,
            (Self::Quorum { dead, .. }, Health::Dead) => saturating(dead),
            // Where so many are unknown that they could make it sick or dead, it
            // is not called healthy; that needs no more than to be sick does.
            (Self::Quorum { sick, dead }, _) => saturating(sick.min(dead)),
        };
        needed.min(total).max(1)
    }
}

fn saturating(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
