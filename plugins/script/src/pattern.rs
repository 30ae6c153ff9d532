//! Patterns: `*`, `?`, `[a-z]`, and bash's extended ones, such as `@(a|b)`.

/// A pattern, ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Char(char),
    Any,
    Many,
    Set { negated: bool, items: Vec<Item> },
    Group(Kind, Vec<Vec<Self>>),
}

#[derive(Clone, Debug)]
enum Item {
    Range(char, char),
    Class(fn(&char) -> bool),
}

/// How often a group may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Once,
    Maybe,
    AnyTimes,
    OnceOrMore,
    Not,
}

impl Pattern {
    /// A pattern in which a backslash takes the next character's meaning away.
    pub(crate) fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let mut at = 0;
        let parts = sequence(&text, &mut at, false);
        Self { parts }
    }

    /// The text that alone matches, if there is but one.
    pub(crate) fn literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Char(c) => Some(*c),
                _ => None,
            })
            .collect()
    }

    /// Whether all of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.matches_chars(&text)
    }

    pub(crate) fn matches_chars(&self, text: &[char]) -> bool {
        if self
            .parts
            .iter()
            .any(|part| matches!(part, Part::Group(..)))
        {
            nested(&self.parts, text)
        } else {
            plain(&self.parts, text)
        }
    }

    /// How many characters match, if it is always as many.
    fn length(&self) -> Option<usize> {
        let single = |part: &Part| !matches!(part, Part::Many | Part::Group(..));
        self.parts.iter().all(single).then_some(self.parts.len())
    }

    /// How many characters at the start of `text` match, of all ways the longest
    /// or the shortest.
    pub(crate) fn prefix(&self, text: &[char], longest: bool) -> Option<usize> {
        let matches = |end: &usize| {
            text.get(..*end)
                .is_some_and(|part| self.matches_chars(part))
        };
        if let Some(length) = self.length() {
            return Some(length).filter(matches);
        }
        if longest {
            (0..=text.len()).rev().find(matches)
        } else {
            (0..=text.len()).find(matches)
        }
    }

    /// Where the end of `text` begins that matches, of all ways the longest or
    /// the shortest.
    pub(crate) fn suffix(&self, text: &[char], longest: bool) -> Option<usize> {
        let matches = |start: &usize| {
            text.get(*start..)
                .is_some_and(|part| self.matches_chars(part))
        };
        if let Some(length) = self.length() {
            return text.len().checked_sub(length).filter(matches);
        }
        if longest {
            (0..=text.len()).find(matches)
        } else {
            (0..=text.len()).rev().find(matches)
        }
    }
}

/// Parts up to the end, or within a group up to `|` or `)`.
fn sequence(text: &[char], at: &mut usize, grouped: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some(c) = text.get(*at) {
        let next = text.get(*at + 1);
        match (c, next) {
            ('|' | ')', _) if grouped => return parts,
            ('@' | '?' | '*' | '+' | '!', Some('(')) => {
                let start = *at;
                let kind = match c {
                    '@' => Kind::Once,
                    '?' => Kind::Maybe,
                    '*' => Kind::AnyTimes,
                    '+' => Kind::OnceOrMore,
                    _ => Kind::Not,
                };
                *at += 2;
                if let Some(alternatives) = alternatives(text, at) {
                    parts.push(Part::Group(kind, alternatives));
                } else {
                    *at = start + 1;
                    parts.push(Part::Char(*c));
                }
                continue;
            }
            ('\\', Some(next)) => {
                parts.push(Part::Char(*next));
                *at += 2;
                continue;
            }
            ('?', _) => parts.push(Part::Any),
            ('*', _) => parts.push(Part::Many),
            ('[', _) => {
                if let Some((set, end)) = set(text, *at) {
                    parts.push(set);
                    *at = end;
                    continue;
                }
                parts.push(Part::Char('['));
            }
            (c, _) => parts.push(Part::Char(*c)),
        }
        *at += 1;
    }
    parts
}

fn alternatives(text: &[char], at: &mut usize) -> Option<Vec<Vec<Part>>> {
    let mut all = Vec::new();
    loop {
        all.push(sequence(text, at, true));
        let end = text.get(*at)?;
        *at += 1;
        if *end == ')' {
            return Some(all);
        }
    }
}

/// The set that begins at `start`, and where it ends.
fn set(text: &[char], start: usize) -> Option<(Part, usize)> {
    let mut at = start + 1;
    let negated = matches!(text.get(at), Some('!' | '^'));
    if negated {
        at += 1;
    }
    let first = at;
    let mut items = Vec::new();
    loop {
        let mut c = *text.get(at)?;
        if c == ']' && at > first {
            return Some((Part::Set { negated, items }, at + 1));
        }
        if c == '[' && text.get(at + 1) == Some(&':') {
            let name_start = at + 2;
            let length = text
                .get(name_start..)?
                .windows(2)
                .position(|pair| pair == [':', ']'])?;
            let name: String = text.get(name_start..name_start + length)?.iter().collect();
            items.push(Item::Class(class(&name)?));
            at = name_start + length + 2;
            continue;
        }
        if c == '\\' {
            at += 1;
            c = *text.get(at)?;
        }
        at += 1;
        let mut last = c;
        if text.get(at) == Some(&'-') && text.get(at + 1).is_some_and(|next| *next != ']') {
            at += 1;
            last = *text.get(at)?;
            if last == '\\' {
                at += 1;
                last = *text.get(at)?;
            }
            at += 1;
        }
        items.push(Item::Range(c, last));
    }
}

