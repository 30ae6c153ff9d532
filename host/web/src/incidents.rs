//! The public pages of incidents: one for each, and what happened in a month. The
//! same facts are there as JSON, behind the same address with `.json` at its end.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::api::{Query, busy};
use crate::dates::{Iso, Month};
use crate::failure::Failure;
use crate::frame::Frame;
use crate::records::{IncidentRecord, WantedIncidents};
use crate::template::stories;
use crate::view::{Affected, IncidentView, Part, View};
use crate::web::Web;
use crate::words;

mod taking;

/// How many incidents a month shows at most, the latest of it.
const MOST_OF_A_MONTH: usize = 200;

/// Stories change while they are read, and who reads them is not to read an old
/// one; behind a shared cache a storm of readers is one.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=5");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/incidents/{number}", get(one))
        .route("/history", get(history))
        .route("/history.json", get(history_json))
        .merge(taking::routes())
}

/// An incident as everyone may see it.
#[derive(Serialize)]
struct Public<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'static str,
    state: &'static str,
    started: String,
    resolved: Option<String>,
    services: Vec<PublicService<'a>>,
    updates: Vec<PublicUpdate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postmortem: Option<&'a str>,
}

#[derive(Serialize)]
struct PublicService<'a> {
    id: &'a str,
    label: &'a str,
}

#[derive(Serialize)]
struct PublicUpdate<'a> {
    at: String,
    state: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct PublicMonth<'a> {
    month: String,
    incidents: Vec<Public<'a>>,
}

/// What those who follow the page are told of incidents that changed between two
/// views: each as JSON, without its timeline.
pub(crate) fn news(before: &View, now: &View) -> Vec<String> {
    let past = |view: &View| {
        view.past
            .clone()
            .map(|past| past.incidents)
            .unwrap_or_default()
    };
    if before.incidents == now.incidents {
        return Vec::new();
    }
    let known = before
        .incidents
        .iter()
        .chain(past(before).iter())
        .cloned()
        .collect::<Vec<_>>();
    let shown = now
        .incidents
        .iter()
        .chain(past(now).iter())
        .cloned()
        .collect::<Vec<_>>();
    let changed = shown.iter().filter(|incident| !known.contains(incident));
    changed
        .map(|incident| {
            let mut public = Public::from(incident);
            public.updates.truncate(1);
            serde_json::to_string(&public).expect("texts and lists are always JSON")
        })
        .collect()
}

async fn one(State(web): State<Web>, Path(name): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let (number, as_json) = match name.strip_suffix(".json") {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let Ok(number) = number.parse() else {
        return Failure::NotFound.answer(&head.headers);
    };
    let record = match find(&web, number).await {
        Ok(record) => record,
        Err(failure) => return failure.answer(&head.headers),
    };
    if as_json {
        return json(&Public::from(&record.view));
    }
    let locale = web.locale(&head.uri, &head.headers);
    match web.frame() {
        Some(frame) => html(
            StatusCode::OK,
            locale.speak(|| stories::incident(&frame, &record.view)),
            CACHE,
        ),
        None => Failure::Starting.answer(&head.headers),
    }
}

async fn history(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    match (month(&web, &head).await, web.frame()) {
        (Ok((month, this_month, found)), Some(frame)) => {
            let views: Vec<_> = found.iter().map(|record| &record.view).collect();
            let locale = web.locale(&head.uri, &head.headers);
            let page = locale.speak(|| stories::history(&frame, month, this_month, &views));
            html(StatusCode::OK, page, CACHE)
        }
        (Err(refused), _) => refused,
        (_, None) => Failure::Starting.answer(&head.headers),
    }
}

async fn history_json(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    match month(&web, &head).await {
        Ok((month, _, found)) => json(&PublicMonth {
            month: month.to_string(),
            incidents: found
                .iter()
                .map(|record| Public::from(&record.view))
                .collect(),
        }),
        Err(refused) => refused,
    }
}

/// The month that was asked for, the present one, and what happened.
async fn month(web: &Web, head: &Parts) -> Result<(Month, Month, Vec<IncidentRecord>), Response> {
    let Some(now) = web.now() else {
        return Err(Failure::Starting.answer(&head.headers));
    };
    let this_month = Month::of(now);
    let query = Query::read(&head.uri, &["month", "lang"])?;
    let asked = query.parsed("month", "a month such as `2026-11`", Month::parse)?;
    let month = asked.unwrap_or(this_month);
    let wanted = WantedIncidents {
        started: Some((month.start(), month.next().start())),
        limit: MOST_OF_A_MONTH,
        ..WantedIncidents::default()
    };
    let found = web.settings().records.incidents(wanted).await;
    Ok((month, this_month, found.map_err(|_| busy())?))
}

/// The incident with this number.
async fn find(web: &Web, number: u32) -> Result<IncidentRecord, Failure> {
    match web.settings().records.incident(number).await {
        Ok(Some(record)) if !record.private => Ok(record),
        Ok(_) => Err(Failure::NotFound),
        Err(_) => Err(Failure::Internal),
    }
}

pub(crate) fn html(status: StatusCode, page: String, cache: HeaderValue) -> Response {
    let mut response = Response::new(page.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CACHE_CONTROL, cache);
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    response
}

fn json(shown: &impl Serialize) -> Response {
    let body = serde_json::to_string(shown).expect("texts and lists are always JSON");
    let mut response = Response::new(body.into());
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, CACHE);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

impl<'a> From<&'a IncidentView> for Public<'a> {
    fn from(view: &'a IncidentView) -> Self {
        let services = view.affects.iter().map(|Affected { label, part }| {
            let id = match part {
                Part::Service(service) => service.as_str(),
                Part::Monitor(monitor) => monitor.name().as_str(),
            };
            PublicService { id, label }
        });
        let updates = view.updates.iter().map(|update| PublicUpdate {
            at: Iso(update.at).to_string(),
            state: words::stage_word(update.stage),
            text: &update.text,
        });
        Self {
            id: &view.id,
            title: &view.title,
            severity: words::impact_word(view.impact),
            state: view
                .updates
                .first()
                .map_or("investigating", |update| words::stage_word(update.stage)),
            started: Iso(view.started).to_string(),
            resolved: view.resolved.map(|at| Iso(at).to_string()),
            services: services.collect(),
            updates: updates.collect(),
            postmortem: view.postmortem.as_deref(),
        }
    }
}

/// What goes around a page that could not be made whole.
fn frame_or_bare(web: &Web) -> Frame {
    web.frame().unwrap_or_else(|| Frame::of(&View::default()))
}
