//! `watchkeeper plugin new`: a project that builds, and passes its own tests.

mod sdk;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use watchkeeper_config::config::PluginName;

use crate::cli::{Exit, complain, print};

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The plugin's name: lower-case letters, digits and `-`
    name: String,
    /// The language to write it in
    #[arg(long, default_value = "rust")]
    lang: Language,
    /// A notifier; otherwise a probe
    #[arg(long)]
    notifier: bool,
    /// The folder to make; otherwise one of the plugin's name
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Use the Rust SDK in this folder instead of putting a copy into the project
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

/// A language that projects are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
}

/// A file of a project: its path, and what it holds.
type Made = (PathBuf, String);

/// What a Rust project is made of, with `@WORDS@` to be replaced.
mod rust {
    pub(super) const MANIFEST: &str = include_str!("../../../templates/rust/Cargo.toml.in");
    pub(super) const IGNORED: &str = include_str!("../../../templates/rust/gitignore.in");
    pub(super) const README: &str = include_str!("../../../templates/rust/README.md.in");
    pub(super) const PROBE: [&str; 2] = [
        include_str!("../../../templates/rust/probe.rs.in"),
        include_str!("../../../templates/rust/probe.toml.in"),
    ];
    pub(super) const NOTIFIER: [&str; 2] = [
        include_str!("../../../templates/rust/notifier.rs.in"),
        include_str!("../../../templates/rust/notifier.toml.in"),
    ];
}

pub(super) fn new(args: &NewArgs) -> anyhow::Result<Exit> {
    if let Err(problem) = PluginName::new(&args.name) {
        complain(&format!("a plugin's name {problem}"));
        return Ok(Exit::Usage);
    }
    let folder = args
        .into
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    let is_free = match fs::read_dir(&folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(problem) => problem.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        complain(&format!(
            "{} is there already: remove it, or make another with `--into FOLDER`",
            folder.display()
        ));
        return Ok(Exit::Usage);
    }
    let files = match args.lang {
        Language::Rust => rust_project(args)?,
    };
    for (path, text) in &files {
        write(&folder.join(path), text)?;
    }
    let kind = kind(args);
    let component = component(&args.name);
    print(&format!(
        "{}: a {kind} in Rust\n\n  cd {}\n  cargo test\n  cargo build --release --target wasm32-wasip2\n  watchkeeper plugin test {component}\n\nREADME.md says how to go on.",
        folder.display(),
        folder.display(),
    ))?;
    Ok(Exit::Fine)
}

fn rust_project(args: &NewArgs) -> anyhow::Result<Vec<Made>> {
    let name = &args.name;
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
    let example = if args.notifier {
        format!(
            "[[channel]]\nid = \"ops\"\nnotifier = \"{name}\"\nconfig = {{ url = {{ env = \"HOOK_URL\" }} }}\n\n[[route]]\nto = [\"ops\"]"
        )
    } else {
        format!(
            "[[service]]\nid = \"queue\"\n\n[[service.monitor]]\nid = \"depth\"\nprobe = \"{name}\"\ntargets = [\"http://127.0.0.1:8081/json\"]\nconfig = {{ sick_above = 100 }}"
        )
    };
    let try_it = if args.notifier {
        "--set url=http://127.0.0.1:8083/hook"
    } else {
        "--target http://127.0.0.1:8081/json --set sick_above=100"
    };
    let filled = |template: &str| {
        template
            .replace("@NAME@", name)
            .replace("@TYPE@", &type_name(name))
            .replace("@FILE@", &file(name))
            .replace("@KIND@", kind(args))
            .replace("@SDK@", &dependency)
            .replace("@VENDORED@", vendored)
            .replace("@CONFIG@", &example)
            .replace("@TRY@", try_it)
    };
    let [code, tests] = if args.notifier {
        rust::NOTIFIER
    } else {
        rust::PROBE
    };
    let mut files = vec![
        ("Cargo.toml".into(), filled(rust::MANIFEST)),
        (".gitignore".into(), filled(rust::IGNORED)),
        ("README.md".into(), filled(rust::README)),
        ("src/lib.rs".into(), filled(code)),
        ("tests/behaviour.toml".into(), filled(tests)),
        ("wit/plugin.wit".into(), sdk::CONTRACT.to_owned()),
    ];
    if args.sdk.is_none() {
        files.extend(sdk::files(Path::new("vendor/watchkeeper-sdk"))?);
    }
    Ok(files)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

fn kind(args: &NewArgs) -> &'static str {
    if args.notifier { "notifier" } else { "probe" }
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

fn component(name: &str) -> String {
    format!("target/wasm32-wasip2/release/{}", file(name))
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

    #[test]
    fn nothing_is_left_to_fill_in() {
        for notifier in [false, true] {
            let args = NewArgs {
                name: "queue-depth".to_owned(),
                lang: Language::Rust,
                notifier,
                into: None,
                sdk: None,
            };
            for (path, text) in rust_project(&args).unwrap() {
                let is_ours = !path.starts_with("vendor") && !path.starts_with("wit");
                let marked = text.split('@').skip(1).step_by(2);
                let marks: Vec<_> = marked
                    .filter(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase()))
                    .collect();
                assert!(
                    !is_ours || marks.is_empty(),
                    "{}: {marks:?}",
                    path.display()
                );
            }
        }
    }
}
