//! Readings and rollups in SQL.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use tracing::error;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::HealthSums;

use super::live::Live;
use super::{block, database, tail};
use crate::error::StoreError;
use crate::histogram::Histogram;
use crate::series::{Reading, Resolution, Totals};
use crate::state::Subject;

/// The largest number of a subject: the lower half of a block's number.
const MAX_KEY: i64 = u32::MAX as i64;

/// How long rollups of five minutes are kept, in milliseconds.
const KEEP_FIVE_MINUTES: i64 = 30 * DAY;

/// How long rollups of an hour are kept, in milliseconds.
const KEEP_HOURS: i64 = 400 * DAY;

const DAY: i64 = 86_400_000;

const TOTALS: &str = "healthy_checks, sick_checks, dead_checks, faulty_checks, \
     healthy, sick, dead, unknown, maintenance, latency";

/// What a file holds when it is opened.
pub(super) struct Opened {
    pub(super) live: Live,
    pub(super) next_key: i64,
}

/// Reads the subjects, and replays what was recorded after the last checkpoint.
pub(super) fn load(connection: &Connection, file: &Path) -> Result<Opened, StoreError> {
    let wrong = |error| database::damaged_or(file, error);
    let mut live = Live::default();
    let mut next_key = 1;
    {
        let mut statement = connection
            .prepare("SELECT key, service, monitor, address, accounted_until FROM subject")
            .map_err(wrong)?;
        let mut rows = statement.query(()).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let (key, subject, accounted_until) = subject(row).map_err(wrong)?;
            next_key = next_key.max(key.saturating_add(1));
            let Some(subject) = subject else {
                error!(key, "subject in the database names something impossible");
                continue;
            };
            live.keys.insert(subject, key);
            live.open.entry(key).or_default().accounted_until = accounted_until;
        }
        let mut statement = connection
            .prepare("SELECT batch, data FROM tail ORDER BY batch")
            .map_err(wrong)?;
        let mut rows = statement.query(()).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let data = row
                .get_ref(1)
                .and_then(|data| Ok(data.as_blob()?))
                .map_err(wrong)?;
            let Some(samples) = tail::unpack(data) else {
                error!(batch = ?row.get::<_, i64>(0), "batch of readings cannot be read");
                continue;
            };
            for (key, reading, span) in samples {
                live.apply(key, reading.as_ref(), span.as_ref());
            }
        }
    }
    // The first row of each table is where damage to the file's head shows.
    for table in ["five_minutes", "hour", "day"] {
        connection
            .query_row(&format!("SELECT latency FROM {table} LIMIT 1"), (), |_| {
                Ok(())
            })
            .optional()
            .map_err(wrong)?;
    }
    Ok(Opened { live, next_key })
}

/// Whether a subject may have this number.
pub(super) const fn is_key(key: i64) -> bool {
    0 < key && key <= MAX_KEY
}

/// Adds subjects.
pub(super) fn add_subjects(
    connection: &Connection,
    subjects: &[(i64, Subject)],
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO subject (key, service, monitor, address) VALUES (?, ?, ?, ?)",
    )?;
    for (key, subject) in subjects {
        let monitor = subject.monitor();
        let (service, name) = (monitor.service().as_str(), monitor.name().as_str());
        statement.execute((key, service, name, subject.address()))?;
    }
    Ok(())
}

/// Writes batches down as they are.
pub(super) fn add_batches(
    connection: &Connection,
    batches: &VecDeque<Vec<u8>>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO tail (data) VALUES (?)")?;
    for batch in batches {
        statement.execute([batch])?;
    }
    Ok(())
}

/// Packs the readings, adds the sums to the rollups and empties the tail.
pub(super) fn checkpoint(connection: &Connection, live: &Live) -> Result<(), StoreError> {
    add_blocks(connection, live)?;
    for resolution in Resolution::ALL {
        let table = table(resolution);
        let mut select = connection.prepare_cached(&format!(
            "SELECT {TOTALS} FROM {table} WHERE subject = ? AND start = ?"
        ))?;
        let mut replace = connection.prepare_cached(&format!(
            "INSERT OR REPLACE INTO {table} (subject, start, {TOTALS})
             VALUES (:subject, :start, :healthy_checks, :sick_checks, :dead_checks,
                 :faulty_checks, :healthy, :sick, :dead, :unknown, :maintenance, :latency)"
        ))?;
        let first = (resolution, Timestamp::from_millis(i64::MIN));
        let last = (resolution, Timestamp::from_millis(i64::MAX));
        for (&key, open) in &live.open {
            for ((_, start), added) in open.buckets.range(first..=last) {
                let mut sums = select
                    .query_row((key, start.as_secs()), |row| totals(row, 0))
                    .optional()?
                    .unwrap_or_default();
                sums.merge_within(added, resolution.width());
                put_totals(&mut replace, key, *start, &sums)?;
            }
        }
    }
    let mut account =
        connection.prepare_cached("UPDATE subject SET accounted_until = ? WHERE key = ?")?;
    for (key, open) in live
        .open
        .iter()
        .filter(|(_, open)| !open.buckets.is_empty())
    {
        account.execute((open.accounted_until, key))?;
    }
    connection.execute("DELETE FROM tail", ())?;
    Ok(())
}

