//! What people wrote and nobody decides by here: kept whole, by kind and id.

use std::sync::Arc;

use watchkeeper_engine::time::Timestamp;

/// What kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A planned time in which something may not work.
    Maintenance,
    /// Something that everyone should know.
    Announcement,
}

/// By what a document is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// Of which kind it is.
    pub kind: DocumentKind,
    /// Unique within its kind.
    pub id: Arc<str>,
}

/// A document as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// How often it was written, from 1.
    pub revision: u32,
    /// When it was written first.
    pub created_at: Timestamp,
    /// When it was written last.
    pub updated_at: Timestamp,
    /// What it says. The store never looks inside.
    pub content: Arc<str>,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Maintenance, Self::Announcement];

    /// The word used in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::Announcement => "announcement",
        }
    }

    /// The kind that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
