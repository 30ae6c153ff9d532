//! Vigil's Reporter and Local protocol, so that its clients need only a new
//! address.
//!
//! Paths, fields, codes and bodies are Vigil's, those of its web framework
//! included. Two things are stricter: a replica's name is bounded and has no
//! control characters, as it is shown to people, and a monitor has at most as
//! many replicas as the host keeps.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{delete, post};
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::{MonitorId, MonitorName, ServiceId};
use watchkeeper_engine::passive::report::{Load, Report, Said};

use crate::doors::{Entry, basic};
use crate::inbox::{self, Broken};
use crate::intake::{Admission, Intake, Kind, Refusal, Told, What};
use crate::web::Web;

/// The largest body: the limit of Vigil's framework.
const MOST: usize = 2 << 20;

/// The longest name of a replica, in characters: that of a target.
const LONGEST_NAME: usize = 2048;

/// The routes. A wrong method is answered as if there were nothing.
pub(crate) fn routes() -> Router<Web> {
    let report = post(report).fallback(nothing);
    let flush = delete(flush).fallback(nothing);
    Router::new()
        .route("/reporter/{probe}/{node}", report.clone())
        .route("/reporter/{probe}/{node}/", report)
        .route("/reporter/{probe}/{node}/{replica}", flush.clone())
        .route("/reporter/{probe}/{node}/{replica}/", flush)
}

/// What reporters send. Keys beyond these are passed over.
#[derive(Deserialize)]
struct ReportBody {
    replica: String,
    interval: u64,
    health: Option<HealthWord>,
    load: Option<LoadBody>,
}

#[derive(Clone, Copy, Deserialize)]
enum HealthWord {
    #[serde(rename = "healthy")]
    Healthy,
    #[serde(rename = "sick")]
    Sick,
    #[serde(rename = "dead")]
    Dead,
}

#[derive(Deserialize)]
struct LoadBody {
    cpu: f64,
    ram: f64,
}

pub(crate) async fn nothing() -> Response {
    empty(StatusCode::NOT_FOUND)
}

