//! What of Uptime Kuma's notifications is no plain copy.

use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::{Field, Fields};
use crate::kuma::nested;
use crate::notifiers::mail::{self, Encryption, Server};
use crate::notifiers::marked;

/// Uptime Kuma's mail server.
const SMTP: Server = Server {
    host: "smtpHost",
    host_otherwise: "",
    port: "smtpPort",
    port_otherwise: 25,
};

/// Reads what the table of plain copies leaves.
pub(super) fn read(
    kind: &str,
    name: &str,
    fields: &mut Fields<'_>,
    config: &mut Keys,
    cx: &mut Context<'_>,
) {
    match kind {
        "slack" if fields.flag("slackchannelnotify", cx) == Some(true) => {
            config.set("mention", "channel");
        }
        "discord" => {
            // The form keeps a thread's number when something else is chosen.
            let channel = fields.filled("discordChannelType", cx);
            if channel.as_deref() != Some("postToThread") {
                config.0.retain(|(key, _)| key != "thread_id");
            }
        }
        "telegram" => other_url(
            "telegramServerUrl",
            "https://api.telegram.org",
            "",
            fields,
            config,
            cx,
        ),
        "smtp" => smtp(fields, config, cx),
        "webhook" => webhook(name, fields, config, cx),
        "ntfy" => {
            let way = fields.filled("ntfyAuthenticationMethod", cx);
            let unused: &[&str] = match way.as_deref() {
                Some("none") => &["token", "login"],
                Some("accessToken") => &["login"],
                Some(_) => &["token"],
                None => &[],
            };
            config.0.retain(|(key, _)| !unused.contains(&key.as_str()));
        }
        "rocket.chat" => {
            if let Some(channel) = fields.filled("rocketchannel", cx) {
                config.set("channel", marked(channel.trim()));
            }
        }
        "PagerDuty" => other_url(
            "pagerdutyIntegrationUrl",
            "https://events.pagerduty.com",
            "/v2/enqueue",
            fields,
            config,
            cx,
        ),
        "Opsgenie" => {
            if fields.filled("opsgenieRegion", cx).as_deref() == Some("eu") {
                config.set("api_url", "https://api.eu.opsgenie.com");
            }
            let priority = fields.integer("opsgeniePriority", cx);
            if let Some(priority) = priority.filter(|it| (1..=5).contains(it)) {
                config.set("dead", format!("P{priority}"));
            }
        }
        "signal" => other_url("signalURL", "", "/v2/send", fields, config, cx),
        "Splunk" => cx.differs(
            &fields.place,
            "the routing key is added to the address: leave it off at its end",
        ),
        "HomeAssistant" => {
            let service = fields.filled("notificationService", cx);
            let service = service.unwrap_or_else(|| "notify".to_owned());
            config.set("to.action.name", format!("notify.{}", service.trim()));
            if service.starts_with("mobile_app_") {
                config.set("to.action.companion", true);
            }
        }
        _ => {}
    }
}

/// Sets the address of a service to another one than `known`. `end` is what we
/// add to it ourselves.
fn other_url(
    key: &str,
    known: &str,
    end: &str,
    fields: &mut Fields<'_>,
    config: &mut Keys,
    cx: &mut Context<'_>,
) {
    let Some(url) = fields.filled(key, cx) else {
        return;
    };
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix(end).unwrap_or(url);
    // Where there is no usual address the key is not another one, but the one.
    let ours = if known.is_empty() { "url" } else { "api_url" };
    if url != known {
        config.set(ours, url);
    }
}

fn smtp(fields: &mut Fields<'_>, config: &mut Keys, cx: &mut Context<'_>) {
    let secure = fields.flag("smtpSecure", cx).unwrap_or(false);
    let never = fields.flag("smtpIgnoreSTARTTLS", cx).unwrap_or(false);
    fields.lose(
        &["smtpAdditionalHeaders"],
        "headers of a mail are its own",
        cx,
    );
    let encryption = match (secure, never) {
        (true, _) => Encryption::Implicit,
        (false, true) => Encryption::Never,
        (false, false) => Encryption::Offered,
    };
    mail::server(SMTP, |_| encryption, fields, config, cx);
}

fn webhook(name: &str, fields: &mut Fields<'_>, config: &mut Keys, cx: &mut Context<'_>) {
    cx.differs(
        &fields.place,
        "the body is ours: what receives it has to know `format = \"watchkeeper\"`",
    );
    fields.skip(&["webhookContentType"]);
    if let Some(method) = fields.filled("httpMethod", cx) {
        let method = method.to_ascii_uppercase();
        if ["PUT", "PATCH"].contains(&method.as_str()) {
            config.set("method", method);
        } else if method != "POST" {
            cx.lost(
                &fields.place,
                format!("the method {method} is not possible: POST is taken"),
            );
        }
    }
    if let Some(field) = fields.take("webhookAdditionalHeaders")
        && let Some(node) = nested(&field)
    {
        let nested = Field {
            node: &node,
            place: field.place.clone(),
        };
        let mut headers = Keys::default();
        crate::http::headers(&nested, name, &mut headers, cx);
        let headers = headers.get("headers").cloned();
        config.set_some("headers", headers.filter(|it| matches!(it, Term::Table(_))));
    }
}
