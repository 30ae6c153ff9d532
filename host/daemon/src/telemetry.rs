//! What the host says of itself in numbers. Every metric's name stands here and
//! nowhere else.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::passive::report::Said;
use watchkeeper_sandbox::Measurement;
use watchkeeper_web::{Refusal, Told, What};

mod readings;
mod standings;
pub(crate) mod work;

use readings::Readings;
pub(crate) use standings::{Figures, Kept, Promise, Standings};

/// A monitor in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct MonitorLabels {
    service: String,
    monitor: String,
    health: &'static str,
}

/// A plugin in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct PluginLabels {
    plugin: String,
}

/// A loaded plugin in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LoadedLabels {
    plugin: String,
    version: String,
    kind: &'static str,
}

/// A plugin file that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RejectedLabels {
    file: String,
    reason: String,
}

/// A plugin and how its run ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabels {
    plugin: String,
    outcome: &'static str,
}

/// A channel and how a try to deliver ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DeliveryLabels {
    channel: String,
    outcome: &'static str,
}

/// How a call that tells somebody that the host works ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DeadManLabels {
    outcome: &'static str,
}

/// What was said from outside, and how it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ToldLabels {
    kind: &'static str,
    outcome: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The host's metrics and their registry.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    checks: Family<OutcomeLabels, Counter>,
    check_seconds: Histograms<PluginLabels>,
    check_cpu: Family<PluginLabels, Counter<f64, AtomicU64>>,
    check_memory: Family<PluginLabels, Gauge>,
    lateness: Histogram,
    latest: work::Lateness,
    pub(crate) in_flight: Gauge,
    pub(crate) skipped: Counter,
    monitor_health: Family<MonitorLabels, Gauge>,
    readings: Arc<Readings>,
    pub(crate) standings: Arc<Standings>,
    told: Family<ToldLabels, Counter>,
    pub(crate) changes: Counter,
    plugin_loaded: Family<LoadedLabels, Gauge>,
    plugin_rejected: Family<RejectedLabels, Gauge>,
    pub(crate) plugins_loading: Gauge,
    deliveries: Family<DeliveryLabels, Counter>,
    pub(crate) deliveries_pending: Gauge,
    dead_man: Family<DeadManLabels, Counter>,
    pub(crate) oldest_delivery: Gauge<f64, AtomicU64>,
    pub(crate) config_rejected: Gauge,
    pub(crate) store_trouble: Gauge,
    pub(crate) clock_steps: Counter,
}

