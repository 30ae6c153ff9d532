//! Uptime Kuma: its database, or the JSON of a backup by version 1.

mod database;
mod extras;
mod monitor;
mod notification;

use std::collections::BTreeMap;

use crate::context::Context;
use crate::draft::{Keys, Monitor, Route, Service};
use crate::fields::{Field, Fields};
use crate::input::{ImportError, Input};
use crate::names::Ids;
use crate::node::{self, Node, Value};
use crate::report::Place;

/// How deep groups lie in groups.
const MAX_GROUPS: usize = 50;

/// The tables that are read, under one name for both forms.
pub(crate) struct Kuma {
    pub(crate) file: String,
    pub(crate) root: Node,
}

/// What is known of a monitor before it is read.
struct Row<'n> {
    id: i64,
    name: String,
    kind: String,
    parent: Option<i64>,
    field: Field<'n>,
    active: bool,
}

pub(crate) fn read(cx: &mut Context<'_>, input: &Input) -> Result<(), ImportError> {
    let kuma = match database::read(input)? {
        Some(kuma) => kuma,
        None => backup(input)?,
    };
    let mut root = Fields::whole(&kuma.file, &kuma.root)?;
    if !root.has("monitors") {
        let what = "has no monitors, as a backup or database of Uptime Kuma has";
        let instead = "name `kuma.db`, or the JSON that version 1 exports as a backup";
        return Err(ImportError::new(kuma.file.clone(), what, instead));
    }
    let channels = notification::read(&mut root, cx);
    let links = links(&mut root, cx);
    let rows = rows(&mut root, cx);
    let by_id: BTreeMap<i64, usize> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| (row.id, at))
        .collect();
    let mut names = Names::default();
    let mut told: Told = BTreeMap::new();
    let mut full_names: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let mut services: Vec<Service> = Vec::new();
    for row in rows.iter().filter(|row| row.kind != "group") {
        if !row.active {
            cx.lost(&row.field.place, "the monitor is paused: it is left out");
            continue;
        }
        let Some(mut fields) = row.field.table(cx) else {
            continue;
        };
        let top = top_of(row, &rows, &by_id);
        let at = names.service(top.map(|it| &rows[it]), row, &mut services, cx);
        let id = names.ids[at].make(&row.name, "monitor");
        let notified = notified(&mut fields, &links, row.id, cx);
        let reminder = reminder(&mut fields, cx);
        let made = monitor::read(fields, row.id, &row.name, &row.kind, id, cx);
        if let Some(monitor) = made {
            let full = format!("{}/{}", services[at].id, monitor.id);
            full_names.entry(row.id).or_default().push(full.clone());
            for notification in &notified {
                let key = (*notification, reminder.clone());
                told.entry(key).or_default().push(full.clone());
            }
            services[at].monitors.push(monitor);
        }
    }
    for row in rows.iter().filter(|row| row.kind == "group") {
        if let Some(mut fields) = row.field.table(cx) {
            let notified = notified(&mut fields, &links, row.id, cx);
            if !notified.is_empty() {
                cx.lost(
                    &row.field.place,
                    "a group itself is not told of: its monitors are, to where each is told",
                );
            }
        }
    }
    services.retain(|service| !service.monitors.is_empty());
    cx.draft.services = services;
    routes(&channels, told, cx);
    extras::read(&mut root, &full_names, cx);
    root.finish(cx);
    Ok(())
}

/// Who is told of which monitors, and how often again.
type Told = BTreeMap<(i64, Option<String>), Vec<String>>;

/// How often is told again of a monitor that stays down.
fn reminder(fields: &mut Fields<'_>, cx: &mut Context<'_>) -> Option<String> {
    let beats = fields
        .integer("resendinterval", cx)
        .filter(|beats| *beats > 0)?;
    let seconds = fields.clone().integer("interval", cx).unwrap_or(60).max(1);
    let millis = u64::try_from(beats.checked_mul(seconds)?.checked_mul(1_000)?).ok()?;
    let place = fields.place.clone();
    Some(cx.span(millis, 10_000, 30 * 86_400_000, &place))
}

/// The services, by the group that they stand for.
#[derive(Default)]
struct Names {
    groups: BTreeMap<i64, usize>,
    ids: Vec<Ids>,
}

impl Names {
    /// The service of a monitor: that of its outermost group, or its own.
    fn service(
        &mut self,
        group: Option<&Row<'_>>,
        row: &Row<'_>,
        services: &mut Vec<Service>,
        cx: &mut Context<'_>,
    ) -> usize {
        if let Some(at) = group.and_then(|group| self.groups.get(&group.id)) {
            return *at;
        }
        let owner = group.unwrap_or(row);
        let mut service = Service {
            id: cx.service_ids.make(&owner.name, "service"),
            ..Service::default()
        };
        service
            .keys
            .set_some("label", cx.line(&owner.name, 100, &owner.field.place));
        services.push(service);
        self.ids.push(Ids::default());
        if let Some(group) = group {
            self.groups.insert(group.id, services.len() - 1);
        }
        services.len() - 1
    }
}

