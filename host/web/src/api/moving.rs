//! `/api/v1/export` and `/api/v1/import`: what was made through the API, from one host
//! to another.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use watchkeeper_engine::time::Timestamp;

use super::bulk::{Changes, Kind};
use super::guard::json_body;
use super::operation::{Operation, shape};
use super::{admit, answer, refuse, wrong};
use crate::catalogue::{ItemKind, Mode, Wish};
use crate::web::Web;

/// The largest body, in bytes: that of twenty thousand parts.
const MOST: usize = 32 * 1024 * 1024;

/// The version of the form of an export.
const VERSION: u32 = 1;

/// The end of the year 9999.
const LATEST: i64 = 253_402_300_799_000;

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "configuration";
    vec![
        Operation::get("/api/v1/export", "export", export)
            .says(
                GROUP,
                "Everything that was made through the API, with ids and times. Secrets that were written out are `****`.",
            )
            .answers(200, "What was made.", shape::<Exported>),
        Operation::post("/api/v1/import", "import", import)
            .says(
                GROUP,
                "Takes over what another host has exported, with ids and times, all of it or nothing. What is there already and not in it stays. Imported twice, it changes nothing the second time.",
            )
            .body(shape::<Imported>)
            .answers(200, "What has changed.", shape::<Changes>),
    ]
}

/// What was made through the API.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Export")]
struct Exported {
    /// The version of this form.
    version: u32,
    /// Each part.
    items: Vec<ExportedItem>,
}

/// A part of what was made through the API.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExportedItem")]
struct ExportedItem {
    /// `service`, `monitor`, `channel` or `route`.
    kind: &'static str,
    /// When it was made.
    created: String,
    /// When it was last changed.
    updated: String,
    /// What it says.
    config: Json,
}

/// What is imported.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Import")]
struct Imported {
    /// The version of this form: 1.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// Each part.
    items: Vec<ImportedItem>,
}

/// A part that is imported.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ImportedItem")]
struct ImportedItem {
    /// Of which kind.
    kind: Kind,
    /// When it was made.
    #[schemars(extend("format" = "date-time"))]
    created: String,
    /// When it was last changed.
    #[schemars(extend("format" = "date-time"))]
    updated: String,
    /// What it says.
    config: serde_json::Map<String, Json>,
}

async fn export(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let items = web.settings().catalogue.items();
    let mut made: Vec<_> = items.iter().filter(|item| item.place.is_none()).collect();
    made.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    let shown = made.into_iter().map(|item| ExportedItem {
        kind: item.kind.as_str(),
        created: exact(item.created.unwrap_or_default()),
        updated: exact(item.updated.unwrap_or_default()),
        config: item.config.clone(),
    });
    answer(&Exported {
        version: VERSION,
        items: shown.collect(),
    })
}

async fn import(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(&web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let sent = match json_body(&head, body, MOST).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let sent: Imported = match serde_json::from_value(sent) {
        Ok(sent) => sent,
        Err(why) => return wrong(&why.to_string()),
    };
    if sent.version != VERSION {
        return wrong(&format!(
            "`version` must be {VERSION}: a newer host has exported this"
        ));
    }
    let mut wishes = Vec::with_capacity(sent.items.len());
    for item in sent.items {
        let (Some(created), Some(updated)) = (time(&item.created), time(&item.updated)) else {
            return wrong("`created` and `updated` must be times such as 2026-11-21T08:00:00Z");
        };
        wishes.push(Wish::Import {
            kind: ItemKind::from(item.kind),
            config: Json::Object(item.config),
            created,
            updated,
        });
    }
    let catalogue = &web.settings().catalogue;
    match catalogue.edit(wishes, Mode::Do, access.name).await {
        Ok(changed) => answer(&Changes::from(changed)),
        Err(why) => refuse(&why),
    }
}

/// A time with its milliseconds.
fn exact(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    at.unwrap_or_default().to_string()
}

fn time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    let millis = at.as_millisecond();
    (0..=LATEST)
        .contains(&millis)
        .then(|| Timestamp::from_millis(millis))
}
