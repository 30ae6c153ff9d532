//! The JSON Schema of a configuration, for editors.

use serde_json::{Value as Json, json};

use watchkeeper_engine::id::ServiceId;

use crate::file::{ChannelTable, MonitorTable, RootTable, RouteTable, ServiceTable};
use crate::items::ItemKind;
use crate::read::FromNode;

/// The JSON Schema (2020-12) of a part of a configuration as it stands by itself: a
/// service without its monitors, a monitor with the id of its service.
pub fn item_schema(kind: ItemKind) -> Json {
    let mut schema = match kind {
        ItemKind::Service => ServiceTable::schema(),
        ItemKind::Monitor => MonitorTable::schema(),
        ItemKind::Channel => ChannelTable::schema(),
        ItemKind::Route => RouteTable::schema(),
    };
    let mut require = |key: &str| {
        if let Some(Json::Array(required)) = schema.get_mut("required") {
            required.push(key.into());
        }
    };
    match kind {
        ItemKind::Monitor => require("service"),
        ItemKind::Route => require("id"),
        ItemKind::Service | ItemKind::Channel => {}
    }
    if let Some(Json::Array(required)) = schema.get_mut("required") {
        required.retain(|key| kind != ItemKind::Service || key != "monitor");
    }
    if let Some(Json::Object(properties)) = schema.get_mut("properties") {
        match kind {
            ItemKind::Service => _ = properties.remove("monitor"),
            ItemKind::Monitor => {
                let mut service = ServiceId::schema();
                if let Json::Object(service) = &mut service {
                    let doc = "The id of the service that it is part of.";
                    service.insert("description".to_owned(), doc.into());
                }
                properties.insert("service".to_owned(), service);
            }
            ItemKind::Channel | ItemKind::Route => {}
        }
    }
    schema
}

/// The JSON Schema (2020-12) of a whole configuration, made from the same
/// declarations that read it.
///
/// It says less than [`load`](crate::load()) checks: not the bounds of spans and
/// sizes, which its descriptions name, nor what concerns several keys.
pub fn schema() -> Json {
    let mut schema = RootTable::schema();
    if let Json::Object(schema) = &mut schema {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".to_owned(), dialect.into());
        schema.insert("title".to_owned(), json!("Watchkeeper's configuration"));
    }
    schema
}
