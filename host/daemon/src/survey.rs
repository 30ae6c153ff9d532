//! What is known of what is watched, for whoever asks the web for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tracing::error;
use watchkeeper_config::config::Plugins as Settings;
use watchkeeper_config::passive::Passive;
use watchkeeper_engine::change;
use watchkeeper_engine::id::TargetId;
use watchkeeper_engine::uptime::Maintained;
use watchkeeper_sandbox::Kind;
use watchkeeper_store::{
    ChangeId, ChangeQuery, ChangeRow, Store, StoreError, Subject, SubjectKind, Whose,
};
use watchkeeper_web::{
    ChangeRecord, Found, MonitorState, PluginRecord, PluginRecords, ReadingRecord, Refusal,
    Standing, Survey, TargetState, WantedChanges, WantedReadings,
};

use crate::asking::Asking;
use crate::board::Board;
use crate::items::shown_address;
use crate::orders::Order;
use crate::plugins::{Entry, Shelf, file_name};

/// How long somebody waits to hear how things are.
const PATIENCE: Duration = Duration::from_secs(8);

/// See the module.
pub(crate) struct Surveyor {
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) plugins: watch::Receiver<Arc<PluginRecords>>,
}

impl Survey for Surveyor {
    fn monitors(&self) -> Found<'_, Arc<Vec<MonitorState>>> {
        let (reply, answer) = oneshot::channel();
        let asking = async move {
            self.orders.send(Order::Survey { reply }).await.ok()?;
            answer.await.ok()
        };
        Box::pin(async move {
            let seen = timeout(PATIENCE, asking).await;
            seen.ok().flatten().ok_or(Refusal::Busy)
        })
    }

    fn readings(&self, wanted: WantedReadings) -> Found<'_, Vec<ReadingRecord>> {
        Box::pin(async move {
            let target = TargetId::new(wanted.monitor, &wanted.target);
            let found = self
                .store
                .readings(target, wanted.from, wanted.to, wanted.limit)
                .await;
            let readings = found.map_err(|problem| unreadable(&problem))?;
            let records = readings.into_iter().map(|reading| ReadingRecord {
                at: reading.at,
                verdict: reading.verdict,
                latency: reading.latency,
                reason: reading.reason,
            });
            Ok(records.collect())
        })
    }

    fn changes(&self, wanted: WantedChanges) -> Found<'_, Vec<ChangeRecord>> {
        let query = ChangeQuery {
            whose: match wanted.whose {
                watchkeeper_web::Whose::All => Whose::All,
                watchkeeper_web::Whose::Service(id) => Whose::Service(id),
                watchkeeper_web::Whose::Monitor(id) => Whose::Monitor(id),
            },
            kind: match wanted.of_targets {
                None => SubjectKind::Any,
                Some(true) => SubjectKind::Targets,
                Some(false) => SubjectKind::Monitors,
            },
            since: wanted.since,
            before: wanted.before.map(ChangeId),
            limit: wanted.limit,
        };
        Box::pin(async move {
            let found = self.store.changes(query).await;
            let rows = found.map_err(|problem| unreadable(&problem))?;
            Ok(rows.into_iter().map(change).collect())
        })
    }

    fn plugins(&self) -> Arc<PluginRecords> {
        Arc::clone(&self.plugins.borrow())
    }
}

/// Every monitor of the board with its targets.
pub(crate) fn monitors(board: &Board) -> Vec<MonitorState> {
    let assigned = &board.assignments().monitors;
    let known = assigned
        .iter()
        .filter_map(|each| board.monitor(&each.monitor.id));
    let states = known.map(|monitor| {
        let own = &monitor.assigned.monitor;
        let targets = monitor.targets.iter().filter_map(|id| {
            let target = board.target(id)?;
            Some(TargetState {
                address: id.address().into(),
                shown: shown_address(id.address()).into(),
                standing: standing(&target.state.standing),
                latency: target.last.as_ref().and_then(|last| last.latency),
                checked: target.last.as_ref().map(|last| last.at),
            })
        });
        MonitorState {
            id: own.id.clone(),
            standing: standing(&monitor.state.standing),
            passive: own.passive.as_ref().map(Passive::as_str),
            paused: board
                .pause_of(&own.id)
                .map(|pause| (pause.at, Arc::clone(&pause.by))),
            targets: targets.collect(),
        }
    });
    states.collect()
}

/// What is known of the plugins of `shelf`, which get what `settings` grant.
pub(crate) fn plugins(shelf: &Shelf, settings: &Settings) -> PluginRecords {
    let loaded = shelf.plugins.values().map(|entry| plugin(entry, settings));
    let rejected = shelf
        .rejected
        .iter()
        .map(|rejected| (file_name(&rejected.file), rejected.reason.clone()));
    PluginRecords {
        loaded: loaded.collect(),
        rejected: rejected.collect(),
    }
}

fn plugin(entry: &Entry, settings: &Settings) -> PluginRecord {
    let description = entry.plugin.description();
    let (kind, schemes) = match entry.plugin.kind() {
        Kind::Probe { schemes } => ("probe", schemes.iter().map(ToString::to_string).collect()),
        Kind::Notifier => ("notifier", Vec::new()),
    };
    PluginRecord {
        name: description.name.to_string(),
        version: description.version.to_string(),
        summary: description.summary.clone(),
        kind,
        schemes,
        origin: entry.origin.to_string(),
        sha256: entry.plugin.sha256_hex(),
        access: Asking::of(description, &entry.origin, settings).as_json(),
        schema: description.schema.clone(),
    }
}

fn standing(standing: &change::Standing) -> Standing {
    Standing {
        health: standing.health,
        since: standing.since,
        reason: standing.reason.clone(),
    }
}

fn change(row: ChangeRow) -> ChangeRecord {
    let entry = row.entry;
    let change = entry.change;
    let target = match &entry.subject {
        Subject::Monitor(_) => None,
        Subject::Target(target) => Some(shown_address(target.address())),
    };
    ChangeRecord {
        number: row.id.0,
        monitor: entry.subject.monitor().clone(),
        target,
        from: change.from,
        to: change.to,
        at: change.at,
        since: change.since,
        lasted: change.lasted,
        reason: change.reason,
        cause: change.cause.as_str(),
        maintained: entry.maintained != Maintained::No,
        folded_into: entry.folded_into,
    }
}

fn unreadable(problem: &StoreError) -> Refusal {
    error!(%problem, "the past cannot be looked up");
    Refusal::Busy
}
