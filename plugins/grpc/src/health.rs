//! The health service, `grpc.health.v1.Health/Check`, in messages of gRPC over
//! HTTP/2: what is asked, and what the answer means.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request};
use prost::Message as _;
use watchkeeper_sdk::Url;

use crate::http2::Answer;

/// Where the service is.
const PATH: &str = "/grpc.health.v1.Health/Check";

/// Headers that belong to gRPC and HTTP: nobody else may set them.
const RESERVED: [&str; 8] = [
    "host",
    "te",
    "content-type",
    "content-length",
    "connection",
    "transfer-encoding",
    "upgrade",
    "grpc-encoding",
];

/// The names of the codes of gRPC, from 0 on.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The codes that have a meaning of their own here.
const OK: usize = 0;
const NOT_FOUND: usize = 5;
const UNIMPLEMENTED: usize = 12;

#[derive(Clone, PartialEq, prost::Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HealthCheckResponse {
    #[prost(enumeration = "ServingStatus", tag = "1")]
    status: i32,
}

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ServingStatus {
    /// It does not know itself.
    Unknown = 0,
    /// It works.
    Serving = 1,
    /// It does not.
    NotServing = 2,
    /// The server has no such service. Only watching is answered so by the
    /// standard; some servers do it for a check as well.
    ServiceUnknown = 3,
}

/// The message that asks for `service`.
pub(crate) fn question(service: &str) -> Bytes {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let message = request.encode_to_vec();
    let mut framed = BytesMut::with_capacity(5 + message.len());
    // Not compressed.
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(&message);
    framed.freeze()
}

/// The head of the request to the server at `url`. The error says which key of the
/// configuration cannot be sent.
pub(crate) fn request(
    url: &Url,
    authority: Option<&str>,
    metadata: &BTreeMap<String, String>,
) -> Result<Request<()>, String> {
    let scheme = if url.scheme() == "grpcs" {
        "https"
    } else {
        "http"
    };
    let is_given = authority.is_some();
    let authority = authority.map_or_else(|| url.authority(), str::to_owned);
    let uri = http::Uri::builder()
        .scheme(scheme)
        .authority(authority.as_str())
        .path_and_query(PATH)
        .build()
        .map_err(|error| {
            if is_given {
                format!("config.authority: {authority:?}: {error}")
            } else {
                format!("the target's host and port: {error}")
            }
        })?;
    let mut request = Request::post(uri)
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .header(
            "user-agent",
            concat!("watchkeeper/", env!("CARGO_PKG_VERSION")),
        )
        .body(())
        .map_err(|error| error.to_string())?;
    for (name, value) in metadata {
        let key = format!("config.metadata.{name}");
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) {
            return Err(format!("{key}: gRPC sets it"));
        }
        let name = HeaderName::from_bytes(lower.as_bytes())
            .map_err(|_| format!("{key}: no name of metadata"))?;
        // The value may be a secret: it is not quoted.
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| format!("{key}: has a character that cannot be sent"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// What an answer says of `service`; the error is what is wrong.
pub(crate) fn verdict(answer: &Answer, service: &str) -> Result<ServingStatus, String> {
    // A trailer where the answer has a body, else among the headers.
    let code = code(&answer.trailers).or_else(|| code(&answer.headers));
    let is_grpc = answer
        .headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    let Some(code) = code.filter(|_| is_grpc || answer.status == 200) else {
        let status = answer.status.as_u16();
        return Err(match status {
            200 if is_grpc => "breaks off: the answer has no grpc-status".to_owned(),
            _ => format!("does not speak gRPC: answers with status {status}"),
        });
    };
    match code {
        OK => {}
        NOT_FOUND => return Err(format!("knows no service {service:?}")),
        UNIMPLEMENTED => return Err("has no health service (UNIMPLEMENTED)".to_owned()),
        code => {
            let name = CODES.get(code).copied().unwrap_or("an unknown code");
            let message = message(&answer.trailers).or_else(|| message(&answer.headers));
            return Err(match message.as_deref() {
                None | Some("") => format!("answers with {name}"),
                Some(message) => format!("answers with {name}: {message:?}"),
            });
        }
    }
    let broken = || "sends a message that is no health".to_owned();
    let [0, a, b, c, d, message @ ..] = answer.body.as_slice() else {
        return Err(broken());
    };
    if usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])) != Ok(message.len()) {
        return Err(broken());
    }
    let response = HealthCheckResponse::decode(message).map_err(|_| broken())?;
    ServingStatus::try_from(response.status).map_err(|_| broken())
}

