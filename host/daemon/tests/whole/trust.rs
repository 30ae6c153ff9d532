//! Locks and signatures: what a host loads, and what it lets go.

use std::path::{Path, PathBuf};
use std::process::Command;

use target_server::HttpTarget;

use super::rig::{Rig, built, said};

/// A key pair of Debian's `minisign`, in a folder of its own.
pub(crate) struct Keys {
    folder: tempfile::TempDir,
    /// The second line of the public key's file.
    pub(crate) public: String,
}

impl Keys {
    /// None where `minisign` is missing; that is said.
    pub(crate) fn make() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (public, secret) = (folder.path().join("key.pub"), folder.path().join("key"));
        let made = Command::new("minisign")
            .args(["-G", "-W", "-p"])
            .arg(&public)
            .arg("-s")
            .arg(&secret)
            .output();
        let Ok(made) = made else {
            println!("SKIPPED: trust: minisign (Debian's minisign) is missing");
            return None;
        };
        assert!(made.status.success(), "{}", said(&made));
        let text = std::fs::read_to_string(public).unwrap();
        Some(Self {
            folder,
            public: text.lines().nth(1).unwrap().to_owned(),
        })
    }

    /// Writes `FILE.minisig`.
    pub(crate) fn sign(&self, file: &Path) {
        let made = Command::new("minisign")
            .arg("-S")
            .arg("-s")
            .arg(self.folder.path().join("key"))
            .arg("-m")
            .arg(file)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
    }
}

/// The example probe, and the same with a section more: as good, and other bytes.
pub(crate) fn two_versions() -> [Vec<u8>; 2] {
    let first = std::fs::read(example()).unwrap();
    let mut second = first.clone();
    // A custom section (id 0) of three bytes: a name of one, and a byte.
    second.extend([0, 3, 1, b'x', 0]);
    [first, second]
}

/// The example probe of the README, as `cargo xtask test` built it.
pub(crate) fn example() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("target/examples/wasm32-wasip2/debug/hello_probe.wasm");
    assert!(
        file.exists(),
        "{} is missing: run `cargo xtask test`",
        file.display()
    );
    file
}

fn config(target: &HttpTarget, plugins: &str) -> String {
    format!(
        "[plugins]\n{plugins}\n[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"queue\"\nlabel = \"Queue\"\nprobe = \"queue-depth\"\ntargets = [\"{}\"]\nevery = \"1s\"\nconfig = {{ sick_above = 1000 }}\n",
        target.url("/json")
    )
}