impl Metrics {
    /// All metrics at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("watchkeeper");
        let wide = || exponential_buckets(0.001, 2.0, 16);
        let metrics = Self {
            checks: Family::default(),
            check_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.001, 2.0, 16))
            }),
            check_cpu: Family::default(),
            check_memory: Family::default(),
            lateness: Histogram::new(wide()),
            latest: work::Lateness::default(),
            in_flight: Gauge::default(),
            skipped: Counter::default(),
            monitor_health: Family::default(),
            readings: Arc::default(),
            standings: Arc::default(),
            told: Family::default(),
            changes: Counter::default(),
            plugin_loaded: Family::default(),
            plugin_rejected: Family::default(),
            plugins_loading: Gauge::default(),
            deliveries: Family::default(),
            deliveries_pending: Gauge::default(),
            dead_man: Family::default(),
            oldest_delivery: Gauge::default(),
            config_rejected: Gauge::default(),
            store_trouble: Gauge::default(),
            clock_steps: Counter::default(),
            registry: Registry::default(),
        };
        registry.register(
            "build",
            "The running version",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "checks",
            "Checks run, by probe and how they ended",
            metrics.checks.clone(),
        );
        registry.register_with_unit(
            "check_duration",
            "Wall time of a check, by probe",
            Unit::Seconds,
            metrics.check_seconds.clone(),
        );
        registry.register_with_unit(
            "check_cpu",
            "CPU time spent in checks, by probe",
            Unit::Seconds,
            metrics.check_cpu.clone(),
        );
        registry.register_with_unit(
            "check_peak_memory",
            "Memory that the last run of a probe took at most",
            Unit::Bytes,
            metrics.check_memory.clone(),
        );
        registry.register_with_unit(
            "check_lateness",
            "How long after its due time a check began",
            Unit::Seconds,
            metrics.lateness.clone(),
        );
        registry.register(
            "checks_in_flight",
            "Checks that run now",
            metrics.in_flight.clone(),
        );
        registry.register(
            "checks_skipped",
            "Checks left out because the one before on the same target still ran",
            metrics.skipped.clone(),
        );
        registry.register(
            "monitor_health",
            "1 for the health that the monitor has, 0 for the others",
            metrics.monitor_health.clone(),
        );
        registry.register_collector(Box::new(Arc::clone(&metrics.readings)));
        registry.register_collector(Box::new(Arc::clone(&metrics.standings)));
        registry.register(
            "told",
            "What was said of monitors that do not ask, by kind and how it was taken",
            metrics.told.clone(),
        );
        registry.register(
            "changes",
            "Confirmed changes of a target's health",
            metrics.changes.clone(),
        );
        registry.register(
            "plugin_loaded",
            "Plugins in use",
            metrics.plugin_loaded.clone(),
        );
        registry.register(
            "plugin_rejected",
            "Files of the plugins folder that were not loaded, and why",
            metrics.plugin_rejected.clone(),
        );
        registry.register(
            "plugins_loading",
            "Plugins that are still to be loaded after the start",
            metrics.plugins_loading.clone(),
        );
        registry.register(
            "deliveries",
            "Tries to deliver a notice, by channel and how they ended",
            metrics.deliveries.clone(),
        );
        registry.register(
            "deliveries_pending",
            "Notices that wait to be delivered",
            metrics.deliveries_pending.clone(),
        );
        registry.register_with_unit(
            "deliveries_oldest_pending",
            "How long ago the oldest notice was written that waits to be delivered",
            Unit::Seconds,
            metrics.oldest_delivery.clone(),
        );
        registry.register(
            "dead_man_calls",
            "Calls that tell somebody that the host works, by how they ended",
            metrics.dead_man.clone(),
        );
        registry.register(
            "config_rejected",
            "1 while the configuration on disk is not the one that runs",
            metrics.config_rejected.clone(),
        );
        registry.register(
            "store_trouble",
            "1 while the store cannot keep all that it is given",
            metrics.store_trouble.clone(),
        );
        registry.register(
            "clock_steps",
            "Steps of the wall clock",
            metrics.clock_steps.clone(),
        );
        Self {
            registry,
            ..metrics
        }
    }

    /// The metrics in the OpenMetrics text format.
    pub(crate) fn encode(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("writing to a string cannot fail");
        out
    }

    /// Counts a run of `plugin`.
    pub(crate) fn ran(&self, plugin: &str, run: &RunFigures) {
        let labels = PluginLabels {
            plugin: plugin.to_owned(),
        };
        self.checks
            .get_or_create(&OutcomeLabels {
                plugin: plugin.to_owned(),
                outcome: run.outcome,
            })
            .inc();
        self.check_seconds
            .get_or_create(&labels)
            .observe(run.took.as_secs_f64());
        self.check_cpu
            .get_or_create(&labels)
            .inc_by(run.cpu.as_secs_f64());
        self.check_memory
            .get_or_create(&labels)
            .set(i64::try_from(run.peak_memory).unwrap_or(i64::MAX));
    }

    /// Counts a try to deliver to `channel`.
    pub(crate) fn delivery(&self, channel: &str, outcome: &'static str) {
        self.deliveries
            .get_or_create(&DeliveryLabels {
                channel: channel.to_owned(),
                outcome,
            })
            .inc();
    }

    /// Counts a call that tells somebody that the host works.
    pub(crate) fn dead_man(&self, outcome: &'static str) {
        self.dead_man
            .get_or_create(&DeadManLabels { outcome })
            .inc();
    }

    /// Shows the health of a monitor.
    pub(crate) fn show_monitor(&self, monitor: &MonitorId, health: Health) {
        for each in Health::ALL {
            self.monitor_health
                .get_or_create(&MonitorLabels {
                    service: monitor.service().to_string(),
                    monitor: monitor.name().to_string(),
                    health: each.as_str(),
                })
                .set(i64::from(each == health));
        }
    }

    /// Shows the latency and the measurements of a target's last reading. `failed` is
    /// whether it was dead, if it came to a verdict.
    pub(crate) fn show_reading(
        &self,
        target: &TargetId,
        failed: Option<bool>,
        latency: Option<Duration>,
        measurements: Vec<Measurement>,
    ) {
        self.readings.put(target, failed, latency, measurements);
    }

    /// Counts something that was said, and shows the figures in it.
    pub(crate) fn told(&self, told: &Told, taken: Result<(), Refusal>) {
        let kind = match &told.what {
            What::Report { .. } => "report",
            What::Forget { .. } => "flush",
            What::Call(_) => "call",
            What::Set { .. } => "set",
        };
        let outcome = match taken {
            Ok(()) => "taken",
            Err(Refusal::Unknown) => "unknown",
            Err(Refusal::Full) => "full",
            Err(Refusal::Busy) => "busy",
        };
        let labels = ToldLabels { kind, outcome };
        self.told.get_or_create(&labels).inc();
        let replica = |replica: &str| TargetId::new(told.monitor.clone(), replica);
        match (&told.what, taken) {
            (
                What::Report {
                    replica: name,
                    report,
                },
                Ok(()),
            ) => {
                if let Said::Load(load) = report.said {
                    let share = |name: &str, value| Measurement {
                        name: name.to_owned(),
                        value,
                        unit: "ratio".to_owned(),
                    };
                    let loads = vec![share("cpu", load.cpu), share("ram", load.ram)];
                    self.readings.put(&replica(name), None, None, loads);
                }
            }
            (What::Forget { replica: name }, Ok(())) => self.readings.remove(&replica(name)),
            _ => {}
        }
    }

    /// Forgets monitors and targets, before those of a new configuration are shown.
    pub(crate) fn forget_monitors(&self) {
        self.monitor_health.clear();
        self.readings.clear();
    }

    /// Shows which plugins are loaded: name, version, kind.
    pub(crate) fn show_plugins<'a>(
        &self,
        loaded: impl Iterator<Item = (&'a str, String, &'static str)>,
        rejected: impl Iterator<Item = (String, String)>,
    ) {
        self.plugin_loaded.clear();
        for (plugin, version, kind) in loaded {
            self.plugin_loaded
                .get_or_create(&LoadedLabels {
                    plugin: plugin.to_owned(),
                    version,
                    kind,
                })
                .set(1);
        }
        self.plugin_rejected.clear();
        for (file, reason) in rejected {
            self.plugin_rejected
                .get_or_create(&RejectedLabels { file, reason })
                .set(1);
        }
    }
}

/// What a run cost and how it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunFigures {
    /// `healthy`, `sick`, `dead`, `undecided`, `limit`, …
    pub(crate) outcome: &'static str,
    /// Wall time.
    pub(crate) took: Duration,
    /// CPU time.
    pub(crate) cpu: Duration,
    /// Linear memory at its largest, in bytes.
    pub(crate) peak_memory: usize,
}
