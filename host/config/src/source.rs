//! The texts that a configuration was read from, and the way back from a byte
//! of one of them to the line that people see.

use std::ops::Range;
use std::sync::Arc;

use crate::place::Place;
use crate::problem::Snippet;
use crate::secret::Secret;

/// A part of one of the [`Sources`], in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    /// Which of the sources.
    pub(crate) file: usize,
    /// The first byte.
    pub(crate) start: usize,
    /// The byte after the last.
    pub(crate) end: usize,
}

/// One text and the name people know it by.
#[derive(Debug)]
struct Source {
    name: Arc<str>,
    text: String,
    /// The byte at which each line starts.
    lines: Vec<usize>,
}

/// The texts of a configuration, in the order in which they are merged.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    list: Vec<Source>,
    /// How many of them, at the end, are no files but parts that were added.
    items: usize,
}

/// How many characters of a line are shown; what a wide terminal holds.
const SNIPPET_WIDTH: usize = 160;

/// How many characters before the marked part are shown of a line that is cut.
const SNIPPET_LEAD: usize = 60;

impl Sources {
    /// Adds a text and returns its number.
    pub(crate) fn add(&mut self, name: &str, text: String) -> usize {
        let lines = std::iter::once(0)
            .chain(
                text.bytes()
                    .enumerate()
                    .filter(|(_, b)| *b == b'\n')
                    .map(|(at, _)| at + 1),
            )
            .collect();
        self.list.push(Source {
            name: name.into(),
            text,
            lines,
        });
        self.list.len() - 1
    }

    /// Adds the text of a part that stands in no file, after all files.
    pub(crate) fn add_item(&mut self, name: &str, text: String) -> usize {
        self.items += 1;
        self.add(name, text)
    }

    /// How many texts of files there are; they are numbered from 0.
    pub(crate) fn files(&self) -> usize {
        self.list.len() - self.items
    }

    /// Whether the text with the number `file` is a part that stands in no file.
    pub(crate) fn is_item(&self, file: usize) -> bool {
        file >= self.files()
    }

    /// The text with the number `file`.
    pub(crate) fn text(&self, file: usize) -> &str {
        self.list.get(file).map_or("", |source| &source.text)
    }

    /// The name of the text with the number `file`.
    pub(crate) fn name(&self, file: usize) -> &str {
        self.list.get(file).map_or("", |source| &source.name)
    }

    /// Where `at` begins.
    pub(crate) fn place(&self, at: At) -> Place {
        let Some(source) = self.list.get(at.file) else {
            return Place {
                file: "".into(),
                line: 1,
                column: 1,
            };
        };
        let (line, from) = source.line_of(at.start);
        let before = source
            .text
            .get(from..at.start.max(from))
            .unwrap_or_default();
        Place {
            file: source.name.clone(),
            line: line + 1,
            column: before.chars().count() + 1,
        }
    }

    /// The line in which `at` begins, without its end, and its first byte.
    pub(crate) fn line(&self, at: At) -> Option<(usize, &str)> {
        let source = self.list.get(at.file)?;
        let (_, from) = source.line_of(at.start);
        Some((
            from,
            source.text.get(from..)?.lines().next().unwrap_or_default(),
        ))
    }

    /// The line in which `at` begins, with `at` marked as far as it lies in that
    /// line, and each of `masks` shown as `****`.
    pub(crate) fn snippet(&self, at: At, masks: &[At]) -> Option<Snippet> {
        let (from, line) = self.line(at)?;
        let to = from + line.len();
        let mut masks: Vec<_> = masks
            .iter()
            .filter(|mask| mask.file == at.file && mask.start < to && mask.end > from)
            .map(|mask| mask.start..mask.end)
            .collect();
        masks.sort_by_key(|mask| (mask.start, mask.end));
        Some(cut(&shown(
            line,
            from,
            at.start..at.end.max(at.start + 1),
            &masks,
        )))
    }
}

impl Source {
    /// The number of the line, from 0, that holds the byte `at`, and the byte
    /// at which that line starts.
    fn line_of(&self, at: usize) -> (usize, usize) {
        let line = self
            .lines
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        (line, self.lines.get(line).copied().unwrap_or(0))
    }
}

/// A character to show, and whether it is marked.
type Shown = (char, bool);

