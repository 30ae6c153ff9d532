//! The backend that is always there: two SQLite files in one folder.
//!
//! `state.db` holds what must not be lost and waits for the disk at each commit;
//! `series.db` holds what comes in bulk and does not. Each has one thread that
//! writes, so that bulk work never delays an alert, and a few connections that
//! read.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rusqlite::Connection;
use tracing::{error, warn};
use watchkeeper_engine::id::{MonitorId, ServiceId, TargetId};
use watchkeeper_engine::incident::{IncidentId, Severity, Stage};
use watchkeeper_engine::time::Timestamp;

pub use self::backup::backup;
use self::database::{Schema, Synchronous};
use self::folder::Folder;
use self::live::Live;
use self::outbox::Ended;
use self::readers::Readers;
use self::recorder::{Desk, Recorder};
use self::reserve::Reserve;
use self::shared::Shared;
use self::writer::Writer;
use crate::access::{Act, Acted, Deed, DeedQuery, DeedRow, Session, User};
use crate::breach::{BreachId, BreachQuery, BreachRow, MonitorHealth, MonitorSums};
use crate::contract::{Answer, Store};
use crate::error::{StoreError, Trouble};
use crate::incident::{IncidentQuery, IncidentStory};
use crate::item::{ItemChange, ItemRow};
use crate::outbox::{Delivery, DeliveryCounts, DeliveryId, DeliveryQuery, Retried};
use crate::series::{Reading, Resolution, Rollup, Sample};
use crate::state::{ChangeQuery, ChangeRow, Commit, Loaded, Space, Subject};
use crate::token::{Digest, Token};

mod folder;
mod reserve;
mod shared;

mod backup;
mod database;
mod readers;

mod access;
mod breaches;
mod documents;
mod incidents;
mod items;
mod mirror;
mod outbox;
mod state;
mod tokens;
mod writer;

mod block;
mod live;
mod recorder;
mod series;
mod sums;
mod tail;
pub(crate) mod varint;

pub use self::access::AccessBook;

const STATE: &str = "state.db";
const SERIES: &str = "series.db";

/// Present if the file of readings is to be checked as a whole at the next
/// start.
const SUSPECT: &str = "series.db.suspect";

/// A file of readings up to this size is checked as a whole at every start: that
/// takes a fraction of a second.
const QUICKLY_CHECKED: u64 = 64 << 20;

const STATE_SCHEMA: Schema = Schema {
    steps: &[
        include_str!("sqlite/migrations/state_1.sql"),
        include_str!("sqlite/migrations/state_2.sql"),
        include_str!("sqlite/migrations/state_3.sql"),
        include_str!("sqlite/migrations/state_4.sql"),
        include_str!("sqlite/migrations/state_5.sql"),
        include_str!("sqlite/migrations/state_6.sql"),
        include_str!("sqlite/migrations/state_7.sql"),
    ],
    synchronous: Synchronous::Full,
};

const SERIES_SCHEMA: Schema = Schema {
    steps: &[include_str!("sqlite/migrations/series_1.sql")],
    synchronous: Synchronous::Normal,
};

/// Where and how to keep things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The data folder; made where it is missing.
    pub folder: PathBuf,
    /// The time, for the names of backups.
    pub now: Timestamp,
    /// How long readings are kept, to the day.
    pub keep_readings: Duration,
    /// How many bytes of disk are kept free for the moment when it is full.
    pub reserve: u64,
}

impl Options {
    /// The defaults: readings for 7 days, a reserve of 8 MiB.
    pub fn new(folder: impl Into<PathBuf>, now: Timestamp) -> Self {
        Self {
            folder: folder.into(),
            now,
            keep_readings: Duration::from_hours(7 * 24),
            reserve: 8 << 20,
        }
    }
}

/// A store in SQLite.
///
/// Dropping it without [`Store::close`] writes what is queued as well, but
/// nobody can wait for it.
pub struct SqliteStore {
    shared: Arc<Shared>,
    /// Given back when the store is closed.
    folder: Mutex<Option<Arc<Folder>>>,
    state: Writer,
    state_reads: Readers,
    series: Recorder,
    series_reads: Readers,
    live: Arc<RwLock<Live>>,
}

