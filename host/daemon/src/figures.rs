//! Sums up what is kept of the past, for badges and pages.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::error;
use watchkeeper_config::Config;
use watchkeeper_engine::id::{MonitorId, ServiceId, TargetId};
use watchkeeper_engine::monitor::Weight;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::HealthSums;
use watchkeeper_store::{Histogram, Resolution, Rollup, Store, StoreError, Subject};
use watchkeeper_web::{Figures, Found, LatencyRecord, Part, Refusal, Sums, Window};

use crate::intake::Keys;

/// Where the past is summed up.
pub(crate) struct Almanac {
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
    pub(crate) store: Arc<dyn Store>,
}

/// What there is to sum up.
#[derive(Default)]
pub(crate) struct Catalogue {
    services: HashMap<ServiceId, Vec<Listed>>,
}

/// A monitor.
#[derive(Clone)]
struct Listed {
    id: MonitorId,
    weight: Weight,
    targets: Arc<[TargetId]>,
}

impl Catalogue {
    /// What `config` lists.
    pub(crate) fn of(config: &Config) -> Self {
        let services = config.services.iter().map(|service| {
            // What is summed up is for everybody to see.
            let public = service.monitors.iter().filter(|monitor| !monitor.private);
            let monitors = public.map(|monitor| Listed {
                id: monitor.id.clone(),
                weight: monitor.weight,
                targets: Arc::clone(&monitor.targets),
            });
            (service.id.clone(), monitors.collect())
        });
        Self {
            services: services.collect(),
        }
    }

    /// The monitors that `part` consists of.
    fn monitors(&self, part: &Part) -> Vec<Listed> {
        let (service, wanted) = match part {
            Part::Service(id) => (id, None),
            Part::Monitor(id) => (id.service(), Some(id)),
        };
        let monitors = self.services.get(service).into_iter().flatten();
        monitors
            .filter(|it| wanted.is_none_or(|wanted| it.id == *wanted))
            .cloned()
            .collect()
    }
}

impl Figures for Almanac {
    fn over(&self, part: &Part, window: Window, now: Timestamp) -> Found<'_, Sums> {
        let monitors = self.keys.borrow().catalogue.monitors(part);
        let part = part.clone();
        Box::pin(async move {
            let resolution = resolution(window);
            let from = beginning(resolution, window, now);
            let buckets = self.times(&part, &monitors, resolution, from, now).await;
            let times = buckets.map_err(|problem| unreadable(&problem))?;
            let mut latency = Histogram::new();
            for target in monitors.iter().flat_map(|it| it.targets.iter()) {
                let subject = Subject::Target(target.clone());
                let rollups = self.store.rollups(subject, resolution, from, now).await;
                for rollup in rollups.map_err(|problem| unreadable(&problem))? {
                    latency.merge(&rollup.totals.latency);
                }
            }
            Ok(Sums {
                times: times.into_values().sum(),
                p50: latency.quantile(0.5),
                p95: latency.quantile(0.95),
            })
        })
    }

    fn latencies(
        &self,
        monitor: &MonitorId,
        window: Window,
        now: Timestamp,
    ) -> Found<'_, Vec<LatencyRecord>> {
        let part = Part::Monitor(monitor.clone());
        let monitors = self.keys.borrow().catalogue.monitors(&part);
        Box::pin(async move {
            let resolution = resolution(window);
            let from = beginning(resolution, window, now);
            let mut merged: BTreeMap<Timestamp, Histogram> = BTreeMap::new();
            for target in monitors.iter().flat_map(|it| it.targets.iter()) {
                let subject = Subject::Target(target.clone());
                let rollups = self.store.rollups(subject, resolution, from, now).await;
                for rollup in rollups.map_err(|problem| unreadable(&problem))? {
                    let sum = merged.entry(rollup.start).or_default();
                    sum.merge(&rollup.totals.latency);
                }
            }
            let records = merged.into_iter().filter_map(|(at, latency)| {
                Some(LatencyRecord {
                    at,
                    p50: latency.quantile(0.5)?,
                    p95: latency.quantile(0.95)?,
                })
            });
            Ok(records.collect())
        })
    }

    fn days(
        &self,
        part: &Part,
        from: Timestamp,
        now: Timestamp,
    ) -> Found<'_, Vec<(Timestamp, HealthSums)>> {
        let monitors = self.keys.borrow().catalogue.monitors(part);
        let part = part.clone();
        Box::pin(async move {
            let days = self
                .times(&part, &monitors, Resolution::Day, from, now)
                .await;
            let days = days.map_err(|problem| unreadable(&problem))?;
            Ok(days.into_iter().collect())
        })
    }
}

