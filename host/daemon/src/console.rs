//! How the host works, for who works with it, and what they want done.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tracing::error;
use watchkeeper_config::Config;
use watchkeeper_config::plugin_config::PluginConfig;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::schedule;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::Store;
use watchkeeper_web::{
    ChannelFacts, Console, Found, HostFigures, MonitorFacts, MonitorPast, NotChecked, Pause,
    PausedBy, PluginFacts, Refusal, RouteFacts, SettingsTable, TargetFacts, Tested,
};

use crate::assignment::{Assigned, Assignments, Ready};
use crate::orders::{Order, Wanted};
use crate::page;
use crate::plugins::Shelf;
use crate::scheduler::Request;
use crate::telemetry::Metrics;

mod past;
mod plugins;
mod settings;
mod telling;
mod trial;

/// How long somebody waits for what they want done: less than browsers wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// The bytes of a page of memory, by which Linux counts on the machines that the host
/// is built for.
const PAGE_BYTES: u64 = 4_096;

/// What is paused, and by whom.
pub(crate) type Paused = BTreeMap<MonitorId, PausedBy>;

/// How many of the latest checks of a monitor are remembered.
const BEATS: usize = 42;

/// How the latest checks of each monitor ended, since the start; `None` for one
/// without a verdict.
#[derive(Debug, Default)]
pub(crate) struct Beats(Mutex<HashMap<MonitorId, VecDeque<Option<Verdict>>>>);

impl Beats {
    /// Notes how a check ended.
    pub(crate) fn note(&self, monitor: &MonitorId, verdict: Option<Verdict>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = all.entry(monitor.clone()).or_default();
        if latest.len() == BEATS {
            latest.pop_front();
        }
        latest.push_back(verdict);
    }

    /// Forgets all but those that are still there.
    pub(crate) fn keep(&self, is_there: impl Fn(&MonitorId) -> bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|monitor, _| is_there(monitor));
    }

    fn of(&self, monitor: &MonitorId) -> Vec<Option<Verdict>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = all.get(monitor);
        latest.map_or_else(Vec::new, |latest| latest.iter().copied().collect())
    }
}

/// Where it is known how the host works.
pub(crate) struct Booth {
    pub(crate) assignments: watch::Receiver<Arc<Assignments>>,
    pub(crate) shelf: watch::Receiver<Arc<Shelf>>,
    pub(crate) paused: watch::Receiver<Arc<Paused>>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) beats: Arc<Beats>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) requests: mpsc::Sender<Request>,
    /// From when on the scheduler counts.
    pub(crate) origin: Instant,
    /// When the host was started.
    pub(crate) started: Timestamp,
}

impl Console for Booth {
    fn host(&self) -> HostFigures {
        let assignments = Arc::clone(&self.assignments.borrow());
        let paused = Arc::clone(&self.paused.borrow());
        let asking = assignments.monitors.iter().filter(|assigned| {
            assigned.monitor.passive.is_none() && !paused.contains_key(&assigned.monitor.id)
        });
        let rates = asking.map(|assigned| {
            let targets = u32::try_from(assigned.monitor.targets.len()).unwrap_or(u32::MAX);
            f64::from(targets) / assigned.monitor.every.as_secs_f64()
        });
        let names: Vec<String> = self.shelf.borrow().plugins.keys().cloned().collect();
        let work = self.metrics.work(names.iter().map(String::as_str));
        let ran = self.origin.elapsed().as_secs_f64().max(1.0);
        let mut troubles: Vec<String> = self
            .store
            .trouble()
            .iter()
            .map(|trouble| format!("The store: {trouble}"))
            .collect();
        if self.metrics.config_rejected.get() != 0 {
            troubles.push(
                "The configuration on disk has mistakes and is not the one that runs: see the log."
                    .to_owned(),
            );
        }
        HostFigures {
            version: env!("CARGO_PKG_VERSION"),
            started: Some(self.started),
            checks_per_second: rates.sum(),
            checks: work.runs,
            lateness_p99: self.metrics.lateness_p99(),
            skipped: self.metrics.skipped.get(),
            cpu_share: work.cpu.as_secs_f64() / ran,
            cpu_per_check: work.cpu_per_run(),
            memory: memory(),
            troubles,
        }
    }

    fn monitors(&self) -> Vec<MonitorFacts> {
        let assignments = Arc::clone(&self.assignments.borrow());
        let (paused, shelf) = (self.paused.borrow(), self.shelf.borrow());
        let monitors = assignments.monitors.iter();
        monitors
            .map(|assigned| {
                let paused = paused.get(&assigned.monitor.id).cloned();
                self.monitor(&assignments.config, &shelf, assigned, paused)
            })
            .collect()
    }

