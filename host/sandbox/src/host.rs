//! What the host keeps for one run, and the gates before everything that its
//! guest can call.

pub(crate) mod dns;
pub(crate) mod errors;
mod http;
pub(crate) mod icmp;
pub(crate) mod names;
mod output;
pub(crate) mod sockets;
pub(crate) mod state;
pub(crate) mod tls;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use watchkeeper_egress::gate::{Budget, Gate, GateOptions, Limit};
use watchkeeper_egress::grants::{Denied, Why};
use watchkeeper_egress::http::Exchange;

use crate::ceiling::Ceiling;
use crate::context::Context;
use crate::description::Capability;
use crate::journal::{Journal, Level, Output};
use crate::limits::{LimitHit, fixed};
use crate::meter::Meter;
use crate::plugin::Asker;
use crate::run::{HostCall, StateSpace};
use crate::sandbox::Inner;

/// The data of a store: what one run has.
pub(crate) struct Host {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ceiling: Ceiling,
    state: state::State,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: http::Hooks,
}

/// The part of it that streams, tasks and callbacks hold too.
pub(crate) struct Shared {
    pub(crate) journal: Journal,
    pub(crate) meter: Meter,
    pub(crate) gate: Arc<Gate>,
    /// Who runs it, for the host's own log.
    pub(crate) label: String,
    /// Whose run it is, for the line that would grant something; none while it
    /// describes itself.
    plugin: Option<Arc<str>>,
    asks: Asks,
    /// The whole time of the run: what a call of the network may take at most.
    timeout: Duration,
    /// Calls of the network that have begun and not ended.
    waits: AtomicUsize,
    /// Nanoseconds of the waits that are over.
    waited: AtomicU64,
    /// Raw sockets that the guest waits for.
    awaited: Mutex<BTreeSet<Awaited>>,
    denials: Mutex<Vec<String>>,
    calls: Mutex<Vec<HostCall>>,
    /// Where the guest broke down.
    backtrace: Mutex<Vec<String>>,
}

/// A raw socket that has been asked for something and has not given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Awaited {
    /// A connection, by the socket's place in the resource table.
    Connect(u32),
    /// A datagram, by the stream's place.
    Datagram(u32),
}

/// The capabilities that a description asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Asks(u8);

impl Asks {
    fn of(capabilities: &[Capability]) -> Self {
        Self(
            capabilities
                .iter()
                .fold(0, |bits, capability| bits | 1 << *capability as u8),
        )
    }

    fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }
}

impl Host {
    pub(crate) fn new(sandbox: &Inner, asker: Asker<'_>, context: Context) -> Self {
        let Context {
            label,
            grants,
            policy,
            limits,
            timeout,
            secrets,
            state,
            ..
        } = context;
        let (plugin, asks) = match asker {
            Asker::Nobody => (None, Asks::default()),
            Asker::Plugin(description) => {
                (Some(description.name.shared()), Asks::of(&description.asks))
            }
        };
        let gate = Gate::new(GateOptions {
            grants,
            policy,
            resolver: sandbox.resolver.clone(),
            tls: sandbox.tls.clone(),
            budget: Budget {
                connections: u32::try_from(limits.connections).unwrap_or(u32::MAX),
                traffic: limits.traffic,
                body: limits.body,
                names: fixed::NAMES,
            },
        });
        let shared = Arc::new(Shared {
            journal: Journal::new(secrets, limits.log_lines, limits.log_line),
            meter: Meter::default(),
            gate,
            label,
            plugin,
            asks,
            timeout,
            waits: AtomicUsize::new(0),
            waited: AtomicU64::new(0),
            awaited: Mutex::default(),
            denials: Mutex::default(),
            calls: Mutex::default(),
            backtrace: Mutex::default(),
        });
        let mut table = ResourceTable::new();
        table.set_max_capacity(fixed::RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(fixed::HEADER_BYTES);
        // Environment, arguments and directories stay empty.
        let mut wasi = WasiCtx::builder();
        wasi.stdout(output::Written {
            shared: shared.clone(),
            output: Output::Stdout,
        })
        .stderr(output::Written {
            shared: shared.clone(),
            output: Output::Stderr,
        })
        .max_random_size(fixed::RANDOM_BYTES)
        // The interface is shadowed: this is for whoever finds a way to it.
        .allow_ip_name_lookup(false)
        .allow_tcp(true)
        .allow_udp(true)
        .socket_addr_check(sockets::check(shared.clone()));
        Self {
            hooks: http::Hooks {
                shared: shared.clone(),
                verify: tls::Verify::Required,
            },
            ceiling: Ceiling::new(&limits),
            state: state::State::new(state, limits.state),
            table,
            wasi: wasi.build(),
            http,
            shared,
        }
    }

    pub(crate) fn log_lines(&self, level: Level, text: &str) {
        self.shared.journal.log(level, text);
    }

    /// `text` as one line without secrets.
    pub(crate) fn presentable(&self, text: &str) -> String {
        self.shared.journal.presentable(text, 500)
    }

    pub(crate) fn http_exchanges(&self) -> Vec<Exchange> {
        self.shared.gate.exchanges()
    }

    /// What the run's next HTTP exchanges make of an untrusted chain.
    pub(crate) fn verify_http(&mut self, verify: tls::Verify) {
        self.hooks.verify = verify;
    }

    #[cfg(test)]
    pub(crate) fn most_resources(&self) -> usize {
        self.table.max_capacity()
    }

    /// The state to keep, if it was changed.
    pub(crate) fn into_state(self) -> Option<StateSpace> {
        self.state.into_changed()
    }

    /// Whether the plugin asked for `capability`; the refusal if not.
    fn asked(&self, capability: Capability) -> Result<(), String> {
        self.shared.asked(capability)
    }
}

impl Shared {
    /// Whether the plugin asked for `capability`. If not, says so and remembers it.
    pub(crate) fn asked(&self, capability: Capability) -> Result<(), String> {
        if self.asks.contains(capability) {
            return Ok(());
        }
        Err(self.deny(&match &self.plugin {
            Some(plugin) => format!(
                "not asked for: {plugin} used `{capability}` without asking for it; its author \
                 must add `{capability}` to what its description asks for"
            ),
            None => format!("used `{capability}` while it described itself"),
        }))
    }

