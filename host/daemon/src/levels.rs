//! How well promises are kept: computed from what the store has summed up, for
//! whoever asks, and again and again to find those that are broken.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{error, info};
use watchkeeper_config::Config;
use watchkeeper_config::config::Service;
use watchkeeper_config::monitor::Monitor;
use watchkeeper_config::sla::{Period, Sla};
use watchkeeper_engine::id::{MonitorId, MonitorName, ServiceId};
use watchkeeper_engine::sla::{
    Level, PartOfService, Report, Stretch, Window, of_service, outages, stretches,
};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Uptime;
use watchkeeper_store::{
    Breach, BreachId, BreachQuery, BreachRow, MonitorSums, Resolution, Store, StoreError,
};
use watchkeeper_web::{
    BreachRecord, Found, LevelReport, LevelRow, NoReport, ReadingFigures, Refusal, WantedBreaches,
    WantedReport,
};

use crate::clock;
use crate::intake::Keys;
use crate::orders::{FoundBreach, Order};
use crate::telemetry::{Figures, Kept, Metrics, Promise};

mod asked;

/// How often broken promises are looked for.
const EVERY: Duration = Duration::from_secs(10);

/// How often the uptime of the last day is computed for the metrics.
const LATELY_EVERY: Duration = Duration::from_mins(1);

/// For how long after its end a period is looked at: what happened in its last
/// moments is known by then.
const AFTERWARDS: Duration = Duration::from_mins(5);

/// For how long somebody may still be told of a breach: over a week-end, where a
/// route keeps hours.
const TELL_WITHIN: Duration = Duration::from_hours(7 * 24);

/// How many breaches are looked at. Nobody has so many promises.
const MOST_BREACHES: usize = 20_000;

/// How long the store keeps buckets of five minutes and of an hour, less a day in
/// which they are being removed.
const FIVE_MINUTES_KEPT: Duration = Duration::from_hours(29 * 24);
const HOURS_KEPT: Duration = Duration::from_hours(399 * 24);

/// See the module.
#[derive(Clone)]
pub(crate) struct Levels {
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Something to report on.
#[derive(Clone, Debug)]
struct Item {
    service: ServiceId,
    monitor: Option<MonitorName>,
    label: String,
    level: Option<Level>,
    period: String,
    window: Window,
}

/// What came of an item.
struct Measured {
    report: Report,
    incidents: Option<u64>,
    readings: ReadingFigures,
}

/// What the store knows of a time.
struct Past {
    sums: HashMap<MonitorId, MonitorSums>,
    stretches: HashMap<MonitorId, Vec<Stretch>>,
    incidents: HashMap<ServiceId, u64>,
}

impl Levels {
    /// Looks for broken promises until dropped.
    pub(crate) async fn watch(self) {
        let mut rhythm = tokio::time::interval(EVERY);
        rhythm.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut figures = Figures::default();
        let mut lately: Option<Instant> = None;
        loop {
            rhythm.tick().await;
            let config = self.keys.borrow().config.clone();
            let knows_nothing = figures.lately.iter().all(|it| it.uptime.is_none());
            let is_due = knows_nothing || lately.is_none_or(|last| last.elapsed() >= LATELY_EVERY);
            if is_due {
                lately = Some(Instant::now());
            }
            if let Err(problem) = self.count(&config, is_due, &mut figures).await {
                error!(%problem, "metrics cannot be computed");
            }
            match self.find(&config, &mut figures, clock::wall()).await {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    if self.orders.send(Order::TellBreaches(found)).await.is_err() {
                        return;
                    }
                }
                Err(problem) => error!(%problem, "promises cannot be looked after"),
            }
            self.metrics.standings.show(figures.clone());
        }
    }

