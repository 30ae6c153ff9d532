//! What people want everyone to know. Whoever keeps it stands behind
//! [`Announcer`].

use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::time::Timestamp;

use crate::view::NoteKind;

/// Keeps announcements.
pub trait Announcer: Send + Sync {
    /// Every announcement, those that are pinned first, and of each the newest.
    fn announcements(&self) -> Vec<Announced>;

    /// Has a wish granted; ready once that would survive the end of the process.
    /// `revision` is the one that whoever wishes has seen, where they say so.
    fn announce(
        &self,
        wish: AnnounceWish,
        revision: Option<u32>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<Announced, NotAnnounced>>;
}

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its identifier.
    pub id: Arc<str>,
    /// How often it was written, from 1.
    pub revision: u32,
    /// When it was written first.
    pub created: Timestamp,
    /// When it was written last.
    pub updated: Timestamp,
    /// Whether it is shown now.
    pub is_shown: bool,
    /// What it says.
    pub said: Said,
    /// Who wrote it last.
    pub by: Arc<str>,
}

/// What an announcement says, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What kind of announcement it is.
    pub kind: NoteKind,
    /// The sentence to begin with.
    pub title: String,
    /// What else there is to say; may be empty.
    pub text: String,
    /// Whether the text is Markdown, or stands as it is.
    pub is_markdown: bool,
    /// When it is shown from; `None`: as soon as it is made.
    pub from: Option<Timestamp>,
    /// When it is shown no more; `None`: until somebody removes it.
    pub until: Option<Timestamp>,
    /// Whether it stands above those that are not.
    pub pinned: bool,
}

/// What people want done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnounceWish {
    /// That there is a new one.
    Make(Said),
    /// That one says something else.
    Change(Arc<str>, Said),
    /// That there is one no more.
    Remove(Arc<str>),
}

/// Why a wish was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAnnounced {
    /// There is no such announcement.
    Unknown,
    /// Somebody wrote it since.
    Stale,
    /// There are too many.
    Full,
    /// What was written makes no sense: each key with what is wrong with it.
    Wrong(Vec<(&'static str, String)>),
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

/// Stands in where nothing is announced.
pub(crate) struct Silence;

impl Announcer for Silence {
    fn announcements(&self) -> Vec<Announced> {
        Vec::new()
    }

    fn announce(
        &self,
        _: AnnounceWish,
        _: Option<u32>,
        _: Arc<str>,
    ) -> BoxFuture<'_, Result<Announced, NotAnnounced>> {
        Box::pin(async { Err(NotAnnounced::Busy) })
    }
}
