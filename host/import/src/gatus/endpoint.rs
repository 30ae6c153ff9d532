//! Gatus's endpoints.

use super::alerting::{Alerting, Thresholds};
use super::conditions::{self, Asked, Probe};
use super::{Groups, maintenance, millis};
use crate::context::Context;
use crate::draft::{Keys, Monitor};
use crate::fields::Fields;
use crate::http;
use crate::report::Place;
use crate::span;
use crate::target::{self, Url};

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// The label under which a group and name go, and where they go.
struct Named {
    name: String,
    at: usize,
    words: String,
    place: Place,
}

fn named(table: &mut Fields<'_>, groups: &mut Groups, cx: &mut Context<'_>) -> Option<Named> {
    let place = table.place.clone();
    let name = table.text("name", cx).unwrap_or_default();
    let name = cx.plain(&name, &place);
    let group = table
        .filled("group", cx)
        .map(|group| cx.plain(&group, &place));
    if table.flag("enabled", cx) == Some(false) {
        cx.lost(&place, "the endpoint is disabled: it is left out");
        return None;
    }
    let at = groups.of(group.as_deref(), &name, &place, cx);
    Some(Named {
        words: format!("{} {name}", group.as_deref().unwrap_or_default()),
        name,
        at,
        place,
    })
}

/// A monitor that is told: an external endpoint.
pub(super) fn external<'n>(
    mut table: Fields<'n>,
    groups: &mut Groups,
    alerting: &mut Alerting<'n>,
    cx: &mut Context<'_>,
) {
    let Some(named) = named(&mut table, groups, cx) else {
        return;
    };
    let mut monitor = Monitor {
        id: groups.id(named.at, &named.name),
        place: named.place.clone(),
        ..Monitor::default()
    };
    monitor
        .keys
        .set_some("label", cx.line(&named.name, 100, &named.place));
    let alerts = table.list("alerts");
    let thresholds = alerting.alerts(&alerts, cx);
    let heartbeat = table.table("heartbeat", cx);
    let interval = heartbeat.and_then(|mut it| it.take("interval"));
    let interval = interval.and_then(|it| millis(&it, cx)).filter(|it| *it > 0);
    let token = table.take("token");
    let secret = token.and_then(|it| {
        let text = it.text(cx)?;
        if !(16..=128).contains(&text.len()) {
            cx.differs(
                &it.place,
                "a token has 16 to 128 letters, digits, `-`, `.`, `_`, `~` here: set a new one",
            );
        }
        cx.secret(&format!("{} token", named.words), &text, &it.place)
    });
    if let (Some(period), Some(secret)) = (interval, secret) {
        let period = cx.span(period, SECOND, 366 * DAY, &named.place);
        monitor
            .keys
            .set("passive", "heartbeat")
            .set("token", secret);
        monitor.keys.set("period", period).set("grace", "1s");
        cx.differs(&named.place, "a heartbeat: results are told by calling `/heartbeat/TOKEN`, or `/heartbeat/TOKEN/fail`, instead of Gatus's address; no two may share a token");
    } else {
        monitor.keys.set("passive", "manual");
        cx.differs(
            &named.place,
            "without a heartbeat: its health is set through the API or by `watchkeeper set`",
        );
    }
    let windows = table.list("maintenance-windows");
    table.finish(cx);
    let full = groups.add(named.at, monitor);
    alerting.tell(&full, &thresholds);
    for window in &windows {
        maintenance(window, Some(std::slice::from_ref(&full)), cx);
    }
}

