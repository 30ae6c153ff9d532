//! What goes on after a time in which nobody could listen, and what is lost with
//! the host's own network.

use std::time::Duration;

use watchkeeper_config::passive::Passive;
use watchkeeper_engine::id::TargetId;
use watchkeeper_engine::passive::{Gap, Heard};
use watchkeeper_engine::time::Timestamp;

use crate::board::Board;

impl Board {
    /// Goes on after a start at `now`, where somebody was last known to listen at
    /// `alive_at`; where nobody ever did, nothing is late.
    pub(in crate::board) fn listen_after_start(
        &mut self,
        alive_at: Option<Timestamp>,
        now: Timestamp,
    ) {
        let gap = Gap {
            from: alive_at.unwrap_or(now).min(now),
            to: now,
        };
        for target in self.told_targets() {
            match self.heard_mut(&target) {
                Some((_, Heard::Report(state))) => state.restart(now),
                Some((Passive::Heartbeat { rules, .. }, Heard::Heartbeat(state))) => {
                    state.resume(&rules, gap);
                }
                _ => {}
            }
        }
        self.look_for_deadline();
    }

    /// Goes on after a time in which nobody could listen.
    pub(in crate::board) fn listen_again(&mut self, gap: Gap) {
        self.go_on_listening(&self.told_targets(), gap);
    }

    /// Goes on with `targets` after a time in which nobody listened to them.
    pub(in crate::board) fn go_on_listening(&mut self, targets: &[TargetId], gap: Gap) {
        for target in targets {
            let Some((passive, heard)) = self.heard_mut(target) else {
                continue;
            };
            match (passive, heard) {
                (Passive::Push { rules, .. } | Passive::Local { rules }, Heard::Report(state)) => {
                    state.resume(&rules, gap);
                }
                (Passive::Heartbeat { rules, .. }, Heard::Heartbeat(state)) => {
                    state.resume(&rules, gap);
                }
                _ => {}
            }
        }
        self.look_for_deadline();
    }

    /// Goes on after the wall clock was stepped by `millis`: forwards, as if
    /// nobody had listened meanwhile, as after a sleep nobody had; backwards, with
    /// everything moved along.
    pub(in crate::board) fn shift_listening(&mut self, millis: i64, now: Timestamp) {
        let span = Duration::from_millis(millis.unsigned_abs());
        if millis > 0 {
            return self.listen_again(Gap {
                from: now - span,
                to: now,
            });
        }
        for target in self.told_targets() {
            match self.heard_mut(&target) {
                Some((_, Heard::Report(state))) => state.set_back(span),
                Some((Passive::Heartbeat { rules, .. }, Heard::Heartbeat(state))) => {
                    state.set_back(&rules, span, now);
                }
                _ => {}
            }
        }
        self.look_for_deadline();
    }

    /// The targets that nothing is known of while the host has no network. A job
    /// that calls once a day, and what people say, stay what they were.
    pub(in crate::board) fn seen_through_the_network(&self) -> Vec<TargetId> {
        let monitors = self.monitors.values().filter(|monitor| {
            !matches!(
                monitor.assigned.monitor.passive,
                Some(Passive::Heartbeat { .. } | Passive::Manual)
            )
        });
        monitors
            .flat_map(|monitor| monitor.targets.iter().cloned())
            .collect()
    }
}
