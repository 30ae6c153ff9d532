//! The laws of the border, for any backend.
//!
//! [`laws!`] makes a test of each for a backend; a law that is not listed there
//! is unused code and so a warning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::monitor::MonitorState;
use watchkeeper_engine::network::{NetworkState, OwnNetwork};
use watchkeeper_engine::passive::Heard;
use watchkeeper_engine::passive::heartbeat::HeartbeatState;
use watchkeeper_engine::passive::report::{Report, ReportState, Said};
use watchkeeper_engine::telling::{Told, ToldOutage};
use watchkeeper_engine::uptime::{HealthSums, Maintained};
use watchkeeper_store::{
    ChangeQuery, Commit, DeliveryCounts, DeliveryId, DeliveryQuery, DeliveryState, ItemChange,
    ItemRow, Loaded, Resolution, RouteKey, Space, Store, StoreError, Subject, SubjectKind, Whose,
};

use crate::sample::{
    T0, after, change, checked, delivery, monitor, reading, spent, standing, state, target,
};

mod access;
mod documents;
mod incidents;
mod levels;

pub(crate) use access::{
    deed, deeds_are_found, one_admin_is_left, sessions_end, the_first_user_is_made_once,
};
pub(crate) use documents::documents_are_kept_replaced_and_removed;
pub(crate) use incidents::{
    a_key_is_made_once, incidents_are_found, incidents_are_kept_with_their_timelines,
    what_was_given_up_is_taken_up_again,
};

pub(crate) use levels::{
    a_breach_is_kept_once_for_each_period, healths_begin_with_the_one_before,
    sums_of_any_span_add_up,
};

/// Data that can be opened again and again, as by one process after the other.
pub(crate) trait Backend {
    fn open(&self) -> Arc<dyn Store>;
}

macro_rules! laws {
    ($backend:expr, $($law:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                $crate::suite::$law(&$backend).await;
            }
        )+
    };
    ($backend:expr) => {
        laws!(
            $backend,
            nothing_is_known_at_first,
            a_state_goes_on_after_a_restart,
            what_was_heard_goes_on_and_is_forgotten,
            a_commit_repeated_tells_once,
            many_commits_at_once_are_all_kept,
            changes_are_found,
            a_later_delivery_never_overtakes,
            a_delivery_ends_once,
            deliveries_are_found_and_pruned,
            what_was_given_up_is_taken_up_again,
            incidents_are_kept_with_their_timelines,
            incidents_are_found,
            a_key_is_made_once,
            parts_of_the_configuration_are_kept_as_they_were_last,
            the_first_user_is_made_once,
            one_admin_is_left,
            sessions_end,
            deeds_are_found,
            documents_are_kept_replaced_and_removed,
            spaces_are_replaced_whole,
            readings_are_found_newest_first,
            readings_survive_a_restart,
            sums_are_of_what_was_recorded,
            sums_of_a_restart_add_up,
            a_gap_is_no_data,
            time_is_never_counted_twice,
            a_span_over_midnight_is_split,
            monitors_have_a_time_of_their_own,
            a_breach_is_kept_once_for_each_period,
            healths_begin_with_the_one_before,
            sums_of_any_span_add_up,
            a_backup_is_whole,
            nothing_is_answered_after_close,
        );
    };
}
pub(crate) use laws;

