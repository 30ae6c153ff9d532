//! Statuspage's JSON: every field with its type, and a real client of it.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::process::Command;
use watchkeeper_engine::health::Health;
use watchkeeper_web::{Limits, Overall, View, WebSettings};

use crate::asking::get;
use crate::records::Shelf;
use crate::site::{Site, settings};

#[expect(dead_code, reason = "only asking is needed here")]
#[path = "support/asking.rs"]
mod asking;
#[path = "../examples/sample_page/records.rs"]
mod records;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[expect(dead_code, reason = "what is kept has to be put in place first")]
#[path = "support/site.rs"]
mod site;

const PAGE: &str = "id:s name:s url:s time_zone:s updated_at:t";
const STATUS: &str = "indicator:s description:s";
const COMPONENT: &str = "id:s name:s status:s created_at:t updated_at:t position:n \
                         description:s? showcase:b start_date:d? group_id:s? page_id:s group:b \
                         only_show_if_degraded:b";
const INCIDENT: &str = "id:s name:s status:s created_at:t updated_at:t monitoring_at:t? \
                        resolved_at:t? impact:s shortlink:s started_at:t page_id:s \
                        incident_updates:a components:a reminder_intervals:s?";
const MAINTENANCE: &str = "scheduled_for:t scheduled_until:t";
const UPDATE: &str = "id:s status:s body:s incident_id:s created_at:t updated_at:t display_at:t \
                      affected_components:a? deliver_notifications:b custom_tweet:s? tweet_id:n?";

