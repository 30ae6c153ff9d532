//! Entity tags of things that are written again and again: whoever changes one can
//! say which state of it they have seen, and loses nothing of what others wrote.

use axum::response::Response;
use http::header::{ETAG, HeaderValue, IF_MATCH};
use http::{HeaderMap, StatusCode};

use super::wrong;
use crate::failure::problem;

/// Marks `response` as one that shows `revision`.
pub(crate) fn mark(mut response: Response, revision: u32) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The revision that whoever asks has seen, where they say so.
pub(crate) fn seen(headers: &HeaderMap) -> Result<Option<u32>, Response> {
    let Some(tag) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let number = tag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|number| number.parse().ok());
    number.map(Some).ok_or_else(|| {
        wrong("`If-Match` must be an `ETag` that was answered here, such as `\"3\"`")
    })
}

/// Somebody wrote it since.
pub(crate) fn stale() -> Response {
    problem(
        StatusCode::PRECONDITION_FAILED,
        "Changed since",
        "Somebody changed it since you read it. Read it again and decide anew.",
    )
}
