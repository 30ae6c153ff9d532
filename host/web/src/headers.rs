//! Headers that go with every answer.

use axum::response::Response;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

/// What the page may load: its own files and nothing else. No inline script or
/// style works, so injected markup can do nothing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Goes with an answer that other pages may show in a frame.
#[derive(Clone, Debug)]
pub(crate) struct MayFrame(HeaderValue);

impl MayFrame {
    /// Those of these `sources`, as `frame-ancestors` lists them.
    pub(crate) fn on(sources: &str) -> Option<Self> {
        let policy = POLICY.replace(
            "frame-ancestors 'none'",
            &format!("frame-ancestors {sources}"),
        );
        HeaderValue::from_str(&policy).ok().map(Self)
    }
}

const SECURITY: [(HeaderName, HeaderValue); 6] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
];

/// Adds what keeps a browser from doing more than it should, where the answer does not
/// say otherwise.
pub(crate) async fn secure(mut response: Response) -> Response {
    let framed = response.extensions_mut().remove::<MayFrame>();
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        // A page that needs another rule has it already.
        headers.entry(name).or_insert(value);
    }
    if let Some(MayFrame(policy)) = framed {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.remove(X_FRAME_OPTIONS);
    }
    response
}
