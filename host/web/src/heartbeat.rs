//! `/heartbeat/TOKEN`: the URLs that jobs call.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{StatusCode, Uri};
use watchkeeper_engine::passive::heartbeat::{Call, Signal};

use crate::doors::Entry;
use crate::inbox;
use crate::intake::{Refusal, Told, What};
use crate::web::Web;

/// How much of the end of a body is looked at.
const KEPT: usize = 4 * 1024;

/// How much of a body is read. A job that sends its whole log has called all the
/// same.
const MOST: usize = 1 << 20;

/// The longest line that is kept, in characters: as long as a reason may be.
const LONGEST_LINE: usize = 500;

/// The longest name of a run, in bytes. A UUID has 36.
const LONGEST_RUN: usize = 64;

/// The routes. GET, HEAD, POST and PUT are all one: jobs call with what they have.
pub(crate) fn routes() -> Router<Web> {
    let plain: MethodRouter<Web> = get(called).post(called).put(called);
    let with_signal: MethodRouter<Web> = get(signalled).post(signalled).put(signalled);
    Router::new()
        .route("/heartbeat/{token}", plain.clone())
        .route("/heartbeat/{token}/", plain)
        .route("/heartbeat/{token}/{signal}", with_signal.clone())
        .route("/heartbeat/{token}/{signal}/", with_signal)
}

async fn called(State(web): State<Web>, Path(token): Path<String>, request: Request) -> Response {
    answer(&web, &token, Some(Signal::Success), request).await
}

async fn signalled(
    State(web): State<Web>,
    Path((token, word)): Path<(String, String)>,
    request: Request,
) -> Response {
    let signal = match word.as_str() {
        "start" => Some(Signal::Start),
        "fail" => Some(Signal::Fail),
        "log" => Some(Signal::Log),
        status => status.parse().ok().map(Signal::Exit),
    };
    answer(&web, &token, signal, request).await
}

async fn answer(web: &Web, token: &str, signal: Option<Signal>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let intake = &web.settings().intake;
    let known = intake.heartbeat(token);
    let entry = web.doors().judge(&head, token, known.is_some());
    let monitor = match (entry, known) {
        (Entry::Open, Some(monitor)) => monitor,
        (Entry::Shut, _) => return slow_down(),
        (Entry::Open | Entry::Wrong, _) => return said(StatusCode::NOT_FOUND, "not found"),
    };
    let Some(signal) = signal else {
        let what =
            "after the token comes start, fail, log, an exit status from 0 to 255, or nothing";
        return said(StatusCode::BAD_REQUEST, what);
    };
    let run = match run(&head.uri) {
        Ok(run) => run,
        Err(what) => return said(StatusCode::BAD_REQUEST, what),
    };
    if !web.calls().take(monitor.clone()) {
        return slow_down();
    }
    let words = last_line(&inbox::tail(body, KEPT, MOST).await);
    let call = Call { signal, run, words };
    let what = What::Call(call);
    match intake.take(Told { monitor, what }).await {
        Ok(()) => said(StatusCode::OK, "OK"),
        Err(Refusal::Unknown) => said(StatusCode::NOT_FOUND, "not found"),
        Err(Refusal::Full | Refusal::Busy) => said(StatusCode::SERVICE_UNAVAILABLE, "busy"),
    }
}

/// The name of the run (`?rid=`), or what is wrong with it.
fn run(uri: &Uri) -> Result<Option<Arc<str>>, &'static str> {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let Some(run) = pairs.find_map(|pair| pair.strip_prefix("rid=")) else {
        return Ok(None);
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if run.is_empty() || run.len() > LONGEST_RUN || !run.bytes().all(fits) {
        return Err("rid must have 1 to 64 letters, digits and -");
    }
    Ok(Some(run.into()))
}

/// The last line that is not blank: what programs say when they give up.
fn last_line(tail: &[u8]) -> Option<Arc<str>> {
    let text = String::from_utf8_lossy(tail);
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    let shown = |each: char| if each.is_control() { '\u{fffd}' } else { each };
    let line: String = line.chars().take(LONGEST_LINE).map(shown).collect();
    Some(line.into())
}

fn slow_down() -> Response {
    let mut response = said(StatusCode::TOO_MANY_REQUESTS, "called too often");
    let pause = HeaderValue::from_static("10");
    response.headers_mut().insert(RETRY_AFTER, pause);
    response
}

fn said(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_why() {
        let line = |text: &str| last_line(text.as_bytes()).map(|line| line.to_string());
        assert_eq!(line(""), None);
        assert_eq!(line(" \n\r\n"), None);
        assert_eq!(line("one\n  two \r\n\n").unwrap(), "two");
        assert_eq!(line("a\tb\u{1b}[31m").unwrap(), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(line(&"é".repeat(600)).unwrap().chars().count(), 500);
        assert_eq!(&*last_line(b"\xa9x").unwrap(), "\u{fffd}x");
    }

    #[test]
    fn runs_have_names() {
        let of = |query: &str| run(&format!("/heartbeat/x{query}").parse().unwrap());
        assert_eq!(of(""), Ok(None));
        assert_eq!(of("?a=b"), Ok(None));
        assert_eq!(of("?a=b&rid=1-a"), Ok(Some("1-a".into())));
        for bad in ["?rid=", "?rid=a%20b", &format!("?rid={}", "a".repeat(65))] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