impl SqliteStore {
    /// Opens or makes the files; checks and migrates them first, so this may
    /// take a while and blocks the thread.
    ///
    /// A damaged `state.db` is an error: what was told to whom must not be
    /// guessed. A damaged `series.db` is moved aside and begun anew, which
    /// [`Store::trouble`] then tells.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        database::assert_version()?;
        let Options {
            folder,
            now,
            keep_readings,
            reserve,
        } = options;
        let folder = Arc::new(Folder::claim(&folder)?);
        // Before the databases take what room there is.
        let reserve = Reserve::take(folder.file("ballast"), reserve);

        let state_file = folder.file(STATE);
        let state = database::open_writer(&state_file, &STATE_SCHEMA, now)?;
        database::quick_check(&state, &state_file)?;
        let state_reads = Readers::open(&state_file)?;

        let (series, opened, aside) = open_series(&folder, now)?;
        let series_reads = Readers::open(&folder.file(SERIES))?;
        let live = Arc::new(RwLock::new(opened.live));

        let shared = Arc::new(Shared::new(reserve, aside));
        Ok(Self {
            state: Writer::start(state, Arc::clone(&shared), Arc::clone(&folder))?,
            state_reads,
            series: Recorder::start(Desk {
                connection: series,
                live: Arc::clone(&live),
                next_key: opened.next_key,
                keep_readings,
                shared: Arc::clone(&shared),
                folder: Arc::clone(&folder),
            })?,
            series_reads,
            live,
            folder: Mutex::new(Some(folder)),
            shared,
        })
    }

    async fn end_try(&self, id: DeliveryId, ended: Ended) -> Result<(), StoreError> {
        self.state
            .run(move |connection| outbox::end_try(connection, id, &ended))
            .await
    }

    /// Runs `read` with what memory held, as `pick` took it, at the very moment
    /// of the connection's view of the file.
    async fn read_series<M, T>(
        &self,
        pick: impl FnOnce(&Live) -> M + Send + 'static,
        read: impl FnOnce(&Connection, M) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
    {
        let live = Arc::clone(&self.live);
        self.series_reads
            .run(move |connection| {
                let transaction = connection.transaction()?;
                let picked = {
                    // A checkpoint moves sums from memory to the file under the
                    // other side of this lock.
                    let live = reading(&live);
                    // The first read is what fixes the transaction's view.
                    transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
                    pick(&live)
                };
                let answer = read(&transaction, picked)?;
                transaction.commit()?;
                Ok(answer)
            })
            .await
    }
}

