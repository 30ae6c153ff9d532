//! `/api/v1/plan` and `/api/v1/apply`: a whole configuration at once.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value as Json;

use super::bulk::Changes;
use super::guard::{media_type, text_body, wrong_type};
use super::operation::{Operation, shape};
use super::{Query, admit, answer, refuse};
use crate::catalogue::{Mode, Notation, Posted};
use crate::web::Web;

/// The largest configuration, in bytes.
const MOST: usize = 4 * 1024 * 1024;

const TYPES: &[&str] = &["application/json", "application/toml"];

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "configuration";
    let both = |operation: Operation| {
        operation
            .query::<bool>(
                "prune",
                "Whether what was made through the API and is not sent goes. By default it stays.",
            )
            .body_of(TYPES, configuration)
    };
    vec![
        both(Operation::post(
            "/api/v1/plan",
            "plan",
            async |State(web): State<Web>, request: Request| run(&web, request, Mode::Try).await,
        ))
        .says(
            GROUP,
            "Says what `apply` would change, and does nothing. Sent is TOML as in the configuration file, or JSON with the same keys: `service`, `channel` and `route`.",
        )
        .answers(200, "What would change.", shape::<Changes>),
        both(Operation::post(
            "/api/v1/apply",
            "apply",
            async |State(web): State<Web>, request: Request| run(&web, request, Mode::Do).await,
        ))
        .says(
            GROUP,
            "Makes what was made through the API what is sent, all of it or nothing. Applied twice it changes nothing the second time.",
        )
        .answers(200, "What has changed.", shape::<Changes>),
    ]
}

/// A configuration, as JSON.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it stands in the document alone")]
struct Configuration {
    /// Services, each with its monitors under `monitor`.
    #[serde(default)]
    service: Vec<serde_json::Map<String, Json>>,
    /// Channels.
    #[serde(default)]
    channel: Vec<serde_json::Map<String, Json>>,
    /// Routes, each with an `id`.
    #[serde(default)]
    route: Vec<serde_json::Map<String, Json>>,
}

fn configuration(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Configuration>()
}

async fn run(web: &Web, request: Request, mode: Mode) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let asked = async {
        let query = Query::read(&head.uri, &["prune"])?;
        let prune = query.parsed("prune", "`true` or `false`", |word| word.parse().ok())?;
        let text = text_body(body, MOST).await?;
        let language = match media_type(&head.headers).as_str() {
            "" | "application/toml" | "text/plain" => Notation::Toml,
            kind if kind == "application/json" || kind.ends_with("+json") => Notation::Json,
            _ => return Err(wrong_type("`application/toml` or `application/json`")),
        };
        Ok(Posted {
            text,
            language,
            prune: prune.unwrap_or(false),
        })
    };
    let posted = match asked.await {
        Ok(posted) => posted,
        Err(refused) => return refused,
    };
    let catalogue = &web.settings().catalogue;
    match catalogue.apply(posted, mode, access.name).await {
        Ok(changed) => answer(&Changes::from(changed)),
        Err(why) => refuse(&why),
    }
}
