//! Announcements on the board: what people want everyone to know, whatever the
//! health is.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{error, info};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{Document, DocumentKey, DocumentKind};

use super::{Batch, Board};

/// How many announcements are kept. Beyond it the oldest that is shown no more
/// makes room.
const MOST: usize = 1_000;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest text, in characters.
const LONGEST_TEXT: usize = 20_000;

/// What kind of announcement it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Good to know.
    #[default]
    Information,
    /// Something will be otherwise than people are used to.
    Warning,
    /// Something does not work.
    Outage,
    /// Something works again, or is there that was not.
    Operational,
}

/// How the text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// In Markdown.
    #[default]
    Markdown,
    /// As it stands, line by line: what Vigil's managers send.
    Plain,
}

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) id: Arc<str>,
    pub(crate) revision: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) says: Says,
    /// Who wrote it last.
    pub(crate) by: Arc<str>,
}

/// What an announcement says, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Says {
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) form: Form,
    /// When it is shown from; `None`: as soon as it is made.
    pub(crate) from: Option<Timestamp>,
    /// When it is shown no more; `None`: until somebody removes it.
    pub(crate) until: Option<Timestamp>,
    /// Whether it stands above those that are not.
    pub(crate) pinned: bool,
}

/// What people want done.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Make(Says),
    Change(Arc<str>, Says),
    Remove(Arc<str>),
}

/// Why a wish cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unknown,
    Stale,
    Full,
    /// Each key with what is wrong with it.
    Wrong(Vec<(&'static str, String)>),
}

/// As a document. Keys are only ever added, each with a default.
#[derive(Serialize, Deserialize)]
struct Mirror {
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    form: Form,
    #[serde(default)]
    from: Option<i64>,
    #[serde(default)]
    until: Option<i64>,
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    by: Arc<str>,
}

impl Says {
    /// Everything that is wrong with it.
    fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let mut add = |key, what: String| wrong.push((key, format!("`{key}` {what}")));
        let title = &self.title;
        if title.trim().is_empty() {
            add("title", "must not be empty".to_owned());
        } else if title.chars().count() > LONGEST_TITLE {
            let what = format!("must have at most {LONGEST_TITLE} characters");
            add("title", what);
        } else if title.chars().any(char::is_control) {
            let what = "must be a single line without control characters";
            add("title", what.to_owned());
        }
        let text = &self.text;
        if text.chars().count() > LONGEST_TEXT {
            let what = format!("must have at most {LONGEST_TEXT} characters");
            add("text", what);
        } else if text
            .chars()
            .any(|it| it.is_control() && !"\n\r\t".contains(it))
        {
            add("text", "must not have control characters".to_owned());
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until <= from
        {
            add("until", "must be later than `from`".to_owned());
        }
        wrong
    }
}

impl Announcement {
    /// Since when it is shown.
    pub(crate) fn since(&self) -> Timestamp {
        self.says.from.unwrap_or(self.created_at)
    }

    /// Whether it is shown at `now`.
    pub(crate) fn is_shown(&self, now: Timestamp) -> bool {
        self.since() <= now && !self.is_over(now)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.says.until.is_some_and(|until| until <= now)
    }

    fn key(&self) -> DocumentKey {
        key(&self.id)
    }

    fn write(&self) -> Document {
        let says = &self.says;
        let mirror = Mirror {
            kind: says.kind,
            title: says.title.clone(),
            text: says.text.clone(),
            form: says.form,
            from: says.from.map(Timestamp::as_millis),
            until: says.until.map(Timestamp::as_millis),
            pinned: says.pinned,
            by: Arc::clone(&self.by),
        };
        let content = serde_json::to_string(&mirror).expect("texts and numbers always serialise");
        Document {
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
            content: content.into(),
        }
    }

    fn read(id: &Arc<str>, document: &Document) -> Result<Self, serde_json::Error> {
        let mirror: Mirror = serde_json::from_str(&document.content)?;
        Ok(Self {
            id: Arc::clone(id),
            revision: document.revision,
            created_at: document.created_at,
            updated_at: document.updated_at,
            says: Says {
                kind: mirror.kind,
                title: mirror.title,
                text: mirror.text,
                form: mirror.form,
                from: mirror.from.map(Timestamp::from_millis),
                until: mirror.until.map(Timestamp::from_millis),
                pinned: mirror.pinned,
            },
            by: mirror.by,
        })
    }
}

/// The announcements as the last process left them.
pub(super) fn restore<'a>(
    documents: impl IntoIterator<Item = (&'a DocumentKey, &'a Document)>,
) -> Vec<Arc<Announcement>> {
    let documents = documents.into_iter();
    let kept = documents.filter(|(key, _)| key.kind == DocumentKind::Announcement);
    kept.filter_map(|(key, document)| {
        let read = Announcement::read(&key.id, document);
        if let Err(problem) = &read {
            error!(id = %key.id, %problem, "an announcement in the database cannot be read and is passed over");
        }
        read.ok().map(Arc::new)
    })
    .collect()
}

