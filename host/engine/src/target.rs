//! How a target's readings move its health.
//!
//! [`step`] is all there is: it keeps no memory beyond the state that it is
//! given and returns, so that a state written to disk and read back goes on as
//! if nothing had happened.

use std::sync::Arc;
use std::time::Duration;

use crate::change::{Event, Standing};
use crate::health::{Health, Verdict};
use crate::reading::{Fault, Reading};
use crate::time::Timestamp;

mod judging;

pub use judging::{next_tick, step};

/// By what rules a target's readings are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRules {
    /// A reading whose latency is above this is at least sick.
    pub sick_above: Option<Duration>,
    /// A reading whose latency is above this is dead.
    pub dead_above: Option<Duration>,
    /// So long after the last verdict the health is unknown. It must exceed the
    /// rhythm plus the longest run (see [`crate::attempts::Plan::longest`]), or
    /// a target that answers slowly becomes unknown between its readings.
    pub stale_after: Duration,
    /// How many readings in a row move the health.
    pub confirm: Confirm,
    /// Whether dead readings show as sick until they are confirmed.
    pub degrade: bool,
    /// When it counts as changing too often; `None` for never.
    pub flap: Option<Flap>,
}

/// How many readings in a row move the health. Zero counts as one.
///
/// Each reading can only move the health to its own verdict. Readings beyond
/// that verdict count towards it: a dead one and then a sick one are two in a
/// row that make a healthy target sick, a healthy one and then a sick one are
/// two in a row that make a dead target sick. A check without a verdict neither
/// counts nor interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// To become sick.
    pub sick: u32,
    /// To become dead.
    pub dead: u32,
    /// To become healthy.
    pub healthy: u32,
}

/// When a target changes too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// More changes than this within `window` are too many; at most
    /// [`MAX_FLAP_CHANGES`], above which it counts as that.
    pub changes: u32,
    /// The window, and how long it must be steady to be believed again.
    pub window: Duration,
}

/// The largest [`Flap::changes`]: each change within the window is remembered.
pub const MAX_FLAP_CHANGES: u32 = 100;

/// What is remembered of a target. The default is one of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetState {
    /// How it stands: what is shown, counted and told.
    pub standing: Standing,
    /// The latest readings with a verdict, as far as they count towards a
    /// change; `None` if the row was broken off by not knowing.
    pub streak: Option<Streak>,
    /// When the last verdict was reached, whatever it was.
    pub judged_at: Option<Timestamp>,
    /// What the latest check failed with, until one comes to a verdict again.
    pub fault: Option<FaultSeen>,
    /// When its latest changes between healthy, sick and dead were, oldest
    /// first: those within the flapping window, at most one more than
    /// [`MAX_FLAP_CHANGES`].
    pub changes: Vec<Timestamp>,
    /// Present while it changes too often.
    pub flapping: Option<Flapping>,
}

/// Readings in a row, seen from the two lines that divide the verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streak {
    /// The latest verdict.
    pub latest: Verdict,
    /// For how long readings have been on its side of the line between healthy
    /// and sick.
    pub ailing: Run,
    /// For how long readings have been on its side of the line between sick and
    /// dead.
    pub dead: Run,
}

/// An unbroken row of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How many; at least one.
    pub count: u32,
    /// When the first of them was.
    pub since: Timestamp,
}

/// A check that came to no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSeen {
    /// When the latest one was.
    pub at: Timestamp,
    /// Whose fault.
    pub fault: Fault,
    /// What happened, for people.
    pub reason: Arc<str>,
}

/// How a target that changes too often is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// Since when.
    pub since: Timestamp,
    /// The worst health it has had since: what it is shown as unless its health
    /// is unknown.
    pub held: Health,
    /// How it would stand if it were not held.
    pub beneath: Standing,
}

/// What can happen to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A run of checks ended with this reading.
    Reading(Reading),
    /// Time has passed: see [`next_tick`].
    Tick,
    /// The host has lost its own network. While it has, the caller gives this in
    /// place of every reading, those of checks begun before the network was
    /// back included: they tell of the host, not of the target.
    Lost,
    /// The plugin that checks it is gone.
    Missing {
        /// Which one, for people.
        reason: Arc<str>,
    },
    /// People have paused it. While it is, the caller gives nothing else.
    Paused {
        /// Who, for people.
        reason: Arc<str>,
    },
}

/// What [`step`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is remembered from now on.
    pub state: TargetState,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Default for TargetRules {
    /// The documented defaults for a target that is checked every 30 seconds.
    fn default() -> Self {
        Self {
            sick_above: None,
            dead_above: None,
            stale_after: Duration::from_secs(90),
            confirm: Confirm::default(),
            degrade: false,
            flap: Some(Flap::default()),
        }
    }
}

impl Default for Confirm {
    fn default() -> Self {
        Self {
            sick: 1,
            dead: 1,
            healthy: 1,
        }
    }
}

impl Default for Flap {
    fn default() -> Self {
        Self {
            changes: 5,
            window: Duration::from_mins(10),
        }
    }
}

impl Confirm {
    /// How many readings in a row it takes to reach `verdict`; at least one.
    pub fn of(&self, verdict: Verdict) -> u32 {
        let count = match verdict {
            Verdict::Healthy => self.healthy,
            Verdict::Sick => self.sick,
            Verdict::Dead => self.dead,
        };
        count.max(1)
    }
}

impl TargetState {
    /// How it would stand if it were not held for changing too often.
    pub fn beneath(&self) -> &Standing {
        self.flapping
            .as_ref()
            .map_or(&self.standing, |flapping| &flapping.beneath)
    }

    /// Whether its latest reading disagrees with its health, so that more
    /// readings will confirm or refute the change.
    pub fn is_wavering(&self) -> bool {
        self.streak
            .is_some_and(|streak| self.beneath().health != streak.latest.into())
    }
}
