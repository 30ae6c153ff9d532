//! What is known of what is watched, for programs. Whoever knows it stands behind
//! [`Survey`].

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::time::Timestamp;

use crate::records::Found;

/// Knows how things are, and were.
pub trait Survey: Send + Sync {
    /// Every monitor with its targets, in the order of the configuration.
    fn monitors(&self) -> Found<'_, Arc<Vec<MonitorState>>>;

    /// Readings of one target, newest first.
    fn readings(&self, wanted: WantedReadings) -> Found<'_, Vec<ReadingRecord>>;

    /// Changes, newest first.
    fn changes(&self, wanted: WantedChanges) -> Found<'_, Vec<ChangeRecord>>;

    /// Every plugin, by name, and what could not be loaded.
    fn plugins(&self) -> Arc<PluginRecords>;
}

/// How a monitor is.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorState {
    /// Its id.
    pub id: MonitorId,
    /// How it stands.
    pub standing: Standing,
    /// The word for how it is told, if it does not ask.
    pub passive: Option<&'static str>,
    /// Since when people have paused it, and who has.
    pub paused: Option<(Timestamp, Arc<str>)>,
    /// Its targets.
    pub targets: Vec<TargetState>,
}

/// How a target is.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetState {
    /// Its address, as it is written.
    pub address: Arc<str>,
    /// Its address as it is shown: a password in it is masked.
    pub shown: Arc<str>,
    /// How it stands.
    pub standing: Standing,
    /// How long its last check took.
    pub latency: Option<Duration>,
    /// When it was last checked or heard of, since the start.
    pub checked: Option<Timestamp>,
}

/// How something stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// How it is.
    pub health: Health,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Why.
    pub reason: Option<Arc<str>>,
}

/// Which readings.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedReadings {
    /// Of a target of this monitor.
    pub monitor: MonitorId,
    /// With this address.
    pub target: String,
    /// Only those of this time or later.
    pub from: Timestamp,
    /// Only those before this time.
    pub to: Timestamp,
    /// At most so many.
    pub limit: usize,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingRecord {
    /// When.
    pub at: Timestamp,
    /// Its verdict; `None` for one that came to none.
    pub verdict: Option<Verdict>,
    /// How long it took.
    pub latency: Option<Duration>,
    /// Why.
    pub reason: Option<Arc<str>>,
}

/// Which changes.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedChanges {
    /// Whose.
    pub whose: Whose,
    /// Only those of monitors as a whole, or only those of targets.
    pub of_targets: Option<bool>,
    /// Only those decided at this time or later.
    pub since: Option<Timestamp>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// Whose changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Whose {
    /// Everyone's.
    All,
    /// Those of a service.
    Service(ServiceId),
    /// Those of a monitor.
    Monitor(MonitorId),
}

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeRecord {
    /// Its number.
    pub number: i64,
    /// The monitor, or the one that the target belongs to.
    pub monitor: MonitorId,
    /// The address of the target; `None` for the monitor as a whole.
    pub target: Option<String>,
    /// The health until then.
    pub from: Health,
    /// The health from then on.
    pub to: Health,
    /// When it was decided.
    pub at: Timestamp,
    /// When the new health began.
    pub since: Timestamp,
    /// How long the health until then had stood.
    pub lasted: Option<Duration>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// The word for what made it.
    pub cause: &'static str,
    /// Whether maintenance covered it.
    pub maintained: bool,
    /// The monitor whose outage explains it.
    pub folded_into: Option<MonitorId>,
}

/// What is known of plugins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginRecords {
    /// Those that are loaded, by name.
    pub loaded: Vec<PluginRecord>,
    /// Files that could not be loaded, each with why.
    pub rejected: Vec<(String, String)>,
}

/// A plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginRecord {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// `probe` or `notifier`.
    pub kind: &'static str,
    /// The schemes of targets that it judges, if it is a probe.
    pub schemes: Vec<String>,
    /// Where it came from: `bundled`, or a file.
    pub origin: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// What it asks for, is granted and is denied.
    pub access: Json,
    /// The JSON Schema of its configuration.
    pub schema: Json,
}

/// Stands in where nothing is known.
pub(crate) struct NoSurvey;

impl Survey for NoSurvey {
    fn monitors(&self) -> Found<'_, Arc<Vec<MonitorState>>> {
        Box::pin(async { Ok(Arc::default()) })
    }

    fn readings(&self, _: WantedReadings) -> Found<'_, Vec<ReadingRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn changes(&self, _: WantedChanges) -> Found<'_, Vec<ChangeRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn plugins(&self) -> Arc<PluginRecords> {
        Arc::default()
    }
}