pub(crate) async fn nothing_is_known_at_first(backend: &impl Backend) {
    let store = backend.open();
    assert_eq!(store.load().await.unwrap(), Loaded::default());
    assert_eq!(store.next_delivery_at().await.unwrap(), None);
    assert!(
        store
            .changes(ChangeQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.days(T0, T0).await.unwrap().is_empty());
    let target = target("api/health", "x");
    assert!(
        store
            .readings(target.clone(), T0, after(10), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .latency(target, Resolution::Hour, T0, after(10))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.trouble(), vec![]);
    store.close().await.unwrap();
}

pub(crate) async fn a_state_goes_on_after_a_restart(backend: &impl Backend) {
    let (a, b) = (
        target("api/health", "https://a/"),
        target("api/health", "https://b/"),
    );
    let monitor = monitor("api/health");
    let route = RouteKey("ops".into());
    let told = Told {
        outage: Some(ToldOutage::new(Health::Dead, T0, T0)),
    };
    let network = NetworkState {
        network: OwnNetwork::Lost,
        since: Some(T0),
    };
    let as_monitor = MonitorState {
        standing: standing(Health::Dead),
        target: Some(a.clone()),
        flapping: true,
    };
    let store = backend.open();
    let first = Commit {
        targets: vec![
            (a.clone(), state(Health::Healthy)),
            (b.clone(), state(Health::Sick)),
        ],
        monitors: vec![(monitor.clone(), as_monitor.clone())],
        told: vec![(route.clone(), monitor.clone(), told.clone())],
        network: Some(network.clone()),
        notes: [("kept", "1"), ("changed", "2"), ("removed", "3")]
            .map(|(name, text)| (name.to_owned(), Some(text.to_owned())))
            .into(),
        ..Commit::default()
    };
    store.commit(first).await.unwrap();
    let second = Commit {
        targets: vec![(a.clone(), state(Health::Dead))],
        notes: [
            ("changed".to_owned(), Some("4".to_owned())),
            ("removed".to_owned(), None),
        ]
        .into(),
        ..Commit::default()
    };
    store.commit(second).await.unwrap();
    store.close().await.unwrap();

    let expected = Loaded {
        targets: [(a, state(Health::Dead)), (b, state(Health::Sick))].into(),
        monitors: [(monitor.clone(), as_monitor)].into(),
        told: vec![(route, monitor, told)],
        network,
        notes: [("kept", "1"), ("changed", "4")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        ..Loaded::default()
    };
    let store = backend.open();
    assert_eq!(store.load().await.unwrap(), expected);
    store.close().await.unwrap();
}

pub(crate) async fn what_was_heard_goes_on_and_is_forgotten(backend: &impl Backend) {
    let (replica, job) = (
        target("api/worker", "10.0.0.1"),
        target("api/job", "heartbeat"),
    );
    let report = Heard::Report(ReportState::hear(
        Report {
            interval: Duration::from_secs(30),
            said: Said::Health(Verdict::Sick),
        },
        T0,
    ));
    let called = Heard::Heartbeat(HeartbeatState {
        called_at: Some(T0),
        expected_at: Some(after(60)),
        running: None,
    });
    let store = backend.open();
    let first = Commit {
        targets: vec![(replica.clone(), state(Health::Sick))],
        heard: vec![
            (replica.clone(), Some(report.clone())),
            (job.clone(), Some(called.clone())),
        ],
        alive_at: Some(T0),
        ..Commit::default()
    };
    store.commit(first).await.unwrap();
    store.close().await.unwrap();

    let store = backend.open();
    let loaded = store.load().await.unwrap();
    assert_eq!(
        loaded.heard,
        [(replica.clone(), report), (job.clone(), called.clone())].into()
    );
    assert_eq!(loaded.alive_at, Some(T0));
    let second = Commit {
        heard: vec![(replica, None)],
        ..Commit::default()
    };
    store.commit(second).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.heard, [(job, called)].into());
    assert!(loaded.targets.is_empty());
    assert_eq!(loaded.alive_at, Some(T0));
    store.close().await.unwrap();
}

pub(crate) async fn a_commit_repeated_tells_once(backend: &impl Backend) {
    let store = backend.open();
    let commit = Commit {
        deliveries: vec![delivery("n1", "ops"), delivery("n1", "chat")],
        ..Commit::default()
    };
    store.commit(commit.clone()).await.unwrap();
    store.commit(commit).await.unwrap();
    assert_eq!(store.delivery_counts().await.unwrap().pending, 2);
    store.close().await.unwrap();
}

pub(crate) async fn many_commits_at_once_are_all_kept(backend: &impl Backend) {
    let store = backend.open();
    let commits = (0..200).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let target = target("api/health", &number.to_string());
            let subject = Subject::Target(target.clone());
            let commit = Commit {
                targets: vec![(target, state(Health::Dead))],
                changes: vec![change(subject, after(number), Health::Dead)],
                deliveries: vec![delivery(&format!("n{number}"), "ops")],
                ..Commit::default()
            };
            store.commit(commit).await
        })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap().unwrap();
    }
    let query = ChangeQuery {
        limit: 1_000,
        ..ChangeQuery::default()
    };
    assert_eq!(store.changes(query).await.unwrap().len(), 200);
    assert_eq!(store.load().await.unwrap().targets.len(), 200);
    assert_eq!(store.delivery_counts().await.unwrap().pending, 200);
    store.close().await.unwrap();
}

