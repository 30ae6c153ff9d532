//! Gatus's providers: which of their keys is which of ours.

use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::Fields;
use crate::notifiers::mail::{self, Encryption, Server};
use crate::notifiers::{How, Map, WORDING, marked};
use crate::target::Url;

/// Why options of a provider's client are left out.
pub(super) const CLIENT: &str = "a client's options are the host's";

/// Gatus's providers that there is a notifier for.
pub(super) const PROVIDERS: &[Map] = &[
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
        keys: &[("webhook-url", "hook_url", How::Secret)],
    },
    Map {
        theirs: "googlechat",
        ours: "google-chat",
        keys: &[
            ("webhook-url", "hook_url", How::Secret),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "telegram",
        ours: "telegram",
        keys: &[
            ("token", "token", How::Secret),
            ("id", "chat_id", How::Text),
            ("topic-id", "thread_id", How::Integer),
            ("api-url", "api_url", How::Text),
            ("client", "", How::Lost(CLIENT)),
        ],
    },
    Map {
        theirs: "email",
        ours: "email",
        keys: &[
            ("from", "from", How::Text),
            ("to", "to", How::Texts),
            ("username", "login.username", How::Text),
            ("password", "login.password", How::Secret),
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
            ("priority", "dead", How::Text),
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
            ("application-token", "token", How::Secret),
            ("user-key", "user", How::Joined),
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
            ("server-url", "homeserver", How::Text),
            ("access-token", "access_token", How::Secret),
            ("internal-room-id", "room", How::Text),
        ],
    },
    Map {
        theirs: "zulip",
        ours: "zulip",
        keys: &[
            ("bot-email", "bot_email", How::Text),
            ("bot-api-key", "api_key", How::Secret),
            ("channel-id", "to.channel.name", How::Text),
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
        keys: &[("token", "token", How::Secret)],
    },
    Map {
        theirs: "homeassistant",
        ours: "home-assistant",
        keys: &[
            ("url", "to.action.url", How::Text),
            ("token", "to.action.token", How::Secret),
        ],
    },
    Map {
        theirs: "incident-io",
        ours: "incident-io",
        keys: &[
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

/// Gatus's mail server.
const SMTP: Server = Server {
    host: "host",
    host_otherwise: "",
    port: "port",
    port_otherwise: 587,
};

/// Providers that have a namesake here which is another thing.
pub(super) const NAMESAKES: &[(&str, &str)] = &[
    (
        "gitlab",
        "Gatus sends to GitLab's alerts, and the notifier `gitlab` opens issues: it needs `project` and `token`",
    ),
    (
        "webex",
        "Gatus posts to an incoming webhook, and the notifier `webex` is a bot: it needs `token` and `to`",
    ),
    (
        "splunk",
        "Gatus sends to Splunk's event collector: the notifier `webhook` may do, with a template",
    ),
];

/// Keys that are no plain copies.
pub(super) fn special(
    provider: &str,
    config: &mut Keys,
    fields: &mut Fields<'_>,
    cx: &mut Context<'_>,
) {
    match provider {
        "email" => email(config, fields, cx),
        "zulip" => {
            if let Some(field) = fields.take("domain")
                && let Some(domain) = field.text(cx)
            {
                let site = format!("https://{}", domain.trim().trim_end_matches('/'));
                config.lead("site", cx.text(&site, &field.place));
            }
        }
        "rocketchat" => {
            if let Some(field) = fields.take("channel")
                && let Some(channel) = field.text(cx)
                && !channel.trim().is_empty()
            {
                config.set("channel", cx.text(&marked(channel.trim()), &field.place));
            }
        }
        "discord" => {
            if let Some(field) = fields.take("message-content")
                && let Some(content) = field.text(cx)
                && !content.trim().is_empty()
            {
                match mention(content.trim()) {
                    Some(mention) => {
                        config.set("mention", mention);
                    }
                    None => cx.lost(&field.place, WORDING),
                }
            }
        }
        "github" => {
            if let Some(field) = fields.take("repository-url")
                && let Some(text) = field.text(cx)
            {
                let text = cx.plain(&text, &field.place);
                let url = Url::parse(&text);
                let path = url.as_ref().map(|url| url.rest.trim_matches('/'));
                let path = path.map(|path| path.trim_end_matches(".git"));
                match (url.as_ref(), path) {
                    (Some(url), Some(path)) if path.split('/').count() == 2 => {
                        config.lead("repository", path);
                        if url.host() != "github.com" {
                            let api = format!("{}://{}/api/v3", url.scheme, url.authority);
                            config.set("api_url", api);
                        }
                    }
                    _ => cx.lost(&field.place, "no address of a repository"),
                }
            }
        }
        "incident-io" => {
            if let Some(field) = fields.take("url")
                && let Some(url) = field.text(cx)
            {
                // The last part of the address is the source.
                let id = url.trim_end_matches('/').rsplit('/').next();
                let id = id.unwrap_or_default().to_owned();
                config.lead("source_id", cx.text(&id, &field.place));
            }
        }
        "homeassistant" => {
            config.set("to.action.name", "notify.notify");
            cx.differs(&fields.place, "the action `notify.notify` is called, where Gatus fires the event `gatus_alert`; another action goes under `to.action.name`");
        }
        _ => {}
    }
}

fn email(config: &mut Keys, fields: &mut Fields<'_>, cx: &mut Context<'_>) {
    // Who gives a password alone logs in as the sender.
    if let Some(Term::Table(login)) = config.get("login")
        && login.get("username").is_none()
        && let Some(from) = config.get("from").cloned()
    {
        config.set("login.username", from);
    }
    if let Some(mut client) = fields.table("client", cx) {
        if client.flag("insecure", cx) == Some(true) {
            config.set("tls.allow_untrusted", true);
        }
        for (_, field) in client.take_rest() {
            cx.lost(&field.place, CLIENT);
        }
    }
    // The library that Gatus mails with begins with TLS on this port alone.
    let encryption = |port| match port {
        465 => Encryption::Implicit,
        _ => Encryption::Offered,
    };
    mail::server(SMTP, encryption, fields, config, cx);
}

/// Whom a message of Discord mentions, if it does nothing else.
fn mention(content: &str) -> Option<String> {
    if let "@everyone" | "@here" = content {
        return Some(content.trim_start_matches('@').to_owned());
    }
    let id = content.strip_prefix("<@")?.strip_suffix('>')?;
    let id = id.strip_prefix('&').unwrap_or(id);
    let is_id = (1..=20).contains(&id.len()) && id.chars().all(|c| c.is_ascii_digit());
    is_id.then(|| content.to_owned())
}

#[cfg(test)]
mod tests {
    use super::mention;

    #[test]
    fn mentions_are_told_from_texts() {
        assert_eq!(mention("@here").as_deref(), Some("here"));
        assert_eq!(mention("<@&987>").as_deref(), Some("<@&987>"));
        assert_eq!(mention("<@12>").as_deref(), Some("<@12>"));
        for text in ["", "hello @here", "<@>", "<@!12>", "<@12> wake up"] {
            assert_eq!(mention(text), None, "{text}");
        }
    }
}
