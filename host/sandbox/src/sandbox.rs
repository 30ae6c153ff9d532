//! The sandbox: one engine, one linker, one pool, and the plugins loaded into it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use watchkeeper_egress::resolver::Resolver;
use watchkeeper_egress::tls::Tls;

use crate::api::{self, Bound, Mismatch};
use crate::compiler::{Compiler, Failure, Pace};
use crate::description::Untrue;
use crate::engine::{self, Ticker};
use crate::host::Host;
use crate::plugin::{Loaded, Plugin};
use crate::run::Fault;

/// The largest component, in bytes. Interpreters compiled to WebAssembly have up
/// to twenty MiB.
pub const MAX_COMPONENT: usize = 64 << 20;

/// The most instances that can live at once. The kernel's default of 65,530
/// mappings to a process is met at 10,367 instances, and the host needs some of
/// them for other things.
pub const MAX_CONCURRENCY: usize = 8_000;

/// How long a load waits for the compiler. An interpreter of eighteen MiB takes
/// about fifteen seconds of processor time.
const COMPILE_DEADLINE: Duration = Duration::from_mins(5);

/// How many compilations that were not done in time may go on behind: each keeps
/// its threads and its memory until the process ends. One is an accident; with
/// more, somebody makes them.
const MOST_LEFT_BEHIND: usize = 3;

/// The share of all instances that one plugin can hold, in percent: one whose
/// targets all hang must leave room for the others.
const PLUGIN_SHARE: usize = 75;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that keeps compiled code, made and kept private to this user;
    /// none: every start compiles again. Whoever can write to it can run code as
    /// the host.
    pub cache: Option<PathBuf>,
    /// Instances that live at once at most; more runs wait their turn. At most
    /// [`MAX_CONCURRENCY`] counts.
    pub concurrency: usize,
    /// What looks up names for the plugins.
    pub resolver: Resolver,
    /// What trusts certificates for them.
    pub tls: Tls,
    /// Whether a run that breaks down says where in its source; see
    /// [`Run::backtrace`](crate::Run::backtrace). For authors: it costs time.
    pub backtraces: bool,
}

impl Settings {
    /// A thousand instances, no cache, no backtraces.
    pub fn new(resolver: Resolver, tls: Tls) -> Self {
        Self {
            cache: None,
            concurrency: 1_000,
            resolver,
            tls,
            backtraces: false,
        }
    }
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the sandbox: {0}")]
pub struct SetupError(String);

/// Why a file is no plugin. One line, for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file.
    #[error("has {} MiB, more than {} MiB", size >> 20, MAX_COMPONENT >> 20)]
    TooBig {
        /// Bytes.
        size: usize,
    },
    /// The file.
    #[error("is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// The component.
    #[error("{0}")]
    Contract(String),
    /// The component imports what no plugin gets.
    #[error("imports `{0}`, which no plugin is given")]
    Import(String),
    /// The component.
    #[error("cannot be compiled: {0}")]
    Compile(String),
    /// The component takes longer than [`LoadError`] has patience for. Its
    /// compilation goes on and cannot be ended.
    #[error("was not compiled within {} s", COMPILE_DEADLINE.as_secs())]
    CompileTime,
    /// Other components, whose compilation goes on though nobody waits for it.
    #[error(
        "cannot be compiled: {} others were never done; remove them and restart",
        MOST_LEFT_BEHIND + 1
    )]
    CompilersStuck,
    /// What it says of itself.
    #[error(transparent)]
    Untrue(#[from] Untrue),
    /// It says nothing of itself.
    #[error("does not describe itself: {0}")]
    Describe(Fault),
}

/// Where plugins are loaded and run. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

/// What every plugin of a sandbox shares.
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    linker: Linker<Host>,
    pub(crate) resolver: Resolver,
    pub(crate) tls: Tls,
    concurrency: usize,
    /// One permit for each instance that may live.
    pub(crate) instances: Arc<Semaphore>,
    compiler: Compiler,
    _ticker: Ticker,
}

