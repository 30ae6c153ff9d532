//! Expansion: from words to fields.

use std::cell::RefCell;
use std::rc::Rc;

use super::fields::{Fields, Mode};
use super::{Interrupt, Outcome, Shell, Stream};
use crate::pattern::Pattern;
use crate::syntax::{Argument, Piece, Script, Word};

impl Shell<'_> {
    /// The fields of a command's words.
    pub(crate) fn fields_of(&mut self, words: &[Argument]) -> Result<Vec<String>, Interrupt> {
        let mut fields = Vec::with_capacity(words.len());
        for word in words {
            match word {
                Argument::Word(word) => self.fields_into(word, &mut fields)?,
                Argument::Process(script) => fields.push(self.process(script)?),
                // Only commands that take assignments have some; they do them
                // on their own.
                Argument::Assignment(_) => {}
            }
        }
        Ok(fields)
    }

    pub(crate) fn fields_into(
        &mut self,
        word: &Word,
        fields: &mut Vec<String>,
    ) -> Result<(), Interrupt> {
        if let [Piece::Text(text)] = word.as_slice() {
            fields.push(text.clone());
            return Ok(());
        }
        let mut made = Fields::new(Mode::Fields, &self.separators());
        self.pieces(word, false, &mut made)?;
        fields.extend(made.into_fields());
        Ok(())
    }

    /// The text of a word: nothing is split.
    pub(crate) fn text_of(&mut self, word: &[Piece]) -> Result<String, Interrupt> {
        self.one(word, Mode::Text)
    }

    /// A word as a pattern.
    pub(crate) fn pattern_of(&mut self, word: &[Piece]) -> Result<Pattern, Interrupt> {
        let text = self.one(word, Mode::Pattern)?;
        Ok(Pattern::new(&text))
    }

    /// A word as a regular expression.
    pub(crate) fn regex_of(&mut self, word: &[Piece]) -> Result<String, Interrupt> {
        self.one(word, Mode::Regex)
    }

    fn one(&mut self, word: &[Piece], mode: Mode) -> Result<String, Interrupt> {
        if let ([Piece::Text(text)], true) = (word, mode != Mode::Fields) {
            return Ok(text.clone());
        }
        let mut made = Fields::new(mode, "");
        self.pieces(word, false, &mut made)?;
        Ok(made.into_text())
    }

    /// `IFS`, or what it is when it is not set.
    pub(crate) fn separators(&self) -> String {
        self.variables.text("IFS").unwrap_or(" \t\n").to_owned()
    }

    /// What joins the parameters in `"$*"`.
    pub(super) fn joiner(&self) -> String {
        match self.variables.text("IFS") {
            None => " ".to_owned(),
            Some(separators) => separators.chars().take(1).collect(),
        }
    }

    pub(super) fn pieces(
        &mut self,
        word: &[Piece],
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Interrupt> {
        for piece in word {
            match piece {
                Piece::Text(text) if quoted => fields.quoted(text),
                Piece::Text(text) => fields.literal(text),
                Piece::Quoted(text) => fields.quoted(text),
                Piece::Double(inner) if inner.is_empty() => fields.quoted(""),
                Piece::Double(inner) => self.pieces(inner, true, fields)?,
                Piece::Parameter(expansion) => self.parameter(expansion, quoted, fields)?,
                Piece::Command(script) => {
                    let output = self.substitute(script)?;
                    put(&output, quoted, fields);
                }
                Piece::Arithmetic(arithmetic) => {
                    let value = self.calculate(arithmetic)?.to_string();
                    put(&value, quoted, fields);
                }
            }
        }
        Ok(())
    }

    /// The output of `$( … )`, without line breaks at its end.
    pub(super) fn substitute(&mut self, script: &Script) -> Result<String, Interrupt> {
        let (output, status) = self.capture(|shell| {
            if !shell.options.exit_on_error_inside {
                shell.options.exit_on_error = false;
            }
            shell.script(script)
        })?;
        self.substituted = Some(status);
        self.status = status;
        let mut text = String::from_utf8_lossy(&output).into_owned();
        // As bash, which cannot hold them.
        text.retain(|c| c != '\0');
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// What `action` writes to its output in a subshell, and its status.
    pub(crate) fn capture(
        &mut self,
        action: impl FnOnce(&mut Self) -> Outcome,
    ) -> Result<(Vec<u8>, u8), Interrupt> {
        let buffer = Rc::new(RefCell::new(Vec::new()));
        let streams = self.streams.with(1, Stream::Buffer(Rc::clone(&buffer)));
        let status = self.in_subshell(streams, action)?;
        Ok((buffer.take(), status))
    }

    /// `<( … )`: a file that holds the output.
    fn process(&mut self, script: &Script) -> Result<String, Interrupt> {
        let (output, _) = self.capture(|shell| shell.script(script))?;
        let name = format!("/dev/fd/p{}", self.unique());
        self.shared
            .files
            .borrow_mut()
            .insert(name.clone(), Rc::new(RefCell::new(output)));
        Ok(name)
    }
}

pub(super) fn put(text: &str, quoted: bool, fields: &mut Fields) {
    if quoted {
        fields.quoted(text);
    } else {
        fields.split(text);
    }
}
