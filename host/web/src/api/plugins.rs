//! `/api/v1/plugins`: what can check and tell.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::operation::{Operation, shape};
use super::{Page, Query, admit, answer, nothing};
use crate::survey::PluginRecord;
use crate::web::Web;

const PATH: &str = "/api/v1/plugins";

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "plugins";
    vec![
        Operation::get(PATH, "listPlugins", list)
            .says(GROUP, "Probes and notifiers, by name.")
            .query::<String>("after", "Only those whose name comes after this one.")
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Plugin>>),
        Operation::get("/api/v1/plugins/{plugin}", "getPlugin", one)
            .says(
                GROUP,
                "One of them, with the JSON Schema of its configuration.",
            )
            .answers(200, "What is known of it.", shape::<Plugin>),
        Operation::get("/api/v1/rejected-plugins", "listRejectedPlugins", rejected)
            .says(
                GROUP,
                "Files of the plugins folder that could not be loaded.",
            )
            .answers(200, "All of them.", shape::<Page<Rejected>>),
    ]
}

/// A probe or notifier.
#[derive(Serialize, JsonSchema)]
struct Plugin {
    /// What it is called.
    name: String,
    /// Its version.
    version: String,
    /// What it is for.
    summary: String,
    /// `probe` or `notifier`.
    kind: &'static str,
    /// The schemes of the targets that it judges, if it is a probe.
    schemes: Vec<String>,
    /// `bundled`, or the file that it came from.
    origin: String,
    /// The SHA-256 of the component, in hexadecimal.
    sha256: String,
    /// What it asks for, what of that it gets, and how to grant the rest.
    access: Json,
    /// The JSON Schema of its configuration; only where one is asked for.
    schema: Option<Json>,
}

/// A file that could not be loaded.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RejectedPlugin")]
struct Rejected {
    /// Its name.
    file: String,
    /// Why not.
    reason: String,
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = || {
        let query = Query::read(&head.uri, &["after", "limit"])?;
        let limit = query.limit()?;
        let plugins = web.settings().survey.plugins();
        let after = query.get("after").unwrap_or_default();
        let mut found: Vec<_> = plugins.loaded.iter().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.retain(|plugin| plugin.name.as_str() > after);
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|it| it.name.clone());
        let shown = found
            .into_iter()
            .map(|plugin| Plugin {
                schema: None,
                ..Plugin::from(plugin)
            })
            .collect();
        Ok::<_, Response>(answer(&query.page_after(PATH, shown, last.as_deref())))
    };
    asked().unwrap_or_else(|refused| refused)
}

async fn one(State(web): State<Web>, Path(name): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let plugins = web.settings().survey.plugins();
    let found = plugins.loaded.iter().find(|plugin| plugin.name == name);
    found.map_or_else(
        || nothing("There is no such plugin."),
        |plugin| answer(&Plugin::from(plugin)),
    )
}

async fn rejected(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let plugins = web.settings().survey.plugins();
    let rejected = plugins.rejected.iter().map(|(file, reason)| Rejected {
        file: file.clone(),
        reason: reason.clone(),
    });
    answer(&Page {
        items: rejected.collect(),
        next: None,
    })
}

impl From<&PluginRecord> for Plugin {
    fn from(plugin: &PluginRecord) -> Self {
        Self {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            summary: plugin.summary.clone(),
            kind: plugin.kind,
            schemes: plugin.schemes.clone(),
            origin: plugin.origin.clone(),
            sha256: plugin.sha256.clone(),
            access: plugin.access.clone(),
            schema: Some(plugin.schema.clone()),
        }
    }
}
