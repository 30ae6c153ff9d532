//! Monitors that are told how things are: what is said of them, and what their
//! silence means.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_config::passive::Passive;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::Trigger;
use watchkeeper_engine::network::OwnNetwork;
use watchkeeper_engine::passive::Heard;
use watchkeeper_engine::passive::heartbeat::{Call, HeartbeatState};
use watchkeeper_engine::passive::report::{Queue, Report, ReportRules, ReportState};
use watchkeeper_engine::reading::{Outcome, Reading};
use watchkeeper_engine::target::TargetState;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{Sample, Subject};
use watchkeeper_web::{Refusal, Told, What};

pub(super) use self::keeping::{adopt_rules, kept_targets, known_targets, queues};
use super::{Batch, Board, Monitor, Target};

mod keeping;
mod resuming;

/// The most replicas of one monitor: as many as a configured one has targets.
pub(crate) const MOST_REPLICAS: usize = 1_000;

/// How long time may go unaccounted for where nothing is said for hours.
const ACCOUNT_EVERY: Duration = Duration::from_mins(1);

impl Board {
    /// Takes in what was said at `at`, which is at most `now`.
    pub(crate) fn hear(
        &mut self,
        told: &Told,
        at: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let monitor = self.monitors.get(&told.monitor).ok_or(Refusal::Unknown)?;
        let passive = monitor.assigned.monitor.passive.clone();
        let passive = passive.ok_or(Refusal::Unknown)?;
        let of_replica = |replica: &str| TargetId::new(told.monitor.clone(), replica);
        let heard = match (&passive, &told.what) {
            (
                Passive::Push { rules, .. } | Passive::Local { rules },
                What::Report { replica, report },
            ) => self.hear_report(&of_replica(replica), rules, report, at, now, batch),
            (Passive::Push { .. } | Passive::Local { .. }, What::Forget { replica }) => {
                self.forget(&of_replica(replica), now, batch)
            }
            (Passive::Heartbeat { .. } | Passive::Manual, what) => {
                let target = monitor.targets.first().cloned().ok_or(Refusal::Unknown)?;
                match (&passive, what) {
                    (Passive::Heartbeat { .. }, What::Call(call)) => {
                        self.hear_call(&target, call, at, now, batch);
                        Ok(())
                    }
                    (Passive::Manual, What::Set { health, comment }) => {
                        let reading = set(*health, comment, at);
                        self.take_reading(&target, reading, false, now, batch);
                        Ok(())
                    }
                    _ => Err(Refusal::Unknown),
                }
            }
            _ => Err(Refusal::Unknown),
        };
        self.settle(now, batch);
        heard
    }

    /// When silence next has to be looked at. May be too early, never too late.
    pub(crate) const fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Whether any monitor is told how things are.
    pub(crate) fn listens(&self) -> bool {
        let monitors = &self.assignments.monitors;
        monitors.iter().any(|each| each.monitor.passive.is_some())
    }

    /// Whether a silence that has lasted too long waits for word of the canaries:
    /// it may be the host's own.
    pub(crate) fn doubts_silence(&self) -> bool {
        !self.canaries.is_empty() && self.network.network == OwnNetwork::Fine
    }

    /// Whether the host has no network, by word of canaries that can take it back.
    fn is_cut_off(&self) -> bool {
        !self.canaries.is_empty() && self.network.network == OwnNetwork::Lost
    }

    /// Takes note of every silence that has lasted too long. While the host has
    /// no network, none is: it goes on once it has.
    pub(crate) fn miss(&mut self, now: Timestamp, batch: &mut Batch) {
        if self.is_cut_off() {
            self.deadline = None;
            return;
        }
        for target in self.told_targets() {
            let Some(reading) = self.tick_heard(&target, now) else {
                continue;
            };
            self.keep_heard(&target, batch);
            self.take_reading(&target, reading, false, now, batch);
        }
        self.look_for_deadline();
        self.settle(now, batch);
    }

