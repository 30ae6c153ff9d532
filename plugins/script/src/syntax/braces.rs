//! Brace expansion: `a{b,c}` and `{1..5}`, on the text of a word, before
//! anything else is done with it.

/// The most words that one word becomes.
const MAX_WORDS: usize = 10_000;

/// The words that `word` stands for, itself if it holds no brace expression;
/// none if there would be too many.
pub(crate) fn expand(word: &str) -> Option<Vec<String>> {
    if !word.contains('{') {
        return Some(vec![word.to_owned()]);
    }
    let text: Vec<char> = word.chars().collect();
    of(&text, 0)
}

fn of(text: &[char], depth: usize) -> Option<Vec<String>> {
    let mut at = 0;
    while let Some(c) = text.get(at) {
        if *c == '{'
            && let Some(expression) = Expression::at(text, at)
        {
            let before: String = text.get(..at).unwrap_or_default().iter().collect();
            let after = of(text.get(expression.end..).unwrap_or_default(), depth)?;
            let mut members = Vec::new();
            for member in expression.members(depth)? {
                members.push(member);
            }
            if members.len().checked_mul(after.len())? > MAX_WORDS {
                return None;
            }
            let words = members.iter().flat_map(|member| {
                after
                    .iter()
                    .map(|after| format!("{before}{member}{after}"))
                    .collect::<Vec<_>>()
            });
            return Some(words.collect());
        }
        at = after_unit(text, at);
    }
    Some(vec![text.iter().collect()])
}

/// A brace expression.
struct Expression<'t> {
    parts: Vec<&'t [char]>,
    /// The character after `}`.
    end: usize,
}

impl<'t> Expression<'t> {
    /// The expression that begins with the `{` at `start`, if it is one.
    fn at(text: &'t [char], start: usize) -> Option<Self> {
        let mut parts = Vec::new();
        let mut part = start + 1;
        let mut at = part;
        let mut depth = 0_usize;
        loop {
            match text.get(at)? {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(text.get(part..at)?);
                    part = at + 1;
                }
                _ => {
                    at = after_unit(text, at);
                    continue;
                }
            }
            at += 1;
        }
        parts.push(text.get(part..at)?);
        let expression = Self { parts, end: at + 1 };
        (expression.parts.len() > 1 || expression.range().is_some()).then_some(expression)
    }

    fn members(&self, depth: usize) -> Option<Vec<String>> {
        if depth > 20 {
            return None;
        }
        if self.parts.len() == 1 {
            return self.range()?.words();
        }
        let mut members = Vec::new();
        for part in &self.parts {
            members.extend(of(part, depth + 1)?);
        }
        Some(members)
    }

    fn range(&self) -> Option<Range> {
        let text: String = self.parts.first()?.iter().collect();
        Range::parse(&text)
    }
}

/// `{1..10..2}` or `{a..e}`.
struct Range {
    from: i64,
    to: i64,
    step: i64,
    kind: Kind,
}

enum Kind {
    /// With this many digits at least.
    Numbers(usize),
    Letters,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split("..");
        let (from, to, step) = (parts.next()?, parts.next()?, parts.next());
        if parts.next().is_some() {
            return None;
        }
        let step = match step {
            Some(step) => step.parse::<i64>().ok()?.checked_abs()?.max(1),
            None => 1,
        };
        if let (Ok(first), Ok(last)) = (from.parse(), to.parse()) {
            let padded = |text: &str| {
                let digits = text.trim_start_matches('-');
                digits.len() > 1 && digits.starts_with('0')
            };
            let width = if padded(from) || padded(to) {
                from.len().max(to.len())
            } else {
                0
            };
            return Some(Self {
                from: first,
                to: last,
                step,
                kind: Kind::Numbers(width),
            });
        }
        let letter = |text: &str| {
            let mut characters = text.chars();
            let only = characters.next().filter(char::is_ascii_alphabetic)?;
            characters
                .next()
                .is_none()
                .then_some(i64::from(u32::from(only)))
        };
        Some(Self {
            from: letter(from)?,
            to: letter(to)?,
            step,
            kind: Kind::Letters,
        })
    }

    fn words(&self) -> Option<Vec<String>> {
        let count = self.to.abs_diff(self.from) / self.step.unsigned_abs();
        if usize::try_from(count).ok()? >= MAX_WORDS {
            return None;
        }
        let sign = if self.to < self.from { -1 } else { 1 };
        let words = (0..=i64::try_from(count).ok()?).map(|number| {
            let value = self.from + sign * number * self.step;
            match self.kind {
                Kind::Numbers(width) => format!("{value:0width$}"),
                Kind::Letters => u32::try_from(value)
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from)
                    .unwrap_or_default(),
            }
        });
        Some(words.collect())
    }
}

/// The character after what begins at `at`: a quoted text, an escaped
/// character, an expansion, or one character.
fn after_unit(text: &[char], at: usize) -> usize {
    let find = |from: usize, end: char| {
        let mut at = from;
        while let Some(c) = text.get(at) {
            match c {
                c if *c == end => return at + 1,
                '\\' if end != '\'' => at += 2,
                _ => at += 1,
            }
        }
        text.len()
    };
    match (text.get(at), text.get(at + 1)) {
        (Some('\\'), _) => at + 2,
        (Some(quote @ ('\'' | '"' | '`')), _) => find(at + 1, *quote),
        (Some('$'), Some(open @ ('{' | '('))) => {
            let close = if *open == '{' { '}' } else { ')' };
            let mut depth = 0_usize;
            let mut inner = at + 1;
            while let Some(c) = text.get(inner) {
                if c == open {
                    depth += 1;
                } else if *c == close {
                    depth -= 1;
                    if depth == 0 {
                        return inner + 1;
                    }
                }
                inner = match c {
                    '\'' | '"' | '\\' => after_unit(text, inner),
                    _ => inner + 1,
                };
            }
            text.len()
        }
        _ => at + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_becomes_several() {
        for (word, expected) in [
            ("a{b,c}d", "abd acd"),
            ("{1..4}", "1 2 3 4"),
            ("{4..1..2}", "4 2"),
            ("{01..3}", "01 02 03"),
            ("{a..e..2}", "a c e"),
            ("{a,{b,c}}{1,2}", "a1 a2 b1 b2 c1 c2"),
            ("x{,y}", "x xy"),
            ("{a}", "{a}"),
            ("{}", "{}"),
            ("${x,y}", "${x,y}"),
            ("'{a,b}'", "'{a,b}'"),
            ("\\{a,b}", "\\{a,b}"),
            ("{a,b", "{a,b"),
        ] {
            assert_eq!(expand(word).unwrap().join(" "), expected, "{word}");
        }
        assert_eq!(expand("{1..99999}"), None);
        assert_eq!(expand("{1..200}{1..200}"), None);
    }
}
