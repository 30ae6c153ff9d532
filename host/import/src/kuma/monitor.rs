//! Uptime Kuma's monitors.

use super::{monitor, nested};
use crate::context::Context;
use crate::draft::{Keys, Monitor, Term};
use crate::fields::{Field, Fields};
use crate::http::{self, Codes};
use crate::report::Place;
use crate::span;
use crate::target::{self, Url};

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// Columns that say nothing of their own: those of other types, what is shown or
/// remembered, and what was read together with another column.
const PASSED_OVER: &[&str] = &[
    "id",
    "name",
    "type",
    "parent",
    "active",
    "userid",
    "weight",
    "createddate",
    "pathname",
    "path",
    "childrenids",
    "forceinactive",
    "maintenance",
    "screenshot",
    "includesensitivedata",
    "dnslastresult",
    "interval",
    "retryinterval",
    "maxretries",
    "timeout",
    "url",
    "hostname",
    "port",
    "method",
    "body",
    "headers",
    "keyword",
    "invertkeyword",
    "jsonpath",
    "jsonpathoperator",
    "expectedvalue",
    "httpbodyencoding",
    "basicauthuser",
    "basicauthpass",
    "authmethod",
    "bearertoken",
    "authdomain",
    "authworkstation",
    "oauthclientid",
    "oauthclientsecret",
    "oauthtokenurl",
    "oauthscopes",
    "oauthaudience",
    "oauthauthmethod",
    "tlsca",
    "tlscert",
    "tlskey",
    "ignoretls",
    "expirynotification",
    "domainexpirynotification",
    "maxredirects",
    "acceptedstatuscodes",
    "acceptedstatuscodesjson",
    "dnsresolvetype",
    "dnsresolveserver",
    "dockercontainer",
    "dockerhost",
    "pushtoken",
    "mqtttopic",
    "mqttsuccessmessage",
    "mqttusername",
    "mqttpassword",
    "mqttchecktype",
    "mqttwebsocketpath",
    "databasequery",
    "databaseconnectionstring",
    "grpcurl",
    "grpcprotobuf",
    "grpcbody",
    "grpcmetadata",
    "grpcmethod",
    "grpcservicename",
    "grpcenabletls",
    "radiususername",
    "radiuspassword",
    "radiussecret",
    "radiuscallingstationid",
    "radiuscalledstationid",
    "packetsize",
    "game",
    "gamedigtoken",
    "gamediggivenportonly",
    "kafkaproducertopic",
    "kafkaproducerbrokers",
    "kafkaproducerssl",
    "kafkaproducersasloptions",
    "kafkaproducerallowautotopiccreation",
    "kafkaproducermessage",
    "remotebrowser",
    "screenshotdelay",
    "snmpoid",
    "snmpversion",
    "snmpv3username",
    "rabbitmqnodes",
    "rabbitmqusername",
    "rabbitmqpassword",
    "smtpsecurity",
    "pingnumeric",
    "pingcount",
    "pingperrequesttimeout",
    "ipfamily",
    "manualstatus",
    "cachebust",
    "conditions",
    "resendinterval",
    "saveresponse",
    "saveerrorresponse",
    "responsemaxlength",
    "location",
    "protocol",
    "subtype",
    "systemservicename",
    "wsignoresecwebsocketacceptheader",
    "wssubprotocol",
    "ntpstratumthreshold",
    "ntptimeoffsetthreshold",
    "ntprootdispersionthreshold",
    "expectedtlsalert",
    "retryonlyonstatuscodefailure",
    "notificationidlist",
    "description",
    "upsidedown",
    "customurl",
    "sendurl",
];

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
            && matches!(&node.value, crate::node::Value::List(items) if !items.is_empty())
        {
            cx.lost(
                &field.place,
                "conditions are not carried over: write what must hold into `config`",
            );
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

fn web(kind: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let url = reading.fields.filled("url", cx).unwrap_or_default();
    let place = reading.place.clone();
    let words = reading.words.clone();
    let found = target::web(&url, &words, &mut reading.config, &place, cx);
    reading.targets.extend(found);
    let fields = &mut reading.fields;
    let config = &mut reading.config;
    if kind == "real-browser" {
        cx.differs(&place, "no browser is started: the address is fetched");
    }
    if let Some(method) = fields.filled("method", cx)
        && method != "GET"
    {
        config.set("method", method.to_ascii_uppercase());
    }
    if let Some(field) = fields.take("headers") {
        match nested(&field) {
            Some(node) => {
                let nested = Field {
                    node: &node,
                    place: field.place.clone(),
                };
                http::headers(&nested, &words, config, cx);
            }
            None if field.text(cx).is_some_and(|it| !it.trim().is_empty()) => {
                cx.lost(&field.place, "the headers are no JSON");
            }
            None => {}
        }
    }
    if let Some(field) = fields.take("body")
        && let Some(text) = field.text(cx)
        && !text.trim().is_empty()
    {
        config.set_some("body", http::body(&text, &words, &field.place, cx));
        let encoding = fields.filled("httpbodyencoding", cx);
        let content = match encoding.as_deref() {
            Some("form") => "application/x-www-form-urlencoded",
            Some("xml") => "text/xml; charset=utf-8",
            _ => "application/json",
        };
        let given = matches!(config.get("headers"), Some(Term::Table(headers)) if headers.0.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")));
        if !given {
            config.set_named("headers", "Content-Type", content);
        }
    }
    auth(fields, &words, config, &place, cx);
    codes(fields, config, cx);
    let keyword = fields.filled("keyword", cx);
    let inverted = fields.flag("invertkeyword", cx) == Some(true);
    if let (Some(keyword), "keyword") = (keyword, kind) {
        let key = if inverted {
            "expect.body_not"
        } else {
            "expect.body"
        };
        let term = cx.text(&keyword, &place);
        config.set(key, term);
    }
    if kind == "json-query" {
        json_query(fields, config, &place, cx);
    }
    if let Some(most) = fields.integer("maxredirects", cx) {
        config.set("redirects.follow", most.clamp(0, 15));
    }
    if fields.flag("ignoretls", cx) == Some(true) {
        config.set("tls.verify", false);
    } else if fields.flag("expirynotification", cx) == Some(false) {
        config.set("tls.sick_below", "0s");
    }
    if fields.flag("domainexpirynotification", cx) == Some(true) {
        cx.lost(
            &place,
            "the domain's expiry is a check of its own: a monitor with the target `domain://…`",
        );
    }
    if fields.flag("cachebust", cx) == Some(true) {
        config.set("cache_buster", "uptime_kuma_cachebuster");
    }
    let family = fields.filled("ipfamily", cx);
    if family.is_some() {
        cx.lost(
            &place,
            "the family of addresses cannot be chosen for this kind of check",
        );
    }
}

fn auth(
    fields: &mut Fields<'_>,
    words: &str,
    config: &mut Keys,
    place: &Place,
    cx: &mut Context<'_>,
) {
    let method = fields.filled("authmethod", cx);
    let user = fields.filled("basicauthuser", cx);
    let secret = |key: &str, fields: &mut Fields<'_>, cx: &mut Context<'_>| {
        let field = fields.take(key)?;
        let text = field.text(cx)?;
        cx.secret(&format!("{words} password"), &text, &field.place)
    };
    match method.as_deref() {
        // Before there were methods, a user meant this one.
        Some("basic") | None => {
            if let Some(user) = user {
                let user = cx.text(&user, place);
                config.set("auth.basic.username", user);
                let password = secret("basicauthpass", fields, cx);
                config.set("auth.basic.password", password.unwrap_or_else(|| "".into()));
            }
        }
        Some("bearer") => {
            let token = secret("bearertoken", fields, cx);
            config.set_some("auth.bearer", token);
        }
        Some("null" | "none") => {}
        Some(method) => {
            cx.lost(place, format!("the check does not log in by `{method}`; the probe `steps` can fetch a token first"));
        }
    }
}

fn codes(fields: &mut Fields<'_>, config: &mut Keys, cx: &mut Context<'_>) {
    let field = fields
        .take("acceptedstatuscodesjson")
        .or_else(|| fields.take("acceptedstatuscodes"));
    let Some(field) = field else {
        return;
    };
    let Some(node) = nested(&field) else {
        return;
    };
    let nested = Field {
        node: &node,
        place: field.place.clone(),
    };
    let mut good = Codes::none();
    for item in nested.list() {
        match item.text(cx).as_deref().and_then(http::codes) {
            Some((first, last)) => good.add(first, last),
            None => cx.lost(&item.place, "no status code or range of them"),
        }
    }
    if !good.is_empty() {
        config.set("expect.status", good.written());
    }
}

/// An assertion by JSONata; simple paths are ours as well.
fn json_query(fields: &mut Fields<'_>, config: &mut Keys, place: &Place, cx: &mut Context<'_>) {
    let path = fields
        .filled("jsonpath", cx)
        .unwrap_or_else(|| "$".to_owned());
    let value = fields.text("expectedvalue", cx).unwrap_or_default();
    let op = fields
        .filled("jsonpathoperator", cx)
        .unwrap_or_else(|| "==".to_owned());
    let inner = path.trim().trim_start_matches("$.").trim_start_matches('$');
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_.[]-".contains(c);
    let known = ["==", "!=", "<", "<=", ">", ">=", "contains"];
    if !inner.chars().all(is_path) || inner.contains('-') || !known.contains(&op.as_str()) {
        cx.lost(place, "the JSONata query is not carried over, only the status is checked: write it as `expect.json`");
        return;
    }
    let path = if inner.is_empty() || inner.starts_with('[') {
        format!("${inner}")
    } else {
        format!("$.{inner}")
    };
    let value = match (value.parse::<i64>(), value.as_str()) {
        (Ok(number), _) => Term::Integer(number),
        (_, "true") => Term::Bool(true),
        (_, "false") => Term::Bool(false),
        _ => cx.text(&value, place),
    };
    let mut assertion = Keys::default();
    assertion
        .set("path", path)
        .set("op", op)
        .set("value", value);
    config.push("expect.json", assertion);
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

fn smtp(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let security = reading
        .fields
        .filled("smtpsecurity", cx)
        .unwrap_or_default();
    if let Some((host, port)) = host_port(reading, cx) {
        let secure = security == "secure";
        let scheme = if secure { "smtps" } else { "smtp" };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        address(&format!("{scheme}://{host}{port}"), reading, cx);
        match security.as_str() {
            "starttls" => {
                reading.config.set("starttls", "required");
            }
            "nostarttls" => {
                reading.config.set("starttls", "never");
            }
            _ => {}
        }
    }
}

fn mqtt(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let Some((host, port)) = host_port(reading, cx) else {
        return;
    };
    let place = reading.place.clone();
    let (scheme, host) = match host.split_once("://") {
        Some(("mqtts" | "ssl" | "tls", host)) => ("mqtts", host.to_owned()),
        Some(("ws" | "wss", _)) => {
            cx.lost(&place, "MQTT over WebSocket is not possible");
            return;
        }
        Some((_, host)) => ("mqtt", host.to_owned()),
        None => ("mqtt", host),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    address(&format!("{scheme}://{host}{port}"), reading, cx);
    login("mqttusername", "mqttpassword", reading, cx);
    if reading.fields.filled("mqtttopic", cx).is_some() {
        cx.lost(&place, "nobody waits for messages of others: that the broker lets in is checked; with `topic` a message has to come back, so give it one that nobody else uses");
    }
}

fn login(user: &str, password: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let place = reading.place.clone();
    if let Some(user) = reading.fields.filled(user, cx) {
        let term = cx.text(&user, &place);
        reading.config.set("username", term);
    }
    if let Some(field) = reading.fields.take(password)
        && let Some(text) = field.text(cx)
    {
        let term = cx.secret(&format!("{} password", reading.words), &text, &field.place);
        reading.config.set_some("password", term);
    }
}

fn rabbitmq(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let place = reading.place.clone();
    if let Some(field) = reading.fields.take("rabbitmqnodes")
        && let Some(node) = nested(&field)
    {
        let nested = Field {
            node: &node,
            place: field.place.clone(),
        };
        for item in nested.list() {
            let url = item.text(cx).and_then(|text| Url::parse(&text));
            match url {
                Some(url) => {
                    let found = target::shown(&url, &place, cx);
                    reading.targets.extend(found);
                }
                None => cx.lost(&item.place, "no address"),
            }
        }
    }
    reading.targets.dedup();
    login("rabbitmqusername", "rabbitmqpassword", reading, cx);
    reading.config.set("alarms", "dead");
}

fn database(kind: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let place = reading.place.clone();
    let text = reading
        .fields
        .filled("databaseconnectionstring", cx)
        .unwrap_or_default();
    let Some(url) = Url::parse(&text) else {
        cx.lost(&place, "the connection string is no URL");
        return;
    };
    let path = url
        .rest
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned();
    if path.len() < url.rest.len() {
        cx.lost(&place, "options behind `?` of the connection string are left out: see `tls` and `database` of the probe");
    }
    if !url.authority.contains(',') {
        address(
            &format!("{}://{}{path}", url.scheme, url.authority),
            reading,
            cx,
        );
    } else {
        cx.lost(&place, "a target has one host: make one target for each");
    }
    if let Some(user) = &url.user {
        let user = cx.text(user, &place);
        reading.config.set("username", user);
    }
    // In version 1 the password of MySQL stands in a column of another type.
    let password = url.password.or_else(|| {
        let other = reading.fields.filled("radiuspassword", cx);
        other.filter(|_| kind == "mysql")
    });
    if let Some(password) = password {
        let term = cx.secret(&format!("{} password", reading.words), &password, &place);
        reading.config.set_some("password", term);
    }
    if kind == "redis" {
        if reading.fields.flag("ignoretls", cx) == Some(true) && url.scheme == "rediss" {
            reading.config.set("tls.allow_untrusted", true);
        }
    } else if let Some(query) = reading.fields.filled("databasequery", cx) {
        let term = cx.text(query.trim(), &place);
        reading.config.set("query", term);
    }
}

fn grpc(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let place = reading.place.clone();
    let service = reading
        .fields
        .filled("grpcservicename", cx)
        .unwrap_or_default();
    let secure = reading.fields.flag("grpcenabletls", cx) == Some(true);
    let url = reading.fields.filled("grpcurl", cx).unwrap_or_default();
    if !service.to_ascii_lowercase().contains("health") {
        cx.lost(
            &place,
            "only the standard health service is asked, no other method",
        );
        return;
    }
    let scheme = if secure { "grpcs" } else { "grpc" };
    let behind = url
        .split_once("://")
        .map_or(url.as_str(), |(_, behind)| behind);
    address(&format!("{scheme}://{behind}"), reading, cx);
    cx.differs(
        &place,
        "the health service's answer is judged, without a keyword",
    );
}

fn websocket(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let url = reading.fields.filled("url", cx).unwrap_or_default();
    let place = reading.place.clone();
    if let Some(url) = Url::parse(&url) {
        let found = target::shown(&url, &place, cx);
        reading.targets.extend(found);
    }
    if let Some(names) = reading.fields.filled("wssubprotocol", cx) {
        let names = names.split(',').map(str::trim).filter(|it| !it.is_empty());
        let names: Vec<_> = names.map(str::to_owned).collect();
        reading.config.set("subprotocols", names);
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
