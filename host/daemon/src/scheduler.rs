//! Starts every check when it is due, by the monotonic clock.
//!
//! A target's phase within its interval comes from its identifier, so checks are
//! spread evenly and stay where they are through restarts and reloads. A check
//! is a task of its own: a slow target delays no other. Checks of one target
//! never overlap; one that is due while the one before still runs is left out
//! and counted.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::schedule;

use crate::assignment::{Assigned, Assignments};
use crate::console::Paused;
use crate::run::{self, Finished};
use crate::spaces::{Owner, Spaces};
use crate::telemetry::Metrics;

/// How many monitors may wait to be checked at once out of turn. Who asks beyond
/// that waits.
pub(crate) const REQUESTS: usize = 1_024;

/// A check asked for out of turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// All targets of this monitor.
    Monitor(MonitorId),
    /// All canaries.
    Canaries,
}

/// The scheduler's surroundings.
pub(crate) struct Scheduler {
    pub(crate) assignments: watch::Receiver<Arc<Assignments>>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) finished: mpsc::Sender<Finished>,
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) metrics: Arc<Metrics>,
    /// Monitors that are not checked.
    pub(crate) paused: watch::Receiver<Arc<Paused>>,
    /// From when on the time is counted.
    pub(crate) origin: Instant,
}

/// One target on the timetable.
struct Slot {
    assigned: Arc<Assigned>,
    target: TargetId,
    phase: Duration,
    canary: bool,
    under_way: Arc<AtomicBool>,
}

/// All slots and when each is due next, as the time since the origin.
struct Timetable {
    origin: Instant,
    slots: Vec<Slot>,
    due: BinaryHeap<Reverse<(Duration, usize)>>,
}

impl Scheduler {
    /// Starts checks until `stop`, then waits for those under way, at most
    /// `patience`.
    pub(crate) async fn run(mut self, stop: CancellationToken, patience: Duration) {
        let running = TaskTracker::new();
        let mut timetable = Timetable {
            origin: self.origin,
            slots: Vec::new(),
            due: BinaryHeap::new(),
        };
        let assignments = Arc::clone(&self.assignments.borrow_and_update());
        timetable.replace(&assignments);
        timetable.follow(&mut self, &stop, &running).await;
        running.close();
        _ = tokio::time::timeout(patience, running.wait()).await;
    }
}

impl Timetable {
    /// Takes over `assignments`. Targets that stay as they are keep their times;
    /// those that are new or changed are checked soon. A check under way is still
    /// known to be.
    fn replace(&mut self, assignments: &Assignments) {
        let mut known: HashMap<TargetId, Slot> = self
            .slots
            .drain(..)
            .map(|slot| (slot.target.clone(), slot))
            .collect();
        let mut fresh = Vec::new();
        let asking = assignments.monitors.iter();
        let regular = asking
            .filter(|assigned| assigned.monitor.passive.is_none())
            .map(|assigned| (assigned, false));
        let canaries = assignments.canaries.iter().map(|assigned| (assigned, true));
        for (assigned, canary) in regular.chain(canaries) {
            for target in assigned.monitor.targets.iter() {
                let before = known.remove(target);
                fresh.push(
                    before
                        .as_ref()
                        .is_none_or(|before| before.assigned.differs(assigned)),
                );
                self.slots.push(Slot {
                    assigned: Arc::clone(assigned),
                    target: target.clone(),
                    phase: schedule::phase(
                        &format!("{} {}", assigned.monitor.id, target.address()),
                        assigned.monitor.every,
                    ),
                    canary,
                    under_way: before.map(|before| before.under_way).unwrap_or_default(),
                });
            }
        }
        let now = self.origin.elapsed();
        let spread = first_round(fresh.iter().filter(|fresh| **fresh).count());
        self.due = self
            .slots
            .iter()
            .zip(fresh)
            .enumerate()
            .map(|(index, (slot, fresh))| {
                let regular = slot.next_due(now);
                let soon =
                    now + spread.mul_f64(slot.phase.div_duration_f64(slot.assigned.monitor.every));
                Reverse((if fresh { soon.min(regular) } else { regular }, index))
            })
            .collect();
    }

    /// Starts checks until `stop`.
    async fn follow(
        &mut self,
        scheduler: &mut Scheduler,
        stop: &CancellationToken,
        running: &TaskTracker,
    ) {
        loop {
            let next = self.due.peek().map(|Reverse((due, _))| self.origin + *due);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = scheduler.assignments.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let assignments = Arc::clone(&scheduler.assignments.borrow_and_update());
                    self.replace(&assignments);
                }
                Some(request) = scheduler.requests.recv() => {
                    for slot in self.slots.iter().filter(|slot| slot.is_asked_for(&request)) {
                        slot.start(scheduler, None, running);
                    }
                }
                () = sleep_until(next) => self.start_due(scheduler, running),
            }
        }
    }

    /// Starts everything that is due now.
    fn start_due(&mut self, scheduler: &Scheduler, running: &TaskTracker) {
        let now = self.origin.elapsed();
        while let Some(mut first) = self.due.peek_mut() {
            let Reverse((due, index)) = *first;
            if due > now {
                break;
            }
            let slot = &self.slots[index];
            *first = Reverse((slot.next_due(now), index));
            drop(first);
            slot.start(scheduler, Some(self.origin + due), running);
        }
    }
}

impl Slot {
    fn next_due(&self, now: Duration) -> Duration {
        schedule::next_due(self.phase, self.assigned.monitor.every, now)
    }

