//! Running other programs, and saying so.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io};

use anyhow::{Context, Result, bail};

use crate::project::Project;

/// Variables that `cargo run` sets for the program it runs. Handed on to another
/// cargo they make build scripts that watch them run again: half the workspace
/// would be rebuilt whenever `cargo xtask` and plain `cargo` take turns.
const OF_CARGO_RUN: [&str; 5] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "LD_LIBRARY_PATH",
];

/// As [`OF_CARGO_RUN`]: all that begin so.
const OF_CARGO_RUN_PREFIXES: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// One line about what happens now.
pub(crate) fn say(what: &str) {
    if io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none() {
        eprintln!("\x1b[1mxtask:\x1b[0m {what}");
    } else {
        eprintln!("xtask: {what}");
    }
}

/// `cargo` in the workspace, in the same target folder as this program, as a user would start it.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut command = plain("cargo");
    command.current_dir(&project.root);
    if env::var_os("CARGO_TARGET_DIR").is_some() {
        // It may be relative to where the user stands.
        command.env("CARGO_TARGET_DIR", &project.target);
    }
    command
}

/// A program without what `cargo run` added to the environment.
pub(crate) fn plain(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if OF_CARGO_RUN.contains(&&*text)
            || OF_CARGO_RUN_PREFIXES
                .iter()
                .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs it to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = written(command);
    say(&line);
    let status = command
        .status()
        .with_context(|| format!("cannot start {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// Runs it quietly and returns what it printed; on failure its last words are in the error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let line = written(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {line}"))?;
    if !output.status.success() {
        bail!("{line}: {}: {}", output.status, last_words(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// As [`capture`], but it is ended when `limit` has passed.
pub(crate) fn capture_within(limit: Duration, command: &mut Command) -> Result<String> {
    let line = written(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {line}"))?;
    let out = drain(child.stdout.take());
    let err = drain(child.stderr.take());
    if !ends_within(limit, &mut child)? {
        child.kill().with_context(|| format!("cannot end {line}"))?;
        child
            .wait()
            .with_context(|| format!("cannot wait for {line}"))?;
        bail!("{line}: no end after {} s", limit.as_secs());
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for {line}"))?;
    if !status.success() {
        bail!(
            "{line}: {status}: {}",
            last_words(&err.recv().unwrap_or_default())
        );
    }
    Ok(String::from_utf8_lossy(&out.recv().unwrap_or_default()).into_owned())
}

/// Whether a program of this name is in the search path.
pub(crate) fn have(program: &str) -> bool {
    find(program).is_some()
}

/// Where in the search path it is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// The command as a user would type it.
pub(crate) fn written(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

fn ends_within(limit: Duration, child: &mut Child) -> Result<bool> {
    const STEP: Duration = Duration::from_millis(50);
    let mut left = limit;
    while child
        .try_wait()
        .context("cannot ask for a program's end")?
        .is_none()
    {
        if left.is_zero() {
            return Ok(false);
        }
        std::thread::park_timeout(STEP);
        left = left.saturating_sub(STEP);
    }
    Ok(true)
}

/// Reads to the end on a thread, so that the program never waits for a full pipe.
fn drain(source: Option<impl io::Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut source) = source {
            drop(source.read_to_end(&mut bytes));
        }
        drop(sender.send(bytes));
    });
    receiver
}

/// The last lines that a program printed, on one line.
fn last_words(printed: &[u8]) -> String {
    let text = String::from_utf8_lossy(printed);
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .rev()
        .take(3)
        .collect();
    lines.reverse();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_ran_and_what_it_said() {
        let error = capture(Command::new("sh").args(["-c", "echo no such thing >&2; exit 3"]));
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("sh -c "), "{error}");
        assert!(error.ends_with("exit status: 3: no such thing"), "{error}");
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let limit = Duration::from_millis(100);
        let error = capture_within(limit, Command::new("sleep").arg("60")).unwrap_err();
        assert_eq!(error.to_string(), "sleep 60: no end after 0 s");
        let printed = capture_within(Duration::from_secs(30), Command::new("echo").arg("a"));
        assert_eq!(printed.unwrap(), "a\n");
    }

    #[test]
    fn knows_what_is_installed() {
        assert!(have("sh"));
        assert!(!have("no-such-program-anywhere"));
    }
}
