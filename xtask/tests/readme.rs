//! What people copy from the documents is what is built and tested.

use std::fs;
use std::path::{Path, PathBuf};

/// The plugin that the documents show.
const EXAMPLE: &str = "examples/plugins/hello-probe";

/// Where they show it.
const DOCUMENTS: [&str; 1] = ["README.md"];

#[test]
fn the_probe_that_is_shown_is_the_example() {
    let built = read(&format!("{EXAMPLE}/src/lib.rs"));
    for document in DOCUMENTS {
        let shown = block(document, "rust");
        assert_eq!(shown.trim_end(), built.trim_end(), "in {document}");
    }
}

#[test]
fn the_tutorial_shows_what_plugin_new_makes() {
    let made = read("host/daemon/templates/rust/probe.rs.in")
        .replace("@NAME@", "long-queue")
        .replace("@TYPE@", "LongQueue");
    let shown = block("docs/plugins/tutorial.md", "rust");
    assert_eq!(shown.trim_end(), made.trim_end());
}

#[test]
fn the_manifest_that_is_shown_is_enough_of_the_examples() {
    let built = manifest(&read(&format!("{EXAMPLE}/Cargo.toml")));
    for document in DOCUMENTS {
        let text = read(document);
        let shown = blocks(&text, "toml,cargo");
        let shown = shown
            .first()
            .unwrap_or_else(|| panic!("{document} shows no manifest"));
        // What the example has besides makes it small and keeps it out of the workspace.
        let mut rest = built.iter();
        for line in manifest(shown) {
            let is_built = rest.any(|it| *it == line);
            assert!(
                is_built,
                "{document}: `{line}` is not in {EXAMPLE}, or elsewhere"
            );
        }
    }
}

#[test]
fn blocks_are_found_by_their_marks() {
    let text = "a\n```rust\none\ntwo\n```\n```rust,part\nthree\n```\n```\nfour\n```\n";
    assert_eq!(blocks(text, "rust"), ["one\ntwo\n"]);
    assert_eq!(blocks(text, "rust,part"), ["three\n"]);
}

/// The lines of a manifest, but for comments, blank lines and where the SDK lies:
/// people have it beside their plugin, and the example inside the project.
fn manifest(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let said = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.map(|line| match line.split_once(" = { path = ") {
        Some((name, _)) => name.to_owned(),
        None => line.to_owned(),
    })
    .collect()
}

/// The only block of a document that is marked so.
fn block(document: &str, mark: &str) -> String {
    let text = read(document);
    let found = blocks(&text, mark);
    let [block] = found.as_slice() else {
        panic!(
            "{document} has {} blocks marked {mark}, not one",
            found.len()
        );
    };
    block.clone()
}

/// The fenced blocks of a text that are marked so.
fn blocks(text: &str, mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => open = Some((info == mark, String::new())),
            (Some(_), Some((is_wanted, block))) => found.extend(is_wanted.then_some(block)),
            (None, Some((is_wanted, mut block))) => {
                block.push_str(line);
                block.push('\n');
                open = Some((is_wanted, block));
            }
            (None, None) => {}
        }
    }
    found
}

fn read(name: &str) -> String {
    let path = root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder
        .parent()
        .expect("xtask lies in the workspace")
        .to_owned()
}
