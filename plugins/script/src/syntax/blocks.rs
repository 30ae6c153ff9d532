//! What holds a script's blocks together: which `if` has no `fi`.
//!
//! The parser knows that a script is broken, but of a block that is never
//! closed only that it came to the end. This finds the word to blame.

use brush_parser::Token;

use super::SyntaxFault;
use super::commands::Origin;

/// How deep parentheses may nest: the parser's work doubles at each.
const MAX_PARENTHESES: usize = 24;

/// Refuses what the parser must not be given: numbers that it cannot hold, and
/// parentheses at which it would try too many ways.
pub(crate) fn check_before(tokens: &[Token], origin: Origin) -> Result<(), SyntaxFault> {
    let mut open: Vec<&Token> = Vec::new();
    let mut deepest = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Operator(operator, _) if operator == "(" => {
                open.push(token);
                deepest = deepest.max(open.len());
            }
            // Patterns of `case` close more than they open.
            Token::Operator(operator, _) if operator == ")" => {
                open.pop();
            }
            Token::Operator(operator, _) if operator.starts_with(['<', '>']) => {
                let number = at.checked_sub(1).and_then(|before| tokens.get(before));
                if let Some(Token::Word(word, _)) = number
                    && word.len() > 3
                    && word.chars().all(|c| c.is_ascii_digit())
                {
                    return Err(of(token, origin).fault(format!("{word} is no file descriptor")));
                }
            }
            Token::Operator(..) | Token::Word(..) => {}
        }
    }
    if deepest > MAX_PARENTHESES {
        return Err(origin.fault("parentheses are nested too deep"));
    }
    if deepest > 6
        && let Some(first) = open.first()
    {
        return Err(of(first, origin).fault("`(` without `)`"));
    }
    Ok(())
}

/// A block that is open.
struct Open<'t> {
    word: &'t str,
    token: &'t Token,
    /// `then`, `do` or `in` was met.
    begun: bool,
}

/// The first word that closes what is not open, or the last that opens what is
/// not closed.
pub(crate) fn blame(tokens: &[Token], origin: Origin) -> Option<SyntaxFault> {
    let mut open: Vec<Open<'_>> = Vec::new();
    // Whether the next word is one of the language rather than an argument.
    let mut leads = true;
    let mut after_for = false;
    for token in tokens {
        let here = of(token, origin);
        let top = open.last_mut();
        let top_word = top.as_ref().map_or("", |top| top.word);
        let in_patterns = top
            .as_ref()
            .is_some_and(|top| top.word == "case" && top.begun);
        match token {
            Token::Operator(operator, _) => {
                match operator.as_str() {
                    "(" if !in_patterns => open.push(Open {
                        word: "(",
                        token,
                        begun: true,
                    }),
                    ")" if top_word == "(" => {
                        open.pop();
                    }
                    ")" if !in_patterns => return Some(here.fault("unexpected `)`")),
                    _ => {}
                }
                leads = !operator.starts_with(['<', '>']);
            }
            Token::Word(word, _) => {
                let word = word.as_str();
                if word == "in" && top_word == "case" && !in_patterns {
                    begin(top);
                    leads = true;
                    continue;
                }
                leads |= word == "do" && after_for;
                if !leads {
                    continue;
                }
                after_for = word == "for" || (after_for && word != "do");
                leads = matches!(
                    word,
                    "if" | "then" | "elif" | "else" | "while" | "until" | "do" | "{" | "!"
                );
                let (opens, needs) = match word {
                    "if" | "while" | "until" | "for" | "case" | "{" => {
                        let begun = word == "{";
                        open.push(Open { word, token, begun });
                        continue;
                    }
                    "then" | "elif" | "else" if top_word == "if" => {
                        if let Some(top) = top {
                            top.begun = word != "elif";
                        }
                        continue;
                    }
                    "then" | "elif" | "else" => {
                        return Some(here.fault(format!("`{word}` without `if`")));
                    }
                    "do" if matches!(top_word, "while" | "until" | "for") => {
                        begin(top);
                        continue;
                    }
                    "do" => {
                        let what = "`do` without `while`, `until` or `for`";
                        return Some(here.fault(what));
                    }
                    "fi" => (["if"].as_slice(), "then"),
                    "done" => (["while", "until", "for"].as_slice(), "do"),
                    "esac" => (["case"].as_slice(), "in"),
                    "}" => (["{"].as_slice(), ""),
                    _ => continue,
                };
                let Some(top) = open.pop() else {
                    return Some(here.fault(format!("`{word}` closes nothing")));
                };
                let line = of(top.token, origin).line_number();
                let opened = top.word;
                if !opens.contains(&opened) {
                    let what = format!("`{word}`, but `{opened}` on line {line} is still open");
                    return Some(here.fault(what));
                }
                if !top.begun {
                    let what = format!("`{word}`, but `{opened}` on line {line} has no `{needs}`");
                    return Some(here.fault(what));
                }
            }
        }
    }
    let Open { word, token, .. } = open.pop()?;
    let end = match word {
        "if" => "fi",
        "case" => "esac",
        "{" => "}",
        "(" => ")",
        _ => "done",
    };
    Some(of(token, origin).fault(format!("`{word}` without `{end}`")))
}

fn begin(open: Option<&mut Open<'_>>) {
    if let Some(open) = open {
        open.begun = true;
    }
}

fn of(token: &Token, origin: Origin) -> Origin {
    let start = &token.location().start;
    origin.at(start.line, start.column)
}

#[cfg(test)]
mod tests {
    use crate::syntax::{Origin, parse};

    #[test]
    fn the_word_to_blame_is_named() {
        for (script, expected) in [
            (
                "if true; then\n  echo\n",
                "line 1, column 1: `if` without `fi`",
            ),
            ("echo\nfi", "line 2, column 1: `fi` closes nothing"),
            (
                "if [ 1 -gt 3 ] then echo; fi",
                "line 1, column 27: `fi`, but `if` on line 1 has no `then`",
            ),
            (
                "for i in 1 2; do echo $i\n",
                "line 1, column 1: `for` without `done`",
            ),
            (
                "while true; do if x; then y; done",
                "line 1, column 30: `done`, but `if` on line 1 is still open",
            ),
            ("echo a)", "line 1, column 7: unexpected `)`"),
            ("(echo a", "line 1, column 1: `(` without `)`"),
            (
                "case x in a) echo;;",
                "line 1, column 1: `case` without `esac`",
            ),
            ("echo 'a\nb", "line 1, column 6: unterminated single quote"),
            ("x=\"a", "line 1, column 3: unterminated double quote"),
            (
                "a\nb $(if x; then y)",
                "line 2, column 5: `if` without `fi`",
            ),
            (
                "echo $((1 +))",
                "line 1, column 6: arithmetic: an operand is missing at the end",
            ),
            (
                "a &&",
                "line 1, column 5: unexpected end: a command is not complete",
            ),
            ("| b", "line 1, column 1: unexpected `|`"),
            ("time ls", "line 1, column 1: `time` is not known here"),
            ("coproc x", "line 1, column 1: `coproc` is not known here"),
            (
                "99999999999>x",
                "line 1, column 12: 99999999999 is no file descriptor",
            ),
            (
                "do x; done",
                "line 1, column 1: `do` without `while`, `until` or `for`",
            ),
        ] {
            let said = parse(script, Origin::start()).unwrap_err().to_string();
            assert_eq!(said, expected, "{script}");
        }
        for hostile in ["(".repeat(2000), "((".repeat(12) + "x", "$(".repeat(500)] {
            assert!(parse(&hostile, Origin::start()).is_err(), "{hostile}");
        }
    }
}
