//! `/api/v1/status`: how everything is, in one look.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use watchkeeper_engine::health::Health;

use super::operation::{Operation, shape};
use super::{admit, answer, busy};
use crate::dates::Iso;
use crate::records::WantedIncidents;
use crate::survey::MonitorState;
use crate::web::Web;

/// How many open incidents are counted.
const MOST_INCIDENTS: usize = 1_000;

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/status", "getStatus", status)
            .says("status", "How everything is, in one look.")
            .answers(200, "How it is.", shape::<Status>),
    ]
}

/// How everything is.
#[derive(Serialize, JsonSchema)]
struct Status {
    /// The worst of all monitors that are not paused: `healthy`, `sick`, `dead` or
    /// `unknown`.
    health: &'static str,
    /// How many monitors are how.
    monitors: Counts,
    /// How many targets of monitors that are not paused are how.
    targets: Counts,
    /// How many incidents go on, up to 1,000.
    open_incidents: usize,
    /// When a target was last checked or heard of.
    checked: Option<String>,
}

/// How many are how.
#[derive(Default, Serialize, JsonSchema)]
struct Counts {
    healthy: usize,
    sick: usize,
    dead: usize,
    unknown: usize,
    paused: usize,
}

async fn status(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let open = WantedIncidents {
        open: Some(true),
        limit: MOST_INCIDENTS,
        ..WantedIncidents::default()
    };
    let Ok(monitors) = web.settings().survey.monitors().await else {
        return busy();
    };
    let Ok(incidents) = web.settings().records.incidents(open).await else {
        return busy();
    };
    answer(&Status::of(&monitors, incidents.len()))
}

impl Status {
    fn of(all: &[MonitorState], open_incidents: usize) -> Self {
        let (mut monitors, mut targets) = (Counts::default(), Counts::default());
        let mut worst = None;
        for monitor in all {
            if monitor.paused.is_some() {
                monitors.paused += 1;
                targets.paused += monitor.targets.len();
                continue;
            }
            worst = worst.max(Some(monitor.standing.health));
            monitors.count(monitor.standing.health);
            for target in &monitor.targets {
                targets.count(target.standing.health);
            }
        }
        let checked = all.iter().flat_map(|monitor| &monitor.targets);
        let checked = checked.filter_map(|target| target.checked).max();
        Self {
            health: worst.unwrap_or_default().as_str(),
            monitors,
            targets,
            open_incidents,
            checked: checked.map(|at| Iso(at).to_string()),
        }
    }
}

impl Counts {
    fn count(&mut self, health: Health) {
        let count = match health {
            Health::Healthy => &mut self.healthy,
            Health::Sick => &mut self.sick,
            Health::Dead => &mut self.dead,
            Health::Unknown => &mut self.unknown,
        };
        *count += 1;
    }
}
