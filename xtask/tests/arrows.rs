//! The walls between the crates: *the engine does no I/O*; *only the sandbox knows
//! wasmtime*; *a plugin knows only the SDK*. Read from what cargo resolves, so that
//! no arrow can be drawn by way of a third crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The first release with `Store::set_max_component_handles`; an older one lets a guest
/// exhaust the host's memory with handles.
const OLDEST_WASMTIME: [u64; 3] = [48, 0, 8];

const ENGINE: &str = "watchkeeper-engine";
const SANDBOX: &str = "watchkeeper-sandbox";
const SDK: &str = "watchkeeper-sdk";

/// What is reached when a program is built, as opposed to when it is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    All,
    Shipped,
}

struct Package {
    id: String,
    name: String,
    version: String,
    /// Below the workspace, with forward slashes; `None` for what comes from a registry.
    folder: Option<String>,
    /// Names as written in the manifest.
    declared: BTreeSet<String>,
}

struct Workspace {
    packages: BTreeMap<String, Package>,
    /// From id to (id, whether it is reached for tests only).
    edges: BTreeMap<String, Vec<(String, bool)>>,
}

#[test]
fn the_engine_depends_on_nothing() {
    let workspace = Workspace::read();
    assert_eq!(workspace.reached(ENGINE, Kinds::Shipped), BTreeSet::new());
}

#[test]
fn only_the_sandbox_knows_wasmtime() {
    let workspace = Workspace::read();
    for package in workspace
        .members()
        .filter(|package| package.name != SANDBOX)
    {
        let direct: Vec<_> = package
            .declared
            .iter()
            .filter(|name| name.starts_with("wasmtime"))
            .collect();
        assert!(direct.is_empty(), "{} depends on {direct:?}", package.name);
    }
    for name in ["egress", "config", "store", "web"].map(|name| format!("watchkeeper-{name}")) {
        let reached = workspace.reached(&name, Kinds::Shipped);
        let wasm: Vec<_> = reached
            .iter()
            .filter(|reached| *reached == SANDBOX || reached.starts_with("wasmtime"))
            .collect();
        assert!(wasm.is_empty(), "{name} reaches {wasm:?}");
    }
}

#[test]
fn page_store_and_configuration_know_nothing_of_each_other() {
    let workspace = Workspace::read();
    let crates = ["config", "store", "web", "egress"].map(|name| format!("watchkeeper-{name}"));
    for one in &crates {
        let reached = workspace.reached(one, Kinds::Shipped);
        for other in crates.iter().filter(|other| *other != one) {
            assert!(!reached.contains(other), "{one} reaches {other}");
        }
    }
}

#[test]
fn a_plugin_knows_only_the_sdk() {
    let workspace = Workspace::read();
    let ours: BTreeSet<_> = workspace
        .members()
        .map(|package| package.name.clone())
        .collect();
    let mut seen = 0;
    for package in workspace.members() {
        if package
            .folder
            .as_deref()
            .is_some_and(|folder| folder.starts_with("plugins/"))
        {
            seen += 1;
            let known: Vec<_> = package.declared.intersection(&ours).collect();
            assert_eq!(known, [SDK], "{}", package.name);
        }
    }
    assert!(seen > 0, "no plugins found");
}

#[test]
fn the_sdk_knows_nothing_of_the_host() {
    let workspace = Workspace::read();
    let reached = workspace.reached(SDK, Kinds::All);
    let host: Vec<_> = workspace
        .members()
        .filter(|package| {
            package
                .folder
                .as_deref()
                .is_some_and(|folder| folder.starts_with("host/"))
        })
        .filter(|package| reached.contains(&package.name))
        .map(|package| &package.name)
        .collect();
    assert!(host.is_empty(), "{host:?}");
}

