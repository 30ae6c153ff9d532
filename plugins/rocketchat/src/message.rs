//! What Rocket.Chat shows: a line and an attachment
//! (<https://developer.rocket.chat/apidocs/post-message>).

use serde::Serialize;
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Wording};

use crate::Config;

/// A message has 5,000 characters at most unless the server's `Maximum Allowed
/// Message Size` says otherwise; only its text counts.
const TITLE: Limit = Limit::chars(600);
const TEXT: Limit = Limit::chars(4000);
const FIELD: Limit = Limit::chars(1500);

/// The body of an incoming integration's request.
#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    attachments: [Attachment; 1],
}

#[derive(Debug, Serialize)]
struct Attachment {
    color: String,
    text: String,
    fields: Vec<Field>,
    /// RFC 3339; shown in each reader's own time.
    ts: String,
}

#[derive(Debug, Serialize)]
struct Field {
    title: &'static str,
    value: String,
    short: bool,
}

impl<'a> Message<'a> {
    /// The message for a notice. The mention is left out when all is well again.
    pub(crate) fn new(notice: &Notice, config: &'a Config) -> Self {
        let wording = Wording::of(notice);
        let title = Markup::Markdown.cut(&wording.headline(), TITLE);
        let text = match &config.mention {
            Some(mention) if wording.severity.is_trouble() => format!("@{mention} {title}"),
            Some(_) | None => title,
        };
        let mut fields: Vec<Field> = wording
            .facts
            .iter()
            .map(|fact| Field {
                title: fact.label,
                value: Markup::Markdown.cut(&fact.value, FIELD),
                short: fact.is_short(),
            })
            .collect();
        let links = wording.links_in(Markup::Markdown, FIELD);
        if !links.is_empty() {
            fields.push(Field {
                title: "More",
                value: links,
                short: false,
            });
        }
        Self {
            text,
            channel: config.channel.as_deref(),
            alias: config.alias.as_deref(),
            attachments: [Attachment {
                color: wording.severity.hex(),
                text: Markup::Markdown.cut(&wording.body, TEXT),
                fields,
                ts: notice.at.to_string(),
            }],
        }
    }
}
