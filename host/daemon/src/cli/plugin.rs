//! `watchkeeper plugin`: what there is, what a file is, and what it does.

mod accept;
mod install;
mod maintain;
mod new;
pub(crate) mod run;
mod test;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use watchkeeper_config::Config;
use watchkeeper_sandbox::{Kind, Plugin, Sandbox};

use super::check::printable;
use super::{Exit, Global, complain, print, read_config, start};
use crate::asking::Asking;
use crate::bundled;
use crate::plugins::{self, Entry, Good, Origin, file_name, read_signature};
use crate::trust::signature;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that can be used, what each asks for, is granted and is denied, and the
    /// files that cannot be used, with the reason
    List,
    /// Say everything about one plugin: what it asks for, what it imports, its configuration
    Inspect {
        /// A component file, or the name of a bundled plugin
        plugin: PathBuf,
    },
    /// Run a probe once against a target, or send a trial notice through a notifier, with exactly
    /// the grants it would get
    Run(run::RunArgs),
    /// Run tables of tests against a component: each starts servers on this machine and compares
    /// what comes out; exits with 1 if something differs
    Test(test::TestArgs),
    /// Write a project for a plugin that builds and passes its own tests
    New(new::NewArgs),
    /// Put a plugin into the plugins folder, and its digest into plugins.lock
    Install(install::InstallArgs),
    /// Fetch installed plugins again from where they came from, say what they ask for now that they
    /// did not ask for before, and replace them
    Update(install::UpdateArgs),
    /// Take a plugin out of the plugins folder and of plugins.lock
    Remove {
        /// The plugin's name, or its file's
        plugin: String,
    },
    /// Accept the component files that lie in the plugins folder: write their digests into
    /// plugins.lock
    Lock {
        /// Accept changed files without asking
        #[arg(long)]
        yes: bool,
    },
    /// Compare the plugins folder with plugins.lock and the signatures; exits with 78 if something
    /// does not fit
    Verify,
}

impl PluginCommand {
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let with_config = match &self {
            Self::Inspect { plugin } => return inspect(plugin, global).await,
            Self::Run(args) => return run::run(args, global.json).await,
            Self::Test(args) => return test::test(args, global.json).await,
            Self::New(args) => return new::new(args),
            Self::List
            | Self::Install(_)
            | Self::Update(_)
            | Self::Remove { .. }
            | Self::Lock { .. }
            | Self::Verify => read_config(&global.config),
        };
        let config = match with_config {
            Ok(loaded) => loaded.config,
            Err(exit) => return Ok(exit),
        };
        match self {
            Self::Install(args) => install::install(&config, args).await,
            Self::Update(args) => install::update(&config, args).await,
            Self::Remove { plugin } => maintain::remove(&config, &plugin).await,
            Self::Lock { yes } => maintain::lock(&config, yes).await,
            Self::Verify => maintain::verify(&config),
            Self::List | Self::Inspect { .. } | Self::Run(_) | Self::Test(_) | Self::New(_) => {
                list(&config, global.json).await
            }
        }
    }
}