pub(crate) async fn changes_are_found(backend: &impl Backend) {
    let store = backend.open();
    let (a, b) = (target("api/health", "a"), target("api/jobs", "b"));
    let other = target("web/home", "c");
    let mut folded = change(Subject::Target(b.clone()), after(2), Health::Sick);
    folded.maintained = Maintained::Yes;
    folded.folded_into = Some(monitor("web/home"));
    let entries = vec![
        change(Subject::Target(a.clone()), after(1), Health::Dead),
        folded,
        change(
            Subject::Monitor(monitor("api/health")),
            after(3),
            Health::Dead,
        ),
        change(Subject::Target(other.clone()), after(4), Health::Dead),
        change(Subject::Target(a.clone()), after(5), Health::Healthy),
    ];
    store
        .commit(Commit {
            changes: entries.clone(),
            ..Commit::default()
        })
        .await
        .unwrap();

    let find = async |query: ChangeQuery| {
        let found = store.changes(query).await.unwrap();
        found
            .iter()
            .map(|row| {
                entries
                    .iter()
                    .position(|entry| *entry == row.entry)
                    .unwrap()
                    + 1
            })
            .collect::<Vec<_>>()
    };
    let all = ChangeQuery::default();
    let of = |whose| ChangeQuery {
        whose,
        ..ChangeQuery::default()
    };
    assert_eq!(find(all.clone()).await, [5, 4, 3, 2, 1]);
    assert_eq!(
        find(of(Whose::Service(ServiceId::new("api").unwrap()))).await,
        [5, 3, 2, 1]
    );
    assert_eq!(
        find(of(Whose::Monitor(monitor("api/health")))).await,
        [5, 3, 1]
    );
    assert_eq!(find(of(Whose::Target(a))).await, [5, 1]);
    let kind = SubjectKind::Monitors;
    assert_eq!(
        find(ChangeQuery {
            kind,
            ..all.clone()
        })
        .await,
        [3]
    );
    let kind = SubjectKind::Targets;
    assert_eq!(
        find(ChangeQuery {
            kind,
            ..all.clone()
        })
        .await,
        [5, 4, 2, 1]
    );
    assert_eq!(
        find(ChangeQuery {
            since: Some(after(4)),
            ..all.clone()
        })
        .await,
        [5, 4]
    );
    // Page by page.
    let page = store
        .changes(ChangeQuery {
            limit: 2,
            ..all.clone()
        })
        .await
        .unwrap();
    let before = Some(page.last().unwrap().id);
    assert_eq!(
        find(ChangeQuery {
            before,
            limit: 2,
            ..all
        })
        .await,
        [3, 2]
    );
    store.close().await.unwrap();
}

