//! Everything that is known now: how targets and monitors stand, what was told
//! to whom, and what the page shows of the past.
//!
//! The board does no I/O. What must be kept, asked or told because of an input
//! is collected in a [`Batch`], which the caller carries out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_config::Config;
use watchkeeper_engine::change::{Cause, Change, Event};
use watchkeeper_engine::dependencies::Dependencies;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::{MonitorState, TargetView, Trigger, step_monitor};
use watchkeeper_engine::network::{NetworkState, OwnNetwork};
use watchkeeper_engine::passive::{Gap, Heard};
use watchkeeper_engine::reading::Reading;
use watchkeeper_engine::target::{Input, TargetState, next_tick, step};
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_engine::uptime::Maintained;
use watchkeeper_store::{self as store, Commit, Loaded, NewChange, Rollup, Sample, Span, Subject};

use crate::assignment::{Assigned, Assignments, Ready};
use crate::history::History;
use crate::run::Finished;
use crate::scheduler::Request;

pub(crate) mod announced;
mod breaches;
mod desk;
pub(crate) mod incidents;
mod insisting;
mod listening;
pub(crate) mod pausing;
pub(crate) mod planned;
mod routing;
mod telling;
mod troubles;
mod wording;

use self::announced::Announcement;
use self::desk::Desk;
use self::incidents::Incidents;
use self::pausing::Pause;
use self::planned::Planner;

/// What has to be done because of what the board was given.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// To be written in one transaction.
    pub(crate) commit: Commit,
    /// To be recorded, in bulk.
    pub(crate) samples: Vec<Sample>,
    /// Checks out of turn.
    pub(crate) requests: Vec<Request>,
    /// Monitors whose health changed.
    pub(crate) changed: Vec<MonitorId>,
    /// Whether people should see at once what became of incidents.
    pub(crate) is_news: bool,
}

/// A target on the board.
pub(crate) struct Target {
    pub(crate) state: TargetState,
    /// Its last reading since the start.
    pub(crate) last: Option<Reading>,
    /// What it said, if it tells how it is.
    pub(crate) heard: Option<Heard>,
    /// Up to when its time is recorded.
    accounted: Timestamp,
}

/// A monitor on the board.
pub(crate) struct Monitor {
    pub(crate) assigned: Arc<Assigned>,
    /// Its targets: those configured, or the replicas that made themselves known.
    pub(crate) targets: Vec<TargetId>,
    pub(crate) state: MonitorState,
    pub(crate) history: History,
    /// Whether a maintenance covers it.
    pub(crate) maintained: Maintained,
    /// Raised whenever anything that the page shows of it may have changed.
    pub(crate) version: u64,
    accounted: Timestamp,
}

/// See the module.
pub(crate) struct Board {
    assignments: Arc<Assignments>,
    targets: HashMap<TargetId, Target>,
    monitors: HashMap<MonitorId, Monitor>,
    dependencies: Arc<Dependencies>,
    /// What people were told and what waits to be told.
    desk: Desk,
    /// Changes whose notice waits for word of parents.
    held: BTreeMap<MonitorId, Change>,
    /// Changes that went into the notice of the dead monitor named beside them.
    folded: BTreeMap<MonitorId, (Change, MonitorId)>,
    /// When checks out of turn were last asked for.
    asked: HashMap<MonitorId, Timestamp>,
    incidents: Incidents,
    planner: Planner,
    /// What people have paused.
    paused: BTreeMap<MonitorId, Pause>,
    announced: Vec<Arc<Announcement>>,
    network: NetworkState,
    /// The monitors of processes, by that of the queue they work on.
    queues: HashMap<MonitorId, Vec<MonitorId>>,
    /// When silence next has to be looked at.
    deadline: Option<Timestamp>,
    /// Who told another process how they are, and is nobody's target any more.
    strangers: Vec<TargetId>,
    /// The last reading of each.
    canaries: BTreeMap<TargetId, Option<Reading>>,
    page_url: String,
    checked_at: Option<Timestamp>,
}