async fn report(
    State(web): State<Web>,
    Path((probe, node)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    if let Some(refused) = refused(&web, &head) {
        return refused;
    }
    let body: ReportBody = match read(&head, body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let (said, wanted) = match (body.load, body.health) {
        (Some(load), _) if load.cpu < 0.0 || load.ram < 0.0 => {
            return empty(StatusCode::BAD_REQUEST);
        }
        (Some(LoadBody { cpu, ram }), _) => (Said::Load(Load { cpu, ram }), Kind::Push),
        (None, Some(word)) => {
            let verdict = match word {
                HealthWord::Healthy => Verdict::Healthy,
                HealthWord::Sick => Verdict::Sick,
                HealthWord::Dead => Verdict::Dead,
            };
            (Said::Health(verdict), Kind::Local)
        }
        (None, None) => return empty(StatusCode::BAD_REQUEST),
    };
    let Some((monitor, kind)) = find(&web, &probe, &node) else {
        return empty(StatusCode::NOT_FOUND);
    };
    if kind != wanted {
        return empty(StatusCode::PRECONDITION_FAILED);
    }
    let length = body.replica.chars().count();
    if !(1..=LONGEST_NAME).contains(&length) || body.replica.chars().any(char::is_control) {
        let what = "replica must have 1 to 2048 characters, none of them a control character";
        return with_text(StatusCode::BAD_REQUEST, what.to_owned());
    }
    let what = What::Report {
        replica: body.replica.into(),
        report: Report {
            interval: Duration::from_secs(body.interval),
            said,
        },
    };
    take(&web, Told { monitor, what }).await
}

async fn flush(
    State(web): State<Web>,
    Path((probe, node, replica)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    if let Some(refused) = refused(&web, &head) {
        return refused;
    }
    match find(&web, &probe, &node) {
        None => empty(StatusCode::NOT_FOUND),
        Some((monitor, Kind::Push | Kind::Local)) => {
            let replica: Arc<str> = replica.into();
            let what = What::Forget { replica };
            take(&web, Told { monitor, what }).await
        }
        Some(_) => empty(StatusCode::PRECONDITION_FAILED),
    }
}

/// The answer to who may not report.
fn refused(web: &Web, request: &Parts) -> Option<Response> {
    refused_by(web, request, <dyn Intake>::admits_reporter)
}

/// The answer to whom a door does not open. The realm is that of the reporters at
/// every door, as Vigil has it.
pub(crate) fn refused_by(
    web: &Web,
    request: &Parts,
    admits: fn(&(dyn Intake + 'static), &str) -> Admission,
) -> Option<Response> {
    let challenge = |status| {
        let mut response = empty(status);
        let realm = HeaderValue::from_static("Basic realm=\"Reporter Token\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, realm);
        Some(response)
    };
    let password = basic(&request.headers);
    let shown = password.as_deref().unwrap_or_default();
    let admission = admits(&*web.settings().intake, shown);
    if admission == Admission::NoDoor {
        return Some(empty(StatusCode::NOT_FOUND));
    }
    let Some(password) = password else {
        return challenge(StatusCode::UNAUTHORIZED);
    };
    let is_right = admission == Admission::Granted;
    match web.doors().judge(request, &password, is_right) {
        Entry::Open => None,
        Entry::Wrong => challenge(StatusCode::FORBIDDEN),
        Entry::Shut => Some(slow_down()),
    }
}

/// The body, or the answer to one that makes no sense.
pub(crate) async fn read<T: DeserializeOwned>(head: &Parts, body: Body) -> Result<T, Response> {
    if !is_json(&head.headers) {
        let what = "Content type error".to_owned();
        return Err(with_text(StatusCode::BAD_REQUEST, what));
    }
    let known = head.headers.get(CONTENT_LENGTH);
    let known = known.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let bytes = inbox::whole(body, MOST)
        .await
        .map_err(|broken| match (broken, known) {
            (Broken::TooLarge, Some(length)) => {
                let what = format!(
                    "JSON payload ({length} bytes) is larger than allowed (limit: {MOST} bytes)."
                );
                with_text(StatusCode::PAYLOAD_TOO_LARGE, what)
            }
            (Broken::TooLarge, None) => {
                let what = format!("JSON payload has exceeded limit ({MOST} bytes).");
                with_text(StatusCode::PAYLOAD_TOO_LARGE, what)
            }
            (Broken::Cut, _) => empty(StatusCode::BAD_REQUEST),
        })?;
    serde_json::from_slice(&bytes).map_err(|problem| {
        let what = format!("Json deserialize error: {problem}");
        with_text(StatusCode::BAD_REQUEST, what)
    })
}

/// Whether a body is said to be JSON: `application/json` or `…/…+json`, whatever
/// parameters follow.
fn is_json(headers: &HeaderMap) -> bool {
    let header = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = header
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    kind.trim().split_once('/').is_some_and(|(_, subtype)| {
        let subtype = subtype.to_ascii_lowercase();
        subtype == "json" || subtype.ends_with("+json")
    })
}

/// The monitor that Vigil calls a node of a probe, and how it is told.
fn find(web: &Web, probe: &str, node: &str) -> Option<(MonitorId, Kind)> {
    let service = ServiceId::new(probe).ok()?;
    let monitor = MonitorId::new(service, MonitorName::new(node).ok()?);
    let kind = web.settings().intake.kind(&monitor)?;
    Some((monitor, kind))
}

async fn take(web: &Web, told: Told) -> Response {
    match web.settings().intake.take(told).await {
        Ok(()) => empty(StatusCode::OK),
        Err(Refusal::Unknown) => empty(StatusCode::NOT_FOUND),
        Err(Refusal::Full) => with_text(
            StatusCode::INSUFFICIENT_STORAGE,
            "the monitor has as many replicas as it may".to_owned(),
        ),
        Err(Refusal::Busy) => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The answer to who is wrong too often.
pub(crate) fn slow_down() -> Response {
    let mut response = with_text(
        StatusCode::TOO_MANY_REQUESTS,
        "too many attempts".to_owned(),
    );
    let pause = HeaderValue::from_static("10");
    response.headers_mut().insert(RETRY_AFTER, pause);
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    // Reporters connect anew each time. The one for Node.js takes the end of the
    // connection for that of its request, and would report once more where that
    // comes after its flush.
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

fn with_text(status: StatusCode, text: String) -> Response {
    let mut response = empty(status);
    *response.body_mut() = text.into();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