pub(crate) async fn a_later_delivery_never_overtakes(backend: &impl Backend) {
    let mut store = backend.open();
    let deliveries = ["n1", "n2"].map(|notice| delivery(notice, "ops"));
    let later = watchkeeper_store::NewDelivery {
        not_before: after(60),
        ..delivery("n1", "chat")
    };
    let deliveries = deliveries.into_iter().chain([later]).collect();
    store
        .commit(Commit {
            deliveries,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(store.next_delivery_at().await.unwrap(), Some(T0));

    // The first is due again and again, also after a restart, under one id.
    for attempts in 0..3_u32 {
        let now = after(u64::from(attempts) * 10);
        let due = store.due_deliveries(now, 10).await.unwrap();
        let [first] = due.as_slice() else {
            panic!("{due:?}")
        };
        assert_eq!(
            (first.notice_id.as_str(), first.channel.as_str()),
            ("n1", "ops")
        );
        assert_eq!(first.attempts, attempts);
        assert_eq!(first.payload, "{\"notice\":\"n1\"}");
        let next_try = now + Duration::from_secs(10);
        store
            .postpone(first.id, next_try, "status 503".into())
            .await
            .unwrap();
        assert_eq!(store.due_deliveries(now, 10).await.unwrap(), vec![]);
        assert_eq!(store.next_delivery_at().await.unwrap(), Some(next_try));
        store.close().await.unwrap();
        store = backend.open();
    }
    // It gives way only when it is done with.
    let first = &store.due_deliveries(after(30), 10).await.unwrap()[0];
    assert_eq!(first.last_error.as_deref(), Some("status 503"));
    store.delivered(first.id, after(31)).await.unwrap();
    let second = &store.due_deliveries(after(31), 10).await.unwrap()[0];
    assert_eq!(second.notice_id, "n2");
    store
        .give_up(second.id, after(32), "status 410".into())
        .await
        .unwrap();
    assert_eq!(store.due_deliveries(after(59), 10).await.unwrap(), vec![]);
    let due = store.due_deliveries(after(60), 10).await.unwrap();
    assert_eq!(due[0].channel.as_str(), "chat");
    let counts = DeliveryCounts {
        pending: 1,
        delivered: 1,
        failed: 1,
        oldest_pending: Some(T0),
    };
    assert_eq!(store.delivery_counts().await.unwrap(), counts);
    store.close().await.unwrap();
}

pub(crate) async fn a_delivery_ends_once(backend: &impl Backend) {
    let store = backend.open();
    store
        .commit(Commit {
            deliveries: vec![delivery("n1", "ops")],
            ..Commit::default()
        })
        .await
        .unwrap();
    let id = store.due_deliveries(T0, 1).await.unwrap()[0].id;
    store.delivered(id, after(1)).await.unwrap();
    store
        .postpone(id, after(2), "late answer".into())
        .await
        .unwrap();
    store
        .give_up(id, after(3), "late answer".into())
        .await
        .unwrap();
    let found = store.deliveries(DeliveryQuery::default()).await.unwrap();
    assert_eq!(found[0].state, DeliveryState::Delivered);
    assert_eq!(
        (found[0].attempts, found[0].finished_at),
        (1, Some(after(1)))
    );
    let unknown = DeliveryId(id.0 + 1);
    let error = store.delivered(unknown, after(1)).await.unwrap_err();
    assert!(
        matches!(error, StoreError::NoSuchDelivery { .. }),
        "{error}"
    );
    store.close().await.unwrap();
}

pub(crate) async fn deliveries_are_found_and_pruned(backend: &impl Backend) {
    let store = backend.open();
    let deliveries =
        [("n1", "ops"), ("n2", "ops"), ("n3", "chat"), ("n4", "ops")].map(|(n, c)| delivery(n, c));
    store
        .commit(Commit {
            deliveries: deliveries.into(),
            ..Commit::default()
        })
        .await
        .unwrap();
    let first = store.due_deliveries(T0, 10).await.unwrap();
    assert_eq!(first.len(), 2);
    store.delivered(first[0].id, after(1)).await.unwrap();
    let find = async |query: DeliveryQuery| {
        let found = store.deliveries(query).await.unwrap();
        found
            .into_iter()
            .map(|delivery| delivery.notice_id)
            .collect::<Vec<_>>()
    };
    let all = DeliveryQuery::default();
    assert_eq!(find(all.clone()).await, ["n4", "n3", "n2", "n1"]);
    let channel = Some(first[0].channel.clone());
    assert_eq!(
        find(DeliveryQuery {
            channel,
            ..all.clone()
        })
        .await,
        ["n4", "n2", "n1"]
    );
    let state = Some(DeliveryState::Delivered);
    assert_eq!(
        find(DeliveryQuery {
            state,
            ..all.clone()
        })
        .await,
        ["n1"]
    );
    let before = Some(first[1].id);
    assert_eq!(
        find(DeliveryQuery {
            before,
            limit: 1,
            ..all.clone()
        })
        .await,
        ["n2"]
    );

    // What is pending stays, however old.
    store
        .prune(T0 + Duration::from_hours(29 * 24))
        .await
        .unwrap();
    assert_eq!(find(all.clone()).await.len(), 4);
    store
        .prune(T0 + Duration::from_hours(400 * 24))
        .await
        .unwrap();
    assert_eq!(find(all).await, ["n4", "n3", "n2"]);
    store.close().await.unwrap();
}

pub(crate) async fn spaces_are_replaced_whole(backend: &impl Backend) {
    let store = backend.open();
    let space = |pairs: &[(&str, &[u8])]| -> Space {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.to_vec()))
            .collect()
    };
    let first = space(&[("cursor", b"\0\xff"), ("etag", b"")]);
    store.put_space("api/health a".into(), first).await.unwrap();
    store
        .put_space("b".into(), space(&[("x", b"1")]))
        .await
        .unwrap();
    let second = space(&[("cursor", b"2")]);
    store
        .put_space("api/health a".into(), second.clone())
        .await
        .unwrap();
    store.put_space("b".into(), Space::new()).await.unwrap();
    store.close().await.unwrap();
    let store = backend.open();
    assert_eq!(
        store.spaces().await.unwrap(),
        [("api/health a".to_owned(), second)].into()
    );
    store.close().await.unwrap();
}

