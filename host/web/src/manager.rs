//! Vigil's manager protocol: announcements, what is not well, and silencing
//! reminders.
//!
//! Of reminders GET and PUT are Vigil's. Beside them POST does what PUT does, and
//! DELETE takes it back.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use watchkeeper_engine::health::Health;

use crate::announcements::{AnnounceWish, NotAnnounced, Said};
use crate::intake::{Intake, Refusal};
use crate::reporter::{empty, nothing, read, refused_by};
use crate::web::Web;

/// The routes. A wrong method is answered as if there were nothing.
pub(crate) fn routes() -> Router<Web> {
    let ignored = get(show)
        .put(ignore)
        .post(ignore)
        .delete(heed)
        .fallback(nothing);
    let all = get(announcements).fallback(nothing);
    let new = post(announce).fallback(nothing);
    let one = delete(retract).fallback(nothing);
    let ailing = get(alerts).fallback(nothing);
    Router::new()
        .route("/manager/announcements", all.clone())
        .route("/manager/announcements/", all)
        .route("/manager/announcement", new.clone())
        .route("/manager/announcement/", new)
        .route("/manager/announcement/{id}", one.clone())
        .route("/manager/announcement/{id}/", one)
        .route("/manager/prober/alerts", ailing.clone())
        .route("/manager/prober/alerts/", ailing)
        .route("/manager/prober/alerts/ignored", ignored.clone())
        .route("/manager/prober/alerts/ignored/", ignored)
}

/// What is sent. Keys beyond this are passed over.
#[derive(Deserialize)]
struct IgnoreBody {
    #[serde(default)]
    reminders_seconds: Option<u16>,
}

/// What is sent to announce something. Keys beyond this are passed over.
#[derive(Deserialize)]
struct AnnouncementBody {
    title: String,
    text: String,
}

#[derive(Serialize)]
struct Titled<'a> {
    id: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
struct Alert<'a> {
    probe: &'a str,
    node: &'a str,
    replica: &'a str,
}

#[derive(Default, Serialize)]
struct Alerts<'a> {
    dead: Vec<Alert<'a>>,
    sick: Vec<Alert<'a>>,
}

async fn announcements(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    let all = web.settings().announcer.announcements();
    let shown = all.iter().filter(|it| it.is_shown);
    let shown = shown.map(|it| Titled {
        id: &it.id,
        title: &it.said.title,
    });
    json(&shown.collect::<Vec<_>>())
}

async fn announce(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    let body = match read::<AnnouncementBody>(&head, body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    if body.title.is_empty() || body.text.is_empty() {
        return empty(StatusCode::BAD_REQUEST);
    }
    let said = Said {
        title: body.title,
        text: body.text,
        ..Said::default()
    };
    let announcer = &web.settings().announcer;
    let wish = AnnounceWish::Make(said);
    match announcer
        .announce(wish, None, "Vigil's manager".into())
        .await
    {
        Ok(made) => json(&serde_json::json!({ "id": &*made.id })),
        Err(NotAnnounced::Wrong(_)) => empty(StatusCode::BAD_REQUEST),
        Err(_) => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn retract(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    let announcer = &web.settings().announcer;
    let wish = AnnounceWish::Remove(id.into());
    match announcer
        .announce(wish, None, "Vigil's manager".into())
        .await
    {
        Ok(_) => empty(StatusCode::OK),
        Err(NotAnnounced::Unknown) => empty(StatusCode::NOT_FOUND),
        Err(_) => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Replicas are their addresses, as Vigil's are, without what may be a secret.
async fn alerts(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    let services = web.services();
    let mut alerts = Alerts::default();
    for monitor in services.iter().flat_map(|service| &service.monitors) {
        for target in &monitor.targets {
            let list = match target.health {
                Health::Dead => &mut alerts.dead,
                Health::Sick => &mut alerts.sick,
                Health::Healthy | Health::Unknown => continue,
            };
            list.push(Alert {
                probe: monitor.id.service().as_str(),
                node: monitor.id.name().as_str(),
                replica: &target.address,
            });
        }
    }
    json(&alerts)
}

fn json(shown: &impl Serialize) -> Response {
    let body = serde_json::to_string(shown).expect("texts and lists are always JSON");
    let mut response = Response::new(body.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

async fn show(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    let left = web.settings().intake.hushed_for();
    // What is left of a second is a second: 0 would read as over.
    let seconds = left.map(|left| {
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        u16::try_from(seconds).unwrap_or(u16::MAX)
    });
    let body = serde_json::json!({ "reminders_seconds": seconds });
    let mut response = Response::new(body.to_string().into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

async fn ignore(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    match read::<IgnoreBody>(&head, body).await {
        Ok(body) => hush(&web, body.reminders_seconds.unwrap_or(0)).await,
        Err(answer) => answer,
    }
}

async fn heed(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    match refused_by(&web, &head, <dyn Intake>::admits_manager) {
        Some(refused) => refused,
        None => hush(&web, 0).await,
    }
}

async fn hush(web: &Web, seconds: u16) -> Response {
    let span = Duration::from_secs(u64::from(seconds));
    match web.settings().intake.hush(span).await {
        Ok(()) => empty(StatusCode::OK),
        Err(Refusal::Unknown | Refusal::Full | Refusal::Busy) => {
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
