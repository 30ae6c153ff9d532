//! The documents against the program: every configuration in them is read, every
//! key is listed with its default and bounds, and the mistakes that are shown are
//! those that are told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use watchkeeper_config::{load_texts, schema};

/// An environment in which every variable is set.
#[expect(clippy::unnecessary_wraps, reason = "the form of a look-up")]
fn env(name: &str) -> Option<String> {
    if name.ends_with("_TOKEN") {
        return Some(format!("0123456789-{name}"));
    }
    if name.ends_with("_URL") {
        return Some("https://hooks.example.com/".to_owned());
    }
    Some(format!("value of {name}"))
}

/// Files that configurations in the documents name.
const FILES: [(&str, &str); 6] = [
    (
        "ca.pem",
        "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
    ),
    ("front.sh", "exit 0\n"),
    ("signing-key", "key\n"),
    ("logo.svg", "<svg/>"),
    ("icon.svg", "<svg/>"),
    ("acme.css", ".card { border: 0 }"),
];

/// What `toml,monitor` blocks leave out.
const MONITOR: [(&str, &str); 2] = [
    ("id", "id = \"monitor\""),
    ("targets", "targets = [\"tcp://a.example.com:1\"]"),
];

/// The root of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The documents: names and texts.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec![root().join("README.md")];
    for folder in ["docs", "docs/plugins"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

/// A fenced block of a document.
struct Block {
    /// What stands behind the fence: `toml,monitor`.
    info: String,
    text: String,
    /// The document and the line of the fence.
    place: String,
}

fn blocks(name: &str, document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                let place = format!("{name}:{}", number + 1);
                open = Some(Block {
                    info: info.to_owned(),
                    text: String::new(),
                    place,
                });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block has no end");
    blocks
}

fn check_config(text: &str, place: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in FILES {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let name = folder.path().join("watchkeeper.toml").display().to_string();
    if let Err(problems) = load_texts(vec![(name, text.to_owned())], &env) {
        panic!("{place}: {problems}");
    }
}

/// A whole configuration around the keys of a monitor.
fn around(keys: &str) -> String {
    let mut text = "[[service]]\nid = \"service\"\n[[service.monitor]]\n".to_owned();
    for (key, line) in MONITOR {
        let is_written = keys.lines().any(|line| {
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        });
        if !is_written {
            text.push_str(line);
            text.push('\n');
        }
    }
    text + keys
}

#[test]
fn every_configuration_is_one() {
    let mut whole = 0;
    for (name, document) in documents() {
        for Block { info, text, place } in blocks(&name, &document) {
            match info.as_str() {
                "toml" => {
                    whole += 1;
                    check_config(&text, &place);
                }
                "toml,monitor" => check_config(&around(&text), &place),
                "toml,cargo" => {
                    let manifest: toml::Table =
                        toml::from_str(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
                    let tables = ["package", "dependencies", "profile"];
                    let is_manifest = tables.iter().any(|table| manifest.contains_key(*table));
                    assert!(is_manifest, "{place}: is no Cargo.toml");
                }
                // Tables of `plugin test`, which the daemon reads.
                "toml,tests" => {
                    toml::from_str::<toml::Table>(&text)
                        .unwrap_or_else(|error| panic!("{place}: {error}"));
                }
                // Compared with what is said of it, below.
                "toml,wrong" => {}
                other => assert!(
                    !other.starts_with("toml"),
                    "{place}: `{other}` is no mark that is known"
                ),
            }
        }
    }
    assert!(
        whole >= 3,
        "the documents hold only {whole} whole configurations"
    );
}

#[test]
fn mistakes_are_told_as_the_documents_say() {
    let mut compared = 0;
    for (name, document) in documents() {
        for pair in blocks(&name, &document).windows(2) {
            let [wrong, said] = pair else { continue };
            if wrong.info != "toml,wrong" {
                continue;
            }
            compared += 1;
            let text = vec![("watchkeeper.toml".to_owned(), wrong.text.clone())];
            let problems = load_texts(text, &env).expect_err(&wrong.place);
            assert_eq!(said.info, "text", "{}", said.place);
            assert_eq!(
                problems.to_string().trim_end(),
                said.text.trim_end(),
                "{}",
                said.place
            );
        }
    }
    assert!(compared > 0, "no document shows a mistake");
}

/// A row of the tables in `configuration.md`.
struct Row {
    bounds: String,
    default: String,
}

/// The path by which a heading's table is known: `[[service.monitor]]` is
/// `service[].monitor[]`.
fn path_of(heading: &str) -> Option<String> {
    let table = heading
        .trim_start_matches('#')
        .trim()
        .strip_prefix('`')?
        .strip_suffix('`')?;
    let path = match table.strip_prefix("[[") {
        Some(rest) => rest
            .strip_suffix("]]")?
            .split('.')
            .map(|step| format!("{step}[]"))
            .collect::<Vec<_>>()
            .join("."),
        None => table.strip_prefix('[')?.strip_suffix(']')?.to_owned(),
    };
    Some(path)
}

/// Every row that describes a key, by the key's path.
fn rows(document: &str) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    let mut path = None;
    for line in document.lines() {
        if line.starts_with('#') {
            path = path_of(line);
        }
        let (Some(path), Some(row)) = (&path, line.strip_prefix("| `")) else {
            continue;
        };
        let (key, rest) = row
            .split_once("` | ")
            .unwrap_or_else(|| panic!("no key in {line}"));
        let cells: Vec<&str> = rest.split(" | ").collect();
        let [bounds, default, _meaning] = cells.as_slice() else {
            panic!("{} cells in {line}", cells.len())
        };
        let row = Row {
            bounds: (*bounds).to_owned(),
            default: (*default).to_owned(),
        };
        let before = rows.insert(format!("{path}.{key}"), row);
        assert!(before.is_none(), "{path}.{key} is listed twice");
    }
    rows
}

/// Every key below `schema`, by its path.
fn keys(schema: &Json, path: &str, found: &mut BTreeMap<String, Json>) {
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        keys(form, path, found);
    }
    if let Some(items) = schema.get("items") {
        keys(items, &format!("{path}[]"), found);
    }
    if schema["additionalProperties"].is_object() {
        keys(
            &schema["additionalProperties"],
            &format!("{path}.NAME"),
            found,
        );
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        keys(schema, &path, found);
        found.insert(path, schema.clone());
    }
}

/// Whether the documents say once, at another place, what the key at `path` means.
fn is_said_elsewhere(path: &str, all: &BTreeMap<String, Json>) -> bool {
    let of_monitor = path.strip_prefix("service[].monitor[].");
    of_monitor.is_some_and(|key| all.contains_key(&format!("defaults.{key}")))
        || path
            .strip_prefix("page.other[].")
            .is_some_and(|key| all.contains_key(&format!("page.{key}")))
        || path.contains(".limits.") && !path.starts_with("plugins.limits.")
}

/// Whether the key holds a table of keys that are listed themselves.
fn is_table(path: &str, all: &BTreeMap<String, Json>) -> bool {
    let below = [format!("{path}."), format!("{path}[].")];
    all.keys()
        .any(|key| below.iter().any(|start| key.starts_with(start)))
}

/// `1 to 10` of a schema, if it has bounds that can be written so.
fn bounds(schema: &Json) -> Option<String> {
    let number = |key: &str| schema[key].as_u64();
    if let (Some(min), Some(max)) = (number("minimum"), number("maximum")) {
        return Some(format!("{min} to {max}"));
    }
    if let Some(max) = number("maxItems") {
        return Some(format!("{} to {max}", number("minItems").unwrap_or(0)));
    }
    if let Some(max) = number("maxLength").filter(|_| schema.get("pattern").is_none()) {
        return Some(format!("at most {max}"));
    }
    let description = schema["description"].as_str()?;
    let (_, bounds) = description
        .rsplit_once("A span of time from ")
        .or_else(|| description.rsplit_once("A size from "))?;
    Some(bounds.trim_end_matches('.').to_owned())
}

#[test]
fn every_key_is_listed_with_its_bounds_and_default() {
    let document = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let rows = rows(&document);
    let mut all = BTreeMap::new();
    keys(&schema(), "", &mut all);
    assert!(all.len() > 80, "{:?}", all.keys());
    let mut wrong = Vec::new();
    for (path, schema) in &all {
        if is_said_elsewhere(path, &all) {
            continue;
        }
        let Some(row) = rows.get(path) else {
            if !is_table(path, &all) && !path.ends_with(".limits") {
                wrong.push(format!("{path} is not listed"));
            }
            continue;
        };
        if let Some(bounds) = bounds(schema)
            && !row.bounds.contains(&bounds)
        {
            wrong.push(format!("{path}: `{}` does not say {bounds}", row.bounds));
        }
        if let Some(default) = schema.get("default") {
            let said = row.default.replace(' ', "");
            if said != format!("`{default}`").replace(' ', "") {
                wrong.push(format!(
                    "{path}: the default is {default}, not {}",
                    row.default
                ));
            }
        }
    }
    wrong.extend(
        rows.keys()
            .filter(|path| !all.contains_key(*path))
            .map(|path| format!("{path} does not exist")),
    );
    assert_eq!(wrong, [""; 0]);
}

/// Every plugin that comes with the program can be found.
#[test]
fn every_plugin_is_listed() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_default();
    let listed = read("docs/probes.md") + &read("docs/channels.md") + &read("docs/operating.md");
    let missing: Vec<String> = fs::read_dir(root().join("plugins"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| !listed.contains(&format!("`{name}`")))
        .collect();
    assert_eq!(missing, [""; 0]);
}
