//! The configuration that runs, as people may see it: nothing of it is a secret
//! where a secret stands as four asterisks.

use std::fmt::Display;
use std::time::Duration;

use watchkeeper_config::Config;
use watchkeeper_config::limits::LimitOverrides;
use watchkeeper_engine::time::spell;
use watchkeeper_web::SettingsTable;

/// What stands where a secret does.
const MASK: &str = "\"****\"";

/// Its tables, but for services, channels and routes, which have pages of their own.
pub(super) fn tables(config: &Config) -> Vec<SettingsTable> {
    let mut tables = vec![server(config), page(config), plugins(config)];
    for (name, settings) in &config.plugins.named {
        let allow: Vec<_> = settings.allow.iter().map(ToString::to_string).collect();
        let mut entries = vec![("allow".to_owned(), list(&allow))];
        entries.extend(limits(&settings.limits));
        tables.push(table(&format!("plugins.{name}"), entries));
    }
    tables.extend([
        network(config),
        own(config),
        incident(config),
        vigil(config),
    ]);
    tables
}

fn server(config: &Config) -> SettingsTable {
    let server = &config.server;
    table(
        "server",
        vec![
            entry("listen", quoted(server.listen)),
            entry("admin_listen", maybe(server.admin_listen)),
            entry("data", quoted(server.data.display())),
            entry("public_url", maybe(server.public_url.as_deref())),
            entry(
                "followers_per_address",
                server.followers_per_address.to_string(),
            ),
        ],
    )
}

fn page(config: &Config) -> SettingsTable {
    let page = &config.page;
    let zone = page.time_zone.iana_name().unwrap_or("UTC");
    table(
        "page",
        vec![
            entry("title", quoted(&page.title)),
            entry("company", maybe(page.company.as_deref())),
            entry("description", maybe(page.description.as_deref())),
            entry("website", maybe(page.website.as_deref())),
            entry("support", maybe(page.support.as_deref())),
            entry("time_zone", quoted(zone)),
        ],
    )
}

fn plugins(config: &Config) -> SettingsTable {
    let plugins = &config.plugins;
    let keys: Vec<_> = plugins
        .trusted_keys
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut entries = vec![
        entry("folder", quoted(plugins.folder.display())),
        entry("locked", plugins.locked.to_string()),
        entry("trusted_keys", list(&keys)),
    ];
    entries.extend(limits(&plugins.limits));
    table("plugins", entries)
}

fn limits(limits: &LimitOverrides) -> Vec<(String, String)> {
    let bytes = |bytes: Option<u64>| bytes.map(|bytes| format!("\"{bytes}B\""));
    let count = |count: Option<u32>| count.map(|count| count.to_string());
    [
        ("memory", bytes(limits.memory)),
        ("cpu", limits.cpu.map(span)),
        ("log_lines", count(limits.log_lines)),
        ("connections", count(limits.connections)),
        ("body", bytes(limits.body)),
        ("traffic", bytes(limits.traffic)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((format!("limits.{name}"), value?)))
    .collect()
}

fn network(config: &Config) -> SettingsTable {
    let network = &config.network;
    let resolver: Vec<_> = network.resolver.iter().map(ToString::to_string).collect();
    let ca_file = network.ca_file.as_ref().map(|file| file.display());
    table(
        "network",
        vec![
            entry("resolver", list(&resolver)),
            entry("ca_file", maybe(ca_file)),
            entry("concurrency", network.concurrency.to_string()),
        ],
    )
}

fn own(config: &Config) -> SettingsTable {
    let mut entries = Vec::new();
    if let Some(check) = &config.self_check {
        let canaries = check.canaries.iter();
        let canaries: Vec<_> = canaries
            .map(|each| crate::page::shown_address(each))
            .collect();
        entries.push(entry("canaries", list(&canaries)));
        entries.push(entry("every", span(check.every)));
    }
    if let Some(dead_man) = &config.dead_man {
        let shown = format!("{{ url = {MASK}, every = {} }}", span(dead_man.every));
        entries.push(entry("dead_man", shown));
    }
    table("self", entries)
}

fn incident(config: &Config) -> SettingsTable {
    let within = span(config.incidents.acknowledge_within);
    table("incident", vec![entry("acknowledge_within", within)])
}

fn vigil(config: &Config) -> SettingsTable {
    let masked = |is_set: bool| is_set.then(|| MASK.to_owned());
    let keys = [
        (
            "reporter_token",
            masked(config.vigil.reporter_token.is_some()),
        ),
        (
            "manager_token",
            masked(config.vigil.manager_token.is_some()),
        ),
    ];
    let entries = keys
        .into_iter()
        .filter_map(|(name, value)| Some(entry(name, value?)));
    table("compat.vigil", entries.collect())
}

fn table(name: &str, entries: Vec<(String, String)>) -> SettingsTable {
    let entries = entries.into_iter().filter(|(_, value)| !value.is_empty());
    SettingsTable {
        name: name.to_owned(),
        entries: entries.collect(),
    }
}

fn entry(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

fn quoted(value: impl Display) -> String {
    serde_json::Value::String(value.to_string()).to_string()
}

/// Empty for what is not there, which is then not shown.
fn maybe(value: Option<impl Display>) -> String {
    value.map(quoted).unwrap_or_default()
}

fn list(values: &[String]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let quoted: Vec<_> = values.iter().map(quoted).collect();
    format!("[{}]", quoted.join(", "))
}

fn span(span: Duration) -> String {
    quoted(spell(span))
}
