//! What every address below `/api/v1` has in common: who is let in, what a page of
//! a long list looks like, and how answers are written.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{StatusCode, Uri};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use self::operation::{Operation, Scope};
use crate::catalogue::NotEdited;
use crate::doors::{Entry, bearer};
use crate::entrances::Entrance;
use crate::failure::{Fault, problem, problem_with};
use crate::intake::Access;
use crate::manual;
use crate::staff::Right;
use crate::web::Web;

pub(crate) mod announcements;
mod bulk;
mod deliveries;
mod document;
pub(crate) mod etag;
mod guard;
pub(crate) mod incidents;
mod items;
pub(crate) mod levels;
pub(crate) mod maintenances;
mod monitors;
mod moving;
pub(crate) mod operation;
mod past;
mod plan;
mod plugins;
mod reading;
mod status;
mod targets;

pub(crate) use document::document;

/// Everything that can be asked.
fn operations() -> Vec<Operation> {
    let groups = [
        status::operations(),
        items::operations(),
        monitors::operations(),
        manual::operations(),
        bulk::operations(),
        plan::operations(),
        moving::operations(),
        targets::operations(),
        past::operations(),
        incidents::operations(),
        incidents::telling::operations(),
        deliveries::operations(),
        levels::operations(),
        plugins::operations(),
    ];
    groups.into_iter().flatten().collect()
}

/// The methods and the path of each of them, and the scope that it asks for.
pub(crate) fn entrances() -> impl Iterator<Item = (&'static str, &'static str, Entrance)> {
    operations().into_iter().map(|operation| {
        let right = match operation.scope {
            Scope::Read => Right::Read,
            Scope::Report => Right::Report,
            Scope::Write => Right::Write,
        };
        (operation.verb(), operation.path, Entrance::Token(right))
    })
}

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    operation::routes(operations())
        .merge(reading::routes())
        .merge(maintenances::routes())
        .merge(announcements::routes())
        .merge(levels::routes())
}

/// How much of a list one answer holds where nothing is said.
const PAGE: usize = 50;

/// The most that one answer holds.
const LONGEST_PAGE: usize = 200;

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub(crate) struct Page<T> {
    /// What is on it.
    items: Vec<T>,
    /// The address of the next page; none after the last.
    next: Option<String>,
}

/// How many things one answer may hold.
pub(crate) struct Limit;

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "integer",
            "minimum": 1,
            "maximum": LONGEST_PAGE,
            "default": PAGE,
        })
    }
}

/// What a query asks for. A key that is not known is a mistake.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the query of `uri`, which may have these `keys`, each once.
    pub(crate) fn read(uri: &Uri, keys: &[&str]) -> Result<Self, Response> {
        let query = uri.query().unwrap_or_default();
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        for (index, (key, _)) in pairs.iter().enumerate() {
            if !keys.contains(&key.as_str()) {
                let keys = keys.join("`, `");
                return Err(wrong(&format!(
                    "`{key}` is not asked for here; known: `{keys}`"
                )));
            }
            if pairs.iter().take(index).any(|(other, _)| other == key) {
                return Err(wrong(&format!("`{key}` stands twice")));
            }
        }
        Ok(Self { pairs })
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(known, _)| known == key);
        pair.map(|(_, value)| value.as_str())
    }

    /// The value of a key as `read` understands it; `what` says what it must be.
    pub(crate) fn parsed<T>(
        &self,
        key: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Response> {
        self.get(key)
            .map(|value| read(value).ok_or_else(|| wrong(&format!("`{key}` must be {what}"))))
            .transpose()
    }

    /// How many things one answer shall hold.
    pub(crate) fn limit(&self) -> Result<usize, Response> {
        let what = format!("a number from 1 to {LONGEST_PAGE}");
        let read = |text: &str| {
            let limit = text.parse().ok()?;
            (1..=LONGEST_PAGE).contains(&limit).then_some(limit)
        };
        Ok(self.parsed("limit", &what, read)?.unwrap_or(PAGE))
    }

    /// A page of `items`, of which there may be more if they are as many as were
    /// asked for; the next page begins before `last`, the number or id of the last one.
    pub(crate) fn page<T>(
        &self,
        path: &str,
        items: Vec<T>,
        last: Option<impl Display>,
    ) -> Result<Page<T>, Response> {
        let limit = self.limit()?;
        let last = last.filter(|_| items.len() >= limit);
        let next = last.map(|last| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let kept = self.pairs.iter().filter(|(key, _)| key != "before");
            query.extend_pairs(kept);
            query.append_pair("before", &last.to_string());
            format!("{path}?{}", query.finish())
        });
        Ok(Page { items, next })
    }
}

