//! What an import knows while it goes on: the draft, the report, the secrets.

use std::collections::BTreeMap;

use crate::Kind;
use crate::draft::{Draft, Term};
use crate::input::Input;
use crate::names::{self, Ids};
use crate::report::{Entry, Outcome, Place};
use crate::secrets::{Piece, Secrets, Style, pieces};
use crate::span;

/// The most lines of a report; what is beyond is counted. A configuration of a
/// thousand monitors makes a few thousand.
const MAX_ENTRIES: usize = 20_000;

/// What an import knows while it goes on.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) kind: Kind,
    pub(crate) draft: Draft,
    pub(crate) secrets: Secrets,
    pub(crate) entries: Vec<Entry>,
    pub(crate) service_ids: Ids,
    pub(crate) channel_ids: Ids,
    style: Style,
    unsaid: usize,
    environment: &'a BTreeMap<String, String>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(kind: Kind, input: &'a Input) -> Self {
        let style = match kind {
            Kind::Vigil | Kind::Overvakt => Style::Braces,
            Kind::Gatus => Style::Shell,
            _ => Style::None,
        };
        Self {
            kind,
            draft: Draft::default(),
            secrets: Secrets::default(),
            entries: Vec::new(),
            service_ids: Ids::default(),
            channel_ids: Ids::default(),
            style,
            unsaid: 0,
            environment: &input.environment,
        }
    }

    /// Reports what is carried over and does not mean exactly the same.
    pub(crate) fn differs(&mut self, place: &Place, what: impl Into<String>) {
        self.report(place, Outcome::Different, what.into());
    }

    /// Reports what is not carried over.
    pub(crate) fn lost(&mut self, place: &Place, what: impl Into<String>) {
        self.report(place, Outcome::Lost, what.into());
    }

    fn report(&mut self, place: &Place, outcome: Outcome, what: String) {
        if self.entries.len() >= MAX_ENTRIES {
            self.unsaid += 1;
            return;
        }
        let entry = Entry {
            place: place.clone(),
            outcome,
            what,
        };
        self.entries.push(entry);
    }

    /// How many lines the report would have beyond its bound.
    pub(crate) fn unsaid(&self) -> usize {
        self.unsaid
    }

    /// Takes note of the variables that a whole file refers to.
    pub(crate) fn reserve(&mut self, text: &str) {
        self.secrets.reserve(text, self.style);
    }

    /// A text for a `config` table. Variables that the foreign file refers to
    /// are referred to by the result.
    pub(crate) fn text(&mut self, text: &str, place: &Place) -> Term {
        let pieces = pieces(text, self.style);
        for piece in &pieces {
            if let Piece::Variable(name) = piece {
                self.secrets.keep(name, place);
            }
        }
        match pieces.as_slice() {
            [Piece::Variable(name)] => Term::Variable(name.clone()),
            [Piece::Text(text)] => Term::Text(text.clone()),
            pieces => Term::Referring(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => text.replace("${", "$${"),
                        Piece::Variable(name) => format!("${{{name}}}"),
                    })
                    .collect(),
            ),
        }
    }

    /// A secret for a `config` table, as a variable: the one that the foreign
    /// file names, or a new one called after the words. None where it is empty.
    pub(crate) fn secret(&mut self, words: &str, text: &str, place: &Place) -> Option<Term> {
        if text.is_empty() {
            return None;
        }
        let pieces = pieces(text, self.style);
        if let [Piece::Variable(name)] = pieces.as_slice() {
            self.secrets.keep(name, place);
            return Some(Term::Variable(name.clone()));
        }
        if pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Variable(_)))
        {
            // Who kept the secret part in a variable has written the rest openly.
            return Some(self.text(text, place));
        }
        let [Piece::Text(value)] = pieces.as_slice() else {
            return None;
        };
        Some(Term::Variable(self.secrets.hide(words, value, place)))
    }

    /// A text for elsewhere, where the result cannot refer to variables.
    pub(crate) fn plain(&mut self, text: &str, place: &Place) -> String {
        let mut result = String::new();
        for piece in pieces(text, self.style) {
            match piece {
                Piece::Text(text) => result.push_str(&text),
                Piece::Variable(name) => {
                    if let Some(value) = self.environment.get(&name) {
                        let what = format!(
                            "the value that the variable {name} has now is written in: only `config` tables can refer to variables"
                        );
                        self.differs(place, what);
                        result.push_str(value);
                    } else {
                        let what = format!(
                            "the variable {name} is not set here; write its value where the result has {name}: only `config` tables can refer to variables"
                        );
                        self.lost(place, what);
                        result.push_str(&name);
                    }
                }
            }
        }
        result
    }

    /// One line of at most `max` characters.
    pub(crate) fn line(&mut self, text: &str, max: usize, place: &Place) -> Option<String> {
        let text = self.plain(text, place);
        let line = names::line(&text, max);
        if text.chars().count() > max {
            self.differs(place, format!("cut to {max} characters"));
        }
        line
    }

    /// A span within bounds, all in milliseconds.
    pub(crate) fn span(&mut self, millis: u64, least: u64, most: u64, place: &Place) -> String {
        let bounded = millis.clamp(least, most);
        if bounded != millis {
            let (given, taken) = (span::written(millis), span::written(bounded));
            self.differs(
                place,
                format!("{given} is not possible here, {taken} is taken"),
            );
        }
        span::written(bounded)
    }
}
