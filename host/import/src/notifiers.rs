//! Foreign notifiers as channels: tables of which of their keys is which of ours.

pub(crate) mod mail;

use crate::context::Context;
use crate::draft::{Channel, Keys, Term};
use crate::fields::{Field, Fields};

/// How a value is carried over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// A text that people may see.
    Text,
    /// A text that becomes a variable.
    Secret,
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// Several texts: a list, or one text with commas.
    Texts,
    /// Several texts that become one variable, with commas between them.
    Joined,
    /// Nowhere; the reason is reported if it says something.
    Lost(&'static str),
    /// Nowhere, and nobody misses it.
    Skip,
}

/// A foreign notifier and ours.
pub(crate) struct Map {
    /// What the foreign system calls it.
    pub(crate) theirs: &'static str,
    /// Our notifier.
    pub(crate) ours: &'static str,
    /// Their key, our key, and how. Ours may be a path, `to.room`, and is empty
    /// where there is none. Of several that lead to one of ours the last counts.
    pub(crate) keys: &'static [(&'static str, &'static str, How)],
}

/// The wording of messages is ours; it can be changed with templates of routes.
pub(crate) const WORDING: &str = "notices have a wording of their own";

/// Reads the configuration of a foreign notifier; what `map` does not name stays
/// in `fields`.
pub(crate) fn config(
    map: &Map,
    words: &str,
    fields: &mut Fields<'_>,
    cx: &mut Context<'_>,
) -> Keys {
    let mut config = Keys::default();
    for &(theirs, ours, how) in map.keys {
        let Some(field) = fields.take(theirs) else {
            continue;
        };
        let last = ours.rsplit('.').next().unwrap_or(ours);
        let hint = format!("{words} {last}");
        let place = &field.place;
        let term: Option<Term> = match how {
            How::Text => field
                .text(cx)
                .filter(|text| !text.trim().is_empty())
                .map(|text| cx.text(text.trim(), place)),
            How::Secret => field
                .text(cx)
                .and_then(|text| cx.secret(&hint, text.trim(), place)),
            How::Integer => field.integer(cx).map(Term::Integer),
            How::Flag => field.flag(cx).filter(|it| *it).map(Term::Bool),
            How::Texts => {
                let texts = texts(&field, cx);
                let terms: Vec<_> = texts.iter().map(|text| cx.text(text, place)).collect();
                (!terms.is_empty()).then_some(Term::List(terms))
            }
            How::Joined => {
                let joined = texts(&field, cx).join(",");
                cx.secret(&hint, &joined, place)
            }
            How::Lost(why) => {
                let says = match &field.node.value {
                    crate::node::Value::Bool(value) => *value,
                    crate::node::Value::Text(text) => !text.trim().is_empty(),
                    _ => true,
                };
                if says {
                    cx.lost(place, why);
                }
                None
            }
            How::Skip => None,
        };
        if !ours.is_empty() {
            config.set_some(ours, term);
        }
    }
    config
}

/// The texts of a list, or of one text with commas between them.
fn texts(field: &Field<'_>, cx: &mut Context<'_>) -> Vec<String> {
    let mut texts = Vec::new();
    for item in field.list() {
        let text = item.text(cx).unwrap_or_default();
        let parts = text.split(',').map(str::trim);
        texts.extend(parts.filter(|it| !it.is_empty()).map(str::to_owned));
    }
    texts
}

/// Adds a channel of that name and gives its id.
pub(crate) fn add(
    name: &str,
    notifier: &'static str,
    config: Keys,
    cx: &mut Context<'_>,
) -> String {
    let id = cx.channel_ids.make(name, notifier);
    cx.draft.channels.push(Channel {
        id: id.clone(),
        notifier,
        config,
    });
    id
}

/// A channel of Rocket.Chat with the sign that tells it from a person.
pub(crate) fn marked(channel: &str) -> String {
    if channel.starts_with(['#', '@']) {
        channel.to_owned()
    } else {
        format!("#{channel}")
    }
}
