//! `watchkeeper config import`: a configuration out of another system's.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use watchkeeper_import::{Imported, Input, Kind, Outcome, Place, Report, import};

use super::{Exit, complain, print};

/// Who may read a configuration: as the umask has it.
const OPEN: u32 = 0o666;

/// Who may read secrets: their owner.
const CLOSED: u32 = 0o600;

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
    /// Where to write the values of the secrets, for nobody else to read; none: nowhere. A file is
    /// never replaced
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    let words = PossibleValuesParser::new(Kind::ALL.map(Kind::word));
    words.map(|word| Kind::from_word(&word).expect("only the words of kinds are taken"))
}

impl Import {
    /// Prints or writes the configuration; what is different goes to standard
    /// error. Where anything fails nothing is written.
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
        let mut files = Vec::new();
        if let Some(path) = &self.secrets {
            files.push((path.as_path(), imported.environment_file(), CLOSED));
        }
        if let Some(path) = &self.out {
            files.push((path.as_path(), imported.toml.clone(), OPEN));
        }
        if let Err(problem) = write(&files) {
            complain(&problem);
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
        if let Some(path) = &self.secrets {
            complain(&format!(
                "\nvalues of secrets: {}. Delete it once they are where they belong.",
                path.display()
            ));
        }
        Ok(Exit::Fine)
    }
}

/// Writes new files, each with the text and the rights that it is to have: all of
/// them, or none.
fn write(files: &[(&Path, String, u32)]) -> Result<(), String> {
    let mut ready = Vec::new();
    for (path, text, mode) in files {
        ready.push((*path, prepared(path, text, *mode)?));
    }
    let mut written: Vec<&Path> = Vec::new();
    for (path, file) in ready {
        if let Err(problem) = file.persist_noclobber(path) {
            for path in written {
                // It is this command's own, and half of what was asked for.
                _ = std::fs::remove_file(path);
            }
            return Err(cannot(path, &problem.error));
        }
        written.push(path);
    }
    Ok(())
}

/// A file beside `path`, whole, under another name.
fn prepared(path: &Path, text: &str, mode: u32) -> Result<NamedTempFile, String> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let made = tempfile::Builder::new()
        .prefix(".watchkeeper-import-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder.unwrap_or(Path::new(".")));
    let filled = made.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    });
    filled.map_err(|problem| cannot(path, &problem))
}

fn cannot(path: &Path, problem: &std::io::Error) -> String {
    let what = if problem.kind() == std::io::ErrorKind::AlreadyExists {
        "it already exists: name another file, or move it away".to_owned()
    } else {
        problem.to_string()
    };
    format!(
        "cannot write {}: {what}. Nothing was written",
        path.display()
    )
}

fn shown(imported: &Imported) -> Value {
    let Report {
        counts,
        entries,
        variables,
    } = &imported.report;
    let place =
        |place: &Place| json!({ "file": place.file, "line": place.line, "path": place.path });
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
