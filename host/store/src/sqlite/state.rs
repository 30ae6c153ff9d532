//! States and changes in SQL.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use tracing::error;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, MonitorName, ServiceId, TargetId};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;

use super::mirror::{self, ChangeDetails, Kept};
use super::outbox::{self, sql_limit};
use super::{breaches, documents, incidents};
use crate::error::StoreError;
use crate::state::{
    ChangeId, ChangeQuery, ChangeRow, Commit, Loaded, NewChange, RouteKey, Space, Subject,
    SubjectKind, Whose,
};

/// The kind of the row in `host_state` that tells of the host's own network.
const NETWORK: &str = "network";

/// The kind of the row in `host_state` that tells when somebody listened.
const ALIVE: &str = "alive";

/// What the kinds of the rows in `host_state` begin with that are notes.
const NOTE: &str = "note:";

/// Reads every state. One that cannot be read is left out, named in the log and
/// counted in `unreadable`.
pub(super) fn load(connection: &Connection, unreadable: &AtomicU64) -> Result<Loaded, StoreError> {
    let mut loaded = Loaded::default();
    let skip = |what: String, problem: &str| {
        unreadable.fetch_add(1, Ordering::Relaxed);
        error!(%what, problem, "state in the database cannot be read and begins anew");
    };
    // One transaction, so that all of it is of one moment.
    let connection = connection.unchecked_transaction()?;
    unreadable.store(0, Ordering::Relaxed);

    let mut statement =
        connection.prepare("SELECT service, monitor, address, state FROM target_state")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (address, json): (String, String) = (row.get(2)?, row.get(3)?);
        match monitor_of(row, 0)?.and_then(|monitor| Ok((monitor, mirror::read(&json)?))) {
            Ok((monitor, state)) => {
                loaded
                    .targets
                    .insert(TargetId::new(monitor, &address), state);
            }
            Err(problem) => skip(format!("target {address}"), &problem),
        }
    }

    let mut statement = connection.prepare("SELECT service, monitor, state FROM monitor_state")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (name, json): (String, String) = (row.get(1)?, row.get(2)?);
        match monitor_of(row, 0)?.and_then(|monitor| Ok((monitor, mirror::read(&json)?))) {
            Ok((monitor, state)) => {
                loaded.monitors.insert(monitor, state);
            }
            Err(problem) => skip(format!("monitor {name}"), &problem),
        }
    }

    let mut statement = connection.prepare(
        "SELECT route, service, monitor, state FROM told ORDER BY route, service, monitor",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (route, json): (String, String) = (row.get(0)?, row.get(3)?);
        match monitor_of(row, 1)?.and_then(|monitor| Ok((monitor, mirror::read(&json)?))) {
            Ok((monitor, told)) => loaded.told.push((RouteKey(route), monitor, told)),
            Err(problem) => skip(format!("route {route}"), &problem),
        }
    }

    let mut statement = connection.prepare("SELECT service, monitor, address, state FROM heard")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (address, json): (String, String) = (row.get(2)?, row.get(3)?);
        match monitor_of(row, 0)?.and_then(|monitor| Ok((monitor, mirror::read(&json)?))) {
            Ok((monitor, heard)) => {
                loaded.heard.insert(TargetId::new(monitor, &address), heard);
            }
            Err(problem) => skip(format!("what was heard of {address}"), &problem),
        }
    }

    let of_host = |kind: &str| -> rusqlite::Result<Option<String>> {
        connection
            .query_row(
                "SELECT state FROM host_state WHERE kind = ?",
                [kind],
                |row| row.get(0),
            )
            .optional()
    };
    if let Some(json) = of_host(NETWORK)? {
        match mirror::read(&json) {
            Ok(network) => loaded.network = network,
            Err(problem) => skip("the host's network".into(), &problem),
        }
    }
    if let Some(text) = of_host(ALIVE)? {
        match text.parse() {
            Ok(millis) => loaded.alive_at = Some(Timestamp::from_millis(millis)),
            Err(_) => skip("when somebody listened".into(), "is no time"),
        }
    }
    let mut statement = connection.prepare("SELECT kind, state FROM host_state")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (kind, text): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(name) = kind.strip_prefix(NOTE) {
            loaded.notes.insert(name.to_owned(), text);
        }
    }
    loaded.documents = documents::all(&connection)?;
    Ok(loaded)
}

/// A commit in the form in which it is written, so that a second try need not
/// make it again.
pub(super) struct Prepared {
    commit: Commit,
    targets: Vec<String>,
    monitors: Vec<String>,
    told: Vec<String>,
    network: Option<String>,
    heard: Vec<Option<String>>,
    changes: Vec<String>,
    incidents: Vec<String>,
}

