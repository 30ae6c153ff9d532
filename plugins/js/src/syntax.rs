//! Mistakes in a script that show without running it.

use boa_engine::Source;
use boa_engine::ast::scope::Scope;
use boa_engine::interner::Interner;
use boa_engine::parser::{Error, Parser, lexer};

use crate::Config;

/// A mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key: `script`.
    pub key: &'static str,
    /// Where it is in the text there, both from 1; none where it is at no one place.
    pub position: Option<(u32, u32)>,
    /// What is wrong.
    pub what: String,
}

/// Checks the syntax of a configuration's script, without running any of it.
pub fn validate(config: &Config) -> Result<(), Mistake> {
    Parser::new(Source::from_bytes(&config.script))
        .parse_script(&Scope::new_global(), &mut Interner::default())
        .map(drop)
        .map_err(|error| mistake(&error))
}

fn mistake(error: &Error) -> Mistake {
    let position = match error {
        Error::Expected { span, .. } | Error::Unexpected { span, .. } => Some(span.start()),
        Error::General { position, .. }
        | Error::Lex {
            err: lexer::Error::Syntax(_, position),
        } => Some(*position),
        Error::Lex { .. } | Error::AbruptEnd | Error::ScopeAnalysis { .. } => None,
    };
    let position = position.map(|it| (it.line_number(), it.column_number()));
    let what = match error {
        Error::AbruptEnd => "the script ends in the middle of something".to_owned(),
        other => other.to_string(),
    };
    // The parser's words end with the place, which is told apart.
    let place = position.map(|(line, column)| format!(" at line {line}, col {column}"));
    let what = match place.as_deref().and_then(|place| what.strip_suffix(place)) {
        Some(what) => what.to_owned(),
        None => what,
    };
    Mistake {
        key: "script",
        position,
        what,
    }
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "config.{}: ", self.key)?;
        if let Some((line, column)) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}
