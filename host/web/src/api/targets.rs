//! `/api/v1/targets`: everything that is checked, each with how it is.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;

use super::operation::{Operation, shape};
use super::{Page, Query, admit, answer, busy};
use crate::dates::Iso;
use crate::survey::TargetState;
use crate::web::Web;

const PATH: &str = "/api/v1/targets";

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(PATH, "listTargets", list)
            .says(
                "targets",
                "Everything that is checked, by monitor and address.",
            )
            .query::<String>("monitor", "Only those of this `service/monitor`.")
            .query::<HealthWord>("health", "Only those that are so.")
            .query::<String>(
                "after",
                "Only those that come after this one, as `next` says.",
            )
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Target>>),
    ]
}

/// How something is.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(dead_code, reason = "it stands in the document alone")]
pub(super) enum HealthWord {
    Healthy,
    Sick,
    Dead,
    Unknown,
}

/// An address that a monitor checks.
#[derive(Serialize, JsonSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "what is written as JSON is called as it is elsewhere"
)]
pub(super) struct Target {
    /// The monitor, as `service/monitor`.
    monitor: String,
    /// The address, a password in it as `****`.
    target: String,
    /// `healthy`, `sick`, `dead` or `unknown`.
    health: &'static str,
    /// Since when.
    since: Option<String>,
    /// Why.
    reason: Option<String>,
    /// How long its last check took, in milliseconds.
    latency_ms: Option<f64>,
    /// When it was last checked or heard of, since the host started.
    checked: Option<String>,
}

impl Target {
    pub(super) fn new(monitor: &MonitorId, target: &TargetState) -> Self {
        let standing = &target.standing;
        Self {
            monitor: monitor.to_string(),
            target: target.shown.to_string(),
            health: standing.health.as_str(),
            since: standing.since.map(|at| Iso(at).to_string()),
            reason: standing.reason.as_deref().map(str::to_owned),
            latency_ms: target.latency.map(|latency| latency.as_secs_f64() * 1e3),
            checked: target.checked.map(|at| Iso(at).to_string()),
        }
    }
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = async {
        let query = Query::read(&head.uri, &["monitor", "health", "after", "limit"])?;
        let limit = query.limit()?;
        let monitor = query.parsed("monitor", "a monitor as `service/monitor`", |text| {
            MonitorId::parse(text).ok()
        })?;
        let words = "`healthy`, `sick`, `dead` or `unknown`";
        let health = query.parsed("health", words, Health::from_word)?;
        let monitors = web.settings().survey.monitors().await.map_err(|_| busy())?;
        let all = monitors.iter().flat_map(|of| {
            let targets = of.targets.iter();
            targets.map(move |target| (cursor(&of.id, target), &of.id, target))
        });
        let mut found: Vec<_> = all
            .filter(|(_, id, target)| {
                monitor.as_ref().is_none_or(|wanted| wanted == *id)
                    && health.is_none_or(|wanted| wanted == target.standing.health)
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(after) = query.get("after") {
            found.retain(|(cursor, ..)| cursor.as_str() > after);
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|it| it.0.clone());
        let shown = found
            .into_iter()
            .map(|(_, id, target)| Target::new(id, target))
            .collect();
        Ok::<_, Response>(answer(&query.page_after(PATH, shown, last.as_deref())))
    };
    asked.await.unwrap_or_else(|refused| refused)
}

/// By what targets are ordered.
fn cursor(monitor: &MonitorId, target: &TargetState) -> String {
    format!("{monitor} {}", target.shown)
}
