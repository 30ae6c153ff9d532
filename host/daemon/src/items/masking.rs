//! Secrets of parts that are shown, and the way back where what was shown is sent
//! again.
//!
//! A reference to a secret is none: `{ "env": "NAME" }` is shown as it was written.
//! What was written out is `****`, and stays what it was where that comes back.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use watchkeeper_config::config::PluginName;
use watchkeeper_config::items::{ItemKey, ItemKind};
use watchkeeper_config::monitor::ProbeChoice;
use watchkeeper_config::secret::Secret;

use crate::assignment::probe_for;
use crate::plugins::{Entry, Shelf};

const MASK: &str = Secret::MASK;

/// What is needed to tell secrets from other texts.
pub(crate) type Masks<'a> = &'a Shelf;

/// What a part says, without its secrets.
pub(crate) fn mask(key: &ItemKey, json: &Json, shelf: Masks<'_>) -> Json {
    let mut shown = json.clone();
    let Json::Object(map) = &mut shown else {
        return shown;
    };
    if let Some(Json::String(token)) = map.get_mut("token")
        && !is_reference(token)
    {
        MASK.clone_into(token);
    }
    if let Some(Json::Array(targets)) = map.get_mut("targets") {
        for target in targets {
            if let Json::String(address) = target {
                *address = without_password(address);
            }
        }
    }
    if let Some(config) = map.get_mut("config") {
        let entry = plugin_of(key.kind, json, shelf);
        let secrets = match entry {
            Some(entry) => entry.schema.secret_pointers(config),
            // Nobody knows what is secret for a plugin that is not there.
            None => texts(config),
        };
        for pointer in secrets {
            if is_in_reference(config, &pointer) {
                continue;
            }
            if let Some(Json::String(text)) = config.pointer_mut(&pointer)
                && !is_reference(text)
            {
                MASK.clone_into(text);
            }
        }
    }
    shown
}

/// Puts the secrets of `before` where `json` says that they are to stay. The error is
/// the key of a mask that stands for nothing.
pub(crate) fn unmask(json: &mut Json, before: Option<&Json>) -> Result<(), String> {
    if let Some(Json::Array(targets)) = json.get_mut("targets") {
        let known = before.and_then(|before| before.get("targets")?.as_array());
        let known: Vec<&str> = known
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        for (index, target) in targets.iter_mut().enumerate() {
            let Json::String(address) = target else {
                continue;
            };
            if without_password(address) != *address || !address.contains(MASK) {
                continue;
            }
            let own = known.iter().find(|own| without_password(own) == *address);
            let own = own.ok_or_else(|| format!("targets[{index}]"))?;
            (*own).clone_into(address);
        }
    }
    for key in ["token", "config"] {
        if let Some(value) = json.get_mut(key) {
            restore(value, before.and_then(|before| before.get(key)), key)?;
        }
    }
    Ok(())
}

// Recursion ends: whoever read the JSON refused more than 128 levels.
fn restore(value: &mut Json, before: Option<&Json>, key: &str) -> Result<(), String> {
    match value {
        Json::String(text) if text == MASK => match before {
            Some(Json::String(own)) => {
                own.clone_into(text);
                Ok(())
            }
            _ => Err(key.to_owned()),
        },
        Json::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                let before = before.and_then(|before| before.get(index));
                restore(value, before, &format!("{key}[{index}]"))?;
            }
            Ok(())
        }
        Json::Object(map) => {
            for (name, value) in map {
                let before = before.and_then(|before| before.get(name));
                restore(value, before, &format!("{key}.{name}"))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The plugin that a part is for.
fn plugin_of<'s>(kind: ItemKind, json: &Json, shelf: &'s Shelf) -> Option<&'s Entry> {
    let text = |key: &str| json.get(key).and_then(Json::as_str);
    match kind {
        ItemKind::Channel => shelf.get(text("notifier")?),
        ItemKind::Monitor => {
            let choice = match text("probe") {
                Some(name) => ProbeChoice::Named(PluginName::new(name).ok()?),
                None => ProbeChoice::ByScheme,
            };
            let targets = json.get("targets").and_then(Json::as_array);
            let targets = targets.into_iter().flatten().filter_map(Json::as_str);
            probe_for(shelf, &choice, targets).ok()
        }
        ItemKind::Service | ItemKind::Route => None,
    }
}

/// `https://user:****@host/` for `https://user:secret@host/`.
pub(crate) fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = match user.split_once(':') {
                Some((user, _)) => format!("{user}:{MASK}"),
                None => user.to_owned(),
            };
            format!("{scheme}://{user}@{host}{path}")
        }
        None => address.to_owned(),
    }
}

/// Whether a text is nothing but `${NAME}`.
fn is_reference(text: &str) -> bool {
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// Whether the text at `pointer` is part of `{ "env": … }` or `{ "file": … }`.
fn is_in_reference(config: &Json, pointer: &str) -> bool {
    let around = pointer.rsplit_once('/').map_or("", |(around, _)| around);
    let around = config.pointer(around).and_then(Json::as_object);
    around.is_some_and(|map: &Map<String, Json>| {
        let known = ["env", "file", "secret"];
        (map.contains_key("env") || map.contains_key("file"))
            && map.keys().all(|key| known.contains(&key.as_str()))
    })
}

/// The pointers of all texts.
fn texts(config: &Json) -> BTreeSet<String> {
    // Recursion ends: whoever read the JSON refused more than 128 levels.
    fn below(value: &Json, pointer: &str, found: &mut BTreeSet<String>) {
        match value {
            Json::String(_) => _ = found.insert(pointer.to_owned()),
            Json::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    below(value, &format!("{pointer}/{index}"), found);
                }
            }
            Json::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    below(value, &format!("{pointer}/{key}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    below(config, "", &mut found);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn monitor() -> Json {
        json!({
            "service": "shop", "id": "web",
            "targets": ["https://watch:hunter2@shop.example.com/x", "https://b.example.com"],
            "token": "0123456789abcdef",
            "config": {
                "password": "hunter2", "header": { "env": "HEADER" },
                "list": ["hunter2", "${TOKEN}"],
            },
        })
    }

    #[test]
    fn secrets_are_masked_and_come_back() {
        let written = monitor();
        let key = ItemKey::of(ItemKind::Monitor, &written).unwrap();
        let shown = mask(&key, &written, &Shelf::default());
        assert_eq!(
            shown,
            json!({
                "service": "shop", "id": "web",
                "targets": ["https://watch:****@shop.example.com/x", "https://b.example.com"],
                "token": "****",
                "config": {
                    "password": "****", "header": { "env": "HEADER" },
                    "list": ["****", "${TOKEN}"],
                },
            })
        );
        let mut again = shown.clone();
        unmask(&mut again, Some(&written)).unwrap();
        assert_eq!(again, written);
        let mut fresh = shown.clone();
        assert_eq!(unmask(&mut fresh, None).unwrap_err(), "targets[0]");
        fresh["targets"] = json!(["https://b.example.com"]);
        fresh["token"] = json!("fedcba9876543210");
        assert_eq!(unmask(&mut fresh, None).unwrap_err(), "config.list[0]");
    }
}
