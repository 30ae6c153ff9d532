//! `/admin/password` and `/admin/logout`: what everybody may do for themselves.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

use super::visit::{self, Form, Visit};
use super::{Shell, page, page_again};
use crate::entrances::Noted;
use crate::staff::{Change, NotChanged};
use crate::web::Web;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/admin/password", get(ask).post(change))
        .route("/admin/logout", post(sign_out))
}

#[derive(Template)]
#[template(path = "admin/password.html")]
struct Password {
    shell: Shell,
    problem: Option<String>,
}

async fn ask(State(web): State<Web>, visit: Visit) -> Response {
    page(&Password {
        shell: Shell::of(&web, &visit, "Your password", "/admin/password"),
        problem: None,
    })
}

async fn change(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let again = |problem: String| {
        page_again(&Password {
            shell: Shell::of(&web, &visit, "Your password", "/admin/password"),
            problem: Some(problem),
        })
    };
    if !web.may_try(None, &visit.person.name) {
        return again("Too many tries. Wait a minute before the next one.".to_owned());
    }
    if form.raw("password") != form.raw("again") {
        return again("The two new passwords are not the same.".to_owned());
    }
    let wanted = Change::OwnPassword {
        person: (*visit.person).clone(),
        old: form.raw("old").to_owned(),
        new: form.raw("password").to_owned(),
    };
    match web.settings().staff.change(wanted, &visit.doer()).await {
        Ok(_) => {
            let mut response = visit::farewell("/admin/login");
            response.extensions_mut().insert(Noted);
            response
        }
        Err(NotChanged::Wrong(why)) => again(why),
        Err(NotChanged::Unknown | NotChanged::LastAdmin) => {
            again("You are not a user any more.".to_owned())
        }
        Err(NotChanged::Busy) => again("It could not be done now. Try again.".to_owned()),
    }
}

async fn sign_out(State(web): State<Web>, visit: Visit) -> Response {
    let staff = &web.settings().staff;
    if staff.sign_out(visit.shown(), &visit.doer()).await.is_err() {
        tracing::error!("somebody could not be signed out");
    }
    let mut response = visit::farewell("/admin/login");
    response.extensions_mut().insert(Noted);
    response
}
