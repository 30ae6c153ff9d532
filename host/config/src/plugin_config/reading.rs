//! From TOML to the plugin's JSON, following references to secrets and files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Inner, Origin, PluginConfig, Spot, escaped};
use crate::load::folder_of;
use crate::read::{Context, Finding, FromNode};
use crate::secret::Secret;
use crate::tree::{Entry, Node, Table, Value};

/// Where containers and systemd put secrets that a program is meant to have.
const SECRET_FOLDERS: [&str; 2] = ["/run/secrets", "/run/credentials"];

/// The largest file that holds a secret, in bytes: several times a chain of
/// certificates.
const MAX_SECRET_FILE: u64 = 64 << 10;

/// The largest file that is no secret, in bytes: what a plugin takes as a text.
const MAX_TEXT_FILE: u64 = 256 << 10;

impl FromNode for PluginConfig {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            cx.mismatch(node, "a table", None);
            return None;
        };
        let mut reading = Reading::of(node);
        let json = reading.table(table, cx);
        let Reading {
            secrets,
            secret_at,
            files,
            spots,
            ..
        } = reading;
        let origin = Origin {
            sources: Arc::clone(cx.sources),
            key: cx.path().to_owned(),
            spots,
            files,
        };
        let inner = Inner {
            json,
            secrets,
            secret_at,
            origin: Some(origin),
        };
        Some(Self(Arc::new(inner)))
    }

    fn schema() -> Json {
        json!({ "type": "object" })
    }
}

/// A text of the host's own configuration that is a secret, written out or as a
/// reference.
#[derive(Clone, Debug)]
pub(crate) struct SecretText(pub(crate) Secret);

