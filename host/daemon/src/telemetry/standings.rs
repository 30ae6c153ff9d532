//! What is shown of everything as a whole: how services stand, how well promises
//! are kept, what the process takes. Put into words only when somebody asks.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::clock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorName, ServiceId};

/// How many of its ticks the kernel counts in a second of CPU time, as programs
/// see it, on every architecture that this is built for.
const TICKS_PER_SECOND: f64 = 100.0;

/// See the module.
#[derive(Debug)]
pub(crate) struct Standings {
    services: Mutex<BTreeMap<ServiceId, Health>>,
    /// How many maintenances are scheduled, and how many go on.
    maintenances: Mutex<[i64; 2]>,
    figures: Mutex<Arc<Figures>>,
    /// The data folder, once it is known.
    pub(crate) data: OnceLock<PathBuf>,
    started: f64,
}

/// What is computed from time to time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// How many services, monitors and targets are configured.
    pub(crate) counts: [usize; 3],
    /// Of the last day.
    pub(crate) lately: Vec<Kept>,
    /// What was promised.
    pub(crate) promises: Vec<Promise>,
    /// How many incidents are kept, by severity and state.
    pub(crate) incidents: Vec<(&'static str, &'static str, u64)>,
    /// How many breaches nobody has acknowledged.
    pub(crate) breaches: usize,
}

/// How something was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) service: ServiceId,
    pub(crate) monitor: Option<MonitorName>,
    pub(crate) uptime: Option<f64>,
    pub(crate) availability: Option<f64>,
}

/// How well a promise is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Promise {
    pub(crate) service: ServiceId,
    pub(crate) monitor: Option<MonitorName>,
    pub(crate) period: String,
    pub(crate) target: f64,
    pub(crate) kept: Option<f64>,
    pub(crate) left_seconds: f64,
    pub(crate) burn_rate: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    service: String,
    health: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WindowLabels {
    service: String,
    monitor: String,
    window: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PromiseLabels {
    service: String,
    monitor: String,
    period: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IncidentLabels {
    severity: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MaintenanceLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabels {
    file: &'static str,
}

/// A figure of a promise: its name, what it says, its unit, and where it is.
type OfPromise = (
    &'static str,
    &'static str,
    Option<Unit>,
    fn(&Promise) -> Option<f64>,
);

/// A share of time: its name, what it says, and where it is.
type OfTime = (&'static str, &'static str, fn(&Kept) -> Option<f64>);

impl Default for Standings {
    fn default() -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this age are exact"
        )]
        let started = clock::wall().as_millis() as f64 / 1e3;
        Self {
            services: Mutex::default(),
            maintenances: Mutex::default(),
            figures: Mutex::default(),
            data: OnceLock::new(),
            started,
        }
    }
}

impl Standings {
    /// Shows how services stand: those and no others.
    pub(crate) fn show_services(&self, services: impl Iterator<Item = (ServiceId, Health)>) {
        *lock(&self.services) = services.collect();
    }

    /// Shows how many maintenances are scheduled, and how many go on.
    pub(crate) fn show_maintenances(&self, counts: [i64; 2]) {
        *lock(&self.maintenances) = counts;
    }

    /// Shows figures in place of those before.
    pub(crate) fn show(&self, figures: Figures) {
        *lock(&self.figures) = Arc::new(figures);
    }

    fn encode_services(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "service_health",
            "1 for the health that the service has, 0 for the others",
            None,
            MetricType::Gauge,
        )?;
        for (service, health) in lock(&self.services).iter() {
            for each in Health::ALL {
                let labels = ServiceLabels {
                    service: service.to_string(),
                    health: each.as_str(),
                };
                family
                    .encode_family(&labels)?
                    .encode_gauge(&i64::from(each == *health))?;
            }
        }
        let mut family = encoder.encode_descriptor(
            "maintenances",
            "Maintenances that are scheduled or in progress",
            None,
            MetricType::Gauge,
        )?;
        let counts = *lock(&self.maintenances);
        for (state, count) in ["scheduled", "in_progress"].into_iter().zip(counts) {
            let labels = MaintenanceLabels { state };
            family.encode_family(&labels)?.encode_gauge(&count)?;
        }
        Ok(())
    }

    fn encode_store(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "store_size",
            "Size of the databases on disk",
            Some(&Unit::Bytes),
            MetricType::Gauge,
        )?;
        let Some(folder) = self.data.get() else {
            return Ok(());
        };
        for file in ["state.db", "state.db-wal", "series.db", "series.db-wal"] {
            if let Ok(found) = fs::metadata(folder.join(file)) {
                let size = i64::try_from(found.len()).unwrap_or(i64::MAX);
                family
                    .encode_family(&FileLabels { file })?
                    .encode_gauge(&size)?;
            }
        }
        Ok(())
    }

    fn encode_process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name, help, unit: Option<Unit>, value: f64| {
            encoder
                .encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?
                .encode_gauge(&value)
        };
        gauge(
            "process_start_time",
            "When the process started, in seconds since 1970",
            Some(Unit::Seconds),
            self.started,
        )?;
        if let Some(bytes) = resident_memory() {
            gauge(
                "process_resident_memory",
                "Memory that the process holds",
                Some(Unit::Bytes),
                bytes,
            )?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let count = u32::try_from(open.count()).unwrap_or(u32::MAX);
            let help = "Files and connections that the process has open";
            gauge("process_open_fds", help, None, f64::from(count))?;
        }
        if let Some(seconds) = cpu_seconds() {
            encoder
                .encode_descriptor(
                    "process_cpu",
                    "CPU time that the process has taken",
                    Some(&Unit::Seconds),
                    MetricType::Counter,
                )?
                .encode_counter::<NoLabelSet, f64, f64>(&seconds, None)?;
        }
        Ok(())
    }
}

