//! Gatus's configuration.

mod alerting;
mod conditions;
mod endpoint;
mod providers;

use crate::context::Context;
use crate::draft::{Maintenance, Monitor, Service};
use crate::fields::{Field, Fields};
use crate::input::{ImportError, Input};
use crate::names::Ids;
use crate::node::{self, Node, Value};
use crate::report::Place;
use crate::span;

/// How deep folders of tables are merged.
const MERGED: usize = 4;

pub(crate) fn read(cx: &mut Context<'_>, input: &Input) -> Result<(), ImportError> {
    let mut whole: Option<Node> = None;
    let texts = input.several(&["yaml", "yml"])?;
    let several = texts.len() > 1;
    for (name, text) in &texts {
        let node = node::yaml(name, text)?;
        cx.reserve(text);
        if !matches!(node.value, Value::Table(_)) {
            Fields::whole(name, &node)?;
        }
        match &mut whole {
            None => whole = Some(node),
            Some(whole) => merge(whole, node, 0),
        }
    }
    let name = input.name();
    let mut root = whole.unwrap_or_else(|| Node::bare(Value::Table(Vec::new())));
    if several {
        // Lines of several files would be taken for lines of one.
        forget_lines(&mut root);
    }
    let mut root = Fields::whole(&name, &root)?;
    if !["endpoints", "external-endpoints", "suites", "services"]
        .iter()
        .any(|key| root.has(key))
    {
        let what = "has no `endpoints`, as a configuration of Gatus has";
        let instead = "check that it is the right file and the right kind";
        return Err(ImportError::new(name, what, instead));
    }
    page(&mut root, cx);
    let mut alerting = alerting::read(&mut root, cx);
    let mut groups = Groups::default();
    for field in root.list("endpoints") {
        if let Some(table) = field.table(cx) {
            endpoint::read(table, &mut groups, &mut alerting, cx);
        }
    }
    for field in root.list("external-endpoints") {
        if let Some(table) = field.table(cx) {
            endpoint::external(table, &mut groups, &mut alerting, cx);
        }
    }
    for field in root.list("suites") {
        cx.lost(
            &field.place,
            "suites are not carried over: the probe `steps` does what they do, with other words",
        );
    }
    groups.finish(cx);
    alerting.finish(cx);
    if let Some(field) = root.take("maintenance") {
        maintenance(&field, None, cx);
    }
    others(&mut root, cx);
    root.finish(cx);
    Ok(())
}

/// Groups are services; an endpoint without one is a service of its own.
#[derive(Default)]
pub(crate) struct Groups {
    services: Vec<(Option<String>, Service, Ids)>,
}

impl Groups {
    /// The place for a monitor: the index of its service, and its ids.
    pub(crate) fn of(
        &mut self,
        group: Option<&str>,
        name: &str,
        place: &Place,
        cx: &mut Context<'_>,
    ) -> usize {
        if let Some(group) = group
            && let Some(at) = self
                .services
                .iter()
                .position(|it| it.0.as_deref() == Some(group))
        {
            return at;
        }
        let label = group.unwrap_or(name);
        let mut service = Service {
            id: cx.service_ids.make(label, "service"),
            ..Service::default()
        };
        service.keys.set_some("label", cx.line(label, 100, place));
        self.services
            .push((group.map(str::to_owned), service, Ids::default()));
        self.services.len() - 1
    }

    /// An id for a monitor of that service.
    pub(crate) fn id(&mut self, at: usize, name: &str) -> String {
        self.services[at].2.make(name, "monitor")
    }

    /// Adds a monitor and gives its full name.
    pub(crate) fn add(&mut self, at: usize, monitor: Monitor) -> String {
        let service = &mut self.services[at].1;
        let name = format!("{}/{}", service.id, monitor.id);
        service.monitors.push(monitor);
        name
    }

    /// Moves the services that have monitors into the draft.
    pub(crate) fn finish(self, cx: &mut Context<'_>) {
        let services = self.services.into_iter().map(|(_, service, _)| service);
        let filled = services.filter(|service| !service.monitors.is_empty());
        cx.draft.services.extend(filled);
    }
}

/// Merges tables key by key and joins lists, as Gatus merges files.
fn merge(into: &mut Node, from: Node, depth: usize) {
    match (&mut into.value, from.value) {
        (Value::Table(into), Value::Table(from)) if depth < MERGED => {
            for (key, node) in from {
                match into.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, slot)) => merge(slot, node, depth + 1),
                    None => into.push((key, node)),
                }
            }
        }
        (Value::List(into), Value::List(from)) => into.extend(from),
        (slot, value) => *slot = value,
    }
}

fn forget_lines(node: &mut Node) {
    node.line = None;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_lines),
        Value::Table(entries) => entries.iter_mut().for_each(|(_, node)| forget_lines(node)),
        _ => {}
    }
}

