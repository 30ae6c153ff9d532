//! status-incident: the JSON of its export.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::draft::{Keys, Monitor, Service};
use crate::fields::Fields;
use crate::input::{ImportError, Input};
use crate::names::{self, Ids};
use crate::node;
use crate::target;

pub(crate) fn read(cx: &mut Context<'_>, input: &Input) -> Result<(), ImportError> {
    let (name, text) = input.single()?;
    let node = node::json(&name, &text)?;
    let mut root = Fields::whole(&name, &node)?;
    if !root.has("systems") {
        let what = "has no `systems`, as an export of status-incident has";
        let instead = "export by `/api/export` and name that file";
        return Err(ImportError::new(name, what, instead));
    }
    let place = root.place.clone();
    let mut systems: BTreeMap<i64, usize> = BTreeMap::new();
    let mut services: Vec<(Service, Ids)> = Vec::new();
    for (number, field) in (1..).zip(root.list("systems")) {
        let Some(mut fields) = field.table(cx) else {
            continue;
        };
        let id = fields.integer("id", cx).unwrap_or(number);
        let label = fields
            .filled("name", cx)
            .unwrap_or_else(|| format!("system {id}"));
        let mut service = Service {
            id: cx.service_ids.make(&label, &format!("system-{id}")),
            ..Service::default()
        };
        service
            .keys
            .set_some("label", cx.line(&label, 100, &field.place));
        if let Some(text) = fields.filled("description", cx) {
            service
                .keys
                .set_some("description", cx.line(&text, 500, &field.place));
        }
        fields.lose(
            &["url", "owner"],
            "services have no address and no owner",
            cx,
        );
        fields.lose(&["sla_target"], "there are no targets for uptime", cx);
        fields.skip(&["created_at", "updated_at"]);
        let status = fields.text("status", cx);
        if status.is_some_and(|it| !it.trim().eq_ignore_ascii_case("green")) {
            cx.lost(
                &field.place,
                "its status is not moved: it is found out anew",
            );
        }
        fields.finish(cx);
        systems.insert(id, services.len());
        services.push((service, Ids::default()));
    }
    for field in root.list("dependencies") {
        let Some(mut fields) = field.table(cx) else {
            continue;
        };
        let system = fields.integer("system_id", cx);
        let slot = system
            .and_then(|id| systems.get(&id))
            .and_then(|at| services.get_mut(*at));
        let Some((service, ids)) = slot else {
            cx.lost(&field.place, "it belongs to no system of this export");
            continue;
        };
        let monitor = dependency(&mut fields, ids, &service.id, cx);
        fields.finish(cx);
        service.monitors.push(monitor);
    }
    for (mut service, mut ids) in services {
        if service.monitors.is_empty() {
            let mut monitor = Monitor {
                id: ids.make("status", "status"),
                place: place.clone(),
                ..Monitor::default()
            };
            monitor.keys.set("passive", "manual");
            service.monitors.push(monitor);
        }
        cx.draft.services.push(service);
    }
    root.lose(&["logs"], "history is not moved", cx);
    let missing = "an export has no webhooks, maintenance, incidents, targets for uptime, nor methods, headers, bodies and expectations of checks: set them anew";
    cx.lost(&place, missing);
    root.skip(&["exported_at", "version"]);
    root.finish(cx);
    Ok(())
}

fn dependency(
    fields: &mut Fields<'_>,
    ids: &mut Ids,
    service: &str,
    cx: &mut Context<'_>,
) -> Monitor {
    let place = fields.place.clone();
    let label = fields
        .filled("name", cx)
        .unwrap_or_else(|| "dependency".to_owned());
    let mut monitor = Monitor {
        id: ids.make(&label, "dependency"),
        place: place.clone(),
        ..Monitor::default()
    };
    monitor.keys.set_some("label", cx.line(&label, 100, &place));
    if let Some(text) = fields.filled("description", cx) {
        monitor
            .keys
            .set_some("description", names::line(&text, 500));
    }
    fields.skip(&[
        "id",
        "status",
        "consecutive_failures",
        "last_check",
        "created_at",
        "updated_at",
        "last_latency",
        "last_status_code",
    ]);
    let interval = fields.number("heartbeat_interval", cx);
    let url = fields.filled("heartbeat_url", cx);
    let words = format!("{service} {label}");
    let mut config = Keys::default();
    let target = url.and_then(|url| target::web(&url, &words, &mut config, &place, cx));
    let Some(target) = target else {
        monitor.keys.set("passive", "manual");
        cx.differs(
            &place,
            "without a heartbeat: its health is set through the API or by `watchkeeper set`",
        );
        return monitor;
    };
    monitor.keys.set("targets", vec![target]);
    let seconds = interval.filter(|it| *it > 0.0).unwrap_or(60.0);
    let every = crate::span::from_seconds(seconds).unwrap_or(60_000);
    let every = cx.span(every, 1_000, 86_400_000, &place);
    // One or two failures in a row are yellow, three red; one success is green.
    let mut retry = Keys::default();
    retry.set("times", 0);
    let mut confirm = Keys::default();
    confirm.set("dead", 3);
    monitor.keys.set("every", every).set("timeout", "10s");
    monitor
        .keys
        .set("retry", retry)
        .set("confirm", confirm)
        .set("degrade", true);
    config.set("tls.sick_below", "0s");
    monitor.config = config;
    monitor
}
