//! From other monitors' configurations to a native one, with a report of what
//! is different.
//!
//! A foreign file becomes a tree in which each value knows its line; one module
//! per system reads the tree into a draft of a native configuration; the draft
//! is written as TOML. Whatever the reader of a system did not ask for is
//! reported as not carried over, so that nothing is lost in silence. Secrets
//! are in neither: the result refers to variables of the environment, the report
//! says what to put into each, and who asks for the values gets them apart.
//!
//! This crate reads files and writes none. It does not know plugins: that the
//! `config` tables which it writes fit them is shown by its tests.

pub mod environment;
pub mod input;
pub mod report;

mod checkup;
mod context;
mod draft;
mod fields;
mod gatus;
mod http;
mod inxidents;
mod kuma;
mod names;
mod node;
mod notifiers;
mod secrets;
mod span;
mod status_incident;
mod target;
mod vigil;
mod write;

use std::fmt;

pub use environment::Secret;
pub use input::{ImportError, Input};
pub use report::{Counts, Entry, Outcome, Place, Report, Variable};

/// The systems whose configurations can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Vigil: `config.cfg`, TOML.
    Vigil,
    /// Övervakt: its TOML, or the same as YAML.
    Overvakt,
    /// Gatus: YAML, a file or a folder.
    Gatus,
    /// Checkup: `checkup.json`.
    Checkup,
    /// status-incident: the JSON of its export.
    StatusIncident,
    /// inxidents: `config.yaml`.
    Inxidents,
    /// Uptime Kuma: its database `kuma.db`, or the JSON of a backup by version 1.
    UptimeKuma,
}

impl Kind {
    /// All of them, in the order in which they are listed for people.
    pub const ALL: [Self; 7] = [
        Self::Vigil,
        Self::Overvakt,
        Self::Gatus,
        Self::UptimeKuma,
        Self::Checkup,
        Self::StatusIncident,
        Self::Inxidents,
    ];

    /// The word for it on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Vigil => "vigil",
            Self::Overvakt => "overvakt",
            Self::Gatus => "gatus",
            Self::Checkup => "checkup",
            Self::StatusIncident => "status-incident",
            Self::Inxidents => "inxidents",
            Self::UptimeKuma => "uptime-kuma",
        }
    }

    /// The system of that word; none where there is no such word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vigil => "Vigil",
            Self::Overvakt => "Övervakt",
            Self::Gatus => "Gatus",
            Self::Checkup => "Checkup",
            Self::StatusIncident => "status-incident",
            Self::Inxidents => "inxidents",
            Self::UptimeKuma => "Uptime Kuma",
        })
    }
}

/// What became of a foreign configuration.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The system that it is of.
    pub kind: Kind,
    /// The native configuration: TOML that the loader of this version takes, as
    /// long as the variables of the report are set. Holds no secret that the
    /// foreign file held.
    pub toml: String,
    /// What is different, what could not be carried over, and which variables
    /// have to be set.
    pub report: Report,
    /// The secrets of the foreign file, which are in neither of the above. In the
    /// order of the report's variables.
    pub secrets: Vec<Secret>,
}

/// Turns a foreign configuration into a native one.
///
/// Blocks while it reads files. Never fails for what a file says as long as it
/// is of the right form: what cannot be carried over is in the report.
pub fn import(kind: Kind, input: &Input) -> Result<Imported, ImportError> {
    let mut cx = context::Context::new(kind, input);
    match kind {
        Kind::Vigil | Kind::Overvakt => vigil::read(&mut cx, input)?,
        Kind::Gatus => gatus::read(&mut cx, input)?,
        Kind::Checkup => checkup::read(&mut cx, input)?,
        Kind::StatusIncident => status_incident::read(&mut cx, input)?,
        Kind::Inxidents => inxidents::read(&mut cx, input)?,
        Kind::UptimeKuma => kuma::read(&mut cx, input)?,
    }
    Ok(write::finish(cx))
}
