//! What all tests of a process share: a runtime, a sandbox, names, an authority.

use std::collections::HashMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use target_server::{Authority, DnsTarget, Entry, Zone};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_egress::tls::Tls;
use watchkeeper_sandbox::{Plugin, Sandbox, Settings};

use crate::ANY;

/// Servers and connections outlive single tests, so that the runtime does too.
static RIG: LazyLock<Rig> = LazyLock::new(Rig::set_up);

struct Rig {
    runtime: Runtime,
    sandbox: Sandbox,
    authority: Arc<Authority>,
    plugins: Mutex<HashMap<String, Plugin>>,
    /// What the sandbox's resolver asks.
    _names: DnsTarget,
}

/// Runs a test to its end.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    RIG.runtime.block_on(test)
}

/// The authority whose root the sandbox trusts.
pub fn authority() -> Arc<Authority> {
    Arc::clone(&RIG.authority)
}

/// The bundled plugin of that name.
///
/// # Panics
///
/// If it was not built or does not load.
pub async fn load(name: &str) -> Plugin {
    let mut plugins = RIG.plugins.lock().await;
    if let Some(plugin) = plugins.get(name) {
        return plugin.clone();
    }
    let path = folder().join(format!("{name}.wasm"));
    let bytes = fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}: run `cargo xtask plugins`", path.display());
    });
    let plugin = match RIG.sandbox.load(bytes).await {
        Ok(plugin) => plugin,
        Err(error) => panic!("{name} {error}"),
    };
    plugins.insert(name.to_owned(), plugin.clone());
    plugin
}

/// The names of all bundled plugins, sorted.
///
/// # Panics
///
/// If none was built.
pub fn bundled() -> Vec<String> {
    let folder = folder();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}: run `cargo xtask plugins`", folder.display());
    });
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(name.strip_suffix(".wasm")?.to_owned())
        })
        .collect();
    assert!(!names.is_empty(), "run `cargo xtask plugins`");
    names.sort();
    names
}

/// Where `cargo xtask plugins` puts them.
fn folder() -> PathBuf {
    target_folder().join("plugins")
}

fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

impl Rig {
    fn set_up() -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let authority = Arc::new(Authority::new().expect("keys can be made"));
        let names = runtime
            .block_on(DnsTarget::start(ANY, zone()))
            .expect("a name server starts");
        let resolver = Resolver::new(ResolverOptions {
            servers: vec![names.address()],
            timeout: Duration::from_secs(1),
        });
        let resolver = resolver.expect("a resolver with its own servers reads no files");
        let tls = Tls::new(vec![authority.der()]).expect("the root is a certificate");
        let settings = Settings {
            // What one process compiled the others load.
            cache: Some(target_folder().join("plugin-tests-cache")),
            concurrency: 16,
            ..Settings::new(resolver, tls)
        };
        let sandbox = {
            let _inside = runtime.enter();
            Sandbox::new(settings).expect("the sandbox can be set up")
        };
        Self {
            runtime,
            sandbox,
            authority,
            plugins: Mutex::default(),
            _names: names,
        }
    }
}

/// `here.test` leads to this machine; `gone.test` does not exist, `broken.test`
/// cannot be looked up, and of `silent.test` nothing is heard.
fn zone() -> Zone {
    Zone::new()
        .with_a("here.test", &[Ipv4Addr::LOCALHOST])
        .with("gone.test", Entry::NxDomain)
        .with("broken.test", Entry::ServFail)
        .with("silent.test", Entry::Silent)
}