impl Store for SqliteStore {
    fn load(&self) -> Answer<'_, Loaded> {
        let shared = Arc::clone(&self.shared);
        Box::pin(
            self.state_reads
                .run(move |connection| state::load(connection, &shared.unreadable)),
        )
    }

    fn commit(&self, commit: Commit) -> Answer<'_, ()> {
        Box::pin(async move {
            let prepared = state::prepare(commit)?;
            self.state
                .run(move |connection| state::commit(connection, &prepared))
                .await
        })
    }

    fn changes(&self, query: ChangeQuery) -> Answer<'_, Vec<ChangeRow>> {
        Box::pin(
            self.state_reads
                .run(move |connection| state::changes(connection, &query)),
        )
    }

    fn incidents(&self, query: IncidentQuery) -> Answer<'_, Vec<IncidentStory>> {
        Box::pin(
            self.state_reads
                .run(move |connection| incidents::find(connection, &query)),
        )
    }

    fn incident(&self, id: IncidentId) -> Answer<'_, Option<IncidentStory>> {
        Box::pin(
            self.state_reads
                .run(move |connection| incidents::get(connection, id)),
        )
    }

    fn incident_counts(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<'_, HashMap<ServiceId, u64>> {
        Box::pin(
            self.state_reads
                .run(move |connection| breaches::incident_counts(connection, from, to)),
        )
    }

    fn incident_states(&self) -> Answer<'_, Vec<(Severity, Stage, u64)>> {
        Box::pin(
            self.state_reads
                .run(|connection| breaches::incident_states(connection)),
        )
    }

    fn healths(&self, monitors: Vec<MonitorId>, from: Timestamp) -> Answer<'_, Vec<MonitorHealth>> {
        Box::pin(
            self.state_reads
                .run(move |connection| breaches::healths(connection, &monitors, from)),
        )
    }

    fn breaches(&self, query: BreachQuery) -> Answer<'_, Vec<BreachRow>> {
        Box::pin(
            self.state_reads
                .run(move |connection| breaches::find(connection, &query)),
        )
    }

    fn acknowledge_breach(
        &self,
        id: BreachId,
        by: Arc<str>,
        at: Timestamp,
    ) -> Answer<'_, Option<BreachRow>> {
        Box::pin(
            self.state
                .run(move |connection| breaches::acknowledge(connection, id, &by, at)),
        )
    }

    fn next_incident(&self) -> Answer<'_, IncidentId> {
        Box::pin(
            self.state_reads
                .run(|connection| incidents::next(connection)),
        )
    }

    fn key(&self, name: &'static str, fresh: Vec<u8>) -> Answer<'_, Vec<u8>> {
        Box::pin(
            self.state
                .run(move |connection| incidents::key(connection, name, &fresh)),
        )
    }

    fn due_deliveries(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Delivery>> {
        Box::pin(
            self.state_reads
                .run(move |connection| outbox::due(connection, now, limit)),
        )
    }

    fn next_delivery_at(&self) -> Answer<'_, Option<Timestamp>> {
        Box::pin(
            self.state_reads
                .run(|connection| outbox::next_at(connection)),
        )
    }

    fn delivered(&self, id: DeliveryId, at: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.end_try(id, Ended::Delivered { at }))
    }

    fn postpone(&self, id: DeliveryId, next_try: Timestamp, error: String) -> Answer<'_, ()> {
        Box::pin(self.end_try(id, Ended::Postponed { next_try, error }))
    }

    fn give_up(&self, id: DeliveryId, at: Timestamp, error: String) -> Answer<'_, ()> {
        Box::pin(self.end_try(id, Ended::GivenUp { at, error }))
    }

    fn retry(&self, id: DeliveryId, now: Timestamp) -> Answer<'_, Retried> {
        Box::pin(
            self.state
                .run(move |connection| outbox::retry(connection, id, now)),
        )
    }

    fn deliveries(&self, query: DeliveryQuery) -> Answer<'_, Vec<Delivery>> {
        Box::pin(
            self.state_reads
                .run(move |connection| outbox::find(connection, &query)),
        )
    }

    fn delivery_counts(&self) -> Answer<'_, DeliveryCounts> {
        Box::pin(
            self.state_reads
                .run(|connection| outbox::counts(connection)),
        )
    }

    fn spaces(&self) -> Answer<'_, HashMap<String, Space>> {
        Box::pin(self.state_reads.run(|connection| state::spaces(connection)))
    }

    fn put_space(&self, owner: String, space: Space) -> Answer<'_, ()> {
        Box::pin(
            self.state
                .run(move |connection| state::put_space(connection, &owner, &space)),
        )
    }

    fn token(&self, digest: Digest) -> Answer<'_, Option<Token>> {
        Box::pin(
            self.state_reads
                .run(move |connection| tokens::find(connection, &digest)),
        )
    }

    fn items(&self) -> Answer<'_, Vec<ItemRow>> {
        Box::pin(self.state_reads.run(|connection| items::all(connection)))
    }

    fn change_items(&self, changes: Vec<ItemChange>) -> Answer<'_, ()> {
        Box::pin(
            self.state
                .run(move |connection| items::change(connection, &changes)),
        )
    }

    fn tokens(&self) -> Answer<'_, Vec<Token>> {
        Box::pin(self.state_reads.run(|connection| tokens::all(connection)))
    }

    fn users(&self) -> Answer<'_, Vec<User>> {
        Box::pin(self.state_reads.run(|connection| access::users(connection)))
    }

    fn session(&self, digest: Digest, now: Timestamp) -> Answer<'_, Option<Session>> {
        Box::pin(
            self.state_reads
                .run(move |connection| access::session(connection, &digest, now)),
        )
    }

    fn act(&self, act: Act, deed: Option<Deed>, now: Timestamp) -> Answer<'_, Acted> {
        Box::pin(
            self.state
                .run(move |connection| access::act(connection, &act, deed.as_ref(), now)),
        )
    }

    fn deeds(&self, query: DeedQuery) -> Answer<'_, Vec<DeedRow>> {
        Box::pin(
            self.state_reads
                .run(move |connection| access::deeds(connection, &query)),
        )
    }

    fn record(&self, samples: Vec<Sample>) -> Answer<'_, ()> {
        Box::pin(self.series.record(samples))
    }

    fn days(&self, from: Timestamp, to: Timestamp) -> Answer<'_, Vec<Rollup>> {
        Box::pin(async move {
            let resolution = Resolution::Day;
            let (from, to) = buckets(resolution, from, to + Duration::from_millis(1));
            self.read_series(
                move |live| {
                    let recent = live
                        .open
                        .keys()
                        .flat_map(|&key| recent(live, key, resolution, from, to));
                    (recent.collect::<Vec<_>>(), series::names(live))
                },
                move |connection, (recent, names)| {
                    let mut keys: Vec<i64> = names.keys().copied().collect();
                    keys.sort_unstable();
                    let stored =
                        series::rollups(connection, resolution, keys.into_iter(), from, to)?;
                    let name = |key: i64| names.get(&key).cloned();
                    Ok(merged(resolution, stored, recent, name))
                },
            )
            .await
        })
    }

    fn rollups(
        &self,
        subject: Subject,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<'_, Vec<Rollup>> {
        Box::pin(async move {
            let (from, to) = buckets(resolution, from, to);
            let asked = subject.clone();
            self.read_series(
                move |live| {
                    let key = live.keys.get(&asked).copied()?;
                    Some((
                        key,
                        recent(live, key, resolution, from, to).collect::<Vec<_>>(),
                    ))
                },
                move |connection, known| {
                    let Some((key, recent)) = known else {
                        return Ok(Vec::new());
                    };
                    let key = std::iter::once(key);
                    let stored = series::rollups(connection, resolution, key, from, to)?;
                    Ok(merged(resolution, stored, recent, |_| {
                        Some(subject.clone())
                    }))
                },
            )
            .await
        })
    }

    fn sums(
        &self,
        from: Timestamp,
        to: Timestamp,
        with_readings: bool,
    ) -> Answer<'_, HashMap<MonitorId, MonitorSums>> {
        let segments: Arc<[_]> = sums::segments(from, to).into();
        let picked = Arc::clone(&segments);
        Box::pin(self.read_series(
            move |live| sums::rows(live, &picked, with_readings),
            move |connection, rows| sums::sums(connection, rows, &segments),
        ))
    }

    fn readings(
        &self,
        target: TargetId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Answer<'_, Vec<Reading>> {
        Box::pin(self.read_series(
            move |live| {
                let key = live.keys.get(&Subject::Target(target)).copied()?;
                let recent = live.open.get(&key).map(|open| open.blocks.clone());
                Some((key, recent.unwrap_or_default()))
            },
            move |connection, known| {
                let Some((key, recent)) = known else {
                    return Ok(Vec::new());
                };
                series::readings(connection, key, recent, (from, to), limit)
            },
        ))
    }

    fn prune(&self, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            self.state
                .run(move |connection| {
                    outbox::prune(connection, now)?;
                    access::prune(connection, now)
                })
                .await?;
            self.series.prune(now).await?;
            let shared = Arc::clone(&self.shared);
            tokio::task::spawn_blocking(move || shared.reserve.take_back())
                .await
                .map_err(|_| StoreError::Closed)
        })
    }

    fn backup(&self, to: &Path) -> Answer<'_, ()> {
        let to = to.to_owned();
        Box::pin(async move {
            let backup::Place { state, series } = backup::Place::prepare(&to)?;
            self.flush().await?;
            self.state_reads
                .run(move |connection| database::copy(connection, &state))
                .await?;
            self.series_reads
                .run(move |connection| database::copy(connection, &series))
                .await
        })
    }

    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(self.series.flush())
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            // Reads first, so that the writers are the last to close the files
            // and leave no WAL behind.
            self.state_reads.close().await;
            self.series_reads.close().await;
            self.state.close().await;
            let closed = self.series.close().await;
            drop(locked(&self.folder).take());
            closed
        })
    }

    fn trouble(&self) -> Vec<Trouble> {
        self.shared.trouble()
    }
}

