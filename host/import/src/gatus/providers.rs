//! Gatus's providers: which of their keys is which of ours.

use crate::notifiers::{How, Map, WORDING};

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