/// The outermost group of a monitor, if it is in one.
fn top_of(row: &Row<'_>, rows: &[Row<'_>], by_id: &BTreeMap<i64, usize>) -> Option<usize> {
    let mut top = None;
    let mut parent = row.parent;
    for _ in 0..MAX_GROUPS {
        let Some(at) = parent.and_then(|id| by_id.get(&id)) else {
            break;
        };
        let group = rows.get(*at)?;
        if group.kind == "group" {
            top = Some(*at);
        }
        parent = group.parent;
    }
    top
}

fn rows<'n>(root: &mut Fields<'n>, cx: &mut Context<'_>) -> Vec<Row<'n>> {
    let mut rows = Vec::new();
    for (at, field) in (1..).zip(root.list("monitors")) {
        let Some(mut fields) = field.table(cx) else {
            continue;
        };
        let id = fields.integer("id", cx).unwrap_or(at);
        let name = fields.filled("name", cx);
        rows.push(Row {
            id,
            name: name.unwrap_or_else(|| format!("monitor {id}")),
            kind: fields.text("type", cx).unwrap_or_default(),
            parent: fields.integer("parent", cx).filter(|parent| *parent != id),
            active: fields.flag("active", cx).unwrap_or(true),
            field,
        });
    }
    rows
}

/// Which notifications each monitor has, where that stands in a table.
fn links(root: &mut Fields<'_>, cx: &mut Context<'_>) -> BTreeMap<i64, Vec<i64>> {
    let mut links: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for field in root.list("monitornotification") {
        if let Some(mut row) = field.table(cx)
            && let (Some(monitor), Some(notification)) = (
                row.integer("monitorid", cx),
                row.integer("notificationid", cx),
            )
        {
            links.entry(monitor).or_default().push(notification);
        }
    }
    links
}

/// The notifications of a monitor.
fn notified(
    fields: &mut Fields<'_>,
    links: &BTreeMap<i64, Vec<i64>>,
    id: i64,
    cx: &mut Context<'_>,
) -> Vec<i64> {
    let mut notified = links.get(&id).cloned().unwrap_or_default();
    if let Some(mut list) = fields.table("notificationidlist", cx) {
        for (key, field) in list.take_rest() {
            if field.flag(cx) == Some(true)
                && let Ok(id) = key.parse()
            {
                notified.push(id);
            }
        }
    }
    notified.sort_unstable();
    notified.dedup();
    notified
}

fn routes(channels: &BTreeMap<i64, (String, Place)>, told: Told, cx: &mut Context<'_>) {
    // Channels of which all are told the same share a route.
    let mut by_monitors: BTreeMap<_, (Place, Vec<String>)> = BTreeMap::new();
    for ((notification, reminder), monitors) in told {
        if let Some((channel, place)) = channels.get(&notification) {
            let slot = by_monitors.entry((monitors, reminder));
            let (_, to) = slot.or_insert_with(|| (place.clone(), Vec::new()));
            to.push(channel.clone());
        }
    }
    for ((monitors, reminder), (place, to)) in by_monitors {
        let mut reminders = Keys::default();
        reminders.set_some("every", reminder);
        cx.draft.routes.push(Route {
            place,
            to,
            monitors: Some(monitors),
            reminders,
            ..Route::default()
        });
    }
}

/// The JSON of a backup, its keys as those of the database.
fn backup(input: &Input) -> Result<Kuma, ImportError> {
    let (file, text) = input.single()?;
    let node = node::json(&file, &text)?;
    let mut root = plain_keys(node);
    if let Value::Table(entries) = &mut root.value {
        for (key, _) in entries {
            let ours = match key.as_str() {
                "monitorlist" => "monitors",
                "notificationlist" => "notifications",
                "proxylist" => "proxies",
                _ => continue,
            };
            ours.clone_into(key);
        }
    }
    Ok(Kuma { file, root })
}

/// Keys in lower case without `_`: the database writes `retry_interval` what the
/// backup calls `retryInterval`. What is nested deeper than a row stays.
fn plain_keys(node: Node) -> Node {
    let value = match node.value {
        Value::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, node)| (plain_key(&key), rows_of(node)))
                .collect(),
        ),
        other => other,
    };
    Node { value, ..node }
}

fn rows_of(node: Node) -> Node {
    let value = match node.value {
        Value::List(rows) => Value::List(rows.into_iter().map(row_of).collect()),
        other => other,
    };
    Node { value, ..node }
}

fn row_of(node: Node) -> Node {
    let value = match node.value {
        Value::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, node)| (plain_key(&key), node))
                .collect(),
        ),
        other => other,
    };
    Node { value, ..node }
}

/// A key as both forms can be brought to.
pub(crate) fn plain_key(key: &str) -> String {
    let letters = key.chars().filter(|c| *c != '_');
    letters.flat_map(char::to_lowercase).collect()
}

/// A value that is JSON in a text column, or the value itself in a backup.
pub(crate) fn nested(field: &Field<'_>) -> Option<Node> {
    match &field.node.value {
        Value::Text(text) if text.trim().is_empty() => None,
        Value::Text(text) => {
            let value: serde_json::Value = serde_json::from_str(text).ok()?;
            let mut node = node::from_json(&value);
            node.line = field.node.line;
            Some(node)
        }
        _ => Some(field.node.clone()),
    }
}

/// A monitor with that id and place.
pub(crate) fn monitor(id: String, place: &Place) -> Monitor {
    Monitor {
        id,
        place: place.clone(),
        ..Monitor::default()
    }
}
