//! `/api/v1/services`, `monitors`, `channels` and `routes`: the parts of the
//! configuration, to be looked at and changed.

use axum::extract::Request;
use axum::response::Response;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::guard::{expected, json_body, tagged};
use super::{Query, admit, answer, answer_with, nothing, refuse};
use crate::catalogue::{Expected, ItemKind, ItemRecord, Mode, Wish};
use crate::dates::Iso;
use crate::intake::Access;
use crate::web::Web;

pub(super) use self::offered::operations;

mod offered;

/// The largest part, in bytes.
const MOST: usize = 256 * 1024;

/// A part of the configuration.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Item")]
pub(super) struct Shown {
    /// Its id, of a monitor `service/monitor`.
    id: String,
    /// `file` for what stands in a configuration file and cannot be changed here,
    /// `api` for what was made here.
    origin: &'static str,
    /// The line in which it stands.
    place: Option<String>,
    /// What to send as `If-Match`.
    etag: String,
    /// When it was made.
    created: Option<String>,
    /// When it was last changed.
    updated: Option<String>,
    /// Why it is not in use.
    trouble: Option<String>,
    /// What it says, with the keys of the configuration file. Secrets that were written
    /// out are `****`; sent back so, they stay what they are.
    config: Json,
}

async fn list(web: &Web, kind: ItemKind, path: &str, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(web, &head, |access| access.read).await {
        return refused;
    }
    let asked = || {
        let query = Query::read(&head.uri, &["after", "limit"])?;
        let limit = query.limit()?;
        let items = web.settings().catalogue.items();
        let mut found: Vec<_> = items.iter().filter(|item| item.kind == kind).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(after) = query.get("after") {
            found.retain(|item| item.id.as_str() > after);
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|item| item.id.clone());
        let shown = found.into_iter().map(Shown::from).collect();
        Ok::<_, Response>(answer(&query.page_after(path, shown, last.as_deref())))
    };
    asked().unwrap_or_else(|refused| refused)
}

async fn get(web: &Web, kind: ItemKind, id: &str, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(web, &head, |access| access.read).await {
        return refused;
    }
    match find(web, kind, id) {
        Some(item) if is_known(&head.headers, &item.tag) => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            tag(&mut response, &item.tag);
            response
        }
        Some(item) => show(StatusCode::OK, &item),
        None => unknown(kind),
    }
}

async fn create(web: &Web, kind: ItemKind, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let config = match json_body(&head, body, MOST).await {
        Ok(config) => config,
        Err(refused) => return refused,
    };
    let wish = Wish::Create { kind, config };
    let mut response = edit(web, wish, access, StatusCode::CREATED).await;
    if response.status() == StatusCode::CREATED
        && let Some(id) = response.extensions_mut().remove::<MadeId>()
        && let Ok(address) = HeaderValue::try_from(format!("/api/v1/{}/{}", kind.plural(), id.0))
    {
        response.headers_mut().insert(LOCATION, address);
    }
    response
}

/// How a part is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Replace,
    Patch,
}

async fn change(web: &Web, kind: ItemKind, id: String, request: Request, how: How) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let expected = match expected(&head.headers) {
        Ok(expected) => expected,
        Err(refused) => return refused,
    };
    let mut sent = match json_body(&head, body, MOST).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let wish = match how {
        How::Replace => {
            name(&mut sent, kind, &id);
            Wish::Replace {
                kind,
                id: id.clone(),
                config: sent,
                expected,
            }
        }
        How::Patch => Wish::Patch {
            kind,
            id: id.clone(),
            patch: sent,
            expected,
        },
    };
    let changed = edit(web, wish, access, StatusCode::OK).await;
    if changed.status() != StatusCode::NO_CONTENT {
        return changed;
    }
    // It says already what it was to say.
    find(web, kind, &id).map_or_else(|| unknown(kind), |item| show(StatusCode::OK, &item))
}

async fn remove(web: &Web, kind: ItemKind, id: String, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let access = match admit(web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let expected: Expected = match expected(&head.headers) {
        Ok(expected) => expected,
        Err(refused) => return refused,
    };
    edit(
        web,
        Wish::Remove { kind, id, expected },
        access,
        StatusCode::NO_CONTENT,
    )
    .await
}

/// The id of what was just made.
#[derive(Clone)]
struct MadeId(String);

/// Has one wish granted and shows what is there then; without content where nothing is.
async fn edit(web: &Web, wish: Wish, access: Access, status: StatusCode) -> Response {
    let catalogue = &web.settings().catalogue;
    let done = catalogue.edit(vec![wish], Mode::Do, access.name).await;
    let changed = match done {
        Ok(changed) => changed,
        Err(why) => return refuse(&why),
    };
    let shown = changed
        .iter()
        .find(|changed| changed.after.is_some())
        .and_then(|changed| find(web, changed.kind, &changed.id));
    if let Some(item) = shown {
        let mut response = show(status, &item);
        response.extensions_mut().insert(MadeId(item.id));
        return response;
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// What is put at an address need not say which address that is.
fn name(config: &mut Json, kind: ItemKind, id: &str) {
    let Json::Object(map) = config else { return };
    let mut add = |key: &str, value: &str| {
        map.entry(key).or_insert_with(|| value.into());
    };
    match (kind, id.split_once('/')) {
        (ItemKind::Monitor, Some((service, monitor))) => {
            add("service", service);
            add("id", monitor);
        }
        _ => add("id", id),
    }
}

fn find(web: &Web, kind: ItemKind, id: &str) -> Option<ItemRecord> {
    let items = web.settings().catalogue.items();
    let found = items.iter().find(|item| item.kind == kind && item.id == id);
    found.cloned()
}

fn show(status: StatusCode, item: &ItemRecord) -> Response {
    let mut response = answer_with(status, &Shown::from(item));
    tag(&mut response, &item.tag);
    response
}

fn tag(response: &mut Response, tag: &str) {
    if let Ok(value) = HeaderValue::try_from(tagged(tag)) {
        response.headers_mut().insert(ETAG, value);
    }
}

/// Whether the client has this version already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let own = tagged(tag);
    let sent = headers.get_all(IF_NONE_MATCH).iter();
    sent.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| {
            let known = known.trim();
            known == "*" || known.strip_prefix("W/").unwrap_or(known) == own
        })
}

fn unknown(kind: ItemKind) -> Response {
    nothing(&format!("There is no such {}.", kind.as_str()))
}

impl From<&ItemRecord> for Shown {
    fn from(item: &ItemRecord) -> Self {
        Self {
            id: item.id.clone(),
            origin: if item.place.is_some() { "file" } else { "api" },
            place: item.place.clone(),
            etag: tagged(&item.tag),
            created: item.created.map(|at| Iso(at).to_string()),
            updated: item.updated.map(|at| Iso(at).to_string()),
            trouble: item.trouble.clone(),
            config: item.config.clone(),
        }
    }
}
