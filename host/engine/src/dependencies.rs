//! Monitors that cannot work without others.
//!
//! When a database dies, so does all that needs it. Of such a change only the
//! root is told: a monitor whose parent is dead is recorded and shown as what it
//! is, and its notice goes into the parent's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::change::Change;
use crate::health::Health;
use crate::id::MonitorId;
use crate::time::Timestamp;

/// Which monitors need which others: free of circles, and all of them exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    parents: BTreeMap<MonitorId, Vec<MonitorId>>,
    children: BTreeMap<MonitorId, Vec<MonitorId>>,
}

/// What is wrong with a set of dependencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A monitor depends on one that does not exist.
    Unknown {
        /// The monitor that depends.
        child: MonitorId,
        /// The one that does not exist.
        parent: MonitorId,
    },
    /// A monitor depends on itself.
    Itself {
        /// Which one.
        monitor: MonitorId,
    },
    /// Monitors depend on each other in a circle.
    Circle {
        /// Each depends on the next, and the last on the first. At least two.
        monitors: Vec<MonitorId>,
    },
}

/// A monitor as the one that depends on it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentView {
    /// Its health.
    pub health: Health,
    /// Whether that is fresh.
    pub checked: Checked,
}

/// Whether what is known of a monitor is fresh enough to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// No check of it has ended since the change in question.
    NotSince,
    /// One has ended, and it disagrees with the health: more are needed to
    /// confirm it (see [`crate::target::TargetState::is_wavering`]).
    Wavering,
    /// One has ended, with or without a verdict, and the health is what it says.
    Settled,
}

/// What to do about the notice of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// Check these parents at once, and ask again when they have been.
    AskParents(Vec<MonitorId>),
    /// Fold it into the notice of this monitor, the dead one at the root.
    Folded {
        /// The monitor at the root.
        into: MonitorId,
    },
    /// Tell it by itself.
    Tell,
}

/// What to do about a change that was folded, now that no parent is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Check the monitor at once, and ask again when it has been: it is likely
    /// to have recovered together with its parent.
    AskChild,
    /// It is still not healthy: tell it by itself.
    Tell,
    /// It is healthy again: there is nothing to tell.
    Forget,
}

/// A change whose notice may have to wait.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The monitor that has changed.
    pub child: &'a MonitorId,
    /// How.
    pub change: &'a Change,
    /// How long after the change its parents may take to answer. Then it is told
    /// by what is known.
    pub patience: Duration,
}

impl Dependencies {
    /// Checks `depends_on`, which lists the parents of each child, against the
    /// `monitors` that exist. A parent listed twice counts once. On failure
    /// returns all problems; of circles that share a monitor, one.
    pub fn new(
        monitors: &BTreeSet<MonitorId>,
        depends_on: &BTreeMap<MonitorId, Vec<MonitorId>>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut dependencies = Self::default();
        for (child, parents) in depends_on {
            for parent in parents {
                let known = dependencies
                    .parents
                    .get(child)
                    .is_some_and(|it| it.contains(parent));
                if parent == child {
                    problems.push(Problem::Itself {
                        monitor: child.clone(),
                    });
                } else if !monitors.contains(parent) {
                    let (child, parent) = (child.clone(), parent.clone());
                    problems.push(Problem::Unknown { child, parent });
                } else if !known {
                    dependencies.add(child, parent);
                }
            }
        }
        problems.extend(dependencies.circles());
        problems.sort();
        problems.dedup();
        if problems.is_empty() {
            Ok(dependencies)
        } else {
            Err(problems)
        }
    }

    /// The monitors without which `child` cannot work, in the configured order.
    pub fn parents(&self, child: &MonitorId) -> &[MonitorId] {
        self.parents.get(child).map_or(&[], Vec::as_slice)
    }

    /// The monitors that cannot work without `parent`.
    pub fn children(&self, parent: &MonitorId) -> &[MonitorId] {
        self.children.get(parent).map_or(&[], Vec::as_slice)
    }