    fn is_asked_for(&self, request: &Request) -> bool {
        match request {
            Request::Monitor(monitor) => !self.canary && self.assigned.monitor.id == *monitor,
            Request::Canaries => self.canary,
        }
    }

    /// Starts a check unless one is under way. Its answer counts for whoever
    /// asked: it comes in anyway.
    fn start(&self, scheduler: &Scheduler, due: Option<Instant>, running: &TaskTracker) {
        let paused = !self.canary
            && scheduler
                .paused
                .borrow()
                .contains_key(&self.assigned.monitor.id);
        if paused {
            return;
        }
        if self.under_way.swap(true, Ordering::Relaxed) {
            if due.is_some() {
                scheduler.metrics.skipped.inc();
            }
            return;
        }
        let claim = Claim(Arc::clone(&self.under_way));
        let (assigned, target) = (Arc::clone(&self.assigned), self.target.clone());
        let metrics = Arc::clone(&scheduler.metrics);
        let finished = scheduler.finished.clone();
        let state = scheduler.spaces.get(&Owner::Target(&target));
        running.spawn(async move {
            let _claim = claim;
            metrics.in_flight.inc();
            if let Some(due) = due {
                metrics.began_late(due.elapsed());
            }
            let found = run::run(assigned, target, state, Arc::clone(&metrics)).await;
            metrics.in_flight.dec();
            // Nobody listens any more once the host shuts down.
            _ = finished.send(found).await;
        });
    }
}

/// Marks a target as free again, however its check ended.
struct Claim(Arc<AtomicBool>);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Over how long the first checks of `count` targets are spread: a person who
/// starts the host should see it work at once, and ten thousand targets should
/// not be met by ten thousand checks in one moment.
fn first_round(count: usize) -> Duration {
    Duration::from_millis(count as u64).max(Duration::from_secs(1))
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use watchkeeper_engine::time::Timestamp;
    use watchkeeper_store::{Options, SqliteStore, Store};
    use watchkeeper_web::PausedBy;

    use super::*;
    use crate::assignment::assign;
    use crate::clock;
    use crate::plugins::Shelf;

    /// Assignments of `count` monitors that are checked every ten seconds; none
    /// has a plugin, so that a run takes no time.
    fn assignments(count: usize) -> Arc<Assignments> {
        let monitors = (0..count).map(|number| {
            format!("[[service.monitor]]\nid = \"m{number}\"\ntargets = [\"tcp://h{number}:1\"]\nevery = \"10s\"\n")
        });
        let text = format!("[[service]]\nid = \"s\"\n{}", monitors.collect::<String>());
        let loaded = watchkeeper_config::load_texts(vec![("t.toml".to_owned(), text)], &|_| None);
        let config = loaded
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config;
        Arc::new(assign(&config, &Shelf::default(), &[]).0)
    }

    /// Runs a scheduler for `seconds` of paused time; returns when each target
    /// was checked, in milliseconds since the start.
    async fn checks(count: usize, seconds: u64) -> HashMap<TargetId, Vec<u64>> {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(Options::new(folder.path(), clock::wall())).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let (_keep, assignments) = watch::channel(assignments(count));
        let (_requests, requested) = mpsc::channel(1);
        let (finished, mut finishing) = mpsc::channel(count + 1);
        let pause = PausedBy {
            by: "ops".into(),
            at: Timestamp::from_millis(0),
        };
        let paused = Paused::from([(MonitorId::parse("s/m1").unwrap(), pause)]);
        let (_pausing, paused) = watch::channel(Arc::new(paused));
        let scheduler = Scheduler {
            assignments,
            requests: requested,
            paused,
            finished,
            spaces: Arc::new(Spaces::load(store).await.unwrap()),
            metrics: Arc::new(Metrics::new()),
            origin: Instant::now(),
        };
        let seen: Arc<Mutex<HashMap<TargetId, Vec<u64>>>> = Arc::default();
        let (into, start) = (Arc::clone(&seen), Instant::now());
        let collecting = tokio::spawn(async move {
            while let Some(run) = finishing.recv().await {
                let at = u64::try_from(start.elapsed().as_millis()).unwrap();
                into.lock().unwrap().entry(run.target).or_default().push(at);
            }
        });
        let stop = CancellationToken::new();
        let scheduling = tokio::spawn(scheduler.run(stop.clone(), Duration::from_secs(1)));
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        stop.cancel();
        scheduling.await.unwrap();
        collecting.await.unwrap();
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn every_target_keeps_its_rhythm() {
        let checks = checks(300, 65).await;
        assert_eq!(checks.len(), 299, "all but the one that is paused");
        for (target, times) in checks {
            assert!(
                times[0] <= 1_001,
                "{target} is first checked after {} ms",
                times[0]
            );
            let regular: Vec<_> = times.iter().skip(1).collect();
            assert!((6..=7).contains(&regular.len()), "{target}: {times:?}");
            for pair in regular.windows(2) {
                assert!(
                    (9_998..=10_002).contains(&(pair[1] - pair[0])),
                    "{target}: {times:?}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_targets_do_not_come_at_once() {
        let checks = checks(10_000, 21).await;
        let mut crowds: HashMap<u64, usize> = HashMap::new();
        for time in checks.values().flatten() {
            *crowds.entry(time / 100).or_default() += 1;
        }
        // The mean is a hundred in a tenth of a second; the first round overlaps
        // with nothing, so that no crowd is larger than chance makes it.
        let largest = crowds.values().max().copied().unwrap_or_default();
        assert!(largest <= 150, "{largest} checks in 100 ms");
    }
}
