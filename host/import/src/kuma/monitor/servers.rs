//! Monitors of mail servers, brokers, databases and the like.

use super::{Reading, address, host_port};
use crate::context::Context;
use crate::fields::Field;
use crate::kuma::nested;
use crate::target::{self, Url};

pub(super) fn smtp(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
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

pub(super) fn mqtt(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
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

pub(super) fn rabbitmq(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
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

pub(super) fn database(kind: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
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
    if url.authority.contains(',') {
        cx.lost(&place, "a target has one host: make one target for each");
    } else {
        address(
            &format!("{}://{}{path}", url.scheme, url.authority),
            reading,
            cx,
        );
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

pub(super) fn grpc(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
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

pub(super) fn websocket(reading: &mut Reading<'_>, cx: &mut Context<'_>) {
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
