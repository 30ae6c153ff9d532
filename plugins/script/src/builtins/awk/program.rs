//! What a program says.

use regex_lite::Regex;

/// A program: what is done when.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) begin: Vec<Vec<Statement>>,
    pub(super) rules: Vec<Rule>,
    pub(super) end: Vec<Vec<Statement>>,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// None: the line is printed.
    pub(super) action: Option<Vec<Statement>>,
}

#[derive(Debug)]
pub(super) enum Pattern {
    Always,
    If(Expr),
    /// From one line to another.
    Range(Expr, Expr),
}

#[derive(Debug)]
pub(super) enum Statement {
    Expr(Expr),
    Print(Vec<Expr>),
    Printf(Vec<Expr>),
    If(Expr, Vec<Self>, Vec<Self>),
    While(Expr, Vec<Self>),
    Do(Vec<Self>, Expr),
    For(
        Option<Box<Self>>,
        Option<Expr>,
        Option<Box<Self>>,
        Vec<Self>,
    ),
    ForIn(String, String, Vec<Self>),
    Delete(String, Option<Vec<Expr>>),
    Next,
    Break,
    Continue,
    Exit(Option<Expr>),
}

#[derive(Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    /// `/…/`, compared with the line where it stands alone.
    Match(Regex),
    Place(Place),
    Assign(Place, Option<Binary>, Box<Self>),
    /// `++` and `--`; with `first`, written before.
    Step {
        place: Place,
        by: f64,
        first: bool,
    },
    Binary(Binary, Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Minus(Box<Self>),
    Plus(Box<Self>),
    Choice(Box<Self>, Box<Self>, Box<Self>),
    /// `~`, or with `negated` `!~`.
    Matches {
        text: Box<Self>,
        pattern: Box<Self>,
        negated: bool,
    },
    In(Vec<Self>, String),
    Call(String, Vec<Self>),
}

/// What can be assigned to.
#[derive(Debug)]
pub(super) enum Place {
    Variable(String),
    Field(Box<Expr>),
    Element(String, Vec<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Join,
    Less,
    LessOrEqual,
    Equal,
    Unequal,
    Greater,
    GreaterOrEqual,
}

impl Program {
    /// Whether it looks at any input.
    pub(super) fn reads(&self) -> bool {
        !self.rules.is_empty() || !self.end.is_empty()
    }
}
