//! Checkup: `checkup.json`.

use crate::context::Context;
use crate::draft::{Keys, Monitor, Route, Service};
use crate::fields::{Field, Fields};
use crate::http::{self, Codes};
use crate::input::{ImportError, Input};
use crate::node;
use crate::notifiers::mail::{self, Encryption, Server};
use crate::notifiers::{self, How, Map, WORDING};
use crate::report::Place;
use crate::span;
use crate::target::{self, bracketed, split_port};

/// A second, in milliseconds.
const SECOND: u64 = 1_000;

const NOTIFIERS: &[Map] = &[
    Map {
        theirs: "slack",
        ours: "slack",
        keys: &[
            ("webhook", "hook_url", How::Secret),
            (
                "channel",
                "",
                How::Lost("a webhook posts to its own channel"),
            ),
            ("username", "", How::Lost("the sender is the webhook's")),
        ],
    },
    Map {
        theirs: "discord",
        ours: "discord",
        keys: &[
            ("webhook", "hook_url", How::Secret),
            ("username", "username", How::Text),
        ],
    },
    Map {
        theirs: "mailgun",
        ours: "mailgun",
        keys: &[
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
            ("apikey", "api_key", How::Secret),
            ("domain", "domain", How::Text),
            ("subject", "", How::Lost(WORDING)),
        ],
    },
    Map {
        theirs: "pushover",
        ours: "pushover",
        keys: &[
            ("token", "token", How::Secret),
            ("recipient", "user", How::Joined),
            ("subject", "", How::Lost(WORDING)),
        ],
    },
    Map {
        theirs: "mail",
        ours: "email",
        keys: &[
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
            ("subject", "", How::Lost(WORDING)),
        ],
    },
];

/// The keys of `smtp` beside the server.
const LOGIN: Map = Map {
    theirs: "smtp",
    ours: "email",
    keys: &[
        ("username", "login.username", How::Text),
        ("password", "login.password", How::Secret),
    ],
};

/// Checkup's mail server.
const SMTP: Server = Server {
    host: "server",
    host_otherwise: "",
    port: "port",
    port_otherwise: 25,
};

pub(crate) fn read(cx: &mut Context<'_>, input: &Input) -> Result<(), ImportError> {
    let (name, text) = input.single()?;
    let node = node::json(&name, &text)?;
    let mut root = Fields::whole(&name, &node)?;
    if !root.has("checkers") {
        let what = "has no `checkers`, as a configuration of Checkup has";
        let instead = "check that it is the right file and the right kind";
        return Err(ImportError::new(name, what, instead));
    }
    for (at, field) in (1..).zip(root.list("checkers")) {
        if let Some(fields) = field.table(cx) {
            checker(fields, at, cx);
        }
    }
    if !cx.draft.services.is_empty() {
        let place = root.place.clone();
        cx.differs(&place, "Checkup does not say how often it runs: checks run every 30 seconds unless `every` says otherwise");
    }
    let mut to = Vec::new();
    let listed = root.list("notifiers");
    let single = root.take("notifier");
    for field in listed.iter().chain(single.iter()) {
        to.extend(notifier(field, cx));
    }
    if !to.is_empty() {
        let place = root.place.clone();
        cx.differs(&place, "people are told of changes, where Checkup tells at every run while something is not healthy");
        cx.draft.routes.push(Route {
            place,
            to,
            on: vec!["dead", "sick", "recovered"],
            ..Route::default()
        });
    }
    root.lose(
        &["storage"],
        "results are kept in databases in the folder `data`; history is not moved",
        cx,
    );
    root.lose(
        &["concurrent_checks"],
        "not needed: checks do not wait for each other",
        cx,
    );
    root.skip(&["timestamp"]);
    root.finish(cx);
    Ok(())
}

/// Milliseconds of a number of nanoseconds.
fn millis(fields: &mut Fields<'_>, key: &str, cx: &mut Context<'_>) -> Option<u64> {
    let nanos = fields.number(key, cx)?;
    span::from_nanos(nanos).filter(|millis| *millis > 0)
}

