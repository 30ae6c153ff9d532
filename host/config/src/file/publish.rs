//! What the files say of where the page is written.

use super::{DAY, SECOND};
use crate::read::address::PathText;
use crate::read::scalar::Span;
use crate::read::table;

table! {
    /// Where the page is written as files, so that it outlives the host.
    struct PublishTable {
        /// The folder; made where it is missing. A relative path starts at the folder of this file.
        [required] folder: PathText,
        /// How often at most. Files that did not change are left alone.
        [default "10s"] every: Span<SECOND, DAY>,
    }
}
