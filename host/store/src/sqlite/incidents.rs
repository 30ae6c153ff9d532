//! Incidents in SQL.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde::{Deserialize, Serialize};
use tracing::error;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::incident::{
    Acknowledgement, Incident, IncidentId, Origin, Part, Severity, Stage,
};
use watchkeeper_engine::time::Timestamp;

use super::outbox::sql_limit;
use crate::error::StoreError;
use crate::incident::{
    Audience, Ended, EntryKind, IncidentEntry, IncidentQuery, IncidentRow, IncidentStory,
};

const COLUMNS: &str = "id, service, title, severity, stage, started, resolved, details";

/// What has no column of its own. Keys are only ever added, as in mirror.rs.
#[derive(Serialize, Deserialize)]
struct Details {
    origin: String,
    #[serde(default)]
    well_since: Option<i64>,
    #[serde(default)]
    reopened: u32,
    #[serde(default)]
    acknowledged: Option<AcknowledgementMirror>,
    #[serde(default)]
    parts: Vec<PartMirror>,
    #[serde(default)]
    affects: Vec<String>,
    #[serde(default)]
    absorbs: Vec<String>,
    #[serde(default)]
    merged_into: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct AcknowledgementMirror {
    by: Arc<str>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct PartMirror {
    monitor: String,
    health: String,
    since: i64,
    worst: String,
    ails: bool,
    #[serde(default)]
    root: Option<String>,
}

/// Writes out what has no column.
pub(super) fn details(incident: &Incident) -> Result<String, StoreError> {
    let parts = incident.parts.iter().map(|(monitor, part)| PartMirror {
        monitor: monitor.to_string(),
        health: part.health.as_str().into(),
        since: part.since.as_millis(),
        worst: part.worst.as_str().into(),
        ails: part.ails,
        root: part.root.as_ref().map(ToString::to_string),
    });
    let acknowledged = incident.acknowledged.as_ref();
    let details = Details {
        origin: incident.origin.as_str().into(),
        well_since: incident.well_since.map(Timestamp::as_millis),
        reopened: incident.reopened,
        acknowledged: acknowledged.map(|it| AcknowledgementMirror {
            by: Arc::clone(&it.by),
            at: it.at.as_millis(),
        }),
        parts: parts.collect(),
        affects: incident.affects.iter().map(ToString::to_string).collect(),
        absorbs: incident.absorbs.iter().map(ToString::to_string).collect(),
        merged_into: incident.merged_into.map(IncidentId::get),
    };
    serde_json::to_string(&details).map_err(|error| StoreError::Unstorable {
        what: "an incident",
        problem: error.to_string(),
    })
}

/// Writes how an incident stands; `details` is what [`details`] made of it.
pub(super) fn put(
    connection: &Connection,
    row: &IncidentRow,
    details: &str,
) -> Result<(), StoreError> {
    let incident = &row.incident;
    connection
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO incident ({COLUMNS}) VALUES
                 (:id, :service, :title, :severity, :stage, :started, :resolved, :details)"
        ))?
        .execute(named_params! {
            ":id": row.id.get(),
            ":service": incident.service.as_str(),
            ":title": row.title,
            ":severity": incident.severity.as_str(),
            ":stage": incident.stage.as_str(),
            ":started": incident.started.as_millis(),
            ":resolved": incident.resolved.map(Timestamp::as_millis),
            ":details": details,
        })?;
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO incident_service VALUES (?, ?)")?;
    for service in incident.services() {
        statement.execute((service.as_str(), row.id.get()))?;
    }
    Ok(())
}

/// Adds to a timeline, unless it is there.
pub(super) fn add_entry(connection: &Connection, entry: &IncidentEntry) -> Result<(), StoreError> {
    let monitor = entry.monitor.as_ref();
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO incident_entry VALUES
                 (:incident, :number, :at, :kind, :stage, :public, :service, :monitor, :author, :text)",
        )?
        .execute(named_params! {
            ":incident": entry.incident.get(),
            ":number": entry.number,
            ":at": entry.at.as_millis(),
            ":kind": entry.kind.as_str(),
            ":stage": entry.stage.as_str(),
            ":public": entry.audience == Audience::Public,
            ":service": monitor.map(|monitor| monitor.service().as_str()),
            ":monitor": monitor.map(|monitor| monitor.name().as_str()),
            ":author": entry.author,
            ":text": entry.text,
        })?;
    Ok(())
}

/// The number of the next incident.
pub(super) fn next(connection: &Connection) -> Result<IncidentId, StoreError> {
    let last: Option<u32> =
        connection.query_row("SELECT max(id) FROM incident", (), |row| row.get(0))?;
    Ok(last.map_or(IncidentId::FIRST, |last| IncidentId::new(last).next()))
}

/// Incidents that match, newest first.
pub(super) fn find(
    connection: &mut Connection,
    query: &IncidentQuery,
) -> Result<Vec<IncidentStory>, StoreError> {
    // Incidents and their entries are of one moment.
    let connection = connection.transaction()?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM incident
         WHERE (:ended IS NULL OR (resolved IS NOT NULL) = :ended)
             AND (:service IS NULL OR EXISTS (SELECT 1 FROM incident_service AS hit
                 WHERE hit.service = :service AND hit.incident = id))
             AND (:from IS NULL OR started >= :from)
             AND (:to IS NULL OR started < :to)
             AND (:since IS NULL OR resolved IS NULL OR resolved >= :since)
             AND (:before IS NULL OR id < :before)
         ORDER BY id DESC LIMIT :limit"
    ))?;
    let ended = match query.ended {
        Ended::Any => None,
        Ended::No => Some(false),
        Ended::Yes => Some(true),
    };
    let rows = statement.query_map(
        named_params! {
            ":ended": ended,
            ":service": query.service.as_ref().map(ServiceId::as_str),
            ":from": query.started.map(|(from, _)| from.as_millis()),
            ":to": query.started.map(|(_, to)| to.as_millis()),
            ":since": query.live_since.map(Timestamp::as_millis),
            ":before": query.before.map(IncidentId::get),
            ":limit": sql_limit(query.limit),
        },
        incident,
    )?;
    let mut stories = Vec::new();
    for row in rows {
        match row? {
            Ok(row) => stories.push(with_entries(&connection, row)?),
            Err(id) => error!(id, "incident in the database cannot be read"),
        }
    }
    Ok(stories)
}