fn checker(mut fields: Fields<'_>, number: usize, cx: &mut Context<'_>) {
    let place = fields.place.clone();
    let kind = fields.text("type", cx).unwrap_or_default();
    let name = fields
        .filled("endpoint_name", cx)
        .or_else(|| fields.filled("name", cx))
        .unwrap_or_else(|| format!("check {number}"));
    let mut service = Service {
        id: cx.service_ids.make(&name, &format!("check-{number}")),
        ..Service::default()
    };
    service.keys.set_some("label", cx.line(&name, 100, &place));
    let mut monitor = Monitor {
        id: if kind.is_empty() {
            "check".to_owned()
        } else {
            kind.clone()
        },
        place: place.clone(),
        ..Monitor::default()
    };
    let url = fields.filled("endpoint_url", cx).unwrap_or_default();
    let mut config = Keys::default();
    let mut timeout = millis(&mut fields, "timeout", cx).unwrap_or(SECOND);
    let target = match kind.as_str() {
        "http" => {
            timeout = 10 * SECOND;
            web(&mut fields, &url, &name, &mut config, cx)
        }
        "tcp" => tcp(&mut fields, &url, &mut config, cx),
        "dns" => dns(&mut fields, &url, cx),
        "tls" => {
            let least = millis(&mut fields, "cert_expiry_threshold", cx);
            config.set(
                "expiry.sick_below",
                span::written(least.unwrap_or(14 * 86_400 * SECOND)),
            );
            fields.lose(
                &["trusted_roots"],
                "authorities to trust are those of `ca_file` in `[network]`",
                cx,
            );
            let (host, port) = split_port(&url);
            let port = port.unwrap_or("443");
            target::checked(&format!("tls://{}:{port}", bracketed(host)), &place, cx)
        }
        "exec" => {
            cx.lost(&place, format!("`{name}` runs a program: nothing runs beside the host. What it does may be written for the probe `script`, or a job may call a heartbeat"));
            return;
        }
        _ => {
            cx.lost(
                &place,
                format!("there is no probe for `{kind}`: the check is left out"),
            );
            return;
        }
    };
    let Some(target) = target else {
        cx.lost(
            &place,
            format!("`{name}` has no address that can be checked: it is left out"),
        );
        return;
    };
    monitor.keys.set("targets", vec![target]);
    let timeout = cx.span(timeout, 100, 300 * SECOND, &place);
    monitor.keys.set("timeout", timeout);
    attempts(&mut fields, &mut monitor, cx);
    fields.finish(cx);
    monitor.config = config;
    service.monitors.push(monitor);
    cx.draft.services.push(service);
}

fn attempts(fields: &mut Fields<'_>, monitor: &mut Monitor, cx: &mut Context<'_>) {
    let place = fields.place.clone();
    let times = fields.integer("attempts", cx).unwrap_or(1);
    let spacing = millis(fields, "attempt_spacing", cx).unwrap_or(0);
    // An attempt that fails counts, without another try.
    let mut retry = Keys::default();
    retry.set("times", 0);
    monitor.keys.set("retry", retry);
    if times > 1 {
        if times > 20 {
            cx.differs(&place, "at most 20 attempts are possible");
        }
        let spacing = cx.span(spacing, 0, 60 * SECOND, &place);
        let mut attempts = Keys::default();
        attempts
            .set("times", times.clamp(1, 20))
            .set("spacing", spacing);
        monitor.keys.set("attempts", attempts);
    }
    if let Some(limit) = millis(fields, "threshold_rtt", cx) {
        let limit = cx.span(limit, 1, 300 * SECOND, &place);
        monitor.keys.set("sick_above", limit);
    }
}

