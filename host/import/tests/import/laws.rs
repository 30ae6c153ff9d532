//! What holds for every input: no panic, and a result that the loader takes.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use watchkeeper_import::{Input, Kind, import};

use super::{fixture, loads};

/// Words that mean something to the systems, so that chance goes deep.
const WORDS: &[&str] = &[
    "",
    "a",
    "http",
    "poll",
    "push",
    "local",
    "script",
    "https://a.example.com/?key=x",
    "tcp://[::1]:1",
    "icmp://",
    "${X}",
    "$X",
    "$$",
    "ü\u{0}\n",
    "-1",
    "[STATUS] == 200",
    "[BODY].a[0].b-c == pat(*a*)",
    "len([BODY]) > 1",
    "[CERTIFICATE_EXPIRATION] > 48h",
    "slack",
    "keyword",
    "json-query",
    "dns",
    "mqtt",
    "postgres",
    "999999999999h",
    "1h",
    "{\"a\": [1]}",
    "[\"200-299\"]",
    "single",
    "recurring-weekday",
    "2026-01-01 00:00:00",
    "%zz@:",
];

/// Keys that the systems read.
const KEYS: &[&str] = &[
    "probe",
    "service",
    "node",
    "id",
    "label",
    "mode",
    "replicas",
    "scripts",
    "metrics",
    "poll_interval",
    "poll_retry",
    "notify",
    "slack",
    "hook_url",
    "reminder_interval",
    "plugins",
    "rabbitmq",
    "api_url",
    "rabbitmq_queue",
    "server",
    "inet",
    "branding",
    "page_title",
    "endpoints",
    "name",
    "group",
    "url",
    "conditions",
    "interval",
    "client",
    "timeout",
    "alerts",
    "type",
    "alerting",
    "webhook-url",
    "default-alert",
    "maintenance",
    "start",
    "duration",
    "every",
    "dns",
    "query-name",
    "checkers",
    "endpoint_url",
    "attempts",
    "threshold_rtt",
    "headers",
    "notifiers",
    "systems",
    "dependencies",
    "system_id",
    "heartbeat_url",
    "monitorList",
    "notificationList",
    "config",
    "hostname",
    "port",
    "parent",
    "interval",
    "maxretries",
    "resendInterval",
    "databaseConnectionString",
    "accepted_statuscodes",
    "endpoint",
    "frequency",
    "expectedCode",
    "body",
];

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(WORDS).prop_map(Json::from),
        ".{0,20}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..8).prop_map(|entries| {
                Json::Object(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A document whose top has what each kind looks for first.
fn document(value: &Json) -> Json {
    let many = json!([value, value]);
    json!({
        "probe": { "service": [{ "id": "s", "node": many }] },
        "notify": value, "metrics": value, "plugins": { "rabbitmq": value },
        "alerting": { "slack": value, "custom": value },
        "endpoints": many, "external-endpoints": many, "maintenance": value,
        "checkers": many, "notifiers": many,
        "systems": many, "dependencies": many,
        "monitorList": many, "notificationList": many, "maintenanceList": many,
    })
}

fn imports(kind: Kind, name: &str, bytes: Vec<u8>) {
    if let Ok(imported) = import(kind, &Input::text(name, bytes)) {
        let by_hand = "the result needs a hand here";
        let told = imported
            .report
            .entries
            .iter()
            .any(|it| it.what.contains(by_hand));
        if !told && imported.report.counts.services > 0 {
            loads(&imported.toml);
        }
        // Whatever it says, it is TOML.
        assert!(
            toml::from_str::<toml::Table>(&imported.toml).is_ok(),
            "{}",
            imported.toml
        );
        drop(imported.report.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for kind in Kind::ALL {
            imports(kind, "a", bytes.clone());
        }
    }

    #[test]
    fn pieces_of_configurations_do_no_harm(start in 0_usize..4_000, end in 0_usize..4_000, put in ".{0,6}") {
        let files = [
            (Kind::Vigil, "vigil/config.cfg"),
            (Kind::Overvakt, "overvakt/overvakt.toml"),
            (Kind::Gatus, "gatus/config.yaml"),
            (Kind::Checkup, "checkup/checkup.json"),
            (Kind::StatusIncident, "status-incident/export.json"),
            (Kind::Inxidents, "inxidents/config.yaml"),
            (Kind::UptimeKuma, "uptime-kuma/backup.json"),
        ];
        for (kind, path) in files {
            let mut bytes = std::fs::read(fixture(path)).unwrap();
            let (start, end) = (start.min(end).min(bytes.len()), start.max(end).min(bytes.len()));
            bytes.splice(start..end, put.bytes());
            imports(kind, path, bytes);
        }
    }

    #[test]
    fn any_json_does_no_harm(value in value()) {
        let text = document(&value).to_string();
        for kind in Kind::ALL {
            // JSON is YAML; for the kinds that read TOML this goes by the name.
            imports(kind, "a.yaml", text.clone().into_bytes());
            imports(kind, "a.yaml", value.to_string().into_bytes());
        }
        imports(Kind::Inxidents, "a.yaml", json!([value, value]).to_string().into_bytes());
    }
}