pub(crate) async fn readings_are_found_newest_first(backend: &impl Backend) {
    let store = backend.open();
    let (a, b) = (target("api/health", "a"), target("api/health", "b"));
    let mut kept = Vec::new();
    for number in 0..300_u64 {
        let verdict = if number % 7 == 0 {
            Verdict::Dead
        } else {
            Verdict::Healthy
        };
        let found = reading(after(number * 10), verdict, number);
        kept.push(found.clone());
        store
            .record(vec![checked(&a, found.clone()), checked(&b, found)])
            .await
            .unwrap();
    }
    store.flush().await.unwrap();
    kept.reverse();
    let all = store
        .readings(a.clone(), T0, after(3_000), 1_000)
        .await
        .unwrap();
    assert_eq!(all, kept);
    let some = store
        .readings(a.clone(), T0, after(3_000), 5)
        .await
        .unwrap();
    assert_eq!(some, kept[..5]);
    // From the first on, up to but without the last.
    let some = store
        .readings(b, after(100), after(200), 1_000)
        .await
        .unwrap();
    assert_eq!(some.first().map(|reading| reading.at), Some(after(190)));
    assert_eq!(some.last().map(|reading| reading.at), Some(after(100)));
    // A reason is kept only where there is something to explain.
    assert!(
        all.iter()
            .all(|found| { found.reason.is_some() == (found.verdict == Some(Verdict::Dead)) })
    );
    store.close().await.unwrap();
}

pub(crate) async fn readings_survive_a_restart(backend: &impl Backend) {
    let a = target("api/health", "a");
    for part in 0..4_u64 {
        let store = backend.open();
        for number in part * 30..(part + 1) * 30 {
            let found = reading(after(number * 10), Verdict::Healthy, number);
            store.record(vec![checked(&a, found)]).await.unwrap();
        }
        // Without a flush: to close is enough.
        store.close().await.unwrap();
    }
    let store = backend.open();
    let found = store
        .readings(a.clone(), T0, after(10_000), 1_000)
        .await
        .unwrap();
    let expected: Vec<_> = (0..120)
        .rev()
        .map(|n| reading(after(n * 10), Verdict::Healthy, n))
        .collect();
    assert_eq!(found, expected);
    let days = store.days(T0, T0).await.unwrap();
    assert_eq!(days[0].totals.checks(), 120);
    assert_eq!(days[0].totals.latency.count(), 120);
    store.close().await.unwrap();
}