/// Writes out `commit`; done by the caller's thread, not by the writer's.
pub(super) fn prepare(commit: Commit) -> Result<Prepared, StoreError> {
    fn all<K, T: Kept>(states: &[(K, T)]) -> Result<Vec<String>, StoreError> {
        states
            .iter()
            .map(|(_, state)| mirror::write(state))
            .collect()
    }
    Ok(Prepared {
        targets: all(&commit.targets)?,
        monitors: all(&commit.monitors)?,
        told: commit
            .told
            .iter()
            .map(|(_, _, told)| mirror::write(told))
            .collect::<Result<_, _>>()?,
        network: commit.network.as_ref().map(mirror::write).transpose()?,
        heard: commit
            .heard
            .iter()
            .map(|(_, heard)| heard.as_ref().map(mirror::write).transpose())
            .collect::<Result<_, _>>()?,
        changes: commit
            .changes
            .iter()
            .map(|entry| ChangeDetails::write(&entry.change, entry.folded_into.as_ref()))
            .collect::<Result<_, _>>()?,
        incidents: commit
            .incidents
            .iter()
            .map(|row| incidents::details(&row.incident))
            .collect::<Result<_, _>>()?,
        commit,
    })
}

/// Writes all of a commit.
pub(super) fn commit(connection: &Connection, prepared: &Prepared) -> Result<(), StoreError> {
    let Prepared {
        commit,
        targets,
        monitors,
        told,
        network,
        heard,
        changes,
        incidents,
    } = prepared;
    // First: what comes back after it was forgotten has its new state.
    for ((target, _), json) in commit.heard.iter().zip(heard) {
        let monitor = target.monitor();
        let key = (
            monitor.service().as_str(),
            monitor.name().as_str(),
            target.address(),
        );
        if let Some(json) = json {
            connection
                .prepare_cached("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?)")?
                .execute((key.0, key.1, key.2, json))?;
        } else {
            for table in ["heard", "target_state"] {
                let delete =
                    format!("DELETE FROM {table} WHERE (service, monitor, address) = (?, ?, ?)");
                connection.prepare_cached(&delete)?.execute(key)?;
            }
        }
    }
    if !targets.is_empty() {
        let mut statement =
            connection.prepare_cached("INSERT OR REPLACE INTO target_state VALUES (?, ?, ?, ?)")?;
        for ((target, _), json) in commit.targets.iter().zip(targets) {
            let monitor = target.monitor();
            statement.execute((
                monitor.service().as_str(),
                monitor.name().as_str(),
                target.address(),
                json,
            ))?;
        }
    }
    if !monitors.is_empty() {
        let mut statement =
            connection.prepare_cached("INSERT OR REPLACE INTO monitor_state VALUES (?, ?, ?)")?;
        for ((monitor, _), json) in commit.monitors.iter().zip(monitors) {
            statement.execute((monitor.service().as_str(), monitor.name().as_str(), json))?;
        }
    }
    if !told.is_empty() {
        let mut statement =
            connection.prepare_cached("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)")?;
        for ((route, monitor, _), json) in commit.told.iter().zip(told) {
            let (service, name) = (monitor.service().as_str(), monitor.name().as_str());
            statement.execute((&route.0, service, name, json))?;
        }
    }
    if let Some(json) = network {
        connection
            .prepare_cached("INSERT OR REPLACE INTO host_state VALUES (?, ?)")?
            .execute((NETWORK, json))?;
    }
    if let Some(at) = commit.alive_at {
        connection
            .prepare_cached("INSERT OR REPLACE INTO host_state VALUES (?, ?)")?
            .execute((ALIVE, at.as_millis().to_string()))?;
    }
    for (name, note) in &commit.notes {
        let kind = format!("{NOTE}{name}");
        if let Some(text) = note {
            connection
                .prepare_cached("INSERT OR REPLACE INTO host_state VALUES (?, ?)")?
                .execute((kind, text))?;
        } else {
            connection
                .prepare_cached("DELETE FROM host_state WHERE kind = ?")?
                .execute([kind])?;
        }
    }
    for (entry, details) in commit.changes.iter().zip(changes) {
        let monitor = entry.subject.monitor();
        connection
            .prepare_cached(
                "INSERT INTO change
                     (at, service, monitor, address, from_health, to_health, maintained, details)
                 VALUES (:at, :service, :monitor, :address, :from, :to, :maintained, :details)",
            )?
            .execute(named_params! {
                ":at": entry.change.at.as_millis(),
                ":service": monitor.service().as_str(),
                ":monitor": monitor.name().as_str(),
                ":address": entry.subject.address(),
                ":from": entry.change.from.as_str(),
                ":to": entry.change.to.as_str(),
                ":maintained": entry.maintained == Maintained::Yes,
                ":details": details,
            })?;
    }
    for (row, details) in commit.incidents.iter().zip(incidents) {
        incidents::put(connection, row, details)?;
    }
    for entry in &commit.entries {
        incidents::add_entry(connection, entry)?;
    }
    for (key, document) in &commit.documents {
        documents::put(connection, key, document.as_ref())?;
    }
    for breach in &commit.breaches {
        breaches::put(connection, breach)?;
    }
    for delivery in &commit.deliveries {
        outbox::add(connection, delivery)?;
    }
    Ok(())
}

