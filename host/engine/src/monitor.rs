//! How the healths of targets make a monitor's, those of monitors a service's,
//! and those of services the page's.
//!
//! Everything here is monotone: making any part worse never makes the whole
//! better. For that, to be unknown counts as worse than to be healthy: where a
//! part is unknown the whole is not called healthy, unless the rule would call it
//! healthy with that part dead as well.

use crate::change::{Event, Standing};
use crate::health::Health;
use crate::id::TargetId;
use crate::target::TargetState;

mod combining;
mod moving;

pub use combining::{combine, page, service};
pub use moving::step_monitor;

/// How a monitor's health follows from those of its targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// As bad as the worst target.
    #[default]
    Worst,
    /// As good as the best target.
    Best,
    /// Sick and dead from so many targets on. Zero counts as one, and more than
    /// there are targets as all of them.
    Quorum {
        /// Sick if so many targets are sick or dead, and unknown if it takes those
        /// that are unknown to reach the number. More than `dead` counts as
        /// `dead`: what would be dead if the sick ones were dead is not healthy.
        sick: u32,
        /// Dead if so many targets are dead.
        dead: u32,
    },
}

/// What a monitor means to its service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// Without it the service does not work.
    #[default]
    Critical,
    /// Without it the service is at most sick.
    Minor,
}

/// How the page as a whole is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageHealth {
    /// The worst health of all services; unknown if there are none.
    pub worst: Health,
    /// Whether some services are dead and others are not: a partial outage.
    pub partial: bool,
}

/// What is remembered of a monitor. The default is one of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorState {
    /// How it stands.
    pub standing: Standing,
    /// The target that explains a health other than healthy: of the worst ones,
    /// the one that has been so for longest.
    pub target: Option<TargetId>,
    /// Whether one of its targets changes too often.
    pub flapping: bool,
}

/// A target as its monitor sees it.
#[derive(Clone, Copy, Debug)]
pub struct TargetView<'a> {
    /// Which one.
    pub id: &'a TargetId,
    /// What is remembered of it.
    pub state: &'a TargetState,
}

/// Why a monitor is judged anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A target had an input.
    Targets,
    /// Its targets or the way to combine them were configured anew.
    Configuration,
}

/// What [`step_monitor`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorStep {
    /// What is remembered from now on.
    pub state: MonitorState,
    /// What happened, in order.
    pub events: Vec<Event>,
}