impl Sandbox {
    /// Sets up the engine and its pool, and starts the clock that interrupts
    /// guests; that ends with the last clone of the sandbox and of its plugins.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        Self::linked(settings, |_| Ok(()))
    }

    /// As [`Sandbox::new`], with a linker that `change` has changed.
    pub(crate) fn linked(
        settings: Settings,
        change: impl FnOnce(&mut Linker<Host>) -> wasmtime::Result<()>,
    ) -> Result<Self, SetupError> {
        let concurrency = settings.concurrency.clamp(1, MAX_CONCURRENCY);
        let slots = u32::try_from(concurrency).unwrap_or(u32::MAX);
        let set_up = || -> wasmtime::Result<Inner> {
            let engine = engine::new(slots, settings.cache.as_deref(), settings.backtraces)?;
            let mut linker = linker(&engine)?;
            change(&mut linker)?;
            Ok(Inner {
                linker,
                _ticker: Ticker::start(&engine)?,
                engine,
                resolver: settings.resolver,
                tls: settings.tls,
                concurrency,
                instances: Arc::new(Semaphore::new(concurrency)),
                compiler: Compiler::new(COMPILE_DEADLINE, MOST_LEFT_BEHIND),
            })
        };
        match set_up() {
            Ok(inner) => Ok(Self {
                inner: Arc::new(inner),
            }),
            Err(error) => Err(SetupError(format!("{error:#}"))),
        }
    }

    /// Makes a plugin of a component: checks that it is one and fits the
    /// contract, compiles it (on threads of its own), and asks it, with nothing
    /// granted, what it is.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
        self.load_at(Pace::Urgent, bytes).await
    }

    /// As [`load`](Self::load), for a component that nobody needs yet: compiled with
    /// what everything else leaves of the processors, while [`load`](Self::load)
    /// does not wait for it.
    pub async fn load_idly(&self, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
        self.load_at(Pace::Idle, bytes).await
    }

    async fn load_at(&self, pace: Pace, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
        if bytes.len() > MAX_COMPONENT {
            return Err(LoadError::TooBig { size: bytes.len() });
        }
        let compiled = self.compile(pace, bytes).await?;
        let share = (self.inner.concurrency * PLUGIN_SHARE).div_ceil(100);
        Plugin::describe(
            self.inner.clone(),
            compiled,
            Arc::new(Semaphore::new(share)),
        )
        .await
    }

    /// Instances that live now.
    pub fn live(&self) -> usize {
        self.inner.concurrency - self.inner.instances.available_permits()
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    async fn compile(&self, pace: Pace, bytes: Vec<u8>) -> Result<Loaded, LoadError> {
        let inner = self.inner.clone();
        let compiled = self
            .inner
            .compiler
            .run(pace, move || compile(&inner, &bytes))
            .await;
        match compiled {
            Ok(compiled) => compiled,
            Err(Failure::TimedOut) => Err(LoadError::CompileTime),
            Err(Failure::Stuck) => Err(LoadError::CompilersStuck),
            Err(Failure::Panicked) => Err(LoadError::Compile("the compiler panicked".to_owned())),
            Err(Failure::NoThreads) => {
                Err(LoadError::Compile("the system gives no threads".to_owned()))
            }
        }
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    api::add_to_linker(&mut linker)?;
    // The same interfaces again, with a gate before them.
    linker.allow_shadowing(true);
    crate::host::errors::add_to_linker(&mut linker)?;
    crate::host::names::add_to_linker(&mut linker)?;
    crate::host::sockets::add_to_linker(&mut linker)?;
    linker.allow_shadowing(false);
    Ok(linker)
}

fn compile(inner: &Inner, bytes: &[u8]) -> Result<Loaded, LoadError> {
    check_preamble(bytes)?;
    let component = Component::from_binary(&inner.engine, bytes)
        .map_err(|error| LoadError::Compile(one_line(&error)))?;
    let shape = component.component_type();
    let exports: Vec<&str> = shape.exports(&inner.engine).map(|(name, _)| name).collect();
    let contract = api::version_of(&exports)
        .map_err(|mismatch| in_words(&mismatch))?
        .to_owned();
    let imports: Vec<String> = shape
        .imports(&inner.engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    for import in &imports {
        if let Some(built_for) = api::foreign_version(import) {
            return Err(in_words(&Mismatch::Version {
                built_for: built_for.to_owned(),
            }));
        }
        if !is_given(import) {
            return Err(LoadError::Import(import.clone()));
        }
    }
    let pre = inner.linker.instantiate_pre(&component).map_err(|error| {
        LoadError::Contract(format!("does not fit the host: {}", one_line(&error)))
    })?;
    let bound = Bound::new(pre, &exports).map_err(|mismatch| in_words(&mismatch))?;
    Ok(Loaded {
        bound,
        contract,
        imports,
        size: bytes.len(),
        sha256: Sha256::digest(bytes).into(),
    })
}

/// What a component's first eight bytes say: the magic number, then a version and
/// a layer (0 a core module, 1 a component).
fn check_preamble(bytes: &[u8]) -> Result<(), LoadError> {
    let problem = match bytes.get(..8) {
        Some(b"\0asm\x01\0\0\0") => "it is a core module; build it for wasm32-wasip2",
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => return Ok(()),
        Some([0, b'a', b's', b'm', ..]) => "of a version that this host does not know",
        _ if bytes.starts_with(b"(component") || bytes.starts_with(b"(module") => {
            "it is WebAssembly's text format"
        }
        _ => "it does not begin as one",
    };
    Err(LoadError::NotAComponent(problem.to_owned()))
}

/// Whether plugins are given the interface that `import` names. Functions and
/// types outside an interface are of nobody's contract.
fn is_given(import: &str) -> bool {
    const PACKAGES: [&str; 8] = [
        "watchkeeper:plugin/",
        "wasi:cli/",
        "wasi:clocks/",
        "wasi:filesystem/",
        "wasi:http/",
        "wasi:io/",
        "wasi:random/",
        "wasi:sockets/",
    ];
    // Receiving requests is not reaching out.
    PACKAGES.iter().any(|package| import.starts_with(package))
        && !import.starts_with("wasi:http/incoming-handler")
}

fn in_words(mismatch: &Mismatch) -> LoadError {
    LoadError::Contract(mismatch.to_string())
}

/// The causes of `error` on one line of bounded length: it quotes the component.
fn one_line(error: &wasmtime::Error) -> String {
    let words = format!("{error:#}");
    let line: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preamble_says_what_a_file_is() {
        for (bytes, said) in [
            (&b""[..], "it does not begin as one"),
            (b"\x7fELF\x02\x01\x01\0", "it does not begin as one"),
            (
                b"\0asm\x01\0\0\0",
                "it is a core module; build it for wasm32-wasip2",
            ),
            (
                b"\0asm\x0d\0\x02\0",
                "of a version that this host does not know",
            ),
            (b"(component)", "it is WebAssembly's text format"),
        ] {
            let error = check_preamble(bytes).unwrap_err().to_string();
            assert_eq!(error, format!("is not a WebAssembly component: {said}"));
        }
        assert!(check_preamble(b"\0asm\x0d\0\x01\0").is_ok());
    }

    #[test]
    fn only_known_packages_are_given() {
        assert!(is_given("wasi:io/poll@0.2.9"));
        assert!(is_given("wasi:http/outgoing-handler@0.2.12"));
        for import in [
            "wasi:http/incoming-handler@0.2.0",
            "wasi:keyvalue/store@0.2.0",
            "env",
            "wasi:clivet/x",
        ] {
            assert!(!is_given(import), "{import}");
        }
    }
}
