//! Gatus's `alerting`: providers as channels, alerts as routes.

use std::collections::BTreeMap;

use super::millis;
use super::providers::{CLIENT, NAMESAKES, PROVIDERS, special};
use crate::context::Context;
use crate::draft::{Keys, Route, Term};
use crate::fields::{Field, Fields};
use crate::notifiers::{self, WORDING};
use crate::report::Place;

/// What is known of a provider.
struct Provider<'n> {
    channel: Option<String>,
    default: Option<Fields<'n>>,
}

/// All providers, and the routes as they come up.
pub(super) struct Alerting<'n> {
    providers: BTreeMap<String, Provider<'n>>,
    routes: Routes,
}

/// Monitors with where they were first asked for, by channel, whether it is told
/// of the recovery, and how often again.
type Routes = BTreeMap<(String, bool, Option<String>), (Place, Vec<String>)>;

/// What an endpoint's alerts ask of its monitor.
#[derive(Default)]
pub(super) struct Thresholds {
    pub(super) failures: Option<i64>,
    pub(super) successes: Option<i64>,
    /// Channels with whether they are told of the recovery, and the reminder.
    told: Vec<(String, bool, Option<String>, Place)>,
}

pub(super) fn read<'n>(root: &mut Fields<'n>, cx: &mut Context<'_>) -> Alerting<'n> {
    let mut alerting = Alerting {
        providers: BTreeMap::new(),
        routes: BTreeMap::new(),
    };
    let Some(mut table) = root.table("alerting", cx) else {
        return alerting;
    };
    for (name, field) in table.take_rest() {
        let Some(mut fields) = field.table(cx) else {
            continue;
        };
        let default = fields.table("default-alert", cx);
        for group in fields.list("overrides") {
            cx.lost(&group.place, "settings for a group are not carried over: make a channel of its own and a route with `services`");
        }
        let channel = if name == "custom" {
            Some(custom(&mut fields, cx))
        } else if let Some(map) = PROVIDERS.iter().find(|map| map.theirs == name) {
            let mut config = notifiers::config(map, name, &mut fields, cx);
            special(name, &mut config, &mut fields, cx);
            Some(notifiers::add(name, map.ours, config, cx))
        } else {
            let known = NAMESAKES.iter().find(|(namesake, _)| *namesake == name);
            let what = known.map_or_else(
                || format!("there is no notifier for `{name}`: the notifier `webhook` may do"),
                |(_, why)| (*why).to_owned(),
            );
            cx.lost(&field.place, what);
            fields.take_rest();
            None
        };
        fields.finish(cx);
        alerting
            .providers
            .insert(name.to_owned(), Provider { channel, default });
    }
    alerting
}

/// Gatus's `custom`: a request of one's own.
fn custom(fields: &mut Fields<'_>, cx: &mut Context<'_>) -> String {
    let mut config = Keys::default();
    let place = fields.place.clone();
    if let Some(field) = fields.take("url")
        && let Some(url) = field.text(cx)
    {
        if url.contains("[ALERT_") || url.contains("[ENDPOINT_") || url.contains("[RESULT_") {
            cx.lost(
                &field.place,
                "placeholders in the address stay as they are: put them into the body",
            );
        }
        let term = cx.secret("webhook url", &url, &field.place);
        config.set_some("url", term);
    }
    if let Some(method) = fields.filled("method", cx) {
        let method = method.to_ascii_uppercase();
        if ["POST", "PUT", "PATCH"].contains(&method.as_str()) {
            config.set("method", method);
        } else {
            cx.lost(
                &place,
                format!("the method {method} is not possible: POST is taken"),
            );
        }
    } else {
        cx.differs(
            &place,
            "the method is POST, where Gatus takes GET unless told otherwise",
        );
    }
    if let Some(field) = fields.take("headers") {
        crate::http::headers(&field, "webhook", &mut config, cx);
    }
    if let Some(field) = fields.take("body")
        && let Some(text) = field.text(cx)
        && !text.trim().is_empty()
    {
        let placeholders = [
            ("[ALERT_DESCRIPTION]", "{{body}}"),
            ("[ENDPOINT_NAME]", "{{title}}"),
            ("[ENDPOINT_GROUP]", ""),
            ("[ENDPOINT_URL]", "{{affected}}"),
            ("[ALERT_TRIGGERED_OR_RESOLVED]", "{{occasion}}"),
            ("[RESULT_ERRORS]", "{{body}}"),
        ];
        let mut text = text;
        for (theirs, ours) in placeholders {
            text = text.replace(theirs, ours);
        }
        cx.differs(
            &field.place,
            "placeholders are those that come nearest: look at the template",
        );
        let term = cx.text(&text, &field.place);
        config.set("format", "template").set("template", term);
    }
    fields.lose(
        &["placeholders"],
        "the words for triggered and resolved are those of `{{occasion}}`",
        cx,
    );
    fields.lose(&["client"], CLIENT, cx);
    notifiers::add("custom", "webhook", config, cx)
}