impl FromNode for SecretText {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a text, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`";
        let noted = cx.findings.len();
        let text = match &node.value {
            Value::Text(text) => {
                cx.masks.push(node.at);
                Reading::of(node).text(text, node, cx)
            }
            Value::Table(table) => {
                let Some(reference) = reference(table, node, cx) else {
                    if cx.findings.len() == noted {
                        cx.mismatch(node, EXPECTED, None);
                    }
                    return None;
                };
                Reading::of(node).secret(&reference, node, cx)
            }
            _ => {
                cx.mismatch(node, EXPECTED, None);
                return None;
            }
        };
        if text.is_empty() && cx.findings.len() == noted {
            let what = format!("`{}` must not be empty", cx.name());
            cx.report(Finding::new(node.at, what));
        }
        Secret::new(&text).map(Self)
    }

    fn schema() -> Json {
        json!({ "type": ["string", "object"] })
    }
}

/// A table while it is being read.
struct Reading {
    /// The source that relative paths of secrets start from.
    file: usize,
    secrets: Vec<Secret>,
    secret_at: BTreeSet<String>,
    /// The files that texts came from.
    files: BTreeMap<String, PathBuf>,
    spots: BTreeMap<String, Spot>,
    /// The JSON pointer of the value being read.
    pointer: String,
}

/// Where a secret is kept.
enum Reference<'n> {
    Env(&'n str),
    File(&'n str),
    /// A file that is no secret.
    Text(&'n str),
}

impl Reading {
    fn of(node: &Node) -> Self {
        Self {
            file: node.at.file,
            secrets: Vec::new(),
            secret_at: BTreeSet::new(),
            files: BTreeMap::new(),
            spots: BTreeMap::from([(
                String::new(),
                Spot {
                    key: None,
                    value: node.at,
                },
            )]),
            pointer: String::new(),
        }
    }

    fn table(&mut self, table: &Table, cx: &mut Context<'_>) -> Json {
        let mut map = Map::new();
        for entry in &table.entries {
            let spot = Spot {
                key: Some(entry.key_at),
                value: entry.node.at,
            };
            let value = self.step(&entry.key, spot, |this| {
                cx.within(&entry.key, |cx| this.value(&entry.node, cx))
            });
            map.insert(entry.key.clone(), value);
        }
        Json::Object(map)
    }

    fn value(&mut self, node: &Node, cx: &mut Context<'_>) -> Json {
        match &node.value {
            Value::Text(text) => {
                cx.masks.push(node.at);
                self.text(text, node, cx).into()
            }
            Value::Bool(value) => (*value).into(),
            Value::Integer(Some(number)) => (*number).into(),
            Value::Integer(None) => wrong(node, "is too large for 64 bits", cx),
            Value::Float(number) => match serde_json::Number::from_f64(*number) {
                Some(number) => number.into(),
                None => wrong(node, "must be finite", cx),
            },
            Value::Datetime(text) => text.clone().into(),
            Value::Array(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(number, node)| {
                    let spot = Spot {
                        key: None,
                        value: node.at,
                    };
                    self.step(&number.to_string(), spot, |this| {
                        cx.within_element(number, |cx| this.value(node, cx))
                    })
                })
                .collect(),
            Value::Table(table) => match reference(table, node, cx) {
                Some(Reference::Text(path)) => self.file(path, node, cx).into(),
                Some(reference) => self.secret(&reference, node, cx).into(),
                None => self.table(table, cx),
            },
        }
    }

    fn step<T>(&mut self, step: &str, spot: Spot, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escaped(step));
        self.spots.insert(self.pointer.clone(), spot);
        let result = read(self);
        self.pointer.truncate(length);
        result
    }

    /// The text with each `${NAME}` replaced by that variable.
    fn text(&mut self, text: &str, node: &Node, cx: &mut Context<'_>) -> String {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(escaped) = before.strip_suffix('$') {
                result.push_str(escaped);
                result.push_str("${");
                rest = after;
                continue;
            }
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                let what = "`${` has no `}` after it".to_owned();
                let instead = "write `$${` for the characters `${`";
                cx.report(Finding::new(node.at, what).instead(instead));
                return String::new();
            };
            result.push_str(&self.secret(&Reference::Env(name), node, cx));
            rest = after;
        }
        result.push_str(rest);
        result
    }

    /// What a file holds that is no secret, or an empty text after the mistake was
    /// noted.
    fn file(&mut self, path: &str, node: &Node, cx: &mut Context<'_>) -> String {
        let text = self.path(path, cx).and_then(|path| {
            let text = text_of("file", &path, MAX_TEXT_FILE);
            self.files.insert(self.pointer.clone(), path);
            text
        });
        text.unwrap_or_else(|what| {
            cx.report(Finding::new(node.at, what));
            String::new()
        })
    }

    /// The file that a reference means, or why it may not be read. Whoever may use
    /// the API may not read every file of the host by it.
    fn path(&self, path: &str, cx: &Context<'_>) -> Result<PathBuf, String> {
        if !cx.sources.is_item(self.file) {
            return Ok(folder_of(cx.sources.name(self.file)).join(path));
        }
        let path = Path::new(path);
        let own = (cx.env)("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
        let folders = SECRET_FOLDERS.iter().copied().chain(own.as_deref());
        let stays = path
            .components()
            .all(|step| matches!(step, Component::RootDir | Component::Normal(_)));
        let mut folders = folders.filter(|folder| folder.starts_with('/'));
        if stays && folders.any(|folder| path.starts_with(folder)) {
            return Ok(path.to_owned());
        }
        Err(format!(
            "through the API only files in {} and $CREDENTIALS_DIRECTORY may be named",
            SECRET_FOLDERS.join(", ")
        ))
    }

    /// The secret that is kept there, or an empty text after the mistake was
    /// noted.
    fn secret(&mut self, reference: &Reference<'_>, node: &Node, cx: &mut Context<'_>) -> String {
        let (found, missing) = match reference {
            Reference::Env(name) => from_env(name, cx.env),
            Reference::File(path) | Reference::Text(path) => {
                let text = self.path(path, cx).and_then(|path| {
                    let text = from_file(&path);
                    self.files.insert(self.pointer.clone(), path);
                    text
                });
                (text, false)
            }
        };
        let secret = found.and_then(|text| {
            let empty = || match reference {
                Reference::Env(name) => format!("the environment variable `{name}` is empty"),
                Reference::File(path) | Reference::Text(path) => {
                    format!("the secret file {path} is empty")
                }
            };
            Secret::new(&text).ok_or_else(empty)
        });
        match secret {
            Ok(secret) => {
                let text = secret.expose().to_owned();
                self.secrets.push(secret);
                self.secret_at.insert(self.pointer.clone());
                text
            }
            Err(what) => {
                let mut finding = Finding::new(node.at, what);
                if missing {
                    let instead = "set it for the program, or write `{ file = \"PATH\" }`";
                    finding = finding.instead(instead);
                }
                cx.report(finding);
                String::new()
            }
        }
    }
}

