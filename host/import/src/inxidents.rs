//! inxidents: `config.yaml`, a list of services.

use crate::context::Context;
use crate::draft::{Channel, Keys, Monitor, Route, Service, Term};
use crate::fields::{Field, Fields};
use crate::gatus::millis;
use crate::http;
use crate::input::{ImportError, Input};
use crate::node::{self, Value};
use crate::target;

pub(crate) fn read(cx: &mut Context<'_>, input: &Input) -> Result<(), ImportError> {
    let (name, text) = input.single()?;
    let node = node::yaml(&name, &text)?;
    let root = Field::root(&name, &node);
    if !matches!(&node.value, Value::List(items) if !items.is_empty()) {
        let what = "is no list of services, as a configuration of inxidents is";
        let instead = "check that it is the right file and the right kind";
        return Err(ImportError::new(name, what, instead).at(node.line));
    }
    let mut told = Vec::new();
    for (number, field) in (1..).zip(root.list()) {
        if let Some(fields) = field.table(cx)
            && let Some(monitor) = service(fields, number, cx)
        {
            told.push(monitor);
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    // The hook stands in the environment, under this name.
    let place = root.place;
    let hook = "SLACK_WEBHOOK_URL";
    cx.secrets.keep(hook, &place);
    let mut config = Keys::default();
    config.set("hook_url", Term::Variable(hook.to_owned()));
    let id = cx.channel_ids.make("slack", "slack");
    cx.draft.channels.push(Channel {
        id: id.clone(),
        notifier: "slack",
        config,
    });
    cx.draft.routes.push(Route {
        place: place.clone(),
        to: vec![id],
        monitors: Some(told),
        ..Route::default()
    });
    cx.differs(&place, "people are told of changes, where inxidents tells at every check until somebody acknowledges; without Slack take out channel and route");
    Ok(())
}

/// Reads a service; gives its monitor's full name if it is told of.
fn service(mut fields: Fields<'_>, number: usize, cx: &mut Context<'_>) -> Option<String> {
    let place = fields.place.clone();
    let name = fields
        .filled("name", cx)
        .unwrap_or_else(|| format!("service {number}"));
    let id = cx.service_ids.make(&name, &format!("service-{number}"));
    let mut config = Keys::default();
    let url = fields.filled("endpoint", cx).unwrap_or_default();
    let target = target::web(&url, &name, &mut config, &place, cx);
    if let Some(method) = fields.filled("httpMethod", cx) {
        let method = method.to_ascii_uppercase();
        if method == "POST" {
            config.set("method", method);
        } else if method != "GET" {
            cx.differs(&place, "GET, as inxidents takes anything but POST");
        }
    }
    let code = fields
        .integer("expectedCode", cx)
        .filter(|code| *code != 0)
        .unwrap_or(200);
    if (100..=599).contains(&code) {
        config.set("expect.status", vec![code]);
    } else {
        cx.lost(&place, "`expectedCode` is no status code: 2xx is taken");
    }
    if let Some(text) = fields.filled("containsString", cx) {
        let term = cx.text(&text, &place);
        config.set("expect.body", term);
    }
    if let Some(agent) = fields.filled("userAgent", cx) {
        http::header("User-Agent", &agent, &name, &mut config, &place, cx);
    }
    let silent = fields.flag("disableAlerts", cx) == Some(true);
    let every = fields.take("frequency").and_then(|it| millis(&it, cx));
    fields.finish(cx);
    let Some(target) = target else {
        cx.lost(&place, format!("`{name}` is left out: it has no address"));
        return None;
    };
    let mut monitor = Monitor {
        id: "http".to_owned(),
        place: place.clone(),
        config,
        ..Monitor::default()
    };
    monitor.keys.set("targets", vec![target]);
    if let Some(every) = every {
        let every = cx.span(every, 1_000, 86_400_000, &place);
        monitor.keys.set("every", every);
    }
    let mut retry = Keys::default();
    retry.set("times", 0);
    monitor.keys.set("retry", retry);
    let mut service = Service {
        id: id.clone(),
        ..Service::default()
    };
    service.keys.set_some("label", cx.line(&name, 100, &place));
    service.monitors.push(monitor);
    cx.draft.services.push(service);
    (!silent).then(|| format!("{id}/http"))
}
