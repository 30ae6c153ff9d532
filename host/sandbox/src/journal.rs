//! What a run says: its log, bounded in lines and in length.

use std::sync::{Mutex, PoisonError};

use crate::scrub::Scrubber;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever writes the plugin.
    Debug,
    /// For whoever asks what it did.
    Info,
    /// Something was wrong, and the run went on.
    Warn,
    /// Something was wrong.
    Error,
}

/// One line that a plugin logged, or wrote to its standard output or error
/// (then `stdout: ` or `stderr: ` stands before it). Free of secrets and of
/// control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// Where a guest writes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

/// The log of a run.
#[derive(Debug)]
pub(crate) struct Journal {
    scrubber: Scrubber,
    most_lines: usize,
    longest_line: usize,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    lines: Vec<LogLine>,
    /// Lines beyond the limit.
    left_out: u64,
    /// What was written and not yet ended by a line feed.
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The last line of the standard error.
    last_words: Option<String>,
}

impl Journal {
    pub(crate) fn new(scrubber: Scrubber, most_lines: usize, longest_line: usize) -> Self {
        Self {
            scrubber,
            most_lines,
            longest_line,
            pages: Mutex::default(),
        }
    }

    /// Adds lines.
    pub(crate) fn log(&self, level: Level, text: &str) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        // Scrubbed before it is split and cut, so that no half of a secret stays.
        let text = self.scrubber.scrub(text);
        for line in text.lines() {
            self.add(&mut pages, level, line);
        }
    }

    /// Takes bytes that the guest wrote. Never refuses any: a guest whose output
    /// is refused panics, and nobody learns what it had to say.
    pub(crate) fn write(&self, output: Output, bytes: &[u8]) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let line = pages.unfinished(output);
            // Twice the longest line: enough for a secret that straddles its end
            // to be recognised before the line is cut.
            let room = (2 * self.longest_line).saturating_sub(line.len());
            line.extend(piece.iter().take(room));
            if piece.ends_with(b"\n") {
                self.end_line(&mut pages, output);
            }
        }
    }

    /// The last line that the standard error said: a panic's words are there.
    pub(crate) fn last_words(&self) -> Option<String> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        self.end_line(&mut pages, Output::Stderr);
        pages.last_words.clone()
    }

    /// All lines, the unfinished ones too.
    pub(crate) fn close(&self) -> Vec<LogLine> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        self.end_line(&mut pages, Output::Stdout);
        self.end_line(&mut pages, Output::Stderr);
        let mut lines = std::mem::take(&mut pages.lines);
        if pages.left_out > 0 {
            let text = format!(
                "{} more lines were left out (limit `log_lines`)",
                pages.left_out
            );
            lines.push(LogLine {
                level: Level::Warn,
                text,
            });
        }
        lines
    }

    /// `text` as it may be shown: one line, without secrets, control characters
    /// and what exceeds `longest` characters.
    pub(crate) fn presentable(&self, text: &str, longest: usize) -> String {
        let text = self.scrubber.scrub(text);
        let mut shown: String = text
            .chars()
            .map(visible)
            .take(longest.saturating_add(1))
            .collect();
        if shown.chars().count() > longest {
            let cut = longest.saturating_sub(1);
            shown = shown.chars().take(cut).collect();
            shown.push('…');
        }
        shown
    }

    fn end_line(&self, pages: &mut Pages, output: Output) {
        let bytes = std::mem::take(pages.unfinished(output));
        let text = String::from_utf8_lossy(&bytes);
        let text = self.scrubber.scrub(text.trim_end());
        if text.is_empty() {
            return;
        }
        match output {
            Output::Stdout => self.add(pages, Level::Info, &format!("stdout: {text}")),
            Output::Stderr => {
                // Rust's hint after a panic's words says nothing of this panic.
                if !text.starts_with("note: run with `RUST_BACKTRACE") {
                    pages.last_words = Some(text.chars().map(visible).collect());
                }
                self.add(pages, Level::Warn, &format!("stderr: {text}"));
            }
        }
    }

    fn add(&self, pages: &mut Pages, level: Level, line: &str) {
        if pages.lines.len() >= self.most_lines {
            pages.left_out = pages.left_out.saturating_add(1);
            return;
        }
        let mut text = String::with_capacity(line.len().min(self.longest_line));
        for character in line.chars().map(visible) {
            if text.len() + character.len_utf8() > self.longest_line {
                break;
            }
            text.push(character);
        }
        pages.lines.push(LogLine { level, text });
    }
}

impl Pages {
    fn unfinished(&mut self, output: Output) -> &mut Vec<u8> {
        match output {
            Output::Stdout => &mut self.stdout,
            Output::Stderr => &mut self.stderr,
        }
    }
}

/// A character that moves no cursor and hides no text: escape sequences of a
/// terminal and marks that turn the direction of writing are made visible.
fn visible(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if character.is_control() => '\u{fffd}',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(journal: &Journal) -> Vec<String> {
        journal.close().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_are_counted_and_cut() {
        let journal = Journal::new(Scrubber::default(), 2, 5);
        journal.log(Level::Info, "first line\nnext");
        journal.log(Level::Info, "more\nand more");
        assert_eq!(
            texts(&journal),
            [
                "first",
                "next",
                "2 more lines were left out (limit `log_lines`)"
            ]
        );
    }

    #[test]
    fn bytes_become_lines_at_line_feeds_and_at_the_end() {
        let journal = Journal::new(Scrubber::default(), 10, 100);
        journal.write(Output::Stdout, b"one\ntw");
        journal.write(Output::Stderr, b"thread panicked\nqueue");
        journal.write(Output::Stdout, b"o\n");
        journal.write(
            Output::Stderr,
            b" is gone\nnote: run with `RUST_BACKTRACE=1`",
        );
        assert_eq!(journal.last_words().as_deref(), Some("queue is gone"));
        assert_eq!(
            texts(&journal),
            [
                "stdout: one",
                "stderr: thread panicked",
                "stdout: two",
                "stderr: queue is gone",
                "stderr: note: run with `RUST_BACKTRACE=1`"
            ]
        );
    }

    #[test]
    fn a_flood_without_line_feeds_takes_no_room() {
        let journal = Journal::new(Scrubber::default(), 10, 16);
        for _ in 0..1000 {
            journal.write(Output::Stdout, &[b'x'; 1000]);
        }
        assert_eq!(texts(&journal), ["stdout: xxxxxxxx"]);
    }

    #[test]
    fn secrets_and_escapes_do_not_pass() {
        let journal = Journal::new(Scrubber::new(["hunter2"]), 10, 12);
        journal.log(Level::Info, "\u{1b}[31mhunter2 hunter2");
        journal.write(Output::Stdout, b"hunter2\n");
        assert_eq!(texts(&journal), ["\u{fffd}[31m**** ", "stdout: ****"]);
        assert_eq!(journal.presentable("it was hunter2\nyes", 9), "it was *…");
    }
}
