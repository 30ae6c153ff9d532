//! Badges: how something is, in a few words, as a drawing for other pages and as
//! JSON for <https://shields.io/badges/endpoint-badge>; and Vigil's two badges of
//! the whole page.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::Uri;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
};
use http::request::Parts;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::uptime::Uptime;

use crate::api::{Query, busy, wrong};
use crate::assets;
use crate::dates::Latency;
use crate::failure::Failure;
use crate::figures::Window;
use crate::negotiate;
use crate::report;
use crate::view::Part;
use crate::web::Web;
use crate::words::Shown;

use self::drawing::{Badge, Colour};

mod drawing;
mod width;

/// A badge may be so old. Pages that show one are often behind a cache of their own.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=30");

/// The most characters of a label that is asked for.
const LONGEST_LABEL: usize = 60;

/// The routes. Vigil takes each address with a slash at its end as well.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/badge.svg", get(page))
        .route("/badge.json", get(page))
        .route("/badge/icon", get(icon))
        .route("/badge/icon/", get(icon))
        .route("/badge/color", get(colour))
        .route("/badge/color/", get(colour))
        .route("/badge/{file}", get(service))
        .route("/badge/{service}/{file}", get(monitor))
}

/// What a badge tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    Health,
    Uptime,
    Latency,
}

/// How a badge is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Drawing,
    Json,
}

/// What shields.io reads.
#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(rename = "schemaVersion")]
    schema_version: u8,
    label: &'a str,
    message: &'a str,
    color: &'a str,
    #[serde(rename = "isError")]
    is_error: bool,
}

/// What was asked for.
struct Wish {
    metric: Metric,
    window: Option<Window>,
    label: Option<String>,
}

async fn page(State(web): State<Web>, request: Request) -> Response {
    let Some(view) = web.view() else {
        return Failure::Starting.answer(request.headers());
    };
    let wish = match Wish::read(request.uri()) {
        Ok(wish) => wish,
        Err(refused) => return refused,
    };
    if wish.metric != Metric::Health {
        return wrong("the badge of the page tells only `metric=health`");
    }
    let form = form(request.uri().path()).map_or(Form::Drawing, |(form, _)| form);
    let shown = Shown::from(view.health);
    let label = wish.label.as_deref().unwrap_or("status");
    let badge = Badge::new(label, &message(shown), shown.into());
    send(&badge, form, request.headers())
}

async fn service(State(web): State<Web>, Path(file): Path<String>, request: Request) -> Response {
    let part = form(&file).and_then(|(form, name)| {
        let id = ServiceId::new(name).ok()?;
        Some((form, Part::Service(id)))
    });
    let (head, _) = request.into_parts();
    answer(&web, part, &head).await
}

async fn monitor(
    State(web): State<Web>,
    Path((service, file)): Path<(String, String)>,
    request: Request,
) -> Response {
    let part = form(&file).and_then(|(form, name)| {
        let id = MonitorId::parse(&format!("{service}/{name}")).ok()?;
        Some((form, Part::Monitor(id)))
    });
    let (head, _) = request.into_parts();
    answer(&web, part, &head).await
}

async fn icon(State(web): State<Web>, request: Request) -> Response {
    match web.view() {
        Some(view) => {
            let word = report::text(&view);
            picture(drawing::icon(word, view.health.into()), request.headers())
        }
        None => Failure::Starting.answer(request.headers()),
    }
}

async fn colour(State(web): State<Web>, request: Request) -> Response {
    match web.view() {
        Some(view) => {
            let word = report::text(&view);
            picture(drawing::colour(word, view.health.into()), request.headers())
        }
        None => Failure::Starting.answer(request.headers()),
    }
}

