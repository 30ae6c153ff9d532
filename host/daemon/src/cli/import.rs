//! `watchkeeper config import`: a configuration out of another system's.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};
use watchkeeper_import::{Imported, Input, Kind, Outcome, Report, import};

use super::{Exit, complain, print};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The system that the file is of
    #[arg(value_parser = kinds())]
    kind: Kind,
    /// Its configuration; for gatus also a folder, for uptime-kuma the database or a backup
    file: PathBuf,
    /// Where to write the configuration; none: to standard output. A file is never replaced
    #[arg(long)]
    out: Option<PathBuf>,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    let words = PossibleValuesParser::new(Kind::ALL.map(Kind::word));
    words.map(|word| Kind::from_word(&word).expect("only the words of kinds are taken"))
}

impl Import {
    /// Prints or writes the configuration; what is different goes to standard error.
    pub(super) fn run(self, as_json: bool) -> anyhow::Result<Exit> {
        let input = Input::path(self.file).with_environment(
            std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        );
        let imported = match import(self.kind, &input) {
            Ok(imported) => imported,
            Err(problem) => {
                complain(&format!("error: {problem}"));
                return Ok(Exit::Config);
            }
        };
        if let Some(path) = &self.out
            && let Err(problem) = write(path, &imported)
        {
            complain(&format!("cannot write {}: {problem}", path.display()));
            return Ok(Exit::Usage);
        }
        if as_json {
            print(&serde_json::to_string_pretty(&shown(&imported))?)?;
            return Ok(Exit::Fine);
        }
        if self.out.is_none() {
            print(imported.toml.trim_end())?;
        }
        complain(imported.report.to_string().trim_end());
        Ok(Exit::Fine)
    }
}

/// Writes a new file, or nothing.
fn write(path: &Path, imported: &Imported) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file
        .write_all(imported.toml.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a configuration is worse than none.
        _ = std::fs::remove_file(path);
    }
    written
}

fn shown(imported: &Imported) -> Value {
    let Report {
        counts,
        entries,
        variables,
    } = &imported.report;
    let place = |place: &watchkeeper_import::Place| json!({ "file": place.file, "line": place.line, "path": place.path });
    let entries = entries.iter().map(|entry| {
        let outcome = match entry.outcome {
            Outcome::Different => "different",
            Outcome::Lost => "lost",
        };
        json!({ "outcome": outcome, "what": entry.what, "place": place(&entry.place) })
    });
    let variables = variables.iter().map(|variable| {
        json!({
            "name": variable.name,
            "was_variable": variable.was_variable,
            "place": place(&variable.place),
        })
    });
    json!({
        "toml": imported.toml,
        "services": counts.services,
        "monitors": counts.monitors,
        "channels": counts.channels,
        "entries": entries.collect::<Vec<_>>(),
        "variables": variables.collect::<Vec<_>>(),
    })
}
