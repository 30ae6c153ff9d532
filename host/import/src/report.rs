//! What an import tells about itself.

use std::fmt;

/// Where something stands in a foreign file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named to the import.
    pub file: String,
    /// The line, from 1 on; none where the file has no lines, as a database.
    pub line: Option<u32>,
    /// The key as a path from the top: `probe.service[0].node[2].mode`. Empty
    /// for the file as a whole.
    pub path: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, " {}", self.path)?;
        }
        Ok(())
    }
}

/// What became of something that could not be carried over as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the result, and does not mean exactly the same.
    Different,
    /// It is not in the result.
    Lost,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands in the foreign file.
    pub place: Place,
    /// What became of it.
    pub outcome: Outcome,
    /// What is different or missing, and what can be done about it.
    pub what: String,
}

/// A variable of the environment that the result refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where its value stands in the foreign file. The first place where it
    /// stands in several.
    pub place: Place,
    /// Whether the foreign file referred to this very variable already, so that
    /// its value has to be taken from the environment of the old system.
    pub was_variable: bool,
}

/// How much was carried over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Services in the result.
    pub services: usize,
    /// Monitors in the result.
    pub monitors: usize,
    /// Channels in the result.
    pub channels: usize,
}

/// What an import tells about itself. Displays as a text for people, without
/// the value of any secret.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How much was carried over.
    pub counts: Counts,
    /// What is different or lost, in the order of the foreign file.
    pub entries: Vec<Entry>,
    /// The variables that have to be set before the result is used.
    pub variables: Vec<Variable>,
}

impl Report {
    /// The entries of one kind.
    pub fn of(&self, outcome: Outcome) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |it| it.outcome == outcome)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            services,
            monitors,
            channels,
        } = self.counts;
        writeln!(
            f,
            "carried over: {services} services, {monitors} monitors, {channels} channels"
        )?;
        let sections = [
            ("different", Outcome::Different),
            ("not carried over", Outcome::Lost),
        ];
        for (title, outcome) in sections {
            let count = self.of(outcome).count();
            writeln!(f, "\n{title}: {count}")?;
            for entry in self.of(outcome) {
                writeln!(f, "  {}\n      {}", entry.place, entry.what)?;
            }
        }
        if self.variables.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\nvariables to set: {}\n  Secrets were not copied. Put each value, which stands at the place behind it,\n  into the environment of the server, for instance by a file that only it can\n  read, as `--secrets FILE` writes one:\n",
            self.variables.len()
        )?;
        for variable in &self.variables {
            let whence = if variable.was_variable {
                "as in the old system's environment, "
            } else {
                ""
            };
            writeln!(f, "{}=    # {whence}{}", variable.name, variable.place)?;
        }
        Ok(())
    }
}