impl Board {
    /// The board as the last process left it. Time in which no process ran
    /// belongs to nobody: it is no data.
    pub(crate) fn restore(
        assignments: &Arc<Assignments>,
        loaded: Loaded,
        days: &[Rollup],
        page_url: String,
        now: Timestamp,
    ) -> Self {
        let mut board = Self {
            assignments: Arc::clone(assignments),
            targets: HashMap::new(),
            monitors: HashMap::new(),
            dependencies: Arc::default(),
            desk: Desk::restore(loaded.told, &loaded.notes),
            held: BTreeMap::new(),
            folded: BTreeMap::new(),
            asked: HashMap::new(),
            incidents: Incidents::default(),
            planner: Planner::default(),
            paused: pausing::read(&loaded.notes),
            announced: announced::restore(&loaded.documents),
            network: loaded.network,
            queues: HashMap::new(),
            deadline: None,
            strangers: Vec::new(),
            canaries: BTreeMap::new(),
            page_url,
            checked_at: None,
        };
        let (mut targets, mut monitors) = (loaded.targets, loaded.monitors);
        let mut heard = loaded.heard;
        for assigned in &assignments.monitors {
            let known = listening::known_targets(&assigned.monitor, &heard);
            for target in &known {
                let mut state = targets.remove(target).unwrap_or_default();
                // A restart is no lack of readings: they get their time anew.
                state.judged_at = state.judged_at.map(|_| now);
                let mut entry = Target::new(state, now);
                entry.heard = heard.remove(target);
                board.targets.insert(target.clone(), entry);
            }
            let state = monitors.remove(&assigned.monitor.id).unwrap_or_default();
            board.monitors.insert(
                assigned.monitor.id.clone(),
                Monitor::new(assigned, known, state, now),
            );
        }
        for rollup in days {
            if let Subject::Monitor(id) = &rollup.subject
                && let Some(monitor) = board.monitors.get_mut(id)
            {
                monitor.history.add_day(rollup.start, rollup.totals.time);
            }
        }
        board.wire();
        board.recall_planned(&loaded.documents, &loaded.notes, now);
        board.recall_traps();
        board.strangers = heard.into_keys().collect();
        board.listen_after_start(loaded.alive_at, now);
        board
    }

    /// Takes over a new configuration or shelf. What stays keeps its state.
    pub(crate) fn adopt(
        &mut self,
        assignments: &Arc<Assignments>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let before = std::mem::replace(&mut self.assignments, Arc::clone(assignments));
        let mut targets = std::mem::take(&mut self.targets);
        let mut monitors = std::mem::take(&mut self.monitors);
        for assigned in &assignments.monitors {
            let id = &assigned.monitor.id;
            let known = monitors.remove(id);
            let kept = listening::kept_targets(assigned, known.as_ref());
            for target in &kept {
                let entry = targets.remove(target);
                let mut entry = entry.unwrap_or_else(|| Target::new(TargetState::default(), now));
                let former = known.as_ref().map(|known| &*known.assigned);
                listening::adopt_rules(&mut entry, assigned, former, now);
                self.targets.insert(target.clone(), entry);
            }
            let entry = match known {
                Some(known) => Monitor {
                    assigned: Arc::clone(assigned),
                    targets: kept,
                    ..known
                },
                None => Monitor::new(assigned, kept, MonitorState::default(), now),
            };
            self.monitors.insert(id.clone(), entry);
        }
        // Where such a monitor comes back, nobody is held to what they said before.
        let told = targets
            .into_iter()
            .filter(|(_, entry)| entry.heard.is_some());
        self.strangers.extend(told.map(|(target, _)| target));
        self.forget_strangers(batch);
        self.forget_pauses(batch);
        self.wire();
        self.adopt_planned(now, batch);
        self.look_for_deadline();
        for assigned in &assignments.monitors {
            let trigger = if reshaped(&before, assigned) {
                Trigger::Configuration
            } else {
                Trigger::Targets
            };
            self.judge(&assigned.monitor.id, trigger, now, batch);
        }
        self.mark_missing(now, batch);
        self.mark_paused(now, batch);
        self.adopt_incidents(now, batch);
        self.due(now, batch);
    }

