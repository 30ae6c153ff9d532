//! `/api/v1/monitors/…`: how monitors are, pausing them, going on with them, checking
//! them now.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use futures::future::BoxFuture;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::id::MonitorId;

use super::guard::json_body;
use super::operation::{Operation, shape};
use super::targets::Target;
use super::{admit, answer, busy, nothing, wrong};
use crate::control::{Control, NotDone};
use crate::dates::Iso;
use crate::failure::problem;
use crate::survey::MonitorState;
use crate::web::Web;

/// The largest body, in bytes.
const MOST: usize = 256 * 1024;

/// The most monitors of one request.
const MOST_MONITORS: usize = 1_000;

/// Service and monitor.
type Id = Path<(String, String)>;

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "monitors";
    let one = |path, id, act: Act, says| {
        Operation::post(
            path,
            id,
            async move |State(web): State<Web>, id: Id, request: Request| {
                act_on_one(&web, id, request, act).await
            },
        )
        .says(GROUP, says)
        .answers(200, "It is done.", shape::<Done>)
    };
    vec![
        Operation::get(
            "/api/v1/monitors/{service}/{monitor}/status",
            "getMonitorStatus",
            status,
        )
        .says(GROUP, "How it is, and each of its targets.")
        .answers(200, "How it is.", shape::<Status>),
        one(
            "/api/v1/monitors/{service}/{monitor}/pause",
            "pauseMonitor",
            Act::Pause,
            "Pauses it: it is not checked, nobody is told of it, and it counts for nothing.",
        ),
        one(
            "/api/v1/monitors/{service}/{monitor}/resume",
            "resumeMonitor",
            Act::Resume,
            "Goes on with it, and checks it at once.",
        ),
        one(
            "/api/v1/monitors/{service}/{monitor}/check",
            "checkMonitor",
            Act::Check,
            "Checks it now, besides its rhythm. What is found is soon in its readings.",
        ),
        Operation::post("/api/v1/monitors/bulk", "bulkMonitors", bulk)
            .says(GROUP, "Does one thing with many of them, or with none.")
            .body(shape::<Bulk>)
            .answers(200, "It is done.", shape::<AllDone>),
    ]
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MonitorAction")]
enum Act {
    Pause,
    Resume,
    Check,
}

/// What is sent for many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BulkMonitors")]
struct Bulk {
    /// What is done.
    action: Act,
    /// With which, each as `service/monitor`.
    #[schemars(length(min = 1, max = 1000))]
    monitors: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MonitorDone")]
struct Done {
    /// With which.
    id: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MonitorsDone")]
struct AllDone {
    /// With which.
    monitors: Vec<String>,
}

/// How a monitor is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MonitorStatus")]
struct Status {
    /// `service/monitor`.
    id: String,
    /// `healthy`, `sick`, `dead` or `unknown`.
    health: &'static str,
    /// Since when.
    since: Option<String>,
    /// Why.
    reason: Option<String>,
    /// How it is told, if it does not ask: `push`, `local`, `heartbeat` or `manual`.
    passive: Option<&'static str>,
    /// Who has paused it, and when.
    paused: Option<Paused>,
    /// Each of its targets.
    targets: Vec<Target>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Pause")]
struct Paused {
    /// Who has.
    by: String,
    /// Since when.
    at: String,
}

async fn status(State(web): State<Web>, id: Id, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let Ok(id) = full(&id) else {
        return no_monitor();
    };
    let Ok(monitors) = web.settings().survey.monitors().await else {
        return busy();
    };
    match monitors.iter().find(|monitor| monitor.id == id) {
        Some(monitor) => answer(&Status::from(monitor)),
        None => no_monitor(),
    }
}

async fn act_on_one(web: &Web, id: Id, request: Request, act: Act) -> Response {
    let (head, _) = request.into_parts();
    let access = match admit(web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let Ok(id) = full(&id) else {
        return no_monitor();
    };
    let control = &*web.settings().control;
    match act.with(control, vec![id.clone()], access.name).await {
        Ok(()) => answer(&Done { id: id.to_string() }),
        Err(why) => not_done(&why),
    }
}

async fn bulk(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(&web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let sent = match json_body(&head, body, MOST).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let sent: Bulk = match serde_json::from_value(sent) {
        Ok(sent) => sent,
        Err(why) => return wrong(&why.to_string()),
    };
    if sent.monitors.is_empty() || sent.monitors.len() > MOST_MONITORS {
        return wrong(&format!(
            "`monitors` must name 1 to {MOST_MONITORS} monitors"
        ));
    }
    let mut ids = Vec::with_capacity(sent.monitors.len());
    for text in &sent.monitors {
        match MonitorId::parse(text) {
            Ok(id) => ids.push(id),
            Err(why) => return wrong(&format!("`monitors`: `{}` {why}", shortened(text))),
        }
    }
    let control = &*web.settings().control;
    match sent.action.with(control, ids, access.name).await {
        Ok(()) => answer(&AllDone {
            monitors: sent.monitors,
        }),
        Err(why) => not_done(&why),
    }
}

impl Act {
    fn with(
        self,
        control: &dyn Control,
        monitors: Vec<MonitorId>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<(), NotDone>> {
        match self {
            Self::Pause => control.pause(monitors, by),
            Self::Resume => control.go_on(monitors, by),
            Self::Check => control.check_now(monitors),
        }
    }
}

impl From<&MonitorState> for Status {
    fn from(monitor: &MonitorState) -> Self {
        let standing = &monitor.standing;
        Self {
            id: monitor.id.to_string(),
            health: standing.health.as_str(),
            since: standing.since.map(|at| Iso(at).to_string()),
            reason: standing.reason.as_deref().map(str::to_owned),
            passive: monitor.passive,
            paused: monitor.paused.as_ref().map(|(at, by)| Paused {
                by: by.to_string(),
                at: Iso(*at).to_string(),
            }),
            targets: monitor
                .targets
                .iter()
                .map(|target| Target::new(&monitor.id, target))
                .collect(),
        }
    }
}

/// Why something was not done, for a program.
fn not_done(why: &NotDone) -> Response {
    let conflict = |title, what: String| problem(StatusCode::CONFLICT, title, &what);
    match why {
        NotDone::Unknown(id) => nothing(&format!("There is no monitor {id}.")),
        NotDone::Paused(id) => conflict(
            "Paused",
            format!("{id} is paused: have it go on before it is checked."),
        ),
        NotDone::Told(id) => conflict(
            "Passive",
            format!("{id} is told how things are: there is nothing to check."),
        ),
        NotDone::Busy => busy(),
    }
}

fn full(Path((service, monitor)): &Id) -> Result<MonitorId, Response> {
    MonitorId::parse(&format!("{service}/{monitor}")).map_err(|_| no_monitor())
}

fn no_monitor() -> Response {
    nothing("There is no such monitor.")
}

/// As much of a text as fits a sentence.
fn shortened(text: &str) -> String {
    let shown = text.chars().filter(|it| !it.is_control());
    shown.take(80).collect()
}
