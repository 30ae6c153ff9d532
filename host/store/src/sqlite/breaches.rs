//! Breaches in SQL, and what reports are made of.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde::{Deserialize, Serialize};
use tracing::error;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId, MonitorName, ServiceId};
use watchkeeper_engine::incident::{Severity, Stage};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;

use super::outbox::sql_limit;
use crate::breach::{Breach, BreachId, BreachQuery, BreachRow, MonitorHealth};
use crate::error::StoreError;

const COLUMNS: &str = "id, service, monitor, period, starts, ends, found, acknowledged, details";

/// What has no column of its own. Keys are only ever added, as in mirror.rs.
#[derive(Serialize, Deserialize)]
struct Details {
    target: u32,
    kept: u16,
    budget_ms: u64,
    lost_ms: u64,
    #[serde(default)]
    told: Vec<String>,
    #[serde(default)]
    by: Option<Arc<str>>,
}

/// Writes a breach, or what has become of it.
pub(super) fn put(connection: &Connection, breach: &Breach) -> Result<(), StoreError> {
    let monitor = breach.monitor.as_ref().map_or("", MonitorName::as_str);
    let known: Option<String> = connection
        .prepare_cached(
            "SELECT details FROM breach
             WHERE service = ? AND monitor = ? AND period = ? AND starts = ?",
        )?
        .query_row(
            (
                breach.service.as_str(),
                monitor,
                &*breach.period,
                breach.starts.as_millis(),
            ),
            |row| row.get(0),
        )
        .optional()?;
    let by = known
        .and_then(|known| serde_json::from_str::<Details>(&known).ok())
        .and_then(|known| known.by);
    let details = Details {
        target: breach.target,
        kept: breach.kept,
        budget_ms: breach.budget_ms,
        lost_ms: breach.lost_ms,
        told: breach.told.iter().map(ToString::to_string).collect(),
        by,
    };
    connection
        .prepare_cached(
            "INSERT INTO breach (service, monitor, period, starts, ends, found, details)
             VALUES (:service, :monitor, :period, :starts, :ends, :found, :details)
             ON CONFLICT (service, monitor, period, starts)
                 DO UPDATE SET details = excluded.details",
        )?
        .execute(named_params! {
            ":service": breach.service.as_str(),
            ":monitor": monitor,
            ":period": breach.period,
            ":starts": breach.starts.as_millis(),
            ":ends": breach.ends.as_millis(),
            ":found": breach.found.as_millis(),
            ":details": written(&details)?,
        })?;
    Ok(())
}

/// Breaches that match, newest first.
pub(super) fn find(
    connection: &Connection,
    query: &BreachQuery,
) -> Result<Vec<BreachRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM breach
         WHERE (:service IS NULL OR service = :service)
             AND (:acknowledged IS NULL OR (acknowledged IS NOT NULL) = :acknowledged)
             AND (:since IS NULL OR found >= :since)
             AND (:before IS NULL OR id < :before)
         ORDER BY id DESC LIMIT :limit"
    ))?;
    let rows = statement.query_map(
        named_params! {
            ":service": query.service.as_ref().map(ServiceId::as_str),
            ":acknowledged": query.acknowledged,
            ":since": query.since.map(Timestamp::as_millis),
            ":before": query.before.map(|id| id.0),
            ":limit": sql_limit(query.limit),
        },
        breach,
    )?;
    let mut found = Vec::new();
    for row in rows {
        match row? {
            Ok(row) => found.push(row),
            Err(id) => error!(id, "breach in the database cannot be read"),
        }
    }
    Ok(found)
}

/// Notes who has taken note of a breach, unless somebody has; `None` if there is
/// none with this number.
pub(super) fn acknowledge(
    connection: &Connection,
    id: BreachId,
    by: &Arc<str>,
    at: Timestamp,
) -> Result<Option<BreachRow>, StoreError> {
    let read = || -> Result<Option<BreachRow>, StoreError> {
        let row = connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM breach WHERE id = ?"))?
            .query_row([id.0], breach)
            .optional()?;
        Ok(row.and_then(Result::ok))
    };
    let Some(known) = read()? else {
        return Ok(None);
    };
    if known.acknowledged.is_none() {
        let json: String = connection
            .prepare_cached("SELECT details FROM breach WHERE id = ?")?
            .query_row([id.0], |row| row.get(0))?;
        if let Ok(details) = serde_json::from_str::<Details>(&json) {
            let details = Details {
                by: Some(Arc::clone(by)),
                ..details
            };
            connection
                .prepare_cached("UPDATE breach SET acknowledged = ?, details = ? WHERE id = ?")?
                .execute((at.as_millis(), written(&details)?, id.0))?;
        }
    }
    read()
}