impl Query {
    /// A page of `items`; the next one begins after the one called `last`, where there
    /// is more.
    pub(crate) fn page_after<T>(&self, path: &str, items: Vec<T>, last: Option<&str>) -> Page<T> {
        let next = last.map(|last| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let kept = self.pairs.iter().filter(|(key, _)| key != "after");
            query.extend_pairs(kept);
            query.append_pair("after", last);
            format!("{path}?{}", query.finish())
        });
        Page { items, next }
    }
}

/// Whom the guard let in, if they may do this.
pub(crate) async fn admit(
    web: &Web,
    request: &Parts,
    may: impl Fn(&Access) -> bool,
) -> Result<Access, Response> {
    match request.extensions.get::<Access>() {
        Some(access) if may(access) => Ok(access.clone()),
        _ => judge(web, request, may).await,
    }
}

/// Lets in who shows a token that has `right`, or says what is answered.
pub(crate) async fn admit_with(
    web: &Web,
    request: &Parts,
    right: Right,
) -> Result<Access, Response> {
    judge(web, request, |access| access.may(right)).await
}

async fn judge(
    web: &Web,
    request: &Parts,
    may: impl Fn(&Access) -> bool,
) -> Result<Access, Response> {
    let challenge = |status, title, what| {
        let mut response = problem(status, title, what);
        let scheme = HeaderValue::from_static("Bearer realm=\"watchkeeper\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        Err(response)
    };
    let Some(token) = bearer(&request.headers).filter(|token| !token.is_empty()) else {
        let what =
            "Show a token: `Authorization: Bearer wk_…`. `watchkeeper token create` makes one.";
        return challenge(StatusCode::UNAUTHORIZED, "No token", what);
    };
    let Ok(access) = web.settings().intake.access(token).await else {
        return Err(busy());
    };
    match (web.doors().judge(request, token, access.is_some()), access) {
        (Entry::Shut, _) => Err(slow_down(10)),
        (Entry::Open, Some(access)) if may(&access) => {
            if web.asked().take(Arc::clone(&access.name)) {
                Ok(access)
            } else {
                Err(slow_down(1))
            }
        }
        (Entry::Open, Some(_)) => {
            let what = "The token's scopes do not cover this.";
            challenge(StatusCode::FORBIDDEN, "Not allowed", what)
        }
        (Entry::Open | Entry::Wrong, _) => {
            let what = "No such token, or not any more.";
            challenge(StatusCode::UNAUTHORIZED, "Unknown token", what)
        }
    }
}

/// Whoever asks asks too often; after so many seconds it may work.
pub(crate) fn slow_down(seconds: u16) -> Response {
    let what = "Too many requests. Wait as long as `Retry-After` says.";
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "Too many requests", what);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Why the configuration was not changed.
pub(crate) fn refuse(why: &NotEdited) -> Response {
    let conflict = |title, what: String| problem(StatusCode::CONFLICT, title, &what);
    match why {
        NotEdited::Wrong(faults) => {
            let errors: Vec<_> = faults
                .iter()
                .map(|fault| Fault {
                    item: (!fault.item.is_empty()).then(|| fault.item.clone()),
                    key: fault.key.clone(),
                    what: fault.what.clone(),
                    instead: fault.instead.clone(),
                })
                .collect();
            let first = faults.first().map_or("", |fault| fault.what.as_str());
            let what = match faults.len() {
                0 | 1 => format!("Nothing was changed: {first}."),
                many => format!("Nothing was changed, for {many} mistakes. The first: {first}."),
            };
            problem_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Wrong configuration",
                &what,
                &errors,
            )
        }
        NotEdited::Unknown(item) => nothing(&format!("There is no {item}.")),
        NotEdited::Exists(item) => {
            let what = format!("There is {item} already. Choose another id, or change that one.");
            conflict("Exists", what)
        }
        NotEdited::ReadOnly(item, place) => conflict(
            "Read-only",
            format!("{item} stands in the configuration file. Change it there: {place}."),
        ),
        NotEdited::Stale(item) => {
            let what = format!(
                "Somebody else has changed {item} since you looked. Look again, and send its `etag`."
            );
            problem(StatusCode::PRECONDITION_FAILED, "Stale version", &what)
        }
        NotEdited::Busy => busy(),
    }
}

/// What was asked cannot be understood.
pub(crate) fn wrong(what: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, "Malformed", what)
}

/// There is nothing with this number.
pub(crate) fn nothing(what: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "Not found", what)
}

/// It cannot be done now.
pub(crate) fn busy() -> Response {
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy",
        "It could not be done now. Try again.",
    )
}

/// An answer that nobody keeps.
pub(crate) fn answer(shown: &impl Serialize) -> Response {
    answer_with(StatusCode::OK, shown)
}

/// An answer with another status.
pub(crate) fn answer_with(status: StatusCode, shown: &impl Serialize) -> Response {
    let body = serde_json::to_string(shown).expect("texts, lists and numbers are always JSON");
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
