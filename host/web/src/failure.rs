//! Answers that say what went wrong, always in the same shape: a page for people,
//! `application/problem+json` (RFC 9457) for programs.

use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY};
use http::{HeaderMap, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

use crate::locale::{self, Language, Locale};
use crate::negotiate::reads_html;
use crate::template;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing lives at this address.
    NotFound,
    /// Something does, but it cannot be asked this way.
    Method,
    /// Nothing was published yet.
    Starting,
    /// As many follow the page as may.
    Full,
    /// The page could not be made.
    Internal,
}

/// What is answered where something went wrong (RFC 9457), always with all keys.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Problem<'a> {
    /// Always `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// What went wrong, in a few words.
    title: &'a str,
    /// The status code.
    status: u16,
    /// What went wrong, and what to do.
    detail: &'a str,
    /// Each mistake in what was sent, if it was a mistake.
    errors: &'a [Fault],
}

/// A mistake in what was sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Mistake")]
pub(crate) struct Fault {
    /// The part of the configuration that it is in, as `monitors/shop/web`.
    pub(crate) item: Option<String>,
    /// The key to blame; empty where it is the whole.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) what: String,
    /// What to write instead.
    pub(crate) instead: Option<String>,
}

/// What went wrong, for a program.
pub(crate) fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    problem_with(status, title, detail, &[])
}

/// What went wrong, with each mistake by itself.
pub(crate) fn problem_with(
    status: StatusCode,
    title: &str,
    detail: &str,
    errors: &[Fault],
) -> Response {
    let problem = Problem {
        r#type: "about:blank",
        title,
        status: status.as_u16(),
        detail,
        errors,
    };
    let body = serde_json::to_string(&problem).expect("texts and numbers are always JSON");
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let sent = response.headers_mut();
    sent.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    sent.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Failure {
    /// The answer to a client that sent `headers`.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let (status, title, detail) = self.words();
        let mut response = problem(status, title, detail);
        if reads_html(headers) {
            let language = Language::wanted(&Uri::default(), headers, &Language::ALL);
            let page = Locale::plain(language).speak(|| {
                let (headline, detail) = self.told();
                template::failure(headline, detail)
            });
            *response.body_mut() = page.into();
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, html);
        }
        let sent = response.headers_mut();
        sent.insert(VARY, HeaderValue::from_static("accept, accept-language"));
        if let Some(seconds) = self.retry_after() {
            sent.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }

    const fn words(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Not found",
                "There is nothing at this address.",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "This address cannot be asked this way.",
            ),
            Self::Starting => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Starting",
                "The first look has not been taken yet.",
            ),
            Self::Full => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many followers",
                "As many follow this page live as it can serve.",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal error",
                "The page could not be made.",
            ),
        }
    }

    /// As [`Self::words`], for people and in the language that is spoken.
    fn told(&self) -> (&'static str, &'static str) {
        let texts = locale::texts();
        let (headline, detail) = match self {
            Self::NotFound => (&texts.not_found, &texts.not_found_detail),
            Self::Method => (&texts.method, &texts.method_detail),
            Self::Starting => (&texts.starting, &texts.starting_detail),
            Self::Full => (&texts.full, &texts.full_detail),
            Self::Internal => (&texts.internal, &texts.internal_detail),
        };
        (headline, detail)
    }

    /// In seconds, where asking again makes sense.
    const fn retry_after(&self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("1"),
            Self::Full => Some("30"),
            Self::NotFound | Self::Method | Self::Internal => None,
        }
    }
}