    /// Begins after the plugins were loaded, which began at `loading_since`: nobody
    /// could be asked or heard meanwhile, and that is no silence of theirs.
    pub(crate) fn begin(&mut self, loading_since: Timestamp, now: Timestamp) {
        for target in self.targets.values_mut() {
            target.state.judged_at = target.state.judged_at.map(|_| now);
        }
        self.listen_again(Gap {
            from: loading_since,
            to: now,
        });
    }

    /// Tells what a restart may have kept from being told, and marks what has no
    /// plugin.
    pub(crate) fn resume(&mut self, now: Timestamp, batch: &mut Batch) {
        self.mark_missing(now, batch);
        self.mark_paused(now, batch);
        self.tell_start(now, batch);
        self.retell_all(now, batch);
        self.desk.is_open = true;
        self.due(now, batch);
        self.tell_planned(now, batch);
    }

    fn retell_all(&mut self, now: Timestamp, batch: &mut Batch) {
        let ids: Vec<_> = self
            .assignments
            .monitors
            .iter()
            .map(|assigned| assigned.monitor.id.clone())
            .collect();
        for id in ids {
            self.judge(&id, Trigger::Targets, now, batch);
            self.retell(&id, now, batch);
        }
    }

    /// Takes in what a run found.
    pub(crate) fn take(&mut self, run: Finished, now: Timestamp, batch: &mut Batch) {
        let clouded = self.is_clouded(&run);
        let Finished {
            target, reading, ..
        } = run;
        if let Some(canary) = self.canaries.get_mut(&target) {
            *canary = Some(reading);
            self.judge_network(now, batch);
            return;
        }
        if self.is_paused(target.monitor()) {
            // It was under way when it was paused.
            return;
        }
        self.count_traps(&target, &reading, now, batch);
        self.take_reading(&target, reading, clouded, now, batch);
        self.settle(now, batch);
    }

    /// Takes in a reading; `clouded` if it says nothing of the target, because the
    /// host had no network.
    fn take_reading(
        &mut self,
        target: &TargetId,
        reading: Reading,
        clouded: bool,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        self.turn(now, batch);
        let is_paused = self.is_paused(target.monitor());
        let Some(entry) = self.targets.get_mut(target) else {
            return;
        };
        entry.last = Some(reading.clone());
        if is_paused {
            return;
        }
        self.checked_at = Some(reading.at);
        let answered = matches!(reading.verdict(), Some(Verdict::Healthy | Verdict::Sick));
        if let Some(latency) = reading.latency.filter(|_| answered)
            && let Some(monitor) = self.monitors.get_mut(target.monitor())
        {
            monitor.history.add_latency(latency);
        }
        let kept = store::Reading {
            at: reading.at,
            verdict: reading.verdict().filter(|_| !clouded),
            latency: reading.latency,
            reason: reading.reason().cloned(),
        };
        let input = if clouded {
            Input::Lost
        } else {
            Input::Reading(reading)
        };
        self.input(target, &input, Some(kept), now, batch);
        self.judge(target.monitor(), Trigger::Targets, now, batch);
    }

    /// Whether a run says nothing about its target because the host had no
    /// network while it ran.
    fn is_clouded(&self, run: &Finished) -> bool {
        run.reading.verdict() == Some(Verdict::Dead)
            && match self.network.network {
                OwnNetwork::Lost => true,
                OwnNetwork::Fine => self.network.since.is_some_and(|back| run.began < back),
            }
    }

