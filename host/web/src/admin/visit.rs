//! A request of somebody who works with the host: who it is, and that what they
//! send was meant.
//!
//! A browser shows a cookie of 256 random bits that it sends along only from pages
//! of this host (`SameSite=Strict`). A form is taken if it says that it comes from
//! this host (`Origin`) and holds a token that follows from the cookie: another
//! site can make a browser send a form, but neither of the two.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::request::Parts;
use http::{StatusCode, Uri};
use subtle::ConstantTimeEq as _;

use self::cookies::{SESSION, STRANGER, cookie, random, shown, token_of};
use self::origin::{is_encrypted, is_from_here, site};
pub(crate) use self::origin::{line, origin};
use super::{refuse, refused_page};
use crate::entrances::{Asking, deed, note};
use crate::failure::Failure;
use crate::inbox::{self, Broken};
use crate::negotiate::reads_html;
use crate::staff::{Doer, Person, Right};
use crate::web::Web;

mod cookies;
mod origin;

/// For how long a browser keeps its cookie, in seconds. The host ends a session
/// earlier where it is not used.
const KEPT: u32 = 30 * 24 * 3600;

/// The largest form, in bytes.
const LARGEST_FORM: usize = 512 * 1024;

/// The most fields of a form.
const MOST_FIELDS: usize = 5_000;

/// Who asks, and what their forms hold. On every request that got past the guard.
#[derive(Clone)]
pub(crate) struct Visit {
    /// Who is signed in.
    pub(crate) person: Arc<Person>,
    /// What their forms must hold as `csrf`.
    pub(crate) token: Arc<str>,
    /// Where they are.
    pub(crate) origin: Arc<str>,
    /// What their browser shows.
    shown: Arc<str>,
}

/// Who is about to sign in.
#[derive(Clone)]
pub(crate) struct Stranger {
    /// What their forms must hold as `csrf`.
    pub(crate) token: Arc<str>,
    /// Where they are.
    pub(crate) origin: Arc<str>,
    /// What their browser is to show, if it does not yet.
    fresh: Option<Arc<str>>,
    /// Whether the browser came by TLS, so that its cookies should only ever.
    is_encrypted: bool,
}

/// The fields of a form that was sent, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pairs: Arc<[(String, String)]>,
}

impl Form {
    fn read(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body).into_owned().take(MOST_FIELDS);
        Self {
            pairs: pairs.collect(),
        }
    }

    /// What stands in the field called `name`, without the space around it; empty
    /// where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// As [`Self::get`], as it was typed: for passwords.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Everything that was said for `name`: the boxes that were ticked.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Visit {
    /// What is noted of who does something.
    pub(crate) fn doer(&self) -> Doer {
        Doer {
            who: Arc::clone(&self.person.name),
            origin: Arc::clone(&self.origin),
        }
    }

    /// Whether they may do what needs `right`.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.person.role.may(right)
    }

    /// What their browser shows.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