impl Almanac {
    /// For how long a part had which health in each bucket.
    async fn times(
        &self,
        part: &Part,
        monitors: &[Listed],
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<Timestamp, HealthSums>, StoreError> {
        let mut buckets: BTreeMap<Timestamp, HealthSums> = BTreeMap::new();
        for monitor in monitors {
            let subject = Subject::Monitor(monitor.id.clone());
            let rollups = self.store.rollups(subject, resolution, from, to).await?;
            for Rollup { start, totals, .. } in rollups {
                let times = match (part, monitor.weight) {
                    (Part::Service(_), Weight::Minor) => at_most_sick(totals.time),
                    (Part::Service(_), Weight::Critical) | (Part::Monitor(_), _) => totals.time,
                };
                let known = buckets.entry(start).or_default();
                *known = worse(*known, times);
            }
        }
        Ok(buckets)
    }
}

/// A monitor that does not count fully makes its service at most sick.
fn at_most_sick(times: HealthSums) -> HealthSums {
    HealthSums {
        sick_ms: times.sick_ms.saturating_add(times.dead_ms),
        dead_ms: 0,
        ..times
    }
}

/// The worse of two monitors over the same short time: which part of it one was dead
/// in while the other was not is not kept, so that the one that was dead longer
/// stands for both.
fn worse(one: HealthSums, other: HealthSums) -> HealthSums {
    let badness = |times: &HealthSums| (times.dead_ms, times.sick_ms, times.healthy_ms);
    if badness(&other) > badness(&one) {
        other
    } else {
        one
    }
}

/// How finely a window is summed up: finely enough that what is cut off at its
/// beginning does not matter, and no finer, as a badge is asked for often.
const fn resolution(window: Window) -> Resolution {
    match window {
        Window::Day => Resolution::FiveMinutes,
        Window::Week | Window::Month => Resolution::Hour,
        Window::Quarter => Resolution::Day,
    }
}

/// When the first bucket of a window begins: as many buckets as fit into it, of
/// which the last one is still running.
fn beginning(resolution: Resolution, window: Window, now: Timestamp) -> Timestamp {
    let width = resolution.width();
    resolution.bucket(now) - window.span().saturating_sub(width).max(Duration::ZERO)
}

fn unreadable(problem: &StoreError) -> Refusal {
    error!(%problem, "the past cannot be summed up");
    Refusal::Busy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_dead_as_long_as_the_worst_of_its_monitors() {
        let times = |healthy_ms, sick_ms, dead_ms| HealthSums {
            healthy_ms,
            sick_ms,
            dead_ms,
            ..HealthSums::default()
        };
        let (fine, slow, down) = (times(60, 0, 0), times(30, 30, 0), times(59, 0, 1));
        assert_eq!(worse(fine, slow), slow);
        assert_eq!(worse(down, slow), down);
        assert_eq!(worse(HealthSums::default(), fine), fine);
        assert_eq!(at_most_sick(down), times(59, 1, 0));
    }

    #[test]
    fn a_window_has_its_length() {
        let now = Timestamp::from_millis(1_795_225_752_000);
        let days = beginning(Resolution::Day, Window::Quarter, now);
        let passed = Resolution::Day.bucket(now).since(days).as_secs() / 86_400;
        assert_eq!(passed, 89);
        let hours = beginning(Resolution::Hour, Window::Week, now);
        assert_eq!(
            Resolution::Hour.bucket(now).since(hours).as_secs() / 3600,
            167
        );
    }
}