    /// Does what time alone has done.
    pub(crate) fn tick(&mut self, now: Timestamp, batch: &mut Batch) {
        self.turn(now, batch);
        let mut due = Vec::new();
        let assigned = self.assignments.monitors.iter();
        for monitor in assigned.filter_map(|it| self.monitors.get(&it.monitor.id)) {
            for target in &monitor.targets {
                let entry = self.targets.get(target);
                let rules = &monitor.assigned.monitor.rules;
                let at = entry.and_then(|entry| next_tick(&entry.state, rules));
                if at.is_some_and(|at| at <= now) {
                    due.push(target.clone());
                }
            }
        }
        for target in &due {
            self.input(target, &Input::Tick, None, now, batch);
            self.judge(target.monitor(), Trigger::Targets, now, batch);
        }
        self.account_listening(now, batch);
        self.settle(now, batch);
        self.tick_incidents(now, batch);
        self.due(now, batch);
        self.tell_planned(now, batch);
    }

    /// Moves what is remembered in the past by `millis`, after the wall clock was
    /// stepped by that much and shows `now`: no reading gets older by it.
    pub(crate) fn shift(&mut self, millis: i64, now: Timestamp) {
        let moved = |at: Timestamp| Timestamp::from_millis(at.as_millis().saturating_add(millis));
        for target in self.targets.values_mut() {
            target.state.judged_at = target.state.judged_at.map(moved);
            target.accounted = moved(target.accounted);
        }
        for monitor in self.monitors.values_mut() {
            monitor.accounted = moved(monitor.accounted);
        }
        self.desk.shift(millis);
        self.stir_planned();
        self.shift_listening(millis, now);
    }

    /// Whether a dead reading of `target` should wait for word of the canaries:
    /// it would turn the target dead, and the host's own network may be gone.
    pub(crate) fn doubts(&self, target: &TargetId, reading: &Reading) -> bool {
        !self.canaries.is_empty()
            && self.network.network == OwnNetwork::Fine
            && reading.verdict() == Some(Verdict::Dead)
            && !self.canaries.contains_key(target)
            && self
                .targets
                .get(target)
                .is_some_and(|known| known.state.standing.health != Health::Dead)
    }

    /// Whether every canary was heard after `since`.
    pub(crate) fn is_cleared(&self, since: Timestamp) -> bool {
        self.canaries
            .values()
            .all(|last| last.as_ref().is_some_and(|reading| reading.at >= since))
    }

    /// How long the canaries may take.
    pub(crate) fn canary_patience(&self) -> Duration {
        self.assignments
            .canaries
            .iter()
            .map(|canary| canary.longest_run())
            .max()
            .unwrap_or_default()
    }

    /// The configuration with its plugins.
    pub(crate) fn assignments(&self) -> &Assignments {
        &self.assignments
    }

    /// The configuration.
    pub(crate) fn config(&self) -> &Config {
        &self.assignments.config
    }

    /// The monitor `id`.
    pub(crate) fn monitor(&self, id: &MonitorId) -> Option<&Monitor> {
        self.monitors.get(id)
    }

    /// The monitor `id`, for adding to its history.
    pub(crate) fn monitor_mut(&mut self, id: &MonitorId) -> Option<&mut Monitor> {
        self.monitors.get_mut(id)
    }

    /// Where people find the page.
    pub(crate) fn page_url(&self) -> &str {
        &self.page_url
    }

    /// When the last check ended; `None` before the first.
    pub(crate) const fn checked_at(&self) -> Option<Timestamp> {
        self.checked_at
    }

    /// The target `id`.
    pub(crate) fn target(&self, id: &TargetId) -> Option<&Target> {
        self.targets.get(id)
    }

    /// Derives what follows from the configuration.
    fn wire(&mut self) {
        let config = &self.assignments.config;
        self.queues = listening::queues(config);
        self.dependencies = Arc::clone(&config.dependencies);
        self.desk.wire(config);
        let monitors = &self.monitors;
        self.held
            .retain(|monitor, _| monitors.contains_key(monitor));
        self.folded
            .retain(|monitor, _| monitors.contains_key(monitor));
        let canaries = self
            .assignments
            .canaries
            .iter()
            .flat_map(|canary| canary.monitor.targets.iter());
        let mut known_readings = std::mem::take(&mut self.canaries);
        self.canaries = canaries
            .map(|target| (target.clone(), known_readings.remove(target).flatten()))
            .collect();
    }

