//! Monitors that are not checked because somebody wants it so. Nothing is known of
//! them meanwhile, and what is said of them counts for nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

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

/// What the note in the store is called.
const NOTE: &str = "paused";

/// Why nothing is known of a monitor that is paused. Everybody reads it: it does not
/// say who paused it.
const REASON: &str = "paused";

/// Who paused each, and when in milliseconds since the epoch.
type Mirror = BTreeMap<String, (String, i64)>;

/// What the notes say is paused.
pub(super) fn read(notes: &BTreeMap<String, String>) -> Paused {
    let Some(text) = notes.get(NOTE) else {
        return Paused::new();
    };
    let Ok(mirror) = serde_json::from_str::<Mirror>(text) else {
        error!(
            note = NOTE,
            "a note in the database cannot be read and begins anew"
        );
        return Paused::new();
    };
    let paused = mirror.into_iter().filter_map(|(id, (by, at))| {
        let at = Timestamp::from_millis(at);
        let by = by.into();
        Some((MonitorId::parse(&id).ok()?, PausedBy { by, at }))
    });
    paused.collect()
}

impl Board {
    /// What is not checked, and who wanted that.
    pub(crate) const fn paused(&self) -> &Paused {
        &self.paused
    }

    /// Has monitors not checked any more. How many were until now.
    pub(crate) fn pause(
        &mut self,
        monitors: &[MonitorId],
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> usize {
        let mut count = 0;
        for id in monitors {
            if !self.monitors.contains_key(id) || self.paused.contains_key(id) {
                continue;
            }
            let by = Arc::clone(by);
            self.paused.insert(id.clone(), PausedBy { by, at: now });
            count += 1;
            self.mark(id, now, batch);
        }
        self.note_paused(batch);
        self.settle(now, batch);
        count
    }

    /// Has monitors checked again, and at once. How many were not until now.
    pub(crate) fn go_on(
        &mut self,
        monitors: &[MonitorId],
        now: Timestamp,
        batch: &mut Batch,
    ) -> usize {
        let mut count = 0;
        for id in monitors {
            let Some(paused) = self.paused.remove(id) else {
                continue;
            };
            count += 1;
            let from = paused.at.min(now);
            self.listen_again_to(id, Gap { from, to: now });
            batch.requests.push(Request::Monitor(id.clone()));
        }
        self.note_paused(batch);
        count
    }

    /// Marks what was paused before the start or a new configuration.
    pub(super) fn mark_paused(&mut self, now: Timestamp, batch: &mut Batch) {
        let paused: Vec<_> = self.paused.keys().cloned().collect();
        for id in &paused {
            self.mark(id, now, batch);
        }
    }

    fn mark(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some(monitor) = self.monitors.get(id) else {
            return;
        };
        let input = Input::Missing {
            reason: REASON.into(),
        };
        for target in monitor.targets.clone() {
            self.input(&target, &input, None, now, batch);
        }
        self.judge(id, Trigger::Targets, now, batch);
    }

    fn note_paused(&self, batch: &mut Batch) {
        let mirror: Mirror = self
            .paused
            .iter()
            .map(|(id, paused)| {
                (
                    id.to_string(),
                    (paused.by.to_string(), paused.at.as_millis()),
                )
            })
            .collect();
        let text = serde_json::to_string(&mirror).expect("texts and numbers are always JSON");
        let note = (!mirror.is_empty()).then_some(text);
        batch.commit.notes.insert(NOTE.to_owned(), note);
    }
}
