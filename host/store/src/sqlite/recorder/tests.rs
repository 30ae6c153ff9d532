//! A file that cannot be written.

use tempfile::TempDir;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::uptime::Maintained;

use super::*;
use crate::error::Trouble;
use crate::series::{Reading, Resolution, Span};
use crate::sqlite::SERIES_SCHEMA;
use crate::sqlite::reserve::Reserve;

const T0: Timestamp = Timestamp::from_millis(1_795_233_600_000);

/// The thread's side, without the thread.
fn work(folder: &TempDir) -> Work {
    let file = folder.path().join("series.db");
    let connection = database::open_writer(&file, &SERIES_SCHEMA, T0).unwrap();
    let opened = series::load(&connection, &file).unwrap();
    let reserve = Reserve::take(folder.path().join("ballast"), 10_000);
    Work::new(Desk {
        connection,
        live: Arc::new(RwLock::new(opened.live)),
        next_key: opened.next_key,
        keep_readings: Duration::from_hours(24),
        shared: Arc::new(Shared::new(reserve, None)),
        folder: Arc::new(Folder::claim(folder.path()).unwrap()),
    })
}

/// Lets the file grow by `pages` and no more.
fn limit(work: &Work, pages: i64) {
    let sql = &work.desk.connection;
    let used: i64 = sql
        .query_row("PRAGMA page_count", (), |row| row.get(0))
        .unwrap();
    let most = used + pages;
    sql.query_row(&format!("PRAGMA max_page_count({most})"), (), |_| Ok(()))
        .unwrap();
}

fn target() -> TargetId {
    TargetId::new(MonitorId::parse("api/health").unwrap(), "a")
}

/// `count` samples of ten seconds from the `first` on.
fn samples(first: u64, count: u64) -> Vec<Sample> {
    (first..first + count)
        .map(|number| {
            let from = T0 + Duration::from_secs(number * 10);
            let to = from + Duration::from_secs(10);
            let reason = Some(format!("no answer to question {number}").into());
            let (verdict, latency) = (Some(Verdict::Dead), None);
            let (health, maintained) = (Health::Dead, Maintained::No);
            Sample {
                subject: Subject::Target(target()),
                reading: Some(Reading {
                    at: from,
                    verdict,
                    latency,
                    reason,
                }),
                span: Some(Span {
                    from,
                    to,
                    health,
                    maintained,
                }),
            }
        })
        .collect()
}

fn day(work: &Work) -> (usize, u64) {
    let from = Resolution::Day.bucket(T0);
    let keys = std::iter::once(1);
    let to = from + Resolution::Day.width();
    let stored = series::rollups(&work.desk.connection, Resolution::Day, keys, from, to).unwrap();
    let live = reading(&work.desk.live);
    let mut totals = stored.into_values().next().unwrap_or_default();
    let recent = live
        .open
        .get(&1)
        .and_then(|open| open.buckets.get(&(Resolution::Day, from)));
    if let Some(recent) = recent {
        totals.merge(recent);
    }
    let blocks = live
        .open
        .get(&1)
        .map(|open| open.blocks.clone())
        .unwrap_or_default();
    let all = (T0, T0 + Duration::from_hours(24));
    let readings = series::readings(&work.desk.connection, 1, blocks, all, usize::MAX).unwrap();
    (readings.len(), totals.time.dead_ms)
}

#[test]
fn nothing_is_lost_while_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(&folder);
    work.take(samples(0, 100));
    work.write().unwrap();
    limit(&work, 0);
    work.take(samples(100, 2_000));
    let error = work.write().unwrap_err();
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    work.checkpoint().unwrap_err();
    assert_eq!(day(&work), (2_100, 21_000_000));
    let trouble = work.desk.shared.trouble();
    assert!(
        trouble.contains(&Trouble::DiskFull {
            reserve_spent: true
        }),
        "{trouble:?}"
    );
    let error = error.to_string();
    assert!(
        trouble.contains(&Trouble::SeriesNotWritten { error }),
        "{trouble:?}"
    );
    assert!(work.permits.is_empty(), "nobody is held up");

    // There is room again.
    limit(&work, 1_000);
    work.take(samples(2_100, 10));
    work.write().unwrap();
    assert_eq!(
        work.desk.shared.trouble(),
        vec![Trouble::DiskFull {
            reserve_spent: true
        }]
    );
    work.desk.shared.reserve.take_back();
    assert_eq!(work.desk.shared.trouble(), vec![]);
    assert_eq!(day(&work), (2_110, 21_100_000));

    // As a process that is killed leaves it, and the next finds it.
    drop(work);
    let mut work = self::work(&folder);
    assert_eq!(day(&work), (2_110, 21_100_000));
    work.checkpoint().unwrap();
    assert_eq!(day(&work), (2_110, 21_100_000));
    assert_eq!(reading(&work.desk.live).readings, 0);
    drop(work);
    assert_eq!(day(&self::work(&folder)), (2_110, 21_100_000));
}

#[test]
fn a_checkpoint_is_due_when_readings_of_a_new_block_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(&folder);
    work.take(samples(0, 60));
    assert!(!work.is_checkpoint_due());
    work.take(samples(60, 1));
    assert!(work.is_checkpoint_due());
    work.checkpoint().unwrap();
    assert!(!work.is_checkpoint_due());
    work.take(samples(61, 59));
    assert!(!work.is_checkpoint_due());
    assert_eq!(day(&work), (120, 1_200_000));
}

#[test]
fn memory_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(&folder);
    limit(&work, 0);
    for part in 0..70 {
        work.take(samples(part * 1_000, 1_000));
        work.write().unwrap_err();
    }
    let unwritten: usize = work.unwritten.iter().map(Vec::len).sum();
    assert!(unwritten <= MOST_UNWRITTEN);
    let count = writing(&work.desk.live).drop_readings();
    assert_eq!(count, 70_000);
    // The sums stay.
    limit(&work, 10_000);
    work.checkpoint().unwrap();
    assert_eq!(day(&work).0, 0);
    assert_eq!(day(&work).1, (24 - 4) * 3_600_000);
}