pub(super) fn read<'n>(
    mut table: Fields<'n>,
    groups: &mut Groups,
    alerting: &mut Alerting<'n>,
    cx: &mut Context<'_>,
) {
    let Some(named) = named(&mut table, groups, cx) else {
        return;
    };
    let url = table.text("url", cx).unwrap_or_default();
    let url = cx.plain(url.trim(), &named.place);
    let mut monitor = Monitor {
        place: named.place.clone(),
        ..Monitor::default()
    };
    monitor
        .keys
        .set_some("label", cx.line(&named.name, 100, &named.place));
    let mut config = Keys::default();
    let client = table.table("client", cx);
    let Some((probe, target)) = target_of(&mut table, &url, &named, &mut config, cx) else {
        table.take_rest();
        return;
    };
    request(&mut table, probe, &named, &mut config, cx);
    let mut timeout = 10 * SECOND;
    if let Some(client) = client {
        timeout = client_options(client, probe, &mut config, cx).unwrap_or(timeout);
    }
    let conditions = table.list("conditions");
    let asked = conditions::read(&conditions, probe, config, cx);
    let alerts = table.list("alerts");
    let thresholds = alerting.alerts(&alerts, cx);
    let windows = table.list("maintenance-windows");
    monitor.keys.set("targets", vec![target]);
    rhythm(&mut table, &mut monitor, timeout, &asked, &thresholds, cx);
    table.lose(
        &["ui"],
        "the page shows neither conditions nor errors; targets it shows without user and query",
        cx,
    );
    table.lose(&["extra-labels"], "metrics have labels of their own", cx);
    table.lose(
        &["store", "always-run"],
        "only the steps of suites have this",
        cx,
    );
    table.finish(cx);
    monitor.id = groups.id(named.at, &named.name);
    monitor.config = asked.config;
    let every = monitor.keys.get("every").cloned();
    let full = groups.add(named.at, monitor);
    alerting.tell(&full, &thresholds);
    let mut covered = vec![full];
    if let (Some(least), Some(url)) = (asked.domain, Url::parse(&url)) {
        let host = url.host().trim_start_matches("www.").to_owned();
        if host.contains('.') && host.chars().any(|c| c.is_ascii_alphabetic()) {
            let id = groups.id(named.at, &format!("{} domain", named.name));
            let mut domain = Monitor {
                id,
                place: named.place.clone(),
                ..Monitor::default()
            };
            domain.keys.set("targets", vec![format!("domain://{host}")]);
            domain.keys.set_some("every", every.map(|_| "1h"));
            domain.config.set("dead_below", span::written(least));
            cx.differs(&named.place, "[DOMAIN_EXPIRATION] is a monitor of its own, with the probe `domain`: check that its target is the registered name");
            let full = groups.add(named.at, domain);
            alerting.tell(&full, &thresholds);
            covered.push(full);
        } else {
            cx.lost(
                &named.place,
                "[DOMAIN_EXPIRATION] needs a name, not an address",
            );
        }
    }
    for window in &windows {
        maintenance(window, Some(&covered), cx);
    }
}

/// The probe and target of an endpoint, or the reason why there is none.
fn target_of(
    table: &mut Fields<'_>,
    url: &str,
    named: &Named,
    config: &mut Keys,
    cx: &mut Context<'_>,
) -> Option<(Probe, String)> {
    let place = &named.place;
    if let Some(mut dns) = table.table("dns", cx) {
        let name = dns.text("query-name", cx).unwrap_or_default();
        let kind = dns.text("query-type", cx).unwrap_or_else(|| "A".to_owned());
        dns.finish(cx);
        let server = url.strip_prefix("dns://").unwrap_or(url);
        let name = target::encoded(cx.plain(&name, place).trim_end_matches('.'));
        let kind = target::encoded(&cx.plain(&kind, place).to_ascii_uppercase());
        let written = format!("dns://{}/{name}?type={kind}", target::bracketed(server));
        return Some((Probe::Dns, target::checked(&written, place, cx)?));
    }
    let Some(parsed) = Url::parse(url) else {
        cx.lost(
            place,
            "the address has no scheme that there is a probe for: the endpoint is left out",
        );
        return None;
    };
    let plain = parsed.without_user();
    let behind = format!("{}{}", parsed.authority, parsed.rest);
    let found = match parsed.scheme.as_str() {
        "http" | "https" => {
            let found = target::web(url, &named.words, config, place, cx)?;
            return Some((Probe::Http, found));
        }
        "tcp" => (Probe::Tcp, plain),
        "icmp" => (Probe::Icmp, format!("icmp://{}", parsed.authority)),
        "tls" => (Probe::Tls, plain),
        "starttls" => {
            config.set("starttls", "required");
            (Probe::Smtp, format!("smtp://{behind}"))
        }
        "ws" | "wss" => {
            return Some((Probe::WebSocket, target::shown(&parsed, place, cx)?));
        }
        "grpc" | "grpcs" => (Probe::Grpc, plain),
        "ssh" => (Probe::Ssh, plain),
        scheme => {
            cx.lost(
                place,
                format!("there is no probe for `{scheme}`: the endpoint is left out"),
            );
            return None;
        }
    };
    Some((found.0, target::checked(&found.1, place, cx)?))
}