/// The characters of `line`, which starts at the byte `from`, as they are shown.
fn shown(line: &str, from: usize, marked: Range<usize>, masks: &[Range<usize>]) -> Vec<Shown> {
    let mut result = Vec::with_capacity(line.len());
    let mut masks = masks.iter().peekable();
    let mut masked_to = 0;
    for (offset, char) in line.char_indices() {
        let byte = from + offset;
        let is_marked = marked.contains(&byte);
        while let Some(mask) = masks.next_if(|mask| mask.start <= byte) {
            if mask.end > byte && byte >= masked_to {
                let is_marked = marked.start < mask.end && mask.start < marked.end;
                result.extend(Secret::MASK.chars().map(|star| (star, is_marked)));
            }
            masked_to = masked_to.max(mask.end);
        }
        if byte >= masked_to {
            // A tab has no width of its own and a control character may steer
            // the terminal.
            result.push((if char.is_control() { ' ' } else { char }, is_marked));
        }
    }
    result
}

/// At most [`SNIPPET_WIDTH`] characters, among them the first marked one.
fn cut(line: &[Shown]) -> Snippet {
    let first = line
        .iter()
        .position(|(_, marked)| *marked)
        .unwrap_or(line.len());
    let skipped = if line.len() > SNIPPET_WIDTH {
        first.saturating_sub(SNIPPET_LEAD)
    } else {
        0
    };
    let window: Vec<_> = line.iter().skip(skipped).take(SNIPPET_WIDTH).collect();
    let mut text = String::with_capacity(window.len());
    if skipped > 0 {
        text.push('…');
    }
    let start = first - skipped + usize::from(skipped > 0);
    let length = window.iter().filter(|(_, marked)| *marked).count().max(1);
    text.extend(window.iter().map(|(char, _)| *char));
    if line.len() > skipped + window.len() {
        text.push('…');
    }
    // A line is shown without what only an editor sees at its end.
    text.truncate(text.trim_end().len());
    Snippet {
        text,
        start,
        length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, marked: &str, masked: &[&str], expected: &str) {
        let at = |part: &str| {
            let start = text.find(part).unwrap();
            At {
                file: 0,
                start,
                end: start + part.len(),
            }
        };
        let mut sources = Sources::default();
        sources.add("a.toml", text.to_owned());
        let masks: Vec<_> = masked.iter().map(|part| at(part)).collect();
        let place = sources.place(at(marked));
        let snippet = sources.snippet(at(marked), &masks).unwrap();
        let carets = format!(
            "{}{}",
            " ".repeat(snippet.start),
            "^".repeat(snippet.length)
        );
        assert_eq!(format!("{place}\n{}\n{carets}", snippet.text), expected);
    }

    #[test]
    fn a_part_is_marked_in_its_line() {
        check("a = 1\nb = 2\n", "2", &[], "a.toml:2:5\nb = 2\n    ^");
        check(
            "a = 1\r\nå\tb = 22",
            "22",
            &[],
            "a.toml:2:7\nå b = 22\n      ^^",
        );
        check(
            "a = [\n 1,\n]",
            "[\n 1,\n]",
            &[],
            "a.toml:1:5\na = [\n    ^",
        );
    }

    #[test]
    fn a_secret_in_the_line_is_masked() {
        let text = r#"{ password = "hunter2", port = "x" }"#;
        let expected =
            "a.toml:1:32\n{ password = ****, port = \"x\" }\n                          ^^^";
        check(text, "\"x\"", &["\"hunter2\""], expected);
        check(
            "a = \"b\"",
            "\"b\"",
            &["\"b\""],
            "a.toml:1:5\na = ****\n    ^^^^",
        );
        check(
            "a = '''b\nc''' # d",
            "# d",
            &["'''b\nc'''"],
            "a.toml:2:6\n**** # d\n     ^^^",
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_marked_part() {
        let text = format!("a = \"{}\" # here {}", "x".repeat(500), "y".repeat(500));
        let mut sources = Sources::default();
        sources.add("a.toml", text.clone());
        let start = text.find("here").unwrap();
        let snippet = sources
            .snippet(
                At {
                    file: 0,
                    start,
                    end: start + 4,
                },
                &[],
            )
            .unwrap();
        assert_eq!(snippet.text.chars().count(), SNIPPET_WIDTH + 2);
        assert_eq!(
            snippet
                .text
                .chars()
                .skip(snippet.start)
                .take(4)
                .collect::<String>(),
            "here"
        );
    }
}
