//! `/api/v1/maintenances`: what is planned.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::id::{MaintenanceId, MonitorId, ServiceId};
use watchkeeper_engine::maintenance::Phase;

use super::{Query, admit, answer, busy, etag, nothing, wrong};
use crate::dates::Iso;
use crate::failure::problem;
use crate::inbox::{self, Broken};
use crate::plans::{MaintenanceDraft, MaintenanceRecord, NotPlanned, PlanWish, Source};
use crate::web::Web;

/// The largest body, in bytes.
const MOST: usize = 256 * 1024;

const PATH: &str = "/api/v1/maintenances";

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route(PATH, get(list).post(make))
        .route(
            "/api/v1/maintenances/{id}",
            get(one).put(change).delete(remove),
        )
        .route("/api/v1/maintenances/{id}/end", post(end))
        .route("/api/v1/maintenances/{id}/cancel", post(cancel))
}

/// What is answered.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    state: &'static str,
    /// The window that goes on or comes next, else the only one there was.
    window: Option<ShownWindow>,
    services: Vec<&'a str>,
    monitors: Vec<String>,
    starts: Option<&'a str>,
    ends: Option<&'a str>,
    lasts: Option<&'a str>,
    cron: Option<&'a str>,
    until: Option<&'a str>,
    time_zone: Option<&'a str>,
    /// `file`: it can only be changed there. `api`: otherwise.
    source: &'static str,
    revision: Option<u32>,
    created: Option<String>,
    updated: Option<String>,
    by: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownWindow {
    starts: String,
    ends: String,
}

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    id: Option<String>,
    title: Option<String>,
    description: Option<String>,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    monitors: Vec<String>,
    starts: Option<String>,
    ends: Option<String>,
    lasts: Option<String>,
    cron: Option<String>,
    until: Option<String>,
    time_zone: Option<String>,
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    listed(&web, &head).unwrap_or_else(|refused| refused)
}

fn listed(web: &Web, head: &Parts) -> Result<Response, Response> {
    let query = Query::read(&head.uri, &["state", "service", "limit", "before"])?;
    let words = Phase::ALL.map(Phase::as_str).join("`, `");
    let state = query.parsed("state", &format!("one of `{words}`"), Phase::from_word)?;
    let service = |text: &str| ServiceId::new(text).ok();
    let service = query.parsed("service", "the id of a service", service)?;
    let before = query.parsed("before", "the id of a maintenance", |text| {
        MaintenanceId::new(text).ok()
    })?;
    let mut all = web.settings().plans.maintenances();
    if let Some(before) = before {
        let place = all.iter().position(|it| it.id == before);
        let place = place.ok_or_else(|| wrong("`before` names no maintenance, or not any more"))?;
        all.drain(..=place);
    }
    all.retain(|it| {
        state.is_none_or(|state| it.phase == state)
            && service.as_ref().is_none_or(|service| {
                it.services.contains(service) || it.monitors.iter().any(|m| m.service() == service)
            })
    });
    all.truncate(query.limit()?);
    let last = all.last().map(|it| it.id.clone());
    let shown: Vec<_> = all.iter().map(Shown::from).collect();
    Ok(answer(&query.page(PATH, shown, last)?))
}

async fn one(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let all = web.settings().plans.maintenances();
    match all.iter().find(|it| it.id.as_str() == id) {
        Some(record) => shown(record),
        None => none(),
    }
}

async fn make(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(&web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let draft = match read(body).await {
        Ok(draft) => draft,
        Err(refused) => return refused,
    };
    let plans = &web.settings().plans;
    match plans.wish(PlanWish::Make(draft), None, access.name).await {
        Ok(record) => {
            let mut response = shown(&record);
            *response.status_mut() = StatusCode::CREATED;
            if let Ok(place) = HeaderValue::from_str(&format!("{PATH}/{}", record.id)) {
                response.headers_mut().insert(LOCATION, place);
            }
            response
        }
        Err(refused) => refuse(refused),
    }
}

async fn change(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.write).await {
        return refused;
    }
    let draft = match read(body).await {
        Ok(draft) => draft,
        Err(refused) => return refused,
    };
    if draft.id.as_ref().is_some_and(|own| *own != id) {
        return wrong("`id` must be that of the address, or left out: an id stays");
    }
    done(&web, &head, &id, |id| PlanWish::Change(id, draft)).await
}

