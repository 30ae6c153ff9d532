//! An author's first hour: from `plugin new` to a probe that is live.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;

use target_server::HttpTarget;

use super::rig::{PATIENCE, Rig, built, said};
use super::trust::example;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A project as `plugin new` made it.
struct Project {
    folder: PathBuf,
    name: &'static str,
}

impl Project {
    fn new(rig: &Rig, name: &'static str, more: &[&str]) -> Self {
        let made = rig.run(&[&["plugin", "new", "--lang", "rust", name], more].concat());
        assert_eq!(made.status.code(), Some(0), "{}", said(&made));
        let folder = rig.folder().join(name);
        // The versions that are there already: tests ask no registry.
        std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { folder, name }
    }

    /// Runs cargo as its author would, but for the target folder, which shares what
    /// is compiled with the example.
    fn cargo(&self, arguments: &[&str]) {
        let output = Command::new("cargo")
            .current_dir(&self.folder)
            .args(arguments)
            .env("CARGO_TARGET_DIR", root().join("target/examples"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }

    fn component(&self) -> PathBuf {
        let file = format!("{}.wasm", self.name.replace('-', "_"));
        root()
            .join("target/examples/wasm32-wasip2/debug")
            .join(file)
    }

    /// What `plugin test` says of it.
    fn test(&self, rig: &Rig, more: &[&str]) -> (Option<i32>, String) {
        let (component, tests) = (self.component(), self.folder.join("tests"));
        let arguments = [
            &[
                "plugin",
                "test",
                component.to_str().unwrap(),
                "--tests",
                tests.to_str().unwrap(),
            ],
            more,
        ]
        .concat();
        let output = rig.run(&arguments);
        (output.status.code(), said(&output))
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_probe_builds_passes_its_tests_and_goes_live() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = Rig::new(&format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"queue\"\nlabel = \"Queue\"\nprobe = \"long-queue\"\ntargets = [\"{}\"]\nevery = \"1s\"\nconfig = {{ sick_above = 1000 }}\n",
        target.url("/json")
    ));
    let project = Project::new(&rig, "long-queue", &[]);
    project.cargo(&["fmt", "--check"]);
    project.cargo(&["test"]);
    project.cargo(&["build", "--target", "wasm32-wasip2"]);
    let (code, printed) = project.test(&rig, &[]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("6 passed, 0 failed"), "{printed}");

    // Live.
    let component = project.component();
    let installed = rig.run(&["plugin", "install", component.to_str().unwrap()]);
    assert_eq!(installed.status.code(), Some(0), "{}", said(&installed));
    rig.start().await;
    rig.until_health("Shop", "Queue", "healthy").await;
    target.set_depth(5_000);
    rig.until_health("Shop", "Queue", "sick").await;

    // A table that expects something else: what and what not.
    project.change("tests/behaviour.toml", "101 jobs are waiting", "many jobs");
    let (code, printed) = project.test(&rig, &[]);
    assert_eq!(code, Some(1), "{printed}");
    for words in [
        "FAIL  a long queue is sick",
        "reason: expected \"many jobs\", found \"101 jobs are waiting\"",
        "measured  jobs-waiting = 101 jobs",
        "request   GET /queue",
        "5 passed, 1 failed",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    let (code, printed) = project.test(&rig, &["--only", "short", "--json"]);
    assert_eq!(code, Some(0), "{printed}");
    let results: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(results.as_array().unwrap().len(), 1);
    project.change(
        "tests/behaviour.toml",
        "http = [{ status = 503 }]",
        "http = [{ stauts = 503 }]",
    );
    let (code, printed) = project.test(&rig, &[]);
    assert_eq!(code, Some(78), "{printed}");
    assert!(
        printed.contains("behaviour.toml:") && printed.contains("stauts"),
        "{printed}"
    );

    // Where it breaks down is said with the author's own names.
    project.change(
        "src/lib.rs",
        "let waiting =",
        "assert!(depth < 4000.0, \"too deep for me\");\n    let waiting =",
    );
    project.cargo(&["build", "--target", "wasm32-wasip2"]);
    let url = target.url("/json");
    let arguments = [
        "plugin",
        "run",
        component.to_str().unwrap(),
        "--target",
        &url,
        "--set",
        "sick_above=1",
    ];
    let ran = rig.run(&arguments);
    let printed = said(&ran);
    assert_eq!(ran.status.code(), Some(3), "{printed}");
    for words in ["too deep for me", "src/lib.rs:", "long_queue::judge"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_notifier_builds_and_passes_its_tests() {
    let rig = Rig::new("");
    let sdk = root().join("sdk/rust");
    let project = Project::new(
        &rig,
        "post-it",
        &["--notifier", "--sdk", sdk.to_str().unwrap()],
    );
    project.cargo(&["fmt", "--check"]);
    project.cargo(&["build", "--target", "wasm32-wasip2"]);
    let (code, printed) = project.test(&rig, &[]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("4 passed, 0 failed"), "{printed}");
    // The same folder again.
    let again = rig.run(&["plugin", "new", "post-it"]);
    assert_eq!(again.status.code(), Some(64), "{}", said(&again));
    let wrong = rig.run(&["plugin", "new", "Post_It"]);
    assert_eq!(wrong.status.code(), Some(64), "{}", said(&wrong));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_of_a_server_can_be_written_down() {
    let rig = Rig::new("");
    let table = rig.folder().join("table.toml");
    std::fs::write(
        &table,
        r#"
[[test]]
name = "one answer after the other"
target = "http://{http}/a"
http = [{ status = 302, headers = { location = "/b" } }, { path = "/b", body = "ok" }]
expect = { health = "healthy", calls = ["http GET", "http GET"], requests = [{ path = "/a" }, { path = "/b" }] }

[[test]]
name = "closed without an answer"
target = "http://{http}/"
http = [{ close = true }]
expect = { health = "dead" }

[[test]]
name = "no HTTP at all"
target = "http://{http}/"
http = [{ garbage = "SSH-2.0-OpenSSH\r\n" }]
expect = { health = "dead", reason = { contains = "not an HTTP response" } }

[[test]]
name = "too late"
target = "http://{http}/"
timeout = "500ms"
http = [{ delay = "60s" }]
expect = { health = "dead", reason = { contains = "no answer in" } }

[[test]]
name = "not granted"
target = "http://{http}/"
http = [{ status = 302, headers = { location = "http://{closed}/" } }]
expect = { health = "denied", reason = { contains = "allow = [" } }

[[test]]
name = "nobody there"
target = "http://{closed}/"
expect = { health = "dead", reason = "connection refused" }
"#,
    )
    .unwrap();
    let run = |plugin: &str, table: &Path| {
        let output = rig.run(&["plugin", "test", plugin, "--tests", table.to_str().unwrap()]);
        (output.status.code(), said(&output))
    };
    let (code, printed) = run(built("http").to_str().unwrap(), &table);
    assert_eq!(code, Some(0), "{printed}");
    std::fs::write(
        &table,
        r#"
[[test]]
name = "a banner and an exchange"
target = "tcp://{tcp}"
config = { send = "PING\r\n", expect = { contains = "PONG" } }
tcp = [{ expect = "PING" }, { delay = "10ms", send = "+PONG\r\n" }, { close = true }]
expect = { health = "healthy", received = ["PING"] }

[[test]]
name = "silence"
target = "tcp://{tcp}"
timeout = "500ms"
config = { expect = { contains = "PONG" } }
expect = { health = "dead" }

[[test]]
name = "a connection is enough"
target = "tcp://{tcp}"
expect = { health = "sick" }
"#,
    )
    .unwrap();
    let (code, printed) = run("tcp", &table);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("2 passed, 1 failed"), "{printed}");
    assert!(
        printed.contains("health: expected sick, found healthy"),
        "{printed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_is_run_again_when_it_changes() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let rig = Rig::new("");
    let file = rig.folder().join("watched.wasm");
    std::fs::copy(example(), &file).unwrap();
    let url = target.url("/json");
    let mut child = rig.spawn(&[
        "plugin",
        "run",
        "watched.wasm",
        "--watch",
        "--target",
        &url,
        "--set",
        "sick_above=10",
    ]);
    let output = BufReader::new(child.0.stdout.take().unwrap());
    let (told, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            _ = told.send(line);
        }
    });
    let until = |part: &str| {
        loop {
            let line = lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("never: {part}"));
            if line.contains(part) {
                return;
            }
        }
    };
    until("healthy");
    target.set_depth(11);
    std::fs::write(&file, &super::trust::two_versions()[1]).unwrap();
    until("changed");
    until("sick");
}
