//! What words expand to: fields, a text, or a pattern.

use crate::{pattern, regex};

/// What is made of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Fields, split where `IFS` says.
    Fields,
    /// One text.
    Text,
    /// A pattern, in which what was quoted means itself.
    Pattern,
    /// A regular expression, in which what was quoted means itself.
    Regex,
}

/// Fields that are being put together.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(super) mode: Mode,
    separators: String,
    done: Vec<String>,
    current: Option<String>,
    /// White space ended the last field, and takes one other separator with it.
    after_blank: bool,
}

impl Fields {
    pub(super) fn new(mode: Mode, separators: &str) -> Self {
        Self {
            mode,
            separators: separators.to_owned(),
            done: Vec::new(),
            current: None,
            after_blank: false,
        }
    }

    /// What was quoted.
    pub(super) fn quoted(&mut self, text: &str) {
        match self.mode {
            Mode::Fields | Mode::Text => self.add(text),
            Mode::Pattern => self.add(&pattern::escaped(text)),
            Mode::Regex => self.add(&regex::escaped(text)),
        }
    }

    /// What stands in the script as it is.
    pub(super) fn literal(&mut self, text: &str) {
        self.add(text);
    }

    /// What an expansion outside of quotes gave.
    pub(super) fn split(&mut self, text: &str) {
        if self.mode != Mode::Fields {
            return self.add(text);
        }
        if self.separators.is_empty() {
            if !text.is_empty() {
                self.add(text);
            }
            return;
        }
        for c in text.chars() {
            if !self.separators.contains(c) {
                self.current.get_or_insert_default().push(c);
                self.after_blank = false;
            } else if matches!(c, ' ' | '\t' | '\n') {
                if let Some(field) = self.current.take() {
                    self.done.push(field);
                    self.after_blank = true;
                }
            } else {
                match self.current.take() {
                    Some(field) => self.done.push(field),
                    None if self.after_blank => {}
                    None => self.done.push(String::new()),
                }
                self.after_blank = false;
            }
        }
    }

    /// Ends a field, if one was begun.
    pub(super) fn boundary(&mut self) {
        if self.mode == Mode::Fields {
            self.done.extend(self.current.take());
            self.after_blank = false;
        } else {
            self.add(" ");
        }
    }

    fn add(&mut self, text: &str) {
        self.current.get_or_insert_default().push_str(text);
        self.after_blank = false;
    }

    pub(super) fn into_fields(mut self) -> Vec<String> {
        self.done.extend(self.current);
        self.done
    }

    pub(super) fn into_text(self) -> String {
        self.current.unwrap_or_default()
    }
}

/// The fields of a text, as `read` finds them: at most `count`, the last with
/// all that is left.
pub(crate) fn split_line(line: &str, separators: &str, count: usize) -> Vec<String> {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n') && separators.contains(c);
    let mut fields = Vec::new();
    let mut rest = line.trim_start_matches(is_blank);
    while fields.len() + 1 < count && !rest.is_empty() {
        let end = rest.find(|c| separators.contains(c)).unwrap_or(rest.len());
        let (field, after) = rest.split_at(end);
        fields.push(field.to_owned());
        let after = after.trim_start_matches(is_blank);
        rest = match after.chars().next() {
            Some(c) if separators.contains(c) => after
                .strip_prefix(c)
                .unwrap_or(after)
                .trim_start_matches(is_blank),
            _ => after,
        };
    }
    if !rest.is_empty() && fields.len() < count {
        let mut last = rest.trim_end_matches(is_blank);
        // One separator at the end that stands for no field after it is dropped.
        if let Some(c) = last.chars().next_back()
            && separators.contains(c)
            && !is_blank(c)
            && last.matches(|c| separators.contains(c)).count() == 1
        {
            last = last.strip_suffix(c).unwrap_or(last);
        }
        fields.push(last.to_owned());
    }
    fields
}
