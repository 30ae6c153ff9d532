//! Vigil's `probe`: services, nodes, replicas.

use super::{Metrics, Rabbit, cache_buster, script};
use crate::context::Context;
use crate::draft::{Keys, Monitor, Service};
use crate::fields::{Field, Fields};
use crate::http::{self, Codes};
use crate::names::Ids;
use crate::node::{Node, Value};
use crate::report::Place;
use crate::target::{self, Url};
use crate::{Kind, span};

/// A second, in milliseconds.
pub(super) const SECOND: u64 = 1_000;
/// A day, in milliseconds.
pub(super) const DAY: u64 = 86_400 * SECOND;

/// A node while it is read.
pub(super) struct NodeTable<'n> {
    pub(super) fields: Fields<'n>,
    pub(super) place: Place,
    id: String,
    /// `service id`, for the names of variables.
    words: String,
}

pub(super) fn read(
    root: &mut Fields<'_>,
    metrics: &Metrics,
    rabbit: Option<&Rabbit>,
    cx: &mut Context<'_>,
) {
    defaults(metrics, cx);
    let Some(mut probe) = root.table("probe", cx) else {
        return;
    };
    let services = probe
        .take("service")
        .map(|it| rows(&it))
        .unwrap_or_default();
    probe.finish(cx);
    let mut hidden = 0;
    for (key, service) in services {
        if let Some(table) = service.table(cx) {
            read_service(key, table, metrics, rabbit, &mut hidden, cx);
        }
    }
    if hidden > 0 {
        let what = format!(
            "{hidden} nodes do not reveal their replicas' names: here the page shows every target, without user and query"
        );
        cx.differs(&metrics.place, what);
    }
    if cx.draft.services.iter().any(|it| {
        it.monitors
            .iter()
            .any(|it| it.keys.get("passive").is_some())
    }) {
        cx.differs(
            &metrics.place,
            "monitors that nobody has reported to are unknown, not healthy",
        );
    }
}

/// Rows of a list, or of a table by id, as Övervakt has it.
fn rows<'n>(field: &Field<'n>) -> Vec<(Option<&'n str>, Field<'n>)> {
    match &field.node.value {
        Value::Table(entries) => entries
            .iter()
            .filter(|(_, node)| matches!(node.value, Value::Table(_)))
            .map(|(key, node): &(String, Node)| {
                (Some(key.as_str()), field.below(node, &format!(".{key}")))
            })
            .collect(),
        _ => field.list().into_iter().map(|row| (None, row)).collect(),
    }
}

fn defaults(metrics: &Metrics, cx: &mut Context<'_>) {
    let place = &metrics.place;
    let every = cx.span(metrics.interval, SECOND, DAY, place);
    let timeout = cx.span(metrics.dead, 100, 300 * SECOND, place);
    let wait = cx.span(metrics.retry_wait, 0, 300 * SECOND, place);
    let mut retry = Keys::default();
    retry
        .set("times", metrics.retry.clamp(0, 10))
        .set("wait", wait);
    if metrics.retry > 10 {
        cx.differs(place, "at most 10 repetitions are possible");
    }
    let defaults = &mut cx.draft.defaults;
    defaults
        .set("every", every)
        .set("timeout", timeout)
        .set("retry", retry);
}

fn read_service(
    key: Option<&str>,
    mut table: Fields<'_>,
    metrics: &Metrics,
    rabbit: Option<&Rabbit>,
    hidden: &mut usize,
    cx: &mut Context<'_>,
) {
    let place = table.place.clone();
    let id = table.text("id", cx).or(key.map(str::to_owned));
    let id = id.unwrap_or_default();
    let mut service = Service {
        id: cx.service_ids.make(&id, "service"),
        ..Service::default()
    };
    kept(&id, &service.id, &place, cx);
    if let Some(label) = table.text("label", cx) {
        service.keys.set_some("label", cx.line(&label, 100, &place));
    }
    let nodes = table.take("node").map(|it| rows(&it)).unwrap_or_default();
    table.finish(cx);
    let mut ids = Ids::default();
    // Ids that stand in the file go first, so that none made up here takes one.
    let mut tables = Vec::new();
    for (key, node) in nodes {
        let Some(mut fields) = node.table(cx) else {
            continue;
        };
        let named = fields.text("id", cx).or(key.map(str::to_owned));
        let named = named.unwrap_or_default();
        let id = ids.make(&named, "node");
        kept(&named, &id, &node.place, cx);
        tables.push(NodeTable {
            fields,
            place: node.place,
            words: format!("{} {id}", service.id),
            id,
        });
    }
    for node in tables {
        let made = read_node(node, metrics, rabbit, &mut ids, hidden, &service.id, cx);
        service.monitors.extend(made);
    }
    if service.monitors.is_empty() {
        cx.lost(&place, "a service without nodes that could be carried over");
    } else {
        cx.draft.services.push(service);
    }
}