    fn past(&self, monitor: MonitorId, window: Duration) -> Found<'_, Option<MonitorPast>> {
        let assignments = Arc::clone(&self.assignments.borrow());
        Box::pin(async move {
            let known = assignments.monitors.iter();
            let Some(assigned) = known.into_iter().find(|known| known.monitor.id == monitor) else {
                return Ok(None);
            };
            let past = past::read(self.store.as_ref(), assigned, window).await;
            past.map(Some).map_err(|problem| {
                error!(%problem, "the past cannot be looked up");
                Refusal::Busy
            })
        })
    }

    fn plugins(&self) -> Vec<PluginFacts> {
        plugins::loaded(
            &self.shelf.borrow(),
            &self.assignments.borrow(),
            &self.metrics,
        )
    }

    fn rejected(&self) -> Vec<(String, String)> {
        plugins::rejected(&self.shelf.borrow())
    }

    fn channels(&self) -> Vec<ChannelFacts> {
        telling::channels(&self.assignments.borrow(), &self.shelf.borrow())
    }

    fn routes(&self) -> Vec<RouteFacts> {
        telling::routes(&self.assignments.borrow().config)
    }

    fn settings(&self) -> Vec<SettingsTable> {
        settings::tables(&self.assignments.borrow().config)
    }

    fn pause(&self, monitors: Vec<MonitorId>, pause: Pause, by: Arc<str>) -> Found<'_, usize> {
        let (reply, answer) = oneshot::channel();
        let assignments = Arc::clone(&self.assignments.borrow());
        let paused = Arc::clone(&self.paused.borrow());
        let wanted = match pause {
            Pause::Stop => Wanted::Paused,
            Pause::GoOn => Wanted::Watched,
        };
        let known = |id: &MonitorId| assignments.monitors.iter().any(|it| it.monitor.id == *id);
        let differs = |id: &MonitorId| paused.contains_key(id) != (wanted == Wanted::Paused);
        let monitors: Vec<_> = monitors
            .into_iter()
            .filter(|id| known(id) && differs(id))
            .collect();
        let count = monitors.len();
        let order = Order::Pause {
            monitors,
            wanted,
            by,
            reply,
        };
        let ordering = async move {
            self.orders.send(order).await.map_err(|_| Refusal::Busy)?;
            match answer.await.map_err(|_| Refusal::Busy)? {
                Ok(()) => Ok(count),
                // It went away between the look and the deed, and nothing was done.
                Err(_) => Ok(0),
            }
        };
        Box::pin(async move {
            timeout(PATIENCE, ordering)
                .await
                .unwrap_or(Err(Refusal::Busy))
        })
    }

    fn check(&self, monitor: MonitorId) -> BoxFuture<'_, Result<(), NotChecked>> {
        let assignments = Arc::clone(&self.assignments.borrow());
        let is_paused = self.paused.borrow().contains_key(&monitor);
        Box::pin(async move {
            let mut known = assignments.monitors.iter();
            let Some(assigned) = known.find(|known| known.monitor.id == monitor) else {
                return Err(NotChecked::Unknown);
            };
            if is_paused {
                return Err(NotChecked::Paused);
            }
            if assigned.monitor.passive.is_some() || matches!(assigned.plugin, Ready::Missing(_)) {
                return Err(NotChecked::Unable);
            }
            let sending = self.requests.send(Request::Monitor(monitor));
            match timeout(PATIENCE, sending).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(NotChecked::Busy),
            }
        })
    }

    fn test(&self, channel: ChannelId) -> Found<'_, Option<Tested>> {
        let assignments = Arc::clone(&self.assignments.borrow());
        Box::pin(async move { Ok(trial::run(&assignments, &channel).await) })
    }
}

impl Booth {
    fn monitor(
        &self,
        config: &Config,
        shelf: &Shelf,
        assigned: &Assigned,
        paused: Option<PausedBy>,
    ) -> MonitorFacts {
        let monitor = &assigned.monitor;
        let (means, missing) = match (&monitor.passive, &assigned.plugin) {
            (Some(passive), _) => (passive.as_str().to_owned(), None),
            (None, Ready::Use(usable)) => {
                let description = usable.plugin.description();
                (
                    format!("{} {}", description.name, description.version),
                    None,
                )
            }
            (None, Ready::Missing(why)) => ("none".to_owned(), Some(Arc::clone(why))),
        };
        let is_checked = monitor.passive.is_none() && missing.is_none() && paused.is_none();
        let targets = monitor.targets.iter().map(|target| TargetFacts {
            id: target.clone(),
            address: page::shown_address(target.address()),
            next: is_checked.then(|| self.until_next(assigned, target.address())),
        });
        let service = config.service(monitor.id.service());
        MonitorFacts {
            id: monitor.id.clone(),
            label: Arc::clone(&monitor.label),
            service: service.map_or_else(
                || monitor.id.service().as_str().into(),
                |service| Arc::clone(&service.label),
            ),
            missing,
            targets: targets.collect(),
            every: monitor.passive.is_none().then_some(monitor.every),
            timeout: monitor.timeout,
            tags: monitor.tags.iter().map(ToString::to_string).collect(),
            paused,
            beats: self.beats.of(&monitor.id),
            config: match means.split_once(' ') {
                Some((plugin, _)) => shown_config(shelf, plugin, &monitor.config),
                None => String::new(),
            },
            means,
        }
    }

    /// How long it is until a target is checked next.
    fn until_next(&self, assigned: &Assigned, address: &str) -> Duration {
        let monitor = &assigned.monitor;
        let now = self.origin.elapsed();
        let phase = schedule::phase(&format!("{} {address}", monitor.id), monitor.every);
        schedule::next_due(phase, monitor.every, now).saturating_sub(now)
    }
}

/// What a plugin was told, with four asterisks for each secret.
fn shown_config(shelf: &Shelf, plugin: &str, config: &PluginConfig) -> String {
    let shown = match shelf.get(plugin) {
        Some(entry) => entry.schema.shown(config),
        // Nobody says what of it is secret.
        None => return String::new(),
    };
    if shown.as_object().is_some_and(serde_json::Map::is_empty) {
        return String::new();
    }
    serde_json::to_string_pretty(&shown).unwrap_or_default()
}

/// How much memory the process holds.
fn memory() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * PAGE_BYTES)
}
