//! `watchkeeper plugin`: what there is, what a file is, and what it does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use watchkeeper_config::Config;
use watchkeeper_engine::time::spell;
use watchkeeper_sandbox::{Description, Kind, Plugin, Run, Sandbox, StateSpace};

use super::check::printable;
use super::setting::{duration, plugin_config};
use super::{Exit, Global, complain, print, read_config, start};
use crate::assignment::{Ready, Trial};
use crate::bundled;
use crate::notice;
use crate::plugins::{self, Good, Origin};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that can be used, and the files that cannot, with the reason
    List,
    /// Say everything about one plugin: what it asks for, what it imports, its configuration
    Inspect {
        /// A component file, or the name of a bundled plugin
        plugin: PathBuf,
    },
    /// Run a probe once against a target, or send a trial notice through a notifier, with exactly
    /// the grants it would get
    Run(RunArgs),
}

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
}

impl PluginCommand {
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::List => match read_config(&global.config) {
                Ok(loaded) => list(&loaded.config, global.json).await,
                Err(exit) => Ok(exit),
            },
            Self::Inspect { plugin } => inspect(&plugin, global.json).await,
            Self::Run(args) => run(args, global.json).await,
        }
    }
}

async fn list(config: &Config, json: bool) -> anyhow::Result<Exit> {
    let plugins = start::plugins(config).await?;
    let shelf = plugins.shelf();
    let shelf = shelf.borrow();
    if json {
        let loaded: Vec<_> = shelf
            .plugins
            .values()
            .map(|entry| {
                let mut plugin = describe(&entry.plugin);
                plugin["origin"] = json!(entry.origin.to_string());
                plugin
            })
            .collect();
        let rejected: Vec<_> = shelf
            .rejected
            .iter()
            .map(|each| json!({ "file": each.file, "reason": each.reason }))
            .collect();
        print(&serde_json::to_string_pretty(
            &json!({ "plugins": loaded, "rejected": rejected }),
        )?)?;
        return Ok(Exit::Fine);
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["name", "version", "kind", "asks for", "from", "summary"]);
    for entry in shelf.plugins.values() {
        let description = entry.plugin.description();
        table.add_row([
            description.name.to_string(),
            description.version.to_string(),
            kind(entry.plugin.kind()),
            asks(description),
            entry.origin.to_string(),
            printable(&description.summary),
        ]);
    }
    print(&table.trim_fmt())?;
    if !shelf.rejected.is_empty() {
        print("\nnot loaded:")?;
        for rejected in &shelf.rejected {
            print(&format!(
                "  {}: {}",
                rejected.file.display(),
                printable(&rejected.reason)
            ))?;
        }
    }
    Ok(Exit::Fine)
}

async fn inspect(path: &Path, json: bool) -> anyhow::Result<Exit> {
    let plugin = match open(path).await? {
        Ok(((plugin, _), _)) => plugin,
        Err(reason) => {
            complain(&format!("{}: {reason}", path.display()));
            return Ok(Exit::Config);
        }
    };
    if json {
        let mut described = describe(&plugin);
        described["schema"] = plugin.description().schema.clone();
        print(&serde_json::to_string_pretty(&described)?)?;
        return Ok(Exit::Fine);
    }
    let description = plugin.description();
    let hosts: Vec<_> = description.hosts.iter().map(ToString::to_string).collect();
    let lines = [
        ("name", description.name.to_string()),
        ("version", description.version.to_string()),
        ("summary", printable(&description.summary)),
        ("kind", kind(plugin.kind())),
        (
            "contract",
            format!("watchkeeper:plugin@{}", plugin.contract()),
        ),
        ("asks for", asks(description)),
        (
            "hosts",
            if hosts.is_empty() {
                "none of its own".to_owned()
            } else {
                hosts.join(", ")
            },
        ),
        ("imports", plugin.imports().join("\n             ")),
        ("size", format!("{} bytes", plugin.size())),
        ("sha256", plugin.sha256_hex()),
    ];
    for (name, value) in lines {
        print(&format!("{name:<12} {value}"))?;
    }
    print(&format!(
        "schema\n{}",
        serde_json::to_string_pretty(&description.schema)?
    ))?;
    Ok(Exit::Fine)
}