    /// The sentence for a refusal of the gate, remembered.
    pub(crate) fn refused(&self, denied: &Denied) -> String {
        let remedy = denied.remedy();
        let plugin = self.plugin.as_deref().unwrap_or("NAME");
        self.deny(&match denied.why() {
            Why::NotGranted { .. } => format!("{denied}; add {remedy} under [plugins.{plugin}]"),
            _ => format!("{denied}; that takes {remedy}"),
        })
    }

    /// Remembers a refusal and logs it; gives the sentence back.
    pub(crate) fn deny(&self, sentence: &str) -> String {
        // What a guest asked for may be a secret.
        let sentence = self.journal.presentable(sentence, 500);
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < fixed::DENIALS_KEPT && !denials.contains(&sentence) {
            self.journal.log(Level::Warn, &sentence);
            denials.push(sentence.clone());
        }
        sentence
    }

    /// The first refusal of the run.
    pub(crate) fn denied(&self) -> Option<String> {
        self.denials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .cloned()
    }

    /// The first limit of the network that the run met.
    pub(crate) fn limit_hit(&self) -> Option<LimitHit> {
        self.gate.limit_hit().map(|limit| match limit {
            Limit::Connections(count) => {
                LimitHit::Connections(count.try_into().unwrap_or(usize::MAX))
            }
            Limit::Traffic(bytes) => LimitHit::Traffic(bytes),
            Limit::Body(bytes) => LimitHit::Body(bytes),
            Limit::Names(_) => LimitHit::Fixed("looked up more than 64 names"),
        })
    }

    /// What the guest may ask for: not much more time than the run has. The run's
    /// own timeout comes first, by more than a busy machine stands still, and
    /// tells a target that does not answer from a plugin that gave up.
    pub(crate) fn at_most(&self, wanted: Duration) -> Duration {
        wanted.min(self.timeout.saturating_add(Duration::from_mins(1)))
    }

    /// As [`Shared::at_most`]; no wish is all there is.
    pub(crate) fn or_all(&self, wanted: Option<Duration>) -> Duration {
        self.at_most(wanted.unwrap_or(Duration::MAX))
    }

    /// Counts as waiting on the network until dropped.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiting {
        self.waits.fetch_add(1, Ordering::Relaxed);
        Waiting {
            shared: self.clone(),
            since: Instant::now(),
        }
    }

    /// How long the guest has waited for answers that came, all together.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    pub(crate) fn await_socket(&self, socket: Awaited) {
        self.awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(socket);
    }

    pub(crate) fn settle_socket(&self, socket: Awaited) {
        self.awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&socket);
    }

    /// Whether the guest now waits for something of the network, rather than
    /// computing or sleeping.
    pub(crate) fn waits_on_network(&self) -> bool {
        !self.meter.computes()
            && (self.waits.load(Ordering::Relaxed) > 0
                || !self
                    .awaited
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_empty())
    }

    /// Remembers a call that reached for the outside.
    pub(crate) fn called(&self, what: fmt::Arguments<'_>, began: Instant, outcome: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < fixed::CALLS_KEPT {
            calls.push(HostCall {
                what: self.journal.presentable(&what.to_string(), 200),
                took: began.elapsed(),
                outcome: self.journal.presentable(outcome, 200),
            });
        }
    }

    /// Remembers where the guest broke down.
    pub(crate) fn note_backtrace(&self, frames: Vec<String>) {
        *self
            .backtrace
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = frames;
    }

    /// Where the guest broke down.
    pub(crate) fn take_backtrace(&self) -> Vec<String> {
        std::mem::take(
            &mut self
                .backtrace
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn take_calls(&self) -> Vec<HostCall> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.gate.exchanges()
    }
}

/// A call of the network that goes on.
pub(crate) struct Waiting {
    shared: Arc<Shared>,
    since: Instant,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.waits.fetch_sub(1, Ordering::Relaxed);
        let waited = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.shared.waited.fetch_add(waited, Ordering::Relaxed);
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
