//! `/admin/tokens`: which programs may use the API.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};

use super::users::words;
use super::visit::{self, Form, Visit};
use super::{Shell, not_done, page, page_again};
use crate::dates::{Form as DateForm, Moment};
use crate::entrances::Noted;
use crate::staff::{Change, Changed, NotChanged, Right, TokenRecord};
use crate::web::Web;

const HERE: &str = "/admin/tokens";

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(HERE, get(list).post(add))
        .route("/admin/tokens/{number}/revoke", post(revoke))
}

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct TokenList {
    shell: Shell,
    tokens: Vec<TokenRecord>,
    /// The one that was just made.
    made: Option<Arc<str>>,
    name: String,
    days: String,
    chosen: Vec<Right>,
    problem: Option<String>,
}

async fn list(State(web): State<Web>, visit: Visit) -> Response {
    page(&show(&web, &visit).await)
}

async fn show(web: &Web, visit: &Visit) -> TokenList {
    let found = web.settings().staff.tokens().await;
    TokenList {
        shell: Shell::of(web, visit, "API tokens", HERE),
        made: None,
        name: String::new(),
        days: "90".to_owned(),
        chosen: vec![Right::Read],
        problem: found
            .is_err()
            .then(|| "The tokens could not be read. Try again.".to_owned()),
        tokens: found.unwrap_or_default(),
    }
}

async fn add(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let scopes: Vec<_> = form.all("scope").filter_map(Right::from_word).collect();
    let days = form.get("days");
    let made = match days.parse::<u32>() {
        Ok(1..=3_650) => Ok(days.parse().ok()),
        _ if days.is_empty() => Ok(None),
        _ => Err(NotChanged::Wrong(
            "A token is good for 1 to 3650 days; for ever if nothing is said.".to_owned(),
        )),
    };
    let made = match made {
        Ok(days) => {
            let wanted = Change::AddToken {
                name: form.get("name").to_owned(),
                scopes: scopes.clone(),
                days,
            };
            web.settings().staff.change(wanted, &visit.doer()).await
        }
        Err(why) => Err(why),
    };
    let mut shown = show(&web, &visit).await;
    match made {
        Ok(Changed::Token(token)) => {
            shown.made = Some(token);
            let mut response = page(&shown);
            response.extensions_mut().insert(Noted);
            response
        }
        Ok(Changed::Done) => visit::see_other(HERE),
        Err(why) => {
            form.get("name").clone_into(&mut shown.name);
            days.clone_into(&mut shown.days);
            shown.chosen = scopes;
            shown.problem = Some(words(why));
            page_again(&shown)
        }
    }
}

async fn revoke(State(web): State<Web>, Path(number): Path<String>, visit: Visit) -> Response {
    let Ok(token) = number.parse() else {
        return not_done(&web, &visit, HERE, words(NotChanged::Unknown));
    };
    let wanted = Change::RevokeToken { token };
    match web.settings().staff.change(wanted, &visit.doer()).await {
        Ok(_) => {
            web.notes()
                .leave(&visit, "The token is worthless now.".to_owned());
            let mut response = visit::see_other(HERE);
            response.extensions_mut().insert(Noted);
            response
        }
        Err(why) => not_done(&web, &visit, HERE, words(why)),
    }
}
