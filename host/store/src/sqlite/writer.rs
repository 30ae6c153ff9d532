//! The one thread that writes `state.db`.
//!
//! Everyone who waits when it is free is served in one transaction, so that the
//! price of one fsync is shared; each is answered after it.

use std::sync::{Arc, Mutex};
use std::thread;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::folder::Folder;
use super::locked;
use super::shared::Shared;
use crate::error::StoreError;

/// How many writes may wait; whoever comes then waits for a place.
const QUEUE: usize = 1_024;

/// How many share one transaction.
const GROUP: usize = 256;

/// The way to the thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from here on.
    pub(super) fn start(
        connection: Connection,
        shared: Arc<Shared>,
        folder: Arc<Folder>,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        thread::Builder::new()
            .name("store-state".into())
            .spawn(move || {
                serve(connection, jobs, &shared);
                drop(folder);
                // Nobody may be waiting, which is fine.
                end.send(()).ok();
            })
            .map_err(|error| {
                StoreError::io("cannot start the thread that writes", "state.db", error)
            })?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            ended: tokio::sync::Mutex::new(Some(ended)),
        })
    }

    /// Runs `write` in a transaction, and answers when it is on the disk.
    ///
    /// `write` may be run a second time, after everything it did was rolled
    /// back.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        write: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let queue = locked(&self.queue).clone().ok_or(StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write {
            run: write,
            outcome: None,
            reply,
        });
        queue.send(job).await.map_err(|_| StoreError::Closed)?;
        // Held no longer, or the thread would never see the queue closed.
        drop(queue);
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Writes what is queued, and closes the file.
    pub(super) async fn close(&self) {
        drop(locked(&self.queue).take());
        if let Some(ended) = self.ended.lock().await.take() {
            ended.await.ok();
        }
    }
}

/// Something to be written, of whatever result.
trait Job: Send {
    /// Runs in a transaction; keeps its result.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Says how it went. `committed` is whether the transaction is on the disk.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<F, T> {
    run: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Write<F, T>
where
    F: FnMut(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let outcome = (self.run)(connection);
        let done = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        done
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        // Whoever asked may have gone; the write stands.
        reply
            .send(committed.and_then(|()| outcome.unwrap_or(Err(StoreError::Closed))))
            .ok();
    }
}

fn serve(mut connection: Connection, mut jobs: mpsc::Receiver<Box<dyn Job>>, shared: &Shared) {
    let mut group = Vec::with_capacity(GROUP);
    while let Some(first) = jobs.blocking_recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        let mut committed = transact(&mut connection, &mut group);
        if let Err(error) = &committed
            && shared.made_room(error)
        {
            committed = transact(&mut connection, &mut group);
        }
        match &committed {
            Ok(()) => shared.wrote(),
            Err(error) => error!(%error, writes = group.len(), "state cannot be written"),
        }
        for job in group.drain(..) {
            job.answer(committed.clone());
        }
    }
    if let Err((_, error)) = connection.close() {
        warn!(%error, "state.db not closed cleanly");
    }
}

