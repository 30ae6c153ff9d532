//! The SDKs inside the program: a project that carries one builds wherever there are
//! its language's tools, and speaks the same contract as this host.

use std::path::Path;

use anyhow::Context as _;
use toml::{Table, Value};

use super::{Made, made};

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// The contract that this host speaks.
pub(super) const CONTRACT: &str = include_str!("../../../../../../wit/plugin.wit");

/// The SDK's manifest, which takes most from the workspace's.
const MANIFEST: &str = include_str!("../../../../../../sdk/rust/Cargo.toml");

/// The workspace's manifest.
const WORKSPACE: &str = include_str!("../../../../../../Cargo.toml");

/// The contract, and what the SDKs of other languages than Rust need of WASI, in the
/// folder `wit`.
pub(super) fn wit() -> Vec<Made> {
    let mut files = below(Path::new("wit"), WIT);
    files.push(made("wit/deps/plugin.wit", CONTRACT));
    files
}

/// The C SDK in `folder`, with the generated bindings.
pub(super) fn c(folder: &Path) -> Vec<Made> {
    let mut files = below(folder, C);
    files.extend(below(&folder.join("bindings"), BINDINGS));
    files
}

/// The JavaScript SDK in `folder`.
pub(super) fn javascript(folder: &Path) -> Vec<Made> {
    below(folder, JAVASCRIPT)
}

/// The Python SDK in `folder`.
pub(super) fn python(folder: &Path) -> Vec<Made> {
    below(folder, PYTHON)
}

/// The Rust SDK as a crate of its own below `folder`, two levels below which it finds
/// the contract in `wit`.
pub(super) fn rust(folder: &Path) -> anyhow::Result<Vec<Made>> {
    let mut files = below(&folder.join("src"), RUST);
    files.push(made(folder.join("Cargo.toml"), manifest()?));
    Ok(files)
}

fn below(folder: &Path, files: &[(&str, &[u8])]) -> Vec<Made> {
    let files = files.iter();
    files
        .map(|(path, content)| made(folder.join(path), *content))
        .collect()
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
        let names = |files: &[(&'static str, &[u8])]| -> Vec<_> {
            files.iter().map(|(path, _)| *path).collect()
        };
        for (files, wanted) in [
            (RUST, &["lib.rs", "bindings.rs", "http/response.rs"][..]),
            (JAVASCRIPT, &["build.mjs", "index.d.ts", "src/index.js"]),
            (C, &["watchkeeper.h", "http.c"]),
            (
                BINDINGS,
                &[
                    "watchkeeper_probe.h",
                    "watchkeeper_notifier_component_type.o",
                ],
            ),
            (PYTHON, &["build.py", "watchkeeper/__init__.py"]),
            (WIT, &["worlds.wit", "deps/http.wit", "deps/io.wit"]),
        ] {
            let names = names(files);
            for wanted in wanted {
                assert!(names.contains(wanted), "{wanted}: {names:?}");
            }
        }
        let bindings = RUST
            .iter()
            .find(|(path, _)| *path == "bindings.rs")
            .unwrap();
        let bindings = str::from_utf8(bindings.1).unwrap();
        assert!(bindings.contains("path: \"../../wit\""));
    }
}
