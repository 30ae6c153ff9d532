//! Which of a monitor's events are told, and which wait for word of others.

use std::time::Duration;

use watchkeeper_engine::change::{Cause, Event};
use watchkeeper_engine::dependencies::{Checked, Dependency, Held, ParentView, Release, release};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;

use super::{Batch, Board, as_it_stands};
use crate::scheduler::Request;

/// What parents are given beyond their own longest run before a child's change is
/// told without them.
const GRACE: Duration = Duration::from_secs(2);

impl Board {
    /// Tells `event` of `monitor`, or holds it until its parents were heard.
    pub(super) fn tell_or_hold(
        &mut self,
        id: &MonitorId,
        event: &Event,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if self.is_paused(id) {
            return;
        }
        if self.is_maintained(id) {
            // How it stands is told once the maintenance is over.
            return;
        }
        if let Event::Changed(change) = event {
            if change.cause == Cause::NetworkLost {
                // One notice tells of the network; that nothing is known follows.
                return;
            }
            // A newer change takes the place of one that was not told yet.
            self.held.remove(id);
            self.folded.remove(id);
            if !self.dependencies.parents(id).is_empty() {
                self.held.insert(id.clone(), change.clone());
                self.decide(id, now, batch);
                return;
            }
        }
        self.tell(id, event, now, batch);
    }

    /// Looks again at everything that waits for somebody.
    pub(super) fn settle(&mut self, now: Timestamp, batch: &mut Batch) {
        let held: Vec<_> = self.held.keys().cloned().collect();
        for id in held {
            self.decide(&id, now, batch);
        }
        let folded: Vec<_> = self.folded.keys().cloned().collect();
        for id in folded {
            self.reconsider(&id, now, batch);
        }
    }

    /// Tells how a monitor stands to whoever does not know. Whoever knows hears
    /// nothing.
    pub(super) fn retell(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some(monitor) = self.monitors.get(id) else {
            return;
        };
        if monitor.state.standing.since.is_some() {
            let event = Event::Changed(as_it_stands(&monitor.state.standing, now));
            self.tell_or_hold(id, &event, now, batch);
        }
    }

    /// Decides about a held change.
    fn decide(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some(change) = self.held.get(id).cloned() else {
            return;
        };
        let parents = self.dependencies.parents(id).iter();
        let patience = parents
            .filter_map(|parent| self.monitors.get(parent))
            .map(|parent| parent.assigned.longest_run())
            .max()
            .unwrap_or_default();
        let held = Held {
            child: id,
            change: &change,
            patience: patience + GRACE,
        };
        match self
            .dependencies
            .hold(&held, now, |monitor| self.view(monitor, change.at))
        {
            Dependency::AskParents(parents) => {
                for parent in parents {
                    self.ask(parent, change.at, now, batch);
                }
            }
            Dependency::Folded { into } => {
                tracing::info!(monitor = %id, %into, "outage folded into that of what it depends on");
                self.held.remove(id);
                let event = Event::Changed(change.clone());
                if !self.is_maintained(&into) {
                    self.stand(id, &event, Some(&into), now, batch);
                }
                self.folded.insert(id.clone(), (change, into));
            }
            Dependency::Tell => {
                self.held.remove(id);
                self.tell(id, &Event::Changed(change), now, batch);
            }
        }
    }

    /// Decides about a folded change: it stays so while a parent is dead.
    fn reconsider(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some((change, _)) = self.folded.get(id).cloned() else {
            return;
        };
        let dead = |parent: &MonitorId| {
            self.monitors
                .get(parent)
                .is_some_and(|known| known.state.standing.health == Health::Dead)
        };
        let parents = self.dependencies.parents(id);
        if parents.iter().any(dead) {
            return;
        }
        let free_since = parents
            .iter()
            .filter_map(|parent| self.monitors.get(parent)?.state.standing.since)
            .max()
            .unwrap_or(change.at)
            .max(change.at);
        match release(self.view(id, free_since)) {
            Release::AskChild => self.ask(id.clone(), free_since, now, batch),
            Release::Tell => {
                self.folded.remove(id);
                if let Some(monitor) = self.monitors.get(id) {
                    let event = Event::Changed(as_it_stands(&monitor.state.standing, now));
                    self.tell(id, &event, now, batch);
                }
            }
            Release::Forget => {
                self.folded.remove(id);
            }
        }
    }

    /// Asks for a check out of turn, unless one was asked for after `since` that
    /// may still be under way.
    fn ask(&mut self, id: MonitorId, since: Timestamp, now: Timestamp, batch: &mut Batch) {
        if self.is_paused(&id) {
            return;
        }
        let patience = self
            .monitors
            .get(&id)
            .map(|known| known.assigned.longest_run())
            .unwrap_or_default();
        let pending = self
            .asked
            .get(&id)
            .is_some_and(|asked| *asked >= since && now.since(*asked) < patience);
        if !pending {
            self.asked.insert(id.clone(), now);
            batch.requests.push(Request::Monitor(id));
        }
    }

    /// How a monitor is, and whether that is known since `since`.
    fn view(&self, id: &MonitorId, since: Timestamp) -> ParentView {
        let Some(monitor) = self.monitors.get(id) else {
            return ParentView {
                health: Health::Unknown,
                checked: Checked::Settled,
            };
        };
        let targets = || {
            monitor
                .targets
                .iter()
                .filter_map(|target| self.targets.get(target))
        };
        // What is told how things are, or paused, cannot be asked: it stands as it does.
        let is_told = monitor.assigned.monitor.passive.is_some();
        let heard = targets().all(|target| {
            target
                .last
                .as_ref()
                .is_some_and(|reading| reading.at >= since)
        });
        let checked = if is_told || self.is_paused(id) {
            Checked::Settled
        } else if !heard {
            Checked::NotSince
        } else if targets().any(|target| target.state.is_wavering()) {
            Checked::Wavering
        } else {
            Checked::Settled
        };
        ParentView {
            health: monitor.state.standing.health,
            checked,
        }
    }
}