/// Runs all of `group` in one transaction. One that fails by its own fault is
/// undone alone and keeps its error; where the disk is at fault, nothing stands.
fn transact(connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        transaction.execute_batch("SAVEPOINT job")?;
        match job.run(&transaction) {
            Ok(()) => transaction.execute_batch("RELEASE job")?,
            Err(error) if Shared::is_the_disks_fault(&error) => return Err(error),
            Err(_) => transaction.execute_batch("ROLLBACK TO job; RELEASE job")?,
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::ErrorCode;
    use watchkeeper_engine::time::Timestamp;

    use super::*;
    use crate::error::Trouble;
    use crate::sqlite::database::{self, Schema, Synchronous};
    use crate::sqlite::reserve::Reserve;

    const SCHEMA: Schema = Schema {
        steps: &["CREATE TABLE word (text TEXT PRIMARY KEY) STRICT"],
        synchronous: Synchronous::Full,
    };

    struct Desk {
        writer: Writer,
        shared: Arc<Shared>,
        _folder: tempfile::TempDir,
        ballast: std::path::PathBuf,
        file: std::path::PathBuf,
    }

    /// A writer whose file may grow by `pages`.
    fn desk(pages: i64) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        let connection = database::open_writer(&file, &SCHEMA, Timestamp::from_millis(0)).unwrap();
        let used: i64 = connection
            .query_row("PRAGMA page_count", (), |row| row.get(0))
            .unwrap();
        limit(&connection, used + pages);
        let ballast = folder.path().join("ballast");
        let shared = Arc::new(Shared::new(Reserve::take(ballast.clone(), 10_000), None));
        let lock = Arc::new(Folder::claim(folder.path()).unwrap());
        let writer = Writer::start(connection, Arc::clone(&shared), lock).unwrap();
        Desk {
            writer,
            shared,
            _folder: folder,
            ballast,
            file,
        }
    }

    /// How many pages the file may have: SQLite then says that the disk is full.
    fn limit(connection: &Connection, pages: i64) {
        connection
            .query_row(&format!("PRAGMA max_page_count({pages})"), (), |_| Ok(()))
            .unwrap();
    }

    fn insert(connection: &Connection, word: &str) -> Result<(), StoreError> {
        connection.execute("INSERT INTO word VALUES (?)", [word])?;
        Ok(())
    }

    fn words(desk: &Desk) -> i64 {
        let sql = Connection::open(&desk.file).unwrap();
        sql.query_row("SELECT count(*) FROM word", (), |row| row.get(0))
            .unwrap()
    }

    #[tokio::test]
    async fn a_write_that_fails_takes_no_other_with_it() {
        let desk = desk(1_000);
        let twice = desk.writer.run(|sql| {
            insert(sql, "twice")?;
            insert(sql, "twice")
        });
        let once = desk.writer.run(|sql| insert(sql, "once"));
        let again = desk.writer.run(|sql| insert(sql, "again"));
        let (twice, once, again) = tokio::join!(twice, once, again);
        let StoreError::Sqlite { error } = twice.unwrap_err() else {
            panic!("another error")
        };
        assert_eq!(
            error.sqlite_error_code(),
            Some(ErrorCode::ConstraintViolation)
        );
        once.unwrap();
        again.unwrap();
        assert_eq!(words(&desk), 2);
        assert_eq!(desk.shared.trouble(), vec![]);
        desk.writer.close().await;
    }

    #[tokio::test]
    async fn on_a_full_disk_the_reserve_is_given_up_and_the_write_repeated() {
        let desk = desk(2);
        let ballast = desk.ballast.clone();
        let long = "x".repeat(20_000);
        // Where the reserve is gone there is room.
        let fits = desk.writer.run(move |sql| {
            if !ballast.exists() {
                limit(sql, 20);
            }
            insert(sql, &long)
        });
        fits.await.unwrap();
        assert_eq!(words(&desk), 1);
        assert_eq!(
            desk.shared.trouble(),
            vec![Trouble::DiskFull {
                reserve_spent: true
            }]
        );

        // The next time there is none, which is an error and harms nothing.
        let too_long = "y".repeat(200_000);
        let full = desk
            .writer
            .run(move |sql| insert(sql, &too_long))
            .await
            .unwrap_err();
        assert!(matches!(full, StoreError::DiskFull), "{full}");
        desk.writer.run(|sql| insert(sql, "short")).await.unwrap();
        assert_eq!(words(&desk), 2);
        desk.shared.reserve.take_back();
        assert_eq!(desk.shared.trouble(), vec![]);
        desk.writer.close().await;
    }

    #[tokio::test]
    async fn nothing_is_written_after_close() {
        let desk = desk(10);
        desk.writer.close().await;
        let error = desk
            .writer
            .run(|sql| insert(sql, "late"))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Closed), "{error}");
    }
}