async fn run(args: RunArgs, json: bool) -> anyhow::Result<Exit> {
    let ((plugin, schema), origin) = match open(&args.plugin).await? {
        Ok(opened) => opened,
        Err(reason) => {
            complain(&format!("{}: {reason}", args.plugin.display()));
            return Ok(Exit::Config);
        }
    };
    let Some(timeout) = duration(&args.timeout) else {
        complain("--timeout: write a duration such as `10s` or `500ms`");
        return Ok(Exit::Usage);
    };
    let config = match plugin_config(&args.set) {
        Ok(config) => config,
        Err(problem) => {
            complain(&format!("--set: {problem}"));
            return Ok(Exit::Usage);
        }
    };
    let mut allow = Vec::new();
    for text in &args.allow {
        match text.parse() {
            Ok(pattern) => allow.push(pattern),
            Err(problem) => {
                complain(&format!("--allow {text}: {problem}"));
                return Ok(Exit::Usage);
            }
        }
    }
    let trial = Trial {
        plugin,
        schema,
        origin,
        config,
        allow,
        target: args.target.clone(),
    };
    let ready = match trial.ready() {
        Ready::Use(ready) => ready,
        Ready::Missing(why) => {
            complain(&why);
            return Ok(Exit::Config);
        }
    };
    match (ready.plugin.kind(), args.target) {
        (Kind::Probe { .. }, Some(target)) => {
            let run = ready.try_check(&target, timeout).await;
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
                .notify("trial", timeout, notice::trial(), StateSpace::default())
                .await;
            let (exit, said) = said_of_notice(&run.outcome);
            report(&run, &said, json)?;
            Ok(exit)
        }
    }
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
fn said_of_notice(
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

fn report<T>(run: &Run<T>, said: &[(&'static str, String)], json: bool) -> anyhow::Result<()> {
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
    for line in &run.log {
        print(&format!("{:<12} {}", "log", printable(&line.text)))?;
    }
    Ok(())
}

/// Opens a component file or, where there is none, the bundled plugin of that
/// name; the inner error says why it is no plugin.
async fn open(path: &Path) -> anyhow::Result<Result<(Good, Origin), String>> {
    let sandbox = lone_sandbox()?;
    let (bytes, origin) = match tokio::fs::read(path).await {
        Ok(bytes) => (bytes, Origin::File(path.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = path.to_string_lossy();
            let Some((_, unpacked)) = bundled::plugins().find(|(each, _)| *each == name) else {
                let names: Vec<_> = bundled::names().collect();
                bail!(
                    "there is no file {name} and no bundled plugin of that name; bundled are: {}",
                    names.join(", ")
                );
            };
            (unpacked?, Origin::Bundled)
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    Ok(plugins::load(&sandbox, bytes)
        .await
        .map(|good| (good, origin)))
}

/// A sandbox without a configuration. Compiled plugins are kept where this user
/// keeps such things.
fn lone_sandbox() -> anyhow::Result<Sandbox> {
    start::sandbox_for(user_cache(), 8, &[], Vec::new())
}

/// The XDG base directory for caches, which only this user writes to; none where
/// the environment names none.
fn user_cache() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Some(caches?.join("watchkeeper"))
}

fn describe(plugin: &Plugin) -> Value {
    let description = plugin.description();
    let schemes = match plugin.kind() {
        Kind::Probe { schemes } => json!(schemes),
        Kind::Notifier => Value::Null,
    };
    json!({
        "name": description.name.as_str(),
        "version": description.version.to_string(),
        "summary": description.summary,
        "kind": if schemes.is_null() { "notifier" } else { "probe" },
        "schemes": schemes,
        "contract": plugin.contract(),
        "asks": description.asks.iter().map(|each| each.as_str()).collect::<Vec<_>>(),
        "hosts": description.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "imports": plugin.imports(),
        "size": plugin.size(),
        "sha256": plugin.sha256_hex(),
    })
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Probe { schemes } if schemes.is_empty() => "probe".to_owned(),
        Kind::Probe { schemes } => format!("probe ({})", schemes.join(", ")),
        Kind::Notifier => "notifier".to_owned(),
    }
}

fn asks(description: &Description) -> String {
    let asks: Vec<_> = description.asks.iter().map(|each| each.as_str()).collect();
    if asks.is_empty() {
        "nothing".to_owned()
    } else {
        asks.join(", ")
    }
}

fn milliseconds(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1e3)
}
