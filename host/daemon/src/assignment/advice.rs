//! What of a configuration works, but hardly as its writer means it.

use std::collections::BTreeSet;

use serde_json::Value;
use watchkeeper_config::Config;
use watchkeeper_config::plugin_config::PluginConfig;
use watchkeeper_config::secret::Secret;
use watchkeeper_sandbox::is_hidden_everywhere;

use super::{Assignments, Ready};
use crate::plugins::Shelf;

/// A line for each thing that deserves a look; none names a secret's value.
pub(super) fn of(assignments: &Assignments, shelf: &Shelf) -> Vec<String> {
    let config = &assignments.config;
    let mut lines = unknown_plugins(config, shelf);
    for assigned in &assignments.monitors {
        let whose = format!("monitor {}", assigned.monitor.id);
        let secrets = secrets(&assigned.monitor.config, &assigned.plugin, shelf);
        lines.extend(short_secrets(&whose, &assigned.monitor.config, &secrets));
    }
    for channel in config.channels.iter() {
        let Some(assigned) = assignments.channels.get(&channel.id) else {
            continue;
        };
        let whose = format!("channel {}", channel.id);
        let secrets = secrets(&channel.config, &assigned.plugin, shelf);
        lines.extend(short_secrets(&whose, &channel.config, &secrets));
    }
    lines
}

/// Tables for plugins that there are not. A plugin may come later, so that this
/// is no mistake.
fn unknown_plugins(config: &Config, shelf: &Shelf) -> Vec<String> {
    let loaded = shelf.plugins.keys().map(String::as_str);
    let known: BTreeSet<&str> = loaded.chain(shelf.coming.iter().copied()).collect();
    let unknown = config.plugins.named.iter();
    let unknown = unknown.filter(|(name, _)| !known.contains(name.as_str()));
    let known: Vec<&str> = known.iter().copied().collect();
    unknown
        .map(|(name, settings)| {
            format!(
                "[plugins.{name}] at {} has no effect: no plugin is called so; there are: {}",
                settings.position.0,
                known.join(", ")
            )
        })
        .collect()
}

/// Every secret of a configuration: those that were filled in, and those that
/// the plugin's schema calls so.
fn secrets(config: &PluginConfig, plugin: &Ready, shelf: &Shelf) -> Vec<Secret> {
    let entry = match plugin {
        Ready::Use(usable) => shelf.get(usable.plugin.description().name.as_str()),
        Ready::Missing(_) => None,
    };
    let written = entry.map_or_else(Vec::new, |entry| entry.schema.write_only(config));
    config.secrets().iter().cloned().chain(written).collect()
}

fn short_secrets(whose: &str, config: &PluginConfig, secrets: &[Secret]) -> BTreeSet<String> {
    let short = secrets
        .iter()
        .filter(|secret| !is_hidden_everywhere(secret.expose()));
    short
        .map(|secret| {
            let mut keys = Vec::new();
            find(config.json(), secret.expose(), "config", &mut keys);
            let what = if keys.is_empty() {
                "a secret of its configuration".to_owned()
            } else {
                keys.join(", ")
            };
            format!(
                "{whose}: {what} is too short to hide: a secret of less than four characters is \
                 masked only where it stands as a word"
            )
        })
        .collect()
}

/// The keys below `key` whose value is `text`.
fn find(value: &Value, text: &str, key: &str, keys: &mut Vec<String>) {
    match value {
        Value::String(found) if found == text => keys.push(key.to_owned()),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                find(value, text, &format!("{key}[{index}]"), keys);
            }
        }
        Value::Object(table) => {
            for (name, value) in table {
                find(value, text, &format!("{key}.{name}"), keys);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(json: Value, secret: &str, expected: &[&str]) {
        let secret = Secret::new(secret).unwrap();
        let config = PluginConfig::from_json(json, vec![secret.clone()]);
        let lines: Vec<String> = short_secrets("channel ops", &config, &[secret.clone(), secret])
            .into_iter()
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_short_secret_is_told_by_its_key_and_not_by_its_value() {
        check(
            json!({ "auth": [{ "password": "pw" }], "user": "me" }),
            "pw",
            &[
                "channel ops: config.auth[0].password is too short to hide: a secret of less than \
               four characters is masked only where it stands as a word",
            ],
        );
        check(
            json!({ "url": "http://me:pw@host/" }),
            "pw",
            &[
                "channel ops: a secret of its configuration is too short to hide: a secret of less \
               than four characters is masked only where it stands as a word",
            ],
        );
        check(json!({ "password": "pass" }), "pass", &[]);
    }
}
