//! Which address answers what.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;
use http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue,
};
use http::{HeaderMap, StatusCode};

use crate::admin;
use crate::api;
use crate::assets::Assets;
use crate::badge;
use crate::calendar;
use crate::changes;
use crate::doors::bearer;
use crate::embed;
use crate::entrances::{Side, guard};
use crate::events;
use crate::exposition::{for_public, text_format};
use crate::failure::Failure;
use crate::feeds;
use crate::headers::secure;
use crate::heartbeat;
use crate::incidents;
use crate::levels;
use crate::locale::Language;
use crate::manager;
use crate::reporter;
use crate::serve::Connection;
use crate::services;
use crate::sites;
use crate::staff::Right;
use crate::statuspage;
use crate::web::Web;

/// OpenMetrics 1.0, "Overall structure".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The Prometheus text format, for those who do not ask for OpenMetrics.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

const PLAIN: &str = "text/plain; charset=utf-8";

/// As Vigil's: everyone may look at everything.
const ROBOTS: &str = "User-agent: *\nDisallow:\n";

/// Everything under `/` that `side` answers: what everyone may see, what programs
/// tell, and what those who work with the host ask for.
pub(crate) fn router(web: Web, side: Side) -> Router {
    let routes = everyones()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .merge(reporter::routes())
        .merge(heartbeat::routes())
        .merge(manager::routes())
        .merge(changes::routes())
        .merge(levels::routes())
        .merge(api::routes())
        .merge(admin::routes());
    let whole = finished(routes, &web, side);
    // Before anything is routed: what was found for one page is nothing to another.
    Router::new()
        .fallback_service(whole)
        .layer(from_fn_with_state(web, sites::dispatch))
}

/// What everyone may see, of a page that has nothing else.
pub(crate) fn public(web: &Web) -> Router {
    finished(everyones(), web, Side::Public)
}

fn finished(routes: Router<Web>, web: &Web, side: Side) -> Router {
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(from_fn_with_state((web.clone(), side), guard))
        .layer(map_response(secure))
        .with_state(web.clone())
}

fn everyones() -> Router<Web> {
    // Vigil answers a wrong method as if there were nothing, and takes each
    // address with a slash at its end as well.
    let word = get(status_text).fallback(not_found);
    let report = get(status_report).fallback(not_found);
    Router::new()
        .route("/", get(page))
        .route("/events", get(follow))
        .route("/assets/{file}", get(asset))
        .route("/favicon.svg", get(icon))
        .route("/robots.txt", get(robots))
        .route("/status/text", word.clone())
        .route("/status/text/", word)
        .route("/status/report", report.clone())
        .route("/status/report/", report)
        .merge(incidents::routes())
        .merge(calendar::routes())
        .merge(badge::routes())
        .merge(embed::routes())
        .merge(feeds::routes())
        .merge(statuspage::routes())
        .merge(services::routes())
}

async fn page(State(web): State<Web>, request: Request) -> Response {
    let language = web.locale(request.uri(), request.headers()).language;
    let (head, _) = request.into_parts();
    match web.built(language).await {
        Ok(built) => built.page.answer(&head.headers),
        Err(failure) => failure.answer(&head.headers),
    }
}

/// As Vigil's, in no language.
async fn status_report(State(web): State<Web>, request: Request) -> Response {
    match web.built(Language::English).await {
        Ok(built) => built.report.answer(request.headers()),
        Err(failure) => failure.answer(request.headers()),
    }
}

async fn status_text(State(web): State<Web>, request: Request) -> Response {
    let Some(word) = web.word() else {
        return Failure::Starting.answer(request.headers());
    };
    let mut response = text(StatusCode::OK, PLAIN, word);
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn follow(State(web): State<Web>, request: Request) -> Response {
    let connection = request.extensions().get::<Connection>();
    let address = connection.map(|connection| connection.peer.ip());
    let closing = connection
        .map(|connection| connection.closing.clone())
        .unwrap_or_default();
    let Some(seat) = web.seats().take(address) else {
        return Failure::Full.answer(request.headers());
    };
    let language = web.locale(request.uri(), request.headers()).language;
    let Some(joined) = web.join(language, last_seen(&request)) else {
        return Failure::Starting.answer(request.headers());
    };
    let body = events::follow(joined, seat, closing, move || web.rejoin(language));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until its buffer is full.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// The revision that a follower has: from its last event, or from the page that
/// it loaded (`?since=`). A browser that comes back sends both; the event is later.
fn last_seen(request: &Request) -> Option<u64> {
    let event = request.headers().get("last-event-id");
    let event = event.and_then(|id| id.to_str().ok()?.trim().parse().ok());
    event.or_else(|| {
        let query = request.uri().query()?;
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix("since=")?.parse().ok())
    })
}

async fn asset(State(web): State<Web>, request: Request) -> Response {
    let path = request.uri().path();
    if let Some(asset) = Assets::get().at(path) {
        return asset.answer(request.headers());
    }
    let look = web.look();
    match look.as_ref().and_then(|look| look.at(path)) {
        Some(asset) => asset.answer(request.headers()),
        None => Failure::NotFound.answer(request.headers()),
    }
}

async fn icon(request: Request) -> Response {
    Assets::get().icon.answer_for_a_day(request.headers())
}

async fn robots() -> Response {
    text(StatusCode::OK, PLAIN, ROBOTS)
}

async fn healthz() -> Response {
    text(StatusCode::OK, PLAIN, "ok\n")
}

async fn readyz(State(web): State<Web>) -> Response {
    match (web.settings().ready)() {
        Ok(None) => text(StatusCode::OK, PLAIN, "ready\n"),
        Ok(Some(beside)) => text(StatusCode::OK, PLAIN, format!("ready\n{beside}\n")),
        Err(reason) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            PLAIN,
            format!("not ready: {reason}\n"),
        ),
    }
}

async fn metrics(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let headers = head.headers.clone();
    let mut metrics = (web.settings().metrics)();
    if bearer(&headers).is_some() {
        if let Err(refused) = api::admit_with(&web, &head, Right::Read).await {
            return refused;
        }
    } else {
        metrics = for_public(&metrics, &web.private_labels());
    }
    let accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    if accepted
        .into_iter()
        .any(|value| value.contains("application/openmetrics-text"))
    {
        text(StatusCode::OK, OPEN_METRICS, metrics)
    } else {
        text(StatusCode::OK, TEXT_FORMAT, text_format(&metrics))
    }
}

async fn not_found(headers: HeaderMap) -> Response {
    Failure::NotFound.answer(&headers)
}

async fn method_not_allowed(headers: HeaderMap) -> Response {
    Failure::Method.answer(&headers)
}

fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<axum::body::Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
