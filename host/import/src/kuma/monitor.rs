//! Uptime Kuma's monitors.

mod columns;
mod conditions;
mod servers;
mod web;

use self::columns::PASSED_OVER;
use self::servers::{database, grpc, mqtt, rabbitmq, smtp, websocket};
use self::web::web;
use super::{monitor, nested};
use crate::context::Context;
use crate::draft::{Keys, Monitor};
use crate::fields::{Field, Fields};
use crate::report::Place;
use crate::span;
use crate::target;

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// A monitor while it is read.
struct Reading<'n> {
    fields: Fields<'n>,
    place: Place,
    words: String,
    config: Keys,
    targets: Vec<String>,
}

pub(super) fn read(
    fields: Fields<'_>,
    number: i64,
    name: &str,
    kind: &str,
    id: String,
    cx: &mut Context<'_>,
) -> Option<Monitor> {
    let place = fields.place.clone();
    let mut made = monitor(id, &place);
    let mut reading = Reading {
        fields,
        words: name.to_owned(),
        config: Keys::default(),
        targets: Vec::new(),
        place: place.clone(),
    };
    made.keys.set_some("label", cx.line(name, 100, &place));
    if let Some(text) = reading.fields.filled("description", cx) {
        made.keys
            .set_some("description", cx.line(&text, 500, &place));
    }
    let gone = |why: &str, cx: &mut Context<'_>| {
        cx.lost(
            &place,
            format!("the monitor {number} `{name}` is left out: {why}"),
        );
    };
    if reading.fields.flag("upsidedown", cx) == Some(true) {
        gone("checks cannot be turned upside down", cx);
        return None;
    }
    match kind {
        "http" | "keyword" | "json-query" | "real-browser" => web(kind, &mut reading, cx),
        "port" => port(&mut reading, cx),
        "ping" | "tailscale-ping" => ping(kind, &mut reading, cx),
        "dns" => dns(&mut reading, cx),
        "smtp" => smtp(&mut reading, cx),
        "mqtt" => mqtt(&mut reading, cx),
        "rabbitmq" => {
            made.keys.set("probe", "rabbitmq");
            rabbitmq(&mut reading, cx);
        }
        "postgres" | "mysql" | "redis" => database(kind, &mut reading, cx),
        "grpc-keyword" => grpc(&mut reading, cx),
        "websocket-upgrade" => websocket(&mut reading, cx),
        "ntp" => {
            let host = reading.fields.filled("hostname", cx).unwrap_or_default();
            let port = reading.fields.integer("port", cx).unwrap_or(123);
            address(
                &format!("ntp://{}:{port}", target::bracketed(&host)),
                &mut reading,
                cx,
            );
        }
        "push" | "manual" => {
            passive(kind, &mut reading, &mut made, cx);
            reading.rest(cx);
            return Some(made);
        }
        "docker" | "system-service" | "pm2" => {
            gone(
                "nothing that runs beside the host is looked at; a heartbeat can tell of it",
                cx,
            );
            return None;
        }
        "sqlserver" | "mongodb" | "oracledb" | "kafka-producer" | "radius" | "snmp" | "steam"
        | "gamedig" | "sip-options" | "globalping" => {
            gone(&format!("there is no probe for `{kind}`"), cx);
            return None;
        }
        _ => {
            gone(&format!("`{kind}` is no type that is known here"), cx);
            return None;
        }
    }
    if reading.targets.is_empty() {
        gone("it has no address", cx);
        return None;
    }
    made.keys.set("targets", reading.targets.clone());
    rhythm(&mut reading, &mut made, cx);
    reading.rest(cx);
    made.config = reading.config;
    Some(made)
}

impl Reading<'_> {
    fn rest(&mut self, cx: &mut Context<'_>) {
        let mut fields = self.fields.clone();
        fields.lose(&["proxyid"], "checks do not go through proxies", cx);
        fields.lose(&["tags"], "monitors have no tags", cx);
        if let Some(field) = fields.take("conditions")
            && let Some(node) = nested(&field)
            && conditions::some(&node.value)
        {
            let kind = fields.text("type", cx).unwrap_or_default();
            let record = fields.filled("dnsresolvetype", cx);
            let place = field.place;
            let list = Field {
                node: &node,
                place: place.clone(),
            };
            if !conditions::read(&kind, record.as_deref(), &list, &mut self.config, cx) {
                cx.lost(
                    &place,
                    "these conditions are not carried over: write what must hold into `config`",
                );
            }
        }
        fields.skip(PASSED_OVER);
        fields.finish(cx);
    }
}

/// Adds a target.
fn address(text: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    if let Some(target) = target::checked(text, &reading.place, cx) {
        reading.targets.push(target);
    }
}