impl Figures {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counted = [
            ("services", "Services that are configured"),
            ("monitors", "Monitors that are configured"),
            ("targets", "Targets that are configured"),
        ];
        for ((name, help), count) in counted.into_iter().zip(self.counts) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            encoder
                .encode_descriptor(name, help, None, MetricType::Gauge)?
                .encode_gauge(&count)?;
        }
        self.encode_lately(encoder)?;
        self.encode_promises(encoder)?;
        let mut family = encoder.encode_descriptor(
            "incidents",
            "Incidents that are kept, by severity and state",
            None,
            MetricType::Gauge,
        )?;
        for &(severity, state, count) in &self.incidents {
            let labels = IncidentLabels { severity, state };
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            family.encode_family(&labels)?.encode_gauge(&count)?;
        }
        encoder
            .encode_descriptor(
                "sla_breaches_unacknowledged",
                "Broken promises that nobody has acknowledged",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&i64::try_from(self.breaches).unwrap_or(i64::MAX))
    }

    fn encode_lately(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let shares: [OfTime; 2] = [
            (
                "uptime",
                "Share of the judged time in which it was not dead; of the service as a whole where there is no monitor",
                |kept| kept.uptime,
            ),
            (
                "availability",
                "Share of the judged time in which it was healthy; of the service as a whole where there is no monitor",
                |kept| kept.availability,
            ),
        ];
        let ratio = ratio();
        for (name, help, pick) in shares {
            let mut family =
                encoder.encode_descriptor(name, help, Some(&ratio), MetricType::Gauge)?;
            for kept in &self.lately {
                if let Some(share) = pick(kept) {
                    let labels = WindowLabels {
                        service: kept.service.to_string(),
                        monitor: name_of(kept.monitor.as_ref()),
                        window: "24h",
                    };
                    family.encode_family(&labels)?.encode_gauge(&share)?;
                }
            }
        }
        Ok(())
    }

    fn encode_promises(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let figures: [OfPromise; 4] = [
            (
                "sla_target",
                "Share of the time that is promised",
                Some(ratio()),
                |promise| Some(promise.target),
            ),
            (
                "sla_kept",
                "Share of the judged time of the period in which the promise was kept",
                Some(ratio()),
                |promise| promise.kept,
            ),
            (
                "sla_budget_left",
                "Time that may still be lost in the period; negative where the promise is broken",
                Some(Unit::Seconds),
                |promise| Some(promise.left_seconds),
            ),
            (
                "sla_burn_rate",
                "How fast the error budget is used: 1 uses it up at the end of the period",
                None,
                |promise| promise.burn_rate,
            ),
        ];
        for (name, help, unit, pick) in figures {
            let mut family =
                encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            for promise in &self.promises {
                if let Some(value) = pick(promise) {
                    let labels = PromiseLabels {
                        service: promise.service.to_string(),
                        monitor: name_of(promise.monitor.as_ref()),
                        period: promise.period.clone(),
                    };
                    family.encode_family(&labels)?.encode_gauge(&value)?;
                }
            }
        }
        Ok(())
    }
}

impl Collector for Standings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_services(&mut encoder)?;
        let figures = Arc::clone(&lock(&self.figures));
        figures.encode(&mut encoder)?;
        self.encode_store(&mut encoder)?;
        self.encode_process(&mut encoder)
    }
}

/// As Prometheus names it: the library's own word for it is plural.
fn ratio() -> Unit {
    Unit::Other("ratio".to_owned())
}

fn name_of(monitor: Option<&MonitorName>) -> String {
    monitor.map(ToString::to_string).unwrap_or_default()
}

/// In bytes; only where the kernel says it as Linux does.
fn resident_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.split_whitespace().next()?.parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

/// In user and kernel mode together; only where the kernel says it as Linux does.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold anything, even spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(11);
    let user: u32 = ticks.next()?.parse().ok()?;
    let system: u32 = ticks.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS_PER_SECOND)
}

/// What a thread that panicked left behind is still whole: it is put in place at
/// once.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