fn page(root: &mut Fields<'_>, cx: &mut Context<'_>) {
    if let Some(mut ui) = root.table("ui", cx) {
        for (theirs, ours, max) in [
            ("title", "title", 100),
            ("header", "company", 100),
            ("description", "description", 500),
        ] {
            if let Some(field) = ui.take(theirs)
                && let Some(text) = field.text(cx)
            {
                let line = cx.line(&text, max, &field.place);
                cx.draft.page.set_some(ours, line);
            }
        }
        if let Some(field) = ui.take("link")
            && let Some(url) = crate::vigil::address(&field, false, cx)
        {
            cx.draft.page.set("website", url);
        }
        let keys = [
            "logo",
            "favicon",
            "buttons",
            "custom-css",
            "dark-mode",
            "dashboard-heading",
            "dashboard-subheading",
            "login-subtitle",
        ];
        ui.lose(&keys, "the page has no logo, buttons or style of its own; it is dark where the visitor's system is", cx);
        ui.lose(
            &["default-sort-by", "default-filter-by"],
            "the page has the order of the file",
            cx,
        );
        ui.finish(cx);
    }
    if let Some(mut web) = root.table("web", cx) {
        let address = web
            .text("address", cx)
            .unwrap_or_else(|| "0.0.0.0".to_owned());
        let port = web.integer("port", cx).unwrap_or(8080);
        let listen = format!("{}:{port}", crate::target::bracketed(&address));
        if listen.parse::<std::net::SocketAddr>().is_ok() {
            cx.draft.server.set("listen", listen);
        } else {
            cx.lost(
                &web.place,
                "no IP address and port: set `listen` of `[server]`",
            );
        }
        web.lose(
            &["tls"],
            "the server speaks no TLS: put a proxy in front",
            cx,
        );
        web.lose(&["read-buffer-size"], "not needed", cx);
        web.finish(cx);
    }
}

fn others(root: &mut Fields<'_>, cx: &mut Context<'_>) {
    root.lose(
        &["storage"],
        "results are kept in databases in the folder `data`; history is not moved",
        cx,
    );
    root.lose(
        &["security"],
        "the page is public: put a proxy in front that asks who is there",
        cx,
    );
    root.lose(&["remote"], "other instances are not shown", cx);
    root.lose(&["tunneling"], "there are no tunnels by SSH", cx);
    root.lose(
        &["announcements"],
        "announcements are not part of the configuration",
        cx,
    );
    root.lose(
        &["concurrency", "disable-monitoring-lock"],
        "not needed: checks do not wait for each other",
        cx,
    );
    root.lose(&["debug"], "the option `--log` says what is logged", cx);
    root.lose(
        &["services"],
        "written for Gatus before version 4: rename it to `endpoints` and import again",
        cx,
    );
    // Both are so here anyway.
    root.skip(&["metrics", "skip-invalid-config-update"]);
    let Some(mut connectivity) = root.table("connectivity", cx) else {
        return;
    };
    if let Some(mut checker) = connectivity.table("checker", cx) {
        if let Some(target) = checker.take("target")
            && let Some(text) = target.text(cx)
        {
            let text = cx.plain(&text, &target.place);
            let target = crate::target::checked(&format!("tcp://{text}"), &target.place, cx);
            cx.draft
                .canaries
                .set_some("canaries", target.map(|it| vec![it]));
        }
        if let Some(every) = checker.take("interval").and_then(|it| millis(&it, cx)) {
            let every = cx.span(every, 1_000, 86_400_000, &checker.place);
            if cx.draft.canaries.get("canaries").is_some() {
                cx.draft.canaries.set("every", every);
            }
        }
        checker.finish(cx);
    }
    connectivity.finish(cx);
}

/// A span of Go's notation, or a number of nanoseconds, in milliseconds.
pub(crate) fn millis(field: &Field<'_>, cx: &mut Context<'_>) -> Option<u64> {
    let text = field.text(cx)?;
    let text = cx.plain(&text, &field.place);
    let millis = match text.trim().parse::<f64>() {
        Ok(nanos) => span::from_nanos(nanos),
        Err(_) => span::go(&text),
    };
    if millis.is_none() {
        cx.lost(&field.place, "no span of time such as `1m30s`");
    }
    millis
}

/// A window of maintenance, of everything or of some monitors.
pub(crate) fn maintenance(field: &Field<'_>, monitors: Option<&[String]>, cx: &mut Context<'_>) {
    let Some(mut table) = field.table(cx) else {
        return;
    };
    let enabled = table.flag("enabled", cx).unwrap_or(true);
    let start = table.text("start", cx).unwrap_or_default();
    let lasts = table.take("duration").and_then(|it| millis(&it, cx));
    let zone = table
        .filled("timezone", cx)
        .unwrap_or_else(|| "UTC".to_owned());
    let mut days = Vec::new();
    for day in table.list("every") {
        let name = day.text(cx).unwrap_or_default();
        let short: String = name
            .chars()
            .take(3)
            .collect::<String>()
            .to_ascii_uppercase();
        if ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"].contains(&short.as_str()) {
            days.push(short);
        } else {
            cx.lost(&day.place, "no day of the week");
        }
    }
    table.finish(cx);
    if !enabled {
        cx.lost(&field.place, "the window is disabled: it is left out");
        return;
    }
    let clock = start.split_once(':').and_then(|(hour, minute)| {
        let hour: u8 = hour.trim().parse().ok()?;
        let minute: u8 = minute.trim().parse().ok()?;
        (hour < 24 && minute < 60).then_some((hour, minute))
    });
    let (Some((hour, minute)), Some(lasts)) = (clock, lasts.filter(|it| *it > 0)) else {
        cx.lost(
            &field.place,
            "a window needs `start` as `hh:mm` and a `duration`: it is left out",
        );
        return;
    };
    let days = if days.is_empty() {
        "*".to_owned()
    } else {
        days.join(",")
    };
    let mut window = Maintenance {
        place: field.place.clone(),
        ..Maintenance::default()
    };
    if let Some(monitors) = monitors {
        window.keys.set("monitors", monitors.to_vec());
    } else {
        let all: Vec<_> = cx.draft.services.iter().map(|it| it.id.clone()).collect();
        if all.is_empty() {
            return;
        }
        window.keys.set("services", all);
    }
    window
        .keys
        .set("cron", format!("{minute} {hour} * * {days}"));
    window.keys.set("time_zone", zone);
    window.keys.set("lasts", span::written(lasts));
    cx.draft.maintenances.push(window);
}
