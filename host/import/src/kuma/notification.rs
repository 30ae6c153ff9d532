//! Uptime Kuma's notifications as channels.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::{Field, Fields};
use crate::notifiers::{self, How, Map, WORDING};
use crate::report::Place;

const SENDER: &str = "name and picture of the sender are those of the webhook";
const PRIORITY: &str = "the priority follows the health";

const NOTIFICATIONS: &[Map] = &[
    Map {
        theirs: "slack",
        ours: "slack",
        keys: &[
            ("slackwebhookURL", "hook_url", How::Secret),
            (
                "slackchannel",
                "",
                How::Lost("a webhook posts to its own channel"),
            ),
            ("slackusername", "", How::Lost(SENDER)),
            ("slackiconemo", "", How::Lost(SENDER)),
            ("slackTemplate", "", How::Lost(WORDING)),
            ("slackrichmessage", "", How::Skip),
            ("slackbutton", "", How::Skip),
            ("slackUseTemplate", "", How::Skip),
            ("slackIncludeGroupName", "", How::Skip),
        ],
    },
    Map {
        theirs: "discord",
        ours: "discord",
        keys: &[
            ("discordWebhookUrl", "hook_url", How::Secret),
            ("discordUsername", "", How::Lost(SENDER)),
            ("discordPrefixMessage", "", How::Lost(WORDING)),
            ("discordMessageTemplate", "", How::Lost(WORDING)),
            ("threadId", "thread_id", How::Text),
            ("discordChannelType", "", How::Skip),
            ("postName", "", How::Skip),
            ("disableUrl", "", How::Skip),
            ("discordMessageFormat", "", How::Skip),
            ("discordUseMessageTemplate", "", How::Skip),
            ("discordSuppressNotifications", "", How::Skip),
        ],
    },
    Map {
        theirs: "teams",
        ours: "teams",
        keys: &[
            ("webhookUrl", "hook_url", How::Secret),
            ("teamsEnableTags", "", How::Skip),
        ],
    },
    Map {
        theirs: "telegram",
        ours: "telegram",
        keys: &[
            ("telegramBotToken", "bot_token", How::Secret),
            ("telegramChatID", "chat_id", How::Text),
            ("telegramMessageThreadID", "thread_id", How::Integer),
            ("telegramServerUrl", "", How::Skip),
            (
                "telegramSendSilently",
                "",
                How::Lost("notices are not silent"),
            ),
            ("telegramProtectContent", "", How::Skip),
            ("telegramTemplate", "", How::Lost(WORDING)),
            ("telegramUseTemplate", "", How::Skip),
            ("telegramTemplateParseMode", "", How::Skip),
        ],
    },
    Map {
        theirs: "smtp",
        ours: "email",
        keys: &[
            ("smtpFrom", "from", How::Text),
            ("smtpTo", "to", How::Texts),
            ("smtpHost", "host", How::Text),
            ("smtpPort", "port", How::Integer),
            ("smtpUsername", "username", How::Text),
            ("smtpPassword", "password", How::Secret),
            (
                "smtpCC",
                "",
                How::Lost("copies: list the addresses in `to`"),
            ),
            (
                "smtpBCC",
                "",
                How::Lost("copies: list the addresses in `to`"),
            ),
            ("customSubject", "", How::Lost(WORDING)),
            ("customBody", "", How::Lost(WORDING)),
            ("htmlBody", "", How::Skip),
            (
                "smtpIgnoreTLSError",
                "",
                How::Lost(
                    "the mail server's certificate must be trusted: see `ca_file` of `[network]`",
                ),
            ),
            (
                "smtpDkimPrivateKey",
                "",
                How::Lost("mail is signed by the mail server"),
            ),
            ("smtpDkimDomain", "", How::Skip),
            ("smtpDkimKeySelector", "", How::Skip),
            ("smtpDkimHashAlgo", "", How::Skip),
            ("smtpDkimheaderFieldNames", "", How::Skip),
            ("smtpDkimskipFields", "", How::Skip),
        ],
    },
    Map {
        theirs: "webhook",
        ours: "webhook",
        keys: &[
            ("webhookURL", "url", How::Secret),
            (
                "webhookCustomBody",
                "",
                How::Lost("write the body as `template`, with our placeholders"),
            ),
        ],
    },
    Map {
        theirs: "pushover",
        ours: "pushover",
        keys: &[
            ("pushoverapptoken", "app_token", How::Secret),
            ("pushoveruserkey", "user_keys", How::Secrets),
            ("pushoverdevice", "device", How::Text),
            ("pushovertitle", "", How::Lost(WORDING)),
            ("pushoversounds", "sound", How::Text),
            ("pushoversounds_up", "", How::Skip),
            ("pushoverpriority", "", How::Lost(PRIORITY)),
            ("pushoverttl", "", How::Skip),
        ],
    },
    Map {
        theirs: "gotify",
        ours: "gotify",
        keys: &[
            ("gotifyserverurl", "url", How::Text),
            ("gotifyapplicationToken", "token", How::Secret),
            ("gotifyPriority", "", How::Lost(PRIORITY)),
        ],
    },
    Map {
        theirs: "ntfy",
        ours: "ntfy",
        keys: &[
            ("ntfyserverurl", "url", How::Text),
            ("ntfytopic", "topic", How::Secret),
            ("ntfyaccesstoken", "token", How::Secret),
            ("ntfyusername", "username", How::Text),
            ("ntfypassword", "password", How::Secret),
            ("ntfyPriority", "", How::Lost(PRIORITY)),
            ("ntfyPriorityDown", "", How::Skip),
            ("ntfyAuthenticationMethod", "", How::Skip),
            ("ntfyIcon", "", How::Skip),
            ("ntfyCall", "", How::Lost("ntfy's calls are not asked for")),
            ("ntfyCustomTitle", "", How::Lost(WORDING)),
            ("ntfyCustomMessage", "", How::Lost(WORDING)),
            ("ntfyUseTemplate", "", How::Skip),
        ],
    },
    Map {
        theirs: "matrix",
        ours: "matrix",
        keys: &[
            ("homeserverUrl", "homeserver_url", How::Text),
            ("accessToken", "access_token", How::Secret),
            ("internalRoomId", "room_id", How::Text),
            ("matrixTemplate", "", How::Lost(WORDING)),
            ("matrixUseTemplate", "", How::Skip),
        ],
    },
    Map {
        theirs: "mattermost",
        ours: "mattermost",
        keys: &[
            ("mattermostWebhookUrl", "hook_url", How::Secret),
            ("mattermostchannel", "channel", How::Text),
            ("mattermostusername", "", How::Lost(SENDER)),
            ("mattermosticonemo", "", How::Skip),
            ("mattermosticonurl", "", How::Skip),
        ],
    },
    Map {
        theirs: "rocket.chat",
        ours: "rocketchat",
        keys: &[
            ("rocketwebhookURL", "hook_url", How::Secret),
            ("rocketchannel", "channel", How::Text),
            ("rocketusername", "", How::Lost(SENDER)),
            ("rocketiconemo", "", How::Skip),
            ("rocketbutton", "", How::Skip),
        ],
    },
    Map {
        theirs: "GoogleChat",
        ours: "googlechat",
        keys: &[
            ("googleChatWebhookURL", "hook_url", How::Secret),
            ("googleChatTemplate", "", How::Lost(WORDING)),
            ("googleChatUseTemplate", "", How::Skip),
            ("googleChatMaxRetries", "", How::Skip),
        ],
    },
    Map {
        theirs: "PagerDuty",
        ours: "pagerduty",
        keys: &[
            ("pagerdutyIntegrationKey", "routing_key", How::Secret),
            ("pagerdutyIntegrationUrl", "", How::Skip),
            ("pagerdutyPriority", "", How::Lost(PRIORITY)),
            ("pagerdutyAutoResolve", "", How::Skip),
        ],
    },
    Map {
        theirs: "Opsgenie",
        ours: "opsgenie",
        keys: &[
            ("opsgenieApiKey", "api_key", How::Secret),
            ("opsgenieRegion", "region", How::Text),
            ("opsgeniePriority", "", How::Lost(PRIORITY)),
        ],
    },
    Map {
        theirs: "signal",
        ours: "signal",
        keys: &[
            ("signalURL", "url", How::Text),
            ("signalNumber", "number", How::Text),
            ("signalRecipients", "recipients", How::Texts),
            ("signalTemplate", "", How::Lost(WORDING)),
            ("signalUseTemplate", "", How::Skip),
        ],
    },
    Map {
        theirs: "twilio",
        ours: "twilio",
        keys: &[
            ("twilioAccountSID", "account_sid", How::Text),
            ("twilioAuthToken", "auth_token", How::Secret),
            ("twilioFromNumber", "from", How::Text),
            ("twilioToNumber", "to", How::Texts),
            (
                "twilioMessagingServiceSID",
                "messaging_service_sid",
                How::Text,
            ),
            (
                "twilioApiKey",
                "",
                How::Lost("the account's own token is used"),
            ),
        ],
    },
    Map {
        theirs: "HomeAssistant",
        ours: "homeassistant",
        keys: &[
            ("homeAssistantUrl", "url", How::Text),
            ("longLivedAccessToken", "token", How::Secret),
            ("notificationService", "service", How::Text),
        ],
    },
    Map {
        theirs: "GrafanaOncall",
        ours: "grafana-oncall",
        keys: &[("GrafanaOncallURL", "hook_url", How::Secret)],
    },
];

