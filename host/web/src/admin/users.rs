//! `/admin/users`: who may sign in.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};

use super::visit::{self, Form, Visit};
use super::{Shell, not_done, page, page_again};
use crate::dates::{Form as DateForm, Moment};
use crate::entrances::Noted;
use crate::staff::{Change, NotChanged, PersonRecord, Role};
use crate::web::Web;

const HERE: &str = "/admin/users";

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(HERE, get(list).post(add))
        .route("/admin/users/{number}/role", post(set_role))
        .route("/admin/users/{number}/password", post(set_password))
        .route("/admin/users/{number}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "admin/users.html")]
struct Users {
    shell: Shell,
    people: Vec<PersonRecord>,
    /// What was typed for a new one.
    name: String,
    role: Role,
    problem: Option<String>,
}

async fn list(State(web): State<Web>, visit: Visit) -> Response {
    page(&show(&web, &visit, "", Role::Viewer, None).await)
}

async fn show(web: &Web, visit: &Visit, name: &str, role: Role, problem: Option<String>) -> Users {
    let found = web.settings().staff.people().await;
    let problem = match &found {
        Err(_) => Some("The users could not be read. Try again.".to_owned()),
        Ok(_) => problem,
    };
    Users {
        shell: Shell::of(web, visit, "Users", HERE),
        people: found.unwrap_or_default(),
        name: name.to_owned(),
        role,
        problem,
    }
}

async fn add(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let name = form.get("name");
    let role = Role::from_word(form.get("role")).unwrap_or(Role::Viewer);
    let wanted = Change::AddPerson {
        name: name.to_owned(),
        role,
        password: form.raw("password").to_owned(),
    };
    match web.settings().staff.change(wanted, &visit.doer()).await {
        Ok(_) => said(&web, &visit, format!("{name} may sign in now.")),
        Err(why) => {
            let problem = Some(words(why));
            page_again(&show(&web, &visit, name, role, problem).await)
        }
    }
}

async fn set_role(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Response {
    let (Ok(person), Some(role)) = (number.parse(), Role::from_word(form.get("role"))) else {
        return not_done(&web, &visit, HERE, words(NotChanged::Unknown));
    };
    let wanted = Change::SetRole { person, role };
    let text = format!("The role is {} now.", role.as_str());
    change(&web, &visit, wanted, text).await
}

async fn set_password(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Response {
    let Ok(person) = number.parse() else {
        return not_done(&web, &visit, HERE, words(NotChanged::Unknown));
    };
    let password = form.raw("password").to_owned();
    let wanted = Change::SetPassword { person, password };
    let text = "The password is changed, and they are signed out everywhere.".to_owned();
    change(&web, &visit, wanted, text).await
}

async fn remove(State(web): State<Web>, Path(number): Path<String>, visit: Visit) -> Response {
    let Ok(person) = number.parse() else {
        return not_done(&web, &visit, HERE, words(NotChanged::Unknown));
    };
    let wanted = Change::RemovePerson { person };
    change(
        &web,
        &visit,
        wanted,
        "They may not sign in any more.".to_owned(),
    )
    .await
}

async fn change(web: &Web, visit: &Visit, wanted: Change, text: String) -> Response {
    match web.settings().staff.change(wanted, &visit.doer()).await {
        Ok(_) => said(web, visit, text),
        Err(why) => not_done(web, visit, HERE, words(why)),
    }
}

/// The page anew, with what was done. The staff has noted it.
fn said(web: &Web, visit: &Visit, text: String) -> Response {
    web.notes().leave(visit, text);
    let mut response = visit::see_other(HERE);
    response.extensions_mut().insert(Noted);
    response
}

pub(super) fn words(why: NotChanged) -> String {
    match why {
        NotChanged::Wrong(why) => why,
        NotChanged::Unknown => "It is not there any more.".to_owned(),
        NotChanged::LastAdmin => {
            "There must be one admin left. Make somebody else admin first.".to_owned()
        }
        NotChanged::Busy => "It could not be done now. Try again.".to_owned(),
    }
}
