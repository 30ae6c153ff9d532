//! Vigil's manager protocol, as far as it silences reminders.
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
use serde::Deserialize;

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
    Router::new()
        .route("/manager/prober/alerts/ignored", ignored.clone())
        .route("/manager/prober/alerts/ignored/", ignored)
}

/// What is sent. Keys beyond this are passed over.
#[derive(Deserialize)]
struct IgnoreBody {
    #[serde(default)]
    reminders_seconds: Option<u16>,
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