fn class(name: &str) -> Option<fn(&char) -> bool> {
    Some(match name {
        "alnum" => |c| c.is_alphanumeric(),
        "alpha" => |c| c.is_alphabetic(),
        "blank" => |c| matches!(c, ' ' | '\t'),
        "cntrl" => |c| c.is_control(),
        "digit" => |c| c.is_ascii_digit(),
        "graph" => |c| !c.is_control() && !c.is_whitespace(),
        "lower" => |c| c.is_lowercase(),
        "print" => |c| !c.is_control(),
        "punct" => |c| c.is_ascii_punctuation(),
        "space" => |c| c.is_whitespace(),
        "upper" => |c| c.is_uppercase(),
        "word" => |c| c.is_alphanumeric() || *c == '_',
        "xdigit" => |c| c.is_ascii_hexdigit(),
        _ => return None,
    })
}

fn one(part: &Part, c: char) -> bool {
    match part {
        Part::Char(expected) => *expected == c,
        Part::Any => true,
        Part::Set { negated, items } => {
            let inside = items.iter().any(|item| match item {
                Item::Range(first, last) => (*first..=*last).contains(&c),
                Item::Class(holds) => holds(&c),
            });
            inside != *negated
        }
        Part::Many | Part::Group(..) => false,
    }
}

/// Without groups, only the last `*` has to be tried again: linear in the text
/// for each part.
fn plain(parts: &[Part], text: &[char]) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (parts.get(part), text.get(at)) {
            (Some(Part::Many), _) => {
                star = Some((part + 1, at));
                part += 1;
            }
            (Some(expected), Some(c)) if one(expected, *c) => {
                part += 1;
                at += 1;
            }
            (None, None) => return true,
            _ => match star {
                Some((after, from)) if from < text.len() => {
                    star = Some((after, from + 1));
                    part = after;
                    at = from + 1;
                }
                _ => return false,
            },
        }
    }
}

fn nested(parts: &[Part], text: &[char]) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    let splits = || (0..=text.len()).filter_map(|at| text.split_at_checked(at));
    match first {
        Part::Many => splits().any(|(_, after)| nested(rest, after)),
        Part::Group(kind, alternatives) => {
            let any = |part: &[char]| alternatives.iter().any(|parts| nested(parts, part));
            match kind {
                Kind::Once => splits().any(|(part, after)| any(part) && nested(rest, after)),
                Kind::Maybe => {
                    nested(rest, text)
                        || splits().any(|(part, after)| any(part) && nested(rest, after))
                }
                Kind::Not => splits().any(|(part, after)| !any(part) && nested(rest, after)),
                Kind::AnyTimes => nested(rest, text) || repeated(parts, rest, text, &any),
                Kind::OnceOrMore => repeated(parts, rest, text, &any),
            }
        }
        single => text
            .split_first()
            .is_some_and(|(c, after)| one(single, *c) && nested(rest, after)),
    }
}

/// One occurrence of the group at the start of `parts`, then more of it or what
/// comes after it.
fn repeated(parts: &[Part], rest: &[Part], text: &[char], any: &dyn Fn(&[char]) -> bool) -> bool {
    (1..=text.len())
        .filter_map(|at| text.split_at_checked(at))
        .any(|(part, after)| {
            any(part) && (nested(rest, after) || (!after.is_empty() && nested(parts, after)))
        })
        || (any(&[]) && nested(rest, text))
}

/// `text` with a backslash before each character that a pattern could take for
/// more than itself.
pub(crate) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '*' | '?' | '[' | ']' | '\\' | '@' | '+' | '!' | '(' | ')' | '|' | '-' | '^'
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
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*", "", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[[:digit:]]*", "1a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("@(a|b)c", "bc", true),
            ("!(a|b)", "c", true),
            ("!(a|b)", "a", false),
            ("*(ab)", "abab", true),
            ("+(ab)", "", false),
            ("?(a)b", "b", true),
            ("a[", "a[", true),
            ("*.@(com|org)", "x.org", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern}");
        }
    }

    #[test]
    fn parts_are_found_at_both_ends() {
        let text: Vec<char> = "a/b/c".chars().collect();
        let pattern = Pattern::new("*/");
        assert_eq!(pattern.prefix(&text, false), Some(2));
        assert_eq!(pattern.prefix(&text, true), Some(4));
        let pattern = Pattern::new("/*");
        assert_eq!(pattern.suffix(&text, false), Some(3));
        assert_eq!(pattern.suffix(&text, true), Some(1));
        let pattern = Pattern::new("[a-z]/");
        assert_eq!(pattern.prefix(&text, true), Some(2));
        assert_eq!(pattern.suffix(&text, true), None);
        assert_eq!(Pattern::new("?c").suffix(&text, false), Some(3));
        assert_eq!(Pattern::new("a/b/c/").suffix(&text, false), None);
    }
}
