//! Monitors that people have paused: nobody checks them, judges their silence or
//! tells of them until they go on, and they count for nothing.
//!
//! What is paused is a note in the store for each monitor, so that it stays so
//! through restarts; it is forgotten with a monitor that is not configured any
//! more.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::error;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::monitor::Trigger;
use watchkeeper_engine::passive::Gap;
use watchkeeper_engine::target::Input;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::PausedBy;

use super::{Batch, Board};
use crate::console::Paused;
use crate::scheduler::Request;

/// What the names of these notes begin with.
const NOTE: &str = "paused ";

/// Why nothing is known of a monitor that is paused. Everybody reads it: it does not
/// say who paused it.
const REASON: &str = "paused";

/// Since when a monitor is paused, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) at: Timestamp,
    pub(crate) by: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct PauseMirror {
    at: i64,
    #[serde(default)]
    by: Arc<str>,
}

/// Reads what was noted.
pub(super) fn read(notes: &BTreeMap<String, String>) -> BTreeMap<MonitorId, Pause> {
    let mut paused = BTreeMap::new();
    for (name, text) in notes {
        let Some(id) = name.strip_prefix(NOTE) else {
            continue;
        };
        let mirror = serde_json::from_str::<PauseMirror>(text);
        if let (Ok(id), Ok(mirror)) = (MonitorId::parse(id), mirror) {
            let pause = Pause {
                at: Timestamp::from_millis(mirror.at),
                by: mirror.by,
            };
            paused.insert(id, pause);
        } else {
            error!(note = %name, "a note in the database cannot be read: that monitor goes on");
        }
    }
    paused
}

impl Board {
    /// Whether people have paused `monitor`.
    pub(crate) fn is_paused(&self, monitor: &MonitorId) -> bool {
        self.paused.contains_key(monitor)
    }

    /// Since when `monitor` is paused, and by whom.
    pub(crate) fn pause_of(&self, monitor: &MonitorId) -> Option<&Pause> {
        self.paused.get(monitor)
    }

    /// Everything that is paused.
    pub(crate) fn all_paused(&self) -> Paused {
        let all = self.paused.iter().map(|(id, pause)| {
            let by = Arc::clone(&pause.by);
            (id.clone(), PausedBy { by, at: pause.at })
        });
        all.collect()
    }

    /// Pauses all of `monitors`, or none where one of them is not known, which is
    /// then the error. Who is paused already stays so, by whom it was.
    pub(crate) fn pause(
        &mut self,
        monitors: &[MonitorId],
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), MonitorId> {
        self.know(monitors)?;
        for id in monitors {
            if self.is_paused(id) {
                continue;
            }
            let pause = Pause {
                at: now,
                by: Arc::clone(by),
            };
            let note = PauseMirror {
                at: now.as_millis(),
                by: Arc::clone(by),
            };
            let note = serde_json::to_string(&note).expect("a number and a text are always JSON");
            batch.commit.notes.insert(name_of(id), Some(note));
            self.paused.insert(id.clone(), pause);
            self.held.remove(id);
            self.folded.remove(id);
            batch.is_news = true;
        }
        self.mark_paused(now, batch);
        self.adopt_incidents(now, batch);
        self.look_for_deadline();
        self.settle(now, batch);
        self.stir(now);
        Ok(())
    }

    /// Goes on with all of `monitors`, or with none where one of them is not known,
    /// which is then the error.
    pub(crate) fn go_on(
        &mut self,
        monitors: &[MonitorId],
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), MonitorId> {
        self.know(monitors)?;
        for id in monitors {
            let Some(pause) = self.paused.remove(id) else {
                continue;
            };
            batch.commit.notes.insert(name_of(id), None);
            batch.is_news = true;
            self.listen_after_pause(id, pause.at, now, batch);
            batch.requests.push(Request::Monitor(id.clone()));
            if let Some(monitor) = self.monitors.get_mut(id) {
                monitor.version += 1;
                let assigned = Arc::clone(&monitor.assigned);
                self.mark_if_missing(&assigned, now, batch);
            }
        }
        self.look_for_deadline();
        self.settle(now, batch);
        self.stir(now);
        Ok(())
    }

    /// Shows what is paused as such.
    pub(super) fn mark_paused(&mut self, now: Timestamp, batch: &mut Batch) {
        for id in self.paused.keys().cloned().collect::<Vec<_>>() {
            let targets = self
                .monitors
                .get(&id)
                .map(|monitor| monitor.targets.clone());
            for target in targets.unwrap_or_default() {
                let input = Input::Paused {
                    reason: REASON.into(),
                };
                self.input(&target, &input, None, now, batch);
            }
            self.judge(&id, Trigger::Targets, now, batch);
        }
    }

    /// Forgets the pauses of monitors that are not configured any more: one that
    /// comes under the same name later is another one.
    pub(super) fn forget_pauses(&mut self, batch: &mut Batch) {
        let monitors = &self.monitors;
        let gone = self.paused.keys().filter(|id| !monitors.contains_key(id));
        for id in gone.cloned().collect::<Vec<_>>() {
            self.paused.remove(&id);
            batch.commit.notes.insert(name_of(&id), None);
        }
    }

    /// What tells how it is stands as it said last, and its silence counts from now.
    fn listen_after_pause(
        &mut self,
        id: &MonitorId,
        from: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(monitor) = self.monitors.get(id) else {
            return;
        };
        if monitor.assigned.monitor.passive.is_none() {
            return;
        }
        let targets = monitor.targets.clone();
        self.go_on_listening(&targets, Gap { from, to: now });
        for target in targets {
            let last = self.targets.get(&target).and_then(|it| it.last.clone());
            if let Some(mut reading) = last {
                reading.at = now;
                self.take_reading(&target, reading, false, now, batch);
            }
        }
    }

    fn know(&self, monitors: &[MonitorId]) -> Result<(), MonitorId> {
        let unknown = monitors.iter().find(|id| !self.monitors.contains_key(id));
        unknown.map_or(Ok(()), |id| Err(id.clone()))
    }
}

fn name_of(monitor: &MonitorId) -> String {
    format!("{NOTE}{monitor}")
}
