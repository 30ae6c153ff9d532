//! `/api/v1/monitors/SERVICE/MONITOR/health`: how a monitor is, and how people
//! say that it is.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;

use crate::api::{admit, answer, busy};
use crate::failure::problem;
use crate::inbox::{self, Broken};
use crate::intake::{Kind, Refusal, Told, What};
use crate::web::Web;

/// The largest body, in bytes.
const MOST: usize = 16 * 1024;

/// The longest comment, in characters: as long as a reason may be.
const LONGEST_COMMENT: usize = 500;

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    let health = get(read).put(set).post(set);
    Router::new().route("/api/v1/monitors/{service}/{monitor}/health", health)
}

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    health: Word,
    #[serde(default)]
    comment: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Healthy,
    Sick,
    Dead,
}

/// What is answered.
#[derive(Serialize)]
struct Shown<'a> {
    monitor: String,
    health: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

async fn read(
    State(web): State<Web>,
    Path((service, monitor)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let known = MonitorId::parse(&format!("{service}/{monitor}")).ok();
    let Some(view) = known.and_then(|id| web.any_monitor(&id)) else {
        return no_monitor();
    };
    let reason = view
        .targets
        .iter()
        .find_map(|target| target.reason.as_deref());
    answer(&Shown {
        monitor: view.id.to_string(),
        health: view.health.as_str(),
        since_ms: view.since.map(Timestamp::as_millis),
        comment: reason.filter(|_| view.health != Health::Healthy),
    })
}

async fn set(
    State(web): State<Web>,
    Path((service, monitor)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.report).await {
        return refused;
    }
    let known = MonitorId::parse(&format!("{service}/{monitor}")).ok();
    let intake = &web.settings().intake;
    let Some((monitor, kind)) = known.and_then(|id| Some((id.clone(), intake.kind(&id)?))) else {
        return no_monitor();
    };
    if kind != Kind::Manual {
        let what =
            format!("{monitor} is not `passive = \"manual\"`: its health is not set by people");
        return problem(StatusCode::CONFLICT, "Not manual", &what);
    }
    let body = match inbox::whole(body, MOST).await {
        Ok(body) => body,
        Err(Broken::TooLarge) => {
            let what = format!("A body has at most {MOST} bytes.");
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &what);
        }
        Err(Broken::Cut) => {
            return problem(StatusCode::BAD_REQUEST, "Incomplete", "The body broke off.");
        }
    };
    let wanted: Wanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(why) => return problem(StatusCode::BAD_REQUEST, "Malformed", &why.to_string()),
    };
    let comment = wanted.comment.trim();
    if comment.chars().count() > LONGEST_COMMENT || comment.chars().any(char::is_control) {
        let what = format!(
            "`comment` must be one line of at most {LONGEST_COMMENT} characters without control characters"
        );
        return problem(StatusCode::BAD_REQUEST, "Malformed", &what);
    }
    let health = match wanted.health {
        Word::Healthy => Verdict::Healthy,
        Word::Sick => Verdict::Sick,
        Word::Dead => Verdict::Dead,
    };
    let comment: Arc<str> = comment.into();
    let told = Told {
        monitor: monitor.clone(),
        what: What::Set {
            health,
            comment: Arc::clone(&comment),
        },
    };
    match intake.take(told).await {
        Ok(()) => answer(&Shown {
            monitor: monitor.to_string(),
            health: Health::from(health).as_str(),
            since_ms: None,
            comment: Some(&*comment).filter(|comment| !comment.is_empty()),
        }),
        Err(Refusal::Unknown) => no_monitor(),
        Err(Refusal::Full | Refusal::Busy) => busy(),
    }
}

fn no_monitor() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is no such monitor.",
    )
}
