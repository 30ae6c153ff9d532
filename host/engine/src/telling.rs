//! Whether people are told of a change.
//!
//! What has been told is remembered for each route and monitor. Within one
//! outage, a route is told once of each health that is worse than all it was
//! told before, and of the end only if it was told of a beginning. So there are
//! never two notices of a death without a recovery between them, and neither an
//! improvement from dead to sick nor a loss of sight ends an outage.

use std::sync::Arc;
use std::time::Duration;

use crate::change::{Change, Event};
use crate::health::Health;
use crate::time::Timestamp;

/// What a route wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent wishes of an operator"
)]
pub struct Interest {
    /// That a monitor is dead.
    pub dead: bool,
    /// That a monitor is sick.
    pub sick: bool,
    /// That an outage it was told of is over.
    pub recovered: bool,
    /// That nothing is known of a monitor any longer.
    pub unknown: bool,
}

/// What one route has been told of one monitor. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The outage it was told of and not yet of its end.
    pub outage: Option<ToldOutage>,
}

/// An outage of which a route was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldOutage {
    /// The worst health it was told; never healthy.
    pub health: Health,
    /// When the health it was told of first began.
    pub since: Timestamp,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// An outage has begun or has become worse.
    Outage {
        /// What it is now; never healthy.
        health: Health,
        /// Since when it is that.
        since: Timestamp,
        /// Why, for people.
        reason: Option<Arc<str>>,
    },
    /// It changes too often; nothing more is told until it is steady, unless it
    /// becomes worse.
    Flapping {
        /// At which health it is held.
        health: Health,
        /// Since when it counts as changing too often.
        since: Timestamp,
        /// Why it has that health, for people.
        reason: Option<Arc<str>>,
    },
    /// An outage that was told is over.
    Recovered {
        /// The worst health that was told.
        from: Health,
        /// When the outage began.
        since: Timestamp,
        /// When it ended.
        at: Timestamp,
        /// How long it lasted.
        lasted: Duration,
    },
}

impl Default for Interest {
    /// Deaths and recoveries.
    fn default() -> Self {
        Self {
            dead: true,
            sick: false,
            recovered: true,
            unknown: false,
        }
    }
}

impl Interest {
    /// No interest at all: an outage ends silently.
    pub const NONE: Self = Self {
        dead: false,
        sick: false,
        recovered: false,
        unknown: false,
    };

    /// Whether it wants to hear that a monitor has become `health`.
    pub const fn includes(&self, health: Health) -> bool {
        match health {
            Health::Healthy => self.recovered,
            Health::Unknown => self.unknown,
            Health::Sick => self.sick,
            Health::Dead => self.dead,
        }
    }
}

/// Decides whether a route that has been `told` so much hears of `event`, an
/// event of the monitor. Returns what it has been told afterwards, which is to be
/// kept together with the notice.
///
/// Only the health to which a change leads counts, not the one from which it
/// comes: a change that was held back (for maintenance, for a dead parent) can be
/// told later by giving it again, and a change that is never given is one that
/// the route never hears of, so neither does it hear of its end.
pub fn tell(told: &Told, event: &Event, interest: &Interest) -> (Told, Option<Occasion>) {
    match event {
        Event::Changed(change) if change.to == Health::Healthy => {
            let occasion = told.outage.as_ref().filter(|_| interest.recovered);
            (
                Told::default(),
                occasion.map(|outage| recovered(outage, change)),
            )
        }
        Event::Changed(change) => {
            let known = told
                .outage
                .as_ref()
                .map_or(Health::Healthy, |outage| outage.health);
            if change.to <= known || !interest.includes(change.to) {
                return (told.clone(), None);
            }
            let occasion = Occasion::Outage {
                health: change.to,
                since: change.since,
                reason: change.reason.clone(),
            };
            (told.worsened(change.to, change.since), Some(occasion))
        }
        Event::FlappingStarted { at, health, reason } => {
            // Whoever was told that it is down must learn why no word follows.
            let told_down = told
                .outage
                .as_ref()
                .is_some_and(|outage| interest.includes(outage.health));
            let of_interest = *health != Health::Healthy && interest.includes(*health);
            if !told_down && !of_interest {
                return (told.clone(), None);
            }
            let occasion = Occasion::Flapping {
                health: *health,
                since: *at,
                reason: reason.clone(),
            };
            let told = if of_interest {
                told.worsened(*health, *at)
            } else {
                told.clone()
            };
            (told, Some(occasion))
        }
        Event::FlappingEnded { .. } => (told.clone(), None),
    }
}

impl Told {
    fn worsened(&self, health: Health, since: Timestamp) -> Self {
        let outage = match &self.outage {
            Some(outage) => ToldOutage {
                health: outage.health.max(health),
                since: outage.since,
            },
            None => ToldOutage { health, since },
        };
        Self {
            outage: Some(outage),
        }
    }
}

fn recovered(outage: &ToldOutage, change: &Change) -> Occasion {
    Occasion::Recovered {
        from: outage.health,
        since: outage.since,
        at: change.since,
        lasted: change.since.since(outage.since),
    }
}
