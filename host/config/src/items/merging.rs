//! Parts in the tree of the files, and out of it.

use serde_json::{Map, Value as Json};
use toml::de::DeTable;

use super::{Item, ItemKey, ItemKind, ItemText, Made};
use crate::read::{Context, Finding};
use crate::source::{At, Sources};
use crate::tree::{Entry, Node, Table, Value};

/// Adds `items`, whose texts are the sources from `first` on, to the tree of the
/// files.
pub(crate) fn place_items(
    root: &mut Table,
    items: &[ItemText],
    first: usize,
    cx: &mut Context<'_>,
) {
    // Services first, so that monitors find theirs whatever the order is.
    let numbered = || (first..).zip(items);
    let services = numbered().filter(|(_, item)| item.key.kind == ItemKind::Service);
    let others = numbered().filter(|(_, item)| item.key.kind != ItemKind::Service);
    for (file, item) in services.chain(others) {
        let at = At {
            file,
            start: 0,
            end: 0,
        };
        let (document, errors) = DeTable::parse_recoverable(cx.sources.text(file));
        if let Some(error) = errors.first() {
            let what = format!("cannot be written as TOML: {}", error.message());
            cx.report(Finding::new(at, what).key(&item.key.to_string()));
            continue;
        }
        let mut table = Table::from_document(document.get_ref(), file);
        let list = match item.key.kind {
            ItemKind::Service => {
                if let Some(entry) = table.get("monitor") {
                    let what = "monitors are parts of their own";
                    let finding = Finding::new(entry.key_at, what).instead(
                        "leave `monitor` out, and make each monitor with `service` beside its `id`",
                    );
                    cx.report(finding.key(&format!("service[{}].monitor", item.key.id)));
                    continue;
                }
                table.entries.push(Entry {
                    key: "monitor".to_owned(),
                    key_at: at,
                    node: Node {
                        at,
                        value: Value::Array(Vec::new()),
                    },
                });
                list(root, "service", at)
            }
            ItemKind::Monitor => {
                table.entries.retain(|entry| entry.key != "service");
                let service = item.json.get("service").and_then(Json::as_str);
                let service = service.unwrap_or_default();
                let Some(owner) = service_mut(root, service) else {
                    let what = format!("there is no service `{service}`");
                    let finding = Finding::new(at, what).key(&format!("{}.service", item.key));
                    cx.report(finding.absence());
                    continue;
                };
                list(owner, "monitor", at)
            }
            ItemKind::Channel => list(root, "channel", at),
            ItemKind::Route => list(root, "route", at),
        };
        // Where the file says something else than a list, that is its own mistake.
        if let Some(list) = list {
            list.push(Node {
                at,
                value: Value::Table(table),
            });
        }
    }
}

/// The parts that the tree is made of, in its order; the sources from `first` on are
/// those of parts that were added.
pub(crate) fn items_of(root: &Node, sources: &Sources, first: usize) -> Vec<Item> {
    let Value::Table(root) = &root.value else {
        return Vec::new();
    };
    let mut items = Vec::new();
    let mut add = |kind: ItemKind, id: String, json: Json, at: At| {
        items.push(Item {
            key: ItemKey { kind, id },
            made: if at.file < first {
                Made::File
            } else {
                Made::Api
            },
            json,
            place: sources.place(at),
        });
    };
    for node in nodes(root, "service") {
        let Json::Object(mut service) = json_of(node) else {
            continue;
        };
        service.remove("monitor");
        let id = text(&service, "id");
        add(
            ItemKind::Service,
            id.clone(),
            Json::Object(service),
            node.at,
        );
        let Value::Table(table) = &node.value else {
            continue;
        };
        for node in nodes(table, "monitor") {
            let Json::Object(mut monitor) = json_of(node) else {
                continue;
            };
            let full = format!("{id}/{}", text(&monitor, "id"));
            monitor.insert("service".to_owned(), id.clone().into());
            add(ItemKind::Monitor, full, Json::Object(monitor), node.at);
        }
    }
    for (kind, key) in [(ItemKind::Channel, "channel"), (ItemKind::Route, "route")] {
        for (number, node) in (1..).zip(nodes(root, key)) {
            let Json::Object(map) = json_of(node) else {
                continue;
            };
            let id = match text(&map, "id") {
                id if id.is_empty() => format!("@{number}"),
                id => id,
            };
            add(kind, id, Json::Object(map), node.at);
        }
    }
    items
}

/// The list under a key, made where it is missing; none where something else stands
/// there.
fn list<'t>(table: &'t mut Table, key: &str, at: At) -> Option<&'t mut Vec<Node>> {
    if table.get(key).is_none() {
        table.entries.push(Entry {
            key: key.to_owned(),
            key_at: at,
            node: Node {
                at,
                value: Value::Array(Vec::new()),
            },
        });
    }
    let entry = table.entries.iter_mut().find(|entry| entry.key == key)?;
    match &mut entry.node.value {
        Value::Array(list) => Some(list),
        _ => None,
    }
}

fn service_mut<'t>(root: &'t mut Table, id: &str) -> Option<&'t mut Table> {
    let entry = root.entries.iter_mut().find(|it| it.key == "service")?;
    let Value::Array(services) = &mut entry.node.value else {
        return None;
    };
    services.iter_mut().find_map(|node| match &mut node.value {
        Value::Table(table) => {
            let own = &table.get("id")?.node.value;
            matches!(own, Value::Text(own) if own == id).then_some(table)
        }
        _ => None,
    })
}

fn nodes<'t>(table: &'t Table, key: &str) -> &'t [Node] {
    match table.get(key).map(|entry| &entry.node.value) {
        Some(Value::Array(nodes)) => nodes,
        _ => &[],
    }
}

fn text(map: &Map<String, Json>, key: &str) -> String {
    let text = map.get(key).and_then(Json::as_str);
    text.unwrap_or_default().to_owned()
}

// Recursion ends: the parser refuses more than 80 levels.
fn json_of(node: &Node) -> Json {
    match &node.value {
        Value::Text(text) | Value::Datetime(text) => text.clone().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Bool(value) => (*value).into(),
        Value::Array(nodes) => nodes.iter().map(json_of).collect(),
        Value::Table(table) => {
            let entries = table.entries.iter();
            let entries = entries.map(|entry| (entry.key.clone(), json_of(&entry.node)));
            Json::Object(entries.collect())
        }
    }
}
