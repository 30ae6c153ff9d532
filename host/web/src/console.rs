//! What who works with the host sees beyond what the public sees, and what they can
//! have done. Whoever knows and does it stands behind [`Console`].

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::{ChannelId, MonitorId, TargetId};
use watchkeeper_engine::time::Timestamp;

use crate::intake::Refusal;
use crate::records::Found;

/// Knows how the host works, and does what is asked of it.
///
/// No text that comes out of it holds a secret: where one would stand there are
/// four asterisks, and addresses have neither user information nor a query.
pub trait Console: Send + Sync {
    /// How the host does.
    fn host(&self) -> HostFigures;

    /// Every monitor, in the order of the configuration.
    fn monitors(&self) -> Vec<MonitorFacts>;

    /// What is kept of a monitor's past in `window` before now; `None` if there is no
    /// such monitor.
    fn past(&self, monitor: MonitorId, window: Duration) -> Found<'_, Option<MonitorPast>>;

    /// Every plugin that can be used, by name.
    fn plugins(&self) -> Vec<PluginFacts>;

    /// Files of the plugins folder that are not used: which, and why.
    fn rejected(&self) -> Vec<(String, String)>;

    /// Every channel, in the order of the configuration.
    fn channels(&self) -> Vec<ChannelFacts>;

    /// Every route, in the order of the configuration.
    fn routes(&self) -> Vec<RouteFacts>;

    /// The configuration that runs.
    fn settings(&self) -> Vec<SettingsTable>;

    /// Has monitors not checked any more, or again, on behalf of `by`; ready once that
    /// would survive the end of the process. How many of them changed.
    fn pause(&self, monitors: Vec<MonitorId>, pause: Pause, by: Arc<str>) -> Found<'_, usize>;

    /// Has a monitor checked at once.
    fn check(&self, monitor: MonitorId) -> BoxFuture<'_, Result<(), NotChecked>>;

    /// Sends a trial notice through a channel: what became of it.
    fn test(&self, channel: ChannelId) -> Found<'_, Option<Tested>>;
}

/// What to do to monitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// They are not checked any more.
    Stop,
    /// They are checked again.
    GoOn,
}

/// How the host does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostFigures {
    /// The program's version.
    pub version: &'static str,
    /// Since when it runs.
    pub started: Option<Timestamp>,
    /// How many checks a second the configuration amounts to.
    pub checks_per_second: f64,
    /// How many checks have run since the start.
    pub checks: u64,
    /// How long after its due time one in a hundred of the latest checks began, or
    /// later.
    pub lateness_p99: Option<Duration>,
    /// How many checks were left out because the one before still ran.
    pub skipped: u64,
    /// The share of one processor that plugins took since the start.
    pub cpu_share: f64,
    /// The processor time of a check since the start, on average.
    pub cpu_per_check: Option<Duration>,
    /// The memory that the process holds, in bytes; `None` where the system does not
    /// say.
    pub memory: Option<u64>,
    /// What is wrong with the host itself, a sentence each.
    pub troubles: Vec<String>,
}

/// A monitor as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorFacts {
    /// Its identifier.
    pub id: MonitorId,
    /// What people call it.
    pub label: Arc<str>,
    /// What people call its service.
    pub service: Arc<str>,
    /// The plugin that checks it with its version, or how it is told.
    pub means: String,
    /// Why it cannot be checked, if it cannot.
    pub missing: Option<Arc<str>>,
    /// What it checks.
    pub targets: Vec<TargetFacts>,
    /// How often; `None` where it is told.
    pub every: Option<Duration>,
    /// How long a check may take.
    pub timeout: Duration,
    /// The words by which routes find it.
    pub tags: Vec<String>,
    /// Who has paused it, and when.
    pub paused: Option<PausedBy>,
    /// How its latest checks ended, oldest first; `None` for one without a verdict.
    pub beats: Vec<Option<Verdict>>,
    /// What its plugin was told, as JSON.
    pub config: String,
}

/// Who has paused something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedBy {
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// An address that a monitor checks.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetFacts {
    /// What it is kept by.
    pub id: TargetId,
    /// The address as people may see it.
    pub address: String,
    /// When it is checked next; `None` where it is told or not checked.
    pub next: Option<Duration>,
}

/// What is kept of a monitor's past.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonitorPast {
    /// Latencies of each of its targets.
    pub latencies: Vec<(String, Vec<LatencyAt>)>,
    /// The latest readings of its targets, newest first.
    pub readings: Vec<ReadingFacts>,
    /// Its latest changes and those of its targets, newest first.
    pub changes: Vec<ChangeFacts>,
}

