//! Which address asks what of who comes, in one table.
//!
//! The table is what is enforced: every request goes through [`guard`], and an
//! address that is not in the table answers nobody. Who adds a route adds its line
//! here; the tests below are made from the table and cover the new line by
//! themselves.

use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use crate::admin::visit;
use crate::api;
use crate::doors::{Entry, basic, bearer};
use crate::failure::{Failure, problem};
use crate::intake::Admission;
use crate::reporter::slow_down;
use crate::staff::{Doer, Right};
use crate::web::Web;

#[cfg(test)]
mod tests;

/// What is asked of who comes to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Nothing at all.
    Open,
    /// Nothing, or the password of the page where it has one.
    Public,
    /// What only who was given it has: the password of the reporters or of the
    /// managers, the token in a job's URL, a signed link. Whoever answers checks it.
    Given,
    /// A token with a scope.
    Token(Right),
    /// To sign in: nothing yet, but what is sent must come from a form of this host.
    SignIn,
    /// Somebody who is signed in and may do so much; what is sent must come from a
    /// form that was made for them.
    Person(Right),
}

/// Which addresses a listener answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All of them.
    Whole,
    /// All but those of the people who work with the host.
    Public,
}

use Entrance::{Given, Open, Person, Public, SignIn, Token};
use Right::{Admin, Read, Write};

/// An address: its methods (who may GET may also HEAD), its path as the router has it,
/// and what it asks.
type Line = (&'static str, &'static str, Entrance);