impl Board {
    /// Every announcement, those that are pinned first, and of each the newest.
    pub(crate) fn announced(&self) -> Vec<Arc<Announcement>> {
        let mut all = self.announced.clone();
        all.sort_by_key(|it| (Reverse(it.says.pinned), Reverse(it.since()), it.id.clone()));
        all
    }

    /// Grants a wish of `by`, unless what it is about is not at `revision` any more.
    pub(crate) fn announce_for(
        &mut self,
        wish: Wish,
        revision: Option<u32>,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Arc<Announcement>, Refused> {
        let (known, says) = match wish {
            Wish::Make(says) => (None, Some(says)),
            Wish::Change(id, says) => (Some(self.known(&id, revision)?), Some(says)),
            Wish::Remove(id) => (Some(self.known(&id, revision)?), None),
        };
        let wrong = says.as_ref().map(Says::wrong).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(Refused::Wrong(wrong));
        }
        if known.is_none() {
            self.make_room_to_announce(now, batch)?;
        }
        batch.is_news = true;
        if let Some(known) = &known {
            self.announced.retain(|it| it.id != known.id);
            batch.commit.documents.insert(known.key(), None);
        }
        let Some(says) = says else {
            info!(%by, "an announcement was removed");
            return known.ok_or(Refused::Unknown);
        };
        let (id, revision, created_at) = match &known {
            Some(known) => (
                Arc::clone(&known.id),
                known.revision.saturating_add(1),
                known.created_at,
            ),
            None => (uuid::Uuid::new_v4().to_string().into(), 1, now),
        };
        let announcement = Arc::new(Announcement {
            id,
            revision,
            created_at,
            updated_at: now,
            says,
            by: Arc::clone(by),
        });
        info!(id = %announcement.id, %by, "an announcement was written");
        let document = announcement.write();
        let key = announcement.key();
        batch.commit.documents.insert(key, Some(document));
        self.announced.push(Arc::clone(&announcement));
        Ok(announcement)
    }

    fn known(&self, id: &str, revision: Option<u32>) -> Result<Arc<Announcement>, Refused> {
        let known = self.announced.iter().find(|it| &*it.id == id);
        let known = known.ok_or(Refused::Unknown)?;
        if revision.is_some_and(|revision| revision != known.revision) {
            return Err(Refused::Stale);
        }
        Ok(Arc::clone(known))
    }

    /// The oldest that is shown no more leaves where there are too many.
    fn make_room_to_announce(&mut self, now: Timestamp, batch: &mut Batch) -> Result<(), Refused> {
        if self.announced.len() < MOST {
            return Ok(());
        }
        let over = self.announced.iter().filter(|it| it.is_over(now));
        let oldest = over.min_by_key(|it| it.updated_at).cloned();
        let oldest = oldest.ok_or(Refused::Full)?;
        self.announced.retain(|it| it.id != oldest.id);
        batch.commit.documents.insert(oldest.key(), None);
        Ok(())
    }
}

fn key(id: &Arc<str>) -> DocumentKey {
    DocumentKey {
        kind: DocumentKind::Announcement,
        id: Arc::clone(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let announcement = Announcement {
            id: "a".into(),
            revision: 3,
            created_at: Timestamp::from_millis(1),
            updated_at: Timestamp::from_millis(2),
            says: Says {
                kind: Kind::Warning,
                title: "T".to_owned(),
                text: "x".to_owned(),
                form: Form::Plain,
                from: Some(Timestamp::from_millis(3)),
                until: Some(Timestamp::from_millis(9)),
                pinned: true,
            },
            by: "ops".into(),
        };
        let read = Announcement::read(&announcement.id, &announcement.write());
        assert_eq!(read.unwrap(), announcement);
        let shown = [2, 3, 8, 9].map(|at| announcement.is_shown(Timestamp::from_millis(at)));
        assert_eq!(shown, [false, true, true, false]);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let keys = |says: Says| -> Vec<_> { says.wrong().into_iter().map(|it| it.0).collect() };
        let fine = Says {
            title: "T".to_owned(),
            ..Says::default()
        };
        assert_eq!(keys(fine.clone()), [""; 0]);
        let wrong = Says {
            title: "a\nb".to_owned(),
            text: "\u{1b}".to_owned(),
            from: Some(Timestamp::from_millis(1)),
            until: Some(Timestamp::from_millis(1)),
            ..fine
        };
        assert_eq!(keys(wrong), ["title", "text", "until"]);
        assert_eq!(keys(Says::default()), ["title"]);
    }
}
