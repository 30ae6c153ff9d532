//! `/api/v1/bulk`: many changes of the configuration, all of them or none.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::guard::json_body;
use super::operation::{Operation, shape};
use super::{admit, answer, refuse, wrong};
use crate::catalogue::{Expected, ItemChange, ItemKind, Mode, Wish};
use crate::web::Web;

/// The largest body, in bytes.
const MOST: usize = 4 * 1024 * 1024;

/// The most changes of one request.
const MOST_CHANGES: usize = 5_000;

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/bulk", "bulk", bulk)
            .says(
                "configuration",
                "Makes many changes of services, monitors, channels and routes, all of them or none. What comes of all together has to be right; what is between need not be.",
            )
            .body(shape::<Sent>)
            .answers(200, "What has changed.", shape::<Changes>),
    ]
}

/// What is sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bulk")]
struct Sent {
    /// What is to be done, in this order.
    #[schemars(length(min = 1, max = 5000))]
    changes: Vec<Change>,
    /// Whether nothing is done, and only said what would change.
    #[serde(default)]
    dry_run: bool,
}

/// One change.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
#[schemars(rename = "BulkChange")]
enum Change {
    /// A new one.
    Create {
        /// Of which kind.
        kind: Kind,
        /// What it says.
        config: serde_json::Map<String, Json>,
    },
    /// It says something else from now on.
    Replace {
        /// Of which kind.
        kind: Kind,
        /// Which one, a monitor as `service/monitor`.
        id: String,
        /// What it says.
        config: serde_json::Map<String, Json>,
        /// The `etag` of the version that is meant; none: whichever it is.
        #[serde(default)]
        if_match: Option<String>,
    },
    /// Some of its keys say something else from now on (RFC 7396).
    Patch {
        /// Of which kind.
        kind: Kind,
        /// Which one, a monitor as `service/monitor`.
        id: String,
        /// What changes.
        patch: serde_json::Map<String, Json>,
        /// The `etag` of the version that is meant; none: whichever it is.
        #[serde(default)]
        if_match: Option<String>,
    },
    /// It is no more.
    Remove {
        /// Of which kind.
        kind: Kind,
        /// Which one, a monitor as `service/monitor`.
        id: String,
        /// The `etag` of the version that is meant; none: whichever it is.
        #[serde(default)]
        if_match: Option<String>,
    },
}

/// What kind of part.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ItemKind")]
pub(super) enum Kind {
    Service,
    Monitor,
    Channel,
    Route,
}

/// What has changed, or would.
#[derive(Serialize, JsonSchema)]
pub(super) struct Changes {
    /// Each part that is not what it was.
    changes: Vec<ShownChange>,
}

/// A part that is not what it was.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ItemChange")]
struct ShownChange {
    /// `create`, `change` or `remove`.
    what: &'static str,
    /// `service`, `monitor`, `channel` or `route`.
    kind: &'static str,
    /// Which one.
    id: String,
    /// What it said.
    before: Option<Json>,
    /// What it says from then on.
    after: Option<Json>,
}

async fn bulk(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(&web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let sent = match json_body(&head, body, MOST).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let sent: Sent = match serde_json::from_value(sent) {
        Ok(sent) => sent,
        Err(why) => return wrong(&why.to_string()),
    };
    if sent.changes.is_empty() || sent.changes.len() > MOST_CHANGES {
        return wrong(&format!("`changes` must be 1 to {MOST_CHANGES} changes"));
    }
    let mode = if sent.dry_run { Mode::Try } else { Mode::Do };
    let wishes = sent.changes.into_iter().map(Wish::from).collect();
    let catalogue = &web.settings().catalogue;
    match catalogue.edit(wishes, mode, access.name).await {
        Ok(changed) => answer(&Changes::from(changed)),
        Err(why) => refuse(&why),
    }
}

impl From<Change> for Wish {
    fn from(change: Change) -> Self {
        let expected = |tag: Option<String>| match tag {
            None => Expected::Any,
            Some(tag) => {
                let inner = tag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                Expected::Tags(vec![inner.unwrap_or(&tag).to_owned()])
            }
        };
        match change {
            Change::Create { kind, config } => Self::Create {
                kind: kind.into(),
                config: Json::Object(config),
            },
            Change::Replace {
                kind,
                id,
                config,
                if_match,
            } => Self::Replace {
                kind: kind.into(),
                id,
                config: Json::Object(config),
                expected: expected(if_match),
            },
            Change::Patch {
                kind,
                id,
                patch,
                if_match,
            } => Self::Patch {
                kind: kind.into(),
                id,
                patch: Json::Object(patch),
                expected: expected(if_match),
            },
            Change::Remove { kind, id, if_match } => Self::Remove {
                kind: kind.into(),
                id,
                expected: expected(if_match),
            },
        }
    }
}

impl From<Kind> for ItemKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Service => Self::Service,
            Kind::Monitor => Self::Monitor,
            Kind::Channel => Self::Channel,
            Kind::Route => Self::Route,
        }
    }
}

impl From<Vec<ItemChange>> for Changes {
    fn from(changed: Vec<ItemChange>) -> Self {
        let changes = changed.into_iter().map(|changed| ShownChange {
            what: match (&changed.before, &changed.after) {
                (None, _) => "create",
                (_, None) => "remove",
                _ => "change",
            },
            kind: changed.kind.as_str(),
            id: changed.id,
            before: changed.before,
            after: changed.after,
        });
        Self {
            changes: changes.collect(),
        }
    }
}