/// Reads the notifications; gives the channels by their number.
pub(super) fn read(root: &mut Fields<'_>, cx: &mut Context<'_>) -> BTreeMap<i64, (String, Place)> {
    let mut channels = BTreeMap::new();
    for field in root.list("notifications") {
        let Some(mut row) = field.table(cx) else {
            continue;
        };
        let id = row.integer("id", cx).unwrap_or_default();
        let name = row
            .filled("name", cx)
            .unwrap_or_else(|| format!("channel {id}"));
        let active = row.flag("active", cx).unwrap_or(true);
        row.skip(&["userid", "isdefault"]);
        if !active {
            cx.lost(
                &field.place,
                "the notification is switched off: it is left out",
            );
            continue;
        }
        let Some(config) = row.take("config") else {
            // Old backups have the keys beside the name.
            if let Some(channel) = channel(&name, row, &field.place, cx) {
                channels.insert(id, (channel, field.place.clone()));
            }
            continue;
        };
        row.finish(cx);
        let Some(node) = super::nested(&config) else {
            cx.lost(&config.place, "the notification's settings cannot be read");
            continue;
        };
        let nested = Field {
            node: &node,
            place: config.place.clone(),
        };
        if let Some(fields) = nested.table(cx)
            && let Some(channel) = channel(&name, fields, &field.place, cx)
        {
            channels.insert(id, (channel, field.place.clone()));
        }
    }
    channels
}