pub(crate) async fn sums_are_of_what_was_recorded(backend: &impl Backend) {
    let store = backend.open();
    let a = target("api/health", "a");
    store
        .record(vec![
            checked(&a, reading(after(10), Verdict::Healthy, 10)),
            checked(&a, reading(after(20), Verdict::Sick, 20)),
            checked(&a, reading(after(30), Verdict::Dead, 30)),
            checked(
                &a,
                watchkeeper_store::Reading {
                    verdict: None,
                    latency: None,
                    ..reading(after(40), Verdict::Dead, 40)
                },
            ),
            spent(&a, 0, 20, Health::Healthy),
            spent(&a, 20, 30, Health::Sick),
            spent(&a, 30, 37, Health::Dead),
            spent(&a, 37, 40, Health::Unknown),
        ])
        .await
        .unwrap();
    let mut maintained = spent(&a, 40, 45, Health::Dead);
    maintained.span.as_mut().unwrap().maintained = Maintained::Yes;
    store.record(vec![maintained]).await.unwrap();
    store.flush().await.unwrap();

    let expected = HealthSums {
        healthy_ms: 20_000,
        sick_ms: 10_000,
        dead_ms: 7_000,
        unknown_ms: 3_000,
        maintenance_ms: 5_000,
    };
    let subject = Subject::Target(a.clone());
    for resolution in Resolution::ALL {
        let found = store
            .rollups(subject.clone(), resolution, T0, after(1))
            .await
            .unwrap();
        let [rollup] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((&rollup.subject, rollup.resolution), (&subject, resolution));
        assert_eq!(rollup.start, resolution.bucket(T0));
        let totals = &rollup.totals;
        assert_eq!(totals.time, expected);
        let checks = [
            totals.healthy_checks,
            totals.sick_checks,
            totals.dead_checks,
            totals.faulty_checks,
        ];
        assert_eq!(checks, [1, 1, 1, 1]);
        assert_eq!(totals.latency.count(), 3);
    }
    let points = store
        .latency(a, Resolution::FiveMinutes, T0, after(1))
        .await
        .unwrap();
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].max, Duration::from_micros(30_007));
    assert!(points[0].p50.abs_diff(Duration::from_millis(20)) <= Duration::from_micros(2_501));
    store.close().await.unwrap();
}

pub(crate) async fn sums_of_a_restart_add_up(backend: &impl Backend) {
    let a = target("api/health", "a");
    for part in 0..5 {
        let store = backend.open();
        let (from, to) = (part * 60, part * 60 + 60);
        let found = reading(after(to), Verdict::Healthy, 10);
        let sample = watchkeeper_store::Sample {
            reading: Some(found),
            ..spent(&a, from, to, Health::Healthy)
        };
        store.record(vec![sample]).await.unwrap();
        // Both what memory holds and what the last process left.
        if part % 2 == 0 {
            store.flush().await.unwrap();
        }
        store.close().await.unwrap();
    }
    let store = backend.open();
    let days = store.days(T0, T0).await.unwrap();
    assert_eq!(days.len(), 1);
    assert_eq!(days[0].totals.time.healthy_ms, 300_000);
    assert_eq!(days[0].totals.healthy_checks, 5);
    store.close().await.unwrap();
}

