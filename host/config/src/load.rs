//! Reading configurations: the way from a path to a [`Config`].

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use crate::config::Config;
use crate::file::RootTable;
use crate::items::{Item, ItemText, items_of, place_items, rendition};
use crate::problem::{Problem, Problems};
use crate::read::{Context, Finding, FromNode};
use crate::resolve::resolve;
use crate::source::{At, Sources};
use crate::tree::{Node, Table, Value};

/// The largest configuration file, in bytes: that of ten thousand monitors is a
/// tenth of it.
const MAX_FILE: u64 = 16 << 20;

/// The most files of one folder.
const MAX_FILES: usize = 1_000;

/// A configuration and what it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The configuration files, in the order in which they were merged. Empty
    /// if the texts came from elsewhere.
    pub files: Vec<PathBuf>,
    /// What was read, each text with its name: to be read again with other parts.
    pub texts: Vec<(String, String)>,
    /// The services, monitors, channels and routes as they were written.
    pub items: Vec<Item>,
}

/// Reads a configuration file, or the `*.toml` files of a folder merged in the
/// order of their names.
///
/// `env` looks up a variable of the environment, for secrets. Files whose names
/// begin with a dot are passed over. Reads files, and blocks while doing so.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Problems> {
    let files = files_of(path).map_err(|what| Problems::from(vec![without_place(what)]))?;
    let mut texts = Vec::with_capacity(files.len());
    let mut unread = Vec::new();
    for file in &files {
        match text_of(file) {
            Ok(text) => texts.push((file.display().to_string(), text)),
            Err(problem) => unread.push(problem),
        }
    }
    let (config, items) = read(&texts, &[], env, unread)?;
    Ok(Loaded {
        config,
        files,
        texts,
        items,
    })
}

/// Reads a configuration from texts, each with the name of the file that it
/// stands for, merged in this order.
///
/// `env` looks up a variable of the environment, for secrets. Relative paths
/// start at the folder of the name.
pub fn load_texts(
    texts: Vec<(String, String)>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    load_merged(texts, &[], env)
}

/// Reads a configuration as [`load_texts`] does, with `added` beside what the texts
/// say.
///
/// Secrets of what was added are read from the environment and from the folders that
/// are there for them, and from no other file.
pub fn load_merged(
    texts: Vec<(String, String)>,
    added: &[ItemText],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    let (config, items) = read(&texts, added, env, Vec::new())?;
    Ok(Loaded {
        config,
        files: Vec::new(),
        texts,
        items,
    })
}

/// The folder of a file, where relative paths in it start.
pub(crate) fn folder_of(file: &str) -> &Path {
    Path::new(file).parent().unwrap_or(Path::new(""))
}

/// The files that `path` stands for, or what is wrong with it.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = path.display();
    let failed = |error: io::Error| format!("{shown} cannot be read: {error}");
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let is_hidden = file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_toml = file
            .extension()
            .is_some_and(|extension| extension == "toml");
        if is_toml && !is_hidden && !file.is_dir() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(format!("the folder {shown} holds no *.toml file"));
    }
    if files.len() > MAX_FILES {
        return Err(format!(
            "the folder {shown} holds more than {MAX_FILES} *.toml files"
        ));
    }
    files.sort();
    Ok(files)
}

/// The text of a file, or what is wrong with it.
fn text_of(path: &Path) -> Result<String, Problem> {
    let shown = path.display();
    let failed = |error: io::Error| without_place(format!("{shown} cannot be read: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(without_place(format!("{shown} is larger than 16 MiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        // What replaces the broken bytes comes after the place that is named.
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let mut sources = Sources::default();
        let file = sources.add(&shown.to_string(), text);
        let at = At {
            file,
            start,
            end: start + 1,
        };
        Problem {
            place: Some(sources.place(at)),
            snippet: sources.snippet(at, &[]),
            ..without_place("the file is not UTF-8".to_owned())
        }
    })
}

fn without_place(what: String) -> Problem {
    Problem {
        place: None,
        key: String::new(),
        what,
        instead: None,
        related: Vec::new(),
        snippet: None,
    }
}