    /// The breaches that nobody has found yet, and those of which somebody may
    /// still be told.
    async fn find(
        &self,
        config: &Config,
        figures: &mut Figures,
        now: Timestamp,
    ) -> Result<Vec<FoundBreach>, StoreError> {
        figures.promises.clear();
        let mut items = Vec::new();
        for (service, monitor, sla) in promised(config) {
            let present = window(sla.period, now, now, config);
            let before = window(sla.period, now - AFTERWARDS, now, config);
            let has_just_ended = !sla.period.is_rolling() && before.from != present.from;
            for window in has_just_ended
                .then_some(before)
                .into_iter()
                .chain([present])
            {
                items.push(Item {
                    service: service.id.clone(),
                    monitor: monitor.map(|it| it.id.name().clone()),
                    label: String::new(),
                    level: Some(sla.level),
                    period: sla.period.to_string(),
                    window,
                });
            }
        }
        let Some(oldest) = items.iter().map(|item| item.window.from).min() else {
            return Ok(Vec::new());
        };
        let measured = self.measure(config, &items, false).await?;
        let query = BreachQuery {
            since: Some(oldest.min(now - TELL_WITHIN)),
            limit: MOST_BREACHES,
            ..BreachQuery::default()
        };
        let known = self.store.breaches(query).await?;
        let tell_since = now - TELL_WITHIN;
        let mut found: Vec<FoundBreach> = known
            .iter()
            .filter(|row| row.acknowledged.is_none() && row.breach.found >= tell_since)
            .map(|row| FoundBreach {
                breach: row.breach.clone(),
                is_new: false,
            })
            .collect();
        for (item, measured) in items.iter().zip(measured) {
            if item.window.to >= now {
                figures.promises.extend(promise(item, &measured.report));
            }
            let breach = breach(item, &measured.report, now);
            found.extend(
                breach
                    .filter(|breach| !known.iter().any(|row| is_same(&row.breach, breach)))
                    .map(|breach| FoundBreach {
                        breach,
                        is_new: true,
                    }),
            );
        }
        Ok(found)
    }

    /// Counts what there is, and with `lately` measures the last day.
    async fn count(
        &self,
        config: &Config,
        lately: bool,
        figures: &mut Figures,
    ) -> Result<(), StoreError> {
        let targets = config.monitors().map(|it| it.targets.len()).sum();
        figures.counts = [config.services.len(), config.monitors().count(), targets];
        figures.incidents = self
            .store
            .incident_states()
            .await?
            .into_iter()
            .map(|(severity, stage, count)| (severity.as_str(), stage.as_str(), count))
            .collect();
        let query = BreachQuery {
            acknowledged: Some(false),
            limit: MOST_BREACHES,
            ..BreachQuery::default()
        };
        figures.breaches = self.store.breaches(query).await?.len();
        if !lately {
            return Ok(());
        }
        let wanted = WantedReport {
            otherwise: Some("1d"),
            period: Some("1d".to_owned()),
            ..WantedReport::default()
        };
        let items = asked::items(config, &wanted, clock::wall()).unwrap_or_default();
        let measured = self.measure(config, &items, false).await?;
        let kept = items
            .into_iter()
            .zip(measured)
            .map(|(item, measured)| Kept {
                service: item.service,
                monitor: item.monitor,
                uptime: measured.report.uptime.map(Uptime::ratio),
                availability: measured.report.availability.map(Uptime::ratio),
            });
        figures.lately = kept.collect();
        Ok(())
    }

    /// The report of each item, in order. Items of one time share what is read.
    async fn measure(
        &self,
        config: &Config,
        items: &[Item],
        with_readings: bool,
    ) -> Result<Vec<Measured>, StoreError> {
        let mut pasts: BTreeMap<(Timestamp, Timestamp), Past> = BTreeMap::new();
        let mut measured = Vec::with_capacity(items.len());
        for item in items {
            let span = (item.window.from, item.window.end());
            let past = match pasts.entry(span) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.past(config, span, with_readings).await?),
            };
            let service = config.service(&item.service);
            measured.push(past.measure(item, service));
        }
        Ok(measured)
    }

    async fn past(
        &self,
        config: &Config,
        (from, to): (Timestamp, Timestamp),
        with_readings: bool,
    ) -> Result<Past, StoreError> {
        let sums = self.store.sums(from, to, with_readings).await?;
        let monitors: Vec<MonitorId> = config.monitors().map(|it| it.id.clone()).collect();
        let healths = self.store.healths(monitors, from).await?;
        let mut told: HashMap<MonitorId, Vec<_>> = HashMap::new();
        for one in healths {
            let known = told.entry(one.monitor).or_default();
            known.push((one.at, one.health, one.maintained));
        }
        let stretches = told
            .into_iter()
            .map(|(monitor, healths)| (monitor, stretches(healths)))
            .collect();
        Ok(Past {
            sums,
            stretches,
            incidents: self.store.incident_counts(from, to).await?,
        })
    }
}