/// Method, headers and body.
fn request(
    table: &mut Fields<'_>,
    probe: Probe,
    named: &Named,
    config: &mut Keys,
    cx: &mut Context<'_>,
) {
    if let Some(mut ssh) = table.table("ssh", cx) {
        let says = ["username", "password", "private-key"]
            .iter()
            .any(|key| ssh.has(key));
        ssh.skip(&["username", "password", "private-key"]);
        if says {
            cx.lost(
                &ssh.place,
                "nobody logs in: keys are exchanged, and that is what is checked",
            );
        }
        ssh.finish(cx);
    }
    let graphql = table.flag("graphql", cx) == Some(true);
    let body = table.take("body");
    let text = body
        .as_ref()
        .and_then(|field| field.text(cx))
        .filter(|it| !it.is_empty());
    if let (Some(field), Some(text)) = (&body, text) {
        let place = &field.place;
        let stands = [
            "[ENDPOINT_",
            "[RANDOM_STRING_",
            "[LOCAL_ADDRESS]",
            "[CONTEXT]",
        ];
        if stands.iter().any(|it| text.contains(it)) {
            cx.lost(place, "placeholders in the body stay as they are");
        }
        match probe {
            Probe::Http => {
                let text = if graphql {
                    config.set_named("headers", "Content-Type", "application/json");
                    serde_json::json!({ "query": text }).to_string()
                } else {
                    text
                };
                config.set_some("body", http::body(&text, &named.words, place, cx));
            }
            Probe::Tcp | Probe::WebSocket => {
                config.set_some("send", http::body(&text, &named.words, place, cx));
            }
            Probe::Ssh => cx.lost(place, "no command is run on the server"),
            _ => cx.lost(place, "this kind of check sends no body"),
        }
    }
    let method = table.filled("method", cx);
    if probe == Probe::Http {
        if let Some(method) = method.or_else(|| graphql.then(|| "POST".to_owned())) {
            config.set("method", method.to_ascii_uppercase());
        }
    } else if let Some(method) = method
        && method != "GET"
    {
        cx.lost(&named.place, "this kind of check has no method");
    }
    if let Some(field) = table.take("headers") {
        match probe {
            Probe::Http | Probe::WebSocket => http::headers(&field, &named.words, config, cx),
            _ => cx.lost(&field.place, "this kind of check has no headers"),
        }
    }
}

/// `client`; gives the timeout.
fn client_options(
    mut client: Fields<'_>,
    probe: Probe,
    config: &mut Keys,
    cx: &mut Context<'_>,
) -> Option<u64> {
    let place = client.place.clone();
    if client.flag("insecure", cx) == Some(true) {
        match probe {
            Probe::Http => {
                config.set("tls.verify", false);
            }
            Probe::Tls => {
                config.set("allow_untrusted", true);
            }
            Probe::Smtp | Probe::WebSocket | Probe::Grpc => {
                config.set("tls.allow_untrusted", true);
            }
            _ => {}
        }
    }
    if client.flag("ignore-redirect", cx) == Some(true) && probe == Probe::Http {
        config.set("redirects.follow", 0);
    }
    if let Some(network) = client.filled("network", cx) {
        match (probe, network.as_str()) {
            (Probe::Icmp, "ip4") => {
                config.set("family", "ipv4");
            }
            (Probe::Icmp, "ip6") => {
                config.set("family", "ipv6");
            }
            (_, "ip") => {}
            _ => cx.lost(
                &place,
                "the family of addresses cannot be chosen for this kind of check",
            ),
        }
    }
    let timeout = client.take("timeout").and_then(|it| millis(&it, cx));
    client.lose(
        &["dns-resolver"],
        "resolvers are set for all checks: `resolver` of `[network]`",
        cx,
    );
    client.lose(
        &["oauth2", "identity-aware-proxy"],
        "tokens are not fetched by the check: the probe `steps` can fetch one first",
        cx,
    );
    client.lose(&["proxy-url"], "checks do not go through proxies", cx);
    client.lose(&["tls"], "checks show no certificate of their own", cx);
    client.lose(&["tunnel"], "there are no tunnels by SSH", cx);
    client.lose(&["store-cookies"], "the probe `steps` keeps cookies", cx);
    client.finish(cx);
    timeout
}

fn rhythm(
    table: &mut Fields<'_>,
    monitor: &mut Monitor,
    timeout: u64,
    asked: &Asked,
    thresholds: &Thresholds,
    cx: &mut Context<'_>,
) {
    let place = monitor.place.clone();
    let every = table.take("interval").and_then(|it| millis(&it, cx));
    let every = cx.span(every.unwrap_or(60 * SECOND), SECOND, DAY, &place);
    let timeout = cx.span(timeout, 100, 300 * SECOND, &place);
    let mut retry = Keys::default();
    retry.set("times", 0);
    monitor
        .keys
        .set("every", every)
        .set("timeout", timeout)
        .set("retry", retry);
    if let Some(limit) = asked.dead_above {
        monitor.keys.set("dead_above", span::written(limit));
    }
    let mut confirm = Keys::default();
    for (key, count) in [
        ("dead", thresholds.failures),
        ("healthy", thresholds.successes),
    ] {
        if let Some(count) = count.filter(|it| *it != 1) {
            confirm.set(key, count.clamp(1, 100));
        }
    }
    if !confirm.is_empty() {
        monitor.keys.set("confirm", confirm);
    }
}
