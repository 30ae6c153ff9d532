//! The public JSON of Atlassian Statuspage, version 2, so that whatever reads a
//! Statuspage reads this one.
//!
//! A service is a component group and a monitor a component of it; targets are not
//! told. Every field of theirs is there, `null` where there is nothing to say.
//! Statuspage has no word for not knowing: `unknown` is told as
//! `degraded_performance`, as what is not known to be well must not be told as well.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::api::{Query, busy};
use crate::assets;
use crate::compress::{Effort, Encoded};
use crate::failure::Failure;
use crate::page::Representation;
use crate::records::WantedIncidents;
use crate::view::{IncidentView, View};
use crate::web::Web;

use self::shapes::{Component, Incident, Maintenance, Page, Progress, Status};

mod ids;
mod shapes;

/// How many incidents a list holds, the latest; as many as Statuspage's.
const LENGTH: usize = 50;

const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=15");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v2/summary.json", get(summary))
        .route("/api/v2/status.json", get(status))
        .route("/api/v2/components.json", get(components))
        .route("/api/v2/incidents.json", get(incidents))
        .route("/api/v2/incidents/unresolved.json", get(unresolved))
        .route("/api/v2/scheduled-maintenances.json", get(maintenances))
        .route(
            "/api/v2/scheduled-maintenances/upcoming.json",
            get(upcoming),
        )
        .route("/api/v2/scheduled-maintenances/active.json", get(active))
}

/// A document: the page, and what was asked for.
#[derive(Serialize)]
struct Document<'a> {
    page: Page<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<Component<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<Vec<Incident<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_maintenances: Option<Vec<Maintenance<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

impl<'a> Document<'a> {
    fn new(view: &'a View) -> Self {
        Self {
            page: Page::of(view),
            components: None,
            incidents: None,
            scheduled_maintenances: None,
            status: None,
        }
    }
}

async fn summary(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        components: Some(Component::all(view)),
        incidents: Some(stories(view, &view.incidents)),
        scheduled_maintenances: Some(planned(view, |it| it != Progress::Completed)),
        status: Some(Status::of(view)),
        ..Document::new(view)
    })
}

async fn status(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        status: Some(Status::of(view)),
        ..Document::new(view)
    })
}

async fn components(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        components: Some(Component::all(view)),
        ..Document::new(view)
    })
}

async fn unresolved(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        incidents: Some(stories(view, &view.incidents)),
        ..Document::new(view)
    })
}

async fn maintenances(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        scheduled_maintenances: Some(planned(view, |_| true)),
        ..Document::new(view)
    })
}

async fn upcoming(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        scheduled_maintenances: Some(planned(view, |it| it == Progress::Scheduled)),
        ..Document::new(view)
    })
}

async fn active(State(web): State<Web>, request: Request) -> Response {
    answer(&web, &request, |view| Document {
        scheduled_maintenances: Some(planned(view, |it| it == Progress::Ongoing)),
        ..Document::new(view)
    })
}

/// The latest incidents, of which most are over and not on the page any more.
async fn incidents(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = Query::read(&head.uri, &[]) {
        return refused;
    }
    let key = head.uri.path();
    if let Some(made) = web.fresh().get(key, web.settings().page_grace) {
        return made.answer(&head.headers);
    }
    let wanted = WantedIncidents {
        limit: LENGTH,
        ..WantedIncidents::default()
    };
    let Ok(records) = web.settings().records.incidents(wanted).await else {
        return busy();
    };
    let Some(view) = web.view() else {
        return Failure::Starting.answer(&head.headers);
    };
    let found = records.iter().map(|record| &record.view);
    let document = Document {
        incidents: Some(stories(&view, found)),
        ..Document::new(&view)
    };
    let made = web.fresh().put(key.to_owned(), represent(&document));
    made.answer(&head.headers)
}

fn answer(
    web: &Web,
    request: &Request,
    make: impl for<'a> FnOnce(&'a View) -> Document<'a>,
) -> Response {
    if let Err(refused) = Query::read(request.uri(), &[]) {
        return refused;
    }
    let key = request.uri().path();
    if let Some(made) = web.fresh().get(key, web.settings().page_grace) {
        return made.answer(request.headers());
    }
    let Some(view) = web.view() else {
        return Failure::Starting.answer(request.headers());
    };
    let made = web.fresh().put(key.to_owned(), represent(&make(&view)));
    made.answer(request.headers())
}

fn stories<'a>(
    view: &'a View,
    incidents: impl IntoIterator<Item = &'a IncidentView>,
) -> Vec<Incident<'a>> {
    let incidents = incidents.into_iter();
    incidents.map(|it| Incident::of(view, it)).collect()
}

fn planned(view: &View, wanted: impl Fn(Progress) -> bool) -> Vec<Maintenance<'_>> {
    let planned = view.maintenance.iter();
    planned
        .filter(|it| wanted(Progress::of(it, view.now)))
        .map(|it| Maintenance::of(view, it))
        .collect()
}

fn represent(document: &Document<'_>) -> Representation {
    let body = serde_json::to_vec(document).expect("texts, lists and numbers are always JSON");
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, CACHE);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let tag = assets::tag(&Sha256::digest(&body));
    Representation::new(&tag, Encoded::new(body, Effort::Often), &headers)
}
