//! Where something stands in a configuration file.

use std::fmt;
use std::sync::Arc;

/// A place in a configuration file, for people. Ordered as one reads: by file,
/// line and column. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as it was named to the program.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Where a part of the configuration was written.
///
/// All positions are equal: a monitor that moved down by a line is the same
/// monitor, and a reload must leave it alone.
#[derive(Clone, Debug)]
pub struct Position(pub Place);

impl PartialEq for Position {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