    fn mark_missing(&mut self, now: Timestamp, batch: &mut Batch) {
        let assignments = Arc::clone(&self.assignments);
        for assigned in &assignments.monitors {
            self.mark_if_missing(assigned, now, batch);
        }
    }

    fn mark_if_missing(&mut self, assigned: &Assigned, now: Timestamp, batch: &mut Batch) {
        let Ready::Missing(why) = &assigned.plugin else {
            return;
        };
        if assigned.monitor.passive.is_some() {
            return;
        }
        let input = Input::Missing {
            reason: Arc::clone(why),
        };
        for target in assigned.monitor.targets.iter() {
            self.input(target, &input, None, now, batch);
        }
        self.judge(&assigned.monitor.id, Trigger::Targets, now, batch);
    }

    /// Steps one target.
    fn input(
        &mut self,
        target: &TargetId,
        input: &Input,
        reading: Option<store::Reading>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if self.is_paused(target.monitor()) && !matches!(input, Input::Paused { .. }) {
            return;
        }
        let (Some(entry), Some(monitor)) = (
            self.targets.get_mut(target),
            self.monitors.get(target.monitor()),
        ) else {
            return;
        };
        let before = entry.state.standing.health;
        let maintained = monitor.maintained;
        let span = entry.account(now, before, maintained);
        let was_wavering = entry.state.is_wavering();
        let stepped = step(&entry.state, input, &monitor.assigned.monitor.rules, now);
        entry.state = stepped.state;
        batch.samples.push(Sample {
            subject: Subject::Target(target.clone()),
            reading,
            span,
        });
        for event in &stepped.events {
            if let Event::Changed(change) = event {
                batch.commit.changes.push(NewChange {
                    subject: Subject::Target(target.clone()),
                    change: change.clone(),
                    maintained,
                    folded_into: None,
                });
            }
        }
        if !stepped.events.is_empty() || entry.state.is_wavering() || was_wavering {
            batch
                .commit
                .targets
                .push((target.clone(), entry.state.clone()));
        }
    }

    /// Steps one monitor after its targets.
    fn judge(&mut self, id: &MonitorId, trigger: Trigger, now: Timestamp, batch: &mut Batch) {
        let Some(monitor) = self.monitors.get_mut(id) else {
            return;
        };
        let views: Vec<_> = monitor
            .targets
            .iter()
            .filter_map(|id| {
                Some(TargetView {
                    id,
                    state: &self.targets.get(id)?.state,
                })
            })
            .collect();
        let before = monitor.state.standing.health;
        let stepped = step_monitor(
            &monitor.state,
            monitor.assigned.monitor.combine,
            &views,
            trigger,
            now,
        );
        if let Some(span) = monitor.account(now, before) {
            let subject = Subject::Monitor(id.clone());
            batch.samples.push(Sample {
                subject,
                reading: None,
                span: Some(span),
            });
        }
        monitor.version += 1;
        let maintained = monitor.maintained;
        let moved = monitor.state != stepped.state;
        monitor.state = stepped.state;
        if moved {
            batch
                .commit
                .monitors
                .push((id.clone(), monitor.state.clone()));
        }
        let standing = &monitor.state.standing;
        if matches!(standing.health, Health::Sick | Health::Dead)
            && maintained == Maintained::No
            && let Some(reason) = &standing.reason
        {
            let (health, reason) = (standing.health, Arc::clone(reason));
            monitor.history.explain(now, health, &reason);
        }
        for event in stepped.events {
            let change = if let Event::Changed(change) = &event {
                Some(change.clone())
            } else {
                None
            };
            if maintained == Maintained::No {
                self.tell_or_hold(id, &event, now, batch);
            }
            if let Some(change) = change {
                batch.changed.push(id.clone());
                batch.commit.changes.push(NewChange {
                    subject: Subject::Monitor(id.clone()),
                    change,
                    maintained,
                    folded_into: self.folded.get(id).map(|(_, root)| root.clone()),
                });
            }
        }
        if moved {
            self.follow_queue(id, now, batch);
        }
    }

