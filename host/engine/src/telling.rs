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
    /// When it was first told of it: from here on escalation counts.
    pub first: Timestamp,
    /// When it last heard of it, reminders included: from here on the next
    /// reminder counts.
    pub last: Timestamp,
    /// How many reminders of it there were.
    pub reminders: u32,
    /// How many steps of the escalation were taken.
    pub steps: u32,
    /// When it ended, where that could not be told yet: the route hears nothing
    /// at that time of the week.
    pub ended: Option<Timestamp>,
}

impl ToldOutage {
    /// An outage that is told at `now`.
    pub const fn new(health: Health, since: Timestamp, now: Timestamp) -> Self {
        Self {
            health,
            since,
            first: now,
            last: now,
            reminders: 0,
            steps: 0,
            ended: None,
        }
    }
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
    /// An outage began and ended before there was time to tell of either.
    Passed {
        /// The worst health it had.
        from: Health,
        /// When it began.
        since: Timestamp,
        /// When it ended.
        at: Timestamp,
        /// How long it lasted.
        lasted: Duration,
    },
    /// It is still not healthy.
    Reminder {
        /// What it is now; never healthy.
        health: Health,
        /// When the outage began.
        since: Timestamp,
        /// Why, for people.
        reason: Option<Arc<str>>,
        /// 1 for the first reminder of an outage.
        number: u32,
    },
    /// It has not been healthy for so long that others are told.
    Escalated {
        /// What it is now; never healthy.
        health: Health,
        /// When the outage began.
        since: Timestamp,
        /// Why, for people.
        reason: Option<Arc<str>>,
    },
}

impl Occasion {
    /// The health that the monitor has by it.
    pub const fn health(&self) -> Health {
        match self {
            Self::Outage { health, .. }
            | Self::Flapping { health, .. }
            | Self::Reminder { health, .. }
            | Self::Escalated { health, .. } => *health,
            Self::Recovered { .. } | Self::Passed { .. } => Health::Healthy,
        }
    }

    /// When the outage that it is about began, or its present health did.
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Outage { since, .. }
            | Self::Flapping { since, .. }
            | Self::Reminder { since, .. }
            | Self::Escalated { since, .. }
            | Self::Recovered { since, .. }
            | Self::Passed { since, .. } => *since,
        }
    }
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

    /// Interest in everything: of whoever is told what others decide to tell.
    pub const ALL: Self = Self {
        dead: true,
        sick: true,
        recovered: true,
        unknown: true,
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
                .standing_outage()
                .map_or(Health::Healthy, |outage| outage.health);
            if change.to <= known || !interest.includes(change.to) {
                return (told.clone(), None);
            }
            let occasion = Occasion::Outage {
                health: change.to,
                since: change.since,
                reason: change.reason.clone(),
            };
            let told = told.worsened(change.to, change.since, change.at);
            (told, Some(occasion))
        }
        Event::FlappingStarted { at, health, reason } => {
            // Whoever was told that it is down must learn why no word follows.
            let told_down = told
                .standing_outage()
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
                told.worsened(*health, *at, *at)
            } else {
                told.clone()
            };
            (told, Some(occasion))
        }
        Event::FlappingEnded { .. } => (told.clone(), None),
    }
}

/// Takes note of an event that a route is not told of because it hears nothing at
/// that time of the week. The end of an outage that it was told of is told once it
/// hears again; what begins meanwhile is judged then, by how things stand.
#[must_use]
pub fn sleep_through(told: &Told, event: &Event) -> Told {
    let mut told = told.clone();
    if let Event::Changed(change) = event
        && change.to == Health::Healthy
        && let Some(outage) = &mut told.outage
    {
        outage.ended.get_or_insert(change.since);
    }
    told
}

impl Told {
    /// The outage that it knows to go on.
    fn standing_outage(&self) -> Option<&ToldOutage> {
        self.outage.as_ref().filter(|known| known.ended.is_none())
    }

    fn worsened(&self, health: Health, since: Timestamp, now: Timestamp) -> Self {
        let outage = match self.standing_outage() {
            Some(outage) => ToldOutage {
                health: outage.health.max(health),
                last: outage.last.max(now),
                ..outage.clone()
            },
            None => ToldOutage::new(health, since, now),
        };
        Self {
            outage: Some(outage),
        }
    }
}

fn recovered(outage: &ToldOutage, change: &Change) -> Occasion {
    let at = outage.ended.unwrap_or(change.since);
    Occasion::Recovered {
        from: outage.health,
        since: outage.since,
        at,
        lasted: at.since(outage.since),
    }
}
