//! Words: from the parser's pieces to the tree's.

use std::rc::Rc;

use brush_parser::ParserOptions;
use brush_parser::word::{self, WordPiece, WordPieceWithSource};

use super::commands::{Origin, parse};
use super::{Arithmetic, Piece, SyntaxFault, Word, braces, parse_arithmetic, substitution};
use crate::escape;

/// Where quotes are found in what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// As a word of a command.
    None,
    /// Within double quotes.
    Double,
}

/// What the parser is told: bash's syntax. What `~` stands for, nobody knows
/// where there are no files.
pub(crate) fn options() -> ParserOptions {
    ParserOptions {
        tilde_expansion_at_word_start: false,
        tilde_expansion_after_colon: false,
        ..ParserOptions::default()
    }
}

/// The words that one word of a command stands for: braces expanded.
pub(crate) fn read_braced(text: &str, origin: Origin) -> Result<Vec<Word>, SyntaxFault> {
    let Some(texts) = braces::expand(text) else {
        return Err(origin.fault("braces that expand to more than 10000 words"));
    };
    texts.iter().map(|text| read(text, origin)).collect()
}

/// One word.
pub(crate) fn read(text: &str, origin: Origin) -> Result<Word, SyntaxFault> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // Most words are plain.
    if text
        .chars()
        .all(|c| !matches!(c, '$' | '`' | '"' | '\'' | '\\'))
    {
        return Ok(vec![Piece::Text(text.to_owned())]);
    }
    let pieces = word::parse(text, &options()).map_err(|_| broken(text, origin))?;
    of_pieces(text, pieces, Quoting::None, origin)
}

/// The body of a here-document in which expansions happen.
pub(crate) fn read_document(text: &str, origin: Origin) -> Result<Word, SyntaxFault> {
    let pieces = word::parse_heredoc(text, &options()).map_err(|_| broken(text, origin))?;
    of_pieces(text, pieces, Quoting::Double, origin)
}

/// The word of `${name:-word}`, which is quoted where that is.
pub(crate) fn read_operand(
    text: &str,
    quoting: Quoting,
    origin: Origin,
) -> Result<Word, SyntaxFault> {
    match quoting {
        Quoting::None => read(text, origin),
        Quoting::Double if text.contains('"') => Ok(vec![Piece::Double(read(text, origin)?)]),
        Quoting::Double => read_document(text, origin),
    }
}

/// An arithmetic expression.
pub(crate) fn read_arithmetic(text: &str, origin: Origin) -> Result<Arithmetic, SyntaxFault> {
    if text.contains(['$', '`', '\\', '"', '\'']) {
        let unquoted = text.replace('"', "");
        return Ok(Arithmetic::Late(read_document(&unquoted, origin)?));
    }
    match parse_arithmetic(text) {
        Ok(expr) => Ok(Arithmetic::Ready(expr)),
        Err(what) => Err(origin.fault(what)),
    }
}

fn broken(text: &str, origin: Origin) -> SyntaxFault {
    let shown: String = text.chars().take(40).collect();
    origin.fault(format!("an expansion cannot be read: `{shown}`"))
}

fn of_pieces(
    text: &str,
    pieces: Vec<WordPieceWithSource>,
    quoting: Quoting,
    origin: Origin,
) -> Result<Word, SyntaxFault> {
    let mut word = Vec::with_capacity(pieces.len());
    for WordPieceWithSource {
        piece, start_index, ..
    } in pieces
    {
        let here = origin.after(text.get(..start_index).unwrap_or_default());
        word.push(of_piece(text, piece, quoting, here)?);
    }
    Ok(word)
}

fn of_piece(
    text: &str,
    piece: WordPiece,
    quoting: Quoting,
    here: Origin,
) -> Result<Piece, SyntaxFault> {
    Ok(match piece {
        WordPiece::Text(text) => match quoting {
            Quoting::None => Piece::Text(text),
            Quoting::Double => Piece::Quoted(text.replace("\\\n", "")),
        },
        WordPiece::SingleQuotedText(text) => Piece::Quoted(text),
        WordPiece::AnsiCQuotedText(text) => Piece::Quoted(escape::ansi_c(&text)),
        WordPiece::DoubleQuotedSequence(pieces)
        | WordPiece::GettextDoubleQuotedSequence(pieces) => {
            // The positions of these pieces count from the same start.
            Piece::Double(of_pieces(text, pieces, Quoting::Double, here.flat())?)
        }
        WordPiece::TildeExpansion(_) => Piece::Quoted("~".to_owned()),
        WordPiece::EscapeSequence(sequence) => {
            let escaped = sequence.strip_prefix('\\').unwrap_or(&sequence);
            Piece::Quoted(if escaped == "\n" { "" } else { escaped }.to_owned())
        }
        WordPiece::CommandSubstitution(script) => {
            Piece::Command(Rc::new(parse(&script, here.after("$(").deeper()?)?))
        }
        WordPiece::BackquotedCommandSubstitution(script) => {
            let script = unescape_backquoted(&script, quoting);
            Piece::Command(Rc::new(parse(&script, here.after("`").deeper()?)?))
        }
        WordPiece::ArithmeticExpression(expr) => {
            Piece::Arithmetic(read_arithmetic(&expr.value, here)?)
        }
        WordPiece::ParameterExpansion(expr) => {
            Piece::Parameter(Box::new(substitution::read(expr, quoting, here)?))
        }
    })
}

/// What stands between backquotes, where a backslash keeps its meaning only
/// before `$` and another backslash (POSIX 2.6.3).
fn unescape_backquoted(text: &str, quoting: Quoting) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let taken = |next: &char| {
            matches!(next, '$' | '\\') || (*next == '"' && quoting == Quoting::Double)
        };
        match (c, rest.next_if(taken)) {
            ('\\', Some(next)) => result.push(next),
            (c, Some(next)) => {
                result.push(c);
                if next == '\\' {
                    // An escape of its own.
                    match rest.next() {
                        Some(after) if taken(&after) => result.push(after),
                        Some(after) => result.extend(['\\', after]),
                        None => result.push('\\'),
                    }
                } else {
                    result.push(next);
                }
            }
            (c, None) => result.push(c),
        }
    }
    result
}