/// Everything from the texts to the configuration. `problems` are those of
/// texts that could not be had.
fn read(
    texts: &[(String, String)],
    added: &[ItemText],
    env: &dyn Fn(&str) -> Option<String>,
    mut problems: Vec<Problem>,
) -> Result<(Config, Vec<Item>), Problems> {
    let mut sources = Sources::default();
    for (name, text) in texts {
        sources.add(name, text.clone());
    }
    for item in added {
        let text = rendition(item).unwrap_or_else(|problem| {
            problems.push(problem);
            String::new()
        });
        sources.add_item(&item.source(), text);
    }
    let sources = Arc::new(sources);
    let mut cx = Context::new(&sources, env);
    let tree = parse(added, &mut cx);
    let is_whole = problems.is_empty() && cx.findings.is_empty();
    let line = |at: At| (at.file, sources.place(at).line);
    let broken: HashSet<_> = cx.findings.iter().map(|finding| line(finding.at)).collect();
    let after_parsing = cx.findings.len();
    let config = RootTable::read(&tree, &mut cx).map(|root| resolve(&root, &mut cx));
    let items = items_of(&tree, &sources, sources.files());
    let Context {
        mut findings,
        masks,
        ..
    } = cx;
    if !is_whole {
        // What is missing may stand in what could not be read, and what is left
        // of a broken line is not what its writer meant.
        let mut later = findings.split_off(after_parsing);
        later.retain(|finding| !finding.is_absence && !broken.contains(&line(finding.at)));
        findings.extend(later);
    }
    findings.sort_by_key(|finding| finding.at);
    findings.dedup();
    problems.extend(
        findings
            .into_iter()
            .map(|finding| problem(finding, &sources, &masks)),
    );
    match config {
        Some(config) if problems.is_empty() => Ok((config, items)),
        _ => Err(problems.into()),
    }
}

/// The values of all files, merged, and of what was added to them.
fn parse(added: &[ItemText], cx: &mut Context<'_>) -> Node {
    let sources = Arc::clone(cx.sources);
    let mut merged = Table::default();
    for file in 0..sources.files() {
        let (document, errors) = DeTable::parse_recoverable(sources.text(file));
        for error in errors {
            let span = error.span().unwrap_or_default();
            let at = At {
                file,
                start: span.start,
                end: span.end,
            };
            cx.masks.extend(probable_secret(at, &sources));
            cx.report(syntax_finding(
                at,
                error.message(),
                sources.text(file).get(span),
            ));
        }
        let table = Table::from_document(document.get_ref(), file);
        merged.merge(table, &mut |entry, first| {
            let what = format!("`{}` is written in two files", entry.key);
            let finding = Finding::new(entry.key_at, what).key(&entry.key);
            cx.report(
                finding
                    .related(first, "first written here")
                    .instead("join the two tables in one of the files"),
            );
        });
    }
    place_items(&mut merged, added, sources.files(), cx);
    Node {
        at: At {
            file: 0,
            start: 0,
            end: 0,
        },
        value: Value::Table(merged),
    }
}

/// What the parser has to say, in our words where it is often met.
fn syntax_finding(at: At, message: &str, written: Option<&str>) -> Finding {
    if message == "duplicate key" {
        let key = written.unwrap_or_default().trim();
        let what = format!("the key `{key}` is written twice in one table");
        return Finding::new(at, what).instead("remove one of the two");
    }
    let finding = Finding::new(at, format!("broken TOML: {message}"));
    let is_value = [
        "string values must be quoted",
        "invalid float",
        "invalid integer",
    ]
    .iter()
    .any(|start| message.starts_with(start));
    if is_value {
        finding.instead("write texts, spans and sizes in quotes")
    } else {
        finding
    }
}

/// Words in a line whose value is hardly meant to be shown.
const SECRET_WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "key", "hook"];

/// The value in the line of `at` if it is probably a secret. Where the TOML is
/// broken nothing better than the line's own words tells.
fn probable_secret(at: At, sources: &Sources) -> Option<At> {
    let (start, line) = sources.line(at)?;
    let lower = line.to_lowercase();
    let value = line
        .find('=')
        .filter(|_| SECRET_WORDS.iter().any(|word| lower.contains(word)))?;
    let after = line.get(value + 1..)?;
    let blank = after.len() - after.trim_start().len();
    Some(At {
        file: at.file,
        start: start + value + 1 + blank,
        end: start + line.len(),
    })
}

/// The finding as people see it.
fn problem(finding: Finding, sources: &Sources, masks: &[At]) -> Problem {
    Problem {
        place: Some(sources.place(finding.at)),
        key: finding.key,
        what: finding.what,
        instead: finding.instead,
        related: finding
            .related
            .into_iter()
            .map(|(at, what)| (sources.place(at), what))
            .collect(),
        snippet: sources.snippet(finding.at, masks),
    }
}