fn rhythm(reading: &mut Reading<'_>, made: &mut Monitor, cx: &mut Context<'_>) {
    let fields = &mut reading.fields;
    let place = &reading.place;
    let interval = fields
        .number("interval", cx)
        .filter(|it| *it > 0.0)
        .unwrap_or(60.0);
    let every = span::from_seconds(interval).unwrap_or(60 * SECOND);
    let timeout = fields.number("timeout", cx).filter(|it| *it > 0.0);
    let timeout = span::from_seconds(timeout.unwrap_or(interval * 0.8)).unwrap_or(48 * SECOND);
    let retries = fields.integer("maxretries", cx).unwrap_or(0);
    let pause = fields.number("retryinterval", cx).filter(|it| *it > 0.0);
    let written = cx.span(every, SECOND, DAY, place);
    made.keys.set("every", written);
    let written = cx.span(timeout, 100, 300 * SECOND, place);
    made.keys.set("timeout", written);
    let mut retry = Keys::default();
    retry.set("times", 0);
    made.keys.set("retry", retry);
    if retries > 0 {
        let mut confirm = Keys::default();
        confirm.set("dead", retries.saturating_add(1).clamp(1, 100));
        made.keys.set("confirm", confirm);
        if pause.is_some_and(|pause| (pause - interval).abs() > 0.5) {
            cx.differs(
                place,
                "retries come in the rhythm of the monitor, not in one of their own",
            );
        }
    }
}

fn host_port(reading: &mut Reading<'_>, cx: &mut Context<'_>) -> Option<(String, Option<i64>)> {
    let host = reading.fields.filled("hostname", cx)?;
    let port = reading.fields.integer("port", cx);
    Some((
        target::bracketed(host.trim()),
        port.filter(|port| (1..=65_535).contains(port)),
    ))
}

fn port(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    if let Some((host, Some(port))) = host_port(reading, cx) {
        address(&format!("tcp://{host}:{port}"), reading, cx);
    }
    let security = reading.fields.filled("smtpsecurity", cx);
    if security.is_some_and(|it| it != "none") {
        let place = reading.place.clone();
        cx.lost(
            &place,
            "only the connection is checked: the probes `tls` and `smtp` speak TLS",
        );
    }
}

fn ping(kind: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    if let Some((host, _)) = host_port(reading, cx) {
        address(&format!("icmp://{host}"), reading, cx);
    }
    if kind == "tailscale-ping" {
        let place = reading.place.clone();
        cx.differs(
            &place,
            "an ordinary ping: this machine has to be in the network",
        );
    }
    if let Some(count) = reading.fields.integer("pingcount", cx) {
        reading.config.set("packets", count.clamp(1, 20));
    }
    let family = reading.fields.filled("ipfamily", cx);
    if let Some(family) = family.filter(|it| ["ipv4", "ipv6"].contains(&it.as_str())) {
        reading.config.set("family", family);
    }
    if let Some(size) = reading.fields.take("packetsize")
        && size.integer(cx).is_some_and(|size| size != 56)
    {
        cx.lost(&size.place, "the size of a ping cannot be chosen");
    }
}

fn dns(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let Some((_, port)) = host_port(reading, cx) else {
        return;
    };
    let name = reading.fields.filled("hostname", cx).unwrap_or_default();
    let name = target::encoded(name.trim().trim_end_matches('.'));
    let kind = reading
        .fields
        .filled("dnsresolvetype", cx)
        .unwrap_or_else(|| "A".to_owned());
    let kind = target::encoded(&kind.to_ascii_uppercase());
    let servers = reading
        .fields
        .filled("dnsresolveserver", cx)
        .unwrap_or_default();
    let servers: Vec<_> = servers
        .split(',')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    for server in &servers {
        let port = port
            .filter(|port| *port != 53)
            .map(|port| format!(":{port}"));
        let server = target::bracketed(server);
        let written = format!(
            "dns://{server}{}/{name}?type={kind}",
            port.unwrap_or_default()
        );
        address(&written, reading, cx);
    }
    if servers.is_empty() {
        address(&format!("dns:{name}?type={kind}"), reading, cx);
    }
}

fn passive(kind: &str, reading: &mut Reading<'_>, made: &mut Monitor, cx: &mut Context<'_>) {
    let place = reading.place.clone();
    if kind == "manual" {
        made.keys.set("passive", "manual");
        cx.differs(&place, "its health is unknown until it is set");
        return;
    }
    let interval = reading
        .fields
        .number("interval", cx)
        .filter(|it| *it > 0.0)
        .unwrap_or(60.0);
    let period = span::from_seconds(interval).unwrap_or(60 * SECOND);
    let retries = reading.fields.number("maxretries", cx).unwrap_or(0.0);
    let pause = reading
        .fields
        .number("retryinterval", cx)
        .filter(|it| *it > 0.0)
        .unwrap_or(interval);
    let grace = span::from_seconds(retries * pause).unwrap_or(0).max(SECOND);
    let token = reading.fields.take("pushtoken").and_then(|field| {
        let text = field.text(cx)?;
        if !(16..=128).contains(&text.len()) {
            cx.differs(
                &field.place,
                "a token has 16 to 128 letters, digits, `-`, `.`, `_`, `~` here: set a new one",
            );
        }
        cx.secret(&format!("{} token", reading.words), &text, &field.place)
    });
    let Some(token) = token else {
        made.keys.set("passive", "manual");
        cx.lost(
            &place,
            "a push monitor without its token: give it `passive = \"heartbeat\"` and a token",
        );
        return;
    };
    made.keys.set("passive", "heartbeat").set("token", token);
    let period = cx.span(period, SECOND, 366 * DAY, &place);
    let grace = cx.span(grace, SECOND, 30 * DAY, &place);
    made.keys.set("period", period).set("grace", grace);
    cx.differs(&place, "what calls `/api/push/TOKEN` calls `/heartbeat/TOKEN` now, and `/heartbeat/TOKEN/fail` for `status=down`");
}
