//! What a script says: the tree that is evaluated.
//!
//! The parser's own tree keeps words as text, to be taken apart each time they
//! are expanded. Here they are taken apart once, when the script is read, so
//! that a mistake anywhere in it is found then and a loop costs little.

mod arithmetic;
mod blocks;
mod braces;
mod commands;
mod fault;
mod substitution;
mod words;

use std::rc::Rc;

pub(crate) use arithmetic::{Binary, Expr, Place, Unary, parse as parse_arithmetic};
pub(crate) use commands::{Origin, parse};
pub(crate) use fault::SyntaxFault;

/// Commands in the order in which they run.
#[derive(Debug)]
pub(crate) struct Script(pub(crate) Vec<Statement>);

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Connector, Pipeline)>,
    /// Ends in `&`.
    pub(crate) background: bool,
}

/// What joins a pipeline to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connector {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Begins with `!`.
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Simple(Simple),
    Compound(Compound, Vec<Redirect>),
    Function(Rc<str>, Rc<Function>),
}

/// A function's body.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) body: Compound,
    pub(crate) redirects: Vec<Redirect>,
}

/// Assignments, a command's words and its redirections.
#[derive(Debug)]
pub(crate) struct Simple {
    /// The line on which it begins, from 1.
    pub(crate) line: usize,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Argument>,
    pub(crate) redirects: Vec<Redirect>,
}

/// One word of a simple command.
#[derive(Debug)]
pub(crate) enum Argument {
    Word(Word),
    /// An assignment to a builtin that takes them, such as `local`.
    Assignment(Assignment),
    /// `<( … )`
    Process(Rc<Script>),
}

#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) name: Rc<str>,
    pub(crate) index: Option<Word>,
    /// `+=`
    pub(crate) append: bool,
    pub(crate) value: Assigned,
}

#[derive(Debug)]
pub(crate) enum Assigned {
    Scalar(Word),
    /// Each with its key where one is given.
    Array(Vec<(Option<Word>, Word)>),
}

#[derive(Debug)]
pub(crate) enum Compound {
    Group(Script),
    Subshell(Rc<Script>),
    If {
        /// Each with what runs if its condition holds.
        arms: Vec<(Script, Script)>,
        otherwise: Option<Script>,
    },
    Loop {
        /// The status of the condition that ends it is success: `until`.
        until: bool,
        condition: Script,
        body: Script,
    },
    For {
        name: Rc<str>,
        /// None: the positional parameters.
        words: Option<Vec<Word>>,
        body: Script,
    },
    Count {
        start: Option<Arithmetic>,
        condition: Option<Arithmetic>,
        step: Option<Arithmetic>,
        body: Script,
    },
    Case {
        subject: Word,
        items: Vec<CaseItem>,
    },
    Arithmetic(Arithmetic),
    Test(Test),
}

#[derive(Debug)]
pub(crate) struct CaseItem {
    pub(crate) patterns: Vec<Word>,
    pub(crate) body: Option<Script>,
    pub(crate) then: AfterCase,
}

/// What follows an item of a `case` that was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterCase {
    /// `;;`
    Leave,
    /// `;&`
    RunNext,
    /// `;;&`
    TestNext,
}

/// What stands in `[[ ]]`.
#[derive(Debug)]
pub(crate) enum Test {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Unary(String, Word),
    Binary(String, Word, Word),
}

#[derive(Debug)]
pub(crate) struct Redirect {
    /// None: the descriptor that the kind implies.
    pub(crate) descriptor: Option<usize>,
    pub(crate) kind: RedirectKind,
}

#[derive(Debug)]
pub(crate) enum RedirectKind {
    /// `<`
    Read(Word),
    /// `>` and `>|`
    Write(Word),
    /// `>>`
    Append(Word),
    /// `&>`, `&>>`
    Both { file: Word, append: bool },
    /// `<&` and `>&`
    Duplicate { output: bool, source: Word },
    /// A here-document or a here-string with its line break.
    Text(Word),
    /// `< <( … )`
    Process(Rc<Script>),
}

/// A word, in parts.
pub(crate) type Word = Vec<Piece>;

#[derive(Debug)]
pub(crate) enum Piece {
    /// As it is, and active where a pattern is meant.
    Text(String),
    /// As it is.
    Quoted(String),
    /// Within double quotes.
    Double(Vec<Self>),
    Parameter(Box<Expansion>),
    Command(Rc<Script>),
    Arithmetic(Arithmetic),
}

/// `${ … }`
#[derive(Debug)]
pub(crate) struct Expansion {
    pub(crate) parameter: Parameter,
    /// `${!name}`: the parameter holds the name of the one that is meant.
    pub(crate) indirect: bool,
    pub(crate) operation: Operation,
}

#[derive(Debug)]
pub(crate) enum Parameter {
    /// From 1.
    Positional(usize),
    /// `$?`, `$#`, `$@` …
    Special(char),
    Named(Rc<str>),
    Element(Rc<str>, Word),
    All {
        name: Rc<str>,
        /// `[*]` in place of `[@]`.
        joined: bool,
    },
}

#[derive(Debug)]
pub(crate) enum Operation {
    Plain,
    /// `-`; with `empty`, `:-`.
    Default {
        empty: bool,
        word: Word,
    },
    /// `=`
    Assign {
        empty: bool,
        word: Word,
    },
    /// `?`
    Require {
        empty: bool,
        word: Option<Word>,
    },
    /// `+`
    Alternative {
        empty: bool,
        word: Word,
    },
    Length,
    /// `#`, `##`, `%`, `%%`
    Remove {
        end: End,
        longest: bool,
        pattern: Word,
    },
    /// `/`, `//`, `/#`, `/%`
    Replace {
        which: Which,
        pattern: Word,
        replacement: Word,
    },
    Substring {
        offset: Arithmetic,
        length: Option<Arithmetic>,
    },
    /// `^`, `^^`, `,`, `,,`
    Case {
        upper: bool,
        all: bool,
        pattern: Option<Word>,
    },
    /// `@Q` and the like.
    Transform(char),
    /// `${!name[@]}`
    Keys {
        joined: bool,
    },
    /// `${!prefix@}`
    Names {
        joined: bool,
    },
}

/// Which end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Start,
    End,
}

/// Which matches are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    All,
    AtStart,
    AtEnd,
}

/// An arithmetic expression.
#[derive(Debug)]
pub(crate) enum Arithmetic {
    Ready(Expr),
    /// Holds expansions, whose results may be operators as well as operands.
    Late(Word),
}
