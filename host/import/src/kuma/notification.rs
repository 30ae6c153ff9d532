//! Uptime Kuma's notifications as channels.

mod special;

use std::collections::BTreeMap;

use crate::context::Context;
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
            ("discordUsername", "username", How::Text),
            ("discordPrefixMessage", "", How::Lost(WORDING)),
            ("discordMessageTemplate", "", How::Lost(WORDING)),
            ("threadId", "thread_id", How::Text),
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
            ("telegramBotToken", "token", How::Secret),
            ("telegramChatID", "chat_id", How::Text),
            ("telegramMessageThreadID", "thread_id", How::Integer),
            ("telegramSendSilently", "silent", How::Flag),
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
            ("smtpUsername", "login.username", How::Text),
            ("smtpPassword", "login.password", How::Secret),
            ("smtpCC", "cc", How::Texts),
            (
                "smtpBCC",
                "",
                How::Lost("hidden copies: make a channel of their own for them"),
            ),
            ("customSubject", "", How::Lost(WORDING)),
            ("customBody", "", How::Lost(WORDING)),
            ("htmlBody", "", How::Skip),
            ("smtpIgnoreTLSError", "tls.allow_untrusted", How::Flag),
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
            ("pushoverapptoken", "token", How::Secret),
            ("pushoveruserkey", "user", How::Joined),
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
            ("ntfyusername", "login.username", How::Text),
            ("ntfypassword", "login.password", How::Secret),
            ("ntfyPriority", "", How::Lost(PRIORITY)),
            ("ntfyPriorityDown", "", How::Skip),
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
            ("homeserverUrl", "homeserver", How::Text),
            ("accessToken", "access_token", How::Secret),
            ("internalRoomId", "room", How::Text),
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
            ("mattermostusername", "username", How::Text),
            ("mattermosticonemo", "", How::Skip),
            ("mattermosticonurl", "", How::Skip),
        ],
    },
    Map {
        theirs: "rocket.chat",
        ours: "rocketchat",
        keys: &[
            ("rocketwebhookURL", "hook_url", How::Secret),
            ("rocketusername", "alias", How::Text),
            ("rocketiconemo", "", How::Skip),
            ("rocketbutton", "", How::Skip),
        ],
    },
    Map {
        theirs: "GoogleChat",
        ours: "google-chat",
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
            ("pagerdutyPriority", "", How::Lost(PRIORITY)),
            ("pagerdutyAutoResolve", "", How::Skip),
        ],
    },
    Map {
        theirs: "Opsgenie",
        ours: "opsgenie",
        keys: &[("opsgenieApiKey", "api_key", How::Secret)],
    },
    Map {
        theirs: "signal",
        ours: "signal",
        keys: &[
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
            ("twilioMessagingServiceSID", "from", How::Text),
            ("twilioApiKey", "api_key", How::Text),
        ],
    },
    Map {
        theirs: "HomeAssistant",
        ours: "home-assistant",
        keys: &[
            ("homeAssistantUrl", "to.action.url", How::Text),
            ("longLivedAccessToken", "to.action.token", How::Secret),
        ],
    },
    Map {
        theirs: "GrafanaOncall",
        ours: "grafana-oncall",
        keys: &[("GrafanaOncallURL", "hook_url", How::Secret)],
    },
    Map {
        theirs: "Splunk",
        ours: "splunk-on-call",
        keys: &[
            ("splunkRestURL", "url", How::Secret),
            ("pagerdutyIntegrationKey", "routing_key", How::Text),
            (
                "splunkSeverity",
                "",
                How::Lost("the severity follows the health"),
            ),
            ("splunkAutoResolve", "", How::Skip),
        ],
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
    special::read(map.theirs, name, &mut fields, &mut config, cx);
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