/// The incident `id`.
pub(super) fn get(
    connection: &mut Connection,
    id: IncidentId,
) -> Result<Option<IncidentStory>, StoreError> {
    let connection = connection.transaction()?;
    let row = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM incident WHERE id = ?"))?
        .query_row([id.get()], incident)
        .optional()?;
    match row {
        None => Ok(None),
        Some(Ok(row)) => with_entries(&connection, row).map(Some),
        Some(Err(id)) => {
            error!(id, "incident in the database cannot be read");
            Ok(None)
        }
    }
}

fn with_entries(connection: &Connection, row: IncidentRow) -> Result<IncidentStory, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, at, kind, stage, public, service, monitor, author, text
         FROM incident_entry WHERE incident = ? ORDER BY number",
    )?;
    let mut entries = Vec::new();
    for read in statement.query_map([row.id.get()], |entry_row| entry(row.id, entry_row))? {
        match read? {
            Ok(entry) => entries.push(entry),
            Err(number) => {
                error!(incident = %row.id, number, "entry in the database cannot be read");
            }
        }
    }
    Ok(IncidentStory { row, entries })
}

/// A row; `Err` with its number if it makes no sense.
fn incident(row: &Row<'_>) -> rusqlite::Result<Result<IncidentRow, u32>> {
    let id: u32 = row.get(0)?;
    let (service, severity, stage): (String, String, String) =
        (row.get(1)?, row.get(3)?, row.get(4)?);
    let details: String = row.get(7)?;
    let title = row.get(2)?;
    let started = Timestamp::from_millis(row.get(5)?);
    let resolved = row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis);
    let read = serde_json::from_str(&details)
        .ok()
        .and_then(|details: Details| {
            let acknowledged = details.acknowledged.map(|it| Acknowledgement {
                by: it.by,
                at: Timestamp::from_millis(it.at),
            });
            Some(Incident {
                origin: Origin::from_word(&details.origin)?,
                service: ServiceId::new(&service).ok()?,
                affects: services(&details.affects)?,
                absorbs: services(&details.absorbs)?,
                merged_into: details.merged_into.map(IncidentId::new),
                severity: Severity::from_word(&severity)?,
                stage: Stage::from_word(&stage)?,
                started,
                resolved,
                well_since: details.well_since.map(Timestamp::from_millis),
                reopened: details.reopened,
                acknowledged,
                parts: details.parts.iter().map(part).collect::<Option<_>>()?,
            })
        });
    Ok(read.map_or(Err(id), |incident| {
        Ok(IncidentRow {
            id: IncidentId::new(id),
            title,
            incident,
        })
    }))
}

fn services(names: &[String]) -> Option<BTreeSet<ServiceId>> {
    names.iter().map(|name| ServiceId::new(name).ok()).collect()
}

fn part(mirror: &PartMirror) -> Option<(MonitorId, Part)> {
    let root = match &mirror.root {
        Some(root) => Some(MonitorId::parse(root).ok()?),
        None => None,
    };
    let part = Part {
        health: Health::from_word(&mirror.health)?,
        since: Timestamp::from_millis(mirror.since),
        worst: Health::from_word(&mirror.worst)?,
        ails: mirror.ails,
        root,
    };
    Some((MonitorId::parse(&mirror.monitor).ok()?, part))
}

/// A row; `Err` with its number if it makes no sense.
fn entry(incident: IncidentId, row: &Row<'_>) -> rusqlite::Result<Result<IncidentEntry, u32>> {
    let number: u32 = row.get(0)?;
    let (kind, stage): (String, String) = (row.get(2)?, row.get(3)?);
    let (service, name): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    let monitor = match (service, name) {
        (Some(service), Some(name)) => match MonitorId::parse(&format!("{service}/{name}")) {
            Ok(monitor) => Some(monitor),
            Err(_) => return Ok(Err(number)),
        },
        _ => None,
    };
    let (Some(kind), Some(stage)) = (EntryKind::from_word(&kind), Stage::from_word(&stage)) else {
        return Ok(Err(number));
    };
    Ok(Ok(IncidentEntry {
        incident,
        number,
        at: Timestamp::from_millis(row.get(1)?),
        kind,
        stage,
        audience: if row.get(4)? {
            Audience::Public
        } else {
            Audience::Internal
        },
        monitor,
        author: row.get(7)?,
        text: row.get(8)?,
    }))
}

/// The key called `name`; `fresh` from now on where there is none.
pub(super) fn key(
    connection: &Connection,
    name: &str,
    fresh: &[u8],
) -> Result<Vec<u8>, StoreError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO host_key VALUES (?, ?)")?
        .execute((name, fresh))?;
    let key = connection
        .prepare_cached("SELECT value FROM host_key WHERE name = ?")?
        .query_row([name], |row| row.get(0))?;
    Ok(key)
}