/// Which health each of `monitors` had at `from`, and every later one, in order
/// for each.
pub(super) fn healths(
    connection: &Connection,
    monitors: &[MonitorId],
    from: Timestamp,
) -> Result<Vec<MonitorHealth>, StoreError> {
    let mut before = connection.prepare_cached(
        "SELECT at, to_health, maintained FROM change INDEXED BY change_by_target
         WHERE service = ? AND monitor = ? AND address IS NULL AND at < ?
         ORDER BY id DESC LIMIT 1",
    )?;
    let read = |monitor: &MonitorId, row: &Row<'_>, first: usize| {
        let health: String = row.get(first + 1)?;
        let maintained: bool = row.get(first + 2)?;
        Ok::<_, rusqlite::Error>(Health::from_word(&health).map(|health| {
            let at = Timestamp::from_millis(row.get(first).unwrap_or_default());
            MonitorHealth {
                monitor: monitor.clone(),
                at,
                health,
                maintained: if maintained {
                    Maintained::Yes
                } else {
                    Maintained::No
                },
            }
        }))
    };
    let mut found = Vec::new();
    for monitor in monitors {
        let of = (
            monitor.service().as_str(),
            monitor.name().as_str(),
            from.as_millis(),
        );
        let known = before
            .query_row(of, |row| read(monitor, row, 0))
            .optional()?;
        found.extend(known.flatten());
    }
    let by_name: HashMap<(&str, &str), &MonitorId> = monitors
        .iter()
        .map(|monitor| {
            let names = (monitor.service().as_str(), monitor.name().as_str());
            (names, monitor)
        })
        .collect();
    let mut since = connection.prepare_cached(
        "SELECT service, monitor, at, to_health, maintained FROM change
         WHERE address IS NULL AND at >= ? ORDER BY id",
    )?;
    let mut rows = since.query([from.as_millis()])?;
    while let Some(row) = rows.next()? {
        let (service, name) = (row.get_ref(0)?, row.get_ref(1)?);
        let (Ok(service), Ok(name)) = (service.as_str(), name.as_str()) else {
            continue;
        };
        if let Some(monitor) = by_name.get(&(service, name)) {
            found.extend(read(monitor, row, 2)?);
        }
    }
    Ok(found)
}

/// How many incidents that began in `from..to` hit each service.
pub(super) fn incident_counts(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
) -> Result<HashMap<ServiceId, u64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT hit.service, count(*) FROM incident JOIN incident_service AS hit
             ON hit.incident = incident.id
         WHERE incident.started >= ? AND incident.started < ? GROUP BY hit.service",
    )?;
    let mut rows = statement.query((from.as_millis(), to.as_millis()))?;
    let mut counts = HashMap::new();
    while let Some(row) = rows.next()? {
        let service: String = row.get(0)?;
        if let Ok(service) = ServiceId::new(&service) {
            let count: i64 = row.get(1)?;
            counts.insert(service, count.unsigned_abs());
        }
    }
    Ok(counts)
}

/// How many incidents there are of which severity and stage.
pub(super) fn incident_states(
    connection: &Connection,
) -> Result<Vec<(Severity, Stage, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT severity, stage, count(*) FROM incident GROUP BY severity, stage",
    )?;
    let mut rows = statement.query(())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (severity, stage): (String, String) = (row.get(0)?, row.get(1)?);
        let count: i64 = row.get(2)?;
        let words = Severity::from_word(&severity).zip(Stage::from_word(&stage));
        found.extend(words.map(|(severity, stage)| (severity, stage, count.unsigned_abs())));
    }
    Ok(found)
}

fn written(details: &Details) -> Result<String, StoreError> {
    serde_json::to_string(details).map_err(|error| StoreError::Unstorable {
        what: "a breach",
        problem: error.to_string(),
    })
}

/// A row; `Err` with its number if it makes no sense.
fn breach(row: &Row<'_>) -> rusqlite::Result<Result<BreachRow, i64>> {
    let id: i64 = row.get(0)?;
    let (service, monitor): (String, String) = (row.get(1)?, row.get(2)?);
    let period = row.get(3)?;
    let time = |column: usize| row.get(column).map(Timestamp::from_millis);
    let (starts, ends, found) = (time(4)?, time(5)?, time(6)?);
    let acknowledged: Option<i64> = row.get(7)?;
    let details: String = row.get(8)?;
    let read = || {
        let details: Details = serde_json::from_str(&details).ok()?;
        let monitor = match monitor.as_str() {
            "" => None,
            name => Some(MonitorName::new(name).ok()?),
        };
        let told = details.told.iter().map(|id| ChannelId::new(id));
        Some(BreachRow {
            id: BreachId(id),
            acknowledged: acknowledged.map(|at| {
                (
                    details.by.clone().unwrap_or_default(),
                    Timestamp::from_millis(at),
                )
            }),
            breach: Breach {
                service: ServiceId::new(&service).ok()?,
                monitor,
                period,
                starts,
                ends,
                found,
                target: details.target,
                kept: details.kept,
                budget_ms: details.budget_ms,
                lost_ms: details.lost_ms,
                told: told.collect::<Result<_, _>>().ok()?,
            },
        })
    };
    Ok(read().ok_or(id))
}
