//! The plugins: what they are, what they may, and what they took.

use watchkeeper_config::config::PluginName;
use watchkeeper_config::limits::LimitOverrides;
use watchkeeper_sandbox::{Kind, Limits};
use watchkeeper_web::PluginFacts;

use crate::asking::Asking;
use crate::assignment::{Assignments, Ready};
use crate::plugins::{Entry, Origin, Shelf};
use crate::telemetry::Metrics;

/// How many digits of a SHA-256 are shown: enough to tell files apart.
const DIGITS: usize = 12;

/// Every plugin that can be used.
pub(super) fn loaded(
    shelf: &Shelf,
    assignments: &Assignments,
    metrics: &Metrics,
) -> Vec<PluginFacts> {
    let settings = &assignments.config.plugins;
    let own = Limits::default();
    let facts = shelf.plugins.iter().map(|(name, entry)| {
        let description = entry.plugin.description();
        let asking = Asking::of(description, &entry.origin, settings);
        let limits = PluginName::new(name).map_or_else(
            |_| settings.limits,
            |name| settings.limits_for(&name, &LimitOverrides::default()),
        );
        let work = metrics.work([name.as_str()]);
        PluginFacts {
            name: name.clone(),
            version: description.version.to_string(),
            summary: description.summary.clone(),
            kind: match entry.plugin.kind() {
                Kind::Probe { schemes } if schemes.is_empty() => "probe".to_owned(),
                Kind::Probe { schemes } => format!("probe: {}", schemes.join(", ")),
                Kind::Notifier => "notifier".to_owned(),
            },
            origin: match &entry.origin {
                Origin::Bundled => "bundled".to_owned(),
                Origin::File(file) => file_name(file),
            },
            trust: trust(entry),
            sha256: entry.plugin.sha256_hex().chars().take(DIGITS).collect(),
            granted: words(&asking.granted()),
            denied: words(&asking.denied()),
            remedy: asking.remedy(),
            memory_limit: limits.memory.unwrap_or(own.memory as u64),
            cpu_limit: limits.cpu.unwrap_or(own.cpu),
            memory: work.memory,
            cpu: work.cpu_per_run(),
            runs: work.runs,
            ended: work.ended,
            users: users(assignments, name),
        }
    });
    facts.collect()
}

/// Files that are not used, and why.
pub(super) fn rejected(shelf: &Shelf) -> Vec<(String, String)> {
    let rejected = shelf.rejected.iter();
    rejected
        .map(|each| (file_name(&each.file), each.reason.clone()))
        .collect()
}

/// How many monitors and channels use a plugin.
fn users(assignments: &Assignments, name: &str) -> usize {
    let monitors = assignments.monitors.iter().map(|each| &each.plugin);
    let channels = assignments.channels.values().map(|each| &each.plugin);
    let uses = |ready: &&Ready| match ready {
        Ready::Use(usable) => usable.plugin.description().name.as_str() == name,
        Ready::Missing(_) => false,
    };
    monitors.chain(channels).filter(uses).count()
}

fn trust(entry: &Entry) -> &'static str {
    match (&entry.origin, &entry.vouch.signer, &entry.vouch.source) {
        (Origin::Bundled, _, _) => "bundled",
        (_, Some(_), Some(_)) => "signed, in the lock",
        (_, Some(_), None) => "signed",
        (_, None, Some(_)) => "in the lock",
        (_, None, None) => "nobody",
    }
}

fn words(list: &str) -> Vec<String> {
    let words = list.split(", ").filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn file_name(file: &std::path::Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}
