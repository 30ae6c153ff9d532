//! Gatus's `alerting`: providers as channels, alerts as routes.

use std::collections::BTreeMap;

use super::millis;
use crate::context::Context;
use crate::draft::{Keys, Route, Term};
use crate::fields::{Field, Fields};
use crate::notifiers::{self, How, Map, WORDING};
use crate::report::Place;

const CLIENT: &str = "a client's options are the host's";

/// Gatus's providers that there is a notifier for.
const PROVIDERS: &[Map] = &[
    Map {
        theirs: "slack",
        ours: "slack",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("title", "", How::Lost(WORDING)),
        ],
    },
    Map {
        theirs: "discord",
        ours: "discord",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("title", "", How::Lost(WORDING)),
            ("message-content", "", How::Lost(WORDING)),
        ],
    },
    Map {
        theirs: "teams",
        ours: "teams",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("title", "", How::Lost(WORDING)),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "teams-workflows",
        ours: "teams",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("title", "", How::Lost(WORDING)),
        ],
    },
    Map {
        theirs: "mattermost",
        ours: "mattermost",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("channel", "channel", How::Text),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "rocketchat",
        ours: "rocketchat",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("channel", "channel", How::Text),
        ],
    },
    Map {
        theirs: "googlechat",
        ours: "googlechat",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "telegram",
        ours: "telegram",
        keys: &[
            ("token", "bot_token", How::Secret),
            ("id", "chat_id", How::Text),
            ("topic-id", "thread_id", How::Integer),
            (
                "api-url",
                "",
                How::Lost("another server of Telegram's API is not possible"),
            ),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "email",
        ours: "email",
        keys: &[
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
            ("host", "host", How::Text),
            ("port", "port", How::Integer),
            ("username", "username", How::Text),
            ("password", "password", How::Secret),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "pagerduty",
        ours: "pagerduty",
        keys: &[("integration-key", "routing_key", How::Secret)],
    },
    Map {
        theirs: "opsgenie",
        ours: "opsgenie",
        keys: &[
            ("api-key", "api_key", How::Secret),
            ("tags", "tags", How::Texts),
            ("priority", "", How::Lost("the priority follows the health")),
            ("source", "", How::Skip),
            ("entity-prefix", "", How::Skip),
            ("alias-prefix", "", How::Skip),
        ],
    },
    Map {
        theirs: "ntfy",
        ours: "ntfy",
        keys: &[
            ("url", "url", How::Text),
            ("topic", "topic", How::Secret),
            ("token", "token", How::Secret),
            ("priority", "", How::Lost("the priority follows the health")),
            ("email", "", How::Lost("ntfy's mail is not asked for")),
            ("click", "", How::Lost("a notice leads to the status page")),
            ("disable-firebase", "", How::Skip),
            ("disable-cache", "", How::Skip),
        ],
    },
    Map {
        theirs: "gotify",
        ours: "gotify",
        keys: &[
            ("server-url", "url", How::Text),
            ("token", "token", How::Secret),
            ("title", "", How::Lost(WORDING)),
            ("priority", "", How::Lost("the priority follows the health")),
        ],
    },
    Map {
        theirs: "pushover",
        ours: "pushover",
        keys: &[
            ("application-token", "app_token", How::Secret),
            ("user-key", "user_keys", How::Secrets),
            ("title", "", How::Lost(WORDING)),
            ("priority", "", How::Lost("the priority follows the health")),
            ("resolved-priority", "", How::Skip),
            ("sound", "sound", How::Text),
            ("ttl", "", How::Skip),
            ("device", "device", How::Text),
        ],
    },
    Map {
        theirs: "matrix",
        ours: "matrix",
        keys: &[
            ("server-url", "homeserver_url", How::Text),
            ("access-token", "access_token", How::Secret),
            ("internal-room-id", "room_id", How::Text),
        ],
    },
    Map {
        theirs: "zulip",
        ours: "zulip",
        keys: &[
            ("bot-email", "bot_email", How::Text),
            ("bot-api-key", "api_key", How::Secret),
            ("domain", "url", How::Text),
            ("channel-id", "channel", How::Text),
        ],
    },
    Map {
        theirs: "signal",
        ours: "signal",
        keys: &[
            ("api-url", "url", How::Text),
            ("number", "number", How::Text),
            ("recipients", "recipients", How::Texts),
        ],
    },
    Map {
        theirs: "twilio",
        ours: "twilio",
        keys: &[
            ("sid", "account_sid", How::Text),
            ("token", "auth_token", How::Secret),
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
            ("text-twilio-triggered", "", How::Lost(WORDING)),
            ("text-twilio-resolved", "", How::Lost(WORDING)),
        ],
    },
    Map {
        theirs: "vonage",
        ours: "vonage",
        keys: &[
            ("api-key", "api_key", How::Text),
            ("api-secret", "api_secret", How::Secret),
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
        ],
    },
    Map {
        theirs: "github",
        ours: "github",
        keys: &[
            ("repository-url", "repository", How::Text),
            ("token", "token", How::Secret),
        ],
    },
    Map {
        theirs: "homeassistant",
        ours: "homeassistant",
        keys: &[("url", "url", How::Text), ("token", "token", How::Secret)],
    },
    Map {
        theirs: "incident-io",
        ours: "incident-io",
        keys: &[
            ("url", "url", How::Text),
            ("auth-token", "token", How::Secret),
            ("source-url", "", How::Skip),
            (
                "metadata",
                "",
                How::Lost("notices have fields of their own"),
            ),
        ],
    },
];

/// What is known of a provider.
struct Provider<'n> {
    channel: Option<String>,
    default: Option<Fields<'n>>,
}

/// All providers, and the routes as they come up.
pub(super) struct Alerting<'n> {
    providers: BTreeMap<String, Provider<'n>>,
    routes: BTreeMap<(String, bool, Option<String>), (Place, Vec<String>)>,
}

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
            let config = notifiers::config(map, name, &mut fields, cx);
            Some(notifiers::add(name, map.ours, config, cx))
        } else {
            cx.lost(
                &field.place,
                format!("there is no notifier for `{name}`: the notifier `webhook` may do"),
            );
            let keys: Vec<_> = fields.take_rest();
            drop(keys);
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
