//! The one thread that writes `series.db`.
//!
//! A sample is taken into memory at once, written to the tail within a second,
//! and packed with all others about every ten minutes. Where the file cannot be
//! written, memory goes on up to a bound, and nothing else notices.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;
use tracing::{error, info, warn};
use watchkeeper_engine::time::Timestamp;

use super::folder::Folder;
use super::live::{Live, tidy};
use super::shared::Shared;
use super::tail::Batch;
use super::{database, locked, reading, series, writing};
use crate::error::StoreError;
use crate::series::Sample;
use crate::state::Subject;

/// How many samples may wait to be written.
const QUEUE: u32 = 65_536;

/// How many orders (to flush, to prune) may wait.
const ORDERS: u32 = 64;

/// How long a sample waits to be written, at most.
const BATCH_DELAY: Duration = Duration::from_secs(1);

/// How long the thread lets messages gather while samples wait to be written: to be
/// woken for every single one costs more than to take it in.
const GATHER: Duration = Duration::from_millis(25);

/// How many samples are written together.
const BATCH: usize = 1_000;

/// How long [`Recorder::record`] waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest time between two checkpoints, for when the wall clock does not
/// tell. The usual reason is that readings of a new block come in.
const CHECKPOINT_EVERY: Duration = Duration::from_mins(20);

/// How long after a failed checkpoint the next is tried.
const CHECKPOINT_RETRY: Duration = Duration::from_mins(1);

/// So many readings in memory make a checkpoint due, about 64 MB.
const MANY_READINGS: usize = 1_000_000;

/// So many are the most that memory holds when checkpoints fail.
const MOST_READINGS: usize = 2_000_000;

/// How many bytes of batches that could not be written are kept to be tried
/// again. What is let go is still in memory, and lost only to a crash.
const MOST_UNWRITTEN: usize = 16 << 20;

/// The way to the thread.
pub(super) struct Recorder {
    messages: Mutex<Option<Sender<Message>>>,
    room: Arc<Semaphore>,
    orders: Arc<Semaphore>,
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<Result<(), StoreError>>>>,
    shared: Arc<Shared>,
}

enum Message {
    Samples(Vec<Sample>, OwnedSemaphorePermit),
    Order(
        Order,
        oneshot::Sender<Result<(), StoreError>>,
        OwnedSemaphorePermit,
    ),
}

enum Order {
    Flush,
    Prune(Timestamp),
}

/// What the thread works with.
pub(super) struct Desk {
    pub(super) connection: Connection,
    pub(super) live: Arc<RwLock<Live>>,
    pub(super) next_key: i64,
    pub(super) keep_readings: Duration,
    pub(super) shared: Arc<Shared>,
    pub(super) folder: Arc<Folder>,
}

impl Recorder {
    /// Starts the thread.
    pub(super) fn start(desk: Desk) -> Result<Self, StoreError> {
        // Each sample and each order needs a permit, which bounds the channel
        // without room that is set aside for its fullest moment.
        let (messages, inbox) = channel();
        let (end, ended) = oneshot::channel();
        let shared = Arc::clone(&desk.shared);
        let folder = Arc::clone(&desk.folder);
        thread::Builder::new()
            .name("store-series".into())
            .spawn(move || {
                let closed = Work::new(desk).serve(&inbox);
                drop(folder);
                // Nobody may be waiting, which is fine.
                end.send(closed).ok();
            })
            .map_err(|error| {
                StoreError::io("cannot start the thread that writes", "series.db", error)
            })?;
        Ok(Self {
            messages: Mutex::new(Some(messages)),
            room: Arc::new(Semaphore::new(QUEUE as usize)),
            orders: Arc::new(Semaphore::new(ORDERS as usize)),
            ended: tokio::sync::Mutex::new(Some(ended)),
            shared,
        })
    }

    /// Queues samples.
    pub(super) async fn record(&self, mut samples: Vec<Sample>) -> Result<(), StoreError> {
        let before = samples.len();
        samples.retain(is_storable);
        if samples.len() < before {
            warn!(
                count = before - samples.len(),
                "samples with an impossible time dropped"
            );
            self.dropped(before - samples.len());
        }
        while !samples.is_empty() {
            let rest = samples.split_off(samples.len().min(BATCH));
            let count = u32::try_from(samples.len()).unwrap_or(QUEUE);
            let room = Arc::clone(&self.room).acquire_many_owned(count);
            let Ok(permit) = tokio::time::timeout(PATIENCE, room).await else {
                let dropped = samples.len() + rest.len();
                self.dropped(dropped);
                return Err(StoreError::Overloaded { dropped });
            };
            let permit = permit.map_err(|_| StoreError::Closed)?;
            self.send(Message::Samples(samples, permit))?;
            samples = rest;
        }
        Ok(())
    }

