//! Replicas that report by themselves, each promising when it will report again:
//! processes that tell their load, and agents that tell what they found in a
//! network of their own.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Gap, reading};
use crate::health::{Health, Verdict};
use crate::id::MonitorId;
use crate::reading::Reading;
use crate::time::{Timestamp, spell};

/// By what rules replicas are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportRules {
    /// A replica is dead when it was silent for so long beyond the interval that
    /// it promised.
    pub dead_after: Duration,
    /// A load above this is sick.
    pub sick_above: Load,
}

/// How busy a replica is; 1.0 is all that it has. A processor load can exceed
/// that: more wants to run than can.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Of its processors.
    pub cpu: f64,
    /// Of its memory.
    pub ram: f64,
}

/// What a replica says.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How long until it will report again.
    pub interval: Duration,
    /// How it is.
    pub said: Said,
}

/// How a replica says that it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Said {
    /// So busy.
    Load(Load),
    /// Judged by whoever reports.
    Health(Verdict),
}

/// What is remembered of a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportState {
    /// When it was heard last, or when it could be heard again after that.
    pub heard_at: Timestamp,
    /// What it said then.
    pub report: Report,
    /// Whether it has been silent for too long since.
    pub is_silent: bool,
}

/// The queue that the replicas work on, as the monitor that watches it found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue<'a> {
    /// Who watches it.
    pub monitor: &'a MonitorId,
    /// What it found.
    pub health: Health,
    /// Why, for people.
    pub reason: Option<&'a str>,
}

impl ReportState {
    /// Takes in `report` at `at`.
    pub const fn hear(report: Report, at: Timestamp) -> Self {
        Self {
            heard_at: at,
            report,
            is_silent: false,
        }
    }

    /// When it will have been silent for too long; `None` if it has been.
    pub fn silent_at(&self, rules: &ReportRules) -> Option<Timestamp> {
        (!self.is_silent)
            .then(|| self.heard_at + self.report.interval.saturating_add(rules.dead_after))
    }

    /// What time alone has done by `now`: the reading of the silence, once, of
    /// the moment in which it had lasted too long.
    pub fn tick(&mut self, rules: &ReportRules, now: Timestamp) -> Option<Reading> {
        let at = self.silent_at(rules).filter(|at| *at <= now)?;
        self.is_silent = true;
        Some(self.silence(rules, at))
    }

    /// What can be said of the replica at `at`: what it said last, together with
    /// the queue it works on, or that it is silent.
    ///
    /// The worst of silence, queue and load counts, and everything that is not
    /// well is named: a stalled queue is dead however busy its workers are.
    pub fn judge(&self, rules: &ReportRules, queue: Option<Queue<'_>>, at: Timestamp) -> Reading {
        if self.is_silent {
            return self.silence(rules, at);
        }
        let (own, why) = match self.report.said {
            Said::Load(load) => load.judge(&rules.sick_above),
            Said::Health(Verdict::Healthy) => (Verdict::Healthy, None),
            Said::Health(verdict) => (verdict, Some(format!("reported {verdict}"))),
        };
        let ailing = queue.and_then(|queue| Some((queue, queue.verdict()?)));
        let verdict = ailing.map_or(own, |(_, verdict)| own.max(verdict));
        let why_queue = ailing.map(|(queue, _)| queue.words());
        let mut reasons = [why_queue, why];
        if own > ailing.map_or(Verdict::Healthy, |(_, verdict)| verdict) {
            reasons.reverse();
        }
        let reasons: Vec<_> = reasons.into_iter().flatten().collect();
        let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
        reading(at, verdict, reason)
    }

    /// Goes on after `gap`. A replica that could not be heard has its whole time
    /// again.
    pub fn resume(&mut self, rules: &ReportRules, gap: Gap) {
        if self.silent_at(rules).is_some_and(|at| at >= gap.from) {
            self.heard_at = self.heard_at.max(gap.to);
        }
    }

    /// Goes on in another process at `now`. A silence that was noticed stays one.
    /// When all others were heard last need not be remembered: they have their
    /// whole time again.
    pub const fn restart(&mut self, now: Timestamp) {
        if !self.is_silent {
            self.heard_at = now;
        }
    }

    /// Moves what is remembered along with a wall clock that was set back by
    /// `span`.
    pub fn set_back(&mut self, span: Duration) {
        self.heard_at = self.heard_at - span;
    }

    fn silence(&self, rules: &ReportRules, at: Timestamp) -> Reading {
        let waited = self.report.interval.saturating_add(rules.dead_after);
        let mut reason = format!("no report for {}", spell(waited));
        if self.report.interval > Duration::ZERO {
            _ = write!(reason, ", expected every {}", spell(self.report.interval));
        }
        reading(at, Verdict::Dead, Some(reason))
    }
}

impl Load {
    /// Both as Vigil shows them: whole percentages. `CPU 12 %, RAM 40 %`.
    pub fn words(&self) -> String {
        format!("CPU {} %, RAM {} %", percent(self.cpu), percent(self.ram))
    }

    fn judge(&self, limits: &Self) -> (Verdict, Option<String>) {
        let above = |name: &str, load: f64, limit: f64| {
            (load > limit).then(|| {
                format!(
                    "{name} {} %, sick above {} %",
                    percent(load),
                    percent(limit)
                )
            })
        };
        let reasons: Vec<_> = [
            above("CPU", self.cpu, limits.cpu),
            above("RAM", self.ram, limits.ram),
        ]
        .into_iter()
        .flatten()
        .collect();
        if reasons.is_empty() {
            (Verdict::Healthy, None)
        } else {
            (Verdict::Sick, Some(reasons.join("; ")))
        }
    }
}

impl Queue<'_> {
    /// What it means for its workers; `None` if that is nothing or not known.
    const fn verdict(&self) -> Option<Verdict> {
        match self.health {
            Health::Healthy | Health::Unknown => None,
            Health::Sick => Some(Verdict::Sick),
            Health::Dead => Some(Verdict::Dead),
        }
    }

    fn words(&self) -> String {
        let (monitor, health) = (self.monitor.name(), self.health);
        match self.reason {
            Some(reason) => format!("{monitor} is {health}: {reason}"),
            None => format!("{monitor} is {health}"),
        }
    }
}

/// A share in whole percent; what is too large for a number is shown as the
/// largest one.
fn percent(share: f64) -> f64 {
    (share * 100.0).round().min(1e9)
}