/// The sums of `keys` in the buckets that begin in `from..to`.
pub(super) fn rollups(
    connection: &Connection,
    resolution: Resolution,
    keys: impl Iterator<Item = i64>,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<(i64, Timestamp), Totals>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {TOTALS}, start FROM {} WHERE subject = ? AND start >= ? AND start < ?",
        table(resolution)
    ))?;
    let mut found = BTreeMap::new();
    for key in keys {
        let mut rows = statement.query((key, from.as_secs(), to.as_secs()))?;
        while let Some(row) = rows.next()? {
            let start = Timestamp::from_millis(row.get::<_, i64>(10)?.saturating_mul(1000));
            found.insert((key, start), totals(row, 0)?);
        }
    }
    Ok(found)
}

/// The readings of `key` in `from..to`, newest first, at most `limit`. `recent`
/// are those not packed yet, by start of their block.
pub(super) fn readings(
    connection: &Connection,
    key: i64,
    mut recent: BTreeMap<i64, Vec<Reading>>,
    (from, to): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Vec<Reading>, StoreError> {
    let days = block_tables(connection)?;
    let first = block::start_of(from);
    // Block by block from the newest on, so that a small limit reads little.
    let mut starts: BTreeSet<i64> = recent.keys().copied().collect();
    for (day, table) in days.iter().rev() {
        let mut statement =
            connection.prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?"))?;
        for start in (0..DAY / block::WIDTH).map(|place| day + place * block::WIDTH) {
            if start >= first
                && start < to.as_millis()
                && statement.exists([block_id(start, key)])?
            {
                starts.insert(start);
            }
        }
    }
    let mut readings = Vec::new();
    for start in starts.into_iter().rev() {
        let mut of_block = recent.remove(&start).unwrap_or_default();
        if let Some(table) = days.get(&(start.div_euclid(DAY) * DAY)) {
            let packed: Option<Vec<u8>> = connection
                .prepare_cached(&format!("SELECT data FROM {table} WHERE id = ?"))?
                .query_row([block_id(start, key)], |row| row.get(0))
                .optional()?;
            match packed.as_deref().map(block::unpack) {
                None => {}
                Some(Some(unpacked)) => of_block.extend(unpacked),
                Some(None) => error!(key, start, "block of readings is damaged"),
            }
        }
        of_block.retain(|reading| from <= reading.at && reading.at < to);
        of_block.sort_by_key(|reading| std::cmp::Reverse(reading.at));
        readings.extend(of_block);
        if readings.len() >= limit {
            readings.truncate(limit);
            break;
        }
    }
    Ok(readings)
}

/// Removes what is past its retention.
pub(super) fn prune(
    connection: &Connection,
    keys: impl Iterator<Item = i64>,
    now: Timestamp,
    keep_readings: Duration,
) -> Result<(), StoreError> {
    let oldest = (now - keep_readings).as_millis();
    for (day, table) in block_tables(connection)? {
        if day.saturating_add(DAY) <= oldest {
            connection.execute_batch(&format!("DROP TABLE {table}"))?;
        }
    }
    // By subject, because the rollups are in that order: what is too old is
    // found at the front of each.
    let cutoff = |keep: i64| now.as_millis().saturating_sub(keep).div_euclid(1000);
    let mut five_minutes =
        connection.prepare_cached("DELETE FROM five_minutes WHERE subject = ? AND start < ?")?;
    let mut hours =
        connection.prepare_cached("DELETE FROM hour WHERE subject = ? AND start < ?")?;
    for key in keys {
        five_minutes.execute((key, cutoff(KEEP_FIVE_MINUTES)))?;
        hours.execute((key, cutoff(KEEP_HOURS)))?;
    }
    Ok(())
}

fn add_blocks(connection: &Connection, live: &Live) -> Result<(), StoreError> {
    // In the order of the table, so that pages are filled one after the other.
    let mut blocks: Vec<(i64, i64, &[Reading])> = live
        .open
        .iter()
        .flat_map(|(&key, open)| {
            open.blocks
                .iter()
                .map(move |(&start, readings)| (start, key, readings.as_slice()))
        })
        .collect();
    blocks.sort_unstable_by_key(|&(start, key, _)| (start, key));
    let mut current: Option<(i64, String)> = None;
    for (start, key, readings) in blocks {
        let day = start.div_euclid(DAY) * DAY;
        let table = match &current {
            Some((of, table)) if *of == day => table,
            _ => {
                let table = block_table(day)?;
                connection.execute_batch(&format!(
                    "CREATE TABLE IF NOT EXISTS {table}
                         (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT"
                ))?;
                &current.insert((day, table)).1
            }
        };
        let id = block_id(start, key);
        let mut data: Vec<u8> = connection
            .prepare_cached(&format!("SELECT data FROM {table} WHERE id = ?"))?
            .query_row([id], |row| row.get(0))
            .optional()?
            .unwrap_or_default();
        block::append(&mut data, readings);
        connection
            .prepare_cached(&format!("INSERT OR REPLACE INTO {table} VALUES (?, ?)"))?
            .execute((id, data))?;
    }
    Ok(())
}

/// The tables of blocks that exist, by the start of their day.
fn block_tables(connection: &Connection) -> Result<BTreeMap<i64, String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'blocks_[0-9]*'",
    )?;
    let mut rows = statement.query(())?;
    let mut tables = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let day = name
            .strip_prefix("blocks_")
            .and_then(|day| jiff::civil::Date::strptime("%Y%m%d", day).ok())
            .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
        // The name goes into statements, so nothing but what `block_table`
        // makes is taken for one.
        if let Some(day) = day.map(|day| day.timestamp().as_millisecond())
            && block_table(day).is_ok_and(|table| table == name)
        {
            tables.insert(day, name);
        }
    }
    Ok(tables)
}

