//! JSON Feed 1.1, <https://www.jsonfeed.org/version/1.1/>.

use serde::Serialize;

use super::{Entry, Feed};
use crate::dates::Iso;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: String,
    feed_url: &'a str,
    authors: [Author<'a>; 1],
    language: &'static str,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    content_html: &'a str,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [&'a str],
}

/// The feed as text.
pub(super) fn feed(feed: &Feed<'_>) -> String {
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: format!("{}/", feed.base),
        feed_url: &feed.address,
        authors: [Author { name: feed.author }],
        language: "en",
        items: feed.entries.iter().map(Item::from).collect(),
    };
    serde_json::to_string(&document).expect("texts and lists are always JSON")
}

impl<'a> From<&'a Entry<'a>> for Item<'a> {
    fn from(entry: &'a Entry<'a>) -> Self {
        Self {
            id: &entry.address,
            url: &entry.address,
            title: entry.title,
            content_html: &entry.html,
            date_published: Iso(entry.published).to_string(),
            date_modified: Iso(entry.updated).to_string(),
            tags: &entry.affects,
        }
    }
}
