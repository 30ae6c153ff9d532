//! `test` and `[`.

use super::failed;
use crate::shell::{Interrupt, Outcome, Shell, compare_numbers, compare_texts, is_numeric};

pub(super) fn bracket(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    match words.split_last() {
        Some((last, words)) if last == "]" => evaluate(shell, "[", words),
        _ => failed(shell, "[", "missing `]`", 2),
    }
}

pub(super) fn test(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    evaluate(shell, "test", words)
}

fn evaluate(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match expression(shell, &words)? {
        Ok(true) => Ok(0),
        Ok(false) => Ok(1),
        Err(what) => failed(shell, name, &what, 2),
    }
}

type Verdict = Result<Result<bool, String>, Interrupt>;

/// What POSIX says of up to four words, and the usual reading of more.
fn expression(shell: &mut Shell<'_>, words: &[&str]) -> Verdict {
    match words {
        [] => Ok(Ok(false)),
        [only] => Ok(Ok(!only.is_empty())),
        ["!", rest @ ..] if rest.len() < 4 => negated(shell, rest),
        [operator, operand] => unary(shell, operator, operand),
        ["(", inner, ")"] => expression(shell, &[inner]),
        [left, operator, right] if is_binary(operator) => binary(left, operator, right),
        ["(", inner @ .., ")"] if words.len() == 4 => expression(shell, inner),
        words => {
            let mut parser = Parser { words, at: 0 };
            let verdict = parser.or(shell)?;
            if parser.at < words.len() && verdict.is_ok() {
                let what = match words.get(parser.at) {
                    Some(word) if words.len() == 3 => format!("{word}: binary operator expected"),
                    _ => "too many arguments".to_owned(),
                };
                return Ok(Err(what));
            }
            Ok(verdict)
        }
    }
}

fn negated(shell: &mut Shell<'_>, words: &[&str]) -> Verdict {
    Ok(expression(shell, words)?.map(|holds| !holds))
}

fn unary(shell: &mut Shell<'_>, operator: &str, operand: &str) -> Verdict {
    let known = operator.len() == 2 && operator.starts_with('-');
    if !known {
        return Ok(Err(format!("{operator}: unary operator expected")));
    }
    // What is not known was said.
    Ok(Ok(shell.unary(operator, operand)?.unwrap_or(false)))
}

fn is_binary(operator: &str) -> bool {
    is_numeric(operator)
        || compare_texts(operator, "", "").is_some()
        || matches!(operator, "-a" | "-o")
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of several forms of a condition"
)]
fn binary(left: &str, operator: &str, right: &str) -> Verdict {
    Ok(match operator {
        "-a" => Ok(!left.is_empty() && !right.is_empty()),
        "-o" => Ok(!left.is_empty() || !right.is_empty()),
        _ if is_numeric(operator) => {
            let number = |text: &str| {
                text.trim()
                    .parse()
                    .map_err(|_| format!("{text}: integer expression expected"))
            };
            match (number(left), number(right)) {
                (Ok(left), Ok(right)) => Ok(compare_numbers(operator, left, right)),
                (Err(what), _) | (_, Err(what)) => Err(what),
            }
        }
        _ => match compare_texts(operator, left, right) {
            Some(holds) => Ok(holds),
            None => Err(format!("{operator}: binary operator expected")),
        },
    })
}

/// `-o`, `-a`, `!` and parentheses of any number of words.
struct Parser<'w> {
    words: &'w [&'w str],
    at: usize,
}

impl<'w> Parser<'w> {
    fn peek(&self, ahead: usize) -> Option<&'w str> {
        self.words.get(self.at + ahead).copied()
    }

    fn or(&mut self, shell: &mut Shell<'_>) -> Verdict {
        let mut holds = match self.and(shell)? {
            Ok(holds) => holds,
            error => return Ok(error),
        };
        while self.peek(0) == Some("-o") {
            self.at += 1;
            match self.and(shell)? {
                Ok(right) => holds |= right,
                error => return Ok(error),
            }
        }
        Ok(Ok(holds))
    }

    fn and(&mut self, shell: &mut Shell<'_>) -> Verdict {
        let mut holds = match self.primary(shell)? {
            Ok(holds) => holds,
            error => return Ok(error),
        };
        while self.peek(0) == Some("-a") {
            self.at += 1;
            match self.primary(shell)? {
                Ok(right) => holds &= right,
                error => return Ok(error),
            }
        }
        Ok(Ok(holds))
    }

    fn primary(&mut self, shell: &mut Shell<'_>) -> Verdict {
        let mut negations = 0;
        while self.peek(0) == Some("!") && self.peek(1).is_some() {
            negations += 1;
            self.at += 1;
        }
        let verdict = self.operand(shell)?;
        Ok(verdict.map(|holds| holds != (negations % 2 == 1)))
    }

    fn operand(&mut self, shell: &mut Shell<'_>) -> Verdict {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (None, ..) => Ok(Err("argument expected".to_owned())),
            (Some(left), Some(operator), Some(right))
                if is_binary(operator) && !matches!(operator, "-a" | "-o") =>
            {
                self.at += 3;
                binary(left, operator, right)
            }
            (Some("("), ..) => {
                self.at += 1;
                let verdict = self.or(shell)?;
                if self.peek(0) != Some(")") {
                    return Ok(Err("`)` expected".to_owned()));
                }
                self.at += 1;
                Ok(verdict)
            }
            (Some(operator), Some(operand), _)
                if operator.len() == 2
                    && operator.starts_with('-')
                    && !matches!(operator, "-a" | "-o") =>
            {
                self.at += 2;
                unary(shell, operator, operand)
            }
            (Some(word), ..) => {
                self.at += 1;
                Ok(Ok(!word.is_empty()))
            }
        }
    }
}
