//! Parts of the configuration that were made while the program ran.

use watchkeeper_engine::time::Timestamp;

/// A part of the configuration as the store keeps it. The store never looks inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// The word for its kind.
    pub kind: String,
    /// What it is called, unique among those of its kind.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Which version of it this is. Whoever writes sees to it that no two versions
    /// of one thing have the same, whatever was removed between them.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// What becomes of a part of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It is from now on, in place of what was called so.
    Put(ItemRow),
    /// It is no more.
    Remove {
        /// The word for its kind.
        kind: String,
        /// What it was called.
        id: String,
    },
}