    /// Judges the processes anew that work on the queue that `monitor` watches.
    pub(super) fn follow_queue(&mut self, monitor: &MonitorId, now: Timestamp, batch: &mut Batch) {
        for workers in self.queues.get(monitor).cloned().unwrap_or_default() {
            let Some(known) = self.monitors.get(&workers) else {
                continue;
            };
            let Some(Passive::Push { rules, .. }) = known.assigned.monitor.passive.clone() else {
                continue;
            };
            for target in known.targets.clone() {
                let Some(entry) = self.targets.get(&target) else {
                    continue;
                };
                let Some(Heard::Report(state)) = entry.heard.as_ref().filter(|it| !is_silent(it))
                else {
                    continue;
                };
                // What it said to another process may be long ago.
                if entry.last.is_none() {
                    continue;
                }
                let reading = state.judge(&rules, self.queue_of(&workers), now);
                let same = |last: &Reading| last.outcome == reading.outcome;
                if !entry.last.as_ref().is_some_and(same) {
                    self.take_reading(&target, reading, false, now, batch);
                }
            }
        }
    }

    /// Accounts for time in which nothing was said, so that a kill takes no more
    /// than a minute of a day's silence.
    pub(super) fn account_listening(&mut self, now: Timestamp, batch: &mut Batch) {
        for monitor in self.monitors.values_mut() {
            if monitor.assigned.monitor.passive.is_none()
                || now.since(monitor.accounted) < ACCOUNT_EVERY
            {
                continue;
            }
            let mut account = |subject, span| {
                batch.samples.push(Sample {
                    subject,
                    reading: None,
                    span: Some(span),
                });
            };
            for id in &monitor.targets {
                let Some(target) = self.targets.get_mut(id) else {
                    continue;
                };
                let health = target.state.standing.health;
                if let Some(span) = target.account(now, health, monitor.maintained) {
                    account(Subject::Target(id.clone()), span);
                }
            }
            if let Some(span) = monitor.account(now, monitor.state.standing.health) {
                account(Subject::Monitor(monitor.assigned.monitor.id.clone()), span);
            }
            monitor.version += 1;
        }
    }

    /// Finds when silence next has to be looked at.
    pub(super) fn look_for_deadline(&mut self) {
        let targets = self.told_targets();
        self.deadline = targets.iter().filter_map(|id| self.missed_at(id)).min();
    }

    fn hear_report(
        &mut self,
        target: &TargetId,
        rules: &ReportRules,
        report: &Report,
        at: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let is_new = !self.targets.contains_key(target);
        if is_new {
            let monitor = self.monitors.get_mut(target.monitor());
            let monitor = monitor.ok_or(Refusal::Unknown)?;
            if monitor.targets.len() >= MOST_REPLICAS {
                tracing::warn!(monitor = %target.monitor(), "a replica was turned away: there are {MOST_REPLICAS}");
                return Err(Refusal::Full);
            }
            // In the order that they have after a restart.
            let place = monitor.targets.partition_point(|known| known < target);
            monitor.targets.insert(place, target.clone());
            let entry = Target::new(TargetState::default(), now);
            self.targets.insert(target.clone(), entry);
        }
        // A silence that ended with this report, but had lasted too long, was one.
        let silence = self.overdue(target, at);
        if let Some(silence) = silence {
            self.take_reading(target, silence, false, now, batch);
        }
        let state = ReportState::hear(report.clone(), at);
        let reading = state.judge(rules, self.queue_of(target.monitor()), at);
        if let Some(entry) = self.targets.get_mut(target) {
            let as_before = matches!(
                &entry.heard,
                Some(Heard::Report(before))
                    if !before.is_silent && before.report.interval == report.interval
            );
            entry.heard = Some(Heard::Report(state));
            // Of a restart only the interval matters: time begins anew.
            if !as_before {
                self.keep_heard(target, batch);
            }
        }
        self.take_reading(target, reading, false, now, batch);
        self.bring_forward(target);
        Ok(())
    }

    fn hear_call(
        &mut self,
        target: &TargetId,
        call: &Call,
        at: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let silence = self.overdue(target, at);
        let Some((Passive::Heartbeat { rules, .. }, _)) = self.passive_of(target) else {
            return;
        };
        let Some(entry) = self.targets.get_mut(target) else {
            return;
        };
        let mut state = match entry.heard.take() {
            Some(Heard::Heartbeat(state)) => state,
            _ => HeartbeatState::default(),
        };
        let readings = state.call(&rules, call, at);
        entry.heard = Some(Heard::Heartbeat(state));
        self.keep_heard(target, batch);
        for reading in silence.into_iter().chain(readings) {
            self.take_reading(target, reading, false, now, batch);
        }
        // A start or a log line says nothing of the job, but when it called.
        if let Some(monitor) = self.monitors.get_mut(target.monitor()) {
            monitor.version += 1;
        }
        self.bring_forward(target);
    }

