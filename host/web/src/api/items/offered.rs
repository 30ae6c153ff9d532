//! What can be asked of parts of the configuration, by kind.

use axum::extract::{Path, Request, State};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value as Json;

use super::{How, Shown, change, create, get, list, remove};
use crate::api::operation::{Operation, Shape, shape};
use crate::api::{Limit, Page};
use crate::catalogue::ItemKind;
use crate::web::Web;

/// What can be asked.
pub(in crate::api) fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    all.extend(of_kind(
        ItemKind::Service,
        Addresses {
            list: "/api/v1/services",
            one: "/api/v1/services/{service}",
        },
        Ids {
            list: "listServices",
            create: "createService",
            get: "getService",
            replace: "replaceService",
            patch: "patchService",
            remove: "deleteService",
        },
        service_config,
    ));
    all.extend(of_kind(
        ItemKind::Channel,
        Addresses {
            list: "/api/v1/channels",
            one: "/api/v1/channels/{channel}",
        },
        Ids {
            list: "listChannels",
            create: "createChannel",
            get: "getChannel",
            replace: "replaceChannel",
            patch: "patchChannel",
            remove: "deleteChannel",
        },
        channel_config,
    ));
    all.extend(of_kind(
        ItemKind::Route,
        Addresses {
            list: "/api/v1/routes",
            one: "/api/v1/routes/{route}",
        },
        Ids {
            list: "listRoutes",
            create: "createRoute",
            get: "getRoute",
            replace: "replaceRoute",
            patch: "patchRoute",
            remove: "deleteRoute",
        },
        route_config,
    ));
    all.extend(of_monitors());
    all
}

#[derive(Clone, Copy)]
struct Addresses {
    list: &'static str,
    one: &'static str,
}

#[derive(Clone, Copy)]
struct Ids {
    list: &'static str,
    create: &'static str,
    get: &'static str,
    replace: &'static str,
    patch: &'static str,
    remove: &'static str,
}

/// The operations of a kind whose ids are one step of a path.
fn of_kind(kind: ItemKind, at: Addresses, ids: Ids, config: Shape) -> Vec<Operation> {
    let address = at.list;
    vec![
        Operation::get(
            at.list,
            ids.list,
            async move |State(web): State<Web>, request: Request| {
                list(&web, kind, address, request).await
            },
        ),
        Operation::post(
            at.list,
            ids.create,
            async move |State(web): State<Web>, request: Request| create(&web, kind, request).await,
        ),
        Operation::get(
            at.one,
            ids.get,
            async move |State(web): State<Web>, Path(id): Path<String>, request: Request| {
                get(&web, kind, &id, request).await
            },
        ),
        Operation::put(
            at.one,
            ids.replace,
            async move |State(web): State<Web>, Path(id): Path<String>, request: Request| {
                change(&web, kind, id, request, How::Replace).await
            },
        ),
        Operation::patch(
            at.one,
            ids.patch,
            async move |State(web): State<Web>, Path(id): Path<String>, request: Request| {
                change(&web, kind, id, request, How::Patch).await
            },
        ),
        Operation::delete(
            at.one,
            ids.remove,
            async move |State(web): State<Web>, Path(id): Path<String>, request: Request| {
                remove(&web, kind, id, request).await
            },
        ),
    ]
    .into_iter()
    .map(|operation| documented(operation, kind, config))
    .collect()
}

/// The operations of monitors, whose ids are two steps of a path.
fn of_monitors() -> Vec<Operation> {
    const LIST: &str = "/api/v1/monitors";
    const ONE: &str = "/api/v1/monitors/{service}/{monitor}";
    type Id = Path<(String, String)>;
    const KIND: ItemKind = ItemKind::Monitor;
    let full = |Path((service, monitor)): Id| format!("{service}/{monitor}");
    vec![
        Operation::get(
            LIST,
            "listMonitors",
            async |State(web): State<Web>, request: Request| list(&web, KIND, LIST, request).await,
        ),
        Operation::post(
            LIST,
            "createMonitor",
            async |State(web): State<Web>, request: Request| create(&web, KIND, request).await,
        ),
        Operation::get(
            ONE,
            "getMonitor",
            async move |State(web): State<Web>, id: Id, request: Request| {
                get(&web, KIND, &full(id), request).await
            },
        ),
        Operation::put(
            ONE,
            "replaceMonitor",
            async move |State(web): State<Web>, id: Id, request: Request| {
                change(&web, KIND, full(id), request, How::Replace).await
            },
        ),
        Operation::patch(
            ONE,
            "patchMonitor",
            async move |State(web): State<Web>, id: Id, request: Request| {
                change(&web, KIND, full(id), request, How::Patch).await
            },
        ),
        Operation::delete(
            ONE,
            "deleteMonitor",
            async move |State(web): State<Web>, id: Id, request: Request| {
                remove(&web, KIND, full(id), request).await
            },
        ),
    ]
    .into_iter()
    .map(|operation| documented(operation, KIND, monitor_config))
    .collect()
}

/// Says of an operation what all kinds have in common.
fn documented(operation: Operation, kind: ItemKind, config: Shape) -> Operation {
    let group = kind.plural();
    let is_list = operation.id.starts_with("list");
    match operation.method {
        "get" if is_list => operation
            .says(group, "All of them, by id.")
            .query::<String>("after", "Only those whose id comes after this one.")
            .query::<Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Shown>>),
        "get" => operation
            .says(group, "One of them.")
            .answers_tagged(200, "What it says.", shape::<Shown>)
            .answers_nothing(304, "It is still what `If-None-Match` says."),
        "post" => operation
            .says(group, "A new one, in use at once.")
            .body(config)
            .answers_tagged(201, "It is made.", shape::<Shown>),
        "put" => operation
            .says(
                group,
                "Says all of it anew. What is left out has its default.",
            )
            .guarded()
            .body(config)
            .answers_tagged(200, "It is changed.", shape::<Shown>),
        "patch" => operation
            .says(
                group,
                "Changes the keys that are sent (RFC 7396); `null` takes one back to its default.",
            )
            .guarded()
            .body_of(
                &["application/merge-patch+json", "application/json"],
                shape::<serde_json::Map<String, Json>>,
            )
            .answers_tagged(200, "It is changed.", shape::<Shown>),
        _ => operation
            .says(group, "Removes it. Nothing may refer to it.")
            .guarded()
            .answers_nothing(204, "It is no more."),
    }
}

/// A reference to what a kind's parts say, which the document gets from whoever reads
/// them.
macro_rules! config_shape {
    ($name:ident, $reference:literal) => {
        fn $name(_: &mut SchemaGenerator) -> Schema {
            schemars::json_schema!({ "$ref": $reference })
        }
    };
}

config_shape!(service_config, "#/components/schemas/ServiceConfig");
config_shape!(monitor_config, "#/components/schemas/MonitorConfig");
config_shape!(channel_config, "#/components/schemas/ChannelConfig");
config_shape!(route_config, "#/components/schemas/RouteConfig");
