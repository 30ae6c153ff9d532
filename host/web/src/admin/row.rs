//! A monitor as a line of a table.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::uptime::Uptime;

use crate::console::{MonitorFacts, PausedBy};
use crate::spark;
use crate::view::MonitorView;
use crate::web::Web;

/// How many of the latest checks a line shows.
const BEATS: usize = 42;

/// A monitor as a line of a table.
pub(super) struct Row {
    pub(super) id: MonitorId,
    pub(super) label: Arc<str>,
    pub(super) service: Arc<str>,
    pub(super) state: State,
    pub(super) private: bool,
    pub(super) means: String,
    /// Its first target, and how many more there are.
    pub(super) target: String,
    pub(super) more: usize,
    pub(super) latency: Option<u32>,
    pub(super) spark: Option<String>,
    /// For each way in which checks ended: its letter, and a path with a stroke each.
    pub(super) beats: Vec<(char, String)>,
    pub(super) beats_label: String,
    /// In how many seconds it is checked next, of how many, and how many are gone.
    pub(super) next: Option<(u64, u64, u64)>,
    /// Whether it does not ask, but is told how it is.
    pub(super) is_told: bool,
    pub(super) paused: Option<PausedBy>,
    pub(super) uptime: Option<Uptime>,
    pub(super) reason: Option<Arc<str>>,
}

/// How a monitor is, as who works with it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Dead,
    Sick,
    Unknown,
    Paused,
    Healthy,
}

impl State {
    pub(super) const ALL: [Self; 5] = [
        Self::Dead,
        Self::Sick,
        Self::Unknown,
        Self::Paused,
        Self::Healthy,
    ];

    /// The word in addresses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Sick => "sick",
            Self::Unknown => "unknown",
            Self::Paused => "paused",
            Self::Healthy => "healthy",
        }
    }

    /// The word for people.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Dead => "Dead",
            Self::Sick => "Sick",
            Self::Unknown => "Unknown",
            Self::Paused => "Paused",
            Self::Healthy => "Healthy",
        }
    }

    /// The class that sets the colours.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Dead => "s-out",
            Self::Sick => "s-deg",
            Self::Unknown | Self::Paused => "s-none",
            Self::Healthy => "s-ok",
        }
    }

    /// The name of its symbol.
    pub(super) const fn icon(self) -> &'static str {
        match self {
            Self::Dead => "out",
            Self::Sick => "deg",
            Self::Unknown => "none",
            Self::Paused => "pause",
            Self::Healthy => "ok",
        }
    }

    pub(super) const fn of(health: Health) -> Self {
        match health {
            Health::Dead => Self::Dead,
            Health::Sick => Self::Sick,
            Health::Unknown => Self::Unknown,
            Health::Healthy => Self::Healthy,
        }
    }
}

/// Every monitor, in the order of the configuration.
pub(super) fn all(web: &Web) -> Vec<Row> {
    let views = views(web);
    let facts = web.settings().console.monitors();
    facts
        .into_iter()
        .map(|facts| {
            let view = views.get(&facts.id);
            Row::new(facts, view.map(|view| &**view))
        })
        .collect()
}

/// What is known of each monitor's health.
pub(super) fn views(web: &Web) -> HashMap<MonitorId, Arc<MonitorView>> {
    let services = web.whole_services();
    let monitors = services.iter().flat_map(|service| service.monitors.iter());
    monitors
        .map(|monitor| (monitor.id.clone(), Arc::clone(monitor)))
        .collect()
}

impl Row {
    pub(super) fn new(facts: MonitorFacts, view: Option<&MonitorView>) -> Self {
        let state = match (&facts.paused, view) {
            (Some(_), _) => State::Paused,
            (None, Some(view)) => State::of(view.health),
            (None, None) => State::Unknown,
        };
        let next = facts.targets.iter().filter_map(|target| target.next).min();
        let next = next.zip(facts.every);
        let (beats, beats_label) = beats(&facts.beats);
        let reason = view.and_then(|view| {
            let mut bad = view
                .targets
                .iter()
                .filter(|each| each.health == view.health);
            bad.find_map(|each| each.reason.clone())
        });
        Self {
            state,
            private: view.is_some_and(|view| view.private),
            target: facts
                .targets
                .first()
                .map(|target| target.address.clone())
                .unwrap_or_default(),
            more: facts.targets.len().saturating_sub(1),
            latency: view.and_then(|view| view.latency_ms),
            spark: view.and_then(|view| spark::path(&view.spark)),
            uptime: view.and_then(|view| view.uptime),
            reason: facts
                .missing
                .clone()
                .or(reason.filter(|_| state != State::Healthy)),
            beats,
            beats_label,
            next: next.map(|(next, every)| {
                let (next, every) = (seconds(next), seconds(every).max(1));
                (next, every, every.saturating_sub(next))
            }),
            is_told: facts.every.is_none(),
            paused: facts.paused,
            id: facts.id,
            label: facts.label,
            service: facts.service,
            means: facts.means,
        }
    }

    /// Whether `word`, in lower case, stands in anything that people know it by.
    pub(super) fn has(&self, word: &str) -> bool {
        let id = self.id.to_string();
        [&id, &*self.label, &*self.service, &self.target, &self.means]
            .iter()
            .any(|text| text.to_lowercase().contains(word))
    }
}

/// Whole seconds, a part of one counted as one.
fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

fn beats(all: &[Option<Verdict>]) -> (Vec<(char, String)>, String) {
    let latest = all
        .get(all.len().saturating_sub(BEATS)..)
        .unwrap_or_default();
    let missing = BEATS - latest.len();
    let letter = |beat: Option<Verdict>| match beat {
        Some(Verdict::Healthy) => 'u',
        Some(Verdict::Sick) => 'd',
        Some(Verdict::Dead) => 'o',
        None => 'n',
    };
    let mut paths: Vec<(char, String)> = Vec::new();
    for (index, beat) in latest.iter().enumerate() {
        let letter = letter(*beat);
        let index_of = paths.iter().position(|(known, _)| *known == letter);
        let index_of = index_of.unwrap_or_else(|| {
            paths.push((letter, String::new()));
            paths.len() - 1
        });
        if let Some((_, path)) = paths.get_mut(index_of) {
            // Writing into a `String` cannot fail.
            _ = write!(path, "M{} 3v14", (missing + index) * 5 + 2);
        }
    }
    let failed = latest
        .iter()
        .filter(|beat| **beat == Some(Verdict::Dead))
        .count();
    let label = match (latest.len(), failed) {
        (0, _) => "No check yet".to_owned(),
        (count, 0) => format!("The latest {count} checks: none failed"),
        (count, failed) => format!("The latest {count} checks: {failed} failed"),
    };
    (paths, label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_end_at_the_right() {
        let (paths, label) = beats(&[Some(Verdict::Healthy), None, Some(Verdict::Dead)]);
        let expected = [
            ('u', "M197 3v14".to_owned()),
            ('n', "M202 3v14".to_owned()),
            ('o', "M207 3v14".to_owned()),
        ];
        assert_eq!(paths, expected);
        assert_eq!(label, "The latest 3 checks: 1 failed");
        let (paths, label) = beats(&[Some(Verdict::Sick); 100]);
        assert_eq!((paths.len(), paths[0].1.matches('M').count()), (1, 42));
        assert_eq!(label, "The latest 42 checks: none failed");
        assert_eq!(beats(&[]).1, "No check yet");
    }
}
