//! A project in Rust.

use std::path::Path;

use anyhow::Context as _;

use super::{Made, NewArgs, Project, behaviour, filled, made, sdk};

const MANIFEST: &str = include_str!("../../../../templates/rust/Cargo.toml.in");
const IGNORED: &str = include_str!("../../../../templates/rust/gitignore.in");
const README: &str = include_str!("../../../../templates/rust/README.md.in");
const PROBE: &str = include_str!("../../../../templates/rust/probe.rs.in");
const NOTIFIER: &str = include_str!("../../../../templates/rust/notifier.rs.in");

pub(super) fn project(args: &NewArgs) -> anyhow::Result<Project> {
    let name = &args.name;
    let component = format!("target/wasm32-wasip2/release/{}", file(name));
    let (dependency, vendored) = match &args.sdk {
        Some(path) => {
            let path = path
                .canonicalize()
                .with_context(|| format!("there is no SDK in {}", path.display()))?;
            let line = format!(
                "watchkeeper-sdk = {{ path = {:?} }}",
                path.display().to_string()
            );
            (line, "")
        }
        None => (
            "# The SDK of the Watchkeeper that made this project.\n\
             watchkeeper-sdk = { path = \"vendor/watchkeeper-sdk\" }"
                .to_owned(),
            "\n| `vendor/watchkeeper-sdk` | the SDK: `cargo doc -p watchkeeper-sdk --open` has every call |",
        ),
    };
    let filled = |template: &str| {
        filled(args, &component, template)
            .replace("@TYPE@", &type_name(name))
            .replace("@SDK@", &dependency)
            .replace("@VENDORED@", vendored)
    };
    let code = if args.notifier { NOTIFIER } else { PROBE };
    let mut files: Vec<Made> = vec![
        made("Cargo.toml", filled(MANIFEST)),
        made(".gitignore", filled(IGNORED)),
        made("README.md", filled(README)),
        made("src/lib.rs", filled(code)),
        behaviour(args, &component),
        made("wit/plugin.wit", sdk::CONTRACT),
    ];
    if args.sdk.is_none() {
        files.extend(sdk::rust(Path::new("vendor/watchkeeper-sdk"))?);
    }
    Ok(Project {
        files,
        build: vec![
            "cargo test".to_owned(),
            "cargo build --release --target wasm32-wasip2".to_owned(),
        ],
        component,
    })
}

/// `queue-depth` as a type: `QueueDepth`.
fn type_name(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// The file that cargo builds.
fn file(name: &str) -> String {
    format!("{}.wasm", name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_types_and_files() {
        assert_eq!(type_name("queue-depth"), "QueueDepth");
        assert_eq!(type_name("a--b-"), "AB");
        assert_eq!(file("queue-depth"), "queue_depth.wasm");
    }
}
