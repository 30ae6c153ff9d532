//! What a filter says.

use serde_json::Value;

/// A filter: one value in, any number of values out.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// `.`
    Same,
    /// `..`
    Deep,
    Literal(Value),
    /// A text with filters in it: `"\(.a) of \(.b)"`.
    Text(Vec<(String, Option<Self>)>),
    /// `$name`
    Variable(String),
    /// `.a`, `.["a"]`, `.[0]`
    Index(Box<Self>, Box<Self>),
    /// `.[1:3]`
    Slice(Box<Self>, Option<Box<Self>>, Option<Box<Self>>),
    /// `.[]`
    Each(Box<Self>),
    /// `f?`
    Try(Box<Self>, Option<Box<Self>>),
    Pipe(Box<Self>, Box<Self>),
    Comma(Box<Self>, Box<Self>),
    /// `f as $name | g`
    Bind(Box<Self>, String, Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// `f // g`
    Alternative(Box<Self>, Box<Self>),
    Negative(Box<Self>),
    If(Vec<(Self, Self)>, Option<Box<Self>>),
    /// `reduce f as $name (start; step)`
    Reduce(Box<Self>, String, Box<Self>, Box<Self>),
    List(Option<Box<Self>>),
    Object(Vec<(Self, Self)>),
    Call(String, Vec<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