    fn judge_network(&mut self, now: Timestamp, batch: &mut Batch) {
        use watchkeeper_engine::network::{NetworkEvent, step_network};

        let verdicts: Vec<_> = self
            .canaries
            .values()
            .map(|last| last.as_ref()?.verdict())
            .collect();
        let (state, event) = step_network(&self.network, &verdicts, now);
        let Some(event) = event else { return };
        self.network = state;
        batch.commit.network = Some(self.network.clone());
        match event {
            NetworkEvent::LostAt(at) => {
                tracing::error!("all canaries fail: the host has lost its own network");
                for target in self.seen_through_the_network() {
                    self.input(&target, &Input::Lost, None, now, batch);
                }
                let monitors: Vec<_> = self.monitors.keys().cloned().collect();
                for monitor in &monitors {
                    self.judge(monitor, Trigger::Targets, now, batch);
                }
                let what = "The monitoring host has lost its own network";
                self.trouble(troubles::NETWORK, Some(what.to_owned()), at, batch);
            }
            NetworkEvent::BackAt {
                lost_at, lasted, ..
            } => {
                self.listen_again(Gap {
                    from: lost_at,
                    to: now,
                });
                tracing::warn!(lasted = spell(lasted), "the host's own network is back");
                self.trouble(troubles::NETWORK, None, now, batch);
                self.stir(now);
            }
        }
    }
}

impl Target {
    fn new(state: TargetState, now: Timestamp) -> Self {
        Self {
            state,
            last: None,
            heard: None,
            accounted: now,
        }
    }

    /// The time since it was last accounted for.
    fn account(&mut self, now: Timestamp, health: Health, maintained: Maintained) -> Option<Span> {
        account(&mut self.accounted, now, health, maintained)
    }
}

impl Monitor {
    fn new(
        assigned: &Arc<Assigned>,
        targets: Vec<TargetId>,
        state: MonitorState,
        now: Timestamp,
    ) -> Self {
        Self {
            assigned: Arc::clone(assigned),
            targets,
            state,
            history: History::new(now),
            maintained: Maintained::No,
            version: 0,
            accounted: now,
        }
    }

    fn account(&mut self, now: Timestamp, health: Health) -> Option<Span> {
        let from = self.accounted;
        let maintained = self.maintained;
        let span = account(&mut self.accounted, now, health, maintained);
        if span.is_some() {
            self.history.add_span((from, now), health, maintained);
        }
        span
    }
}

fn account(
    accounted: &mut Timestamp,
    now: Timestamp,
    health: Health,
    maintained: Maintained,
) -> Option<Span> {
    let from = std::mem::replace(accounted, now);
    (from < now).then_some(Span {
        from,
        to: now,
        health,
        maintained,
    })
}

/// Whether the monitor's targets or rules are not those it had.
fn reshaped(before: &Assignments, assigned: &Assigned) -> bool {
    before
        .monitors
        .iter()
        .find(|known| known.monitor.id == assigned.monitor.id)
        .is_some_and(|known| {
            known.monitor.targets != assigned.monitor.targets
                || known.monitor.combine != assigned.monitor.combine
        })
}

/// A change that says no more than how something stands.
fn as_it_stands(standing: &watchkeeper_engine::change::Standing, now: Timestamp) -> Change {
    let from = if standing.health == Health::Unknown {
        Health::Healthy
    } else {
        Health::Unknown
    };
    Change {
        from,
        to: standing.health,
        at: now,
        since: standing.since.unwrap_or(now),
        lasted: None,
        reason: standing.reason.clone(),
        cause: standing.cause.unwrap_or(Cause::Reading),
    }
}

#[cfg(test)]
mod tests;
