//! The one task that decides: takes what runs found, steps the board, and sees
//! to it that what follows is kept, asked and told, in that order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::maintenance::Phase;
use watchkeeper_engine::reading::Outcome;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{Commit, Store, StoreError};
use watchkeeper_web::{Refusal, View, What};

use crate::announcing::AllAnnounced;
use crate::aside::Aside;
use crate::assignment::Assignments;
use crate::board::{Batch, Board};
use crate::clock::Clock;
use crate::console::{Beats, Paused};
use crate::intake::{self, Keys, Message};
use crate::orders::Order;
use crate::page::Views;
use crate::planning::AllPlanned;
use crate::run::Finished;
use crate::scheduler::Request;
use crate::spaces::{Owner, Spaces};
use crate::telemetry::Metrics;

/// How many runs may wait to be taken in. Runs beyond that wait to end, which
/// delays nothing but the next check of the same target.
pub(crate) const QUEUE: usize = 4_096;

/// How many runs are taken in between two commits.
const AT_ONCE: usize = 512;

/// How often time alone may move something.
const TICK: Duration = Duration::from_secs(1);

/// How often the page shows new latencies while no health changes.
const PAGE_EVERY: Duration = Duration::from_secs(5);

/// How often silence is looked at, at most, beside the ticks: each look goes through
/// all who tell how they are. It is an outage from its own moment, however late that
/// is noticed.
const SILENCE_PAUSE: Duration = Duration::from_millis(100);

/// How often it is written down that somebody listens. After a kill, what was said
/// in the last of these spans may be asked for again, and is not missed.
const ALIVE_EVERY: Duration = Duration::from_mins(1);

/// How many deliveries are kept in memory while the store cannot write. The
/// oldest are given up beyond it, each with an error in the log.
const MOST_UNSAVED: usize = 10_000;

/// See the module.
pub(crate) struct Apply {
    pub(crate) board: Board,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) assignments: watch::Receiver<Arc<Assignments>>,
    pub(crate) finished: mpsc::Receiver<Finished>,
    /// What the outside says.
    pub(crate) told: mpsc::Receiver<Message>,
    /// What is said beside that.
    pub(crate) asides: mpsc::Receiver<Aside>,
    /// Until when nobody is reminded.
    pub(crate) hushed: watch::Sender<Option<Timestamp>>,
    /// When this task was last seen to decide.
    pub(crate) pulse: watch::Sender<Instant>,
    /// Who may say what, by the present configuration.
    pub(crate) keys: watch::Sender<Arc<Keys>>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) metrics: Arc<Metrics>,
    /// Rung when the outbox has something new.
    pub(crate) bell: Arc<Notify>,
    pub(crate) view: watch::Sender<View>,
    pub(crate) views: Views,
    /// Everything that is announced.
    pub(crate) announced: watch::Sender<AllAnnounced>,
    /// Everything that is planned.
    pub(crate) planned: watch::Sender<AllPlanned>,
    /// What could not be written yet.
    pub(crate) unsaved: Commit,
    /// Dead readings that wait for word of the canaries.
    pub(crate) doubted: Vec<Doubted>,
    /// Since when silences wait for word of the canaries.
    pub(crate) doubting_silence: Option<(Instant, Timestamp)>,
    /// When it was last written down that somebody listens.
    pub(crate) alive: Option<Instant>,
    /// What people want done.
    pub(crate) orders: mpsc::Receiver<Order>,
    /// What is not checked.
    pub(crate) paused: watch::Sender<Arc<Paused>>,
    /// How the latest checks ended.
    pub(crate) beats: Arc<Beats>,
}

/// Who said something, and how it was taken.
type Heard = (oneshot::Sender<Result<(), Refusal>>, Result<(), Refusal>);

/// A dead reading that may be the host's own fault.
pub(crate) struct Doubted {
    run: Finished,
    since: Instant,
}

