//! The page as it is sent: made once, packed once, tagged, and from then on only
//! copied by reference.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, VARY,
};
use http::{HeaderMap, StatusCode};

use crate::compress::{Effort, Encoded};
use crate::negotiate::{self, Encoding};

/// A shared cache may answer for ten seconds, and longer while it asks anew or
/// while it cannot reach us: a status page has to be there when all else is not.
const PAGE_CACHE: &str =
    "public, max-age=0, s-maxage=10, stale-while-revalidate=60, stale-if-error=86400";

/// A body in every encoding, with the headers for each.
pub(crate) struct Representation {
    body: Encoded,
    variants: [Variant; 3],
}

struct Variant {
    /// With the quotes. Strong tags tell bytes apart, so each encoding has its own.
    tag: String,
    found: HeaderMap,
    unchanged: HeaderMap,
}

/// The page at one revision.
pub(crate) struct Built {
    pub(crate) revision: u64,
    pub(crate) page: Representation,
    pub(crate) report: Representation,
}

impl Built {
    pub(crate) fn new(revision: u64, shape: &str, page: String, report: Vec<u8>) -> Self {
        let tag = format!("{revision}-{shape}");
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(PAGE_CACHE));
        let choice = HeaderValue::from_static("accept-encoding, accept-language");
        headers.insert(VARY, choice);
        let page = Encoded::new(page.into_bytes(), Effort::Often);
        let mut report_headers = HeaderMap::new();
        report_headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        report_headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=2"));
        report_headers.insert(
            http::header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        Self {
            revision,
            page: Representation::new(&tag, page, &headers),
            report: Representation::new(&tag, Encoded::new(report, Effort::Often), &report_headers),
        }
    }
}

impl Representation {
    /// `headers` go with the body and, but for its type, with the answer that it
    /// did not change.
    pub(crate) fn new(tag: &str, body: Encoded, headers: &HeaderMap) -> Self {
        let variants = Encoding::ALL.map(|encoding| {
            let mut found = headers.clone();
            let mut tag = format!("\"{tag}");
            if let Some(word) = encoding.word() {
                tag.push('-');
                tag.push_str(word);
                found.insert(CONTENT_ENCODING, HeaderValue::from_static(word));
            }
            tag.push('"');
            let etag = HeaderValue::from_str(&tag).expect("a tag holds letters, digits and dashes");
            found.insert(ETAG, etag);
            if !found.contains_key(VARY) {
                found.insert(VARY, HeaderValue::from_static("accept-encoding"));
            }
            let mut unchanged = found.clone();
            unchanged.remove(CONTENT_TYPE);
            unchanged.remove(CONTENT_ENCODING);
            found.insert(CONTENT_LENGTH, body.body(encoding).len().into());
            Variant {
                tag,
                found,
                unchanged,
            }
        });
        Self { body, variants }
    }

    /// The answer to a client that sent `headers`. Nothing is made or copied for
    /// it but the headers.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let encoding = Encoding::wanted(headers);
        let [identity, gzip, brotli] = &self.variants;
        let variant = match encoding {
            Encoding::Identity => identity,
            Encoding::Gzip => gzip,
            Encoding::Brotli => brotli,
        };
        let mut response;
        if negotiate::has(headers, &variant.tag) {
            response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().clone_from(&variant.unchanged);
        } else {
            response = Response::new(Body::from(self.body.body(encoding).clone()));
            response.headers_mut().clone_from(&variant.found);
        }
        response
    }
}
