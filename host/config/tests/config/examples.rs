//! The examples, and the schema that editors check files with.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use watchkeeper_config::{load, schema};

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn env(name: &str) -> Option<String> {
    let known = [
        "CART_TOKEN",
        "DISCORD_WEBHOOK_URL",
        "GITHUB_TOKEN",
        "GITLAB_TOKEN",
        "GOOGLE_CHAT_WEBHOOK_URL",
        "GOTIFY_TOKEN",
        "GRAFANA_ONCALL_URL",
        "HASS_TOKEN",
        "INCIDENT_IO_TOKEN",
        "MAILGUN_API_KEY",
        "MAIL_PASSWORD",
        "MATRIX_TOKEN",
        "MATTERMOST_WEBHOOK_URL",
        "MYSQL_PASSWORD",
        "NTFY_TOKEN",
        "NTFY_TOPIC",
        "OPSGENIE_API_KEY",
        "PAGERDUTY_ROUTING_KEY",
        "PAGE_PASSWORD",
        "POSTGRES_PASSWORD",
        "PUSHOVER_TOKEN",
        "PUSHOVER_USER",
        "RABBIT_PASSWORD",
        "RABBIT_TENANT",
        "REDIS_PASSWORD",
        "ROCKETCHAT_WEBHOOK_URL",
        "SLACK_WEBHOOK_URL",
        "SMS_TOKEN",
        "SPLUNK_ON_CALL_URL",
        "STOCK_PASSWORD",
        "TEAMS_WORKFLOW_URL",
        "TELEGRAM_TOKEN",
        "TWILIO_TOKEN",
        "VONAGE_SECRET",
        "WEBEX_TOKEN",
        "XMPP_PASSWORD",
        "ZULIP_API_KEY",
    ];
    let tokens = [
        "REPORTER_TOKEN",
        "MANAGER_TOKEN",
        "BACKUP_TOKEN",
        "IMPORT_TOKEN",
    ];
    if tokens.contains(&name) {
        return Some(format!("0123456789-{name}"));
    }
    if name == "DEAD_MAN_URL" {
        return Some("https://hc.example.com/ping".to_owned());
    }
    known.contains(&name).then(|| format!("value of {name}"))
}

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

/// An example is accepted, beside the files that it names, by the program and by
/// the schema.
#[track_caller]
fn check(name: &str) -> watchkeeper_config::Config {
    let folder = tempfile::tempdir().unwrap();
    let text = example(name);
    fs::write(folder.path().join(name), &text).unwrap();
    fs::write(folder.path().join("ca.pem"), CERTIFICATE).unwrap();
    fs::write(folder.path().join("rabbit-user"), "watch\n").unwrap();
    fs::write(folder.path().join("logo.svg"), "<svg/>").unwrap();
    fs::write(folder.path().join("icon.svg"), "<svg/>").unwrap();
    fs::write(folder.path().join("extra.css"), ".card { border: 0 }").unwrap();
    let value: Json = toml::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&value)
        .map(|it| format!("{}: {it}", it.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0]);
    load(&folder.path().join(name), &env)
        .unwrap_or_else(|it| panic!("{it}"))
        .config
}

#[test]
fn the_first_configuration_has_three_lines() {
    let config = check("minimal.toml");
    assert_eq!(config.monitors().count(), 1);
    assert_eq!(example("minimal.toml").lines().count(), 3);
}

#[test]
fn the_website_is_a_configuration() {
    assert_eq!(check("website.toml").monitors().count(), 4);
}

#[test]
fn the_broker_is_a_configuration() {
    assert_eq!(check("rabbitmq.toml").monitors().count(), 4);
}

#[test]
fn everything_is_a_configuration() {
    let config = check("everything.toml");
    let mut monitors = config.monitors();
    let jobs = monitors.find(|it| it.id.to_string() == "api/jobs").unwrap();
    assert_eq!(jobs.config.json()["vhost"], "/value of RABBIT_TENANT");
    assert_eq!(jobs.config.json()["username"], "watch");
}

/// The paths of all keys below a schema, those of lists with `[]`.
fn keys(schema: &Json, path: &str, found: &mut Vec<String>) {
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        keys(form, path, found);
    }
    if let Some(items) = schema.get("items") {
        keys(items, &format!("{path}[]"), found);
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        found.push(format!("{path}.{name}"));
        keys(schema, &format!("{path}.{name}"), found);
    }
}

/// The paths of all keys in a value.
fn written(value: &Json, path: &str, found: &mut Vec<String>) {
    match value {
        Json::Object(table) => {
            for (name, value) in table {
                found.push(format!("{path}.{name}"));
                written(value, &format!("{path}.{name}"), found);
            }
        }
        Json::Array(values) => {
            for value in values {
                written(value, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn everything_has_every_key_once_and_each_is_described() {
    let schema = schema();
    let mut known = Vec::new();
    keys(&schema, "", &mut known);
    assert!(known.len() > 80, "{known:?}");
    let value: Json = toml::from_str(&example("everything.toml")).unwrap();
    let mut used = Vec::new();
    written(&value, "", &mut used);
    // The keys that stand both in [defaults] and in a monitor need not be
    // repeated to the last in both, nor do the limits in all their places.
    let repeated = |key: &str| {
        let is_of_monitor = key.strip_prefix(".service[].monitor[]");
        is_of_monitor.is_some_and(|rest| used.contains(&format!(".defaults{rest}")))
            || key.strip_prefix(".defaults.health.quorum").is_some()
            || key
                .strip_prefix(".page.other[]")
                .is_some_and(|rest| used.contains(&format!(".page{rest}")))
            || key
                .rsplit_once(".limits.")
                .is_some_and(|(_, limit)| used.contains(&format!(".plugins.limits.{limit}")))
    };
    let unused: Vec<_> = known
        .iter()
        .filter(|key| !used.contains(key) && !repeated(key))
        .collect();
    assert_eq!(unused, [""; 0]);
    let undescribed = |schema: &Json| {
        schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, schema)| {
                !schema["description"]
                    .as_str()
                    .is_some_and(|it| it.ends_with('.'))
            })
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(undescribed(&schema), [""; 0]);
    assert_eq!(undescribed(&schema["properties"]["defaults"]), [""; 0]);
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for text in [
        "servr = 1",
        "[server]\nport = 1",
        "[defaults]\nevery = 30",
        "[defaults]\nevery = \"30 s\"",
        "[defaults]\nflap = true",
        "[defaults]\nhealth = \"worse\"",
        "[plugins]\nfolder = 1",
        "[plugins.http]\nalow = [\"a:1\"]",
        "[network]\nconcurrency = 0",
        "[[service]]\nid = \"a\"",
        "[[service]]\nid = \"A\"\nmonitor = [{ id = \"m\", targets = [\"tcp://a:1\"] }]",
        "[[service]]\nid = \"a\"\nmonitor = [{ id = \"m\", targets = [] }]",
        "[[route]]\nto = [\"a\"]\non = [\"alive\"]",
    ] {
        let value: Json = toml::from_str(text).unwrap();
        assert!(!validator.is_valid(&value), "{text}");
        assert!(crate::read(text).is_err(), "{text}");
    }
}
