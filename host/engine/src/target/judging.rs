//! The decisions behind a target's health.

use std::sync::Arc;
use std::time::Duration;

use super::{
    FaultSeen, Flap, Flapping, Input, MAX_FLAP_CHANGES, Run, Step, Streak, TargetRules, TargetState,
};
use crate::change::{Cause, Event, Standing};
use crate::health::{Health, Verdict};
use crate::reading::{Outcome, Reading};
use crate::time::{Timestamp, spell};

/// What `input` at `now` makes of a target.
///
/// What time alone has done (see [`next_tick`]) is done first, so that a tick
/// that comes late, or not at all, changes only when the events are returned. A
/// clock that was set back is not held against the target: whatever is
/// remembered from the future counts as having happened now.
pub fn step(state: &TargetState, input: &Input, rules: &TargetRules, now: Timestamp) -> Step {
    let mut work = Work {
        state: state.clone(),
        events: Vec::new(),
        rules,
        now,
    };
    work.forget_the_future();
    work.end_flapping_if_steady();
    match input {
        Input::Reading(reading) => match &reading.outcome {
            Outcome::Judged { verdict, reason } => {
                work.expire_if_stale();
                let (verdict, reason) = with_latency(*verdict, reason.as_ref(), reading, rules);
                work.judge(reading.at, verdict, reason);
            }
            Outcome::NoVerdict { fault, reason } => {
                let seen = FaultSeen {
                    at: reading.at,
                    fault: *fault,
                    reason: Arc::clone(reason),
                };
                work.state.fault = Some(seen);
                work.expire_if_stale();
            }
        },
        Input::Tick => work.expire_if_stale(),
        Input::Lost => {
            work.lose_sight(
                Cause::NetworkLost,
                now,
                "the monitor lost its own network".into(),
            );
        }
        Input::Missing { reason } => work.lose_sight(Cause::Missing, now, Arc::clone(reason)),
        Input::Paused { reason } => work.lose_sight(Cause::Paused, now, Arc::clone(reason)),
    }
    Step {
        state: work.state,
        events: work.events,
    }
}

/// When an [`Input::Tick`] will make a difference if nothing comes before it:
/// when the last verdict gets stale or the target has been steady for long
/// enough. May be in the past. After that tick it is later, or `None`.
pub fn next_tick(state: &TargetState, rules: &TargetRules) -> Option<Timestamp> {
    [stale_at(state, rules), steady_at(state, rules)]
        .into_iter()
        .flatten()
        .min()
}

/// When the health becomes unknown for want of a verdict.
fn stale_at(state: &TargetState, rules: &TargetRules) -> Option<Timestamp> {
    let judged_at = state.judged_at.or(state.standing.since)?;
    let known = state.beneath().health != Health::Unknown || state.streak.is_some();
    known.then(|| judged_at + rules.stale_after)
}

/// When the target no longer counts as changing too often.
fn steady_at(state: &TargetState, rules: &TargetRules) -> Option<Timestamp> {
    let flapping = state.flapping.as_ref()?;
    let last = state.changes.last().copied().unwrap_or(flapping.since);
    // Without a rule against it, nothing changes too often.
    Some(rules.flap.map_or(flapping.since, |flap| last + flap.window))
}

/// The verdict and the reason after the latency has had its say.
fn with_latency(
    verdict: Verdict,
    reason: Option<&Arc<str>>,
    reading: &Reading,
    rules: &TargetRules,
) -> (Verdict, Option<Arc<str>>) {
    let too_slow =
        |limit: Option<Duration>| Some((reading.latency?, limit?)).filter(|(l, m)| l > m);
    let slow = too_slow(rules.dead_above)
        .map(|(latency, limit)| (Verdict::Dead, latency, limit))
        .or_else(|| {
            too_slow(rules.sick_above).map(|(latency, limit)| (Verdict::Sick, latency, limit))
        });
    match slow {
        Some((worse, latency, limit)) if worse > verdict => {
            let slowness = format!(
                "answered after {}, {worse} above {}",
                spell(latency),
                spell(limit)
            );
            let reason = match reason {
                Some(reason) => format!("{slowness}; {reason}"),
                None => slowness,
            };
            (worse, Some(reason.into()))
        }
        _ => (verdict, reason.cloned()),
    }
}

struct Work<'a> {
    state: TargetState,
    events: Vec<Event>,
    rules: &'a TargetRules,
    now: Timestamp,
}

