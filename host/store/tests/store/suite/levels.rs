//! The laws of breaches, and of what reports are made of.

use std::time::Duration;

use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{ChannelId, MonitorName, ServiceId};
use watchkeeper_engine::uptime::{HealthSums, Maintained};
use watchkeeper_store::{Breach, BreachId, BreachQuery, Commit, Resolution, Sample, Span, Subject};

use super::Backend;
use crate::sample::{T0, after, change, checked, monitor, reading, target};

fn breach(monitor: Option<&str>, period: &str, told: &[&str]) -> Breach {
    Breach {
        service: ServiceId::new("api").unwrap(),
        monitor: monitor.map(|name| MonitorName::new(name).unwrap()),
        period: period.into(),
        starts: T0,
        ends: after(1000),
        found: after(10),
        target: 999_000,
        kept: 9_980,
        budget_ms: 5_000,
        lost_ms: 6_000,
        told: told.iter().map(|id| ChannelId::new(id).unwrap()).collect(),
    }
}

pub(crate) async fn a_breach_is_kept_once_for_each_period(backend: &impl Backend) {
    let store = backend.open();
    let commit = async |breach: Breach| {
        let breaches = vec![breach];
        store
            .commit(Commit {
                breaches,
                ..Commit::default()
            })
            .await
            .unwrap();
    };
    let all = BreachQuery {
        limit: 10,
        ..BreachQuery::default()
    };
    let service = breach(None, "month", &[]);
    commit(service.clone()).await;
    commit(breach(Some("health"), "month", &[])).await;
    let by = store.acknowledge_breach(BreachId(1), "Zoë".into(), after(20));
    let taken = by.await.unwrap().unwrap();
    assert_eq!(taken.acknowledged, Some(("Zoë".into(), after(20))));
    // Told later: the same breach, still acknowledged.
    let told = breach(None, "month", &["ops"]);
    commit(told.clone()).await;
    let again = store.acknowledge_breach(BreachId(1), "Max".into(), after(30));
    assert_eq!(
        again.await.unwrap().unwrap().acknowledged,
        taken.acknowledged
    );
    assert_eq!(
        store
            .acknowledge_breach(BreachId(9), "Max".into(), after(30))
            .await
            .unwrap(),
        None
    );
    store.close().await.unwrap();

    let store = backend.open();
    let found = store.breaches(all.clone()).await.unwrap();
    let ids: Vec<i64> = found.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [2, 1]);
    assert_eq!(found[1].breach, told);
    assert_eq!(found[1].acknowledged, taken.acknowledged);
    let numbers = async |query: BreachQuery| {
        let found = store.breaches(query).await.unwrap();
        found.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    let acknowledged = Some(true);
    assert_eq!(
        numbers(BreachQuery {
            acknowledged,
            ..all.clone()
        })
        .await,
        [1]
    );
    let before = Some(BreachId(2));
    assert_eq!(
        numbers(BreachQuery {
            before,
            ..all.clone()
        })
        .await,
        [1]
    );
    let since = Some(after(11));
    assert_eq!(
        numbers(BreachQuery {
            since,
            ..all.clone()
        })
        .await,
        [0_i64; 0]
    );
    let service = Some(ServiceId::new("shop").unwrap());
    assert_eq!(numbers(BreachQuery { service, ..all }).await, [0_i64; 0]);
    store.close().await.unwrap();
}

pub(crate) async fn healths_begin_with_the_one_before(backend: &impl Backend) {
    let store = backend.open();
    let (api, shop) = (monitor("api/health"), monitor("shop/web"));
    let of = |id: &watchkeeper_engine::id::MonitorId, seconds, health| {
        change(Subject::Monitor(id.clone()), after(seconds), health)
    };
    let mut maintained = of(&shop, 40, Health::Dead);
    maintained.maintained = Maintained::Yes;
    let changes = vec![
        of(&api, 1, Health::Healthy),
        of(&api, 5, Health::Dead),
        change(
            Subject::Target(target("api/health", "x")),
            after(20),
            Health::Healthy,
        ),
        of(&api, 30, Health::Healthy),
        maintained,
    ];
    store
        .commit(Commit {
            changes,
            ..Commit::default()
        })
        .await
        .unwrap();
    let found = store.healths(vec![api.clone(), shop], after(10)).await;
    let told: Vec<_> = found
        .unwrap()
        .into_iter()
        .map(|it| (it.monitor.to_string(), it.at, it.health, it.maintained))
        .collect();
    let expected = [
        (
            "api/health".to_owned(),
            after(5),
            Health::Dead,
            Maintained::No,
        ),
        (
            "api/health".to_owned(),
            after(30),
            Health::Healthy,
            Maintained::No,
        ),
        (
            "shop/web".to_owned(),
            after(40),
            Health::Dead,
            Maintained::Yes,
        ),
    ];
    assert_eq!(told, expected);
    store.close().await.unwrap();
}

/// Whatever the span, and wherever the sums are kept by then, they are those of
/// the buckets of five minutes.
pub(crate) async fn sums_of_any_span_add_up(backend: &impl Backend) {
    let store = backend.open();
    let (of, at) = (monitor("api/health"), target("api/health", "x"));
    // Three days that begin at four o'clock, dead in the first five minutes of
    // each hour.
    let mut samples = Vec::new();
    for hour in 0..72_u64 {
        for (from, to, health) in [(0, 300, Health::Dead), (300, 3600, Health::Healthy)] {
            let span = Span {
                from: after(hour * 3600 + from),
                to: after(hour * 3600 + to),
                health,
                maintained: Maintained::No,
            };
            samples.push(Sample {
                subject: Subject::Monitor(of.clone()),
                reading: None,
                span: Some(span),
            });
        }
        let found = reading(after(hour * 3600 + 60), Verdict::Dead, 10);
        samples.push(checked(&at, found));
    }
    store.record(samples).await.unwrap();
    store.flush().await.unwrap();
    store.close().await.unwrap();
    let store = backend.open();
    for (from, to) in [(0, 72), (1, 3), (19, 70), (20, 44), (71, 72), (72, 80)] {
        for minutes in [0, 25] {
            let start = after(from * 3600 + minutes * 60);
            let end = after(to * 3600);
            let sums = store.sums(start, end, true).await.unwrap();
            let sums = sums.get(&of).cloned().unwrap_or_default();
            let fine = store
                .rollups(
                    Subject::Monitor(of.clone()),
                    Resolution::FiveMinutes,
                    start,
                    end,
                )
                .await
                .unwrap();
            let expected: HealthSums = fine.iter().map(|rollup| rollup.totals.time).sum();
            assert_eq!(sums.time, expected, "{from}:{minutes}-{to}");
            let checks: u64 = store
                .rollups(
                    Subject::Target(at.clone()),
                    Resolution::FiveMinutes,
                    start,
                    end,
                )
                .await
                .unwrap()
                .iter()
                .map(|rollup| rollup.totals.dead_checks)
                .sum();
            assert_eq!(sums.checks, [0, 0, checks, 0]);
            assert_eq!(sums.latency.count(), checks);
        }
    }
    let without = store.sums(T0, after(3600), false).await.unwrap();
    assert_eq!(without[&of].checks, [0; 4]);
    let none = store.sums(T0 - Duration::from_mins(10), T0, true).await;
    assert_eq!(none.unwrap()[&of].time, HealthSums::default());
    store.close().await.unwrap();
}