/// Every address but those that the API's own list knows, which says of each what it
/// asks.
const TABLE: &[Line] = &[
    // What everyone may see.
    ("GET", "/", Public),
    ("GET", "/events", Public),
    ("GET", "/assets/{file}", Open),
    ("GET", "/favicon.svg", Open),
    ("GET", "/robots.txt", Open),
    ("GET", "/status/text", Public),
    ("GET", "/status/text/", Public),
    ("GET", "/status/report", Public),
    ("GET", "/status/report/", Public),
    ("GET", "/healthz", Open),
    ("GET", "/readyz", Open),
    ("GET", "/metrics", Public),
    ("GET", "/incidents/{number}", Public),
    ("GET", "/history", Public),
    ("GET", "/history.json", Public),
    ("GET", "/embed", Public),
    ("GET", "/services/{id}", Public),
    ("GET", "/sla", Public),
    ("GET", "/calendar.ics", Public),
    ("GET", "/changes", Public),
    ("GET", "/feed.atom", Public),
    ("GET", "/feed.rss", Public),
    ("GET", "/feed.json", Public),
    ("GET", "/badge.svg", Public),
    ("GET", "/badge.json", Public),
    ("GET", "/badge/icon", Public),
    ("GET", "/badge/icon/", Public),
    ("GET", "/badge/color", Public),
    ("GET", "/badge/color/", Public),
    ("GET", "/badge/{file}", Public),
    ("GET", "/badge/{service}/{file}", Public),
    ("GET", "/api/v2/summary.json", Public),
    ("GET", "/api/v2/status.json", Public),
    ("GET", "/api/v2/components.json", Public),
    ("GET", "/api/v2/incidents.json", Public),
    ("GET", "/api/v2/incidents/unresolved.json", Public),
    ("GET", "/api/v2/scheduled-maintenances.json", Public),
    (
        "GET",
        "/api/v2/scheduled-maintenances/upcoming.json",
        Public,
    ),
    ("GET", "/api/v2/scheduled-maintenances/active.json", Public),
    // What programs say that were given something.
    ("POST", "/reporter/{probe}/{node}", Given),
    ("POST", "/reporter/{probe}/{node}/", Given),
    ("DELETE", "/reporter/{probe}/{node}/{replica}", Given),
    ("DELETE", "/reporter/{probe}/{node}/{replica}/", Given),
    ("GET POST PUT", "/heartbeat/{token}", Given),
    ("GET POST PUT", "/heartbeat/{token}/", Given),
    ("GET POST PUT", "/heartbeat/{token}/{signal}", Given),
    ("GET POST PUT", "/heartbeat/{token}/{signal}/", Given),
    (
        "GET PUT POST DELETE",
        "/manager/prober/alerts/ignored",
        Given,
    ),
    (
        "GET PUT POST DELETE",
        "/manager/prober/alerts/ignored/",
        Given,
    ),
    ("GET", "/manager/announcements", Given),
    ("GET", "/manager/announcements/", Given),
    ("POST", "/manager/announcement", Given),
    ("POST", "/manager/announcement/", Given),
    ("DELETE", "/manager/announcement/{id}", Given),
    ("DELETE", "/manager/announcement/{id}/", Given),
    ("GET", "/manager/prober/alerts", Given),
    ("GET", "/manager/prober/alerts/", Given),
    ("GET POST", "/incidents/{number}/acknowledge", Given),
    // The API.
    ("GET", "/api/v1/maintenances", Token(Read)),
    ("POST", "/api/v1/maintenances", Token(Write)),
    ("GET", "/api/v1/maintenances/{id}", Token(Read)),
    ("PUT DELETE", "/api/v1/maintenances/{id}", Token(Write)),
    ("POST", "/api/v1/maintenances/{id}/end", Token(Write)),
    ("POST", "/api/v1/maintenances/{id}/cancel", Token(Write)),
    ("GET", "/api/v1/announcements", Token(Read)),
    ("POST", "/api/v1/announcements", Token(Write)),
    ("GET", "/api/v1/announcements/{id}", Token(Read)),
    ("PUT DELETE", "/api/v1/announcements/{id}", Token(Write)),
    ("GET", "/api/v1/sla.csv", Token(Read)),
    ("GET", "/api/v1/analytics.csv", Token(Read)),
    ("GET", "/api", Open),
    ("GET", "/api/", Open),
    ("GET", "/api/openapi.json", Open),
    // The pages of who works with the host.
    ("GET POST", "/admin/login", SignIn),
    ("GET POST", "/admin/setup", SignIn),
    ("GET", "/admin", Person(Read)),
    ("GET", "/admin/monitors", Person(Read)),
    ("POST", "/admin/monitors/all", Person(Write)),
    ("GET", "/admin/monitors/{service}/{monitor}", Person(Read)),
    (
        "POST",
        "/admin/monitors/{service}/{monitor}/pause",
        Person(Write),
    ),
    (
        "POST",
        "/admin/monitors/{service}/{monitor}/resume",
        Person(Write),
    ),
    (
        "POST",
        "/admin/monitors/{service}/{monitor}/check",
        Person(Write),
    ),
    ("GET", "/admin/services", Person(Read)),
    ("GET", "/admin/incidents", Person(Read)),
    ("GET", "/admin/incidents/{number}", Person(Read)),
    ("POST", "/admin/incidents/{number}/ack", Person(Write)),
    ("POST", "/admin/incidents", Person(Write)),
    ("POST", "/admin/incidents/{number}/update", Person(Write)),
    (
        "POST",
        "/admin/incidents/{number}/postmortem",
        Person(Write),
    ),
    ("POST", "/admin/incidents/{number}/merge", Person(Write)),
    ("GET", "/admin/maintenance", Person(Read)),
    ("POST", "/admin/maintenance", Person(Write)),
    ("POST", "/admin/maintenance/{id}/end", Person(Write)),
    ("POST", "/admin/maintenance/{id}/cancel", Person(Write)),
    ("POST", "/admin/maintenance/{id}/remove", Person(Write)),
    ("GET", "/admin/announcements", Person(Read)),
    ("POST", "/admin/announcements", Person(Write)),
    ("POST", "/admin/announcements/{id}/remove", Person(Write)),
    ("GET", "/admin/channels", Person(Read)),
    ("POST", "/admin/channels/{channel}/test", Person(Write)),
    ("GET", "/admin/routes", Person(Read)),
    ("GET", "/admin/deliveries", Person(Read)),
    ("POST", "/admin/deliveries/{number}/retry", Person(Write)),
    ("GET", "/admin/plugins", Person(Read)),
    ("GET", "/admin/settings", Person(Admin)),
    ("POST", "/admin/logout", Person(Read)),
    ("GET POST", "/admin/password", Person(Read)),
    ("GET POST", "/admin/users", Person(Admin)),
    ("POST", "/admin/users/{number}/role", Person(Admin)),
    ("POST", "/admin/users/{number}/password", Person(Admin)),
    ("POST", "/admin/users/{number}/remove", Person(Admin)),
    ("GET POST", "/admin/tokens", Person(Admin)),
    ("POST", "/admin/tokens/{number}/revoke", Person(Admin)),
    ("GET", "/admin/audit", Person(Admin)),
];

/// Every address.
fn lines() -> &'static [Line] {
    static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
        let table = TABLE.iter().copied();
        table.chain(api::entrances()).collect()
    });
    &LINES
}

/// What is in the table for a path.
enum Asked {
    This(Entrance),
    /// The path is there, but not with this method: nobody answers it.
    OtherMethods(Entrance),
    Nothing,
}

