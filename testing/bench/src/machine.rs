//! What the figures were measured on.

use std::fmt;
use std::process::Command;

use serde_json::{Value, json};

use crate::places::Places;

/// Facts without which a figure means little.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    date: String,
    processor: String,
    cores: usize,
    kernel: String,
    /// The kernel's load averages when the measuring began: figures of a busy
    /// machine are worse.
    load: String,
    versions: Vec<(&'static str, String)>,
}

impl Machine {
    /// Looks around. What cannot be found out is said to be unknown.
    pub(crate) fn look(places: &Places) -> Self {
        let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let processors = file("/proc/cpuinfo");
        let processor = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map(|(_, name)| name.trim().to_owned());
        let lock = std::fs::read_to_string(places.root.join("Cargo.lock")).unwrap_or_default();
        let versions = vec![
            (
                "watchkeeper",
                first_line(Command::new(&places.watchkeeper).arg("--version")),
            ),
            ("wasmtime", locked(&lock, "wasmtime")),
            ("tokio", locked(&lock, "tokio")),
            ("hyper", locked(&lock, "hyper")),
            ("rustc", first_line(Command::new("rustc").arg("--version"))),
            ("curl", first_line(Command::new("curl").arg("--version"))),
            ("wrk", first_line(Command::new("wrk").arg("--version"))),
        ];
        Self {
            date: jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M UTC")
                .to_string(),
            processor: processor.unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: file("/proc/loadavg")
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            versions,
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let versions: serde_json::Map<_, _> = self
            .versions
            .iter()
            .map(|(name, version)| ((*name).to_owned(), version.as_str().into()))
            .collect();
        json!({
            "date": self.date,
            "processor": self.processor,
            "cores": self.cores,
            "kernel": self.kernel,
            "load": self.load,
            "versions": versions,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, {} cores, Linux {}, load {}",
            self.processor, self.cores, self.kernel, self.load
        )?;
        let versions: Vec<String> = self
            .versions
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        write!(f, "{}; {}", self.date, versions.join(", "))
    }
}

/// The version-like word of the first line that a program prints.
fn first_line(command: &mut Command) -> String {
    let Ok(output) = command.output() else {
        return unknown();
    };
    let printed = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&printed).into_owned();
    let line = text.lines().next().unwrap_or_default();
    let version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    line.split_whitespace()
        .find(version)
        .or_else(|| line.split_whitespace().nth(1))
        .map_or_else(unknown, str::to_owned)
}

/// The version of a package in `Cargo.lock`; the last, where there are several.
fn locked(lock: &str, package: &str) -> String {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut found = None;
    while let Some(line) = lines.next() {
        if line == name {
            found = lines
                .next()
                .and_then(|line| line.strip_prefix("version = "));
        }
    }
    found.map_or_else(unknown, |version| version.trim_matches('"').to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_versions() {
        let lock = "[[package]]\nname = \"tokio-util\"\nversion = \"0.7.1\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.50.0\"\n";
        assert_eq!(locked(lock, "tokio"), "1.50.0");
        assert_eq!(locked(lock, "hyper"), "unknown");
        assert_eq!(
            first_line(Command::new("sh").args(["-c", "echo rustc 1.95.0 '(x)'"])),
            "1.95.0"
        );
        assert_eq!(
            first_line(&mut Command::new("no-such-program-anywhere")),
            "unknown"
        );
    }
}
