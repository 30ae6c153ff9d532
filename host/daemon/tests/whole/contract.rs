//! The API against its document: the one that is committed, and what schemathesis
//! makes of it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::rig::{Rig, said};

const CONFIG: &str = r#"
api_private_targets = true

[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "people"
label = "People"
passive = "manual"

[[channel]]
id = "log"
notifier = "webhook"
config = { url = "http://127.0.0.1:9/" }

[[route]]
to = ["log"]
"#;

/// What is checked of every answer: that the host has not broken down, and that it
/// answers what the document says.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,\
                      missing_required_header,unsupported_method,ignored_auth";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_what_its_document_says() {
    let mut rig = Rig::new(CONFIG);
    let output = rig.run(&["token", "create", "test", "--scope", "admin"]);
    let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    rig.start().await;

    let served: Value = serde_json::from_str(&rig.get("/api/openapi.json").await).unwrap();
    let served = serde_json::to_string_pretty(&served).unwrap() + "\n";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let committed = root.join("docs/openapi.json");
    if std::env::var_os("WATCHKEEPER_WRITE_DOCUMENT").is_some() {
        std::fs::write(&committed, &served).unwrap();
    }
    let known = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        known == served,
        "docs/openapi.json is not what the program serves: run this test with WATCHKEEPER_WRITE_DOCUMENT=1 and look at what changed"
    );
    let page = rig.get("/api").await;
    for part in [
        "<h1 id=\"h-api\">API</h1>",
        "id=\"createMonitor\"",
        "id=\"s-MonitorConfig\"",
    ] {
        assert!(page.contains(part), "{part}");
    }

    let program = root.join("target/languages/schemathesis/bin/schemathesis");
    if Command::new(&program).arg("--version").output().is_err() {
        println!(
            "SKIPPED: schemathesis: it or python3 with venv (Debian's python3-venv) is missing; `cargo xtask test` says why"
        );
        return;
    }
    let url = format!("{}/api/openapi.json", rig.page());
    let header = format!("Authorization: Bearer {token}");
    let mut command = Command::new(&program);
    command
        .current_dir(rig.folder())
        .args(["run", &url, "--header", &header, "--checks", CHECKS])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "8",
        ])
        .args(["--workers", "2", "--seed", "1", "--no-color"])
        .args(["--suppress-health-check", "all", "--request-timeout", "30"])
        .stdin(Stdio::null());
    let tested = tokio::task::spawn_blocking(move || command.output().unwrap());
    let tested = tested.await.unwrap();
    assert_eq!(tested.status.code(), Some(0), "{}", said(&tested));
    // It is still there, and what it was.
    rig.get("/healthz").await;
    assert_eq!(rig.stop().await, Some(0));
}