impl<'n> Alerting<'n> {
    /// Reads the alerts of an endpoint.
    pub(super) fn alerts(&self, alerts: &[Field<'n>], cx: &mut Context<'_>) -> Thresholds {
        let mut thresholds = Thresholds::default();
        for field in alerts {
            let Some(mut table) = field.table(cx) else {
                continue;
            };
            let kind = table.text("type", cx).unwrap_or_default();
            let Some(provider) = self.providers.get(&kind) else {
                cx.lost(
                    &field.place,
                    format!("`alerting` has no `{kind}`: the alert is left out"),
                );
                continue;
            };
            let mut merged = table.clone();
            let mut default = provider.default.clone();
            let mut key = |name: &str| {
                merged
                    .take(name)
                    .or_else(|| default.as_mut().and_then(|it| it.take(name)))
            };
            let enabled = key("enabled").and_then(|it| it.flag(cx)).unwrap_or(true);
            let failures = key("failure-threshold")
                .and_then(|it| it.integer(cx))
                .unwrap_or(3);
            let successes = key("success-threshold")
                .and_then(|it| it.integer(cx))
                .unwrap_or(2);
            let resolved = key("send-on-resolved")
                .and_then(|it| it.flag(cx))
                .unwrap_or(false);
            let reminder = key("minimum-reminder-interval");
            let reminder = reminder.and_then(|it| Some((millis(&it, cx)?, it.place)));
            let reminder = reminder.filter(|(every, _)| *every > 0);
            let reminder =
                reminder.map(|(every, place)| cx.span(every, 10_000, 30 * 86_400_000, &place));
            if let Some(description) = key("description") {
                cx.lost(&description.place, WORDING);
            }
            table.skip(&[
                "enabled",
                "failure-threshold",
                "success-threshold",
                "send-on-resolved",
                "minimum-reminder-interval",
                "description",
            ]);
            table.lose(
                &["provider-override"],
                "settings of one endpoint's alert: make a channel of its own",
                cx,
            );
            table.finish(cx);
            if !enabled {
                continue;
            }
            let differ = thresholds.failures.is_some_and(|it| it != failures)
                || thresholds.successes.is_some_and(|it| it != successes);
            if differ {
                cx.differs(
                    &field.place,
                    "alerts of one endpoint share their thresholds: the smallest are taken",
                );
            }
            let least =
                |slot: Option<i64>, value: i64| Some(slot.map_or(value, |it| it.min(value)));
            thresholds.failures = least(thresholds.failures, failures);
            thresholds.successes = least(thresholds.successes, successes);
            if let Some(channel) = &provider.channel {
                let told = (channel.clone(), resolved, reminder, field.place.clone());
                thresholds.told.push(told);
            }
        }
        thresholds
    }

    /// Notes that a monitor's changes go where its alerts say.
    pub(super) fn tell(&mut self, monitor: &str, thresholds: &Thresholds) {
        for (channel, resolved, reminder, place) in &thresholds.told {
            let key = (channel.clone(), *resolved, reminder.clone());
            let route = self.routes.entry(key);
            let (_, monitors) = route.or_insert_with(|| (place.clone(), Vec::new()));
            if !monitors.iter().any(|it| it == monitor) {
                monitors.push(monitor.to_owned());
            }
        }
    }

    /// Writes the routes, and reports what no endpoint used.
    pub(super) fn finish(&mut self, cx: &mut Context<'_>) {
        for ((channel, resolved, reminder), (place, monitors)) in std::mem::take(&mut self.routes) {
            let mut reminders = Keys::default();
            reminders.set_some("every", reminder.map(Term::from));
            cx.draft.routes.push(Route {
                place,
                to: vec![channel],
                on: if resolved { Vec::new() } else { vec!["dead"] },
                monitors: Some(monitors),
                reminders,
                reminders_only: false,
            });
        }
    }
}