pub(crate) async fn a_gap_is_no_data(backend: &impl Backend) {
    let store = backend.open();
    let a = target("api/health", "a");
    let samples = vec![
        spent(&a, 0, 600, Health::Dead),
        spent(&a, 4_200, 4_800, Health::Healthy),
    ];
    store.record(samples).await.unwrap();
    store.flush().await.unwrap();
    let totals = &store.days(T0, T0).await.unwrap()[0].totals;
    assert_eq!(totals.time.dead_ms, 600_000);
    assert_eq!(totals.covered_millis(), 1_200_000);
    let subject = Subject::Target(a);
    let hours = store
        .rollups(subject, Resolution::Hour, T0, after(7_200))
        .await
        .unwrap();
    let dead: Vec<_> = hours.iter().map(|hour| hour.totals.time.dead_ms).collect();
    assert_eq!(dead, [600_000, 0]);
    store.close().await.unwrap();
}

pub(crate) async fn time_is_never_counted_twice(backend: &impl Backend) {
    let a = target("api/health", "a");
    let store = backend.open();
    // The wall clock is set back by half an hour and lives it again.
    let samples = vec![
        spent(&a, 0, 2_400, Health::Healthy),
        spent(&a, 600, 1_200, Health::Dead),
    ];
    store.record(samples).await.unwrap();
    store.close().await.unwrap();
    let store = backend.open();
    // Also across a restart; only what is new counts.
    store
        .record(vec![spent(&a, 1_200, 2_700, Health::Sick)])
        .await
        .unwrap();
    store.flush().await.unwrap();
    let totals = &store.days(T0, T0).await.unwrap()[0].totals;
    let time = HealthSums {
        healthy_ms: 2_400_000,
        sick_ms: 300_000,
        ..HealthSums::default()
    };
    assert_eq!(totals.time, time);

    // A clock that was far ahead does not stop the count for ever, and no bucket
    // holds more than its width.
    let day = 86_400;
    store
        .record(vec![
            spent(&a, 3 * day, 4 * day, Health::Healthy),
            spent(&a, 2_700, 3_600, Health::Healthy),
            spent(&a, 3_600, 4 * day, Health::Dead),
        ])
        .await
        .unwrap();
    store.close().await.unwrap();
    let store = backend.open();
    let days = store.days(T0, after(5 * day)).await.unwrap();
    assert_eq!(days[0].totals.time.healthy_ms, 2_400_000 + 900_000);
    assert!(
        days.iter()
            .all(|rollup| rollup.totals.covered_millis() <= day * 1_000),
        "{days:?}"
    );
    store.close().await.unwrap();
}

pub(crate) async fn a_span_over_midnight_is_split(backend: &impl Backend) {
    let store = backend.open();
    let a = target("api/health", "a");
    // 20 hours are left of the first day.
    let (from, to) = (19 * 3_600 + 3_000, 20 * 3_600 + 1_000);
    store
        .record(vec![spent(&a, from, to, Health::Dead)])
        .await
        .unwrap();
    store.flush().await.unwrap();
    let days = store.days(T0, after(86_400)).await.unwrap();
    let dead: Vec<_> = days.iter().map(|day| day.totals.time.dead_ms).collect();
    assert_eq!(dead, [600_000, 1_000_000]);
    let subject = Subject::Target(a);
    let (from, to) = (after(from), after(to));
    let parts = store
        .rollups(subject, Resolution::FiveMinutes, from, to)
        .await
        .unwrap();
    let sum: HealthSums = parts.iter().map(|part| part.totals.time).sum();
    assert_eq!((parts.len(), sum.dead_ms), (6, 1_600_000));
    // Day by day as well, each by itself.
    assert_eq!(store.days(T0, T0).await.unwrap().len(), 1);
    assert_eq!(
        store.days(to, to).await.unwrap()[0].totals.time.dead_ms,
        1_000_000
    );
    store.close().await.unwrap();
}

pub(crate) async fn monitors_have_a_time_of_their_own(backend: &impl Backend) {
    let store = backend.open();
    let a = target("api/health", "a");
    let whole = Subject::Monitor(monitor("api/health"));
    let of_monitor = watchkeeper_store::Sample {
        subject: whole.clone(),
        ..spent(&a, 0, 60, Health::Sick)
    };
    store
        .record(vec![of_monitor, spent(&a, 0, 60, Health::Dead)])
        .await
        .unwrap();
    store.close().await.unwrap();
    let store = backend.open();
    let days = store.days(T0, T0).await.unwrap();
    let by_subject: BTreeMap<bool, u64> = days
        .iter()
        .map(|day| (day.subject == whole, day.totals.time.sick_ms))
        .collect();
    assert_eq!(by_subject, [(true, 60_000), (false, 0)].into());
    store.close().await.unwrap();
}

