//! The examples for Prometheus and Grafana, with a real Prometheus that scrapes the
//! program: every metric that they name is there, and every rule can be evaluated.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use target_server::{HttpTarget, Receiver};
use tokio::time::Instant;

use super::rig::Rig;

/// How long Prometheus may take to start and to scrape everything.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running Prometheus, killed when it is dropped.
struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Prometheus {
    fn start(folder: &Path, config: &str) -> Self {
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("tsdb").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = child.stderr.take().unwrap();
        let (send, found) = std::sync::mpsc::channel();
        // Goes on reading, so that the pipe never fills.
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let line = line.replace('"', "");
                if let Some((_, address)) = line.split_once("Listening on address=") {
                    _ = send.send(address.trim().to_owned());
                }
            }
        });
        let mut running = Self {
            child,
            address: String::new(),
        };
        running.address = found.recv_timeout(PATIENCE).expect("Prometheus listens");
        running
    }

    async fn ask(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.address);
        let deadline = Instant::now() + PATIENCE;
        loop {
            // It listens before it is ready, and says so in plain text.
            let answer = reqwest::get(&url).await.unwrap();
            if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
                return answer.json().await.unwrap();
            }
            assert!(Instant::now() < deadline, "Prometheus is not ready");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(path)
}

/// Every metric of ours that the text names.
fn names(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, mark) in text.match_indices("watchkeeper_") {
        let rest = text.get(at + mark.len()..).unwrap_or_default();
        let name: String = rest
            .chars()
            .take_while(|it| it.is_ascii_alphanumeric() || *it == '_')
            .collect();
        found.insert(format!("{mark}{name}"));
    }
    found
}

fn config(target: &HttpTarget, receiver: &Receiver) -> String {
    format!(
        "[[service]]\nid = \"shop\"\nsla = {{ target = 99 }}\n\
         [[service.monitor]]\nid = \"web\"\ntargets = [\"{}\"]\nevery = \"1s\"\n\
         [[service]]\nid = \"mail\"\n\
         [[service.monitor]]\nid = \"dead\"\ntargets = [\"tcp://127.0.0.1:1\"]\nevery = \"1s\"\nretry = {{ times = 0 }}\n\
         [[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n\
         [[route]]\nto = [\"hook\"]\n",
        target.url("/ok"),
        receiver.url("/hook"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_examples_is_scraped_and_every_rule_evaluated() {
    let is_there = |program| Command::new(program).arg("--version").output().is_ok();
    if !is_there("prometheus") || !is_there("promtool") {
        assert!(std::env::var_os("CI").is_none(), "prometheus is missing");
        println!("SKIPPED: the examples for Prometheus: Debian's prometheus is missing");
        return;
    }
    for arguments in [
        ["check", "rules", "prometheus/watchkeeper.rules.yml"],
        ["check", "config", "prometheus/prometheus.yml"],
    ] {
        let [check, what, path] = arguments;
        let output = Command::new("promtool")
            .args([check, what])
            .arg(example(path))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", super::rig::said(&output));
    }
    let local = "127.0.0.1:0".parse().unwrap();
    let target = HttpTarget::start(local).await.unwrap();
    let receiver = Receiver::start(local).await.unwrap();
    let mut rig = Rig::new(&config(&target, &receiver));
    std::fs::write(rig.plugins().join("bad.wasm"), b"x").unwrap();
    rig.start().await;
    receiver.arrived(1).await;

    // The example, with the address of the host and its rules where they lie.
    let folder = tempfile::tempdir().unwrap();
    let host = rig.page().trim_start_matches("http://").to_owned();
    let rules = std::fs::canonicalize(example("prometheus/watchkeeper.rules.yml")).unwrap();
    let text = std::fs::read_to_string(example("prometheus/prometheus.yml")).unwrap();
    let text = text
        .replace("127.0.0.1:8080", &host)
        .replace("watchkeeper.rules.yml", rules.to_str().unwrap())
        .replace("15s", "1s\n  evaluation_interval: 1s");
    let prometheus = Prometheus::start(folder.path(), &text);

    let dashboard = std::fs::read_to_string(example("grafana/watchkeeper.json")).unwrap();
    let read: Value = serde_json::from_str(&dashboard).unwrap();
    assert!(read["panels"].as_array().unwrap().len() > 20);
    let mut wanted = names(&dashboard);
    wanted.extend(names(&std::fs::read_to_string(&rules).unwrap()));
    assert!(wanted.len() > 25, "{wanted:?}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let known = prometheus.ask("/api/v1/label/__name__/values").await;
        let known = known["data"].as_array().cloned().unwrap_or_default();
        let missing: Vec<&String> = wanted
            .iter()
            .filter(|name| !known.iter().any(|it| it.as_str() == Some(name)))
            .collect();
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "never scraped: {missing:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    loop {
        let answer = prometheus.ask("/api/v1/rules").await;
        let groups = answer["data"]["groups"].as_array().unwrap();
        let rules: Vec<&Value> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .collect();
        assert!(rules.len() >= 10, "{answer}");
        assert!(rules.iter().all(|rule| rule["health"] != "err"), "{answer}");
        let firing = rules
            .iter()
            .any(|rule| rule["name"] == "ServiceDead" && rule["state"] == "firing");
        if firing && rules.iter().all(|rule| rule["health"] == "ok") {
            break;
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // What the panels ask for can be asked for.
    let panels = read["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    for target in targets {
        let query = target["expr"].as_str().unwrap();
        let query = query
            .replace("$job", ".*")
            .replace("$service", ".*")
            .replace("$__rate_interval", "1m");
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.append_pair("query", &query);
        let answer = prometheus
            .ask(&format!("/api/v1/query?{}", encoded.finish()))
            .await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
    }
}