async fn remove(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let mut response = done(&web, &head, &id, PlanWish::Remove).await;
    if response.status() == StatusCode::OK {
        response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

async fn end(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    done(&web, &head, &id, PlanWish::End).await
}

async fn cancel(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    done(&web, &head, &id, PlanWish::Cancel).await
}

/// Has something done to the maintenance `id`.
async fn done(
    web: &Web,
    head: &Parts,
    id: &str,
    wish: impl FnOnce(MaintenanceId) -> PlanWish,
) -> Response {
    let access = match admit(web, head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let revision = match etag::seen(&head.headers) {
        Ok(revision) => revision,
        Err(refused) => return refused,
    };
    let Ok(id) = MaintenanceId::new(id) else {
        return none();
    };
    let plans = &web.settings().plans;
    match plans.wish(wish(id), revision, access.name).await {
        Ok(record) => shown(&record),
        Err(refused) => refuse(refused),
    }
}

async fn read(body: axum::body::Body) -> Result<MaintenanceDraft, Response> {
    let body = inbox::whole(body, MOST)
        .await
        .map_err(|broken| match broken {
            Broken::TooLarge => {
                let what = format!("A body has at most {MOST} bytes.");
                problem(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &what)
            }
            Broken::Cut => problem(StatusCode::BAD_REQUEST, "Incomplete", "The body broke off."),
        })?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|why| wrong(&why.to_string()))?;
    Ok(MaintenanceDraft {
        id: wanted.id,
        title: wanted.title,
        description: wanted.description,
        services: wanted.services,
        monitors: wanted.monitors,
        starts: wanted.starts,
        ends: wanted.ends,
        lasts: wanted.lasts,
        cron: wanted.cron,
        until: wanted.until,
        time_zone: wanted.time_zone,
    })
}

fn shown(record: &MaintenanceRecord) -> Response {
    etag::mark(answer(&Shown::from(record)), record.revision())
}

fn refuse(refused: NotPlanned) -> Response {
    match refused {
        NotPlanned::Unknown => none(),
        NotPlanned::OfFile => problem(
            StatusCode::CONFLICT,
            "In a file",
            "It stands in a configuration file and can only be changed there.",
        ),
        NotPlanned::Stale => etag::stale(),
        NotPlanned::Taken => problem(
            StatusCode::CONFLICT,
            "Taken",
            "Another maintenance has this `id`. Choose another, or leave it out.",
        ),
        NotPlanned::Unfit(why) => problem(StatusCode::CONFLICT, "Not now", why),
        NotPlanned::Full => problem(
            StatusCode::CONFLICT,
            "Full",
            "There are as many maintenances ahead as can be kept. Remove some.",
        ),
        NotPlanned::Wrong(mistakes) => {
            let all: Vec<_> = mistakes.into_iter().map(|(_, what)| what).collect();
            wrong(&all.join("; "))
        }
        NotPlanned::Busy => busy(),
    }
}

fn none() -> Response {
    nothing("There is no such maintenance.")
}

impl<'a> From<&'a MaintenanceRecord> for Shown<'a> {
    fn from(record: &'a MaintenanceRecord) -> Self {
        let draft = &record.draft;
        let (source, made) = match &record.source {
            Source::File => ("file", None),
            Source::Made {
                revision,
                created,
                updated,
                by,
            } => ("api", Some((*revision, *created, *updated, &**by))),
        };
        Self {
            id: record.id.as_str(),
            title: &record.title,
            description: &record.text,
            state: record.phase.as_str(),
            window: record.window.map(|window| ShownWindow {
                starts: Iso(window.from).to_string(),
                ends: Iso(window.to).to_string(),
            }),
            services: record.services.iter().map(ServiceId::as_str).collect(),
            monitors: record.monitors.iter().map(MonitorId::to_string).collect(),
            starts: draft.starts.as_deref(),
            ends: draft.ends.as_deref(),
            lasts: draft.lasts.as_deref(),
            cron: draft.cron.as_deref(),
            until: draft.until.as_deref(),
            time_zone: draft.time_zone.as_deref(),
            source,
            revision: made.map(|it| it.0),
            created: made.map(|it| Iso(it.1).to_string()),
            updated: made.map(|it| Iso(it.2).to_string()),
            by: made.map(|it| it.3),
        }
    }
}
