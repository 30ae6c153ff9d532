//! The pages of who works with the host, below `/admin`.
//!
//! How a page is made, with `/admin/things` as the example:
//!
//! 1. The table in [`crate::entrances`] gets a line for each address and method:
//!    `("GET", "/admin/things", Person(Read))`,
//!    `("POST", "/admin/things/{id}/remove", Person(Write))`. The guard then sees to
//!    it that only who may gets there, that a form comes from a page of this host and
//!    was made for who sends it, that nobody keeps the answer, and that what was done
//!    is noted.
//! 2. A module `admin/things.rs` has `pub(crate) fn routes() -> Router<Web>`, merged
//!    in [`routes`]. A page takes `State(web)` and `visit: Visit`, a form `form: Form`
//!    besides. A page answers `page(&Things { shell: Shell::of(&web, &visit, "Things",
//!    "/admin/things").await, … })`; its template begins with
//!    `{% extends "admin/base.html" %}` and fills the block `main`.
//! 3. Each form in the template is
//!    `<form method="post" action="…">{{ shell.csrf()|safe }}…</form>`.
//! 4. What was done is answered with [`done`], which leads to a page that says so
//!    once, and words for the log of who did what. What was not is answered with the
//!    page again, with `422`, the reason beside the field, and what was typed.

use askama::Template;
use axum::Router;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};

use crate::entrances::Remark;
use crate::failure::problem;
use crate::negotiate::reads_html;
use crate::template::Made as _;
use crate::web::Web;

pub(crate) mod visit;

mod refused_page;
mod shell;

mod chart;
mod row;

mod account;
mod announcements;
mod audit;
mod incidents;
mod maintenances;
mod monitor;
mod monitors;
mod overview;
mod platform;
mod services;
mod sign_in;
mod telling;
mod tokens;
mod users;

pub(crate) use self::shell::{Notes, Shell};
pub(crate) use self::visit::Visit;

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .merge(sign_in::routes())
        .merge(account::routes())
        .merge(overview::routes())
        .merge(monitors::routes())
        .merge(monitor::routes())
        .merge(services::routes())
        .merge(incidents::routes())
        .merge(maintenances::routes())
        .merge(announcements::routes())
        .merge(telling::routes())
        .merge(platform::routes())
        .merge(users::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
}

/// A page.
pub(crate) fn page(template: &impl Template) -> Response {
    let mut response = Response::new(template.made().into());
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// A page with a form that was not taken: the page says why.
pub(crate) fn page_again(template: &impl Template) -> Response {
    let mut response = page(template);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// Leads to `to`, where `said` stands once, and notes `what` was done to `subject`.
pub(crate) fn done(
    web: &Web,
    visit: &Visit,
    to: &str,
    said: impl Into<String>,
    what: &'static str,
    subject: impl Into<String>,
) -> Response {
    web.notes().leave(visit, said.into());
    let mut response = visit::see_other(to);
    response.extensions_mut().insert(Remark {
        what,
        subject: subject.into(),
    });
    response
}

/// Leads to `to`, where it stands once why nothing was done.
pub(crate) fn not_done(web: &Web, visit: &Visit, to: &str, why: impl Into<String>) -> Response {
    web.notes().leave_problem(visit, why.into());
    let mut response = visit::see_other(to);
    response.extensions_mut().insert(crate::entrances::Noted);
    response
}

/// Says why something is not answered: to people on a page, to programs as they
/// read it.
pub(crate) fn refuse(
    web: &Web,
    headers: &HeaderMap,
    status: StatusCode,
    title: &str,
    what: &str,
) -> Response {
    if !reads_html(headers) {
        return problem(status, title, what);
    }
    let mut response = refused_page::word(web, title, what);
    *response.status_mut() = status;
    response
}
