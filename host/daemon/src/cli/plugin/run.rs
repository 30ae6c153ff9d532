//! `watchkeeper plugin run`: one run by hand, or one whenever the file changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::{Value, json};
use watchkeeper_config::plugin_config::PluginConfig;
use watchkeeper_egress::grants::HostPattern;
use watchkeeper_engine::time::spell;
use watchkeeper_sandbox::{Kind, Run, Sandbox, StateSpace};

use super::{lone_sandbox, open};
use crate::assignment::{Ready, Trial};
use crate::cli::check::printable;
use crate::cli::setting::{duration, plugin_config};
use crate::cli::{Exit, complain, print};
use crate::notice;

/// How often a watched file is looked at. A change counts once it looked the same
/// twice: a linker writes for a while.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A component file, or the name of a bundled plugin
    plugin: PathBuf,
    /// What to check; required for probes
    #[arg(long)]
    target: Option<String>,
    /// A configuration value: `key=value`, `expect.body=ok`; the value is TOML, or else text
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Grants a host beyond those of the target and the configuration
    #[arg(long, value_name = "HOST:PORT")]
    allow: Vec<String>,
    /// How long the run may take
    #[arg(long, default_value = "10s")]
    timeout: String,
    /// Run again whenever the file changes, until interrupted
    #[arg(long)]
    watch: bool,
}

/// The command line, read.
struct Wanted {
    timeout: Duration,
    config: PluginConfig,
    allow: Vec<HostPattern>,
}

pub(super) async fn run(args: &RunArgs, json: bool) -> anyhow::Result<Exit> {
    let wanted = match Wanted::read(args) {
        Ok(wanted) => wanted,
        Err(problem) => {
            complain(&problem);
            return Ok(Exit::Usage);
        }
    };
    let sandbox = lone_sandbox()?;
    if !args.watch {
        return once(&sandbox, args, &wanted, json).await;
    }
    if !args.plugin.exists() {
        complain(&format!(
            "{}: only a file can be watched, and there is none",
            args.plugin.display()
        ));
        return Ok(Exit::Usage);
    }
    tokio::select! {
        ended = watch(&sandbox, args, &wanted, json) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Fine),
    }
}

