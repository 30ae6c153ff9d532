//! The page of a service: its monitors with their latencies, its uptime by month,
//! and what happened to it.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::HeaderValue;
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::HealthSums;

use crate::api::{Query, busy};
use crate::chart::Chart;
use crate::dates::Month;
use crate::failure::Failure;
use crate::figures::Window;
use crate::frame::Frame;
use crate::incidents::html;
use crate::intake::Refusal;
use crate::locale::Locale;
use crate::records::WantedIncidents;
use crate::template::details::{self, Details, MonitorDetails, MonthRow};
use crate::view::{Part, ServiceView, View};
use crate::web::Web;

/// How many months of the past are told.
const MONTHS: usize = 12;

/// How many incidents are told; the history has all.
const MOST_INCIDENTS: usize = 10;

/// What is summed up changes with every check; behind a shared cache a storm of
/// readers is one.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=15");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/services/{id}", get(one))
}

async fn one(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let Some(view) = web.view() else {
        return Failure::Starting.answer(&head.headers);
    };
    let service = ServiceId::new(&id).ok();
    let service = service.and_then(|id| view.services.iter().find(|it| it.id == id));
    let Some(service) = service else {
        return Failure::NotFound.answer(&head.headers);
    };
    let window = Query::read(&head.uri, &["window", "lang"])
        .and_then(|query| query.parsed("window", "`24h`, `7d`, `30d` or `90d`", Window::from_word));
    let window = match window {
        Ok(window) => window.unwrap_or(Window::Day),
        Err(refused) => return refused,
    };
    let locale = web.locale(&head.uri, &head.headers);
    match details(&web, &view, service, window, &locale).await {
        Ok(page) => html(StatusCode::OK, page, CACHE),
        Err(_) => busy(),
    }
}

/// The page, once all is found that it tells.
async fn details(
    web: &Web,
    view: &View,
    service: &ServiceView,
    window: Window,
    locale: &Locale,
) -> Result<String, Refusal> {
    let figures = &web.settings().figures;
    let mut monitors = Vec::with_capacity(service.monitors.len());
    for monitor in &service.monitors {
        let part = Part::Monitor(monitor.id.clone());
        let sums = figures.over(&part, window, view.now).await?;
        let latencies = figures.latencies(&monitor.id, window, view.now).await?;
        monitors.push(MonitorDetails {
            monitor,
            uptime: sums.times.uptime(),
            p50: sums.p50,
            p95: sums.p95,
            chart: Chart::of(&latencies, window, view.now),
        });
    }
    let (months, from) = months_until(view.now);
    let part = Part::Service(service.id.clone());
    let days = figures.days(&part, from, view.now).await?;
    let wanted = WantedIncidents {
        service: Some(service.id.clone()),
        limit: MOST_INCIDENTS,
        ..WantedIncidents::default()
    };
    let incidents = web.settings().records.incidents(wanted).await?;
    let details = Details {
        frame: &Frame::of(view),
        service,
        window,
        monitors,
        months: rows(&months, &days),
        incidents: incidents.iter().map(|record| &record.view).collect(),
    };
    Ok(locale.speak(|| details::service(&details)))
}

/// The present month and those before it, and when the first of them begins.
fn months_until(now: Timestamp) -> (Vec<Month>, Timestamp) {
    let earlier = |month: &Month| Some(month.previous());
    let months: Vec<_> = std::iter::successors(Some(Month::of(now)), earlier)
        .take(MONTHS)
        .collect();
    let from = months.last().map_or(now, |month| month.start());
    (months, from)
}

/// The months of which something is known, latest first.
fn rows(months: &[Month], days: &[(Timestamp, HealthSums)]) -> Vec<MonthRow> {
    let row = |month: &Month| {
        let (start, end) = (month.start(), month.next().start());
        let of_it = days.iter().filter(|(day, _)| start <= *day && *day < end);
        let sums: HealthSums = of_it.map(|(_, sums)| *sums).sum();
        (sums != HealthSums::default()).then_some(MonthRow {
            month: *month,
            sums,
        })
    };
    months.iter().filter_map(row).collect()
}
