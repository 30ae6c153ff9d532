//! What Discord shows: one embed. The limits are those of
//! <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>.

use serde::Serialize;
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Wording};

use crate::Config;

const TITLE: Limit = Limit::utf16(256);
const DESCRIPTION: Limit = Limit::utf16(4096);
const FIELD: Limit = Limit::utf16(1024);

/// Discord takes 2048; a page's title is shorter.
const FOOTER: Limit = Limit::utf16(200);

/// Of all texts of an embed together.
const EMBED: usize = 6000;

/// The body of a webhook's request.
#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    embeds: [Embed; 1],
    allowed_mentions: Allowed<'a>,
}

#[derive(Debug, Serialize)]
struct Embed {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    description: String,
    color: u32,
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<Footer>,
    /// RFC 3339; Discord shows it in each reader's own time.
    timestamp: String,
}

#[derive(Debug, Serialize)]
struct Field {
    name: &'static str,
    value: String,
    inline: bool,
}

#[derive(Debug, Serialize)]
struct Footer {
    text: String,
}

/// Who is mentioned by what `content` says; nobody by anything else.
#[derive(Debug, Default, Serialize)]
struct Allowed<'a> {
    parse: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'a str>,
}

impl<'a> Message<'a> {
    /// The message for a notice. The mention is left out when all is well again.
    pub(crate) fn new(notice: &Notice, config: &'a Config) -> Self {
        let wording = Wording::of(notice);
        let mention = config.mention.as_deref();
        let mention = mention.filter(|_| wording.severity.is_trouble());
        let title = Markup::Markdown.cut(&wording.headline(), TITLE);
        let footer = FOOTER.cut(&wording.page);
        let mut fields: Vec<Field> = wording
            .facts
            .iter()
            .map(|fact| Field {
                name: fact.label,
                value: Markup::Markdown.cut(&fact.value, FIELD),
                inline: fact.is_short(),
            })
            .collect();
        let links = wording.links_in(Markup::Markdown, FIELD);
        if !links.is_empty() {
            fields.push(Field {
                name: "More",
                value: links,
                inline: false,
            });
        }
        let used: usize = fields
            .iter()
            .flat_map(|field| [field.name, field.value.as_str()])
            .chain([title.as_str(), footer.as_str()])
            .map(|text| FIELD.size(text))
            .sum();
        let left = EMBED.saturating_sub(used).min(DESCRIPTION.most());
        Self {
            content: mention.map(|mention| match mention {
                "everyone" | "here" => format!("@{mention}"),
                id => id.to_owned(),
            }),
            username: config.username.as_deref(),
            embeds: [Embed {
                title,
                url: wording.page_link().map(|link| link.url.clone()),
                description: Markup::Markdown.cut(&wording.body, DESCRIPTION.with(left)),
                color: wording.severity.rgb(),
                fields,
                footer: (!footer.is_empty()).then_some(Footer { text: footer }),
                timestamp: notice.at.to_string(),
            }],
            allowed_mentions: mention.map(Allowed::of).unwrap_or_default(),
        }
    }
}

impl<'a> Allowed<'a> {
    fn of(mention: &'a str) -> Self {
        let id = mention.trim_start_matches("<@").trim_end_matches('>');
        let mut allowed = Self::default();
        match (mention, id.strip_prefix('&')) {
            ("everyone" | "here", _) => allowed.parse.push("everyone"),
            (_, Some(role)) => allowed.roles.push(role),
            (_, None) => allowed.users.push(id),
        }
        allowed
    }
}
