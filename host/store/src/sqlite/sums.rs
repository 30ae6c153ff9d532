//! Sums over any span of time, put together from the widest rollups that fit.
//!
//! What the page asks of ninety days of a thousand monitors are days, added up by
//! SQLite: no row of them is handed over.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::Connection;
use tracing::error;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::HealthSums;

use super::live::Live;
use super::series::table;
use crate::breach::MonitorSums;
use crate::error::StoreError;
use crate::histogram::Histogram;
use crate::series::{Resolution, Totals};
use crate::state::Subject;

/// Buckets of one width in a row: those that begin in `from..to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) resolution: Resolution,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// A subject in a sum.
#[derive(Clone, Debug)]
pub(super) struct Row {
    key: i64,
    monitor: MonitorId,
    /// Whether it is the monitor as a whole, whose time counts, and not a target,
    /// whose checks and latencies do.
    is_whole: bool,
    /// What is not in the file yet.
    recent: Vec<Totals>,
}

/// The buckets that make up `from..to`, which is widened to whole buckets of five
/// minutes: few wide ones in the middle, narrow ones at both ends.
pub(super) fn segments(from: Timestamp, to: Timestamp) -> Vec<Segment> {
    let five = Resolution::FiveMinutes;
    let (from, to) = (five.bucket(from), ceiling(five, to));
    let mut found = Vec::new();
    let mut add = |resolution, from: Timestamp, to: Timestamp| {
        if from < to {
            found.push(Segment {
                resolution,
                from,
                to,
            });
        }
    };
    let (hours_from, hours_to) = (
        ceiling(Resolution::Hour, from).min(to),
        Resolution::Hour.bucket(to),
    );
    if hours_from >= hours_to {
        add(five, from, to);
        return found;
    }
    add(five, from, hours_from);
    let (days_from, days_to) = (
        ceiling(Resolution::Day, hours_from).min(hours_to),
        Resolution::Day.bucket(hours_to),
    );
    if days_from >= days_to {
        add(Resolution::Hour, hours_from, hours_to);
    } else {
        add(Resolution::Hour, hours_from, days_from);
        add(Resolution::Day, days_from, days_to);
        add(Resolution::Hour, days_to, hours_to);
    }
    add(five, hours_to, to);
    found
}

/// The subjects that a sum is made of, and what memory knows of them.
pub(super) fn rows(live: &Live, segments: &[Segment], with_targets: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = live
        .keys
        .iter()
        .filter(|(subject, _)| with_targets || matches!(subject, Subject::Monitor(_)))
        .map(|(subject, &key)| {
            let open = live.open.get(&key);
            let recent = open.into_iter().flat_map(|open| {
                segments.iter().flat_map(|it| {
                    let range = (it.resolution, it.from)..(it.resolution, it.to);
                    open.buckets.range(range).map(|(_, totals)| totals.clone())
                })
            });
            Row {
                key,
                monitor: subject.monitor().clone(),
                is_whole: matches!(subject, Subject::Monitor(_)),
                recent: recent.collect(),
            }
        })
        .collect();
    // In the order of the table.
    rows.sort_unstable_by_key(|row| row.key);
    rows
}

/// Adds everything up.
pub(super) fn sums(
    connection: &Connection,
    rows: Vec<Row>,
    segments: &[Segment],
) -> Result<HashMap<MonitorId, MonitorSums>, StoreError> {
    let mut found: HashMap<MonitorId, MonitorSums> = HashMap::new();
    for row in rows {
        let sums = found.entry(row.monitor).or_default();
        for recent in &row.recent {
            if row.is_whole {
                sums.time += recent.time;
            } else {
                add_checks(
                    &mut sums.checks,
                    [
                        recent.healthy_checks,
                        recent.sick_checks,
                        recent.dead_checks,
                        recent.faulty_checks,
                    ],
                );
                sums.latency.merge(&recent.latency);
            }
        }
        for segment in segments {
            if row.is_whole {
                sums.time += times(connection, row.key, *segment)?;
            } else {
                add_readings(connection, row.key, *segment, sums)?;
            }
        }
    }
    Ok(found)
}

fn times(connection: &Connection, key: i64, segment: Segment) -> Result<HealthSums, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT total(healthy), total(sick), total(dead), total(unknown), total(maintenance)
         FROM {} WHERE subject = ? AND start >= ? AND start < ?",
        table(segment.resolution)
    ))?;
    let of = (key, segment.from.as_secs(), segment.to.as_secs());
    let sums = statement.query_row(of, |row| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sums of milliseconds are whole, not negative and far below 2^53"
        )]
        let number = |column: usize| row.get::<_, f64>(column).map(|sum| sum as u64);
        Ok(HealthSums {
            healthy_ms: number(0)?,
            sick_ms: number(1)?,
            dead_ms: number(2)?,
            unknown_ms: number(3)?,
            maintenance_ms: number(4)?,
        })
    })?;
    Ok(sums)
}

fn add_readings(
    connection: &Connection,
    key: i64,
    segment: Segment,
    sums: &mut MonitorSums,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT healthy_checks, sick_checks, dead_checks, faulty_checks, latency
         FROM {} WHERE subject = ? AND start >= ? AND start < ?",
        table(segment.resolution)
    ))?;
    let of = (key, segment.from.as_secs(), segment.to.as_secs());
    let mut rows = statement.query(of)?;
    while let Some(row) = rows.next()? {
        let number = |column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
        add_checks(
            &mut sums.checks,
            [number(0)?, number(1)?, number(2)?, number(3)?],
        );
        let latency = row.get_ref(4)?.as_blob().ok().and_then(Histogram::decode);
        if let Some(latency) = latency {
            sums.latency.merge(&latency);
        } else {
            error!(key, "histogram in the database cannot be read");
        }
    }
    Ok(())
}

fn add_checks(sums: &mut [u64; 4], more: [u64; 4]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = sum.saturating_add(more);
    }
}

/// The beginning of the first bucket that does not begin before `at`.
fn ceiling(resolution: Resolution, at: Timestamp) -> Timestamp {
    resolution.bucket(at + resolution.width() - Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn check(from: i64, to: i64, expected: &str) {
        let found = segments(at(from), at(to));
        let written: Vec<String> = found
            .iter()
            .map(|it| {
                let letter = match it.resolution {
                    Resolution::FiveMinutes => 'm',
                    Resolution::Hour => 'h',
                    Resolution::Day => 'd',
                };
                format!(
                    "{letter}{}-{}",
                    it.from.as_secs() / 60,
                    it.to.as_secs() / 60
                )
            })
            .collect();
        assert_eq!(written.join(" "), expected, "{from}-{to}");
        for pair in found.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
    }

    #[test]
    fn a_span_is_made_of_the_widest_buckets() {
        check(0, 1440, "d0-1440");
        check(0, 60, "h0-60");
        check(0, 30, "m0-30");
        check(7, 8, "m5-10");
        check(30, 90, "m30-90");
        check(30, 150, "m30-60 h60-120 m120-150");
        check(-60, 1500, "h-60-0 d0-1440 h1440-1500");
        check(1435, 2 * 1440 + 5, "m1435-1440 d1440-2880 m2880-2885");
        check(60, 60, "");
        check(90, 60, "");
    }
}