    /// Writes what is queued.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.order(Order::Flush).await
    }

    /// Removes what is past its retention.
    pub(super) async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        self.order(Order::Prune(now)).await
    }

    /// Writes everything and closes the file.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        drop(locked(&self.messages).take());
        match self.ended.lock().await.take() {
            Some(ended) => ended.await.unwrap_or(Err(StoreError::Closed)),
            None => Ok(()),
        }
    }

    async fn order(&self, order: Order) -> Result<(), StoreError> {
        let permit = Arc::clone(&self.orders)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.send(Message::Order(order, reply, permit))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let messages = locked(&self.messages);
        let messages = messages.as_ref().ok_or(StoreError::Closed)?;
        messages.send(message).map_err(|_| StoreError::Closed)
    }

    fn dropped(&self, count: usize) {
        self.shared
            .dropped
            .fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// Whether the times are ones that a calendar has: years 1970 to 9999.
fn is_storable(sample: &Sample) -> bool {
    const END: i64 = 253_402_300_800_000;
    let fits = |at: Timestamp| (0..END).contains(&at.as_millis());
    sample
        .reading
        .as_ref()
        .is_none_or(|reading| fits(reading.at))
        && sample
            .span
            .is_none_or(|span| fits(span.from) && fits(span.to))
}

/// The thread's side.
struct Work {
    desk: Desk,
    /// Samples not yet written, and the room they take in the queue.
    batch: Batch,
    permits: Vec<OwnedSemaphorePermit>,
    /// Batches whose writing failed, oldest first.
    unwritten: VecDeque<Vec<u8>>,
    /// Subjects that the file does not know yet.
    new_subjects: Vec<(i64, Subject)>,
    /// When the next checkpoint is due whatever the readings say; after a failed
    /// one, the first moment to try again.
    checkpoint_at: Instant,
    /// Whether the last checkpoint failed.
    checkpoint_failed: bool,
}

impl Work {
    fn new(desk: Desk) -> Self {
        Self {
            desk,
            batch: Batch::default(),
            permits: Vec::new(),
            unwritten: VecDeque::new(),
            new_subjects: Vec::new(),
            checkpoint_at: Instant::now() + CHECKPOINT_EVERY,
            checkpoint_failed: false,
        }
    }

    fn serve(mut self, inbox: &Receiver<Message>) -> Result<(), StoreError> {
        let mut due: Option<Instant> = None;
        loop {
            let message = match (inbox.try_recv(), due) {
                (Err(TryRecvError::Empty), None) => {
                    inbox.recv().map_err(|_| TryRecvError::Disconnected)
                }
                (Err(TryRecvError::Empty), Some(at)) => {
                    let rest = at.saturating_duration_since(Instant::now());
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "a thread of its own, not one of the runtime's"
                    )]
                    thread::sleep(GATHER.min(rest));
                    Err(TryRecvError::Empty)
                }
                (message, _) => message,
            };
            match message {
                Ok(Message::Samples(samples, permit)) => {
                    self.take(samples);
                    self.permits.push(permit);
                    due.get_or_insert_with(|| Instant::now() + BATCH_DELAY);
                }
                Ok(Message::Order(Order::Flush, reply, _permit)) => {
                    due = None;
                    reply.send(self.write()).ok();
                }
                Ok(Message::Order(Order::Prune(now), reply, _permit)) => {
                    reply.send(self.prune(now)).ok();
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => break,
            }
            if self.batch.len() >= BATCH || due.is_some_and(|at| at <= Instant::now()) {
                due = None;
                // The failure is in the log and shown as trouble.
                self.write().ok();
            }
            if self.is_checkpoint_due() {
                self.checkpoint().ok();
            }
        }
        let closed = self.checkpoint();
        if let Err((_, error)) = self.desk.connection.close() {
            warn!(%error, "series.db not closed cleanly");
        }
        closed
    }

    /// Takes samples into memory and into the batch.
    fn take(&mut self, samples: Vec<Sample>) {
        let mut live = writing(&self.desk.live);
        for sample in samples {
            let key = match live.keys.get(&sample.subject) {
                Some(&key) => key,
                None if series::is_key(self.desk.next_key) => {
                    let key = self.desk.next_key;
                    self.desk.next_key += 1;
                    live.keys.insert(sample.subject.clone(), key);
                    self.new_subjects.push((key, sample.subject));
                    key
                }
                None => {
                    self.desk.shared.dropped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
            };
            let reading = sample.reading.map(tidy);
            live.apply(key, reading.as_ref(), sample.span.as_ref());
            self.batch.add(key, reading.as_ref(), sample.span.as_ref());
        }
    }

    /// Writes the batch, and what could not be written before.
    fn write(&mut self) -> Result<(), StoreError> {
        if self.batch.len() > 0 {
            self.unwritten.push_back(self.batch.take());
        }
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let (subjects, batches) = (&self.new_subjects, &self.unwritten);
        let written = transact(&mut self.desk.connection, &self.desk.shared, |connection| {
            series::add_subjects(connection, subjects)?;
            series::add_batches(connection, batches)?;
            Ok(())
        });
        match &written {
            Ok(()) => {
                self.unwritten.clear();
                self.new_subjects.clear();
                self.went_well();
            }
            Err(error) => {
                self.went_wrong(error);
                while self.unwritten.iter().map(Vec::len).sum::<usize>() > MOST_UNWRITTEN {
                    self.unwritten.pop_front();
                }
            }
        }
        // Also after a failure: memory has the samples, and whoever records must
        // not be held up by a full disk.
        self.permits.clear();
        written
    }

    fn is_checkpoint_due(&self) -> bool {
        let late = Instant::now() >= self.checkpoint_at;
        if self.checkpoint_failed {
            return late;
        }
        let live = reading(&self.desk.live);
        late || live.newest_block > live.first_block || live.readings >= MANY_READINGS
    }

    /// Packs everything that memory holds.
    fn checkpoint(&mut self) -> Result<(), StoreError> {
        let subjects = &self.new_subjects;
        let live = &self.desk.live;
        let packed = transact_then(
            &mut self.desk.connection,
            &self.desk.shared,
            |connection| {
                series::add_subjects(connection, subjects)?;
                // Only this thread changes it, so that it stays the same until
                // it is emptied below; others may read it meanwhile.
                series::checkpoint(connection, &reading(live))
            },
            |commit| {
                // Nobody may see the sums both here and in the file, or in
                // neither.
                let mut live = writing(live);
                commit()?;
                live.written();
                Ok(())
            },
        );
        match &packed {
            Ok(()) => {
                self.new_subjects.clear();
                self.unwritten.clear();
                self.batch.take();
                self.permits.clear();
                self.went_well();
                self.checkpoint_failed = false;
                self.checkpoint_at = Instant::now() + CHECKPOINT_EVERY;
            }
            Err(error) => {
                self.went_wrong(error);
                self.checkpoint_failed = true;
                self.checkpoint_at = Instant::now() + CHECKPOINT_RETRY;
                let mut live = writing(&self.desk.live);
                if live.readings > MOST_READINGS {
                    let count = live.drop_readings();
                    error!(
                        count,
                        "readings dropped: they could not be written for too long"
                    );
                    self.desk
                        .shared
                        .dropped
                        .fetch_add(count as u64, Ordering::Relaxed);
                }
            }
        }
        packed
    }

    fn prune(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let keys: Vec<i64> = reading(&self.desk.live).open.keys().copied().collect();
        let keep = self.desk.keep_readings;
        transact(&mut self.desk.connection, &self.desk.shared, |connection| {
            series::prune(connection, keys.iter().copied(), now, keep)
        })?;
        // Gives what was freed back to the file system, 16 MiB at a time so
        // that readings do not wait for long.
        let mut statement = self
            .desk
            .connection
            .prepare("PRAGMA incremental_vacuum(4096)")?;
        let mut rows = statement.query(())?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    fn went_well(&self) {
        self.desk.shared.wrote();
        if locked(&self.desk.shared.series_error).take().is_some() {
            info!("readings are written again");
        }
    }

    fn went_wrong(&self, error: &StoreError) {
        let text = error.to_string();
        let before = locked(&self.desk.shared.series_error).replace(text);
        if before.is_none() {
            error!(%error, "readings cannot be written; they are kept in memory");
        }
        if let StoreError::Sqlite { error } = error
            && database::is_damage(error)
        {
            // The next start looks at all of the file.
            let marker = self.desk.folder.file(super::SUSPECT);
            if let Err(error) = std::fs::write(&marker, b"") {
                warn!(file = %marker.display(), %error, "cannot write");
            }
        }
    }
}

/// Runs `write` in a transaction; a second time where the reserve made room.
fn transact(
    connection: &mut Connection,
    shared: &Shared,
    write: impl FnMut(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    transact_then(connection, shared, write, |commit| commit())
}

/// Like [`transact`], where `finish` does something around the commit.
fn transact_then(
    connection: &mut Connection,
    shared: &Shared,
    mut write: impl FnMut(&Connection) -> Result<(), StoreError>,
    mut finish: impl FnMut(&mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut once = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write(&transaction)?;
        let mut transaction = Some(transaction);
        finish(&mut || match transaction.take() {
            Some(transaction) => Ok(transaction.commit()?),
            None => Ok(()),
        })
    };
    match once() {
        Err(error) if shared.made_room(&error) => once(),
        result => result,
    }
}

#[cfg(test)]
mod tests;