    /// Decides at `now` about the notice of a change, given how each monitor is.
    ///
    /// While a parent is dead, what its child does is folded. A child that turns
    /// dead waits for fresh word of its parents. Recoveries are never held: a
    /// route that was not told of the outage does not hear of its end, and one
    /// that was must.
    pub fn hold(
        &self,
        held: &Held<'_>,
        now: Timestamp,
        view: impl Fn(&MonitorId) -> ParentView,
    ) -> Dependency {
        if !matches!(held.change.to, Health::Sick | Health::Dead) {
            return Dependency::Tell;
        }
        if let Some(root) = self.dead_root(held.child, &view) {
            return Dependency::Folded { into: root.clone() };
        }
        let waited = now.since(held.change.at);
        if held.change.to != Health::Dead || waited >= held.patience {
            return Dependency::Tell;
        }
        let unsettled: Vec<MonitorId> = self
            .parents(held.child)
            .iter()
            .filter(|parent| view(parent).checked != Checked::Settled)
            .cloned()
            .collect();
        if unsettled.is_empty() {
            Dependency::Tell
        } else {
            Dependency::AskParents(unsettled)
        }
    }

    /// The dead monitor highest above `child`: a dead parent without a dead
    /// parent of its own.
    fn dead_root<'a>(
        &'a self,
        child: &'a MonitorId,
        view: &impl Fn(&MonitorId) -> ParentView,
    ) -> Option<&'a MonitorId> {
        let dead_parent = |child: &MonitorId| {
            self.parents(child)
                .iter()
                .find(|parent| view(parent).health == Health::Dead)
        };
        // There are no circles, so that each way up ends.
        let mut root = dead_parent(child)?;
        while let Some(above) = dead_parent(root) {
            root = above;
        }
        Some(root)
    }

    fn add(&mut self, child: &MonitorId, parent: &MonitorId) {
        self.parents
            .entry(child.clone())
            .or_default()
            .push(parent.clone());
        self.children
            .entry(parent.clone())
            .or_default()
            .push(child.clone());
    }

    /// Circles that share no monitor, each beginning with the monitor that is
    /// first by name.
    fn circles(&self) -> Vec<Problem> {
        let mut left: BTreeSet<&MonitorId> = self.parents.keys().collect();
        let mut circles = Vec::new();
        loop {
            self.strip(&mut left);
            let Some(first) = left.first().copied() else {
                return circles;
            };
            // Whatever is left has a parent that is left, so that a way up must
            // come back to a monitor it has passed.
            let mut way = vec![first];
            let mut passed = BTreeMap::from([(first, 0)]);
            let circle = loop {
                let above = way
                    .last()
                    .and_then(|monitor| self.parents(monitor).iter().find(|it| left.contains(it)));
                let Some(above) = above else { return circles };
                if let Some(start) = passed.get(above) {
                    break way.split_off(*start);
                }
                passed.insert(above, way.len());
                way.push(above);
            };
            for monitor in &circle {
                left.remove(monitor);
            }
            let mut monitors: Vec<MonitorId> = circle.into_iter().cloned().collect();
            let lowest = (0..monitors.len()).min_by_key(|index| &monitors[*index]);
            monitors.rotate_left(lowest.unwrap_or(0));
            circles.push(Problem::Circle { monitors });
        }
    }

    /// Takes away, again and again, what has no parent in `left`.
    fn strip<'a>(&'a self, left: &mut BTreeSet<&'a MonitorId>) {
        let has_parent = |left: &BTreeSet<&MonitorId>, monitor: &MonitorId| {
            self.parents(monitor)
                .iter()
                .any(|parent| left.contains(parent))
        };
        let mut free: Vec<&MonitorId> = left
            .iter()
            .copied()
            .filter(|monitor| !has_parent(left, monitor))
            .collect();
        while let Some(monitor) = free.pop() {
            left.remove(monitor);
            let children = self.children(monitor).iter();
            free.extend(children.filter(|child| left.contains(child) && !has_parent(left, child)));
        }
    }
}

/// Decides about a folded change once no parent of the monitor is dead, given how
/// the monitor is and whether it was checked since.
pub fn release(child: ParentView) -> Release {
    match (child.health, child.checked) {
        (Health::Healthy, _) => Release::Forget,
        (_, Checked::NotSince | Checked::Wavering) => Release::AskChild,
        (_, Checked::Settled) => Release::Tell,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { child, parent } => {
                write!(f, "{child} depends on {parent}, which does not exist")
            }
            Self::Itself { monitor } => write!(f, "{monitor} depends on itself"),
            Self::Circle { monitors } => {
                for monitor in monitors {
                    write!(f, "{monitor} depends on ")?;
                }
                match monitors.first() {
                    Some(first) => write!(f, "{first}: a circle"),
                    None => f.write_str("a circle"),
                }
            }
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests;