fn asked(method: &Method, path: &str) -> Asked {
    let method = if *method == Method::HEAD {
        Method::GET.as_str()
    } else {
        method.as_str()
    };
    let mut other = Asked::Nothing;
    for (methods, known, entrance) in lines() {
        if *known != path {
            continue;
        }
        if methods.split(' ').any(|each| each == method) {
            return Asked::This(*entrance);
        }
        other = Asked::OtherMethods(*entrance);
    }
    other
}

/// Lets through who may, and answers whoever may not.
pub(crate) async fn guard(
    State((web, side)): State<(Web, Side)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(path) = request.extensions().get::<MatchedPath>() else {
        // Nothing is there.
        return next.run(request).await;
    };
    let asked = asked(request.method(), path.as_str());
    let of_people = matches!(
        asked,
        Asked::This(SignIn | Person(_)) | Asked::OtherMethods(SignIn | Person(_))
    );
    if of_people && side == Side::Public {
        return Failure::NotFound.answer(request.headers());
    }
    match asked {
        Asked::This(Open | Given) | Asked::OtherMethods(_) => next.run(request).await,
        Asked::This(Public) => with_password(&web, request, next).await,
        Asked::This(Token(right)) => with_token(&web, right, request, next).await,
        Asked::This(SignIn) => visit::before(&web, request, next).await,
        Asked::This(Person(right)) => visit::receive(&web, right, request, next).await,
        Asked::Nothing => {
            tracing::error!(
                path = path.as_str(),
                "an address that is in no table answers nobody"
            );
            Failure::NotFound.answer(request.headers())
        }
    }
}

/// What was done and to what, in words for the log of who did what. Whoever answers
/// puts it on the answer; without it the request itself is noted.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    pub(crate) what: &'static str,
    pub(crate) subject: String,
}

/// On an answer to what was noted elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted;

/// What is to be noted of a request that was answered so; `None` if nothing was done,
/// or it was noted elsewhere.
pub(crate) fn deed(asking: &Asking, response: &Response) -> Option<(&'static str, String)> {
    let status = response.status();
    let is_done = status.is_success() || status == StatusCode::SEE_OTHER;
    if asking.method.is_safe() || !is_done || response.extensions().get::<Noted>().is_some() {
        return None;
    }
    Some(match response.extensions().get::<Remark>() {
        Some(remark) => (remark.what, remark.subject.clone()),
        None => ("request", format!("{} {}", asking.method, asking.path)),
    })
}

/// Notes what `doer` did.
pub(crate) async fn note(web: &Web, doer: &Doer, deed: Option<(&'static str, String)>) {
    let Some((what, subject)) = deed else {
        return;
    };
    let staff = &web.settings().staff;
    if staff.note(doer, what, &subject).await.is_err() {
        tracing::error!(who = %doer.who, what, subject, "what was done could not be noted");
    }
}

/// What is noted of a request.
pub(crate) struct Asking {
    method: Method,
    path: String,
}

impl Asking {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
        }
    }
}

/// Lets readers in. Where the page has a password, they show it by HTTP's Basic scheme,
/// which browsers ask people for; a token that may read will do as well.
async fn with_password(web: &Web, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let shown = basic(&head.headers).unwrap_or_default();
    let admitted = web.settings().intake.admits_reader(&shown);
    if admitted == Admission::NoDoor {
        return next.run(Request::from_parts(head, body)).await;
    }
    let is_let_in = if bearer(&head.headers).is_some() {
        api::admit_with(web, &head, Read).await.is_ok()
    } else if shown.is_empty() {
        false
    } else {
        match web
            .doors()
            .judge(&head, &shown, admitted == Admission::Granted)
        {
            Entry::Open => true,
            Entry::Shut => return slow_down(),
            Entry::Wrong => false,
        }
    };
    if !is_let_in {
        let mut response = problem(
            StatusCode::UNAUTHORIZED,
            "Password",
            "This page is for those who know its password.",
        );
        let scheme = HeaderValue::from_static("Basic realm=\"status page\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        return response;
    }
    let mut response = next.run(Request::from_parts(head, body)).await;
    // No cache between may give it to somebody else.
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    response
}

async fn with_token(web: &Web, right: Right, request: Request, next: Next) -> Response {
    let asking = Asking::of(&request);
    let (mut head, body) = request.into_parts();
    let access = match api::admit_with(web, &head, right).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let doer = Doer {
        who: format!("token {}", access.name).into(),
        origin: visit::origin(&head),
    };
    head.extensions.insert(access);
    let response = next.run(Request::from_parts(head, body)).await;
    note(web, &doer, deed(&asking, &response)).await;
    response
}
