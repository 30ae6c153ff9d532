//! What Mattermost shows: a line and an attachment
//! (<https://developers.mattermost.com/integrate/reference/message-attachments/>).

use serde::Serialize;
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Wording};

use crate::Config;

/// A post has 16,383 characters at most, attachments included
/// (<https://developers.mattermost.com/integrate/webhooks/incoming/>): with these
/// all of them together stay below.
const TITLE: Limit = Limit::chars(600);
const TEXT: Limit = Limit::chars(4000);
const FIELD: Limit = Limit::chars(1500);

/// The body of an incoming webhook's request.
#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    attachments: [Attachment; 1],
}

#[derive(Debug, Serialize)]
struct Attachment {
    fallback: String,
    color: String,
    text: String,
    fields: Vec<Field>,
    footer: String,
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
            Some(mention) if wording.severity.is_trouble() => format!("@{mention} **{title}**"),
            Some(_) | None => format!("**{title}**"),
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
            username: config.username.as_deref(),
            attachments: [Attachment {
                fallback: title,
                color: wording.severity.hex(),
                text: Markup::Markdown.cut(&wording.body, TEXT),
                fields,
                footer: TITLE.cut(&wording.page),
            }],
        }
    }
}
