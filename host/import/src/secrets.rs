//! Secrets of foreign files: variables that stand for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::environment::Secret;
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
    /// The names by value and by what was wanted as the name.
    hidden: BTreeMap<(String, String), String>,
    /// Names that the foreign file refers to itself, somewhere.
    reserved: BTreeSet<String>,
}

/// A value of this many bytes that stands in several places has one variable. Of
/// a shorter one it may be chance, as of the `xxxx` in samples.
const SHARED: usize = 8;

impl Secrets {
    /// The name of the variable that stands for a value: the one that it has
    /// already, or a new one out of the words.
    pub(crate) fn hide(&mut self, words: &str, value: &str, place: &Place) -> String {
        let wanted = names::variable(words);
        let is_same = |known: &str| value.len() >= SHARED || known == wanted;
        let known = self
            .hidden
            .range((value.to_owned(), String::new())..)
            .take_while(|((known, _), _)| known == value)
            .find(|((_, known), _)| is_same(known));
        if let Some((_, name)) = known {
            return name.clone();
        }
        let mut name = wanted.clone();
        let mut number = 2;
        while self.reserved.contains(&name) || self.variables.iter().any(|it| it.name == name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        let key = (value.to_owned(), wanted);
        self.hidden.insert(key, name.clone());
        self.variables.push(Variable {
            name: name.clone(),
            place: place.clone(),
            was_variable: false,
        });
        name
    }

    /// Sees to it that no hidden value gets a name that the text refers to.
    pub(crate) fn reserve(&mut self, text: &str, style: Style) {
        for piece in pieces(text, style) {
            if let Piece::Variable(name) = piece {
                self.reserved.insert(name);
            }
        }
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
            .hidden
            .iter()
            .map(|((value, _), name)| (value.as_str(), name.as_str()))
            .collect();
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        values
    }

    /// The variables in the order in which they came up, and the hidden values in
    /// the same order.
    pub(crate) fn into_parts(self) -> (Vec<Variable>, Vec<Secret>) {
        let mut by_name: BTreeMap<String, String> = self
            .hidden
            .into_iter()
            .map(|((value, _), name)| (name, value))
            .collect();
        let secrets = self.variables.iter().filter_map(|variable| {
            let (name, value) = by_name.remove_entry(&variable.name)?;
            Some(Secret { name, value })
        });
        let secrets = secrets.collect();
        (self.variables, secrets)
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

/// Whether a longer text, such as a body or a script, seems to hold a secret.
pub(crate) fn text_seems_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let marks = [
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "api-key",
        "authorization",
        "bearer ",
        "auth ",
        "--user ",
        "curl -u ",
    ];
    // A user and password within an address.
    let in_address = text.split("://").skip(1).any(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'`".contains(c));
        let (authority, _) = rest.split_at(end.unwrap_or(rest.len()));
        authority
            .split_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
    });
    in_address || marks.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::{Piece, Secrets, Style, pieces, sounds_secret, text_seems_secret};
    use crate::report::Place;

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
    fn one_value_has_one_variable_unless_it_is_short() {
        let place = Place::default();
        let mut secrets = Secrets::default();
        secrets.reserve("a: ${TEAMS_HOOK}", Style::Braces);
        let mut hide = |words: &str, value: &str| secrets.hide(words, value, &place);
        assert_eq!(hide("slack hook", "0123456789"), "SLACK_HOOK");
        assert_eq!(hide("teams hook", "0123456789"), "SLACK_HOOK");
        assert_eq!(hide("slack hook", "9876543210"), "SLACK_HOOK_2");
        assert_eq!(hide("teams hook", "another-one"), "TEAMS_HOOK_2");
        assert_eq!(hide("zulip key", "xxxx"), "ZULIP_KEY");
        assert_eq!(hide("gotify token", "xxxx"), "GOTIFY_TOKEN");
        assert_eq!(hide("zulip key", "xxxx"), "ZULIP_KEY");
        let (variables, values) = secrets.into_parts();
        let names: Vec<_> = variables.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "SLACK_HOOK",
                "SLACK_HOOK_2",
                "TEAMS_HOOK_2",
                "ZULIP_KEY",
                "GOTIFY_TOKEN"
            ]
        );
        let values: Vec<_> = values.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(
            values,
            ["0123456789", "9876543210", "another-one", "xxxx", "xxxx"]
        );
    }

    #[test]
    fn texts_with_secrets_are_known_by_words_and_addresses() {
        for text in [
            "{\"Password\": 1}",
            "curl -H 'Authorization: Basic eDp5' http://a/",
            "AUTH hunter2\r\n",
            "curl https://me:pw@a.test/x",
        ] {
            assert!(text_seems_secret(text), "{text}");
        }
        for text in [
            "PING",
            "curl https://a.test:8080/@me",
            "exit 0",
            "{\"a\": \"b@c\"}",
        ] {
            assert!(!text_seems_secret(text), "{text}");
        }
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
