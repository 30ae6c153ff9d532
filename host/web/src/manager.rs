//! Vigil's manager protocol, as far as it names what is not well and silences
//! reminders.
//!
//! GET and PUT are Vigil's. Beside them POST does what PUT does, and DELETE takes
//! it back.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use watchkeeper_engine::health::Health;

use crate::intake::{Intake, Refusal};
use crate::reporter::{empty, nothing, read, refused_by};
use crate::view::View;
use crate::web::Web;

/// The routes. A wrong method is answered as if there were nothing.
pub(crate) fn routes() -> Router<Web> {
    let ignored = get(show)
        .put(ignore)
        .post(ignore)
        .delete(heed)
        .fallback(nothing);
    let alerts = get(alerts).fallback(nothing);
    Router::new()
        .route("/manager/prober/alerts", alerts.clone())
        .route("/manager/prober/alerts/", alerts)
        .route("/manager/prober/alerts/ignored", ignored.clone())
        .route("/manager/prober/alerts/ignored/", ignored)
}

/// What is not well, target by target. What is unknown is in neither list: nobody is
/// to be alarmed by what nobody knows.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Alerts<'a> {
    dead: Vec<Alert<'a>>,
    sick: Vec<Alert<'a>>,
}

/// A target, in Vigil's words.
#[derive(Debug, PartialEq, Serialize)]
struct Alert<'a> {
    probe: &'a str,
    node: &'a str,
    replica: &'a str,
}

impl<'a> Alerts<'a> {
    fn of(view: &'a View) -> Self {
        let mut alerts = Self::default();
        let monitors = view.services.iter().flat_map(|service| &service.monitors);
        for monitor in monitors {
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
        alerts
    }
}

/// What is sent. Keys beyond this are passed over.
#[derive(Deserialize)]
struct IgnoreBody {
    #[serde(default)]
    reminders_seconds: Option<u16>,
}

async fn alerts(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Some(refused) = refused_by(&web, &head, <dyn Intake>::admits_manager) {
        return refused;
    }
    let written = |view: &View| {
        serde_json::to_string(&Alerts::of(view)).expect("texts and lists are always JSON")
    };
    match web.with_view(written) {
        Some(body) => json(body),
        None => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
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
    json(serde_json::json!({ "reminders_seconds": seconds }).to_string())
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

fn json(body: String) -> Response {
    let mut response = Response::new(body.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
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
