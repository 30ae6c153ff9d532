//! A loaded plugin, and the runs of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmtime::{Store, UpdateDeadline};
use watchkeeper_egress::address::AddressPolicy;
use watchkeeper_egress::reason::duration;

use crate::api::{Bound, Question, RawFailure, RawFault, RawProblem, RawReading};
use crate::context::{Check, Context, Notify};
use crate::description::{Description, Kind};
use crate::ending::{Ending, Hindrance, drive};
use crate::host::Host;
use crate::limits::{LimitHit, Limits, fixed};
use crate::run::{
    CheckOutcome, Fault, Measurement, NotifyOutcome, Reading, Run, StateSpace, Verdict,
};
use crate::sandbox::{Inner, LoadError};
use crate::scrub::Scrubber;
use crate::turn::Turn;

/// How long a plugin has to describe itself. Its processor time is bounded much
/// lower; this is long so that a busy machine refuses no honest plugin.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a plugin has to look at a configuration.
const VALIDATE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many complaints about one configuration are heard.
pub const MAX_COMPLAINTS: usize = 50;

/// The longest pointer of a complaint, in characters; the rest is cut off.
const MAX_POINTER: usize = 500;

/// What a plugin has against a configuration that its schema accepts. Its words are
/// free of secrets and of what would steer a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The value to blame: a JSON pointer (RFC 6901); empty: the whole. As the plugin
    /// says it: it need not lead anywhere.
    pub pointer: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: Option<String>,
    /// Where in the value, if that is a text: line and column, from 1.
    pub position: Option<(usize, usize)>,
}

/// A plugin: compiled, checked and described. Cheap to clone; what runs goes on
/// when the last clone is dropped.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Parts>,
}

struct Parts {
    sandbox: Arc<Inner>,
    loaded: Loaded,
    description: Description,
    kind: Kind,
    /// One permit for each instance that this plugin may have.
    instances: Arc<Semaphore>,
}

/// A component that fits the contract.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) bound: Bound,
    pub(crate) contract: String,
    pub(crate) imports: Vec<String>,
    pub(crate) size: usize,
    pub(crate) sha256: [u8; 32],
}

