//! Names that the native configuration takes: ids and lines.

use std::collections::BTreeSet;

/// The longest id, in characters.
const MAX_ID: usize = 64;

/// Makes ids that are unique among those of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    used: BTreeSet<String>,
}

impl Ids {
    /// The id of that name, or one that is near to it.
    pub(crate) fn make(&mut self, name: &str, otherwise: &str) -> String {
        let mut wanted = slug(name);
        if wanted.is_empty() {
            wanted = slug(otherwise);
        }
        let mut id = wanted.clone();
        let mut number = 2_usize;
        while !self.used.insert(id.clone()) {
            let end = format!("-{number}");
            let kept: String = wanted.chars().take(MAX_ID - end.len()).collect();
            id = format!("{}{end}", kept.trim_end_matches('-'));
            number += 1;
        }
        id
    }
}

/// Lower-case letters, digits and single `-`, at most 64; may be empty.
fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'a'..='z' | '0'..='9' => c,
            'ä' | 'á' | 'à' | 'â' | 'å' | 'ã' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ö' | 'ó' | 'ò' | 'ô' | 'ø' | 'õ' => 'o',
            'ü' | 'ú' | 'ù' | 'û' => 'u',
            'ñ' => 'n',
            'ç' => 'c',
            _ => '-',
        };
        if id.len() >= MAX_ID {
            break;
        }
        if plain != '-' || !(id.is_empty() || id.ends_with('-')) {
            id.push(plain);
        }
    }
    id.trim_end_matches('-').to_owned()
}

/// One line of at most `max` characters without control characters; none where
/// nothing is left.
pub(crate) fn line(text: &str, max: usize) -> Option<String> {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    let kept: String = if line.chars().count() > max {
        line.chars().take(max - 1).chain(['…']).collect()
    } else {
        line
    };
    (!kept.is_empty()).then_some(kept)
}

/// The name of a variable of the environment out of words.
pub(crate) fn variable(words: &str) -> String {
    let mut name = String::new();
    for c in words.chars() {
        let plain = if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        };
        if name.len() < 60 && (plain != '_' || !(name.is_empty() || name.ends_with('_'))) {
            name.push(plain);
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => "SECRET".to_owned(),
        Some('0'..='9') => format!("SECRET_{name}"),
        Some(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ids, line, variable};

    #[test]
    fn ids_are_unique_and_well_formed() {
        let mut ids = Ids::default();
        assert_eq!(ids.make("Core API (v2)", "x"), "core-api-v2");
        assert_eq!(ids.make("core api v2", "x"), "core-api-v2-2");
        assert_eq!(ids.make("Övervakt", "x"), "overvakt");
        assert_eq!(ids.make("日本", "monitor-7"), "monitor-7");
        let long = ids.make(&"a".repeat(100), "x");
        let other = ids.make(&"a".repeat(100), "x");
        assert_eq!((long.len(), other.len()), (64, 64));
        assert_ne!(long, other);
    }

    #[test]
    fn lines_and_variables_are_well_formed() {
        assert_eq!(line("a\n b\u{7}c ", 10).as_deref(), Some("a b c"));
        assert_eq!(line("  \n", 10), None);
        assert_eq!(line("abcdef", 4).as_deref(), Some("abc…"));
        assert_eq!(variable("slack-hook_url"), "SLACK_HOOK_URL");
        assert_eq!(variable("1 a"), "SECRET_1_A");
        assert_eq!(variable("—"), "SECRET");
    }
}