fn channel(
    name: &str,
    mut fields: Fields<'_>,
    place: &Place,
    cx: &mut Context<'_>,
) -> Option<String> {
    fields.skip(&[
        "name",
        "isDefault",
        "applyExisting",
        "id",
        "userId",
        "active",
        "isdefault",
        "userid",
    ]);
    let kind = fields.text("type", cx).unwrap_or_default();
    let Some(map) = NOTIFICATIONS
        .iter()
        .find(|map| map.theirs.eq_ignore_ascii_case(&kind))
    else {
        cx.lost(
            place,
            format!("there is no notifier for `{kind}`: the notifier `webhook` may do"),
        );
        return None;
    };
    let mut config = notifiers::config(map, name, &mut fields, cx);
    match map.theirs {
        "slack" => {
            if fields.flag("slackchannelnotify", cx) == Some(true) {
                config.set("mention", "channel");
            }
        }
        "smtp" => smtp(&mut fields, &mut config, cx),
        "webhook" => webhook(name, &mut fields, &mut config, cx),
        _ => {}
    }
    // Forms keep what was typed for other types.
    let rest = fields.take_rest().len();
    if rest > 0 {
        cx.lost(
            place,
            format!("{rest} more settings of the notification have no counterpart"),
        );
    }
    Some(notifiers::add(name, map.ours, config, cx))
}

fn smtp(fields: &mut Fields<'_>, config: &mut Keys, cx: &mut Context<'_>) {
    let secure = fields.flag("smtpSecure", cx).unwrap_or(false);
    let never = fields.flag("smtpIgnoreSTARTTLS", cx).unwrap_or(false);
    fields.skip(&["smtpAdditionalHeaders"]);
    let tls = if secure { "implicit" } else { "opportunistic" };
    config.set("tls", tls);
    if never && !secure {
        cx.differs(&fields.place, "TLS is used where the mail server offers it");
    }
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
        && let Some(node) = super::nested(&field)
    {
        let nested = Field {
            node: &node,
            place: field.place.clone(),
        };
        let mut headers = Keys::default();
        crate::http::headers(&nested, name, &mut headers, cx);
        config.set_some(
            "headers",
            headers
                .get("headers")
                .cloned()
                .filter(|it| matches!(it, Term::Table(_))),
        );
    }
}