impl Work<'_> {
    fn forget_the_future(&mut self) {
        let remembered = self
            .state
            .judged_at
            .iter_mut()
            .chain(&mut self.state.changes);
        let flapping = self
            .state
            .flapping
            .iter_mut()
            .map(|flapping| &mut flapping.since);
        for at in remembered.chain(flapping) {
            *at = (*at).min(self.now);
        }
    }

    fn end_flapping_if_steady(&mut self) {
        if steady_at(&self.state, self.rules).is_none_or(|at| self.now < at) {
            return;
        }
        let Some(flapping) = self.state.flapping.take() else {
            return;
        };
        self.state.changes.clear();
        self.events.push(Event::FlappingEnded { at: self.now });
        self.show(flapping.beneath, Cause::Steady);
    }

    fn expire_if_stale(&mut self) {
        let Some(stale_at) = stale_at(&self.state, self.rules).filter(|at| *at <= self.now) else {
            return;
        };
        let silence = spell(self.rules.stale_after);
        let reason = match &self.state.fault {
            Some(seen) => format!("no verdict for {silence}: {}: {}", seen.fault, seen.reason),
            None => format!("no reading for {silence}"),
        };
        self.lose_sight(Cause::Stale, stale_at, reason.into());
    }

    fn lose_sight(&mut self, cause: Cause, since: Timestamp, reason: Arc<str>) {
        self.state.streak = None;
        let unknown = Standing {
            health: Health::Unknown,
            since: Some(since),
            reason: Some(reason),
            cause: Some(cause),
        };
        self.settle(unknown, cause);
    }

    fn judge(&mut self, at: Timestamp, verdict: Verdict, reason: Option<Arc<str>>) {
        let at = at.min(self.now);
        let streak = Streak::with(self.state.streak, verdict, at);
        self.state.streak = Some(streak);
        self.state.judged_at = Some(at);
        self.state.fault = None;
        let current = self.state.beneath().health;
        let run = streak.towards(verdict, current);
        let (health, since) = if current == verdict.into() {
            (current, None)
        } else if run.count >= self.rules.confirm.of(verdict) {
            (verdict.into(), Some(run.since))
        } else if self.rules.degrade && verdict == Verdict::Dead {
            (Health::Sick, Some(run.since))
        } else {
            return;
        };
        let cause = Cause::Reading;
        self.settle(
            Standing {
                health,
                since,
                reason,
                cause: Some(cause),
            },
            cause,
        );
    }

    /// Lets the target stand as `next`, or refreshes the reason if it already
    /// has that health; held back as far as it changes too often.
    fn settle(&mut self, next: Standing, cause: Cause) {
        let from = self.state.beneath().health;
        let to = next.health;
        if from != to && from != Health::Unknown && to != Health::Unknown {
            self.count_change(from.max(to), next.reason.as_ref());
        }
        let Some(flapping) = &mut self.state.flapping else {
            return self.show(next, cause);
        };
        if from == to {
            refresh(&mut flapping.beneath, &next);
        } else {
            let since = next.since.or(Some(self.now));
            flapping.beneath = Standing {
                since,
                ..next.clone()
            };
        }
        if to == Health::Unknown || to >= flapping.held {
            flapping.held = flapping.held.max(to);
            self.show(next, cause);
        } else {
            let held = Standing {
                health: flapping.held,
                since: Some(self.now),
                reason: Some("changes too often to be believed".into()),
                cause: Some(Cause::Flapping),
            };
            if self.state.standing.health != held.health {
                self.show(held, Cause::Flapping);
            }
        }
    }

    /// Counts a change of which the worse side is `worse`, and begins to hold the
    /// target there if it is one too many.
    fn count_change(&mut self, worse: Health, reason: Option<&Arc<str>>) {
        let Some(Flap { changes, window }) = self.rules.flap else {
            return;
        };
        let allowed = usize::try_from(changes.min(MAX_FLAP_CHANGES)).unwrap_or(usize::MAX);
        let now = self.now;
        let remembered = &mut self.state.changes;
        remembered.push(now);
        remembered.retain(|at| *at + window > now);
        let excess = remembered.len().saturating_sub(allowed.saturating_add(1));
        remembered.drain(..excess);
        if remembered.len() <= allowed || self.state.flapping.is_some() {
            return;
        }
        let standing = &self.state.standing;
        let reason = if standing.health == worse {
            standing.reason.as_ref()
        } else {
            reason
        };
        self.events.push(Event::FlappingStarted {
            at: now,
            health: worse,
            reason: reason.cloned(),
        });
        let beneath = self.state.standing.clone();
        self.state.flapping = Some(Flapping {
            since: now,
            held: worse,
            beneath,
        });
    }

    fn show(&mut self, next: Standing, cause: Cause) {
        if self.state.standing.health == next.health {
            refresh(&mut self.state.standing, &next);
        } else if let Some(change) = self.state.standing.move_to(next, cause, self.now) {
            self.events.push(Event::Changed(change));
        }
    }
}

/// Takes over what may change while the health stays: the reason and, as long as
/// nothing is known, what is to blame for that.
fn refresh(standing: &mut Standing, latest: &Standing) {
    standing.reason.clone_from(&latest.reason);
    if standing.health == Health::Unknown {
        standing.cause = latest.cause;
    }
}

impl Streak {
    fn with(before: Option<Self>, latest: Verdict, at: Timestamp) -> Self {
        let first = Run {
            count: 1,
            since: at,
        };
        let Some(before) = before else {
            return Self {
                latest,
                ailing: first,
                dead: first,
            };
        };
        let prolong = |run: Run, line: Verdict| {
            if (before.latest >= line) == (latest >= line) {
                Run {
                    count: run.count.saturating_add(1),
                    since: run.since,
                }
            } else {
                first
            }
        };
        Self {
            latest,
            ailing: prolong(before.ailing, Verdict::Sick),
            dead: prolong(before.dead, Verdict::Dead),
        }
    }

    /// The row of readings that speaks for moving from `current` to `verdict`,
    /// its latest reading.
    fn towards(&self, verdict: Verdict, current: Health) -> Run {
        match (verdict, current) {
            (Verdict::Healthy, _) | (Verdict::Sick, Health::Healthy) => self.ailing,
            (Verdict::Dead, _) | (Verdict::Sick, Health::Dead) => self.dead,
            (Verdict::Sick, Health::Unknown | Health::Sick) => {
                if self.ailing.count >= self.dead.count {
                    self.ailing
                } else {
                    self.dead
                }
            }
        }
    }
}
