//! Secrets of foreign files: variables that stand for them.

use std::collections::BTreeMap;

use crate::names;
use crate::report::{Place, Variable};

/// How a foreign file refers to variables of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// It does not.
    None,
    /// `${NAME}`.
    Braces,
    /// `${NAME}` and `$NAME`; `$$` is a dollar sign.
    Shell,
}

/// A part of a foreign text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Variable(String),
}

/// The parts of a text, variables told apart from what stands for itself.
pub(crate) fn pieces(text: &str, style: Style) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        plain.push_str(before);
        let (name, behind) = match style {
            Style::None => (None, after),
            Style::Shell if after.starts_with('$') => {
                plain.push('$');
                rest = after.strip_prefix('$').unwrap_or(after);
                continue;
            }
            Style::Braces | Style::Shell => reference(after, style),
        };
        rest = behind;
        if let Some(name) = name {
            if !plain.is_empty() {
                found.push(Piece::Text(std::mem::take(&mut plain)));
            }
            found.push(Piece::Variable(name));
        } else {
            plain.push('$');
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() || found.is_empty() {
        found.push(Piece::Text(plain));
    }
    found
}

/// The variable that what follows a dollar sign names, and what comes after it.
fn reference(after: &str, style: Style) -> (Option<String>, &str) {
    if let Some((name, behind)) = after.strip_prefix('{').and_then(|it| it.split_once('}'))
        && is_name(name)
    {
        return (Some(name.to_owned()), behind);
    }
    if style == Style::Shell {
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let (name, behind) = after.split_at(end);
        if is_name(name) {
            return (Some(name.to_owned()), behind);
        }
    }
    (None, after)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The variables of the result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    variables: Vec<Variable>,
    by_value: BTreeMap<String, String>,
}

impl Secrets {
    /// The name of the variable that stands for a value: the one that it has
    /// already, or a new one out of the words.
    pub(crate) fn hide(&mut self, words: &str, value: &str, place: &Place) -> String {
        if let Some(name) = self.by_value.get(value) {
            return name.clone();
        }
        let wanted = names::variable(words);
        let mut name = wanted.clone();
        let mut number = 2;
        while self.variables.iter().any(|it| it.name == name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.by_value.insert(value.to_owned(), name.clone());
        self.variables.push(Variable {
            name: name.clone(),
            place: place.clone(),
            was_variable: false,
        });
        name
    }

    /// Notes a variable that the foreign file referred to itself.
    pub(crate) fn keep(&mut self, name: &str, place: &Place) {
        if !self.variables.iter().any(|it| it.name == name) {
            self.variables.push(Variable {
                name: name.to_owned(),
                place: place.clone(),
                was_variable: true,
            });
        }
    }

    /// The hidden values, longest first, with the names that stand for them.
    pub(crate) fn values(&self) -> Vec<(&str, &str)> {
        let mut values: Vec<_> = self
            .by_value
            .iter()
            .map(|(value, name)| (value.as_str(), name.as_str()))
            .collect();
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        values
    }

    pub(crate) fn into_variables(self) -> Vec<Variable> {
        self.variables
    }
}

/// Whether what goes by this name is a secret: a header, a parameter, a field.
pub(crate) fn sounds_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let parts = [
        "authorization",
        "cookie",
        "token",
        "secret",
        "password",
        "passwd",
        "apikey",
        "accesskey",
        "privatekey",
        "credential",
        "signature",
        "authkey",
        "sessionid",
        "bearer",
    ];
    parts.iter().any(|part| name.contains(part))
        || ["key", "sig", "auth", "pass", "pwd", "xkey"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::{Piece, Style, pieces, sounds_secret};

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn variable(name: &str) -> Piece {
        Piece::Variable(name.to_owned())
    }

    #[test]
    fn references_are_told_apart() {
        assert_eq!(pieces("a${B}c", Style::None), [text("a${B}c")]);
        assert_eq!(
            pieces("a${B}$C", Style::Braces),
            [text("a"), variable("B"), text("$C")]
        );
        assert_eq!(
            pieces("$B-$$C${D}$", Style::Shell),
            [variable("B"), text("-$C"), variable("D"), text("$")]
        );
        assert_eq!(pieces("${", Style::Shell), [text("${")]);
        assert_eq!(pieces("${a b}", Style::Braces), [text("${a b}")]);
        assert_eq!(pieces("", Style::Braces), [text("")]);
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "Authorization",
            "X-Api-Key",
            "cookie",
            "access_token",
            "key",
            "PRIVATE-TOKEN",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["Accept", "User-Agent", "X-Request-Id", "keyword", "Host"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