/// The beginnings of the buckets that overlap `from..to`, as a range.
fn buckets(resolution: Resolution, from: Timestamp, to: Timestamp) -> (Timestamp, Timestamp) {
    let end = resolution.bucket(to);
    (
        resolution.bucket(from),
        if end < to {
            end + resolution.width()
        } else {
            end
        },
    )
}

/// What memory adds to the buckets of one subject that begin in `from..to`.
fn recent(
    live: &Live,
    key: i64,
    resolution: Resolution,
    from: Timestamp,
    to: Timestamp,
) -> impl Iterator<Item = ((i64, Timestamp), crate::series::Totals)> {
    let range = (resolution, from)..(resolution, to.max(from));
    live.open.get(&key).into_iter().flat_map(move |open| {
        open.buckets
            .range(range.clone())
            .map(move |(&(_, start), totals)| ((key, start), totals.clone()))
    })
}

/// The sums of the file and of memory together.
fn merged(
    resolution: Resolution,
    mut stored: BTreeMap<(i64, Timestamp), crate::series::Totals>,
    recent: Vec<((i64, Timestamp), crate::series::Totals)>,
    name: impl Fn(i64) -> Option<Subject>,
) -> Vec<Rollup> {
    for (place, totals) in recent {
        stored
            .entry(place)
            .or_default()
            .merge_within(&totals, resolution.width());
    }
    stored
        .into_iter()
        .filter_map(|((key, start), totals)| {
            Some(Rollup {
                subject: name(key)?,
                resolution,
                start,
                totals,
            })
        })
        .collect()
}