/// Notes a mistake; what stands in for the value is never seen, as no
/// configuration comes of a file with a mistake.
fn wrong(node: &Node, what: &str, cx: &mut Context<'_>) -> Json {
    let what = format!("`{}` {what}", cx.name());
    cx.report(Finding::new(node.at, what));
    Json::Null
}

/// What a table refers to, if it is a reference: `{ env = "NAME" }`,
/// `{ file = "PATH" }` or `{ file = "PATH", secret = false }` and nothing else.
fn reference<'n>(table: &'n Table, node: &Node, cx: &mut Context<'_>) -> Option<Reference<'n>> {
    match table.entries.as_slice() {
        [
            Entry {
                key,
                node:
                    Node {
                        value: Value::Text(text),
                        ..
                    },
                ..
            },
        ] => match key.as_str() {
            "env" => Some(Reference::Env(text)),
            "file" => Some(Reference::File(text)),
            _ => None,
        },
        [first, second] if is_plain(first, second) || is_plain(second, first) => {
            let file = if first.key == "file" { first } else { second };
            match &file.node.value {
                Value::Text(path) => Some(Reference::Text(path)),
                _ => None,
            }
        }
        [first, second]
            if matches!(
                (first.key.as_str(), second.key.as_str()),
                ("env", "file") | ("file", "env")
            ) =>
        {
            let what = format!("`{}` takes its secret from two places", cx.name());
            let instead = "write either `{ env = \"NAME\" }` or `{ file = \"PATH\" }`";
            cx.report(Finding::new(node.at, what).instead(instead));
            None
        }
        _ => None,
    }
}

/// Whether the two entries are a file and that it is no secret.
fn is_plain(file: &Entry, secret: &Entry) -> bool {
    file.key == "file"
        && matches!(file.node.value, Value::Text(_))
        && secret.key == "secret"
        && matches!(secret.node.value, Value::Bool(false))
}

/// The variable, or what is wrong with it; and whether it is that nobody set it.
fn from_env(name: &str, env: &dyn Fn(&str) -> Option<String>) -> (Result<String, String>, bool) {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if !is_name(name) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        let what = format!("`{shown}` is no name of an environment variable");
        return (Err(what), false);
    }
    match env(name) {
        Some(text) => (Ok(text), false),
        None => (
            Err(format!("the environment variable `{name}` is not set")),
            true,
        ),
    }
}

/// The text of a file without the line break at its end, or what is wrong.
fn from_file(path: &Path) -> Result<String, String> {
    let mut text = text_of("secret file", path, MAX_SECRET_FILE)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// The text of a file, or what is wrong; messages call it `what`.
fn text_of(what: &str, path: &Path, most: u64) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("the {what} {shown} cannot be read: {error}");
    let mut text = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most + 1).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > most) {
        let most = most >> 10;
        return Err(format!("the {what} {shown} is larger than {most} KiB"));
    }
    String::from_utf8(text).map_err(|_| format!("the {what} {shown} is not UTF-8"))
}