/// `blocks_20261121`.
fn block_table(day: i64) -> Result<String, StoreError> {
    let unstorable = |error: jiff::Error| StoreError::Unstorable {
        what: "a reading's time",
        problem: error.to_string(),
    };
    let mut name = String::from("blocks_");
    let at = jiff::Timestamp::from_millisecond(day).map_err(unstorable)?;
    write!(name, "{}", at.strftime("%Y%m%d")).expect("the pattern is valid for every date");
    Ok(name)
}

/// The number of a block in the table of its day: the block of the day, and then
/// the subject, so that what is written at one time lies together.
const fn block_id(start: i64, key: i64) -> i64 {
    (start.rem_euclid(DAY) / block::WIDTH) << 32 | key
}

pub(super) const fn table(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::FiveMinutes => "five_minutes",
        Resolution::Hour => "hour",
        Resolution::Day => "day",
    }
}

fn subject(row: &Row<'_>) -> rusqlite::Result<(i64, Option<Subject>, Option<i64>)> {
    let key: i64 = row.get(0)?;
    let (service, monitor): (String, String) = (row.get(1)?, row.get(2)?);
    let address: Option<String> = row.get(3)?;
    let subject = MonitorId::parse(&format!("{service}/{monitor}"))
        .ok()
        .filter(|_| is_key(key))
        .map(|monitor| match address {
            Some(address) => Subject::Target(TargetId::new(monitor, &address)),
            None => Subject::Monitor(monitor),
        });
    Ok((key, subject, row.get(4)?))
}

/// The sums in the ten columns of [`TOTALS`] from `first` on.
fn totals(row: &Row<'_>, first: usize) -> rusqlite::Result<Totals> {
    let number = |column: usize| {
        row.get::<_, i64>(first + column)
            .map(|value| u64::try_from(value).unwrap_or(0))
    };
    let latency = row.get_ref(first + 9)?.as_blob()?;
    Ok(Totals {
        healthy_checks: number(0)?,
        sick_checks: number(1)?,
        dead_checks: number(2)?,
        faulty_checks: number(3)?,
        time: HealthSums {
            healthy_ms: number(4)?,
            sick_ms: number(5)?,
            dead_ms: number(6)?,
            unknown_ms: number(7)?,
            maintenance_ms: number(8)?,
        },
        latency: Histogram::decode(latency).unwrap_or_else(|| {
            error!("histogram in the database cannot be read and begins anew");
            Histogram::new()
        }),
    })
}

fn put_totals(
    statement: &mut rusqlite::CachedStatement<'_>,
    key: i64,
    start: Timestamp,
    sums: &Totals,
) -> rusqlite::Result<()> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    statement.execute(named_params! {
        ":subject": key,
        ":start": start.as_secs(),
        ":healthy_checks": number(sums.healthy_checks),
        ":sick_checks": number(sums.sick_checks),
        ":dead_checks": number(sums.dead_checks),
        ":faulty_checks": number(sums.faulty_checks),
        ":healthy": number(sums.time.healthy_ms),
        ":sick": number(sums.time.sick_ms),
        ":dead": number(sums.time.dead_ms),
        ":unknown": number(sums.time.unknown_ms),
        ":maintenance": number(sums.time.maintenance_ms),
        ":latency": sums.latency.encode(),
    })?;
    Ok(())
}

/// All subjects by number.
pub(super) fn names(live: &Live) -> HashMap<i64, Subject> {
    live.keys
        .iter()
        .map(|(subject, &key)| (key, subject.clone()))
        .collect()
}
