//! `/admin/monitors/SERVICE/MONITOR`: everything about one monitor.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::{Timestamp, spell};

use super::chart::{self, Chart};
use super::row::{self, Row, State as Shown};
use super::visit::Visit;
use super::{Shell, page, refuse};
use crate::console::{MonitorFacts, MonitorPast};
use crate::dates::{Form as DateForm, Moment};
use crate::staff::Right;
use crate::view::MonitorView;
use crate::web::Web;

/// What the past can be looked at in: the word in addresses, that for people, and how
/// long it is.
const WINDOWS: [(&str, &str, Duration); 4] = [
    ("24h", "24 hours", Duration::from_hours(24)),
    ("7d", "7 days", Duration::from_hours(7 * 24)),
    ("30d", "30 days", Duration::from_hours(30 * 24)),
    ("90d", "90 days", Duration::from_hours(90 * 24)),
];

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new().route("/admin/monitors/{service}/{monitor}", get(show))
}

#[derive(Template)]
#[template(path = "admin/monitor.html")]
struct Page {
    shell: Shell,
    row: Row,
    targets: Vec<Target>,
    view: Option<Arc<MonitorView>>,
    every: Option<String>,
    timeout: String,
    tags: Vec<String>,
    config: String,
    chart: Option<Chart>,
    past: MonitorPast,
    /// Each window: its words, its address, whether it is shown.
    windows: Vec<(&'static str, String, bool)>,
    may_write: bool,
    problem: Option<&'static str>,
}

/// An address that it checks.
struct Target {
    address: String,
    state: Shown,
    reason: Option<Arc<str>>,
}

async fn show(
    State(web): State<Web>,
    Path((service, monitor)): Path<(String, String)>,
    visit: Visit,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let id = MonitorId::parse(&format!("{service}/{monitor}")).ok();
    let console = &web.settings().console;
    let facts = console
        .monitors()
        .into_iter()
        .find(|facts| Some(&facts.id) == id.as_ref());
    let Some(facts) = facts else {
        let what = "It is not configured, or not any more.";
        return refuse(
            &web,
            &headers,
            StatusCode::NOT_FOUND,
            "No such monitor",
            what,
        );
    };
    let wanted = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "window");
    let wanted = wanted
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let window = WINDOWS
        .iter()
        .find(|window| window.0 == wanted)
        .unwrap_or(&WINDOWS[0]);
    let found = console.past(facts.id.clone(), window.2).await;
    let problem = found
        .is_err()
        .then_some("Its past could not be read. Load the page again.");
    let past = found.ok().flatten().unwrap_or_default();
    let now = web.now().unwrap_or(Timestamp::from_millis(0));
    let view = row::views(&web).remove(&facts.id);
    let windows = WINDOWS.map(|(word, label, _)| {
        let address = format!("/admin/monitors/{}?window={word}", facts.id);
        (label, address, word == window.0)
    });
    page(&Page {
        shell: Shell::of(&web, &visit, facts.label.to_string(), "/admin/monitors"),
        chart: Chart::new(&past.latencies, now - window.2, now),
        targets: targets(&facts, view.as_deref()),
        every: facts.every.map(spell),
        timeout: spell(facts.timeout),
        tags: facts.tags.clone(),
        config: facts.config.clone(),
        windows: windows.into(),
        may_write: visit.may(Right::Write),
        row: Row::new(facts, view.as_deref()),
        view,
        past,
        problem,
    })
}

/// What it checks, and how that is: as the public sees it, in the same order.
fn targets(facts: &MonitorFacts, view: Option<&MonitorView>) -> Vec<Target> {
    let shown = view.map_or(&[][..], |view| &view.targets);
    if facts.targets.is_empty() {
        // Replicas that made themselves known are in no configuration.
        let replicas = shown.iter().map(|target| Target {
            address: target.name.to_string(),
            state: Shown::of(target.health),
            reason: target.reason.clone(),
        });
        return replicas.collect();
    }
    let targets = facts.targets.iter().enumerate().map(|(index, target)| {
        let shown = shown.get(index);
        let health = shown.map_or(Health::Unknown, |shown| shown.health);
        Target {
            address: target.address.clone(),
            state: Shown::of(health),
            reason: shown.and_then(|shown| shown.reason.clone()),
        }
    });
    targets.collect()
}

/// How a check ended, as it is shown.
fn ended(verdict: Option<Verdict>) -> Shown {
    verdict.map_or(Shown::Unknown, |verdict| Shown::of(Health::from(verdict)))
}