impl Stranger {
    /// Has the browser keep what its next form is told by.
    pub(crate) fn remember(&self, response: &mut Response) {
        if let Some(fresh) = &self.fresh {
            let cookie = cookie(STRANGER, fresh, 3600, self.is_encrypted);
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }

    /// Signs the browser in, and sends it to `to`.
    pub(crate) fn welcome(&self, shown: &str, to: &str) -> Response {
        let mut response = see_other(to);
        let headers = response.headers_mut();
        let signed_in = cookie(SESSION, shown, KEPT, self.is_encrypted);
        headers.append(SET_COOKIE, signed_in);
        headers.append(SET_COOKIE, cookie(STRANGER, "", 0, self.is_encrypted));
        response
    }
}

/// Has a browser forget that somebody is signed in, and sends it to `to`.
pub(crate) fn farewell(to: &str) -> Response {
    let mut response = see_other(to);
    let cookie = cookie(SESSION, "", 0, false);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// Sends a browser to another page of this host. Loading that anew does not send the
/// form again.
pub(crate) fn see_other(to: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/admin"));
    response.headers_mut().insert(LOCATION, to);
    response
}

/// An address below `/admin` of this host, for who was on the way to it.
pub(crate) fn way_on(wanted: &str) -> &str {
    let is_ours =
        (wanted == "/admin" || wanted.starts_with("/admin/") || wanted.starts_with("/admin?"))
            && wanted
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { wanted } else { "/admin" }
}

/// Lets somebody sign in, or do what comes before.
pub(crate) async fn before(web: &Web, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let shown = shown(&head.headers, STRANGER);
    let fresh: Option<Arc<str>> = if shown.is_some() { None } else { random() };
    let Some(known) = shown.or_else(|| fresh.clone()) else {
        return private(Failure::Internal.answer(&head.headers));
    };
    let stranger = Stranger {
        token: token_of(&known),
        origin: origin(&head),
        fresh,
        is_encrypted: is_encrypted(&head.headers),
    };
    if !head.method.is_safe() {
        let form = match meant(web, &head, body, &stranger.token).await {
            Ok(form) => form,
            Err(refused) => return private(refused),
        };
        head.extensions.insert(form);
    }
    head.extensions.insert(stranger.clone());
    let mut response = next
        .run(Request::from_parts(head, axum::body::Body::empty()))
        .await;
    stranger.remember(&mut response);
    private(response)
}

/// Lets in somebody who is signed in and may do what needs `right`.
pub(crate) async fn receive(web: &Web, right: Right, request: Request, next: Next) -> Response {
    let asking = Asking::of(&request);
    let (mut head, body) = request.into_parts();
    let visit = match recognise(web, &head).await {
        Ok(visit) => visit,
        Err(refused) => return private(refused),
    };
    if !visit.may(right) {
        let what = format!(
            "{} is {}, and that is for others to do.",
            visit.person.name,
            visit.person.role.as_str()
        );
        return private(refuse(
            web,
            &head.headers,
            StatusCode::FORBIDDEN,
            "Not allowed",
            &what,
        ));
    }
    if !head.method.is_safe() {
        let form = match meant(web, &head, body, &visit.token).await {
            Ok(form) => form,
            Err(refused) => return private(refused),
        };
        head.extensions.insert(form);
    }
    let doer = visit.doer();
    head.extensions.insert(visit);
    let response = next
        .run(Request::from_parts(head, axum::body::Body::empty()))
        .await;
    note(web, &doer, deed(&asking, &response)).await;
    private(response)
}

/// Who asks, or what whoever is not signed in is answered.
async fn recognise(web: &Web, head: &Parts) -> Result<Visit, Response> {
    let staff = &web.settings().staff;
    let busy = |_| {
        refuse(
            web,
            &head.headers,
            StatusCode::SERVICE_UNAVAILABLE,
            "Busy",
            "It cannot be looked up now who you are. Try again.",
        )
    };
    if let Some(shown) = shown(&head.headers, SESSION)
        && let Some(person) = staff.person(&shown).await.map_err(busy)?
    {
        return Ok(Visit {
            person: Arc::new(person),
            token: token_of(&shown),
            origin: origin(head),
            shown,
        });
    }
    if !reads_html(&head.headers) || !head.method.is_safe() {
        return Err(refuse(
            web,
            &head.headers,
            StatusCode::UNAUTHORIZED,
            "Not signed in",
            "Sign in at /admin/login first. Programs use the API, with a token.",
        ));
    }
    if site(&head.headers) == Some("cross-site") {
        // Who follows a link from elsewhere may well be signed in: their browser
        // keeps the cookie back, and sends it once the page is asked for by itself.
        return Err(refused_page::once_more(web));
    }
    if !staff.is_set_up().await.map_err(busy)? {
        return Err(see_other("/admin/setup"));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &address(&head.uri));
    Err(see_other(&format!("/admin/login?{}", query.finish())))
}

fn address(uri: &Uri) -> String {
    uri.path_and_query()
        .map_or_else(String::new, ToString::to_string)
}

/// The form, if it is known to come from a page of this host that was made for who
/// sends it.
async fn meant(
    web: &Web,
    head: &Parts,
    body: axum::body::Body,
    token: &str,
) -> Result<Form, Response> {
    let refuse = |status, title, what| refuse(web, &head.headers, status, title, what);
    if !is_from_here(web, &head.headers) {
        let what = "What was sent does not come from a page of this host. Behind a proxy, set `public_url` under [server], or have the proxy pass on the `Host` header.";
        return Err(refuse(StatusCode::FORBIDDEN, "Foreign origin", what));
    }
    let body = match inbox::whole(body, LARGEST_FORM).await {
        Ok(body) => body,
        Err(Broken::TooLarge) => {
            let what = "A form has at most 512 KiB.";
            return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "Too large", what));
        }
        Err(Broken::Cut) => {
            let what = "The form did not come in whole. Go back and send it again.";
            return Err(refuse(StatusCode::BAD_REQUEST, "Incomplete", what));
        }
    };
    let form = Form::read(&body);
    if !bool::from(form.raw("csrf").as_bytes().ct_eq(token.as_bytes())) {
        let what = "The form is of a page that was loaded before you signed in last. Go back, load it again, and send it then.";
        return Err(refuse(StatusCode::FORBIDDEN, "Old form", what));
    }
    Ok(form)
}

/// An answer that nobody but who asked may keep, and nobody at all need.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // With `no-referrer` browsers would not say where a form comes from.
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(REFERRER_POLICY, same_origin);
    response
}

impl FromRequestParts<Web> for Visit {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, web: &Web) -> Result<Self, Response> {
        head.extensions.get::<Self>().cloned().ok_or_else(|| {
            // Only a route that the table of entrances does not ask a person at.
            refuse(
                web,
                &head.headers,
                StatusCode::UNAUTHORIZED,
                "Not signed in",
                "Sign in first.",
            )
        })
    }
}

impl FromRequestParts<Web> for Stranger {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, web: &Web) -> Result<Self, Response> {
        head.extensions.get::<Self>().cloned().ok_or_else(|| {
            refuse(
                web,
                &head.headers,
                StatusCode::FORBIDDEN,
                "Not allowed",
                "Sign in first.",
            )
        })
    }
}

impl FromRequestParts<Web> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &Web) -> Result<Self, Infallible> {
        Ok(head.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for ours in ["/admin", "/admin/monitors?health=dead", "/admin?x"] {
            assert_eq!(way_on(ours), ours);
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/adminx",
            "https://evil.example/admin",
            "/admin/\r\nx",
            "/admin/\\evil",
        ] {
            assert_eq!(way_on(other), "/admin", "{other}");
        }
    }
}
