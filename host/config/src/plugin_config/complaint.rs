//! What a plugin itself has against its configuration, at the line to blame.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::wording::short;
use super::{Blame, PluginConfig, PluginSchema};
use crate::problem::Problem;
use crate::source::{At, Sources};

/// A mistake that a plugin found in a configuration which its schema accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint<'a> {
    /// The value to blame: a JSON pointer (RFC 6901); empty: the whole.
    pub pointer: &'a str,
    /// What is wrong, free of secrets.
    pub what: &'a str,
    /// What to write instead.
    pub instead: Option<&'a str>,
    /// Where in the value, if that is a text: line and column, from 1.
    pub position: Option<(usize, usize)>,
}

impl PluginSchema {
    /// The problem that `complaint` is, at the line of the configuration or of the
    /// file that the value came from.
    pub fn problem(&self, config: &PluginConfig, complaint: &Complaint<'_>) -> Problem {
        let (masks, _) = self.hidden(config);
        let Complaint {
            what,
            instead,
            position,
            ..
        } = complaint;
        // What the plugin calls the value is shown as far as the configuration has
        // it: nothing else that it says comes to people as a key.
        let pointer = config.known(complaint.pointer);
        let instead = instead.map(short);
        let problem = config.problem(pointer, Blame::Value, &masks, short(what), instead);
        match position {
            Some(position) if pointer == complaint.pointer => {
                config.within(problem, pointer, &masks, *position)
            }
            _ => problem,
        }
    }
}

impl PluginConfig {
    /// The longest part of `pointer`, from its start, at which there is a value.
    fn known<'p>(&self, mut pointer: &'p str) -> &'p str {
        while self.json().pointer(pointer).is_none() {
            pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        pointer
    }

    /// The problem at a position within the text at `pointer`. Where the text
    /// cannot be followed to a line, the position is told in words.
    fn within(
        &self,
        mut problem: Problem,
        pointer: &str,
        masks: &BTreeSet<String>,
        (line, column): (usize, usize),
    ) -> Problem {
        let Some(Json::String(text)) = self.json().pointer(pointer) else {
            return problem;
        };
        let in_words = |problem: &mut Problem, of: &str| {
            problem.what = format!("{} (line {line}, column {column} of {of})", problem.what);
        };
        let Some(origin) = &self.0.origin else {
            in_words(&mut problem, "the text");
            return problem;
        };
        let hidden = masks.contains(pointer);
        if let Some(file) = origin.files.get(pointer) {
            let name = file.display().to_string();
            if hidden {
                in_words(&mut problem, &name);
                return problem;
            }
            let mut sources = Sources::default();
            let number = sources.add(&name, text.clone());
            let start = byte_of(text, line, column);
            let at = At {
                file: number,
                start,
                end: start + 1,
            };
            let from = problem.place.replace(sources.place(at));
            problem.snippet = sources.snippet(at, &[]);
            problem
                .related
                .extend(from.map(|place| (place, "read from here".to_owned())));
            return problem;
        }
        let spot = origin.spots.get(pointer).filter(|_| !hidden);
        let Some(spot) = spot else {
            in_words(&mut problem, "the text");
            return problem;
        };
        let at = spot.value;
        let written = origin.sources.text(at.file).get(at.start..at.end);
        match written.and_then(|written| offset_of(written, line, column)) {
            Some(offset) => {
                let start = at.start + offset;
                let at = At {
                    start,
                    end: start + 1,
                    ..at
                };
                problem.place = Some(origin.sources.place(at));
                let others: Vec<_> = origin
                    .spots
                    .iter()
                    .filter(|(pointer, _)| masks.contains(*pointer))
                    .map(|(_, spot)| spot.value)
                    .collect();
                problem.snippet = origin.sources.snippet(at, &others);
            }
            None => in_words(&mut problem, "the text"),
        }
        problem
    }
}

/// The byte of a line and column, or of the nearest character before.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.lines().next().unwrap_or_default();
    let before = rest.chars().take(column.saturating_sub(1));
    start + before.map(char::len_utf8).sum::<usize>()
}

/// Where a line and column of a TOML text stand in how it is written, quotes
/// included; none if its escapes or references make that uncertain.
fn offset_of(written: &str, line: usize, column: usize) -> Option<usize> {
    let quotes = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| written.starts_with(quotes))?;
    if quotes.starts_with('"') && written.contains('\\') {
        return None;
    }
    if written.replace("$${", "").contains("${") {
        return None;
    }
    let mut start = quotes.len();
    if quotes.len() == 3 {
        // A line break right after the quotes is no part of the text.
        let inner = written.get(start..)?;
        let trimmed = inner.strip_prefix("\r\n").or(inner.strip_prefix('\n'));
        start += inner.len() - trimmed.unwrap_or(inner).len();
    }
    let inner = written.get(start..)?;
    let line_start = byte_of(inner, line, 1);
    let rest = inner.get(line_start..)?;
    // `$${` stands for `${`.
    let mut seen = 0;
    let mut offset = 0;
    let mut characters = rest.chars();
    while seen + 1 < column {
        let Some(c) = characters.next() else { break };
        if c == '\n' {
            break;
        }
        if !(c == '$' && characters.as_str().starts_with("${")) {
            seen += 1;
        }
        offset += c.len_utf8();
    }
    Some(start + line_start + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_lead_to_how_a_text_is_written() {
        for (written, line, column, expected) in [
            ("'''\nab\ncd'''", 2, 2, Some("d'''")),
            ("'''ab\ncd'''", 1, 1, Some("ab\ncd'''")),
            ("\"abc\"", 1, 3, Some("c\"")),
            ("'a\\b'", 1, 3, Some("b'")),
            ("\"a\\nb\"", 2, 1, None),
            ("'$${x} y'", 1, 5, Some(" y'")),
            ("'ab'", 1, 99, Some("")),
            ("'${A} y'", 1, 2, None),
            ("'$${A} ${B}'", 1, 7, None),
            ("5", 1, 1, None),
        ] {
            let found = offset_of(written, line, column).map(|at| written.get(at..).unwrap());
            assert_eq!(found, expected, "{written}");
        }
        assert_eq!(byte_of("å\nbcd", 2, 3), 5);
        assert_eq!(byte_of("a", 9, 9), 1);
    }
}
