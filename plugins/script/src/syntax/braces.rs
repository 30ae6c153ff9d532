//! Brace expansion: `a{b,c}` and `{1..5}`, on the text of a word, before
//! anything else is done with it.

/// The most words that one word becomes.
const MAX_WORDS: usize = 10_000;

/// The most bytes that these have together.
const MAX_BYTES: usize = 1 << 20;

/// The most digits that a number is filled up to.
const MAX_WIDTH: usize = 100;

/// How many expressions may stand within or after one another: each takes stack.
const MAX_DEPTH: usize = 60;

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
    if depth > MAX_DEPTH {
        return None;
    }
    let mut at = 0;
    while let Some(c) = text.get(at) {
        if *c == '{'
            && let Some(expression) = Expression::at(text, at)
        {
            let before: String = text.get(..at).unwrap_or_default().iter().collect();
            let after = of(text.get(expression.end..).unwrap_or_default(), depth + 1)?;
            let members = expression.members(depth)?;
            let count = members.len().checked_mul(after.len())?;
            let bytes = |words: &[String]| words.iter().map(String::len).sum::<usize>();
            let bytes = before
                .len()
                .checked_mul(count)?
                .checked_add(bytes(&members).checked_mul(after.len())?)?
                .checked_add(bytes(&after).checked_mul(members.len())?)?;
            if count > MAX_WORDS || bytes > MAX_BYTES {
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
        let width = match self.kind {
            Kind::Numbers(width) => width,
            Kind::Letters => 1,
        };
        let words = usize::try_from(count).ok()?.checked_add(1)?;
        if words > MAX_WORDS || words.checked_mul(width)? > MAX_BYTES || width > MAX_WIDTH {
            return None;
        }
        let sign = if self.to < self.from { -1 } else { 1 };
        let words = (0..=i64::try_from(count).ok()?).map(|number| {
            // Each lies between the two ends, whatever the way there wraps around.
            let way = number.wrapping_mul(self.step).wrapping_mul(sign);
            let value = self.from.wrapping_add(way);
            match self.kind {
                Kind::Numbers(_) => format!("{value:0width$}"),
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
        assert_eq!(expand(&"{1..1}".repeat(5000)), None);
        assert_eq!(
            expand(&format!("{}{}", "{a,".repeat(5000), "}".repeat(5000))),
            None
        );
        assert_eq!(expand(&format!("{{{}1..3}}", "0".repeat(70_000))), None);
        assert_eq!(expand(&format!("{{1..9999}}{}", "x".repeat(1000))), None);
        let ends = "{-9223372036854775808..9223372036854775807..9223372036854775807}";
        assert_eq!(
            expand(ends).unwrap(),
            ["-9223372036854775808", "-1", "9223372036854775806"]
        );
    }
}