impl Plugin {
    pub(crate) async fn describe(
        sandbox: Arc<Inner>,
        loaded: Loaded,
        instances: Arc<Semaphore>,
    ) -> Result<Self, LoadError> {
        let context = Context {
            label: "describe".to_owned(),
            config: "{}".into(),
            grants: Arc::default(),
            policy: Arc::new(AddressPolicy::for_api_targets(Vec::new())),
            limits: Limits {
                connections: 0,
                ..Limits::default()
            },
            timeout: DESCRIBE_TIMEOUT,
            secrets: Scrubber::default(),
            state: StateSpace::new(),
        };
        let turn = Turn::take(&sandbox, &instances, DESCRIBE_TIMEOUT)
            .await
            .map_err(LoadError::Describe)?;
        let mut store = open(&sandbox, Asker::Nobody, context);
        let shared = store.data().shared.clone();
        let ending = drive(&shared, DESCRIBE_TIMEOUT, loaded.bound.describe(&mut store)).await;
        drop(store);
        drop(turn);
        let stated = match ending.corrected(&shared, |_, _| false) {
            Ending::Answer(stated) => stated,
            Ending::NoAnswer => {
                let limit = LimitHit::Time(DESCRIBE_TIMEOUT);
                return Err(LoadError::Describe(Fault::Limit(limit)));
            }
            Ending::Fault(fault) => return Err(LoadError::Describe(fault)),
        };
        let (description, kind) = stated.check()?;
        Ok(Self {
            inner: Arc::new(Parts {
                sandbox,
                loaded,
                description,
                kind,
                instances,
            }),
        })
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// What it does.
    pub fn kind(&self) -> &Kind {
        &self.inner.kind
    }

    /// The component's SHA-256, in lower-case hexadecimal.
    pub fn sha256_hex(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.inner.loaded.sha256 {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        text
    }

    /// The component's size in bytes.
    pub fn size(&self) -> usize {
        self.inner.loaded.size
    }

    /// The interfaces that it imports, used or not.
    pub fn imports(&self) -> &[String] {
        &self.inner.loaded.imports
    }

    /// The version of the contract that it was built for: `0.1.0`.
    pub fn contract(&self) -> &str {
        &self.inner.loaded.contract
    }

    /// Whether it can say anything against a configuration beyond its schema.
    pub fn validates(&self) -> bool {
        self.inner.loaded.bound.validates()
    }

    /// What the plugin has against the configuration of `context`, in a fresh
    /// instance and with nothing granted. At most [`MAX_COMPLAINTS`] count.
    pub async fn validate(&self, context: Context) -> Result<Vec<Complaint>, Fault> {
        if !self.validates() {
            return Ok(Vec::new());
        }
        let parts = &*self.inner;
        let context = Context {
            grants: Arc::default(),
            limits: Limits {
                connections: 0,
                ..context.limits
            },
            timeout: VALIDATE_TIMEOUT,
            state: StateSpace::new(),
            ..context
        };
        let config = Arc::clone(&context.config);
        let turn = Turn::take(&parts.sandbox, &parts.instances, VALIDATE_TIMEOUT).await?;
        let mut store = open(&parts.sandbox, Asker::Nobody, context);
        let shared = store.data().shared.clone();
        let call = parts.loaded.bound.validate(&mut store, &config);
        let ending = drive(&shared, VALIDATE_TIMEOUT, call)
            .await
            .corrected(&shared, |_, _| false);
        let outcome = match ending {
            Ending::Answer(problems) => Ok(problems
                .into_iter()
                .take(MAX_COMPLAINTS)
                .map(|problem| complaint(store.data(), problem))
                .collect()),
            Ending::NoAnswer => Err(Fault::Limit(LimitHit::Time(VALIDATE_TIMEOUT))),
            Ending::Fault(fault) => Err(fault),
        };
        drop(store);
        drop(turn);
        outcome
    }

    /// Checks one target once, in a fresh instance. Dropping the future ends the
    /// run.
    pub async fn check(&self, check: Check) -> Run<CheckOutcome> {
        let Check {
            context,
            monitor,
            target,
        } = check;
        let (config, limits, timeout) = (
            context.config.clone(),
            context.limits.clone(),
            context.timeout,
        );
        let parts = &*self.inner;
        let turn = match Turn::take(&parts.sandbox, &parts.instances, timeout).await {
            Ok(turn) => turn,
            Err(fault) => return unstarted(CheckOutcome::Fault(fault)),
        };
        let start = Instant::now();
        let mut store = open(&parts.sandbox, Asker::Plugin(&parts.description), context);
        let shared = store.data().shared.clone();
        let question = Question {
            monitor: &monitor,
            target: &target,
            config: &config,
            timeout,
        };
        let ending = drive(
            &shared,
            timeout,
            parts.loaded.bound.check(&mut store, question),
        )
        .await;
        let latency = start.elapsed();
        // Whoever is healthy did not need what it was refused; but half a body may
        // look healthier than the whole.
        let ending = ending.corrected(&shared, |answer, hindrance| {
            let healthy = answer
                .as_ref()
                .is_ok_and(|reading| reading.verdict == Verdict::Healthy);
            healthy && hindrance == Hindrance::Denial
        });
        let answered = matches!(ending, Ending::Answer(_));
        let outcome = match ending {
            Ending::Answer(Ok(raw)) => reading(store.data(), &limits, raw),
            Ending::Answer(Err(RawFault::Misconfigured(why))) => {
                CheckOutcome::Fault(Fault::Misconfigured(store.data().presentable(&why)))
            }
            Ending::Answer(Err(RawFault::Undecided(why))) => {
                CheckOutcome::Fault(Fault::Undecided(store.data().presentable(&why)))
            }
            Ending::NoAnswer => CheckOutcome::NoAnswer { after: timeout },
            Ending::Fault(fault) => CheckOutcome::Fault(fault),
        };
        close(store, turn, outcome, latency, answered)
    }

    /// Delivers one notice, in a fresh instance. Dropping the future ends the run.
    pub async fn notify(&self, notify: Notify) -> Run<NotifyOutcome> {
        let Notify { context, notice } = notify;
        let (config, timeout) = (context.config.clone(), context.timeout);
        let parts = &*self.inner;
        let turn = match Turn::take(&parts.sandbox, &parts.instances, timeout).await {
            Ok(turn) => turn,
            Err(fault) => return unstarted(NotifyOutcome::Fault(fault)),
        };
        let start = Instant::now();
        let mut store = open(&parts.sandbox, Asker::Plugin(&parts.description), context);
        let shared = store.data().shared.clone();
        let call = parts
            .loaded
            .bound
            .notify(&mut store, &notice, &config, timeout);
        // What was delivered must not be delivered again.
        let ending = drive(&shared, timeout, call)
            .await
            .corrected(&shared, |answer, _| answer.is_ok());
        let latency = start.elapsed();
        let answered = matches!(ending, Ending::Answer(_));
        let outcome = match ending {
            Ending::Answer(Ok(())) => NotifyOutcome::Delivered,
            Ending::Answer(Err(RawFailure::Temporary(why, retry_after))) => {
                NotifyOutcome::Temporary {
                    reason: store.data().presentable(&why),
                    retry_after,
                }
            }
            Ending::Answer(Err(RawFailure::Permanent(why))) => {
                NotifyOutcome::Permanent(store.data().presentable(&why))
            }
            Ending::NoAnswer => NotifyOutcome::Temporary {
                reason: format!("no answer in {}", duration(timeout)),
                retry_after: None,
            },
            Ending::Fault(fault) => NotifyOutcome::Fault(fault),
        };
        close(store, turn, outcome, latency, answered)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.description().name)
            .field("version", &self.description().version)
            .field("sha256", &self.sha256_hex())
            .finish_non_exhaustive()
    }
}

/// Who a store is opened for.
#[derive(Clone, Copy)]
pub(crate) enum Asker<'a> {
    /// A component that has not said yet what it is.
    Nobody,
    /// A plugin.
    Plugin(&'a Description),
}

/// A store with everything in it that one run needs, every limit set.
pub(crate) fn open(sandbox: &Inner, asker: Asker<'_>, context: Context) -> Store<Host> {
    let cpu = context.limits.cpu;
    let mut store = Store::new(&sandbox.engine, Host::new(sandbox, asker, context));
    store.limiter(|host| &mut host.ceiling);
    store.set_max_component_handles(fixed::HANDLES);
    store.set_hostcall_fuel(fixed::CALL_BYTES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |store| {
        let meter = &store.data().shared.meter;
        if meter.spent_now() > cpu {
            return Err(LimitHit::Cpu(cpu).into());
        }
        // A guest that waited for long comes here too, at its first step: ticks
        // are wall time, and only what the meter says is held against it.
        meter.interrupt();
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

fn complaint(host: &Host, problem: RawProblem) -> Complaint {
    let index = |number: u32| usize::try_from(number.max(1)).unwrap_or(usize::MAX);
    Complaint {
        pointer: problem.pointer.chars().take(MAX_POINTER).collect(),
        what: host.presentable(&problem.what),
        instead: problem.instead.map(|instead| host.presentable(&instead)),
        position: problem
            .position
            .map(|(line, column)| (index(line), index(column))),
    }
}

/// What a probe said, within its limits.
fn reading(host: &Host, limits: &Limits, raw: RawReading) -> CheckOutcome {
    let said = raw
        .reason
        .map(|reason| host.shared.journal.presentable(&reason, limits.reason));
    let reason = match (raw.verdict, said.filter(|reason| !reason.trim().is_empty())) {
        (Verdict::Sick | Verdict::Dead, None) => Some("the probe gives no reason".to_owned()),
        (_, reason) => reason,
    };
    let mut measurements = Vec::with_capacity(raw.measurements.len().min(limits.measurements));
    let given = raw.measurements.len();
    for measurement in raw.measurements.into_iter().take(limits.measurements) {
        if measurement.value.is_finite() {
            measurements.push(Measurement {
                name: host.shared.journal.presentable(&measurement.name, 64),
                value: measurement.value,
                unit: host.shared.journal.presentable(&measurement.unit, 32),
            });
        } else {
            let name = host.shared.journal.presentable(&measurement.name, 64);
            host.log_lines(
                crate::Level::Warn,
                &format!("measurement {name} is no number: left out"),
            );
        }
    }
    if given > limits.measurements {
        let left_out = given - limits.measurements;
        let line = format!("{left_out} more measurements were left out (limit `measurements`)");
        host.log_lines(crate::Level::Warn, &line);
    }
    CheckOutcome::Reading(Reading {
        verdict: raw.verdict,
        reason,
        latency: raw.latency,
        measurements,
    })
}

/// The run that `store` was for. The store goes before the turn does, and all
/// that the host held for the guest with it.
fn close<T>(
    store: Store<Host>,
    turn: Turn,
    outcome: T,
    latency: Duration,
    answered: bool,
) -> Run<T> {
    let host = store.into_data();
    let shared = host.shared.clone();
    let peak_memory = host.ceiling.peak_memory();
    let state = if answered {
        host.into_state()
    } else {
        drop(host);
        None
    };
    drop(turn);
    let cpu = shared.meter.spent();
    tracing::debug!(run = %shared.label, ?latency, ?cpu, peak_memory, "plugin ran");
    Run {
        latency,
        cpu,
        peak_memory,
        log: shared.journal.close(),
        exchanges: shared.exchanges(),
        calls: shared.take_calls(),
        backtrace: shared.take_backtrace(),
        state,
        outcome,
    }
}

/// A run that had no instance.
fn unstarted<T>(outcome: T) -> Run<T> {
    Run {
        outcome,
        latency: Duration::ZERO,
        cpu: Duration::ZERO,
        peak_memory: 0,
        log: Vec::new(),
        exchanges: Vec::new(),
        calls: Vec::new(),
        backtrace: Vec::new(),
        state: None,
    }
}