fn code(headers: &HeaderMap) -> Option<usize> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

/// The text that goes with a code, percent-decoded and cut to what fits into a
/// reason.
fn message(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get("grpc-message")?.as_bytes();
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, after @ ..] = rest {
        let hex = after.split_at_checked(2).and_then(|(digits, after)| {
            let digits = str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        if let Some((byte, after)) = hex.filter(|_| *first == b'%') {
            decoded.push(byte);
            rest = after;
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    let text = String::from_utf8_lossy(&decoded);
    Some(text.chars().take(150).collect())
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let map = |headers: &[(&str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                map.insert(name, HeaderValue::from_str(value).unwrap());
            }
            map
        };
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map(&[("content-type", "application/grpc+proto")]),
            body: body.to_vec(),
            trailers: map(headers),
        }
    }

    #[test]
    fn the_question_is_framed() {
        assert_eq!(&question("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&question("a.B")[..], b"\0\0\0\0\x05\x0a\x03a.B");
    }

    #[test]
    fn a_status_is_read() {
        let ok = [("grpc-status", "0")];
        for (body, expected) in [
            (&b"\0\0\0\0\x02\x08\x01"[..], Ok(ServingStatus::Serving)),
            (b"\0\0\0\0\x02\x08\x02", Ok(ServingStatus::NotServing)),
            (b"\0\0\0\0\x02\x08\x03", Ok(ServingStatus::ServiceUnknown)),
            (b"\0\0\0\0\0", Ok(ServingStatus::Unknown)),
            (b"\0\0\0\0\x02\x08\x09", Err(())),
            (b"\x01\0\0\0\x02\x08\x01", Err(())),
            (b"\0\0\0\0\x03\x08\x01", Err(())),
            (b"\0\0\0\0\x02\xff\xff", Err(())),
            (b"", Err(())),
        ] {
            let found = verdict(&answer(200, &ok, body), "");
            let broken = "sends a message that is no health".to_owned();
            assert_eq!(found, expected.map_err(|()| broken), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_status_is_told() {
        for (headers, expected) in [
            (
                &[("grpc-status", "5"), ("grpc-message", "x")][..],
                r#"knows no service "a""#,
            ),
            (
                &[("grpc-status", "12")],
                "has no health service (UNIMPLEMENTED)",
            ),
            (
                &[
                    ("grpc-status", "14"),
                    ("grpc-message", "100%25 d%C3%A9bris%"),
                ],
                r#"answers with UNAVAILABLE: "100% débris%""#,
            ),
            (&[("grpc-status", "16")], "answers with UNAUTHENTICATED"),
            (&[("grpc-status", "99")], "answers with an unknown code"),
            (&[], "breaks off: the answer has no grpc-status"),
        ] {
            let found = verdict(&answer(200, headers, b""), "a");
            assert_eq!(found.unwrap_err(), expected);
        }
        let mut page = answer(404, &[], b"");
        page.headers.clear();
        assert_eq!(
            verdict(&page, "").unwrap_err(),
            "does not speak gRPC: answers with status 404"
        );
    }

    #[test]
    fn the_request_carries_the_metadata() {
        let url = Url::parse("grpcs://a.test:443").unwrap();
        let metadata = |name: &str, value: &str| {
            let metadata = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            request(&url, Some("b.test"), &metadata)
        };
        let made = metadata("X-Token", "s3cret").unwrap();
        assert_eq!(
            made.uri().to_string(),
            "https://b.test/grpc.health.v1.Health/Check"
        );
        assert_eq!(made.headers()["x-token"], "s3cret");
        for (name, value, expected) in [
            ("TE", "x", "config.metadata.TE: gRPC sets it"),
            ("a b", "x", "config.metadata.a b: no name of metadata"),
            (
                "a",
                "x\ny",
                "config.metadata.a: has a character that cannot be sent",
            ),
        ] {
            assert_eq!(metadata(name, value).unwrap_err(), expected);
        }
        let wrong = request(&url, Some("a b"), &BTreeMap::new()).unwrap_err();
        assert!(wrong.starts_with("config.authority: \"a b\": "), "{wrong}");
    }
}