/// Changes that match, newest first.
pub(super) fn changes(
    connection: &Connection,
    query: &ChangeQuery,
) -> Result<Vec<ChangeRow>, StoreError> {
    // Only the conditions that are asked for, so that SQLite finds the index.
    let (service, monitor, address) = match &query.whose {
        Whose::All => (None, None, None),
        Whose::Service(service) => (Some(service), None, None),
        Whose::Monitor(monitor) => (Some(monitor.service()), Some(monitor.name()), None),
        Whose::Target(target) => (
            Some(target.monitor().service()),
            Some(target.monitor().name()),
            Some(target.address()),
        ),
    };
    let conditions = [
        (service.is_some(), "service = :service"),
        (monitor.is_some(), "monitor = :monitor"),
        (address.is_some(), "address = :address"),
        (query.kind == SubjectKind::Monitors, "address IS NULL"),
        (query.kind == SubjectKind::Targets, "address IS NOT NULL"),
        (query.since.is_some(), "at >= :since"),
        (query.before.is_some(), "id < :before"),
    ]
    .into_iter()
    .filter_map(|(asked, condition)| asked.then_some(condition))
    .fold(String::from("TRUE"), |all, condition| {
        all + " AND " + condition
    });
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, at, service, monitor, address, from_health, to_health, maintained, details
         FROM change WHERE {conditions} ORDER BY id DESC LIMIT :limit"
    ))?;
    let limit = sql_limit(query.limit);
    let (service, monitor) = (
        service.map(ServiceId::as_str),
        monitor.map(MonitorName::as_str),
    );
    let (since, before) = (
        query.since.map(Timestamp::as_millis),
        query.before.map(|id| id.0),
    );
    for (name, value) in [
        (":service", &service as &dyn rusqlite::ToSql),
        (":monitor", &monitor),
        (":address", &address),
        (":since", &since),
        (":before", &before),
        (":limit", &limit),
    ] {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    let mut rows = statement.raw_query();
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        match change(row)? {
            Ok(change) => changes.push(change),
            Err(id) => error!(id, "change in the database cannot be read"),
        }
    }
    Ok(changes)
}

/// Everything that plugins keep.
pub(super) fn spaces(connection: &Connection) -> Result<HashMap<String, Space>, StoreError> {
    let mut spaces: HashMap<String, Space> = HashMap::new();
    let mut statement = connection.prepare_cached("SELECT owner, key, value FROM space")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        spaces
            .entry(row.get(0)?)
            .or_default()
            .insert(row.get(1)?, row.get(2)?);
    }
    Ok(spaces)
}

/// Replaces what `owner` keeps.
pub(super) fn put_space(
    connection: &Connection,
    owner: &str,
    space: &Space,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM space WHERE owner = ?")?
        .execute([owner])?;
    let mut statement = connection.prepare_cached("INSERT INTO space VALUES (?, ?, ?)")?;
    for (key, value) in space {
        statement.execute((owner, key, value))?;
    }
    Ok(())
}

/// A row; `Err` with its number if it makes no sense.
fn change(row: &Row<'_>) -> rusqlite::Result<Result<ChangeRow, i64>> {
    let id: i64 = row.get(0)?;
    let at = Timestamp::from_millis(row.get(1)?);
    let address: Option<String> = row.get(4)?;
    let (from, to): (String, String) = (row.get(5)?, row.get(6)?);
    let maintained = if row.get(7)? {
        Maintained::Yes
    } else {
        Maintained::No
    };
    let details: String = row.get(8)?;
    let read = monitor_of(row, 2)?.ok().and_then(|monitor| {
        let (from, to) = (Health::from_word(&from)?, Health::from_word(&to)?);
        let (change, folded_into) = ChangeDetails::read(&details, at, from, to)?;
        let subject = match &address {
            Some(address) => Subject::Target(TargetId::new(monitor, address)),
            None => Subject::Monitor(monitor),
        };
        let entry = NewChange {
            subject,
            change,
            maintained,
            folded_into,
        };
        Some(ChangeRow {
            id: ChangeId(id),
            entry,
        })
    });
    Ok(read.ok_or(id))
}

/// The monitor whose service and name are in the columns from `first` on.
fn monitor_of(row: &Row<'_>, first: usize) -> rusqlite::Result<Result<MonitorId, String>> {
    let (service, name): (String, String) = (row.get(first)?, row.get(first + 1)?);
    let monitor = ServiceId::new(&service)
        .and_then(|service| Ok(MonitorId::new(service, MonitorName::new(&name)?)));
    Ok(monitor.map_err(|problem| format!("{service}/{name}: {problem}")))
}
