//! What is kept of those who tell how they are, through a restart and through a
//! change of the configuration.

use std::collections::HashMap;

use watchkeeper_config::Config;
use watchkeeper_config::monitor::Monitor as Configured;
use watchkeeper_config::passive::Passive;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::passive::Heard;
use watchkeeper_engine::passive::report::Said;
use watchkeeper_engine::time::Timestamp;

use crate::assignment::Assigned;
use crate::board::{Monitor, Target};

/// The targets of a monitor after a start: those configured, or the replicas that
/// were heard of.
pub(in crate::board) fn known_targets(
    monitor: &Configured,
    heard: &HashMap<TargetId, Heard>,
) -> Vec<TargetId> {
    if !has_replicas(monitor) {
        return monitor.targets.to_vec();
    }
    // Those that said something else than the monitor is told now have to say anew.
    let is_meant = |heard: &Heard| match (heard, &monitor.passive) {
        (Heard::Report(state), Some(Passive::Push { .. })) => {
            matches!(state.report.said, Said::Load(_))
        }
        (Heard::Report(state), Some(Passive::Local { .. })) => {
            matches!(state.report.said, Said::Health(_))
        }
        _ => false,
    };
    let replicas = heard
        .iter()
        .filter(|(target, heard)| *target.monitor() == monitor.id && is_meant(heard));
    let mut replicas: Vec<_> = replicas.map(|(target, _)| target.clone()).collect();
    replicas.sort();
    replicas
}

/// The targets of a monitor after a change of the configuration.
pub(in crate::board) fn kept_targets(
    assigned: &Assigned,
    known: Option<&Monitor>,
) -> Vec<TargetId> {
    match known {
        Some(known)
            if has_replicas(&assigned.monitor) && is_told_alike(assigned, &known.assigned) =>
        {
            known.targets.clone()
        }
        _ => assigned.monitor.targets.to_vec(),
    }
}

/// Lets what a target said go on under other rules, or forgets it where the
/// monitor is told in another way.
pub(in crate::board) fn adopt_rules(
    entry: &mut Target,
    assigned: &Assigned,
    former: Option<&Assigned>,
    now: Timestamp,
) {
    let Some(former) = former.filter(|former| is_told_alike(assigned, former)) else {
        entry.heard = None;
        return;
    };
    if let (Some(Passive::Heartbeat { rules, .. }), Some(Heard::Heartbeat(state))) =
        (&assigned.monitor.passive, &mut entry.heard)
    {
        let before = match &former.monitor.passive {
            Some(Passive::Heartbeat { rules, .. }) => Some(rules),
            _ => None,
        };
        if before != Some(rules) {
            state.adopt(rules, now);
        }
    }
}

/// The monitors of processes, by that of the queue they work on.
pub(in crate::board) fn queues(config: &Config) -> HashMap<MonitorId, Vec<MonitorId>> {
    let mut queues: HashMap<_, Vec<_>> = HashMap::new();
    for monitor in config.monitors() {
        if let Some(Passive::Push {
            queue: Some(queue), ..
        }) = &monitor.passive
        {
            let workers = queues.entry(queue.clone()).or_default();
            workers.push(monitor.id.clone());
        }
    }
    queues
}

fn has_replicas(monitor: &Configured) -> bool {
    let passive = monitor.passive.as_ref();
    passive.is_some_and(|passive| passive.target().is_none())
}

fn is_told_alike(one: &Assigned, other: &Assigned) -> bool {
    let word = |assigned: &Assigned| assigned.monitor.passive.as_ref().map(Passive::as_str);
    word(one) == word(other)
}
