//! `/api` for people and `/api/openapi.json` for programs: what can be asked, from one
//! document.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::{answer, document};
use crate::template;
use crate::web::Web;

/// The routes, which are open to everyone.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/api", get(page))
        .route("/api/", get(page))
        .route("/api/openapi.json", get(openapi))
}

async fn openapi(State(web): State<Web>, _: Request) -> Response {
    answer(&document(&*web.settings().catalogue))
}

async fn page(State(web): State<Web>, _: Request) -> Response {
    let page = template::reference::reference(&document(&*web.settings().catalogue));
    let mut response = Response::new(page.into());
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
