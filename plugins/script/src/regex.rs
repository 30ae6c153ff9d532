//! POSIX regular expressions, in terms of those of the regex crate.
//!
//! Of several alternatives that match, the first is taken where POSIX takes the
//! longest; references back to a group are not known.

use regex_lite::{Regex, RegexBuilder};

/// How a regular expression is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// As of `grep` and `sed`: `\(a\|b\)`.
    Basic,
    /// As of `grep -E`, `sed -E` and `[[ =~ ]]`: `(a|b)`.
    Extended,
}

/// Compiles a POSIX regular expression.
pub(crate) fn compile(pattern: &str, syntax: Syntax, ignore_case: bool) -> Result<Regex, String> {
    let translated = translate(pattern, syntax)?;
    RegexBuilder::new(&translated)
        .case_insensitive(ignore_case)
        .build()
        .map_err(|error| format!("`{pattern}` is no regular expression: {error}"))
}

fn translate(pattern: &str, syntax: Syntax) -> Result<String, String> {
    let text: Vec<char> = pattern.chars().collect();
    let mut result = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    // Where `*` and `^` are at the start of an expression.
    let mut starts = true;
    while let Some(c) = text.get(at).copied() {
        let next = text.get(at + 1).copied();
        let was_start = std::mem::replace(&mut starts, false);
        at += 1;
        match (c, next) {
            ('\\', None) => return Err(format!("`{pattern}` ends in a backslash")),
            ('\\', Some(next)) => {
                at += 1;
                match next {
                    '1'..='9' => {
                        return Err(format!("`{pattern}`: back-references are not known here"));
                    }
                    '(' | '|' if syntax == Syntax::Basic => {
                        result.push(next);
                        starts = true;
                    }
                    ')' | '{' | '}' | '+' | '?' if syntax == Syntax::Basic => result.push(next),
                    '<' | '>' => result.push_str("\\b"),
                    'w' | 'W' | 's' | 'S' | 'b' | 'B' | 'n' | 't' => result.extend(['\\', next]),
                    '`' => result.push_str("\\A"),
                    next => literal(next, &mut result),
                }
            }
            ('[', _) => {
                at = bracket(&text, at, &mut result)
                    .ok_or_else(|| format!("`{pattern}`: `[` without `]`"))?;
            }
            ('*', _) if was_start => result.push_str("\\*"),
            ('^', _) if syntax == Syntax::Basic && !was_start => result.push_str("\\^"),
            ('$', next) if syntax == Syntax::Basic => {
                let ends = match next {
                    None => true,
                    Some('\\') => matches!(text.get(at + 1), Some(')' | '|')),
                    Some(_) => false,
                };
                result.push_str(if ends { "$" } else { "\\$" });
            }
            ('^', _) => {
                result.push('^');
                starts = true;
            }
            ('(' | '|', _) if syntax == Syntax::Extended => {
                result.push(c);
                starts = true;
            }
            ('{', next) if syntax == Syntax::Extended => {
                let counts = !was_start && next.is_some_and(|next| next.is_ascii_digit());
                result.push_str(if counts { "{" } else { "\\{" });
                if !counts {
                    continue;
                }
                while let Some(c) = text.get(at).copied() {
                    result.push(c);
                    at += 1;
                    if c == '}' {
                        break;
                    }
                }
            }
            (')' | '+' | '?' | '*' | '.' | '$', _) if syntax == Syntax::Extended => result.push(c),
            ('*' | '.', _) => result.push(c),
            (c, _) => literal(c, &mut result),
        }
    }
    Ok(result)
}

fn literal(c: char, result: &mut String) {
    if c.is_ascii_punctuation() {
        result.push('\\');
    }
    result.push(c);
}

/// A bracket expression, of which `[` was read: a backslash means itself there.
fn bracket(text: &[char], mut at: usize, result: &mut String) -> Option<usize> {
    result.push('[');
    if text.get(at) == Some(&'^') {
        result.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let c = *text.get(at)?;
        match c {
            ']' if at > first => {
                result.push(']');
                return Some(at + 1);
            }
            '[' if text.get(at + 1) == Some(&':') => {
                let length = text
                    .get(at + 2..)?
                    .windows(2)
                    .position(|pair| pair == [':', ']'])?;
                let end = at + 2 + length + 2;
                result.extend(text.get(at..end)?);
                at = end;
                continue;
            }
            '-' if at > first && text.get(at + 1).is_some_and(|next| *next != ']') => {
                result.push('-');
            }
            c => literal(c, result),
        }
        at += 1;
    }
}

/// `text` as an expression that matches itself.
pub(crate) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '.' | '*' | '[' | ']' | '^' | '$' | '\\' | '(' | ')' | '{' | '}' | '|' | '+' | '?'
        ) {
            result.push('\\');
        }
        result.push(c);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_syntaxes_are_translated() {
        for (pattern, syntax, text, expected) in [
            ("a\\(b\\|c\\)", Syntax::Basic, "ac", true),
            ("a(b|c)", Syntax::Basic, "ac", false),
            ("a(b|c)", Syntax::Basic, "a(b|c)", true),
            ("a\\+$", Syntax::Basic, "xaaa", true),
            ("*a", Syntax::Basic, "*a", true),
            ("a^b$c", Syntax::Basic, "a^b$c", true),
            ("a{2}", Syntax::Extended, "aa", true),
            ("{a", Syntax::Extended, "{a", true),
            ("[\\.]", Syntax::Extended, "\\", true),
            ("[]a-c]+$", Syntax::Extended, "]b", true),
            ("[[:digit:]]+", Syntax::Extended, "x1", true),
            ("\\<ab\\>", Syntax::Extended, "x ab y", true),
            ("^[^0-9]*$", Syntax::Extended, "abc", true),
        ] {
            let regex = compile(pattern, syntax, false).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern}");
        }
        for (pattern, expected) in [
            ("(a)\\1", "`(a)\\1`: back-references are not known here"),
            ("[a", "`[a`: `[` without `]`"),
            ("a\\", "`a\\` ends in a backslash"),
        ] {
            let said = compile(pattern, Syntax::Extended, false).unwrap_err();
            assert_eq!(said, expected);
        }
        assert!(compile("(", Syntax::Extended, false).is_err());
    }
}