/// The badge of a part of the page.
async fn answer(web: &Web, part: Option<(Form, Part)>, head: &Parts) -> Response {
    let headers = &head.headers;
    let Some((form, part)) = part else {
        return Failure::NotFound.answer(headers);
    };
    let Some(view) = web.view() else {
        return Failure::Starting.answer(headers);
    };
    let found = match &part {
        Part::Service(id) => {
            let service = view.services.iter().find(|it| it.id == *id);
            service.map(|it| (it.label.to_string(), Shown::from(&**it)))
        }
        Part::Monitor(id) => {
            let service = view.services.iter().find(|it| it.id == *id.service());
            let monitors = service.into_iter().flat_map(|it| &it.monitors);
            let monitor = monitors.into_iter().find(|it| it.id == *id);
            monitor.map(|it| (it.label.to_string(), Shown::from(&**it)))
        }
    };
    let Some((name, shown)) = found else {
        return Failure::NotFound.answer(headers);
    };
    let wish = match Wish::read(&head.uri) {
        Ok(wish) => wish,
        Err(refused) => return refused,
    };
    let window = wish.window();
    let label = |what: &str| {
        wish.label
            .clone()
            .unwrap_or_else(|| format!("{name}{what}"))
    };
    let badge = match wish.metric {
        Metric::Health => Badge::new(&label(""), &message(shown), shown.into()),
        Metric::Uptime | Metric::Latency => {
            let sums = web.settings().figures.over(&part, window, view.now).await;
            let Ok(sums) = sums else {
                return busy();
            };
            match wish.metric {
                Metric::Uptime => {
                    let label = label(&format!(" uptime {}", window.as_str()));
                    uptime(&label, sums.times.uptime())
                }
                Metric::Health | Metric::Latency => {
                    let label = label(&format!(" latency {}", window.as_str()));
                    let millis = sums.p50.map(|it| u32::try_from(it.as_millis()));
                    latency(&label, millis.map(|it| it.unwrap_or(u32::MAX)))
                }
            }
        }
    };
    send(&badge, form, headers)
}

/// `api.svg` as its form and its name.
fn form(file: &str) -> Option<(Form, &str)> {
    let drawing = file.strip_suffix(".svg").map(|name| (Form::Drawing, name));
    drawing.or_else(|| file.strip_suffix(".json").map(|name| (Form::Json, name)))
}

/// What a badge says of how something is.
fn message(shown: Shown) -> String {
    shown.word().to_lowercase()
}

/// Below 99 % is more than seven hours of downtime a month, below 95 % a day and a
/// half.
fn uptime(label: &str, uptime: Option<Uptime>) -> Badge {
    let Some(uptime) = uptime else {
        return Badge::new(label, "no data", Colour::Grey);
    };
    let colour = match uptime.hundredths_of_percent() {
        9_900.. => Colour::Green,
        9_500.. => Colour::Amber,
        _ => Colour::Red,
    };
    Badge::new(label, &format!("{uptime} %"), colour)
}

fn latency(label: &str, millis: Option<u32>) -> Badge {
    match millis {
        Some(millis) => Badge::new(label, &Latency(millis).to_string(), Colour::Blue),
        None => Badge::new(label, "no data", Colour::Grey),
    }
}

fn send(badge: &Badge, form: Form, headers: &HeaderMap) -> Response {
    match form {
        Form::Drawing => picture(badge.svg(), headers),
        Form::Json => {
            let endpoint = Endpoint {
                schema_version: 1,
                label: &badge.label,
                message: &badge.message,
                color: badge.colour.hex(),
                is_error: false,
            };
            let body = serde_json::to_string(&endpoint).expect("texts are always JSON");
            tagged(body, HeaderValue::from_static("application/json"), headers)
        }
    }
}

fn picture(body: String, headers: &HeaderMap) -> Response {
    tagged(body, HeaderValue::from_static("image/svg+xml"), headers)
}

/// A small answer with a tag of its content. It is sent as it is: packing so little
/// costs more than it saves.
fn tagged(body: String, content_type: HeaderValue, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", assets::tag(&Sha256::digest(&body)));
    let unchanged = negotiate::has(headers, &tag);
    let mut response = if unchanged {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(body.into());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    };
    let sent = response.headers_mut();
    let tag = HeaderValue::from_str(&tag).expect("a tag holds hexadecimal digits");
    sent.insert(ETAG, tag);
    sent.insert(CACHE_CONTROL, CACHE);
    sent.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

impl Wish {
    fn read(uri: &Uri) -> Result<Self, Response> {
        let query = Query::read(uri, &["metric", "window", "label"])?;
        let metric = query.parsed("metric", "`health`, `uptime` or `latency`", Metric::of)?;
        let window = query.parsed("window", "`24h`, `7d`, `30d` or `90d`", Window::from_word)?;
        let what = format!("a text of at most {LONGEST_LABEL} characters");
        let label = query.parsed("label", &what, |text| {
            (text.chars().count() <= LONGEST_LABEL).then(|| text.to_owned())
        })?;
        Ok(Self {
            metric: metric.unwrap_or(Metric::Health),
            window,
            label,
        })
    }

    /// The uptime of the page's bars is that of 90 days; a latency of so long ago
    /// tells nobody anything.
    fn window(&self) -> Window {
        self.window.unwrap_or(match self.metric {
            Metric::Uptime => Window::Quarter,
            Metric::Health | Metric::Latency => Window::Day,
        })
    }
}

impl Metric {
    fn of(word: &str) -> Option<Self> {
        match word {
            "health" => Some(Self::Health),
            "uptime" => Some(Self::Uptime),
            "latency" => Some(Self::Latency),
            _ => None,
        }
    }
}
