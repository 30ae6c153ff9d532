//! `/api/v1/readings` and `/api/v1/changes`: what was found, and what became of it.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::time::Timestamp;

use super::operation::{Operation, shape};
use super::{Page, Query, admit, answer, busy, nothing, wrong};
use crate::dates::Iso;
use crate::survey::{ChangeRecord, ReadingRecord, WantedChanges, WantedReadings, Whose};
use crate::web::Web;

const READINGS: &str = "/api/v1/readings";

const CHANGES: &str = "/api/v1/changes";

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(READINGS, "listReadings", readings)
            .says(
                "readings",
                "What checks of one target found, newest first. Readings are kept for days.",
            )
            .must::<String>("monitor", "The monitor, as `service/monitor`.")
            .must::<String>(
                "target",
                "The target's address, as `/api/v1/targets` shows it.",
            )
            .query::<String>(
                "from",
                "Only those of this time or later, as 2026-11-21T08:00:00Z.",
            )
            .query::<i64>(
                "before",
                "Only those before this time, in milliseconds since 1970.",
            )
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Reading>>),
        Operation::get(CHANGES, "listChanges", changes)
            .says(
                "changes",
                "Confirmed moves from one health to another, newest first.",
            )
            .query::<String>("service", "Only those of this service.")
            .query::<String>("monitor", "Only those of this `service/monitor`.")
            .query::<Of>(
                "of",
                "Only those of monitors as a whole, or only those of targets.",
            )
            .query::<String>(
                "since",
                "Only those of this time or later, as 2026-11-21T08:00:00Z.",
            )
            .query::<i64>("before", "Only those with a smaller number.")
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Change>>),
    ]
}

/// Whose changes.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(dead_code, reason = "it stands in the document alone")]
enum Of {
    Monitors,
    Targets,
}

/// What a check found.
#[derive(Serialize, JsonSchema)]
struct Reading {
    /// When.
    at: String,
    /// The same in milliseconds since 1970.
    at_ms: i64,
    /// `healthy`, `sick` or `dead`; null for a check that came to no verdict.
    verdict: Option<&'static str>,
    /// How long it took, in milliseconds.
    latency_ms: Option<f64>,
    /// Why.
    reason: Option<String>,
}

/// A confirmed move from one health to another.
#[derive(Serialize, JsonSchema)]
struct Change {
    /// Its number.
    id: i64,
    /// The monitor, or the one that the target belongs to.
    monitor: String,
    /// The address of the target; null for the monitor as a whole.
    target: Option<String>,
    /// The health until then.
    from: &'static str,
    /// The health from then on.
    to: &'static str,
    /// When it was decided.
    at: String,
    /// When the new health began.
    since: String,
    /// How long the health until then had stood, in milliseconds.
    lasted_ms: Option<u64>,
    /// Why.
    reason: Option<String>,
    /// What made it: `reading`, `stale`, `paused` and others.
    cause: &'static str,
    /// Whether maintenance covered it.
    maintained: bool,
    /// The monitor whose outage explains it.
    folded_into: Option<String>,
}

async fn readings(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = async {
        let keys = ["monitor", "target", "from", "before", "limit"];
        let query = Query::read(&head.uri, &keys)?;
        let monitor = query.parsed("monitor", "a monitor as `service/monitor`", |text| {
            MonitorId::parse(text).ok()
        })?;
        let (Some(monitor), Some(target)) = (monitor, query.get("target")) else {
            return Err(wrong("`monitor` and `target` are missing"));
        };
        let from = query.parsed("from", "a time such as 2026-11-21T08:00:00Z", time)?;
        let before = query.parsed("before", "milliseconds since 1970", |text| {
            text.parse().ok().map(Timestamp::from_millis)
        })?;
        let monitors = web.settings().survey.monitors().await.map_err(|_| busy())?;
        let known = monitors.iter().find(|known| known.id == monitor);
        let known = known.and_then(|known| {
            let mut targets = known.targets.iter();
            targets.find(|known| *known.address == *target || *known.shown == *target)
        });
        let Some(known) = known else {
            return Err(nothing("The monitor has no such target."));
        };
        let wanted = WantedReadings {
            monitor,
            target: known.address.to_string(),
            from: from.unwrap_or(Timestamp::from_millis(0)),
            to: before.unwrap_or(Timestamp::from_millis(LATEST)),
            limit: query.limit()?,
        };
        let found = web.settings().survey.readings(wanted).await;
        let found = found.map_err(|_| busy())?;
        let last = found.last().map(|reading| reading.at.as_millis());
        let shown = found.iter().map(Reading::from).collect();
        Ok::<_, Response>(answer(&query.page(READINGS, shown, last)?))
    };
    asked.await.unwrap_or_else(|refused| refused)
}

/// The end of the year 9999: later than any reading.
const LATEST: i64 = 253_402_300_799_000;

async fn changes(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = async {
        let keys = ["service", "monitor", "of", "since", "before", "limit"];
        let query = Query::read(&head.uri, &keys)?;
        let service = query.parsed("service", "the id of a service", |text| {
            ServiceId::new(text).ok()
        })?;
        let monitor = query.parsed("monitor", "a monitor as `service/monitor`", |text| {
            MonitorId::parse(text).ok()
        })?;
        let whose = match (service, monitor) {
            (None, None) => Whose::All,
            (Some(service), None) => Whose::Service(service),
            (None, Some(monitor)) => Whose::Monitor(monitor),
            (Some(_), Some(_)) => {
                return Err(wrong("`service` and `monitor` cannot both be given"));
            }
        };
        let of_targets = query.parsed("of", "`monitors` or `targets`", |word| match word {
            "monitors" => Some(false),
            "targets" => Some(true),
            _ => None,
        })?;
        let wanted = WantedChanges {
            whose,
            of_targets,
            since: query.parsed("since", "a time such as 2026-11-21T08:00:00Z", time)?,
            before: query.parsed("before", "a number", |text| text.parse().ok())?,
            limit: query.limit()?,
        };
        let found = web.settings().survey.changes(wanted).await;
        let found = found.map_err(|_| busy())?;
        let last = found.last().map(|change| change.number);
        let shown = found.iter().map(Change::from).collect();
        Ok::<_, Response>(answer(&query.page(CHANGES, shown, last)?))
    };
    asked.await.unwrap_or_else(|refused| refused)
}

/// A time as RFC 3339 writes it, from 1970 to 9999.
fn time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    let millis = at.as_millisecond();
    (0..=LATEST)
        .contains(&millis)
        .then(|| Timestamp::from_millis(millis))
}

impl From<&ReadingRecord> for Reading {
    fn from(reading: &ReadingRecord) -> Self {
        Self {
            at: Iso(reading.at).to_string(),
            at_ms: reading.at.as_millis(),
            verdict: reading
                .verdict
                .map(|verdict| Health::from(verdict).as_str()),
            latency_ms: reading.latency.map(|latency| latency.as_secs_f64() * 1e3),
            reason: reading.reason.as_deref().map(str::to_owned),
        }
    }
}

impl From<&ChangeRecord> for Change {
    fn from(change: &ChangeRecord) -> Self {
        let millis =
            |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            id: change.number,
            monitor: change.monitor.to_string(),
            target: change.target.clone(),
            from: change.from.as_str(),
            to: change.to.as_str(),
            at: Iso(change.at).to_string(),
            since: Iso(change.since).to_string(),
            lasted_ms: change.lasted.map(millis),
            reason: change.reason.as_deref().map(str::to_owned),
            cause: change.cause,
            maintained: change.maintained,
            folded_into: change.folded_into.as_ref().map(ToString::to_string),
        }
    }
}
