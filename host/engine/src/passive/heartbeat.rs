//! Jobs that call when they run, and are missed when they do not.

use std::sync::Arc;
use std::time::Duration;

use super::{Gap, Rhythm, reading};
use crate::health::Verdict;
use crate::reading::Reading;
use crate::time::{Timestamp, spell};

/// By what rules a job's calls are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatRules {
    /// When it is expected to call.
    pub rhythm: Rhythm,
    /// How long it may be late, and how long a run that said it began may take.
    pub grace: Duration,
}

/// How much too early a call may come that is expected at a time of a calendar:
/// clocks differ.
const SKEW: Duration = Duration::from_mins(1);

/// What a job says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What happened.
    pub signal: Signal,
    /// Which run it is about, where the job tells its runs apart.
    pub run: Option<Arc<str>>,
    /// What else it says, for people.
    pub words: Option<Arc<str>>,
}

/// What happened to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A run began.
    Start,
    /// A run ended well.
    Success,
    /// A run failed.
    Fail,
    /// A run ended with this exit status; zero is well.
    Exit(u8),
    /// Something to be read by people; nothing follows from it.
    Log,
}

/// What is remembered of a job. The default is one that never called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatState {
    /// When it called last, whatever it said.
    pub called_at: Option<Timestamp>,
    /// When its next success is expected; `None` until it had one, and once it
    /// failed or was missed.
    pub expected_at: Option<Timestamp>,
    /// The run that began and did not end yet.
    pub running: Option<Running>,
}

/// A run under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// When it began.
    pub since: Timestamp,
    /// Which one, where the job tells its runs apart.
    pub run: Option<Arc<str>>,
}

/// What is waited for, and is missed if it has not come by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missed {
    Call,
    End,
}

impl HeartbeatState {
    /// Takes in `call` at `at`, after what time alone has done until then.
    /// Returns what follows, in order: nothing from a start or a log line, as
    /// neither says how the job is.
    pub fn call(&mut self, rules: &HeartbeatRules, call: &Call, at: Timestamp) -> Vec<Reading> {
        let mut readings: Vec<_> = self.tick(rules, at).into_iter().collect();
        self.called_at = Some(at);
        match call.signal {
            Signal::Log => {}
            Signal::Start => {
                self.running = Some(Running {
                    since: at,
                    run: call.run.clone(),
                });
            }
            Signal::Success | Signal::Exit(0) => {
                let latency = self.end(call, at);
                self.expected_at = rules.rhythm.next(at);
                readings.push(Reading {
                    latency,
                    ..reading(at, Verdict::Healthy, None)
                });
            }
            Signal::Fail | Signal::Exit(_) => {
                let latency = self.end(call, at);
                self.expected_at = None;
                let what = match call.signal {
                    Signal::Exit(status) => format!("exit status {status}"),
                    _ => "failed".to_owned(),
                };
                let reason = match &call.words {
                    Some(words) => format!("{what}: {words}"),
                    None => what,
                };
                readings.push(Reading {
                    latency,
                    ..reading(at, Verdict::Dead, Some(reason))
                });
            }
        }
        readings
    }

    /// When the job will have been missed; `None` while nothing is waited for.
    pub fn missed_at(&self, rules: &HeartbeatRules) -> Option<Timestamp> {
        self.missed(rules).map(|(at, _)| at)
    }

    /// What time alone has done by `now`: the reading that the job was missed,
    /// once, of the moment from which it was.
    pub fn tick(&mut self, rules: &HeartbeatRules, now: Timestamp) -> Option<Reading> {
        let (at, missed) = self.missed(rules).filter(|(at, _)| *at <= now)?;
        let grace = spell(rules.grace);
        let reason = match missed {
            Missed::Call => format!("no call, expected {} with {grace} of grace", rules.rhythm),
            Missed::End => format!("began and did not end within {grace}"),
        };
        self.expected_at = None;
        self.running = None;
        Some(reading(at, Verdict::Dead, Some(reason)))
    }

    /// Goes on after `gap`.
    ///
    /// A call that was due in it, or so near to it that it may have come in it,
    /// counts as come, and the next one is waited for. So does the end of a run
    /// under way. All others keep their times, so that a host that restarts
    /// every day misses a job that died no later than without.
    pub fn resume(&mut self, rules: &HeartbeatRules, gap: Gap) {
        let judged_before = |due: Timestamp| due + rules.grace < gap.from;
        if let Some(due) = self.expected_at
            && !judged_before(due)
        {
            let latest = gap.to + rules.early();
            if due <= latest {
                self.expected_at = rules.rhythm.skip(due, latest);
            }
        }
        if self
            .running
            .as_ref()
            .is_some_and(|running| !judged_before(running.since))
        {
            self.running = None;
        }
    }

    /// Goes on with other rules, from `now`: nothing is late by rules that did
    /// not hold when it was due.
    pub fn adopt(&mut self, rules: &HeartbeatRules, now: Timestamp) {
        if self.expected_at.is_some() {
            self.expected_at = rules.rhythm.next(now);
        }
        if let Some(running) = &mut self.running {
            running.since = now;
        }
    }

    /// Moves what is remembered along with a wall clock that was set back by
    /// `span` and shows `now`. What is due at a time of a calendar is looked up
    /// anew.
    pub fn set_back(&mut self, rules: &HeartbeatRules, span: Duration, now: Timestamp) {
        let moved = |at: Timestamp| at - span;
        self.called_at = self.called_at.map(moved);
        if let Some(running) = &mut self.running {
            running.since = moved(running.since);
        }
        if let Some(due) = self.expected_at {
            self.expected_at = match &rules.rhythm {
                Rhythm::Every(_) => Some(moved(due)),
                Rhythm::At(calendar) => calendar.next(now + rules.early()),
            };
        }
    }

    /// Ends the run that `call` is about, and says how long it took.
    fn end(&mut self, call: &Call, at: Timestamp) -> Option<Duration> {
        let running = self.running.as_ref()?;
        // A job that tells its runs apart may begin one before another ended.
        let is_meant = match (&running.run, &call.run) {
            (Some(begun), Some(ended)) => begun == ended,
            _ => true,
        };
        is_meant
            .then(|| self.running.take())
            .flatten()
            .map(|running| at.since(running.since))
    }

    fn missed(&self, rules: &HeartbeatRules) -> Option<(Timestamp, Missed)> {
        let call = self
            .expected_at
            .map(|due| (due + rules.grace, Missed::Call));
        let end = self
            .running
            .as_ref()
            .map(|running| (running.since + rules.grace, Missed::End));
        [call, end].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

impl HeartbeatRules {
    /// How long before its time a call may come that counts for that time.
    fn early(&self) -> Duration {
        match &self.rhythm {
            Rhythm::Every(period) => self.grace.min(*period),
            Rhythm::At(_) => self.grace.min(SKEW),
        }
    }
}
