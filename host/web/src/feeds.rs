//! What happened, for feed readers: incidents as Atom (RFC 4287), RSS 2.0 and JSON
//! Feed 1.1. An entry is an incident, under the same id for ever; it counts as
//! changed whenever something was said about it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use sha2::{Digest as _, Sha256};
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::time::Timestamp;

use crate::api::{Query, busy};
use crate::assets;
use crate::compress::{Effort, Encoded};
use crate::dates;
use crate::failure::Failure;
use crate::page::Representation;
use crate::records::{IncidentRecord, WantedIncidents};
use crate::view::{IncidentView, View};
use crate::web::Web;

mod json;
mod xml;

/// How many incidents a feed holds, the latest.
const LENGTH: usize = 50;

const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/feed.atom", get(atom))
        .route("/feed.rss", get(rss))
        .route("/feed.json", get(json))
}

/// How a feed is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Atom,
    Rss,
    Json,
}

/// What a feed tells.
struct Feed<'a> {
    /// Where the page is, without a slash at its end.
    base: &'a str,
    /// Where this feed is.
    address: String,
    title: String,
    author: &'a str,
    updated: Timestamp,
    entries: Vec<Entry<'a>>,
}

/// An incident of a feed.
struct Entry<'a> {
    /// Its address, which is its id as well.
    address: String,
    title: &'a str,
    published: Timestamp,
    updated: Timestamp,
    /// What it affects.
    affects: Vec<&'a str>,
    /// What was said, as HTML, newest first.
    html: String,
}

async fn atom(State(web): State<Web>, request: Request) -> Response {
    answer(&web, Form::Atom, request).await
}

async fn rss(State(web): State<Web>, request: Request) -> Response {
    answer(&web, Form::Rss, request).await
}

async fn json(State(web): State<Web>, request: Request) -> Response {
    answer(&web, Form::Json, request).await
}

async fn answer(web: &Web, form: Form, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let query = match Query::read(&head.uri, &["service"]) {
        Ok(query) => query,
        Err(refused) => return refused,
    };
    let Some(view) = web.view() else {
        return Failure::Starting.answer(&head.headers);
    };
    let service = query.get("service");
    let known = service.map(|id| view.services.iter().find(|it| it.id.as_str() == id));
    let service = match known {
        None => None,
        Some(Some(service)) => Some((service.id.clone(), Arc::clone(&service.label))),
        Some(None) => return Failure::NotFound.answer(&head.headers),
    };
    let key = service.as_ref().map_or("", |(id, _)| id.as_str());
    let key = format!("{} {key}", form.path());
    let grace = web.settings().page_grace;
    let made = if let Some(made) = web.fresh().get(&key, grace) {
        made
    } else {
        let wanted = WantedIncidents {
            service: service.as_ref().map(|(id, _)| id.clone()),
            limit: LENGTH,
            ..WantedIncidents::default()
        };
        let Ok(records) = web.settings().records.incidents(wanted).await else {
            return busy();
        };
        web.fresh().put(key, make(&view, form, service, &records))
    };
    unless_seen(made.answer(&head.headers), &head.headers)
}

fn make(
    view: &View,
    form: Form,
    service: Option<(ServiceId, Arc<str>)>,
    records: &[IncidentRecord],
) -> Representation {
    let feed = Feed::of(view, form, service, records);
    let body = match form {
        Form::Atom => xml::atom(&feed),
        Form::Rss => xml::rss(&feed),
        Form::Json => json::feed(&feed),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    headers.insert(CACHE_CONTROL, CACHE);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(modified) = dates::http(feed.updated).filter(|_| !feed.entries.is_empty()) {
        headers.insert(LAST_MODIFIED, modified);
    }
    let tag = assets::tag(&Sha256::digest(&body));
    Representation::new(
        &tag,
        Encoded::new(body.into_bytes(), Effort::Often),
        &headers,
    )
}

/// A reader that knows no tags says when it was here last (RFC 9110, section
/// 13.1.3).
fn unless_seen(answer: Response, asked: &HeaderMap) -> Response {
    let seen = || {
        let since = dates::from_http(asked.get(IF_MODIFIED_SINCE)?)?;
        let modified = dates::from_http(answer.headers().get(LAST_MODIFIED)?)?;
        Some(modified <= since)
    };
    if asked.contains_key(IF_NONE_MATCH) || seen() != Some(true) {
        return answer;
    }
    let (mut head, _) = answer.into_parts();
    head.status = StatusCode::NOT_MODIFIED;
    for name in [
        CONTENT_TYPE,
        http::header::CONTENT_ENCODING,
        http::header::CONTENT_LENGTH,
    ] {
        head.headers.remove(name);
    }
    Response::from_parts(head, Body::empty())
}

impl Form {
    const fn path(self) -> &'static str {
        match self {
            Self::Atom => "/feed.atom",
            Self::Rss => "/feed.rss",
            Self::Json => "/feed.json",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }
}

impl<'a> Feed<'a> {
    fn of(
        view: &'a View,
        form: Form,
        service: Option<(ServiceId, Arc<str>)>,
        records: &'a [IncidentRecord],
    ) -> Self {
        let base = view.base();
        let title = if view.title.is_empty() {
            "Status"
        } else {
            &*view.title
        };
        let entries: Vec<_> = records
            .iter()
            .map(|record| Entry::of(base, &record.view))
            .collect();
        // An empty feed has to have been changed at some time: one that stays the
        // same for a day, so that it is not sent again and again.
        let today = dates::day_start(dates::day_of(view.now));
        let newest = entries.iter().map(|entry| entry.updated).max();
        let address = match &service {
            None => format!("{base}{}", form.path()),
            Some((id, _)) => format!("{base}{}?service={id}", form.path()),
        };
        Self {
            base,
            address,
            title: match service {
                None => title.to_owned(),
                Some((_, label)) => format!("{title}: {label}"),
            },
            author: view.company.as_deref().unwrap_or(title),
            updated: newest.unwrap_or(today),
            entries,
        }
    }
}

impl<'a> Entry<'a> {
    fn of(base: &str, incident: &'a IncidentView) -> Self {
        let updates = incident.updates.iter().map(|update| update.at);
        let updated = updates.chain(incident.resolved).max();
        Self {
            address: format!("{base}/incidents/{}", incident.id),
            title: &incident.title,
            published: incident.started,
            updated: updated.unwrap_or(incident.started).max(incident.started),
            affects: incident.affects.iter().map(|it| &*it.label).collect(),
            html: xml::story(incident),
        }
    }
}