async fn site(view: View) -> Site {
    let past = view.past.clone().unwrap_or_default().incidents;
    let incidents = view.incidents.iter().cloned().chain(past);
    let settings = WebSettings {
        records: Arc::new(Shelf::of(incidents)),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

async fn document(site: &Site, name: &str) -> Value {
    let answer = get(site, &format!("/api/v2/{name}.json"), &[]).await;
    assert_eq!(answer.status(), 200, "{name}");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=15");
    answer.json().await.unwrap()
}

/// Whether `object` has exactly the fields that `shapes` name, each of its type: text,
/// number, flag, list, time or day, with a question mark where it may be null.
fn has_shape(object: &Value, shapes: &[&str]) {
    let object: &Map<String, Value> = object.as_object().unwrap();
    let fields: Vec<_> = shapes.iter().flat_map(|it| it.split_whitespace()).collect();
    for field in &fields {
        let (name, kind) = field.split_once(':').unwrap();
        let value = object.get(name);
        let Some(value) = value else {
            panic!("`{name}` is missing in {object:?}");
        };
        let (kind, nullable) = match kind.strip_suffix('?') {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let fits = match kind {
            "s" => value.is_string(),
            "n" => value.is_u64(),
            "b" => value.is_boolean(),
            "a" => value.is_array(),
            "t" => value
                .as_str()
                .is_some_and(|it| it.len() == 24 && it.ends_with('Z')),
            "d" => value.as_str().is_some_and(|it| it.len() == 10),
            other => panic!("no such kind: {other}"),
        };
        assert!(fits || (nullable && value.is_null()), "{name}: {value}");
    }
    assert_eq!(object.len(), fields.len(), "{:?}", object.keys());
}

fn incident_has_shape(incident: &Value, more: &[&str]) {
    has_shape(incident, &[&[INCIDENT], more].concat());
    assert_eq!(incident["id"].as_str().unwrap().len(), 12);
    for update in incident["incident_updates"].as_array().unwrap() {
        has_shape(update, &[UPDATE]);
        assert_eq!(update["incident_id"], incident["id"]);
    }
    for component in incident["components"].as_array().unwrap() {
        component_has_shape(component);
    }
}

fn component_has_shape(component: &Value) {
    if component["group"] == json!(true) {
        has_shape(component, &[COMPONENT, "components:a"]);
    } else {
        has_shape(component, &[COMPONENT]);
        assert!(component["group_id"].is_string());
    }
}

#[tokio::test]
async fn every_document_has_its_parts_and_every_part_its_fields() {
    let site = site(sample::view()).await;
    let documents = [
        (
            "summary",
            "components incidents page scheduled_maintenances status",
        ),
        ("status", "page status"),
        ("components", "components page"),
        ("incidents", "incidents page"),
        ("incidents/unresolved", "incidents page"),
        ("scheduled-maintenances", "page scheduled_maintenances"),
        (
            "scheduled-maintenances/upcoming",
            "page scheduled_maintenances",
        ),
        (
            "scheduled-maintenances/active",
            "page scheduled_maintenances",
        ),
    ];
    for (name, parts) in documents {
        let document = document(&site, name).await;
        let mut keys: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys[0], "page", "every body starts with it");
        keys.sort();
        assert_eq!(keys.join(" "), parts, "{name}");
        has_shape(&document["page"], &[PAGE]);
        if let Some(components) = document["components"].as_array() {
            for component in components {
                component_has_shape(component);
            }
        }
        if let Some(incidents) = document["incidents"].as_array() {
            for incident in incidents {
                incident_has_shape(incident, &[]);
            }
        }
        if let Some(planned) = document["scheduled_maintenances"].as_array() {
            for it in planned {
                incident_has_shape(it, &[MAINTENANCE]);
            }
        }
        if document.get("status").is_some() {
            has_shape(&document["status"], &[STATUS]);
        }
    }
}

#[tokio::test]
async fn services_are_groups_and_monitors_their_components() {
    let site = site(sample::view()).await;
    let summary = document(&site, "summary").await;
    assert_eq!(summary["page"]["url"], "https://status.acme.example");
    assert_eq!(
        summary["status"],
        json!({"indicator": "minor", "description": "Minor Service Outage"})
    );
    let components = summary["components"].as_array().unwrap();
    let named = |name: &str| components.iter().find(|it| it["name"] == name).unwrap();
    let (group, rest) = (named("Core API"), named("REST API"));
    assert_eq!(rest["group_id"], group["id"]);
    assert_eq!(rest["status"], "degraded_performance");
    assert_eq!(group["components"][0], rest["id"]);
    assert_eq!(group["group"], json!(true));
    assert_eq!(named("CDN")["status"], "operational");
    let all = document(&site, "incidents").await;
    let ids: Vec<_> = all["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, ["000000000214", "000000000213"]);
    let over = &all["incidents"][1];
    assert_eq!(over["status"], "resolved");
    assert_eq!(over["resolved_at"], "2026-11-19T14:20:00.000Z");
    assert_eq!(over["monitoring_at"], "2026-11-19T14:11:00.000Z");
    assert_eq!(over["components"][0]["name"], "Webhooks");
    assert_eq!(over["incident_updates"][0]["status"], "resolved");
    // Their clients put the id into the address of the page.
    assert_eq!(
        get(&site, "/incidents/000000000213", &[]).await.status(),
        200
    );
    let open = document(&site, "incidents/unresolved").await;
    assert_eq!(open["incidents"].as_array().unwrap().len(), 1);
    let upcoming = document(&site, "scheduled-maintenances/upcoming").await;
    let planned = &upcoming["scheduled_maintenances"][0];
    assert_eq!(planned["status"], "scheduled");
    assert_eq!(planned["scheduled_for"], "2026-11-26T03:00:00.000Z");
    let active = document(&site, "scheduled-maintenances/active").await;
    assert_eq!(active["scheduled_maintenances"], json!([]));
}

#[tokio::test]
async fn the_indicator_follows_the_page() {
    let site = site(sample::view()).await;
    let mut view = sample::view();
    let mut said = Vec::new();
    for health in [
        Overall::Healthy,
        Overall::Sick,
        Overall::Partial,
        Overall::Dead,
        Overall::Unknown,
    ] {
        view.health = health;
        for service in &mut view.services {
            Arc::make_mut(service).maintained = false;
        }
        site.web.publish(view.clone());
        let status = document(&site, "status").await;
        said.push(status["status"]["indicator"].as_str().unwrap().to_owned());
    }
    assert_eq!(said, ["none", "minor", "major", "critical", "minor"]);
    view.health = Overall::Healthy;
    Arc::make_mut(&mut view.services[0]).maintained = true;
    site.web.publish(view.clone());
    let status = document(&site, "status").await;
    assert_eq!(status["status"]["indicator"], "maintenance");
    // A monitor is what it was before; half an hour later the maintenance goes on.
    view.now = view.maintenance[0].starts + Duration::from_mins(30);
    view.maintenance[0].in_progress = true;
    Arc::make_mut(&mut Arc::make_mut(&mut view.services[0]).monitors[0]).health = Health::Unknown;
    site.web.publish(view);
    let active = document(&site, "scheduled-maintenances/active").await;
    assert_eq!(active["scheduled_maintenances"][0]["status"], "in_progress");
    let components = document(&site, "components").await;
    let words: Vec<_> = components["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["status"].as_str().unwrap())
        .collect();
    assert!(words.contains(&"degraded_performance"), "{words:?}");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let site = site(sample::view()).await;
    let first = get(&site, "/api/v2/summary.json", &[]).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = get(&site, "/api/v2/summary.json", &[("if-none-match", &tag)]).await;
    assert_eq!(again.status(), 304);
    assert_eq!(
        get(&site, "/api/v2/summary.json?x=1", &[]).await.status(),
        400
    );
    assert_eq!(get(&site, "/api/v2/other.json", &[]).await.status(), 404);
    let silent = Site::with(settings(), Limits::default()).await;
    assert_eq!(
        get(&silent, "/api/v2/summary.json", &[]).await.status(),
        503
    );
}

/// What an exporter for Prometheus, which reads the Statuspages of this world, makes
/// of it.
const EXPORTER: &str = r#"
import json, sys
from statuspage_prometheus_exporter.service_checker import check_service_status
url = sys.argv[1] + "/api/v2/summary.json"
print(json.dumps(check_service_status("acme", {"name": "Acme", "type": "status_page", "url": url})))
"#;

#[tokio::test]
async fn a_client_of_statuspage_reads_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/languages/clients/bin/python");
    if !python.exists() {
        println!(
            "SKIPPED: Statuspage: statuspage-prometheus-exporter from PyPI is missing; `cargo xtask test` brings it"
        );
        return;
    }
    let site = site(sample::view()).await;
    let folder = tempfile::tempdir().unwrap();
    let services = folder.path().join("services.json");
    std::fs::write(&services, "{}").unwrap();
    let output = Command::new(&python)
        .args(["-c", EXPORTER, &site.url("")])
        .current_dir(folder.path())
        .env("SERVICES_JSON_PATH", &services)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(read["success"], json!(true), "{read}");
    assert_eq!(read["status"], json!(0));
    let incident = &read["incident_metadata"][0];
    assert_eq!(incident["id"], "000000000214");
    assert_eq!(
        incident["shortlink"],
        "https://status.acme.example/incidents/214"
    );
    assert_eq!(
        incident["affected_components"],
        json!(["REST API"]),
        "{read}"
    );
    let planned = &read["maintenance_metadata"][0];
    assert_eq!(planned["name"], "PostgreSQL 17 to 18");
    assert_eq!(planned["scheduled_end"], "2026-11-26T03:45:00.000Z");
    let components = read["component_metadata"].as_array().unwrap();
    let rest = components
        .iter()
        .find(|it| it["name"] == "REST API")
        .unwrap();
    assert_eq!(rest["status"], "degraded_performance");
}