pub(crate) async fn a_backup_is_whole(backend: &impl Backend) {
    let store = backend.open();
    let a = target("api/health", "a");
    let commit = Commit {
        targets: vec![(a.clone(), state(Health::Dead))],
        deliveries: vec![delivery("n1", "ops")],
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    store
        .record(vec![checked(&a, reading(T0, Verdict::Dead, 5))])
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("new/backup");
    // While others write.
    let busy = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for number in 0..50 {
            let deliveries = vec![delivery(&format!("b{number}"), "busy")];
            busy.commit(Commit {
                deliveries,
                ..Commit::default()
            })
            .await
            .unwrap();
        }
    });
    store.backup(&to).await.unwrap();
    writing.await.unwrap();
    let error = store.backup(&to).await.unwrap_err();
    assert!(matches!(error, StoreError::BackupExists { .. }), "{error}");
    store.close().await.unwrap();

    let restored = crate::sqlite::open(&to);
    assert_eq!(
        restored.load().await.unwrap().targets,
        [(a.clone(), state(Health::Dead))].into()
    );
    let pending = restored.due_deliveries(T0, 10).await.unwrap();
    assert!(pending.iter().any(|delivery| delivery.notice_id == "n1"));
    let readings = restored.readings(a, T0, after(1), 10).await.unwrap();
    assert_eq!(readings, [reading(T0, Verdict::Dead, 5)]);
    assert_eq!(restored.trouble(), vec![]);
    restored.close().await.unwrap();
}

pub(crate) async fn nothing_is_answered_after_close(backend: &impl Backend) {
    let store = backend.open();
    store.close().await.unwrap();
    store.close().await.unwrap();
    let closed = |error: StoreError| assert!(matches!(error, StoreError::Closed), "{error}");
    closed(store.load().await.unwrap_err());
    closed(store.commit(Commit::default()).await.unwrap_err());
    let sample = spent(&target("api/health", "a"), 0, 1, Health::Dead);
    closed(store.record(vec![sample]).await.unwrap_err());
    closed(store.flush().await.unwrap_err());
    closed(store.days(T0, T0).await.unwrap_err());
}

pub(crate) async fn parts_of_the_configuration_are_kept_as_they_were_last(backend: &impl Backend) {
    let row = |kind: &str, id: &str, text: &str, version, created, updated| ItemRow {
        kind: kind.to_owned(),
        id: id.to_owned(),
        text: text.to_owned(),
        version,
        created_at: after(created),
        updated_at: after(updated),
    };
    let remove = |kind: &str, id: &str| ItemChange::Remove {
        kind: kind.to_owned(),
        id: id.to_owned(),
    };
    let store = backend.open();
    assert_eq!(store.items().await.unwrap(), vec![]);
    let shop = row("service", "shop", "{}", 1, 1, 1);
    let web = row("monitor", "shop/web", "{\"a\":1}", 2, 2, 2);
    // The same id names two things of different kinds.
    let ops = row("channel", "shop", "{}", 3, 3, 3);
    let made = [&web, &shop, &ops].map(|row| ItemChange::Put(row.clone()));
    store.change_items(made.to_vec()).await.unwrap();
    let newer = row("monitor", "shop/web", "{\"a\":2}", 4, 2, 4);
    let changes = vec![
        ItemChange::Put(newer.clone()),
        remove("channel", "shop"),
        remove("route", "none"),
    ];
    store.change_items(changes).await.unwrap();
    store.close().await.unwrap();
    let store = backend.open();
    assert_eq!(store.items().await.unwrap(), vec![shop, newer]);
    store.close().await.unwrap();
}