/// Runs again and again, until dropped.
async fn watch(
    sandbox: &Sandbox,
    args: &RunArgs,
    wanted: &Wanted,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut ran = None;
    let mut seen = None;
    loop {
        let now = stamp(&args.plugin);
        if now.is_some() && now == seen && now != ran {
            if ran.is_some() && !json {
                print(&format!("\n{} changed", args.plugin.display()))?;
            }
            ran = now;
            // How it ended has been said; the next version may end otherwise.
            _ = once(sandbox, args, wanted, json).await?;
        }
        seen = now;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn once(
    sandbox: &Sandbox,
    args: &RunArgs,
    wanted: &Wanted,
    json: bool,
) -> anyhow::Result<Exit> {
    let ((plugin, schema), origin) = match open(sandbox, &args.plugin).await? {
        Ok(opened) => opened,
        Err(reason) => {
            complain(&format!("{}: {reason}", args.plugin.display()));
            return Ok(Exit::Config);
        }
    };
    let trial = Trial {
        plugin,
        schema,
        origin,
        config: wanted.config.clone(),
        allow: wanted.allow.clone(),
        target: args.target.clone(),
    };
    let ready = match trial.ready() {
        Ready::Use(ready) => ready,
        Ready::Missing(why) => {
            complain(&why);
            return Ok(Exit::Config);
        }
    };
    match (ready.plugin.kind(), &args.target) {
        (Kind::Probe { .. }, Some(target)) => {
            let run = ready
                .try_check(target, wanted.timeout, StateSpace::default())
                .await;
            let (exit, said) = said_of_check(&run.outcome);
            report(&run, &said, json)?;
            Ok(exit)
        }
        (Kind::Probe { .. }, None) => {
            complain("a probe needs a target: add `--target URL`");
            Ok(Exit::Usage)
        }
        (Kind::Notifier, Some(_)) => {
            complain("a notifier takes no target: leave `--target` out");
            Ok(Exit::Usage)
        }
        (Kind::Notifier, None) => {
            let run = ready
                .notify(
                    "trial",
                    wanted.timeout,
                    notice::trial(),
                    StateSpace::default(),
                )
                .await;
            let (exit, said) = said_of_notice(&run.outcome);
            report(&run, &said, json)?;
            Ok(exit)
        }
    }
}

impl Wanted {
    fn read(args: &RunArgs) -> Result<Self, String> {
        let timeout = duration(&args.timeout)
            .ok_or("--timeout: write a duration such as `10s` or `500ms`")?;
        let config = plugin_config(&args.set).map_err(|problem| format!("--set: {problem}"))?;
        let pattern = |text: &String| {
            text.parse()
                .map_err(|problem| format!("--allow {text}: {problem}"))
        };
        let allow = args.allow.iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(Self {
            timeout,
            config,
            allow,
        })
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// What came of a check: exit code and lines.
fn said_of_check(
    outcome: &watchkeeper_sandbox::CheckOutcome,
) -> (Exit, Vec<(&'static str, String)>) {
    use watchkeeper_sandbox::{CheckOutcome, Verdict};

    match outcome {
        CheckOutcome::Reading(reading) => {
            let (exit, health) = match reading.verdict {
                Verdict::Healthy => (Exit::Fine, "healthy"),
                Verdict::Sick => (Exit::Sick, "sick"),
                Verdict::Dead => (Exit::Dead, "dead"),
            };
            let mut said = vec![("health", health.to_owned())];
            said.extend(
                reading
                    .reason
                    .iter()
                    .map(|reason| ("reason", printable(reason))),
            );
            said.extend(
                reading
                    .latency
                    .iter()
                    .map(|latency| ("latency", milliseconds(*latency))),
            );
            said.extend(reading.measurements.iter().map(|each| {
                (
                    "measured",
                    format!("{} = {} {}", each.name, each.value, each.unit),
                )
            }));
            (exit, said)
        }
        CheckOutcome::NoAnswer { after } => (
            Exit::Dead,
            vec![
                ("health", "dead".to_owned()),
                ("reason", format!("no answer in {}", spell(*after))),
            ],
        ),
        CheckOutcome::Fault(fault) => (
            Exit::Unknown,
            vec![
                ("health", "undecided".to_owned()),
                ("reason", printable(&fault.to_string())),
            ],
        ),
    }
}

/// What came of a delivery: exit code and lines.
pub(crate) fn said_of_notice(
    outcome: &watchkeeper_sandbox::NotifyOutcome,
) -> (Exit, Vec<(&'static str, String)>) {
    use watchkeeper_sandbox::NotifyOutcome;

    match outcome {
        NotifyOutcome::Delivered => (Exit::Fine, vec![("delivery", "delivered".to_owned())]),
        NotifyOutcome::Temporary {
            reason,
            retry_after,
        } => {
            let mut said = vec![
                ("delivery", "failed, would be tried again".to_owned()),
                ("reason", printable(reason)),
            ];
            said.extend(retry_after.iter().map(|wait| ("wait", milliseconds(*wait))));
            (Exit::Sick, said)
        }
        NotifyOutcome::Permanent(reason) => (
            Exit::Dead,
            vec![
                ("delivery", "failed for good".to_owned()),
                ("reason", printable(reason)),
            ],
        ),
        NotifyOutcome::Fault(fault) => (
            Exit::Unknown,
            vec![
                ("delivery", "the notifier failed".to_owned()),
                ("reason", printable(&fault.to_string())),
            ],
        ),
    }
}

pub(crate) fn report<T>(
    run: &Run<T>,
    said: &[(&'static str, String)],
    json: bool,
) -> anyhow::Result<()> {
    if json {
        let mut object = serde_json::Map::new();
        for (name, value) in said.iter().filter(|(name, _)| *name != "measured") {
            object.insert((*name).to_owned(), json!(value));
        }
        let measured: Vec<_> = said
            .iter()
            .filter(|(name, _)| *name == "measured")
            .map(|(_, value)| value)
            .collect();
        object.insert("measurements".to_owned(), json!(measured));
        object.insert("took_seconds".to_owned(), json!(run.latency.as_secs_f64()));
        object.insert("cpu_seconds".to_owned(), json!(run.cpu.as_secs_f64()));
        object.insert("peak_memory_bytes".to_owned(), json!(run.peak_memory));
        let calls: Vec<_> = run
            .calls
            .iter()
            .map(|call| json!({ "what": call.what, "took_seconds": call.took.as_secs_f64(), "outcome": call.outcome }))
            .collect();
        object.insert("calls".to_owned(), json!(calls));
        let log: Vec<_> = run.log.iter().map(|line| line.text.clone()).collect();
        object.insert("log".to_owned(), json!(log));
        object.insert("backtrace".to_owned(), json!(run.backtrace));
        return print(&serde_json::to_string_pretty(&Value::Object(object))?);
    }
    for (name, value) in said {
        print(&format!("{name:<12} {value}"))?;
    }
    print(&format!(
        "{:<12} {} wall, {} CPU, {} KiB memory at most",
        "cost",
        milliseconds(run.latency),
        milliseconds(run.cpu),
        run.peak_memory >> 10
    ))?;
    for call in &run.calls {
        print(&format!(
            "{:<12} {}: {} ({})",
            "call",
            printable(&call.what),
            printable(&call.outcome),
            milliseconds(call.took)
        ))?;
    }
    for frame in &run.backtrace {
        print(&format!("{:<12} {}", "in", printable(frame)))?;
    }
    for line in &run.log {
        print(&format!("{:<12} {}", "log", printable(&line.text)))?;
    }
    Ok(())
}

fn milliseconds(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1e3)
}
