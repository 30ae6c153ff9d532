//! `/api/v1/announcements`: what people want everyone to know.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::time::Timestamp;

use super::{Query, admit, answer, busy, etag, nothing, wrong};
use crate::announcements::{AnnounceWish, Announced, NotAnnounced, Said};
use crate::dates::Iso;
use crate::failure::problem;
use crate::inbox::{self, Broken};
use crate::view::NoteKind;
use crate::web::Web;

/// The largest body, in bytes.
const MOST: usize = 256 * 1024;

const PATH: &str = "/api/v1/announcements";

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route(PATH, get(list).post(make)).route(
        "/api/v1/announcements/{id}",
        get(one).put(change).delete(remove),
    )
}

#[derive(Serialize)]
struct ShownAnnouncement<'a> {
    id: &'a str,
    kind: &'static str,
    title: &'a str,
    text: &'a str,
    /// `markdown`, or `plain` for one that Vigil's manager made.
    form: &'static str,
    from: Option<String>,
    until: Option<String>,
    pinned: bool,
    /// Whether it is shown now.
    shown: bool,
    revision: u32,
    created: String,
    updated: String,
    by: &'a str,
}

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    title: String,
    #[serde(default)]
    text: String,
    kind: Option<String>,
    from: Option<String>,
    until: Option<String>,
    #[serde(default)]
    pinned: bool,
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    listed(&web, &head).unwrap_or_else(|refused| refused)
}

fn listed(web: &Web, head: &Parts) -> Result<Response, Response> {
    let query = Query::read(&head.uri, &["shown", "limit", "before"])?;
    let shown = query.parsed("shown", "`true` or `false`", |text| text.parse().ok())?;
    let mut all = web.settings().announcer.announcements();
    if let Some(before) = query.get("before") {
        let place = all.iter().position(|it| &*it.id == before);
        let place =
            place.ok_or_else(|| wrong("`before` names no announcement, or not any more"))?;
        all.drain(..=place);
    }
    all.retain(|it| shown.is_none_or(|shown: bool| it.is_shown == shown));
    all.truncate(query.limit()?);
    let last = all.last().map(|it| Arc::clone(&it.id));
    let items: Vec<_> = all.iter().map(ShownAnnouncement::from).collect();
    Ok(answer(&query.page(PATH, items, last)?))
}

async fn one(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let all = web.settings().announcer.announcements();
    match all.iter().find(|it| *it.id == *id) {
        Some(announced) => shown(announced),
        None => none(),
    }
}

async fn make(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let said = match admitted(&web, &head, body).await {
        Ok(said) => said,
        Err(refused) => return refused,
    };
    let mut response = done(&web, &head, AnnounceWish::Make(said)).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

async fn change(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    match admitted(&web, &head, body).await {
        Ok(said) => done(&web, &head, AnnounceWish::Change(id.into(), said)).await,
        Err(refused) => refused,
    }
}

async fn remove(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let response = done(&web, &head, AnnounceWish::Remove(id.into())).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let mut gone = Response::default();
    *gone.status_mut() = StatusCode::NO_CONTENT;
    gone
}

/// What somebody who may says.
async fn admitted(web: &Web, head: &Parts, body: axum::body::Body) -> Result<Said, Response> {
    admit(web, head, |access| access.write).await?;
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
    let time = |key: &str, text: Option<&str>| {
        text.map(|text| {
            let at = text.parse::<jiff::Timestamp>().map_err(|_| {
                wrong(&format!(
                    "`{key}` must be a time such as `2026-12-01T02:00:00Z`"
                ))
            })?;
            Ok::<_, Response>(Timestamp::from_millis(at.as_millisecond()))
        })
        .transpose()
    };
    let kind = match wanted.kind.as_deref() {
        None => NoteKind::default(),
        Some(word) => NoteKind::from_word(word).ok_or_else(|| {
            let words = NoteKind::ALL.map(NoteKind::as_str).join("`, `");
            wrong(&format!("`kind` must be one of `{words}`"))
        })?,
    };
    Ok(Said {
        kind,
        title: wanted.title,
        text: wanted.text,
        is_markdown: true,
        from: time("from", wanted.from.as_deref())?,
        until: time("until", wanted.until.as_deref())?,
        pinned: wanted.pinned,
    })
}

async fn done(web: &Web, head: &Parts, wish: AnnounceWish) -> Response {
    let access = match admit(web, head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let revision = match etag::seen(&head.headers) {
        Ok(revision) => revision,
        Err(refused) => return refused,
    };
    let announcer = &web.settings().announcer;
    match announcer.announce(wish, revision, access.name).await {
        Ok(announced) => {
            let mut response = shown(&announced);
            if let Ok(place) = HeaderValue::from_str(&format!("{PATH}/{}", announced.id)) {
                response.headers_mut().insert(LOCATION, place);
            }
            response
        }
        Err(NotAnnounced::Unknown) => none(),
        Err(NotAnnounced::Stale) => etag::stale(),
        Err(NotAnnounced::Full) => problem(
            StatusCode::CONFLICT,
            "Full",
            "There are as many announcements as can be kept. Remove some.",
        ),
        Err(NotAnnounced::Wrong(mistakes)) => {
            let all: Vec<_> = mistakes.into_iter().map(|(_, what)| what).collect();
            wrong(&all.join("; "))
        }
        Err(NotAnnounced::Busy) => busy(),
    }
}

fn shown(announced: &Announced) -> Response {
    etag::mark(
        answer(&ShownAnnouncement::from(announced)),
        announced.revision,
    )
}

fn none() -> Response {
    nothing("There is no such announcement.")
}

impl<'a> From<&'a Announced> for ShownAnnouncement<'a> {
    fn from(announced: &'a Announced) -> Self {
        let said = &announced.said;
        let at = |at: Option<Timestamp>| at.map(|at| Iso(at).to_string());
        Self {
            id: &announced.id,
            kind: said.kind.as_str(),
            title: &said.title,
            text: &said.text,
            form: if said.is_markdown {
                "markdown"
            } else {
                "plain"
            },
            from: at(said.from),
            until: at(said.until),
            pinned: said.pinned,
            shown: announced.is_shown,
            revision: announced.revision,
            created: Iso(announced.created).to_string(),
            updated: Iso(announced.updated).to_string(),
            by: &announced.by,
        }
    }
}