/// Reports an id that could not be kept.
fn kept(theirs: &str, ours: &str, place: &Place, cx: &mut Context<'_>) {
    if theirs != ours {
        cx.differs(
            place,
            format!("the id is `{ours}` here: reporters and agents that name it have to be told"),
        );
    }
}

fn read_node(
    mut node: NodeTable<'_>,
    metrics: &Metrics,
    rabbit: Option<&Rabbit>,
    ids: &mut Ids,
    hidden: &mut usize,
    service: &str,
    cx: &mut Context<'_>,
) -> Vec<Monitor> {
    let mut monitor = Monitor {
        id: node.id.clone(),
        place: node.place.clone(),
        ..Monitor::default()
    };
    if let Some(label) = node.fields.text("label", cx) {
        monitor
            .keys
            .set_some("label", cx.line(&label, 100, &node.place));
    }
    let mode = node.fields.text("mode", cx).unwrap_or_default();
    let reveals = node.fields.flag("reveal_replica_name", cx).unwrap_or(false);
    *hidden += usize::from(!reveals && mode == "poll");
    node.fields.lose(
        &["link_url", "link_label"],
        "monitors have no link on the page",
        cx,
    );
    let made = match mode.as_str() {
        "poll" => poll(&mut node, &monitor, metrics, ids, cx),
        "script" => script::read(&mut node, &monitor, metrics, ids, cx),
        "push" => push(&mut node, monitor, metrics, rabbit, ids, service, cx),
        "local" => {
            let dead = cx.span(metrics.local_dead, 0, 30 * DAY, &metrics.place);
            monitor.keys.set("passive", "local").set("dead_after", dead);
            vec![monitor]
        }
        _ => {
            let what = "`mode` is none of poll, push, script and local: the node is left out";
            cx.lost(&node.place, what);
            Vec::new()
        }
    };
    node.fields.finish(cx);
    made
}