async fn list(config: &Config, json: bool) -> anyhow::Result<Exit> {
    let plugins = start::plugins(config, start::Which::All).await?;
    let shelf = plugins.shelf();
    let shelf = shelf.borrow();
    let asking =
        |entry: &Entry| Asking::of(entry.plugin.description(), &entry.origin, &config.plugins);
    if json {
        let loaded: Vec<_> = shelf
            .plugins
            .values()
            .map(|entry| {
                let mut plugin = describe(&entry.plugin, &asking(entry));
                plugin["origin"] = json!(entry.origin.to_string());
                plugin["signer"] = json!(entry.vouch.signer.as_ref().map(ToString::to_string));
                plugin["source"] = json!(entry.vouch.source);
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
    table.set_header([
        "name", "version", "kind", "asks for", "granted", "denied", "trust", "from", "summary",
    ]);
    let mut remedies = Vec::new();
    for entry in shelf.plugins.values() {
        let description = entry.plugin.description();
        let asking = asking(entry);
        table.add_row([
            description.name.to_string(),
            description.version.to_string(),
            kind(entry.plugin.kind()),
            asking.asked(),
            asking.granted(),
            asking.denied(),
            trust(entry).to_owned(),
            entry.origin.to_string(),
            printable(&description.summary),
        ]);
        remedies.extend(asking.remedy());
    }
    print(&table.trim_fmt())?;
    if !remedies.is_empty() {
        print("\nto grant what is denied, write into the configuration:")?;
        for remedy in remedies {
            print(&format!("  {}", remedy.replace('\n', "\n  ")))?;
        }
    }
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

/// Who stands for a plugin, in a word or two.
fn trust(entry: &Entry) -> &'static str {
    match (&entry.origin, &entry.vouch.signer, &entry.vouch.source) {
        (Origin::Bundled, _, _) => "bundled",
        (_, Some(_), Some(_)) => "signed, in the lock",
        (_, Some(_), None) => "signed",
        (_, None, Some(_)) => "in the lock",
        (_, None, None) => "nobody",
    }
}

async fn inspect(path: &Path, global: &Global) -> anyhow::Result<Exit> {
    let ((plugin, _), origin) = match open(&lone_sandbox()?, path).await? {
        Ok(opened) => opened,
        Err(reason) => {
            complain(&format!("{}: {reason}", path.display()));
            return Ok(Exit::Config);
        }
    };
    // Without a configuration nothing is granted, and no key is trusted.
    let config = if global.config.exists() {
        match read_config(&global.config) {
            Ok(loaded) => Some(loaded.config),
            Err(exit) => return Ok(exit),
        }
    } else {
        None
    };
    let description = plugin.description();
    let asking = match &config {
        Some(config) => Asking::of(description, &origin, &config.plugins),
        None => Asking::unconfigured(description, &origin),
    };
    let signature = signature_of(&origin, config.as_ref());
    if global.json {
        let mut described = describe(&plugin, &asking);
        described["schema"] = description.schema.clone();
        described["signature"] = json!(signature);
        print(&serde_json::to_string_pretty(&described)?)?;
        return Ok(Exit::Fine);
    }
    let denied = asking.denied();
    let lines = [
        ("name", description.name.to_string()),
        ("version", description.version.to_string()),
        ("summary", printable(&description.summary)),
        ("kind", kind(plugin.kind())),
        (
            "contract",
            format!("watchkeeper:plugin@{}", plugin.contract()),
        ),
        ("asks for", asking.asked()),
        ("granted", asking.granted()),
        (
            "denied",
            if denied.is_empty() {
                "nothing".to_owned()
            } else {
                denied
            },
        ),
        ("imports", plugin.imports().join("\n             ")),
        ("size", format!("{} bytes", plugin.size())),
        ("sha256", plugin.sha256_hex()),
        ("signature", signature),
    ];
    for (name, value) in lines {
        print(&format!("{name:<12} {value}"))?;
    }
    if let Some(remedy) = asking.remedy() {
        let remedy = remedy.replace('\n', "\n             ");
        print(&format!("{:<12} {remedy}", "to grant"))?;
    }
    print(&format!(
        "schema\n{}",
        serde_json::to_string_pretty(&description.schema)?
    ))?;
    Ok(Exit::Fine)
}

/// Whose signature lies beside the file.
fn signature_of(origin: &Origin, config: Option<&Config>) -> String {
    let Origin::File(path) = origin else {
        return "none needed: it is part of this program".to_owned();
    };
    let keys = config.map_or(&[][..], |config| &config.plugins.trusted_keys);
    match (read_signature(path), std::fs::read(path)) {
        (Err(problem), _) => problem,
        (_, Err(problem)) => format!("cannot be checked: {problem}"),
        (Ok(None), _) => "none".to_owned(),
        (Ok(Some(_)), _) if keys.is_empty() => {
            "not checked: the configuration has no `[plugins] trusted_keys`".to_owned()
        }
        (Ok(signature), Ok(bytes)) => {
            match signature::demand(keys, &file_name(path), &bytes, signature.as_deref()) {
                Ok(key) => format!("by {key}, which is trusted"),
                Err(problem) => problem,
            }
        }
    }
}

/// Opens a component file or, where there is none, the bundled plugin of that
/// name; the inner error says why it is no plugin.
async fn open(sandbox: &Sandbox, path: &Path) -> anyhow::Result<Result<(Good, Origin), String>> {
    let (bytes, origin) = match tokio::fs::read(path).await {
        Ok(bytes) => (bytes, Origin::File(path.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = path.to_string_lossy();
            let Some(unpacked) = bundled::component(&name) else {
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
    Ok(plugins::load(sandbox, bytes)
        .await
        .map(|good| (good, origin)))
}

/// A sandbox without a configuration, for authors: a plugin that breaks down says
/// where. Compiled plugins are kept where this user keeps such things.
fn lone_sandbox() -> anyhow::Result<Sandbox> {
    start::sandbox_for(user_cache(), 8, &[], Vec::new(), true)
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

fn describe(plugin: &Plugin, asking: &Asking) -> Value {
    let description = plugin.description();
    let schemes = match plugin.kind() {
        Kind::Probe { schemes } => json!(schemes),
        Kind::Notifier => Value::Null,
    };
    let mut described = json!({
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
    });
    if let (Value::Object(described), Value::Object(asking)) = (&mut described, asking.as_json()) {
        described.extend(asking);
    }
    described
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Probe { schemes } if schemes.is_empty() => "probe".to_owned(),
        Kind::Probe { schemes } => format!("probe ({})", schemes.join(", ")),
        Kind::Notifier => "notifier".to_owned(),
    }
}
