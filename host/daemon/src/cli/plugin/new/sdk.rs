//! The Rust SDK inside the program: a project that carries it builds wherever
//! there is a Rust, and speaks the same contract as this host.

use std::path::Path;

use anyhow::Context as _;
use toml::{Table, Value};

use super::Made;

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The contract that this host speaks.
pub(super) const CONTRACT: &str = include_str!("../../../../../../wit/plugin.wit");

/// The SDK's manifest, which takes most from the workspace's.
const MANIFEST: &str = include_str!("../../../../../../sdk/rust/Cargo.toml");

/// The workspace's manifest.
const WORKSPACE: &str = include_str!("../../../../../../Cargo.toml");

/// The SDK as a crate of its own below `folder`, two levels below which it finds
/// the contract in `wit`.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<Made>> {
    let mut files: Vec<Made> = SOURCES
        .iter()
        .map(|(path, text)| (folder.join("src").join(path), (*text).to_owned()))
        .collect();
    files.push((folder.join("Cargo.toml"), manifest()?));
    Ok(files)
}

/// The SDK's manifest with what it takes from the workspace written out, and
/// without what only its own tests need.
fn manifest() -> anyhow::Result<String> {
    let own: Table = MANIFEST.parse()?;
    let workspace: Table = WORKSPACE.parse()?;
    let shared = |place: &str| {
        workspace
            .get("workspace")
            .and_then(|table| table.get(place))
    };
    let mut made = Table::new();
    for place in ["package", "dependencies"] {
        let table = own.get(place).and_then(Value::as_table);
        let table = table.with_context(|| format!("the SDK's manifest has no [{place}]"))?;
        let mut whole = Table::new();
        for (key, value) in table {
            let is_shared = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let value = if is_shared {
                let shared = shared(place).and_then(|table| table.get(key));
                shared.with_context(|| format!("the workspace has no {place}.{key}"))?
            } else {
                value
            };
            whole.insert(key.clone(), value.clone());
        }
        made.insert(place.to_owned(), Value::Table(whole));
    }
    Ok(format!(
        "# Written by `watchkeeper plugin new`; nothing here needs to be changed.\n{}",
        toml::to_string(&made)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_stands_alone() {
        let text = manifest().unwrap();
        let manifest: Table = text.parse().unwrap();
        assert_eq!(
            manifest["package"]["name"].as_str(),
            Some("watchkeeper-sdk")
        );
        assert!(manifest["dependencies"]["wit-bindgen"]["version"].is_str());
        assert!(!text.contains("workspace"), "{text}");
    }

    #[test]
    fn every_source_is_carried() {
        let names: Vec<_> = SOURCES.iter().map(|(path, _)| *path).collect();
        for wanted in ["lib.rs", "bindings.rs", "http/response.rs"] {
            assert!(names.contains(&wanted), "{names:?}");
        }
        assert!(
            SOURCES
                .iter()
                .any(|(path, text)| *path == "bindings.rs" && text.contains("path: \"../../wit\""))
        );
    }
}
