//! `/admin/services`: how what the public knows is.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::row::State as Shown;
use super::visit::Visit;
use super::{Shell, page};
use crate::view::ServiceView;
use crate::web::Web;

const HERE: &str = "/admin/services";

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new().route(HERE, get(list))
}

#[derive(Template)]
#[template(path = "admin/services.html")]
struct Services {
    shell: Shell,
    services: Vec<std::sync::Arc<ServiceView>>,
}

async fn list(State(web): State<Web>, visit: Visit) -> Response {
    page(&Services {
        shell: Shell::of(&web, &visit, "Services", HERE),
        services: web.whole_services(),
    })
}
