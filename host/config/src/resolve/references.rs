//! What refers to what: that each id is used once, that what is referred to
//! exists, and that nothing depends on itself.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::fmt::Display;

use watchkeeper_engine::dependencies::{Dependencies, Problem};
use watchkeeper_engine::id::{ChannelId, MonitorId, ServiceId};

use super::{elements, rows, value};
use crate::config::Tag;
use crate::file::RootTable;
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// Every id of a configuration and where it stands.
pub(super) struct Known {
    pub(super) services: BTreeMap<ServiceId, At>,
    pub(super) monitors: BTreeMap<MonitorId, At>,
    pub(super) channels: BTreeMap<ChannelId, At>,
    pub(super) tags: BTreeMap<Tag, At>,
}

impl Known {
    /// Collects the ids and notes those that are used twice.
    pub(super) fn of(root: &RootTable, cx: &mut Context<'_>) -> Self {
        let mut known = Self {
            services: BTreeMap::new(),
            monitors: BTreeMap::new(),
            channels: BTreeMap::new(),
            tags: BTreeMap::new(),
        };
        for service in rows(root.service.as_ref()) {
            let service = &service.value;
            let of_monitors = rows(service.monitor.as_ref()).iter();
            let of_monitors = of_monitors.flat_map(|each| elements(each.value.tags.as_ref()));
            for tag in elements(service.tags.as_ref()).iter().chain(of_monitors) {
                known.tags.entry(tag.value.clone()).or_insert(tag.at);
            }
            let Some(id) = &service.id else { continue };
            add(&mut known.services, "service", id, id.value.clone(), cx);
            for monitor in rows(service.monitor.as_ref()) {
                let Some(name) = &monitor.value.id else {
                    continue;
                };
                let full = MonitorId::new(id.value.clone(), name.value.clone());
                add(&mut known.monitors, "monitor", name, full, cx);
            }
        }
        for channel in rows(root.channel.as_ref()) {
            let Some(id) = &channel.value.id else {
                continue;
            };
            add(&mut known.channels, "channel", id, id.value.clone(), cx);
        }
        let mut routes = BTreeMap::new();
        for route in rows(root.route.as_ref()) {
            if let Some(id) = &route.value.id {
                add(&mut routes, "route", id, id.value.clone(), cx);
            }
        }
        known
    }

    /// Notes a reference to what does not exist.
    pub(super) fn check<T: Ord + Display>(
        kind: &str,
        known: &BTreeMap<T, At>,
        reference: &Placed<T>,
        cx: &mut Context<'_>,
    ) {
        if known.contains_key(&reference.value) {
            return;
        }
        let names: Vec<_> = known.keys().map(ToString::to_string).collect();
        let written = reference.value.to_string();
        let finding = Finding::new(reference.at, format!("there is no {kind} `{written}`"));
        let finding = finding.key(&reference.key).absence();
        cx.report(finding.nearest(&written, names.iter().map(String::as_str)));
    }
}

fn add<I: Ord + Display, T>(
    known: &mut BTreeMap<I, At>,
    kind: &str,
    placed: &Placed<T>,
    id: I,
    cx: &mut Context<'_>,
) {
    match known.entry(id) {
        Entry::Vacant(entry) => {
            entry.insert(placed.at);
        }
        Entry::Occupied(entry) => {
            let what = format!("the {kind} `{}` exists twice", entry.key());
            let finding = Finding::new(placed.at, what).related(*entry.get(), "first one");
            cx.report(
                finding
                    .key(&placed.key)
                    .instead("give one of them another id"),
            );
        }
    }
}

/// What depends on what, noting what is unknown or goes in a circle.
pub(super) fn dependencies(root: &RootTable, known: &Known, cx: &mut Context<'_>) -> Dependencies {
    let monitors: BTreeSet<_> = known.monitors.keys().cloned().collect();
    let mut depends_on: BTreeMap<MonitorId, Vec<MonitorId>> = BTreeMap::new();
    let mut written: BTreeMap<(MonitorId, MonitorId), &Placed<MonitorId>> = BTreeMap::new();
    for service in rows(root.service.as_ref()) {
        let service = &service.value;
        for monitor in rows(service.monitor.as_ref()) {
            let monitor = &monitor.value;
            let parents = elements(monitor.depends_on.as_ref());
            let id = value(service.id.as_ref()).zip(value(monitor.id.as_ref()));
            for parent in parents {
                Known::check("monitor", &known.monitors, parent, cx);
                if let Some((service, name)) = id {
                    let child = MonitorId::new(service.clone(), name.clone());
                    written.insert((child.clone(), parent.value.clone()), parent);
                    depends_on
                        .entry(child)
                        .or_default()
                        .push(parent.value.clone());
                }
            }
        }
    }
    Dependencies::new(&monitors, &depends_on).unwrap_or_else(|problems| {
        for problem in problems {
            report(&problem, &written, cx);
        }
        Dependencies::default()
    })
}

fn report(
    problem: &Problem,
    written: &BTreeMap<(MonitorId, MonitorId), &Placed<MonitorId>>,
    cx: &mut Context<'_>,
) {
    let (child, parent, what) = match problem {
        // Noted before, with the name that was probably meant.
        Problem::Unknown { .. } => return,
        Problem::Itself { monitor } => (monitor, monitor, format!("`{monitor}` depends on itself")),
        Problem::Circle { monitors } => {
            let [first, second, ..] = monitors.as_slice() else {
                return;
            };
            let names: Vec<_> = monitors.iter().map(|id| format!("`{id}`")).collect();
            let way = names.join(" on ");
            (
                first,
                second,
                format!("monitors depend on each other in a circle: {way} on `{first}`"),
            )
        }
    };
    if let Some(placed) = written.get(&(child.clone(), parent.clone())) {
        cx.report(Finding::new(placed.at, what).key(&placed.key));
    }
}
