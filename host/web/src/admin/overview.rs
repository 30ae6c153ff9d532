//! `/admin`: how everything is.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::chart::spell;
use super::platform::mebibytes;
use super::row::{self, Row, State as Shown};
use super::visit::Visit;
use super::{Shell, page};
use crate::console::HostFigures;
use crate::dates::{Form as DateForm, Latency, Moment};
use crate::records::{IncidentRecord, WantedIncidents};
use crate::staff::{DeedRecord, Right, WantedDeeds};
use crate::web::Web;
use crate::words;

/// How many monitors are shown, the worst of them.
const WORST: usize = 15;

/// How many open incidents are shown.
const INCIDENTS: usize = 5;

/// How many deeds are shown.
const DEEDS: usize = 8;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new().route("/admin", get(overview))
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Overview {
    shell: Shell,
    host: HostFigures,
    rows: Vec<Row>,
    /// The share of a processor that plugins take, in percent.
    cpu: String,
    all: usize,
    healthy: usize,
    /// What is not healthy, in words.
    others: String,
    incidents: Vec<IncidentRecord>,
    deeds: Vec<DeedRecord>,
    may_write: bool,
    back: &'static str,
}

async fn overview(State(web): State<Web>, visit: Visit) -> Response {
    let mut rows = row::all(&web);
    let count = |state: Shown| rows.iter().filter(|row| row.state == state).count();
    let healthy = count(Shown::Healthy);
    let others = Shown::ALL
        .into_iter()
        .filter(|state| *state != Shown::Healthy);
    let others: Vec<_> = others
        .map(|state| (count(state), state))
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {}", state.as_str()))
        .collect();
    let all = rows.len();
    rows.sort_by_key(|row| row.state);
    rows.truncate(WORST);
    let open = WantedIncidents {
        open: Some(true),
        private_too: true,
        limit: INCIDENTS,
        ..WantedIncidents::default()
    };
    let incidents = web.settings().records.incidents(open).await;
    let deeds = if visit.may(Right::Admin) {
        let latest = WantedDeeds {
            limit: DEEDS,
            ..WantedDeeds::default()
        };
        web.settings().staff.deeds(latest).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let host = web.settings().console.host();
    page(&Overview {
        shell: Shell::of(&web, &visit, "Overview", "/admin"),
        cpu: rate(host.cpu_share * 100.0),
        host,
        rows,
        all,
        healthy,
        others: others.join(", "),
        incidents: incidents.unwrap_or_default(),
        deeds,
        may_write: visit.may(Right::Write),
        back: "/admin",
    })
}

/// A rate with one digit behind the point where it is small.
fn rate(rate: f64) -> String {
    if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}