fn poll(
    node: &mut NodeTable<'_>,
    monitor: &Monitor,
    metrics: &Metrics,
    ids: &mut Ids,
    cx: &mut Context<'_>,
) -> Vec<Monitor> {
    let http = web_config(node, metrics, cx);
    // One monitor has one probe, where a node may have replicas of all kinds.
    let mut kinds: Vec<(&'static str, Keys, Vec<String>)> = Vec::new();
    for field in node.fields.list("replicas") {
        let Some(text) = field.text(cx) else {
            continue;
        };
        let text = cx.plain(text.trim(), &field.place);
        let Some(url) = Url::parse(&text) else {
            cx.lost(&field.place, "no address that Vigil would take");
            continue;
        };
        let mut config = Keys::default();
        let (kind, target) = match url.scheme.as_str() {
            "http" | "https" => {
                config.clone_from(&http);
                let found = target::web(&text, &node.words, &mut config, &field.place, cx);
                ("http", found)
            }
            "icmp" => {
                let wait = metrics.dead.min(SECOND);
                config.set("wait", span::written(wait.max(1)));
                (
                    "icmp",
                    target::checked(&url.without_user(), &field.place, cx),
                )
            }
            "tcp" => (
                "tcp",
                target::checked(&url.without_user(), &field.place, cx),
            ),
            "ssh" => (
                "ssh",
                target::checked(&url.without_user(), &field.place, cx),
            ),
            _ => {
                cx.lost(&field.place, "there is no probe for this scheme");
                continue;
            }
        };
        let Some(target) = target else {
            continue;
        };
        match kinds
            .iter_mut()
            .find(|(it, keys, _)| *it == kind && *keys == config)
        {
            Some((_, _, targets)) if targets.contains(&target) => {
                cx.differs(
                    &field.place,
                    "the replica stands there twice: it is checked once",
                );
            }
            Some((_, _, targets)) => targets.push(target),
            None => kinds.push((kind, config, vec![target])),
        }
    }
    if kinds.is_empty() {
        cx.lost(
            &node.place,
            "no replica could be carried over: the node is left out",
        );
    }
    if kinds.len() > 1 {
        cx.differs(
            &node.place,
            "replicas of several kinds: each kind is a monitor of its own",
        );
    }
    let sick = cx.span(metrics.sick, 1, 300 * SECOND, &metrics.place);
    let mut made = Vec::new();
    for (index, (kind, config, targets)) in kinds.into_iter().enumerate() {
        let mut monitor = monitor.clone();
        if index > 0 {
            monitor.id = ids.make(&format!("{}-{kind}", monitor.id), kind);
        }
        if targets.len() > 1_000 {
            cx.lost(
                &node.place,
                "a monitor has at most 1000 targets: the others are left out",
            );
        }
        let targets: Vec<_> = targets.into_iter().take(1_000).collect();
        monitor.keys.set("targets", targets);
        monitor.keys.set("sick_above", sick.as_str());
        monitor.config = config;
        made.push(monitor);
    }
    made
}

/// The configuration of checks of the web.
fn web_config(node: &mut NodeTable<'_>, metrics: &Metrics, cx: &mut Context<'_>) -> Keys {
    let mut config = Keys::default();
    let words = node.words.clone();
    let pattern = node.fields.take("http_body_healthy_match");
    let pattern = pattern.and_then(|field| {
        let text = field.text(cx)?;
        http::pattern(&text, &field.place, cx)
    });
    let method = node.fields.filled("http_method", cx);
    let otherwise = if pattern.is_some() { "GET" } else { "HEAD" };
    let method = method.map_or(otherwise.to_owned(), |method| method.to_ascii_uppercase());
    config.set("method", method.as_str());
    if let Some(field) = node.fields.take("http_headers") {
        http::headers(&field, &words, &mut config, cx);
    }
    if let Some(field) = node.fields.take("http_body")
        && let Some(text) = field.text(cx)
        && ["POST", "PUT", "PATCH"].contains(&method.as_str())
    {
        config.set_some("body", http::body(&text, &words, &field.place, cx));
    }
    let mut codes = Codes::none();
    codes.add(metrics.above, metrics.below.saturating_sub(1));
    if codes.is_empty() {
        cx.lost(
            &metrics.place,
            "no status code is good by `poll_http_status_healthy_…`: 2xx is taken",
        );
        codes.add(200, 299);
    }
    config.set("expect.status", codes.written());
    config.set_some("expect.body_regex", pattern);
    config.set("redirects.follow", 0);
    if node.fields.flag("http_no_cache_buster", cx) != Some(true) {
        config.set("cache_buster", cache_buster(cx.kind));
    }
    // Vigil does not look at how long a certificate is still good.
    config.set("tls.sick_below", "0s");
    config
}

fn push(
    node: &mut NodeTable<'_>,
    mut monitor: Monitor,
    metrics: &Metrics,
    rabbit: Option<&Rabbit>,
    ids: &mut Ids,
    service: &str,
    cx: &mut Context<'_>,
) -> Vec<Monitor> {
    let dead = cx.span(metrics.push_dead, 0, 30 * DAY, &metrics.place);
    monitor.keys.set("passive", "push").set("dead_after", dead);
    for (key, share) in [("load.cpu", metrics.cpu), ("load.ram", metrics.ram)] {
        if share > 0.0 && share <= 1_000.0 {
            monitor.keys.set(key, share);
        } else {
            cx.lost(
                &metrics.place,
                format!("`{key}` must be above 0 and at most 1000"),
            );
        }
    }
    let sick = node.fields.integer("rabbitmq_queue_nack_healthy_below", cx);
    let stalled = node.fields.integer("rabbitmq_queue_nack_dead_above", cx);
    let Some(field) = node.fields.take("rabbitmq_queue") else {
        return vec![monitor];
    };
    let Some(queue) = field.text(cx) else {
        return vec![monitor];
    };
    let Some(rabbit) = rabbit else {
        if cx.kind == Kind::Vigil || cx.kind == Kind::Overvakt {
            cx.lost(
                &field.place,
                "without `plugins.rabbitmq` the queue is not watched, as before",
            );
        }
        return vec![monitor];
    };
    let id = ids.make(&format!("{}-queue", monitor.id), "queue");
    let mut watched = Monitor {
        id: id.clone(),
        place: field.place.clone(),
        config: rabbit.config.clone(),
        ..Monitor::default()
    };
    watched.keys.set("label", format!("Queue {}", monitor.id));
    watched.keys.set("probe", "rabbitmq");
    watched.keys.set("targets", vec![rabbit.target.clone()]);
    watched.keys.set("every", "30s");
    let queue = cx.text(&queue, &field.place);
    watched.config.set("queue", queue);
    let counts = [
        ("unacked.sick", sick.or(rabbit.unacked.0)),
        ("unacked.dead", stalled.or(rabbit.unacked.1)),
    ];
    for (key, count) in counts {
        watched.config.set_some(key, count.filter(|it| *it >= 0));
    }
    monitor.keys.set("queue", format!("{service}/{id}"));
    cx.differs(&field.place, format!("the queue is watched by a monitor of its own, `{service}/{id}`, every 30 seconds instead of at each report, and is on the page"));
    vec![monitor, watched]
}