impl Apply {
    /// Decides until `stop`, and takes in what has ended until then.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shown = Instant::now();
        let mut runs = Vec::with_capacity(AT_ONCE);
        let mut batch = Batch::default();
        self.board.resume(self.clock.now(), &mut batch);
        self.hushed.send_replace(self.board.hushed_until());
        self.carry_out(batch).await;
        self.show_all();
        let mut follows = true;
        let mut listens = true;
        let mut is_spoken_to = true;
        let mut takes_orders = true;
        loop {
            let mut batch = Batch::default();
            let mut heard = Vec::new();
            let mut done = Vec::new();
            let silence = self.until_silence();
            let due = self.until_due();
            tokio::select! {
                biased;
                changed = self.assignments.changed(), if follows => {
                    // Once nobody joins configuration and shelf any more, there is
                    // nothing to follow: a closed channel is always ready.
                    follows = changed.is_ok();
                    if follows {
                        let assignments = Arc::clone(&self.assignments.borrow_and_update());
                        self.keys.send_replace(Arc::new(Keys::of(&assignments.config)));
                        self.board.adopt(&assignments, self.clock.now(), &mut batch);
                        self.show_paused();
                        self.metrics.forget_monitors();
                        self.beats.keep(|monitor| self.board.monitor(monitor).is_some());
                        self.carry_out(batch).await;
                        self.show_all();
                    }
                    continue;
                }
                _ = ticks.tick() => {
                    self.hear_all(&mut batch, &mut heard).await;
                    self.tick(&mut batch);
                }
                () = silence => {
                    self.hear_all(&mut batch, &mut heard).await;
                    self.miss(&mut batch);
                }
                () = due => self.board.due(self.clock.now(), &mut batch),
                aside = self.asides.recv(), if is_spoken_to => {
                    is_spoken_to = aside.is_some();
                    done.extend(aside.and_then(|aside| self.take_aside(aside, &mut batch)));
                }
                message = self.told.recv(), if listens => {
                    listens = message.is_some();
                    if let Some(message) = message {
                        self.hear(message, &mut batch, &mut heard).await;
                        self.hear_all(&mut batch, &mut heard).await;
                    }
                }
                order = self.orders.recv(), if takes_orders => {
                    takes_orders = order.is_some();
                    if let Some(order) = order {
                        self.obey(order).await;
                    }
                    continue;
                }
                taken = self.finished.recv_many(&mut runs, AT_ONCE) => {
                    if taken == 0 {
                        break;
                    }
                    for run in runs.drain(..) {
                        self.take(run, &mut batch).await;
                    }
                    self.take_doubted(&mut batch);
                    if self.doubting_silence.is_some() {
                        self.miss(&mut batch);
                    }
                }
                // Comes after the queue, which is therefore empty.
                () = stop.cancelled() => break,
            }
            let urgent = !batch.changed.is_empty() || batch.is_news;
            self.carry_out(batch).await;
            let is_kept = self.is_kept();
            answer(heard, is_kept);
            for done in done {
                // Whoever asked may have left. One that hears nothing knows that it may
                // be forgotten.
                if is_kept {
                    _ = done.send(());
                }
            }
            if urgent || shown.elapsed() >= PAGE_EVERY {
                shown = Instant::now();
                self.show();
            }
        }
        let mut last = Batch::default();
        self.note_alive(&mut last, Duration::ZERO);
        self.carry_out(last).await;
    }

    /// Takes in everything that has been said: nobody is silent whose word waits.
    async fn hear_all(&mut self, batch: &mut Batch, heard: &mut Vec<Heard>) {
        for _ in 0..intake::QUEUE {
            let Ok(message) = self.told.try_recv() else {
                return;
            };
            self.hear(message, batch, heard).await;
        }
    }

    async fn hear(&mut self, message: Message, batch: &mut Batch, heard: &mut Vec<Heard>) {
        let now = self.clock.now();
        let at = now - message.at.elapsed();
        let forgets = matches!(message.told.what, What::Forget { .. });
        if forgets {
            // What is forgotten is forgotten after what was said before.
            self.carry_out(std::mem::take(batch)).await;
        }
        let taken = self.board.hear(&message.told, at, now, batch);
        if forgets {
            self.carry_out(std::mem::take(batch)).await;
        }
        self.metrics.told(&message.told, taken);
        heard.push((message.reply, taken));
    }

    /// Resolves when a silence may have lasted too long.
    fn until_silence(&self) -> impl Future<Output = ()> + use<> {
        let deadline = self.board.deadline();
        let deadline = deadline.filter(|_| self.doubting_silence.is_none());
        let wait = deadline.map(|at| at.since(self.clock.now()).max(SILENCE_PAUSE));
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Resolves when something is to be told that nothing else will make happen.
    fn until_due(&self) -> impl Future<Output = ()> + use<> {
        let wait = self.board.due_at().map(|at| at.since(self.clock.now()));
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Takes in what is said beside readings and reports. Returns who waits for it
    /// to be kept.
    fn take_aside(&mut self, aside: Aside, batch: &mut Batch) -> Option<oneshot::Sender<()>> {
        let now = self.clock.now();
        match aside {
            Aside::Hush { span, done } => {
                self.board.hush(span, now, batch);
                self.hushed.send_replace(self.board.hushed_until());
                Some(done)
            }
            Aside::Channel { channel, why } => {
                self.board.channel_trouble(&channel, why, now, batch);
                None
            }
        }
    }

    /// Takes note of silences that have lasted too long, once the canaries say
    /// that they are not the host's own.
    fn miss(&mut self, batch: &mut Batch) {
        let now = self.clock.now();
        if self.board.deadline().is_none_or(|at| at > now) {
            return;
        }
        if self.board.doubts_silence() {
            match self.doubting_silence {
                None => {
                    self.doubting_silence = Some((Instant::now(), now));
                    batch.requests.push(Request::Canaries);
                    return;
                }
                Some((since, at)) => {
                    let patience = self.board.canary_patience() + TICK;
                    if !self.board.is_cleared(at) && since.elapsed() < patience {
                        return;
                    }
                }
            }
        }
        self.doubting_silence = None;
        self.board.miss(now, batch);
    }

    /// Writes down that somebody listens, if that was not done for `every`.
    fn note_alive(&mut self, batch: &mut Batch, every: Duration) {
        let is_due = self.alive.is_none_or(|last| last.elapsed() >= every);
        if is_due && self.board.listens() {
            self.alive = Some(Instant::now());
            batch.commit.alive_at = Some(self.clock.now());
        }
    }

    /// Takes in one run.
    async fn take(&mut self, run: Finished, batch: &mut Batch) {
        if let Some(space) = run.state.clone() {
            self.spaces.put(&Owner::Target(&run.target), space).await;
        }
        if self.board.doubts(&run.target, &run.reading) {
            batch.requests.push(Request::Canaries);
            self.doubted.push(Doubted {
                run,
                since: Instant::now(),
            });
            return;
        }
        self.decide(run, batch);
    }

    fn decide(&mut self, mut run: Finished, batch: &mut Batch) {
        let measurements = std::mem::take(&mut run.measurements);
        let failed = match &run.reading.outcome {
            Outcome::Judged { verdict, .. } => Some(*verdict == Verdict::Dead),
            Outcome::NoVerdict { .. } => None,
        };
        let latency = run.reading.latency;
        self.metrics
            .show_reading(&run.target, failed, latency, measurements);
        self.beats.note(run.target.monitor(), run.reading.verdict());
        self.board.take(run, self.clock.now(), batch);
    }

    /// Takes in the doubted readings that the canaries have cleared, or that
    /// have waited long enough.
    fn take_doubted(&mut self, batch: &mut Batch) {
        if self.doubted.is_empty() {
            return;
        }
        let patience = self.board.canary_patience() + TICK;
        let (cleared, waiting) =
            std::mem::take(&mut self.doubted)
                .into_iter()
                .partition(|doubted: &Doubted| {
                    self.board.is_cleared(doubted.run.reading.at)
                        || doubted.since.elapsed() >= patience
                });
        self.doubted = waiting;
        for doubted in cleared as Vec<Doubted> {
            self.decide(doubted.run, batch);
        }
    }

    fn tick(&mut self, batch: &mut Batch) {
        if let Some(millis) = self.clock.resynchronise() {
            warn!(millis, "the wall clock was stepped, or the machine slept");
            self.metrics.clock_steps.inc();
            self.board.shift(millis, self.clock.now());
        }
        self.board.tick(self.clock.now(), batch);
        self.miss(batch);
        self.note_alive(batch, ALIVE_EVERY);
        self.take_doubted(batch);
        let troubles = self.store.trouble();
        self.metrics
            .store_trouble
            .set(i64::from(!troubles.is_empty()));
        let troubles: Vec<_> = troubles.iter().map(ToString::to_string).collect();
        let trouble = (!troubles.is_empty()).then(|| troubles.join("; "));
        self.board.store_trouble(trouble, self.clock.now(), batch);
        self.pulse.send_replace(Instant::now());
    }

    /// Writes, then asks, then tells the outbox.
    pub(crate) async fn carry_out(&mut self, mut batch: Batch) {
        self.board.note(&mut batch);
        for monitor in &batch.changed {
            if let Some(known) = self.board.monitor(monitor) {
                let standing = &known.state.standing;
                let reason = standing.reason.as_deref().unwrap_or_default();
                if standing.health == Health::Healthy {
                    info!(%monitor, health = %standing.health, "changed");
                } else {
                    warn!(%monitor, health = %standing.health, reason, "changed");
                }
                self.metrics.show_monitor(monitor, standing.health);
            }
        }
        let of_targets = batch
            .commit
            .changes
            .iter()
            .filter(|change| change.subject.address().is_some());
        self.metrics.changes.inc_by(of_targets.count() as u64);
        let tells = !batch.commit.deliveries.is_empty();
        merge(&mut self.unsaved, batch.commit);
        if !is_empty(&self.unsaved) {
            self.save().await;
        }
        if tells {
            self.bell.notify_one();
        }
        if !batch.samples.is_empty()
            && let Err(problem) = self.store.record(batch.samples).await
        {
            error!(%problem, "readings cannot be kept");
        }
        for request in batch.requests {
            // A full queue means that more checks are asked for than can be run:
            // whoever waits for this one goes on after its patience.
            _ = self.requests.try_send(request);
        }
    }

    /// Whether all that was decided is written.
    pub(crate) fn is_kept(&self) -> bool {
        is_empty(&self.unsaved)
    }

    /// Writes what is unsaved. What cannot be written is kept for the next time.
    async fn save(&mut self) {
        let commit = std::mem::take(&mut self.unsaved);
        match self.store.commit(commit.clone()).await {
            Ok(()) | Err(StoreError::Closed) => {}
            Err(problem) => {
                error!(%problem, "state cannot be written; it is tried again");
                self.unsaved = commit;
                let excess = self.unsaved.deliveries.len().saturating_sub(MOST_UNSAVED);
                for lost in self.unsaved.deliveries.drain(..excess) {
                    error!(channel = %lost.channel, notice = %lost.notice_id, "notice lost: the store does not write");
                }
                let excess = self.unsaved.changes.len().saturating_sub(MOST_UNSAVED);
                self.unsaved.changes.drain(..excess);
            }
        }
    }

    /// Shows everything anew, metrics included.
    fn show_all(&mut self) {
        self.views.forget();
        for assigned in &self.board.assignments().monitors {
            if let Some(monitor) = self.board.monitor(&assigned.monitor.id) {
                self.metrics
                    .show_monitor(&assigned.monitor.id, monitor.state.standing.health);
            }
        }
        self.show();
    }

    /// Lets the scheduler know what is paused.
    pub(crate) fn show_paused(&self) {
        let paused = self.board.all_paused();
        self.paused.send_if_modified(|known| {
            let differs = **known != paused;
            if differs {
                *known = Arc::new(paused);
            }
            differs
        });
    }

    pub(crate) fn show(&mut self) {
        self.announced.send_if_modified(|known| {
            let now = self.board.announced();
            let is_new = **known != *now;
            if is_new {
                *known = now.into();
            }
            is_new
        });
        self.planned.send_if_modified(|known| {
            let now = self.board.planned();
            let is_new = **known != *now;
            if is_new {
                *known = now.into();
            }
            is_new
        });
        let now = self.clock.now();
        let mut maintenances = [0, 0];
        for planned in self.board.planned() {
            match planned.phase(now) {
                Phase::Scheduled => maintenances[0] += 1,
                Phase::InProgress => maintenances[1] += 1,
                Phase::Completed | Phase::Cancelled => {}
            }
        }
        self.metrics.standings.show_maintenances(maintenances);
        let view = self.views.make(&self.board, now);
        let services = view.services.iter().map(|it| (it.id.clone(), it.health));
        self.metrics.standings.show_services(services);
        self.view.send_replace(view);
    }
}

/// Answers who said something, now that it would not be forgotten; if it would,
/// because the store does not write, they had better say it again.
fn answer(heard: Vec<Heard>, is_kept: bool) {
    for (reply, taken) in heard {
        let taken = taken.and(if is_kept { Ok(()) } else { Err(Refusal::Busy) });
        // Whoever asked may have left.
        _ = reply.send(taken);
    }
}

fn is_empty(commit: &Commit) -> bool {
    *commit == Commit::default()
}

/// Adds `newer` after `older`. Of two states of one thing the newer is written
/// later, and so is the one that stays.
fn merge(older: &mut Commit, newer: Commit) {
    let Commit {
        targets,
        monitors,
        told,
        network,
        heard,
        alive_at,
        notes,
        changes,
        incidents,
        entries,
        documents,
        breaches,
        deliveries,
    } = newer;
    older.targets.extend(targets);
    older.monitors.extend(monitors);
    older.told.extend(told);
    older.network = network.or(older.network.take());
    older.heard.extend(heard);
    older.alive_at = alive_at.or(older.alive_at.take());
    older.notes.extend(notes);
    older.changes.extend(changes);
    older
        .incidents
        .retain(|known| incidents.iter().all(|newer| newer.id != known.id));
    older.incidents.extend(incidents);
    older.entries.extend(entries);
    older.documents.extend(documents);
    older.breaches.extend(breaches);
    older.deliveries.extend(deliveries);
}
