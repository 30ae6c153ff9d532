//! `/admin/login` and `/admin/setup`: how somebody gets in.

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use super::visit::{self, Form, Stranger, way_on};
use super::{page, refuse};
use crate::assets::Assets;
use crate::staff::NotSetUp;
use crate::web::Web;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/admin/login", get(ask).post(sign_in))
        .route("/admin/setup", get(ask_first).post(set_up))
}

/// The page on which somebody signs in.
#[derive(Template)]
#[template(path = "admin/login.html")]
struct Login<'a> {
    assets: &'static Assets,
    title: String,
    headline: &'static str,
    token: &'a str,
    /// Where they were on the way to.
    next: &'a str,
    name: &'a str,
    problem: Option<&'a str>,
}

/// The page on which the first user is made.
#[derive(Template)]
#[template(path = "admin/setup.html")]
struct Setup<'a> {
    assets: &'static Assets,
    title: String,
    headline: &'static str,
    token: &'a str,
    code: &'a str,
    name: &'a str,
    problem: Option<&'a str>,
}

async fn ask(State(web): State<Web>, stranger: Stranger, request: Request) -> Response {
    let staff = &web.settings().staff;
    if staff.is_set_up().await == Ok(false) {
        return visit::see_other("/admin/setup");
    }
    let query = request.uri().query().unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "next");
    let next = next.map(|(_, next)| next.into_owned()).unwrap_or_default();
    login(&web, &stranger, way_on(&next), "", None)
}

fn login(
    web: &Web,
    stranger: &Stranger,
    next: &str,
    name: &str,
    problem: Option<&str>,
) -> Response {
    page(&Login {
        assets: Assets::get(),
        title: web.title(),
        headline: "Sign in",
        token: &stranger.token,
        next,
        name,
        problem,
    })
}

async fn sign_in(
    State(web): State<Web>,
    stranger: Stranger,
    form: Form,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let (name, password) = (form.get("name"), form.raw("password"));
    let next = way_on(form.get("next"));
    if !web.may_try(visit::line(&head), name) {
        let what = "Too many tries. Wait a minute before the next one.";
        let mut response = login(&web, &stranger, next, name, Some(what));
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let seconds = HeaderValue::from_static("60");
        response.headers_mut().insert(RETRY_AFTER, seconds);
        return response;
    }
    let staff = &web.settings().staff;
    match staff.sign_in(name, password, &stranger.origin).await {
        Ok(Some(shown)) => stranger.welcome(&shown, next),
        Ok(None) => {
            tracing::warn!(name, origin = %stranger.origin, "somebody could not sign in");
            let what = "The name or the password is wrong.";
            let mut response = login(&web, &stranger, next, name, Some(what));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        }
        Err(_) => busy(&web, &head.headers),
    }
}

async fn ask_first(State(web): State<Web>, stranger: Stranger, request: Request) -> Response {
    if web.settings().staff.is_set_up().await == Ok(true) {
        return visit::see_other("/admin/login");
    }
    let query = request.uri().query().unwrap_or_default();
    let code = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "code");
    let code = code.map(|(_, code)| code.into_owned()).unwrap_or_default();
    setup(&web, &stranger, &code, "", None)
}

fn setup(
    web: &Web,
    stranger: &Stranger,
    code: &str,
    name: &str,
    problem: Option<&str>,
) -> Response {
    page(&Setup {
        assets: Assets::get(),
        title: web.title(),
        headline: "Set up",
        token: &stranger.token,
        code,
        name,
        problem,
    })
}

async fn set_up(
    State(web): State<Web>,
    stranger: Stranger,
    form: Form,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let (code, name, password) = (form.get("code"), form.get("name"), form.raw("password"));
    let again = |status, what: &str| {
        let mut response = setup(&web, &stranger, code, name, Some(what));
        *response.status_mut() = status;
        response
    };
    if !web.may_try(visit::line(&head), "") {
        let what = "Too many tries. Wait a minute before the next one.";
        return again(StatusCode::TOO_MANY_REQUESTS, what);
    }
    if password != form.raw("again") {
        let what = "The two passwords are not the same.";
        return again(StatusCode::UNPROCESSABLE_ENTITY, what);
    }
    let staff = &web.settings().staff;
    match staff.set_up(code, name, password, &stranger.origin).await {
        Ok(shown) => stranger.welcome(&shown, "/admin"),
        Err(NotSetUp::HasUsers) => visit::see_other("/admin/login"),
        Err(NotSetUp::WrongCode) => again(
            StatusCode::FORBIDDEN,
            "The code is not the one that the host printed when it started last.",
        ),
        Err(NotSetUp::Wrong(what)) => again(StatusCode::UNPROCESSABLE_ENTITY, &what),
        Err(NotSetUp::Busy) => busy(&web, &head.headers),
    }
}

fn busy(web: &Web, headers: &http::HeaderMap) -> Response {
    let what = "It could not be looked up now. Go back and try again.";
    refuse(web, headers, StatusCode::SERVICE_UNAVAILABLE, "Busy", what)
}
