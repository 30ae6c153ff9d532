//! One run: a check of one target with its repetitions, from the plugin's words
//! to the engine's.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::attempts::{self, Next};
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::TargetId;
use watchkeeper_engine::reading::{Fault, Outcome, Reading};
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_sandbox::{self as sandbox, CheckOutcome, LogLine, Measurement, StateSpace};

use crate::assignment::{Assigned, Ready};
use crate::clock;
use crate::telemetry::{Metrics, RunFigures};

/// What a run found.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) target: TargetId,
    /// When the run began.
    pub(crate) began: Timestamp,
    pub(crate) reading: Reading,
    pub(crate) measurements: Vec<Measurement>,
    /// The plugin's state space, if the run changed it.
    pub(crate) state: Option<StateSpace>,
}

/// Checks `target` as its monitor's plan says.
pub(crate) async fn run(
    assigned: Arc<Assigned>,
    target: TargetId,
    mut state: StateSpace,
    metrics: Arc<Metrics>,
) -> Finished {
    let began = clock::wall();
    let usable = match &assigned.plugin {
        Ready::Use(usable) => usable,
        Ready::Missing(why) => {
            let outcome = Outcome::NoVerdict {
                fault: Fault::Missing,
                reason: Arc::clone(why),
            };
            let reading = Reading {
                at: clock::wall(),
                outcome,
                latency: None,
            };
            return Finished {
                target,
                began,
                reading,
                measurements: Vec::new(),
                state: None,
            };
        }
    };
    let monitor = &assigned.monitor;
    let mut readings = Vec::new();
    let mut changed = false;
    loop {
        let run = usable.check(monitor, target.address(), state.clone()).await;
        let plugin = usable.plugin.description().name.as_str();
        metrics.ran(
            plugin,
            &RunFigures {
                outcome: outcome_word(&run.outcome),
                took: run.latency,
                cpu: run.cpu,
                peak_memory: run.peak_memory,
            },
        );
        for line in &run.log {
            pass_on(line, plugin, &target);
        }
        if let Some(kept) = run.state {
            (state, changed) = (kept, true);
        }
        let (reading, measurements) = read(run.outcome, run.latency);
        readings.push(reading);
        match attempts::next(&monitor.plan, &readings) {
            Next::Again { after } => tokio::time::sleep(after).await,
            Next::Done(reading) => {
                let state = changed.then_some(state);
                return Finished {
                    target,
                    began,
                    reading,
                    measurements,
                    state,
                };
            }
        }
    }
}

/// The word by which metrics count an outcome.
fn outcome_word(outcome: &CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Reading(reading) => match reading.verdict {
            sandbox::Verdict::Healthy => "healthy",
            sandbox::Verdict::Sick => "sick",
            sandbox::Verdict::Dead => "dead",
        },
        CheckOutcome::NoAnswer { .. } => "dead",
        CheckOutcome::Fault(fault) => fault_word(fault),
    }
}

fn fault_word(fault: &sandbox::Fault) -> &'static str {
    match fault {
        sandbox::Fault::Misconfigured(_) => "misconfigured",
        sandbox::Fault::Undecided(_) => "undecided",
        sandbox::Fault::Denied(_) => "denied",
        sandbox::Fault::Limit(_) => "limit",
        sandbox::Fault::Trap(_) => "trap",
        sandbox::Fault::Host(_) => "host",
    }
}

/// The engine's reading of what a check ended with. `took` is the latency that
/// the host measured, for probes that do not know a truer one.
pub(crate) fn read(outcome: CheckOutcome, took: Duration) -> (Reading, Vec<Measurement>) {
    let at = clock::wall();
    let judged = |verdict, reason: Option<String>| Outcome::Judged {
        verdict,
        reason: reason.map(Into::into),
    };
    match outcome {
        CheckOutcome::Reading(found) => {
            let verdict = match found.verdict {
                sandbox::Verdict::Healthy => Verdict::Healthy,
                sandbox::Verdict::Sick => Verdict::Sick,
                sandbox::Verdict::Dead => Verdict::Dead,
            };
            let latency = Some(found.latency.unwrap_or(took));
            (
                Reading {
                    at,
                    outcome: judged(verdict, found.reason),
                    latency,
                },
                found.measurements,
            )
        }
        CheckOutcome::NoAnswer { after } => {
            let reason = format!("no answer in {}", spell(after));
            let outcome = judged(Verdict::Dead, Some(reason));
            (
                Reading {
                    at,
                    outcome,
                    latency: Some(after),
                },
                Vec::new(),
            )
        }
        CheckOutcome::Fault(fault) => {
            let kind = match fault {
                sandbox::Fault::Misconfigured(_) => Fault::Misconfigured,
                sandbox::Fault::Limit(_) => Fault::Limit,
                sandbox::Fault::Trap(_) => Fault::Trap,
                sandbox::Fault::Undecided(_)
                | sandbox::Fault::Denied(_)
                | sandbox::Fault::Host(_) => Fault::Undecided,
            };
            let outcome = Outcome::NoVerdict {
                fault: kind,
                reason: fault.to_string().into(),
            };
            (
                Reading {
                    at,
                    outcome,
                    latency: None,
                },
                Vec::new(),
            )
        }
    }
}

/// A plugin's log line in the host's log.
pub(crate) fn pass_on(line: &LogLine, plugin: &str, run_for: &impl std::fmt::Display) {
    let text = line.text.as_str();
    match line.level {
        sandbox::Level::Debug => tracing::debug!(target: "plugin", plugin, %run_for, "{text}"),
        sandbox::Level::Info => tracing::info!(target: "plugin", plugin, %run_for, "{text}"),
        sandbox::Level::Warn => tracing::warn!(target: "plugin", plugin, %run_for, "{text}"),
        sandbox::Level::Error => tracing::error!(target: "plugin", plugin, %run_for, "{text}"),
    }
}