    /// A replica is no more.
    fn forget(
        &mut self,
        target: &TargetId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        self.targets.remove(target).ok_or(Refusal::Unknown)?;
        if let Some(monitor) = self.monitors.get_mut(target.monitor()) {
            monitor.targets.retain(|known| known != target);
        }
        batch.commit.targets.retain(|(known, _)| known != target);
        batch.commit.heard.push((target.clone(), None));
        self.judge(target.monitor(), Trigger::Configuration, now, batch);
        Ok(())
    }

    /// Forgets what those said who are nobody's targets.
    pub(super) fn forget_strangers(&mut self, batch: &mut Batch) {
        let strangers = self.strangers.drain(..).map(|target| (target, None));
        batch.commit.heard.extend(strangers);
    }

    /// The reading of a silence that had lasted too long by `at`, while the host
    /// could hear.
    fn overdue(&mut self, target: &TargetId, at: Timestamp) -> Option<Reading> {
        if self.is_cut_off() {
            return None;
        }
        self.tick_heard(target, at)
    }

    fn tick_heard(&mut self, target: &TargetId, now: Timestamp) -> Option<Reading> {
        match self.heard_mut(target)? {
            (Passive::Push { rules, .. } | Passive::Local { rules }, Heard::Report(state)) => {
                state.tick(&rules, now)
            }
            (Passive::Heartbeat { rules, .. }, Heard::Heartbeat(state)) => state.tick(&rules, now),
            _ => None,
        }
    }

    fn missed_at(&self, target: &TargetId) -> Option<Timestamp> {
        let heard = self.targets.get(target)?.heard.as_ref()?;
        let passive = &self
            .monitors
            .get(target.monitor())?
            .assigned
            .monitor
            .passive;
        match (passive.as_ref()?, heard) {
            (Passive::Push { rules, .. } | Passive::Local { rules }, Heard::Report(state)) => {
                state.silent_at(rules)
            }
            (Passive::Heartbeat { rules, .. }, Heard::Heartbeat(state)) => state.missed_at(rules),
            _ => None,
        }
    }

    /// Sees to it that silence is looked at in time for `target`.
    fn bring_forward(&mut self, target: &TargetId) {
        if let Some(at) = self.missed_at(target) {
            self.deadline = Some(self.deadline.map_or(at, |known| known.min(at)));
        }
    }

    /// How the queue is that the processes of `workers` work on.
    fn queue_of(&self, workers: &MonitorId) -> Option<Queue<'_>> {
        let Some(Passive::Push { queue, .. }) =
            &self.monitors.get(workers)?.assigned.monitor.passive
        else {
            return None;
        };
        let monitor = self.monitors.get(queue.as_ref()?)?;
        let standing = &monitor.state.standing;
        Some(Queue {
            monitor: &monitor.assigned.monitor.id,
            health: standing.health,
            reason: standing.reason.as_deref(),
        })
    }

    fn passive_of(&self, target: &TargetId) -> Option<(Passive, &Monitor)> {
        let monitor = self.monitors.get(target.monitor())?;
        Some((monitor.assigned.monitor.passive.clone()?, monitor))
    }

    fn heard_mut(&mut self, target: &TargetId) -> Option<(Passive, &mut Heard)> {
        let (passive, _) = self.passive_of(target)?;
        Some((passive, self.targets.get_mut(target)?.heard.as_mut()?))
    }

    fn keep_heard(&self, target: &TargetId, batch: &mut Batch) {
        let heard = self.targets.get(target).and_then(|it| it.heard.clone());
        if heard.is_some() {
            batch.commit.heard.push((target.clone(), heard));
        }
    }

    /// Every target that tells how it is and is not paused, in the order of the
    /// configuration.
    fn told_targets(&self) -> Vec<TargetId> {
        let told = self.assignments.monitors.iter();
        told.filter(|assigned| assigned.monitor.passive.is_some())
            .filter(|assigned| !self.is_paused(&assigned.monitor.id))
            .filter_map(|assigned| self.monitors.get(&assigned.monitor.id))
            .flat_map(|monitor| monitor.targets.iter().cloned())
            .collect()
    }
}

fn is_silent(heard: &Heard) -> bool {
    matches!(heard, Heard::Report(state) if state.is_silent)
}

/// What people say.
fn set(health: Verdict, comment: &Arc<str>, at: Timestamp) -> Reading {
    Reading {
        at,
        outcome: Outcome::Judged {
            verdict: health,
            reason: (!comment.is_empty()).then(|| Arc::clone(comment)),
        },
        latency: None,
    }
}
