//! Vigil's `notify`: notifiers, reminders.

use crate::context::Context;
use crate::draft::{Keys, Route, Term};
use crate::fields::Fields;
use crate::notifiers::mail::{self, Encryption, Server};
use crate::notifiers::{self, How, Map};
use crate::span;

/// Vigil's notifiers, in its order.
const NOTIFIERS: &[Map] = &[
    Map {
        theirs: "email",
        ours: "email",
        keys: &[
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
            ("smtp_username", "login.username", How::Text),
            ("smtp_password", "login.password", How::Secret),
        ],
    },
    Map {
        theirs: "twilio",
        ours: "twilio",
        keys: &[
            ("account_sid", "account_sid", How::Text),
            ("auth_token", "auth_token", How::Secret),
            ("service_sid", "from", How::Text),
            ("to", "to", How::Texts),
        ],
    },
    Map {
        theirs: "slack",
        ours: "slack",
        keys: &[("hook_url", "hook_url", How::Secret)],
    },
    Map {
        theirs: "zulip",
        ours: "zulip",
        keys: &[
            ("bot_email", "bot_email", How::Text),
            ("bot_api_key", "api_key", How::Secret),
            ("channel", "to.channel.name", How::Text),
        ],
    },
    Map {
        theirs: "telegram",
        ours: "telegram",
        keys: &[
            ("bot_token", "token", How::Secret),
            ("chat_id", "chat_id", How::Text),
            ("message_thread_id", "thread_id", How::Integer),
        ],
    },
    Map {
        theirs: "pushover",
        ours: "pushover",
        keys: &[
            ("app_token", "token", How::Secret),
            ("user_keys", "user", How::Joined),
        ],
    },
    Map {
        theirs: "gotify",
        ours: "gotify",
        keys: &[
            ("app_url", "url", How::Text),
            ("app_token", "token", How::Secret),
        ],
    },
    Map {
        theirs: "xmpp",
        ours: "xmpp",
        keys: &[
            ("from", "jid", How::Text),
            ("to", "to", How::Texts),
            ("xmpp_password", "password", How::Secret),
        ],
    },
    Map {
        theirs: "matrix",
        ours: "matrix",
        keys: &[
            ("homeserver_url", "homeserver", How::Text),
            ("access_token", "access_token", How::Secret),
            ("room_id", "room", How::Text),
        ],
    },
    Map {
        theirs: "webex",
        ours: "webex",
        keys: &[
            ("endpoint_url", "", How::Skip),
            ("token", "token", How::Secret),
            ("room_id", "to.room", How::Text),
        ],
    },
    Map {
        theirs: "webhook",
        ours: "webhook",
        keys: &[("hook_url", "url", How::Secret)],
    },
];

/// Vigil's mail server.
const SMTP: Server = Server {
    host: "smtp_host",
    host_otherwise: "localhost",
    port: "smtp_port",
    port_otherwise: 587,
};

pub(super) fn read(root: &mut Fields<'_>, cx: &mut Context<'_>) {
    let Some(mut notify) = root.table("notify", cx) else {
        return;
    };
    let place = notify.place.clone();
    let reminders = reminders(&mut notify, cx);
    if notify.flag("startup_notification", cx).unwrap_or(true) {
        cx.lost(
            &place,
            "there is no notice at the start, which in Vigil always says healthy",
        );
    }
    notify.lose(
        &["reminder_escalate"],
        "reminders do not go to more people as they go on",
        cx,
    );
    let (mut all, mut reminded) = (Vec::new(), Vec::new());
    for map in NOTIFIERS {
        let Some(mut table) = notify.table(map.theirs, cx) else {
            continue;
        };
        let mut config = notifiers::config(map, map.ours, &mut table, cx);
        special(map.theirs, &mut config, &mut table, cx);
        let only = table.flag("reminders_only", cx).unwrap_or(false);
        table.finish(cx);
        let id = notifiers::add(map.theirs, map.ours, config, cx);
        if only { &mut reminded } else { &mut all }.push(id);
    }
    notify.finish(cx);
    if !(all.is_empty() && reminded.is_empty()) {
        cx.differs(&place, "each monitor that dies or recovers is told of. Vigil tells of the page as a whole: nothing of a second service that dies while the first is dead");
    }
    for (to, only) in [(all, false), (reminded, true)] {
        if to.is_empty() {
            continue;
        }
        if only && reminders.is_empty() {
            let what = "channels for reminders only, and no reminders: they are never used";
            cx.lost(&place, what);
            continue;
        }
        cx.draft.routes.push(Route {
            place: place.clone(),
            to,
            reminders: reminders.clone(),
            reminders_only: only,
            ..Route::default()
        });
    }
}

/// What `reminders` of a route says; empty where there are none.
fn reminders(notify: &mut Fields<'_>, cx: &mut Context<'_>) -> Keys {
    let mut keys = Keys::default();
    let function = notify.text("reminder_backoff_function", cx);
    let limit = notify.integer("reminder_backoff_limit", cx);
    let Some(every) = notify.take("reminder_interval") else {
        return keys;
    };
    let Some(millis) = every.number(cx).and_then(span::from_seconds) else {
        return keys;
    };
    // Vigil looks every ten seconds.
    let every = cx.span(millis, 10_000, 30 * 86_400_000, &every.place);
    keys.set("every", every);
    let known = ["linear", "square", "cubic"];
    if let Some(function) = function.filter(|it| known.contains(&it.as_str())) {
        keys.set("backoff", function);
        keys.set("limit", limit.unwrap_or(3).clamp(1, 1_000));
    }
    keys
}

/// Keys that are no plain copies.
fn special(notifier: &str, config: &mut Keys, table: &mut Fields<'_>, cx: &mut Context<'_>) {
    match notifier {
        "slack" if table.flag("mention_channel", cx) == Some(true) => {
            config.set("mention", "channel");
        }
        "webhook" => {
            config.set("format", "vigil");
        }
        "email" => {
            let encrypt = table.flag("smtp_encrypt", cx).unwrap_or(true);
            let encryption = if encrypt {
                Encryption::Demanded
            } else {
                Encryption::Offered
            };
            mail::server(SMTP, |_| encryption, table, config, cx);
        }
        "zulip" => {
            if let Some(field) = table.take("api_url")
                && let Some(url) = field.text(cx)
            {
                let site = url.trim_end_matches('/').trim_end_matches("/api/v1");
                let term = cx.text(site, &field.place);
                config.lead("site", term);
            }
        }
        "xmpp" => {
            if let Some(Term::Text(from)) = config.get("jid")
                && let Some((_, domain)) = from.split_once('@')
            {
                let server = format!("xmpp://{domain}");
                config.lead("server", server);
            } else {
                cx.lost(&table.place, "write the server as `server`");
            }
        }
        _ => {}
    }
}
