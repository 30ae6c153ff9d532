//! What a shell script costs: in the sandbox, and by the system's shell with curl
//! and jq.

use std::process::{Command, Stdio};

use anyhow::ensure;
use serde_json::json;

use crate::cpu;
use crate::figure::{Figure, Findings};
use crate::http::have;
use crate::places::Places;
use crate::rounds;
use crate::runtime::{self, Threads};
use crate::subject::Subject;
use crate::target::TargetServer;

/// Checks in one round.
const CHECKS: usize = 500;

/// Runs of the shell.
const SHELLS: u32 = 100;

/// Most processor time for a check, in µs.
const GOAL: f64 = 1_000.0;

/// The system's shell costs at least so many times as much.
const TIMES_CHEAPER: f64 = 8.0;

/// A depth out of JSON and two thresholds, as people ask of a queue. Both shells
/// run it.
const SCRIPT: &str = r#"
set -eu
answer=$(curl -sf -m 5 "$TARGET") || { echo "no answer"; exit 2; }
depth=$(echo "$answer" | jq .queue.depth)
status=$(echo "$answer" | jq -r .status)
[ "$status" = up ] || { echo "status is $status"; exit 2; }
if [ "$depth" -gt 1000 ]; then
  echo "queue too deep: $depth"
  exit 1
fi
"#;

/// As [`SCRIPT`], with a JSON path where one is enough.
const SHORT: &str = r#"
set -eu
depth=$(curl -sf -m 5 "$TARGET" | jq .queue.depth)
[ -n "$depth" ] || { echo "no answer"; exit 2; }
if [ "$depth" -gt 1000 ]; then
  echo "queue is stuck: $depth"
  exit 2
elif [ "$depth" -gt 100 ]; then
  echo "queue is deep: $depth"
  exit 1
fi
"#;

/// What is measured, by what it is called.
const SCRIPTS: [(&str, &str); 3] = [
    ("script `exit 0`", "exit 0"),
    ("ten lines, one request, a JSON path", SHORT),
    ("ten lines, one request, two JSON paths", SCRIPT),
];

/// Measures both.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let server = TargetServer::start(places)?;
    let url = server.url("/json");
    let mut findings = Findings::default();
    let costs = runtime::run(Threads::One, costs(places, &url))?;
    let how = |what: &str| {
        format!("{what}; processor time of this process over {CHECKS}, median of 5 rounds")
    };
    for ((name, script), sandboxed) in SCRIPTS.into_iter().zip(costs) {
        let figure = Figure::new(name, sandboxed, "µs", how("bundled probe `script`"));
        findings.add(figure.at_most(GOAL));
        if !script.contains("jq") {
            continue;
        }
        if !have("curl") || !have("jq") {
            findings.note("curl or jq is not installed: no comparison with the system's shell");
            continue;
        }
        let native = shell(script, &url)?;
        let how =
            format!("`sh -c`; processor time of this process and its children over {SHELLS} runs");
        findings.add(Figure::new(
            format!("{name}: sh, curl, jq"),
            native,
            "µs",
            how,
        ));
        findings.add(
            Figure::new(
                format!("{name}: sh / script"),
                native / sandboxed,
                "×",
                "quotient",
            )
            .at_least(TIMES_CHEAPER),
        );
    }
    Ok(findings)
}

/// Processor time of a check with each script, in µs.
async fn costs(places: &Places, url: &str) -> anyhow::Result<Vec<f64>> {
    let subject = Subject::load(places, places.plugin("script")?, url).await?;
    let mut costs = Vec::new();
    for (_, script) in SCRIPTS {
        let subject = subject
            .clone()
            .configured(&json!({ "script": script }).to_string());
        let check = move |_| {
            let subject = subject.clone();
            async move { subject.check().await.map(drop) }
        };
        let round = async || rounds::drive(CHECKS, 1, check.clone()).await;
        costs.push(rounds::cost(CHECKS, round).await?);
    }
    Ok(costs)
}

/// Processor time of the same script in the system's shell, in µs.
fn shell(script: &str, url: &str) -> anyhow::Result<f64> {
    let once = || -> anyhow::Result<()> {
        let ended = Command::new("/bin/sh")
            .args(["-c", script])
            .env("TARGET", url)
            .stdout(Stdio::null())
            .status()?;
        ensure!(ended.success(), "the script: {ended}");
        Ok(())
    };
    once()?;
    let (own, children) = (cpu::own(), cpu::of_ended_children()?);
    for _ in 0..SHELLS {
        once()?;
    }
    let spent = cpu::own().saturating_sub(own) + cpu::of_ended_children()?.saturating_sub(children);
    Ok(spent.as_secs_f64() * 1e6 / f64::from(SHELLS))
}