impl Past {
    fn measure(&self, item: &Item, service: Option<&Service>) -> Measured {
        let monitors: &[Monitor] = service.map_or(&[], |service| &service.monitors);
        let of_item = |monitor: &&Monitor| {
            item.monitor
                .as_ref()
                .is_none_or(|name| monitor.id.name() == name)
        };
        let monitors: Vec<&Monitor> = monitors.iter().filter(of_item).collect();
        let parts: Vec<PartOfService> = monitors.iter().map(|it| self.part(it)).collect();
        let (time, bad) = match (&item.monitor, parts.as_slice()) {
            // A monitor's own time is known, whatever it means to its service.
            (Some(_), [part]) => (part.time, part.stretches.clone()),
            _ => of_service(&parts, item.window),
        };
        let sick = item.level.map(|level| level.sick).unwrap_or_default();
        let mut readings = MonitorSums::default();
        for sums in monitors.iter().filter_map(|it| self.sums.get(&it.id)) {
            for (sum, more) in readings.checks.iter_mut().zip(sums.checks) {
                *sum = sum.saturating_add(more);
            }
            readings.latency.merge(&sums.latency);
        }
        let quantile = |q| readings.latency.quantile(q);
        Measured {
            report: Report::new(item.window, time, item.level, &outages(bad, sick)),
            incidents: match item.monitor {
                None => Some(self.incidents.get(&item.service).copied().unwrap_or(0)),
                Some(_) => None,
            },
            readings: ReadingFigures {
                checks: readings.checks,
                latency: quantile(0.5)
                    .zip(quantile(0.95))
                    .zip(quantile(0.99))
                    .map(|((median, high), highest)| [median, high, highest]),
            },
        }
    }

    fn part(&self, monitor: &Monitor) -> PartOfService {
        PartOfService {
            weight: monitor.weight,
            time: self
                .sums
                .get(&monitor.id)
                .map(|sums| sums.time)
                .unwrap_or_default(),
            stretches: self.stretches.get(&monitor.id).cloned().unwrap_or_default(),
        }
    }
}

impl watchkeeper_web::Levels for Levels {
    fn are_public(&self) -> bool {
        self.keys.borrow().config.page.sla
    }

    fn report(&self, wanted: WantedReport) -> BoxFuture<'_, Result<LevelReport, NoReport>> {
        Box::pin(async move {
            let config = self.keys.borrow().config.clone();
            let now = clock::wall();
            let items = asked::items(&config, &wanted, now)?;
            let measured = self.measure(&config, &items, wanted.with_readings).await;
            let measured = measured.map_err(|problem| {
                error!(%problem, "a report cannot be made");
                NoReport::Busy
            })?;
            let rows = items
                .into_iter()
                .zip(measured)
                .map(|(item, measured)| LevelRow {
                    span: asked::span(&item.window, &config),
                    service: item.service,
                    monitor: item.monitor,
                    label: item.label,
                    period: item.period,
                    report: measured.report,
                    incidents: measured.incidents,
                    readings: wanted.with_readings.then_some(measured.readings),
                });
            Ok(LevelReport {
                made: now,
                zone: asked::zone_name(&config),
                rows: rows.collect(),
            })
        })
    }

    fn breaches(&self, wanted: WantedBreaches) -> Found<'_, Vec<BreachRecord>> {
        let query = BreachQuery {
            service: wanted.service,
            acknowledged: wanted.acknowledged,
            since: None,
            before: wanted.before.map(BreachId),
            limit: wanted.limit,
        };
        Box::pin(async move {
            let found = self.store.breaches(query).await;
            let rows = found.map_err(|problem| unreadable(&problem))?;
            Ok(rows.into_iter().map(record).collect())
        })
    }

    fn acknowledge(&self, number: i64, by: Arc<str>) -> Found<'_, Option<BreachRecord>> {
        Box::pin(async move {
            let at = clock::wall();
            let taken = self
                .store
                .acknowledge_breach(BreachId(number), Arc::clone(&by), at)
                .await
                .map_err(|problem| unreadable(&problem))?;
            if taken.is_some() {
                info!(breach = number, %by, "a breach is acknowledged");
            }
            Ok(taken.map(record))
        })
    }
}

