//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;

use crate::place::Place;

/// One mistake.
///
/// Displays over several lines, without a final line break, and without the
/// value of any secret:
///
/// ```text
/// error: unknown key `evry`
///   --> watchkeeper.toml:4:1
///    |
///  4 | evry = "30s"
///    | ^^^^
///    = key: service[api].monitor[health].evry
///    = help: did you mean `every`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is; none if no line of a file can be named, as for a file that
    /// cannot be read.
    pub place: Option<Place>,
    /// The key as a path from the top: `service[api].monitor[health].every`.
    /// Empty where no key is to blame, as in broken TOML.
    pub key: String,
    /// What is wrong, in lower case and without a full stop.
    pub what: String,
    /// What to write instead.
    pub instead: Option<String>,
    /// Other places that one has to look at, each with what stands there:
    /// `first used here`.
    pub related: Vec<(Place, String)>,
    /// The line itself, for display.
    pub snippet: Option<Snippet>,
}

/// The line of a problem, ready to be shown: no secrets, no control characters,
/// cut to a width that fits a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The line's text.
    pub text: String,
    /// How many characters of `text` come before the marked part.
    pub start: usize,
    /// How many characters are marked; at least 1.
    pub length: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        let mut margin = 1;
        if let Some(place) = &self.place {
            margin = place.line.to_string().len();
            write!(f, "\n {:margin$}--> {place}", "")?;
            if let Some(snippet) = &self.snippet {
                write!(f, "\n {:margin$} |", "")?;
                write!(f, "\n {} | {}", place.line, snippet.text)?;
                let (start, carets) = (snippet.start, "^".repeat(snippet.length));
                write!(f, "\n {:margin$} | {:start$}{carets}", "", "")?;
            }
        }
        if !self.key.is_empty() {
            write!(f, "\n {:margin$} = key: {}", "", self.key)?;
        }
        for (place, what) in &self.related {
            write!(f, "\n {:margin$} = {what}: {place}", "")?;
        }
        if let Some(instead) = &self.instead {
            write!(f, "\n {:margin$} = help: {instead}", "")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// All mistakes of a configuration, in the order of the files and their lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The mistakes; at most [`Problems::MAX`].
    pub list: Vec<Problem>,
    /// How many more there are.
    pub left_out: usize,
}

impl Problems {
    /// How many problems are described. A file with more of them is rather of
    /// another kind than full of mistakes, and nobody reads on.
    pub const MAX: usize = 500;

    /// How many mistakes were found.
    pub fn count(&self) -> usize {
        self.list.len().saturating_add(self.left_out)
    }

    /// Whether none was found.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

impl From<Vec<Problem>> for Problems {
    /// The first [`Problems::MAX`] in the order given.
    fn from(mut list: Vec<Problem>) -> Self {
        let left_out = list.len().saturating_sub(Self::MAX);
        list.truncate(Self::MAX);
        Self { list, left_out }
    }
}

impl fmt::Display for Problems {
    /// Every problem, a blank line after each, and the count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            write!(f, "{problem}\n\n")?;
        }
        if self.left_out > 0 {
            write!(f, "and {} more\n\n", self.left_out)?;
        }
        match self.count() {
            1 => f.write_str("1 problem in the configuration"),
            count => write!(f, "{count} problems in the configuration"),
        }
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_with_the_part_marked() {
        let place = |line| Place {
            file: "a.toml".into(),
            line,
            column: 6,
        };
        let problem = Problem {
            place: Some(place(12)),
            key: "service[api].id".to_owned(),
            what: "the id `api` is used twice".to_owned(),
            instead: Some("choose another".to_owned()),
            related: vec![(place(3), "first used here".to_owned())],
            snippet: Some(Snippet {
                text: "id = \"api\"".to_owned(),
                start: 5,
                length: 5,
            }),
        };
        let expected = "\
error: the id `api` is used twice
   --> a.toml:12:6
    |
 12 | id = \"api\"
    |      ^^^^^
    = key: service[api].id
    = first used here: a.toml:3:6
    = help: choose another";
        assert_eq!(problem.to_string(), expected);
        let problems = Problems::from(vec![problem.clone(); Problems::MAX + 1]);
        assert!(
            problems
                .to_string()
                .starts_with(&format!("{expected}\n\nerror: "))
        );
        assert!(problems.to_string().ends_with(
            "= help: choose another\n\nand 1 more\n\n501 problems in the configuration"
        ));
    }
}