/// Opens the file of readings; one that is damaged is moved aside.
fn open_series(
    folder: &Folder,
    now: Timestamp,
) -> Result<(Connection, series::Opened, Option<PathBuf>), StoreError> {
    let file = folder.file(SERIES);
    let marker = folder.file(SUSPECT);
    let open = |check: bool| {
        let connection = database::open_writer(&file, &SERIES_SCHEMA, now)?;
        if check {
            database::quick_check(&connection, &file)?;
        }
        let opened = series::load(&connection, &file)?;
        Ok((connection, opened))
    };
    let small = fs::metadata(&file).is_ok_and(|file| file.len() <= QUICKLY_CHECKED);
    let (connection, opened, aside) = match open(small || marker.exists()) {
        Ok((connection, opened)) => (connection, opened, None),
        Err(StoreError::Corrupt { problem, .. }) => {
            let aside = database::free_name(
                &folder.file(&format!("{SERIES}.corrupt-{}", folder::stamp(now))),
            );
            error!(file = %file.display(), problem, aside = %aside.display(), "damaged readings moved aside");
            for suffix in ["", "-wal", "-shm"] {
                let from = folder::with_suffix(&file, suffix);
                match fs::rename(&from, folder::with_suffix(&aside, suffix)) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(StoreError::io("cannot move aside", from, error)),
                }
            }
            let (connection, opened) = open(false)?;
            (connection, opened, Some(aside))
        }
        Err(error) => return Err(error),
    };
    if let Err(error) = fs::remove_file(&marker)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        warn!(file = %marker.display(), %error, "cannot remove");
    }
    Ok((connection, opened, aside))
}

/// A lock that a panic elsewhere does not take away: what it guards is changed
/// in single steps.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Like [`locked`], shared.
fn reading<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Like [`locked`], alone.
fn writing<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