/// Everything of which something is promised.
fn promised(config: &Config) -> impl Iterator<Item = (&Service, Option<&Monitor>, Sla)> {
    config.services.iter().flat_map(|service| {
        let whole = service.sla.map(|sla| (service, None, sla));
        let monitors = service
            .monitors
            .iter()
            .filter_map(move |monitor| Some((service, Some(monitor), monitor.sla?)));
        whole.into_iter().chain(monitors)
    })
}

/// The period in which `at` lies, seen at `now`.
fn window(period: Period, at: Timestamp, now: Timestamp, config: &Config) -> Window {
    let (from, to) = period.around(at, &config.page.time_zone);
    snapped(from, to, now)
}

/// A window whose ends are those of buckets that the store still keeps.
fn snapped(from: Timestamp, to: Timestamp, now: Timestamp) -> Window {
    let snap = |at: Timestamp| {
        let age = now.since(at);
        let resolution = if age > HOURS_KEPT {
            Resolution::Day
        } else if age > FIVE_MINUTES_KEPT {
            Resolution::Hour
        } else {
            Resolution::FiveMinutes
        };
        resolution.bucket(at)
    };
    // The last moments count, where it is they that are asked for.
    let end = if to >= now { to } else { snap(to) };
    Window {
        from: snap(from),
        to: end,
        now,
    }
}

/// How well a promise is kept, as metrics have it.
fn promise(item: &Item, report: &Report) -> Option<Promise> {
    let (level, budget) = report.level.zip(report.budget)?;
    let seconds = |millis| Duration::from_millis(millis).as_secs_f64();
    Some(Promise {
        service: item.service.clone(),
        monitor: item.monitor.clone(),
        period: item.period.clone(),
        target: level.target.ratio(),
        kept: report.kept().map(Uptime::ratio),
        left_seconds: seconds(budget.total_ms) - seconds(budget.used_ms),
        burn_rate: report.burn_rate(),
    })
}

/// The breach that the report tells of.
fn breach(item: &Item, report: &Report, now: Timestamp) -> Option<Breach> {
    let budget = report.budget.filter(|budget| budget.is_overdrawn())?;
    let level = item.level?;
    Some(Breach {
        service: item.service.clone(),
        monitor: item.monitor.clone(),
        period: item.period.as_str().into(),
        starts: item.window.from,
        ends: if is_rolling(&item.period) {
            // It is not found again before as much time has passed.
            now + Duration::from_millis(item.window.length_ms())
        } else {
            item.window.to
        },
        found: now,
        target: level.target.millionths(),
        kept: report.kept().map_or(0, Uptime::hundredths_of_percent),
        budget_ms: budget.total_ms,
        lost_ms: budget.used_ms,
        told: Vec::new(),
    })
}

fn is_rolling(period: &str) -> bool {
    Period::parse(period).is_some_and(Period::is_rolling)
}

/// Whether `known` is the same breach as `new`: of the same promise, in the same
/// period.
fn is_same(known: &Breach, new: &Breach) -> bool {
    let is_of_same =
        known.service == new.service && known.monitor == new.monitor && known.period == new.period;
    is_of_same
        && if is_rolling(&new.period) {
            known.ends > new.found
        } else {
            known.starts == new.starts
        }
}

fn record(row: BreachRow) -> BreachRecord {
    let BreachRow {
        id,
        breach,
        acknowledged,
    } = row;
    BreachRecord {
        number: id.0,
        service: breach.service,
        monitor: breach.monitor,
        period: breach.period,
        starts: breach.starts,
        ends: breach.ends,
        found: breach.found,
        target: breach.target,
        kept: breach.kept,
        budget_ms: breach.budget_ms,
        lost_ms: breach.lost_ms,
        acknowledged,
    }
}

fn unreadable(problem: &StoreError) -> Refusal {
    error!(%problem, "breaches cannot be read");
    Refusal::Busy
}
