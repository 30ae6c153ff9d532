//! What the broker says of a queue, and what a queue has to keep to.

use serde::Deserialize;
use watchkeeper_sdk::Health;

use crate::{Minimum, Thresholds};

/// How much of a queue's name a reason shows: names may be 255 bytes long.
const NAME_LENGTH: usize = 60;

/// What the broker says of a queue. A queue that was made a moment ago has a name
/// and no figures.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) messages_ready: Option<u64>,
    #[serde(default)]
    pub(crate) messages_unacknowledged: Option<u64>,
    #[serde(default)]
    pub(crate) consumers: Option<u64>,
}

/// An alarm of one node: `memory` or `disk`, as a rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Alarm {
    #[serde(default)]
    pub(crate) node: String,
    #[serde(default)]
    pub(crate) resource: String,
}

/// What a queue has to keep to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) ready: Thresholds,
    pub(crate) unacked: Thresholds,
    pub(crate) consumers: Minimum,
}

impl Thresholds {
    /// Sick from a count on, dead above one: the comparisons that Vigil makes.
    pub(crate) fn judge(self, count: u64) -> Option<(Health, String)> {
        match (self.sick, self.dead) {
            (_, Some(dead)) if count > dead => Some((Health::Dead, format!("dead above {dead}"))),
            (Some(sick), _) if count >= sick => Some((Health::Sick, format!("sick from {sick}"))),
            _ => None,
        }
    }
}

impl Minimum {
    pub(crate) fn judge(self, count: u64) -> Option<(Health, String)> {
        match (self.sick_below, self.dead_below) {
            (_, Some(dead)) if count < dead => Some((Health::Dead, format!("dead below {dead}"))),
            (Some(sick), _) if count < sick => Some((Health::Sick, format!("sick below {sick}"))),
            _ => None,
        }
    }
}

/// A name as a reason shows it.
pub(crate) fn shortened(name: &str) -> String {
    let mut characters = name.chars();
    let start: String = characters.by_ref().take(NAME_LENGTH).collect();
    match characters.next() {
        Some(_) => format!("{start}…"),
        None => start,
    }
}

/// What is wrong with a queue by its state. `live` is what the API calls a
/// running queue in short answers; `idle` and `flow` are of a busy broker.
pub(crate) fn fault_of_state(state: &str) -> Option<(Health, &str)> {
    match state {
        "running" | "live" | "idle" | "flow" => None,
        "down" | "crashed" | "stopped" | "minority" | "terminated" => Some((Health::Dead, state)),
        _ => Some((Health::Sick, state)),
    }
}
