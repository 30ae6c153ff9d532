//! What is kept of a monitor's past.

use std::time::Duration;

use watchkeeper_store::{ChangeQuery, Resolution, Store, StoreError, Subject, Whose};
use watchkeeper_web::{ChangeFacts, LatencyAt, MonitorPast, ReadingFacts};

use crate::assignment::Assigned;
use crate::clock;
use crate::page;

/// How many readings and changes are shown.
const SHOWN: usize = 50;

/// How many targets a chart shows at most: more lines than that nobody tells apart.
const CHARTED: usize = 8;

/// Up to which window latencies are summed up in spans of five minutes, and then in
/// hours.
const FINE: Duration = Duration::from_hours(36);

/// Up to which window they are summed up in hours, and then in days.
const MEDIUM: Duration = Duration::from_hours(40 * 24);

/// Reads the past of `assigned` in `window` before now.
pub(super) async fn read(
    store: &dyn Store,
    assigned: &Assigned,
    window: Duration,
) -> Result<MonitorPast, StoreError> {
    let monitor = &assigned.monitor;
    let now = clock::wall();
    let from = now - window;
    let resolution = if window <= FINE {
        Resolution::FiveMinutes
    } else if window <= MEDIUM {
        Resolution::Hour
    } else {
        Resolution::Day
    };
    let mut latencies = Vec::new();
    let mut readings = Vec::new();
    for target in monitor.targets.iter().take(CHARTED) {
        let address = page::shown_address(target.address());
        let rollups = store
            .rollups(Subject::Target(target.clone()), resolution, from, now)
            .await?;
        let points = rollups.iter().filter_map(|rollup| {
            let latency = &rollup.totals.latency;
            Some(LatencyAt {
                at: rollup.start,
                median: latency.quantile(0.5)?,
                p95: latency.quantile(0.95)?,
                p99: latency.quantile(0.99)?,
            })
        });
        latencies.push((address.clone(), points.collect::<Vec<_>>()));
        let found = store.readings(target.clone(), from, now, SHOWN).await?;
        readings.extend(found.into_iter().map(|reading| ReadingFacts {
            at: reading.at,
            address: address.clone(),
            verdict: reading.verdict,
            latency: reading.latency,
            reason: reading.reason,
        }));
    }
    readings.sort_by_key(|reading| std::cmp::Reverse(reading.at));
    readings.truncate(SHOWN);
    let query = ChangeQuery {
        whose: Whose::Monitor(monitor.id.clone()),
        limit: SHOWN,
        ..ChangeQuery::default()
    };
    let changes = store.changes(query).await?.into_iter().map(|row| {
        let change = row.entry.change;
        ChangeFacts {
            at: change.at,
            address: row.entry.subject.address().map(page::shown_address),
            from: change.from.as_str(),
            to: change.to.as_str(),
            reason: change.reason,
            lasted: change.lasted,
        }
    });
    Ok(MonitorPast {
        latencies,
        readings,
        changes: changes.collect(),
    })
}