#[test]
fn wasmtime_is_recent_enough_and_there_is_one_tls() {
    let workspace = Workspace::read();
    let versions = |name: &str| {
        let named = workspace
            .packages
            .values()
            .filter(|package| package.name == name);
        named
            .map(|package| package.version.clone())
            .collect::<Vec<_>>()
    };
    for name in ["wasmtime", "wasmtime-wasi", "wasmtime-wasi-http"] {
        let found = versions(name);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        for version in found {
            let numbers: Vec<u64> = version
                .split(['.', '-', '+'])
                .take(3)
                .map(|number| number.parse().expect("cargo writes numbers"))
                .collect();
            assert!(
                numbers.as_slice() >= OLDEST_WASMTIME.as_slice(),
                "{name} {version}"
            );
        }
    }
    for name in ["openssl-sys", "native-tls", "aws-lc-sys"] {
        assert!(
            versions(name).is_empty(),
            "{name} is in the lock file; TLS is rustls with ring"
        );
    }
}

#[test]
fn every_member_follows_the_lints_of_the_workspace() {
    let workspace = Workspace::read();
    let root = root();
    for package in workspace.members() {
        let folder = package
            .folder
            .as_deref()
            .expect("a member lies in the workspace");
        let manifest = root.join(folder).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("cargo has read it too");
        let text: String = text.split_whitespace().collect();
        assert!(
            text.contains("[lints]workspace=true"),
            "{}",
            manifest.display()
        );
    }
}

impl Workspace {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .current_dir(root())
            .args(["metadata", "--format-version", "1", "--locked"])
            // What is built here: crates for other systems may not have been downloaded.
            .args([
                "--filter-platform",
                "host-tuple",
                "--filter-platform",
                "wasm32-wasip2",
            ])
            .output()
            .expect("cargo starts");
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo metadata: {problem}");
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
        let folder = text(&metadata["workspace_root"]);
        let packages = list(&metadata["packages"])
            .map(|package| Package::read(package, &folder))
            .map(|package| (package.id.clone(), package))
            .collect();
        let edges = list(&metadata["resolve"]["nodes"])
            .map(|node| (text(&node["id"]), list(&node["deps"]).map(edge).collect()))
            .collect();
        Self { packages, edges }
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .values()
            .filter(|package| package.folder.is_some())
    }

    /// The names of all packages that the member `name` leads to.
    fn reached(&self, name: &str, kinds: Kinds) -> BTreeSet<String> {
        let start = self.members().find(|package| package.name == name);
        let start = start.unwrap_or_else(|| panic!("no member is called {name}"));
        let mut reached = BTreeSet::new();
        let mut ahead = vec![&start.id];
        while let Some(id) = ahead.pop() {
            for (next, only_tests) in self.edges.get(id).into_iter().flatten() {
                // What a dependency needs for its own tests is never built.
                let skipped = *only_tests && (kinds == Kinds::Shipped || *id != start.id);
                if !skipped && reached.insert(next) {
                    ahead.push(next);
                }
            }
        }
        reached
            .into_iter()
            .map(|id| self.packages[id].name.clone())
            .collect()
    }
}

impl Package {
    fn read(package: &Value, workspace: &str) -> Self {
        let manifest = text(&package["manifest_path"]);
        let folder = package["source"].is_null().then(|| {
            let folder = Path::new(&manifest)
                .parent()
                .expect("a manifest lies in a folder");
            let folder = folder
                .strip_prefix(workspace)
                .expect("a member lies in the workspace");
            folder.to_string_lossy().replace('\\', "/")
        });
        Self {
            id: text(&package["id"]),
            name: text(&package["name"]),
            version: text(&package["version"]),
            folder,
            declared: list(&package["dependencies"])
                .map(|one| text(&one["name"]))
                .collect(),
        }
    }
}

fn edge(dependency: &Value) -> (String, bool) {
    let only_tests = list(&dependency["dep_kinds"]).all(|kind| kind["kind"] == "dev");
    (text(&dependency["pkg"]), only_tests)
}

fn text(value: &Value) -> String {
    value.as_str().expect("cargo writes text here").to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("cargo writes a list here").iter()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}
