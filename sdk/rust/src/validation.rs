//! What is wrong with a configuration that fits the schema.

use serde::de::DeserializeOwned;

use crate::bindings::validation as wit;
use crate::{Stop, config};

/// A mistake in a configuration that its schema cannot see, such as a regular
/// expression that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    key: String,
    what: String,
    instead: Option<String>,
    position: Option<(u32, u32)>,
}

impl Problem {
    /// A mistake in the value at `key`, the path from the top of the
    /// configuration: `expect.regex`, `queries[0].max`; empty: the whole. `what`
    /// says what is wrong, in lower case and without a full stop.
    pub fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            instead: None,
            position: None,
        }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn instead(mut self, instead: impl Into<String>) -> Self {
        self.instead = Some(instead.into());
        self
    }

    /// Says where in the value it is, if that is a text of several lines: the line
    /// and the column in characters, both from 1.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        self.position = Some((line, column));
        self
    }

    /// The path of the value, as it was given.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// Of a reason such as `config.expect.regex: no regular expression`, what stands
/// before the colon is the key.
impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        let (Stop::Dead(words) | Stop::Misconfigured(words) | Stop::Undecided(words)) = stop;
        let parts = words
            .split_once(": ")
            .and_then(|(key, what)| Some((key.strip_prefix("config")?, what)));
        match parts {
            Some((key, what)) if !key.contains(' ') => Self::new(key.trim_start_matches('.'), what),
            _ => Self::new("", words),
        }
    }
}

/// Answers the host's `validate`.
#[doc(hidden)]
pub fn validate<C: DeserializeOwned>(
    text: &str,
    validate: impl FnOnce(&C) -> Result<(), Vec<Problem>>,
) -> Vec<wit::Problem> {
    let problems = match config::parse(text) {
        Ok(config) => validate(&config).err().unwrap_or_default(),
        Err(why) => vec![Stop::Misconfigured(why).into()],
    };
    problems
        .into_iter()
        .map(|problem| wit::Problem {
            pointer: pointer(&problem.key),
            what: problem.what,
            instead: problem.instead,
            position: problem.position,
        })
        .collect()
}

/// The JSON pointer of a path such as `queries[0].max`.
fn pointer(key: &str) -> String {
    let mut pointer = String::new();
    for step in key.split(['.', '[']).filter(|step| !step.is_empty()) {
        let step = step.strip_suffix(']').unwrap_or(step);
        pointer.push('/');
        pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Limit {
        max: u32,
    }

    fn check(limit: &Limit) -> Result<(), Vec<Problem>> {
        match limit.max {
            0 => Err(vec![
                Problem::new("limits[0].max", "is 0")
                    .instead("write 1")
                    .at(2, 3),
            ]),
            1 => Err(vec![
                Stop::Misconfigured("config.max: is 1: odd".to_owned()).into(),
            ]),
            2 => Err(vec![Stop::Misconfigured("no key: why".to_owned()).into()]),
            _ => Ok(()),
        }
    }

    #[test]
    fn problems_are_told_with_the_place_to_blame() {
        let said = |text: &str| -> Vec<String> {
            validate(text, check)
                .into_iter()
                .map(|problem| {
                    let wit::Problem {
                        pointer,
                        what,
                        instead,
                        position,
                    } = problem;
                    format!("{pointer} {what} {instead:?} {position:?}")
                })
                .collect()
        };
        assert_eq!(
            said(r#"{"max":0}"#),
            [r#"/limits/0/max is 0 Some("write 1") Some((2, 3))"#]
        );
        assert_eq!(said(r#"{"max":1}"#), ["/max is 1: odd None None"]);
        assert_eq!(said(r#"{"max":2}"#), [" no key: why None None"]);
        assert_eq!(said(r#"{"max":3}"#), [""; 0]);
        assert_eq!(said("{}").len(), 1);
    }
}
