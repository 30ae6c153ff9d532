//! `cargo xtask`: what is done to this project besides building it.
//!
//! Every task can be run alone from a fresh clone, does what it needs first, and
//! does nothing twice.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

mod bench;
mod compat;
mod contract;
mod demo;
mod dist;
mod languages;
mod lint;
mod plugins;
mod project;
mod run;
mod setup;
mod test;

use project::Project;

const USAGE: &str = "\
usage: cargo xtask TASK

  setup             find or bring the wasm32-wasip2 target of this Rust
  plugins           build the first-party plugins into target/plugins
  demo [--no-run]   build everything, start the demo on http://127.0.0.1:8080;
                    with --no-run only prepare it
  test [FILTER...]  build what the tests need and run them; a filter picks some by name
  lint              formatting and clippy, for the host and for the plugins
  ci                lint, licences and bans if cargo-deny is there, test
  bench [ARG...]    build the release binary and measure it
  contract          write docs/plugins/contract.md from wit/plugin.wit
  compat            keep plugins of a released contract in testing/compat, once for each
  dist              the binary that users install, with all plugins inside, in target/dist;
                    a Debian package, completions, man pages and what an image is made of,
                    in target/package
  package BINARY FOLDER
                    those of a binary that is built
";

/// Exit code for a wrong command line, as in sysexits.h.
const USAGE_ERROR: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let task = match parse(&arguments) {
        Ok(task) => task,
        Err(mistake) => {
            eprint!("xtask: {mistake}\n\n{USAGE}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match perform(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

enum Task {
    Help,
    Setup { sysroot: Option<PathBuf> },
    Plugins,
    Demo(demo::Extent),
    Test { filters: Vec<String> },
    Lint,
    Ci,
    Bench { arguments: Vec<String> },
    Contract,
    Compat,
    Dist,
    Package { binary: PathBuf, folder: PathBuf },
}

fn parse(arguments: &[String]) -> Result<Task, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Ok(match words.as_slice() {
        [] => return Err("say which task".into()),
        ["help" | "--help" | "-h"] => Task::Help,
        ["setup"] => Task::Setup { sysroot: None },
        // For trying the Debian way without touching the Rust that is installed.
        ["setup", "--sysroot", folder] => Task::Setup {
            sysroot: Some(PathBuf::from(folder)),
        },
        ["plugins"] => Task::Plugins,
        ["demo"] => Task::Demo(demo::Extent::Run),
        ["demo", "--no-run"] => Task::Demo(demo::Extent::PrepareOnly),
        ["test", filters @ ..] if !filters.iter().any(|filter| filter.starts_with('-')) => {
            Task::Test {
                filters: filters.iter().map(ToString::to_string).collect(),
            }
        }
        ["lint"] => Task::Lint,
        ["ci"] => Task::Ci,
        ["bench", arguments @ ..] => Task::Bench {
            arguments: arguments.iter().map(ToString::to_string).collect(),
        },
        ["contract"] => Task::Contract,
        ["compat"] => Task::Compat,
        ["dist"] => Task::Dist,
        ["package", binary, folder] => Task::Package {
            binary: PathBuf::from(binary),
            folder: PathBuf::from(folder),
        },
        _ => return Err(format!("no such task: {}", words.join(" "))),
    })
}

fn perform(task: &Task) -> Result<()> {
    let project = Project::find()?;
    match task {
        Task::Help => print!("{USAGE}"),
        Task::Setup { sysroot } => setup::setup(&project, sysroot.as_deref())?,
        Task::Plugins => plugins::build(&project)?,
        Task::Demo(extent) => demo::demo(&project, *extent)?,
        Task::Test { filters } => test::test(&project, filters)?,
        Task::Lint => lint::lint(&project)?,
        Task::Ci => {
            lint::lint(&project)?;
            lint::deny(&project)?;
            test::test(&project, &[])?;
        }
        Task::Bench { arguments } => bench::bench(&project, arguments)?,
        Task::Contract => contract::write(&project)?,
        Task::Compat => compat::compat(&project)?,
        Task::Dist => dist::dist(&project)?,
        Task::Package { binary, folder } => dist::package(&project, binary, folder)?,
    }
    Ok(())
}