fn web(
    fields: &mut Fields<'_>,
    url: &str,
    name: &str,
    config: &mut Keys,
    cx: &mut Context<'_>,
) -> Option<String> {
    let place = fields.place.clone();
    let target = target::web(url, name, config, &place, cx);
    if let Some(mut headers) = fields.table("headers", cx) {
        for (header, field) in headers.take_rest() {
            let values = field.list();
            if values.len() > 1 {
                cx.differs(
                    &field.place,
                    "several values of a header are joined by commas",
                );
            }
            let values: Vec<_> = values.iter().filter_map(|it| it.text(cx)).collect();
            http::header(header, &values.join(", "), name, config, &field.place, cx);
        }
    }
    let mut codes = Codes::none();
    match fields.integer("up_status", cx).filter(|code| *code != 0) {
        Some(code) => codes.add(code, code),
        None => codes.add(200, 204),
    }
    config.set("expect.status", codes.written());
    for (theirs, ours) in [
        ("must_contain", "expect.body"),
        ("must_not_contain", "expect.body_not"),
    ] {
        if let Some(text) = fields.filled(theirs, cx) {
            let term = cx.text(&text, &place);
            config.set(ours, term);
        }
    }
    config.set("redirects.follow", 0);
    config.set("tls.sick_below", "0s");
    target
}

fn tcp(
    fields: &mut Fields<'_>,
    url: &str,
    config: &mut Keys,
    cx: &mut Context<'_>,
) -> Option<String> {
    let place = fields.place.clone();
    let tls = fields.flag("tls", cx) == Some(true);
    let skip = fields.flag("tls_skip_verify", cx) == Some(true);
    if tls {
        config.set("expiry.sick_below", "0s");
        if skip {
            config.set("allow_untrusted", true);
        }
    }
    fields.lose(
        &["tls_ca_file"],
        "authorities to trust are those of `ca_file` in `[network]`",
        cx,
    );
    let scheme = if tls { "tls" } else { "tcp" };
    target::checked(
        &format!("{scheme}://{}", url.trim_start_matches("tcp://")),
        &place,
        cx,
    )
    .filter(|_| !url.is_empty())
}

fn dns(fields: &mut Fields<'_>, url: &str, cx: &mut Context<'_>) -> Option<String> {
    let place = fields.place.clone();
    let name = fields.filled("hostname_fqdn", cx);
    let (host, port) = split_port(url);
    let host = bracketed(host);
    if let Some(name) = name {
        let port = port.filter(|it| *it != "53").map(|it| format!(":{it}"));
        let name = target::encoded(name.trim_end_matches('.'));
        cx.differs(
            &place,
            "the answer must hold an address, which Checkup does not ask for",
        );
        target::checked(
            &format!("dns://{host}{}/{name}?type=A", port.unwrap_or_default()),
            &place,
            cx,
        )
    } else {
        cx.differs(
            &place,
            "without a name to ask for, the connection is checked, as Checkup does",
        );
        target::checked(
            &format!("tcp://{host}:{}", port.unwrap_or("53")),
            &place,
            cx,
        )
    }
}

fn notifier(field: &Field<'_>, cx: &mut Context<'_>) -> Option<String> {
    let mut fields = field.table(cx)?;
    // Old configurations have no type where there was but one.
    let kind = fields
        .filled("type", cx)
        .or_else(|| fields.filled("name", cx));
    let kind = kind.unwrap_or_else(|| "slack".to_owned());
    let Some(map) = NOTIFIERS.iter().find(|map| map.theirs == kind) else {
        let place: &Place = &field.place;
        cx.lost(
            place,
            format!("there is no notifier for `{kind}`: the notifier `webhook` may do"),
        );
        return None;
    };
    let mut config = notifiers::config(map, &kind, &mut fields, cx);
    if kind == "mail" {
        if let Some(mut smtp) = fields.table("smtp", cx) {
            let login = notifiers::config(&LOGIN, &kind, &mut smtp, cx);
            config.0.extend(login.0);
            // The library that Checkup mails with begins with TLS on this port alone.
            let encryption = |port| match port {
                465 => Encryption::Implicit,
                _ => Encryption::Offered,
            };
            mail::server(SMTP, encryption, &mut smtp, &mut config, cx);
            smtp.finish(cx);
        } else {
            cx.lost(
                &field.place,
                "no mail server is named: write it as `server`",
            );
        }
    }
    fields.finish(cx);
    Some(notifiers::add(&kind, map.ours, config, cx))
}
