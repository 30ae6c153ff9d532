//! What is wrong with a script's text, and where.

use std::fmt;

/// A syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    /// What is wrong, in lower case and without a full stop.
    pub(crate) what: String,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
}

impl SyntaxFault {
    pub(crate) fn new(line: usize, column: usize, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            line,
            column,
        }
    }
}

impl fmt::Display for SyntaxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, column } = self;
        write!(f, "line {line}, column {column}: {what}")
    }
}
