//! `[[ … ]]`, and what `test` shares with it.

use super::{Interrupt, Key, Outcome, Shell, Value};
use crate::regex::{Syntax, compile};
use crate::syntax::{Test, Word};

impl Shell<'_> {
    pub(super) fn test(&mut self, test: &Test) -> Outcome {
        match self.holds(test)? {
            Some(true) => Ok(0),
            Some(false) => Ok(1),
            None => Ok(2),
        }
    }

    /// Whether a condition holds; none where it cannot be told, which has been
    /// said then.
    fn holds(&mut self, test: &Test) -> Result<Option<bool>, Interrupt> {
        match test {
            Test::And(left, right) => match self.holds(left)? {
                Some(true) => self.holds(right),
                other => Ok(other),
            },
            Test::Or(left, right) => match self.holds(left)? {
                Some(false) => self.holds(right),
                other => Ok(other),
            },
            Test::Not(inner) => Ok(self.holds(inner)?.map(|holds| !holds)),
            Test::Unary(operator, word) => {
                let text = self.text_of(word)?;
                self.unary(operator, &text)
            }
            Test::Binary(operator, left, right) => self.binary(operator, left, right),
        }
    }

    fn binary(
        &mut self,
        operator: &str,
        left: &Word,
        right: &Word,
    ) -> Result<Option<bool>, Interrupt> {
        match operator {
            "==" | "=" | "!=" => {
                let text = self.text_of(left)?;
                let matches = self.matches_pattern(right, &text)?;
                Ok(Some(matches == (operator != "!=")))
            }
            "=~" => {
                let text = self.text_of(left)?;
                let pattern = self.regex_of(right)?;
                self.matches_regex(&text, &pattern)
            }
            _ => {
                let (left, right) = (self.text_of(left)?, self.text_of(right)?);
                if is_numeric(operator) {
                    // In `[[ ]]` both sides are calculated.
                    let left = self.calculate_text(&left)?;
                    let right = self.calculate_text(&right)?;
                    return Ok(Some(compare_numbers(operator, left, right)));
                }
                if let Some(holds) = compare_texts(operator, &left, &right) {
                    Ok(Some(holds))
                } else {
                    self.complain(&format!("{operator}: not known here"))?;
                    Ok(None)
                }
            }
        }
    }

    /// Whether `text` matches the pattern that `word` is.
    pub(super) fn matches_pattern(&mut self, word: &Word, text: &str) -> Result<bool, Interrupt> {
        let pattern = self.pattern_of(word)?;
        if self.options.ignore_case {
            let lower: Vec<char> = text.to_lowercase().chars().collect();
            let upper: Vec<char> = text.to_uppercase().chars().collect();
            return Ok(pattern.matches(text)
                || pattern.matches_chars(&lower)
                || pattern.matches_chars(&upper));
        }
        Ok(pattern.matches(text))
    }

    /// `=~`, which leaves what matched in `BASH_REMATCH`.
    fn matches_regex(&mut self, text: &str, pattern: &str) -> Result<Option<bool>, Interrupt> {
        let regex = match compile(pattern, Syntax::Extended, self.options.ignore_case) {
            Ok(regex) => regex,
            Err(what) => {
                self.complain(&what)?;
                return Ok(None);
            }
        };
        let captures = regex.captures(text);
        let groups = captures.iter().flat_map(|captures| captures.iter());
        let groups: Vec<String> = groups
            .map(|group| group.map_or_else(String::new, |group| group.as_str().to_owned()))
            .collect();
        self.variables.set_list("BASH_REMATCH", groups);
        Ok(Some(captures.is_some()))
    }

    /// One operator with one operand.
    pub(crate) fn unary(
        &mut self,
        operator: &str,
        operand: &str,
    ) -> Result<Option<bool>, Interrupt> {
        let size = |shell: &Self| {
            let files = shell.shared.files.borrow();
            files.get(operand).map(|file| file.borrow().len())
        };
        Ok(Some(match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-v" => self.is_set(operand)?,
            "-e" | "-a" => size(self).is_some() || matches!(operand, "/dev/null" | "/" | "/tmp"),
            "-f" => size(self).is_some(),
            "-s" => size(self).is_some_and(|size| size > 0),
            "-r" | "-w" => size(self).is_some() || operand == "/dev/null",
            "-d" => matches!(operand, "/" | "/tmp"),
            "-t" | "-b" | "-c" | "-g" | "-h" | "-L" | "-k" | "-p" | "-u" | "-x" | "-G" | "-N"
            | "-O" | "-S" | "-R" => false,
            "-o" => match operand {
                "errexit" => self.options.exit_on_error,
                "nounset" => self.options.unset_is_an_error,
                "pipefail" => self.options.pipe_fails,
                "xtrace" => self.options.trace,
                "errtrace" => self.options.errors_trapped_inside,
                _ => false,
            },
            other => {
                self.complain(&format!("{other}: unary operator expected"))?;
                return Ok(None);
            }
        }))
    }

    /// Whether a variable or an element is set.
    fn is_set(&mut self, name: &str) -> Result<bool, Interrupt> {
        if let Some((name, index)) = name
            .split_once('[')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?)))
        {
            let key = if self.variables.is_map(name) {
                Key::Text(index.to_owned())
            } else if matches!(index, "@" | "*") {
                return Ok(match self.variables.value(name) {
                    Some(Value::List(list)) => !list.is_empty(),
                    Some(Value::Map(map)) => !map.is_empty(),
                    other => other.is_some(),
                });
            } else {
                Key::Number(self.calculate_text(index)?)
            };
            return Ok(self.variables.element(name, &key).is_some());
        }
        if let Ok(number) = name.parse::<usize>() {
            return Ok(number <= self.arguments.len());
        }
        Ok(self.dynamic(name).is_some() || self.variables.text(name).is_some())
    }
}

/// Whether both operands are numbers.
pub(crate) fn is_numeric(operator: &str) -> bool {
    matches!(operator, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge")
}

pub(crate) fn compare_numbers(operator: &str, left: i64, right: i64) -> bool {
    match operator {
        "-eq" => left == right,
        "-ne" => left != right,
        "-lt" => left < right,
        "-le" => left <= right,
        "-gt" => left > right,
        _ => left >= right,
    }
}

/// Operators on texts that mean no pattern; none for others. Of files nothing is
/// known that could make one newer than the other.
pub(crate) fn compare_texts(operator: &str, left: &str, right: &str) -> Option<bool> {
    Some(match operator {
        "=" | "==" | "-ef" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-nt" | "-ot" => false,
        _ => return None,
    })
}
