//! How a monitor follows its targets through time.

use std::cmp::Reverse;

use super::{Combine, MonitorState, MonitorStep, TargetView, Trigger, combine};
use crate::change::{Cause, Event, Standing};
use crate::health::Health;
use crate::time::Timestamp;

/// Judges a monitor by how its targets stand at `now`.
///
/// Its new health began when the last target that was needed for it got there,
/// by the targets' own account, and never before the health it had until now.
pub fn step_monitor(
    state: &MonitorState,
    combine_by: Combine,
    targets: &[TargetView<'_>],
    trigger: Trigger,
    now: Timestamp,
) -> MonitorStep {
    let mut state = state.clone();
    let mut events = Vec::new();
    let health = combine(
        combine_by,
        targets.iter().map(|target| target.state.standing.health),
    );
    let explaining = explaining(health, targets);
    let reason = explaining.and_then(|target| target.state.standing.reason.clone());

    let flapping = targets.iter().any(|target| target.state.flapping.is_some());
    match (state.flapping, flapping) {
        (false, true) => {
            events.push(Event::FlappingStarted {
                at: now,
                health,
                reason: reason.clone(),
            });
        }
        (true, false) => events.push(Event::FlappingEnded { at: now }),
        (false, false) | (true, true) => {}
    }
    state.flapping = flapping;

    let (since, cause) = match trigger {
        Trigger::Targets => {
            let deciding = deciding(state.standing.health, health, combine_by, targets);
            let since = deciding.and_then(|standing| standing.since).unwrap_or(now);
            let earliest = state.standing.since.unwrap_or(since);
            let cause = deciding.and_then(|standing| standing.cause);
            (
                since.max(earliest).min(now),
                cause.unwrap_or(Cause::Reconfigured),
            )
        }
        Trigger::Configuration => (now, Cause::Reconfigured),
    };
    let next = Standing {
        health,
        since: Some(since),
        reason: reason.clone(),
        cause: None,
    };
    match state.standing.move_to(next, cause, now) {
        Some(change) => events.push(Event::Changed(change)),
        None => state.standing.reason = reason,
    }
    state.target = explaining.map(|target| target.id.clone());
    MonitorStep { state, events }
}

/// The target that explains `health`: the worst one, and of several the one that
/// has been so for longest. A healthy monitor needs no explanation.
fn explaining<'a>(health: Health, targets: &'a [TargetView<'a>]) -> Option<&'a TargetView<'a>> {
    targets
        .iter()
        .filter(|target| health != Health::Healthy && target.state.standing.health >= health)
        .min_by_key(|target| {
            let standing = &target.state.standing;
            (
                Reverse(standing.health),
                standing.since.unwrap_or(Timestamp::from_millis(i64::MAX)),
            )
        })
}

/// How the target stands that was the last one needed to move the monitor from
/// one health to the other.
fn deciding<'a>(
    from: Health,
    to: Health,
    combine_by: Combine,
    targets: &'a [TargetView<'a>],
) -> Option<&'a Standing> {
    let total = targets.len();
    let nth = |needed: usize, counts: &dyn Fn(Health) -> bool| {
        let standings = targets.iter().map(|target| &target.state.standing);
        let mut standings: Vec<&Standing> = standings.filter(|it| counts(it.health)).collect();
        standings.sort_by_key(|standing| standing.since);
        standings.get(needed.checked_sub(1)?).copied()
    };
    if to > from {
        return nth(combine_by.needed(to, total), &|health| health >= to);
    }
    // It has got better once too few targets are left for each of the worse ones.
    let worse = Health::ALL.into_iter().filter(|level| *level > to);
    worse
        .filter_map(|level| {
            let needed = (total + 1).saturating_sub(combine_by.needed(level, total));
            nth(needed, &|health| health < level)
        })
        .max_by_key(|standing| standing.since)
}
