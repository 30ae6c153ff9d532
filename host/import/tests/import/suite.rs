//! Fixtures are small configurations of the structure that each system's own
//! samples have.

mod checkup;
mod docs;
mod gatus;
mod inxidents;
mod laws;
mod overvakt;
mod status_incident;
mod uptime_kuma;
mod vigil;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use watchkeeper_config::load_texts;
use watchkeeper_import::{Imported, Input, Kind, Outcome, import};

/// The value of every secret in the fixtures has this in it, and nothing else has.
const MARK: &str = "secret-0";

fn fixture(path: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folder.join(path)
}

/// Imports a fixture and checks what holds for every import.
fn check(kind: Kind, path: &str) -> Imported {
    check_input(kind, &Input::path(fixture(path)))
}

fn check_input(kind: Kind, input: &Input) -> Imported {
    let imported = import(kind, input).unwrap_or_else(|error| panic!("{error}"));
    let report = imported.report.to_string();
    assert!(!imported.toml.contains(MARK), "{}", imported.toml);
    assert!(!report.contains(MARK), "{report}");
    loads(&imported.toml);
    for variable in &imported.report.variables {
        let reference = [
            format!("env = \"{}\"", variable.name),
            format!("${{{}}}", variable.name),
        ];
        assert!(
            reference.iter().any(|it| imported.toml.contains(it)),
            "{} is not used:\n{}",
            variable.name,
            imported.toml
        );
    }
    for secret in &imported.secrets {
        assert!(secret.value.contains(MARK), "{} is no secret", secret.name);
    }
    let hidden = imported.report.variables.iter();
    let hidden = hidden.filter(|variable| !variable.was_variable).count();
    assert_eq!(imported.secrets.len(), hidden, "each has its value");
    let values = imported.environment_file();
    assert_eq!(values.matches(MARK).count(), hidden, "{values}");
    assert!(!format!("{imported:?}").contains(MARK));
    fits_the_plugins(&imported.toml);
    // The same file makes the same configuration.
    assert_eq!(import(kind, input).unwrap().toml, imported.toml);
    imported
}

#[expect(clippy::unnecessary_wraps, reason = "the loader asks like this")]
fn env(name: &str) -> Option<String> {
    Some(format!("0123456789-{name}"))
}

fn loads(toml: &str) -> watchkeeper_config::Config {
    let text = ("watchkeeper.toml".to_owned(), toml.to_owned());
    match load_texts(vec![text], &env) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{problems}\n\n{toml}"),
    }
}

/// Compares the `config` tables with the schemas of the plugins.
fn fits_the_plugins(toml: &str) {
    let root: toml::Table = toml::from_str(toml).unwrap();
    let rows = |table: &toml::Table, key: &str| -> Vec<toml::Table> {
        let rows = table.get(key).and_then(toml::Value::as_array).cloned();
        let rows = rows.unwrap_or_default();
        rows.into_iter()
            .filter_map(|row| row.as_table().cloned())
            .collect()
    };
    let text = |table: &toml::Table, key: &str| {
        table.get(key).and_then(|it| it.as_str().map(str::to_owned))
    };
    for service in rows(&root, "service") {
        for monitor in rows(&service, "monitor") {
            if monitor.contains_key("passive") {
                continue;
            }
            let target = monitor["targets"][0].as_str().unwrap().to_owned();
            let scheme = target.split(':').next().unwrap_or_default().to_owned();
            let probe = text(&monitor, "probe").unwrap_or_else(|| probe_of(&scheme).to_owned());
            fits(&probe, monitor.get("config"));
        }
    }
    for channel in rows(&root, "channel") {
        fits(&text(&channel, "notifier").unwrap(), channel.get("config"));
    }
}

/// The plugin for a scheme.
fn probe_of(scheme: &str) -> &str {
    match scheme {
        "http" | "https" => "http",
        "ws" | "wss" => "websocket",
        "grpc" | "grpcs" => "grpc",
        "smtp" | "smtps" | "submission" => "smtp",
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        "redis" | "rediss" => "redis",
        "mqtt" | "mqtts" => "mqtt",
        "amqp" | "amqps" => "amqp",
        other => other,
    }
}

fn fits(plugin: &str, config: Option<&toml::Value>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let file = root.join(plugin).join("config.schema.json");
    let schema = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("there is no plugin {plugin}: {error}"));
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let empty = toml::Value::Table(toml::Table::new());
    let config = json(config.unwrap_or(&empty));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator
        .iter_errors(&config)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{plugin}: {wrong:#?}\n{config:#}");
}

/// A value as the plugin gets it: references replaced by what they stand for.
fn json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Table(table) if table.len() == 1 && table.contains_key("env") => {
            "https://example.com/from-the-environment".into()
        }
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::String(text) => text.replace("$${", "${").into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(value) => (*value).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
    }
}

/// Asserts that each of these lines is in the result.
fn has(imported: &Imported, lines: &[&str]) {
    for line in lines {
        let found = imported
            .toml
            .lines()
            .any(|it| it.trim_start_matches("# ") == *line);
        assert!(found, "no `{line}` in\n{}", imported.toml);
    }
}

/// Asserts that the report has a line with these words for a line of the file.
fn tells(imported: &Imported, outcome: Outcome, path: &str, words: &str) {
    let found = imported
        .report
        .of(outcome)
        .any(|entry| entry.place.path == path && entry.what.contains(words));
    assert!(
        found,
        "nothing of `{words}` at {path} in\n{}",
        imported.report
    );
}

/// Asserts that a file is refused with these words.
fn refused(kind: Kind, name: &str, text: &str, line: Option<u32>, words: &str) {
    let input = Input::text(name, text);
    let error = import(kind, &input).expect_err("the file is wrong");
    if line.is_some() {
        assert_eq!(error.line, line, "{error}");
    }
    assert!(error.to_string().starts_with(name), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.instead.is_empty());
}

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}
