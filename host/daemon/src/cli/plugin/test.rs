//! `watchkeeper plugin test`: tables of behaviour against a component.
//!
//! Each test starts servers of its own on this machine, runs the component once
//! with exactly the grants that a host would give it, and compares.

mod compare;
mod http;
mod stage;
mod table;
mod tcp;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tokio::time::Instant;
use watchkeeper_config::plugin_config::PluginConfig;
use watchkeeper_sandbox::{Kind, StateSpace};

use self::compare::{Found, compare};
use self::stage::Stage;
use self::table::{Case, Table};
use super::{lone_sandbox, open};
use crate::assignment::{Ready, Trial};
use crate::cli::check::printable;
use crate::cli::{Exit, complain, print};
use crate::plugins::{Good, Origin};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// A component file, or the name of a bundled plugin
    plugin: PathBuf,
    /// A table of tests, or a folder of them
    #[arg(long, default_value = "tests", value_name = "PATH")]
    tests: PathBuf,
    /// Only the tests whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// How one test ended.
struct Ended {
    /// What does not fit; empty where all does.
    problems: Vec<String>,
    /// What was found, for whoever wants to know why.
    found: Vec<String>,
    took: Duration,
}

pub(super) async fn test(args: &TestArgs, json: bool) -> anyhow::Result<Exit> {
    let tables = match Table::read_all(&args.tests) {
        Ok(tables) => tables,
        Err(problem) => {
            complain(&problem);
            return Ok(Exit::Config);
        }
    };
    let (good, origin) = match open(&lone_sandbox()?, &args.plugin).await? {
        Ok(opened) => opened,
        Err(reason) => {
            complain(&format!("{}: {reason}", args.plugin.display()));
            return Ok(Exit::Config);
        }
    };
    let (mut passed, mut failed) = (0_u32, 0_u32);
    let mut results = Vec::new();
    for (path, table) in &tables {
        if !json {
            print(&path.display().to_string())?;
        }
        let mut state = StateSpace::default();
        for case in &table.tests {
            let wanted = args
                .only
                .as_ref()
                .is_none_or(|only| case.name.contains(only));
            if !wanted {
                continue;
            }
            if !case.keep_state {
                state.clear();
            }
            let ended = run(&good, &origin, case, &mut state)
                .await
                .with_context(|| format!("{}: {}", path.display(), case.name))?;
            let fits = ended.problems.is_empty();
            *(if fits { &mut passed } else { &mut failed }) += 1;
            if json {
                results.push(json!({
                    "file": path,
                    "name": case.name,
                    "passed": fits,
                    "problems": ended.problems,
                    "found": ended.found,
                    "took_seconds": ended.took.as_secs_f64(),
                }));
            } else {
                tell(case, &ended)?;
            }
        }
    }
    if json {
        print(&serde_json::to_string_pretty(&results)?)?;
    } else {
        print(&format!("\n{passed} passed, {failed} failed"))?;
    }
    if passed + failed == 0 {
        complain("there is no such test");
        return Ok(Exit::Usage);
    }
    Ok(if failed == 0 { Exit::Fine } else { Exit::Sick })
}

/// Runs one test. A server that cannot be started is an error; everything that
/// the plugin does is a result.
async fn run(
    (plugin, schema): &Good,
    origin: &Origin,
    case: &Case,
    state: &mut StateSpace,
) -> anyhow::Result<Ended> {
    let (stage, case) = Stage::set(case).await.context("cannot start a server")?;
    let begun = Instant::now();
    let ended = |problems: Vec<String>, found: Vec<String>| Ended {
        problems,
        found,
        took: begun.elapsed(),
    };
    let mistake = |problem: String| Ok(ended(vec![problem], Vec::new()));
    let mut allow = Vec::new();
    for text in &case.allow {
        match text.parse() {
            Ok(pattern) => allow.push(pattern),
            Err(problem) => return mistake(format!("allow: {problem}")),
        }
    }
    let trial = Trial {
        plugin: plugin.clone(),
        schema: schema.clone(),
        origin: origin.clone(),
        config: PluginConfig::from_json(case.config_json()?, Vec::new()),
        allow,
        target: case.target.clone(),
    };
    let ready = match (trial.ready(), &case.expect.refused) {
        (Ready::Use(_), Some(refused)) => {
            return mistake(format!(
                "refused: expected the schema to say \"{refused}\", found that it takes this configuration"
            ));
        }
        (Ready::Missing(why), Some(refused)) if why.contains(refused.as_str()) => {
            return Ok(ended(Vec::new(), Vec::new()));
        }
        (Ready::Missing(why), refused) => {
            let expected = refused.as_ref().map_or_else(
                || "a configuration that the schema takes".to_owned(),
                |refused| format!("the schema to say \"{refused}\""),
            );
            return mistake(format!("config: expected {expected}, found {why}"));
        }
        (Ready::Use(ready), None) => ready,
    };
    let found = match (plugin.kind(), &case.target) {
        (Kind::Probe { .. }, Some(target)) => {
            let run = ready
                .try_check(target, case.timeout()?, std::mem::take(state))
                .await;
            Found::of_check(run, state)
        }
        (Kind::Notifier, None) => {
            let run = ready
                .notify(
                    "test",
                    case.timeout()?,
                    case.notice(),
                    std::mem::take(state),
                )
                .await;
            Found::of_delivery(run, state)
        }
        (Kind::Probe { .. }, None) => return mistake("a probe needs a `target`".to_owned()),
        (Kind::Notifier, Some(_)) => {
            return mistake("a notifier takes no `target`: leave it out".to_owned());
        }
    };
    let seen = stage.end().await;
    let problems = compare(&case.expect, &found, &seen);
    Ok(ended(problems, found.told(&seen)))
}

fn tell(case: &Case, ended: &Ended) -> anyhow::Result<()> {
    let word = if ended.problems.is_empty() {
        "ok  "
    } else {
        "FAIL"
    };
    print(&format!(
        "  {word}  {} ({} ms)",
        printable(&case.name),
        ended.took.as_millis()
    ))?;
    if ended.problems.is_empty() {
        return Ok(());
    }
    for problem in &ended.problems {
        print(&format!("          {}", printable(problem)))?;
    }
    print("        what happened:")?;
    for line in &ended.found {
        print(&format!("          {}", printable(line)))?;
    }
    Ok(())
}

/// The tables that `path` stands for: a file, or the `*.toml` files of a folder
/// in the order of their names.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, String> {
    let said = |problem: std::io::Error| format!("{}: {problem}", path.display());
    if !path.metadata().map_err(said)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(said)? {
        let file = entry.map_err(said)?.path();
        if file.extension().is_some_and(|ending| ending == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: holds no *.toml file", path.display()));
    }
    Ok(files)
}
