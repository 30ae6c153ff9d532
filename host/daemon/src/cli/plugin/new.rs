//! `watchkeeper plugin new`: a project that builds, and passes its own tests.

mod c;
mod javascript;
mod python;
mod rust;
mod sdk;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use watchkeeper_config::config::PluginName;

use crate::cli::{Exit, complain, print};

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The plugin's name: lower-case letters, digits and `-`
    name: String,
    /// The language to write it in
    #[arg(long, default_value = "rust")]
    lang: Language,
    /// A notifier; otherwise a probe
    #[arg(long)]
    notifier: bool,
    /// The folder to make; otherwise one of the plugin's name
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Use the Rust SDK in this folder instead of putting a copy into the project
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

/// A language that projects are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    /// JavaScript
    #[value(alias = "javascript")]
    Js,
    Python,
    C,
}

impl Language {
    /// As people call it.
    fn label(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }
}

/// A file of a project: its path, and what it holds.
type Made = (PathBuf, Vec<u8>);

/// A project to be made.
struct Project {
    files: Vec<Made>,
    /// What builds it, line by line.
    build: Vec<String>,
    /// The component that is built.
    component: String,
}

/// What the tests of every new project say, with `@WORDS@` to be replaced.
const PROBE_TESTS: &str = include_str!("../../../templates/probe.toml.in");
const NOTIFIER_TESTS: &str = include_str!("../../../templates/notifier.toml.in");

pub(super) fn new(args: &NewArgs) -> anyhow::Result<Exit> {
    if let Err(problem) = PluginName::new(&args.name) {
        complain(&format!("a plugin's name {problem}"));
        return Ok(Exit::Usage);
    }
    if args.sdk.is_some() && args.lang != Language::Rust {
        complain("`--sdk` is for Rust: a project in another language carries its SDK");
        return Ok(Exit::Usage);
    }
    let folder = args
        .into
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    let is_free = match fs::read_dir(&folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(problem) => problem.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        complain(&format!(
            "{} is there already: remove it, or make another with `--into FOLDER`",
            folder.display()
        ));
        return Ok(Exit::Usage);
    }
    let project = match args.lang {
        Language::Rust => rust::project(args)?,
        Language::Js => javascript::project(args),
        Language::Python => python::project(args),
        Language::C => c::project(args),
    };
    for (path, content) in &project.files {
        write(&folder.join(path), content)?;
    }
    print(&format!(
        "{}: a {} in {}\n\n  cd {}\n  {}\n  watchkeeper plugin test {}\n\nREADME.md says how to go on.",
        folder.display(),
        kind(args),
        args.lang.label(),
        folder.display(),
        project.build.join("\n  "),
        project.component,
    ))?;
    Ok(Exit::Fine)
}

/// A template with the words that are the same in every language.
fn filled(args: &NewArgs, component: &str, template: &str) -> String {
    let name = &args.name;
    let example = if args.notifier {
        format!(
            "[[channel]]\nid = \"ops\"\nnotifier = \"{name}\"\nconfig = {{ url = {{ env = \"HOOK_URL\" }} }}\n\n[[route]]\nto = [\"ops\"]"
        )
    } else {
        format!(
            "[[service]]\nid = \"queue\"\n\n[[service.monitor]]\nid = \"depth\"\nprobe = \"{name}\"\ntargets = [\"http://127.0.0.1:8081/json\"]\nconfig = {{ sick_above = 100 }}"
        )
    };
    let try_it = if args.notifier {
        "--set url=http://127.0.0.1:8083/hook"
    } else {
        "--target http://127.0.0.1:8081/json --set sick_above=100"
    };
    template
        .replace("@NAME@", name)
        .replace("@KIND@", kind(args))
        .replace("@COMPONENT@", component)
        .replace("@CONFIG@", &example)
        .replace("@TRY@", try_it)
}

/// The table of tests that the project passes.
fn behaviour(args: &NewArgs, component: &str) -> Made {
    let template = if args.notifier {
        NOTIFIER_TESTS
    } else {
        PROBE_TESTS
    };
    made("tests/behaviour.toml", filled(args, component, template))
}

fn made(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Made {
    (path.into(), text.into())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

fn kind(args: &NewArgs) -> &'static str {
    if args.notifier { "notifier" } else { "probe" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in() {
        for lang in Language::value_variants() {
            for notifier in [false, true] {
                let args = NewArgs {
                    name: "queue-depth".to_owned(),
                    lang: *lang,
                    notifier,
                    into: None,
                    sdk: None,
                };
                let project = match lang {
                    Language::Rust => rust::project(&args).unwrap(),
                    Language::Js => javascript::project(&args),
                    Language::Python => python::project(&args),
                    Language::C => c::project(&args),
                };
                let ours = project
                    .files
                    .iter()
                    .filter(|(path, _)| !path.starts_with("vendor") && !path.starts_with("wit"));
                for (path, content) in ours {
                    let text = String::from_utf8(content.clone()).unwrap();
                    let marked = text.split('@').skip(1).step_by(2);
                    let marks: Vec<_> = marked
                        .filter(|word| {
                            !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase())
                        })
                        .collect();
                    assert!(marks.is_empty(), "{}: {marks:?}", path.display());
                }
            }
        }
    }
}