async fn target() -> HttpTarget {
    HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

/// Waits until the page says that the plugin is missing, or no longer does.
async fn until_missing(rig: &Rig, missing: bool) {
    rig.until("the plugin is there or not", async || {
        let page = rig.get("/").await;
        page.contains("no plugin is called `queue-depth`") == missing
    })
    .await;
}

fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_host_loads_only_what_the_lock_names() {
    let target = target().await;
    let mut rig = Rig::new(&config(&target, "locked = true"));
    let file = rig.plugins().join("queue-depth.wasm");
    let [first, second] = two_versions();
    std::fs::write(&file, &first).unwrap();
    // Nothing is in the lock yet.
    let listed = said(&rig.run(&["plugin", "list"]));
    assert!(listed.contains("watchkeeper plugin lock"), "{listed}");
    let verified = rig.run(&["plugin", "verify"]);
    assert_ne!(verified.status.code(), Some(0), "{}", said(&verified));
    let locked = rig.run(&["plugin", "lock"]);
    assert_eq!(locked.status.code(), Some(0), "{}", said(&locked));
    let verified = rig.run(&["plugin", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    let good = sha256(&file);
    rig.start().await;
    rig.until_health("Shop", "Queue", "healthy").await;

    // Swapped: the one that was accepted goes on, and both digests are told.
    std::fs::write(&file, &second).unwrap();
    let bad = sha256(&file);
    rig.until_metric("watchkeeper_plugin_rejected{file=\"queue-depth.wasm\"")
        .await;
    let metrics = rig.get("/metrics").await;
    let words = format!("expected sha256:{good}, found sha256:{bad}");
    assert!(metrics.contains(&words), "{metrics}");
    assert_eq!(rig.health("Shop", "Queue").await, "healthy");
    let verified = rig.run(&["plugin", "verify"]);
    assert_eq!(verified.status.code(), Some(78));
    assert!(said(&verified).contains(&words), "{}", said(&verified));
    // What changed is not accepted without an answer.
    let locked = rig.run(&["plugin", "lock"]);
    assert_eq!(locked.status.code(), Some(64), "{}", said(&locked));

    // Accepted: taken over while it runs.
    let locked = rig.run(&["plugin", "lock", "--yes"]);
    assert_eq!(locked.status.code(), Some(0), "{}", said(&locked));
    rig.until("accepted", async || {
        !rig.get("/metrics").await.contains("queue-depth.wasm")
    })
    .await;
    assert_eq!(rig.health("Shop", "Queue").await, "healthy");

    // No longer named: let go of.
    std::fs::write(rig.lock(), "").unwrap();
    until_missing(&rig, true).await;
    // A lock that cannot be read lets nothing in.
    std::fs::write(rig.lock(), "[[plugin]]\nnmae = 1\n").unwrap();
    let listed = said(&rig.run(&["plugin", "list"]));
    assert!(listed.contains("is wrong in line 2"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_trusted_keys_a_file_needs_a_signature() {
    let Some((keys, others)) = Keys::make().zip(Keys::make()) else {
        return;
    };
    let target = target().await;
    let trusting = format!("trusted_keys = [\"{}\"]", keys.public);
    let mut rig = Rig::new(&config(&target, &trusting));
    let file = rig.plugins().join("queue-depth.wasm");
    std::fs::copy(example(), &file).unwrap();
    let reason = |rig: &Rig| said(&rig.run(&["plugin", "list"]));
    let listed = reason(&rig);
    assert!(listed.contains("is not signed"), "{listed}");
    others.sign(&file);
    let listed = reason(&rig);
    assert!(
        listed.contains("not among `[plugins] trusted_keys`"),
        "{listed}"
    );
    keys.sign(&file);
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, two_versions()[1].as_slice()).unwrap();
    let listed = reason(&rig);
    assert!(listed.contains("does not fit the file"), "{listed}");
    std::fs::write(
        rig.plugins().join("queue-depth.wasm.minisig"),
        "no signature",
    )
    .unwrap();
    let listed = reason(&rig);
    assert!(listed.contains("is no minisign signature"), "{listed}");

    std::fs::write(&file, good).unwrap();
    keys.sign(&file);
    let listed = reason(&rig);
    assert!(listed.contains("signed"), "{listed}");
    assert!(!listed.contains("not loaded"), "{listed}");
    let inspected = said(&rig.run(&["plugin", "inspect", file.to_str().unwrap()]));
    assert!(
        inspected.contains(&format!("by {}, which is trusted", keys.public)),
        "{inspected}"
    );
    rig.start().await;
    rig.until_health("Shop", "Queue", "healthy").await;
    // The key is no longer trusted: what it signed goes, while the host runs.
    rig.configure(&config(
        &target,
        &format!("trusted_keys = [\"{}\"]", others.public),
    ));
    until_missing(&rig, true).await;
    others.sign(&file);
    until_missing(&rig, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_granted_and_denied_is_shown() {
    let mut rig = Rig::new("");
    let hostile = super::rig::guest("hostile");
    std::fs::write(rig.plugins().join("hostile.wasm"), hostile).unwrap();
    let listed = said(&rig.run(&["plugin", "list"]));
    let line = listed
        .lines()
        .find(|line| line.starts_with(" hostile") || line.starts_with("hostile"))
        .unwrap_or_else(|| panic!("{listed}"));
    assert!(
        line.contains("http, tcp, udp, icmp, dns, tls, state, api.example.com:443"),
        "{line}"
    );
    assert!(
        listed.contains("[plugins.hostile]\n  allow = [\"api.example.com:443\"]"),
        "{listed}"
    );
    let json = |rig: &Rig| -> serde_json::Value {
        let output = rig.run(&["--json", "plugin", "list"]);
        let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let plugins = all["plugins"].as_array().unwrap();
        plugins
            .iter()
            .find(|each| each["name"] == "hostile")
            .unwrap()
            .clone()
    };
    let entry = json(&rig);
    assert_eq!(
        entry["denied"]["hosts"][0], "api.example.com:443",
        "{entry}"
    );
    assert!(
        entry["granted"]["hosts"].as_array().unwrap().is_empty(),
        "{entry}"
    );
    rig.configure("[plugins.hostile]\nallow = [\"*.example.com:443\", \"db:5432\"]\n");
    let entry = json(&rig);
    assert!(
        entry["denied"]["hosts"].as_array().unwrap().is_empty(),
        "{entry}"
    );
    assert_eq!(entry["granted"]["beyond"][0], "db:5432", "{entry}");
    // The bundled plugins get what they declare.
    let inspected = said(&rig.run(&["plugin", "inspect", "http"]));
    assert!(inspected.contains("denied       nothing"), "{inspected}");
    assert!(built("http").exists());
    rig.configure("");
    rig.start().await;
    rig.until_log("plugin loaded", "denied", "api.example.com:443")
        .await;
}
