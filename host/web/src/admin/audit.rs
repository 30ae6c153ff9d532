//! `/admin/audit`: who did what.

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;

use super::visit::Visit;
use super::{Shell, page};
use crate::dates::{Form as DateForm, Moment};
use crate::staff::{DeedRecord, WantedDeeds};
use crate::web::Web;

/// How many deeds a page shows.
const PAGE: usize = 100;

/// The longest text that is searched for, in characters.
const LONGEST_SEARCH: usize = 100;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new().route("/admin/audit", get(list))
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct Audit {
    shell: Shell,
    deeds: Vec<DeedRecord>,
    q: String,
    /// The query of the next page.
    older: Option<String>,
    problem: Option<&'static str>,
}

async fn list(State(web): State<Web>, visit: Visit, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let get = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == wanted);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let q: String = get("q").trim().chars().take(LONGEST_SEARCH).collect();
    let wanted = WantedDeeds {
        containing: Some(q.clone()).filter(|q| !q.is_empty()),
        before: get("before").parse().ok(),
        limit: PAGE,
    };
    let found = web.settings().staff.deeds(wanted).await;
    let problem = found
        .is_err()
        .then_some("The log could not be read. Try again.");
    let deeds = found.unwrap_or_default();
    let last = deeds.last().filter(|_| deeds.len() >= PAGE);
    let older = last.map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &q);
        query.append_pair("before", &last.number.to_string());
        query.finish()
    });
    page(&Audit {
        shell: Shell::of(&web, &visit, "Audit log", "/admin/audit"),
        deeds,
        q,
        older,
        problem,
    })
}