/// What latencies were in a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyAt {
    /// When the span began.
    pub at: Timestamp,
    /// The median.
    pub median: Duration,
    /// What 95 of 100 stayed below.
    pub p95: Duration,
    /// What 99 of 100 stayed below.
    pub p99: Duration,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingFacts {
    /// When.
    pub at: Timestamp,
    /// At which address.
    pub address: String,
    /// What; `None` without a verdict.
    pub verdict: Option<Verdict>,
    /// How long it took.
    pub latency: Option<Duration>,
    /// Why.
    pub reason: Option<Arc<str>>,
}

/// A change of health.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeFacts {
    /// When it was decided.
    pub at: Timestamp,
    /// At which address; `None` for the monitor as a whole.
    pub address: Option<String>,
    /// From what.
    pub from: &'static str,
    /// To what.
    pub to: &'static str,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// How long what was before had lasted.
    pub lasted: Option<Duration>,
}

/// A plugin that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginFacts {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// `probe` with its schemes, or `notifier`.
    pub kind: String,
    /// Where it comes from.
    pub origin: String,
    /// Who stands for it.
    pub trust: &'static str,
    /// The first digits of its SHA-256.
    pub sha256: String,
    /// What it asks for and gets.
    pub granted: Vec<String>,
    /// What it asks for and does not get.
    pub denied: Vec<String>,
    /// What to write into the configuration for it to get all.
    pub remedy: Option<String>,
    /// The most memory that a run may use, in bytes.
    pub memory_limit: u64,
    /// The most processor time that a run may use.
    pub cpu_limit: Duration,
    /// The memory that its last run used at most, in bytes.
    pub memory: Option<u64>,
    /// The processor time of a run since the start, on average.
    pub cpu: Option<Duration>,
    /// How many runs there were since the start.
    pub runs: u64,
    /// How many of them ended at a limit or broke down.
    pub ended: u64,
    /// How many monitors and channels use it.
    pub users: usize,
}

/// A channel as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelFacts {
    /// Its identifier.
    pub id: ChannelId,
    /// The plugin that delivers.
    pub notifier: String,
    /// Why it cannot be used, if it cannot.
    pub missing: Option<Arc<str>>,
    /// What its plugin was told, as JSON.
    pub config: String,
    /// How many notices it gets at most.
    pub rate: Option<String>,
    /// How many routes lead to it.
    pub routes: usize,
}

/// A route as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFacts {
    /// The channels that it leads to.
    pub to: Vec<String>,
    /// What it tells.
    pub on: String,
    /// What it is about.
    pub about: String,
    /// When it tells.
    pub hours: String,
    /// When it reminds.
    pub reminders: String,
    /// Who else is told, and when.
    pub escalation: Vec<String>,
}

/// A table of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsTable {
    /// What it is called there.
    pub name: String,
    /// Its keys and their values, as TOML has them.
    pub entries: Vec<(String, String)>,
}

/// What became of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Whether the receiver took it.
    pub is_delivered: bool,
    /// What the receiver made of it, without secrets.
    pub words: String,
}

/// Why a monitor is not checked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotChecked {
    /// There is none.
    Unknown,
    /// It is paused.
    Paused,
    /// It is told and does not ask, or has no plugin.
    Unable,
    /// Too many wait.
    Busy,
}

/// Stands in where nobody knows anything.
pub(crate) struct NoConsole;

impl Console for NoConsole {
    fn host(&self) -> HostFigures {
        HostFigures::default()
    }

    fn monitors(&self) -> Vec<MonitorFacts> {
        Vec::new()
    }

    fn past(&self, _: MonitorId, _: Duration) -> Found<'_, Option<MonitorPast>> {
        Box::pin(async { Ok(None) })
    }

    fn plugins(&self) -> Vec<PluginFacts> {
        Vec::new()
    }

    fn rejected(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn channels(&self) -> Vec<ChannelFacts> {
        Vec::new()
    }

    fn routes(&self) -> Vec<RouteFacts> {
        Vec::new()
    }

    fn settings(&self) -> Vec<SettingsTable> {
        Vec::new()
    }

    fn pause(&self, _: Vec<MonitorId>, _: Pause, _: Arc<str>) -> Found<'_, usize> {
        Box::pin(async { Err(Refusal::Busy) })
    }

    fn check(&self, _: MonitorId) -> BoxFuture<'_, Result<(), NotChecked>> {
        Box::pin(async { Err(NotChecked::Unknown) })
    }

    fn test(&self, _: ChannelId) -> Found<'_, Option<Tested>> {
        Box::pin(async { Ok(None) })
    }
}
