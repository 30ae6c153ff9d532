//! Foreign notifiers as channels: tables of which of their keys is which of ours.

use crate::context::Context;
use crate::draft::{Channel, Keys, Term};
use crate::fields::Fields;

/// How a value is carried over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// A text that people may see.
    Text,
    /// A text that becomes a variable.
    Secret,
    /// A whole number.
    Integer,
    /// Several texts: a list, or one text with commas.
    Texts,
    /// Several texts of which each becomes a variable.
    Secrets,
    /// Nowhere; the reason is reported if it says something.
    Lost(&'static str),
    /// Nowhere, and nobody misses it.
    Skip,
}

/// A foreign notifier and ours.
pub(crate) struct Map {
    /// What the foreign system calls it.
    pub(crate) theirs: &'static str,
    /// Our plugin.
    pub(crate) ours: &'static str,
    /// Their key, our key, and how. Our key is empty where there is none.
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
        let hint = format!("{words} {ours}");
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
            How::Texts | How::Secrets => {
                let mut terms = Vec::new();
                for item in field.list() {
                    let text = item.text(cx).unwrap_or_default();
                    for part in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
                        if matches!(how, How::Secrets) {
                            terms.extend(cx.secret(&hint, part, &item.place));
                        } else {
                            terms.push(cx.text(part, &item.place));
                        }
                    }
                }
                (!terms.is_empty()).then_some(Term::List(terms))
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
