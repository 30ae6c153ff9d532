//! Atom and RSS, and the HTML that all feeds carry.

use askama::Template;

use super::Feed;
use crate::dates::{self, Form, Iso, Utc};
use crate::template::{Made as _, paragraphs};
use crate::view::IncidentView;
use crate::words;

#[derive(Template)]
#[template(path = "feed_atom.xml", escape = "html")]
struct Atom<'a> {
    feed: &'a Feed<'a>,
}

#[derive(Template)]
#[template(path = "feed_rss.xml", escape = "html")]
struct Rss<'a> {
    feed: &'a Feed<'a>,
}

#[derive(Template)]
#[template(path = "feed_story.html")]
struct Story<'a> {
    incident: &'a IncidentView,
}

/// The feed as Atom.
pub(super) fn atom(feed: &Feed<'_>) -> String {
    readable(&Atom { feed }.made())
}

/// The feed as RSS.
pub(super) fn rss(feed: &Feed<'_>) -> String {
    readable(&Rss { feed }.made())
}

/// What was said of an incident, as HTML.
pub(super) fn story(incident: &IncidentView) -> String {
    Story { incident }.made()
}

/// Without the characters that XML 1.0 cannot hold, even escaped (section 2.2).
fn readable(text: &str) -> String {
    let holds = |it: &char| {
        matches!(it, '\t' | '\n' | '\r') || (*it >= ' ' && !matches!(it, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().filter(holds).collect()
}
