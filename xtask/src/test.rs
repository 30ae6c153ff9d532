//! `cargo xtask test`: builds what the tests need, runs them all, and names what
//! was skipped.
//!
//! A test that lacks a program or a server prints a line `SKIPPED: what and why`
//! and passes. With `CI=true` nothing may be skipped.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::project::{Project, WASM_TARGET};
use crate::run::{cargo, have, plain, run, say, written};
use crate::{languages, plugins};

/// What a test prints before what it left out.
const MARK: &str = "SKIPPED: ";

/// The release of axe-core that the browser tests inject.
const AXE: &str = "axe-core@4.14.1";

/// The release of Vigil's reporter for Node.js that reports to the host.
const REPORTER: &str = "vigil-reporter@1.2.0";

/// Builds the plugins, the guests and the examples, then runs doc tests and tests.
/// `filters` pick tests by a part of their names; doc tests run only without them.
pub(crate) fn test(project: &Project, filters: &[String]) -> Result<()> {
    plugins::build(project)?;
    plugins::build_guests(project)?;
    build_examples(project)?;
    bring(project, "axe", "axe-core/axe.min.js", AXE);
    bring(
        project,
        "vigil-reporter",
        "vigil-reporter/package.json",
        REPORTER,
    );
    languages::bring(project);

    let documented = if filters.is_empty() {
        run(cargo(project).args(["test", "--doc", "--workspace"]))
    } else {
        Ok(())
    };
    let mut skipped = BTreeSet::new();
    let tested = if have("cargo-nextest") {
        nextest(project, filters, &mut skipped)
    } else {
        cargo_test(project, filters, &mut skipped)
    };

    for line in &skipped {
        say(&format!("{MARK}{line}"));
    }
    documented?;
    tested?;
    if skipped.is_empty() {
        say("all tests passed, none skipped");
    } else if strict() {
        bail!(
            "{} tests skipped something; with CI=true none may",
            skipped.len()
        );
    } else {
        say(&format!(
            "all tests passed, but {} skipped something (above)",
            skipped.len()
        ));
    }
    Ok(())
}

/// Whether this is the run that decides what lands.
fn strict() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// As a stranger would build them: plain cargo, outside this workspace.
fn build_examples(project: &Project) -> Result<()> {
    for example in project.guests("examples/plugins")? {
        run(plain("cargo")
            .current_dir(&example.folder)
            .env(
                "CARGO_TARGET_DIR",
                project.root.join("target").join("examples"),
            )
            .args(["build", "--target", WASM_TARGET]))?;
    }
    Ok(())
}

/// Brings a package into `target/FOLDER`, unless `file` of it is there. Where it
/// cannot be had, the tests that need it say so.
fn bring(project: &Project, folder: &str, file: &str, package: &str) {
    let folder = project.root.join("target").join(folder);
    if folder.join("node_modules").join(file).is_file() {
        return;
    }
    if !have("npm") {
        say(&format!("npm is not installed: no {package}"));
        return;
    }
    let mut npm = plain("npm");
    npm.current_dir(&project.root)
        .args(["install", "--no-audit", "--no-fund", "--prefix"]);
    if let Err(error) = run(npm.arg(folder).arg(package)) {
        say(&format!("no {package}: {error:#}"));
    }
}

/// What passing tests print is not shown; it is looked up in the report.
fn nextest(project: &Project, filters: &[String], skipped: &mut BTreeSet<String>) -> Result<()> {
    let profile = if strict() { "ci" } else { "default" };
    let report = project
        .target
        .join("nextest")
        .join(profile)
        .join("junit.xml");
    if report.exists() {
        fs::remove_file(&report).with_context(|| format!("cannot remove {}", report.display()))?;
    }
    let passed = run(cargo(project)
        .args(["nextest", "run", "--workspace", "--config-file"])
        .arg(project.root.join("xtask").join("nextest.toml"))
        .args(["--profile", profile])
        .args(filters));
    collect_from_report(&report, skipped, passed)
}

/// A run that failed before its first test has no report, and its own error says more.
fn collect_from_report(
    report: &Path,
    skipped: &mut BTreeSet<String>,
    passed: Result<()>,
) -> Result<()> {
    match fs::read_to_string(report) {
        Ok(text) => skipped.extend(text.lines().filter_map(skip).map(|line| unescape(&line))),
        Err(error) => {
            passed?;
            return Err(error).with_context(|| format!("cannot read {}", report.display()));
        }
    }
    passed
}

fn cargo_test(project: &Project, filters: &[String], skipped: &mut BTreeSet<String>) -> Result<()> {
    let mut command = cargo(project);
    command.args([
        "test",
        "--workspace",
        "--all-targets",
        "--no-fail-fast",
        "--",
    ]);
    command
        .args(filters)
        .arg("--show-output")
        .stdout(Stdio::piped());
    let line = written(&command);
    say(&line);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {line}"))?;
    let output = child.stdout.take().context("its output was asked for")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the tests' output")?;
        let line = String::from_utf8_lossy(&line);
        skipped.extend(skip(&line));
        writeln!(std::io::stdout(), "{line}").context("cannot write")?;
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// What follows the mark. The test harness may have begun the line with the test's name.
fn skip(line: &str) -> Option<String> {
    line.split_once(MARK)
        .map(|(_, what)| what.trim().to_owned())
}

/// Undoes the escaping of XML, and drops the tag that may end the line.
fn unescape(line: &str) -> String {
    line.trim_end_matches("</system-out>")
        .trim_end_matches("</system-err>")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_skipped() {
        assert_eq!(
            skip("SKIPPED: chromium is missing").unwrap(),
            "chromium is missing"
        );
        assert_eq!(skip("test browser ... SKIPPED: no npm ").unwrap(), "no npm");
        assert_eq!(skip("0 skipped"), None);
    }

    #[test]
    fn reads_the_report_as_it_was_printed() {
        assert_eq!(
            unescape("a &lt;b&gt; &amp;amp; c</system-out>"),
            "a <b> &amp; c"
        );
    }
}
