//! What requests that change something have to bring: a body of the right type and
//! size, and the version that is meant.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::Value as Json;

use super::wrong;
use crate::catalogue::Expected;
use crate::failure::problem;
use crate::inbox::{self, Broken};

/// The JSON of a body of at most `most` bytes.
pub(super) async fn json_body(head: &Parts, body: Body, most: usize) -> Result<Json, Response> {
    let kind = media_type(&head.headers);
    let is_json = kind.is_empty() || kind == "application/json" || kind.ends_with("+json");
    let text = text_body(body, most).await?;
    if !is_json {
        return Err(wrong_type("`application/json`"));
    }
    serde_json::from_str(&text).map_err(|why| wrong(&why.to_string()))
}

/// The text of a body of at most `most` bytes.
pub(super) async fn text_body(body: Body, most: usize) -> Result<String, Response> {
    let bytes = inbox::whole(body, most)
        .await
        .map_err(|broken| match broken {
            Broken::TooLarge => {
                let what = format!("A body has at most {most} bytes here.");
                problem(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &what)
            }
            Broken::Cut => problem(StatusCode::BAD_REQUEST, "Incomplete", "The body broke off."),
        })?;
    String::from_utf8(bytes.into()).map_err(|_| wrong("The body is not UTF-8."))
}

/// The type of a body, in lower case and without parameters; empty where none is
/// named.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let named = headers.get(CONTENT_TYPE).map(|value| value.to_str());
    let named = match named {
        None => "",
        // What is no text names no type that anybody takes.
        Some(named) => named.unwrap_or("?"),
    };
    let kind = named.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// What is sent is of a type that is not taken.
pub(super) fn wrong_type(taken: &str) -> Response {
    let what = format!("Send it with `Content-Type:` {taken}.");
    problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Wrong type", &what)
}

/// A version as headers write it.
pub(super) fn tagged(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// The version that is meant (RFC 9110, section 13.1.1). Without one nobody knows
/// whether somebody else's change is undone.
pub(super) fn expected(headers: &HeaderMap) -> Result<Expected, Response> {
    let mut sent = headers.get_all(IF_MATCH).iter().peekable();
    if sent.peek().is_none() {
        let what =
            "Send `If-Match:` with the `etag` that you have seen, or `*` for whatever is there.";
        return Err(problem(
            StatusCode::PRECONDITION_REQUIRED,
            "Version needed",
            what,
        ));
    }
    let mut tags = Vec::new();
    for value in sent {
        let text = value.to_str().unwrap_or("?").trim();
        if text == "*" {
            return Ok(Expected::Any);
        }
        for tag in text.split(',') {
            let inner = tag
                .trim()
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            match inner {
                Some(inner) => tags.push(inner.to_owned()),
                // A weak one never matches where something is to be changed.
                None if tag.trim().starts_with("W/\"") => {}
                None => {
                    return Err(wrong(
                        "`If-Match` must be `*` or versions in quotes, such as \"1763737200000\"",
                    ));
                }
            }
        }
    }
    Ok(Expected::Tags(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[&'static str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| (IF_MATCH, http::HeaderValue::from_static(value)));
        values.collect()
    }

    #[test]
    fn the_version_that_is_meant_is_read() {
        let read = |values: &[&'static str]| expected(&with(values)).map_err(|it| it.status());
        let tags = |tags: &[&str]| {
            Ok(Expected::Tags(
                tags.iter().map(ToString::to_string).collect(),
            ))
        };
        assert_eq!(read(&["*"]), Ok(Expected::Any));
        assert_eq!(read(&["\"1\""]), tags(&["1"]));
        assert_eq!(read(&["\"1\", W/\"2\"", "\"3\""]), tags(&["1", "3"]));
        assert_eq!(read(&["1"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(read(&[]), Err(StatusCode::PRECONDITION_REQUIRED));
    }
}
