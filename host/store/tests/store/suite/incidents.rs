//! The laws of incidents and of notices that are tried again.

use std::sync::Arc;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::incident::{
    Acknowledgement, Incident, IncidentId, Origin, Part, Severity, Stage,
};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{
    Audience, Commit, DeliveryQuery, DeliveryState, Ended, EntryKind, IncidentEntry, IncidentQuery,
    IncidentRow, Retried, Store,
};

use super::Backend;
use crate::sample::{T0, after, delivery, monitor};

fn row(number: u32, started: Timestamp, resolved: Option<Timestamp>) -> IncidentRow {
    let part = |root: Option<&str>| Part {
        health: Health::Dead,
        since: started,
        worst: Health::Dead,
        ails: resolved.is_none(),
        root: root.map(monitor),
    };
    IncidentRow {
        id: IncidentId::new(number),
        title: "The API is down".into(),
        incident: Incident {
            origin: Origin::Outage,
            service: ServiceId::new("api").unwrap(),
            affects: [ServiceId::new("blog").unwrap()].into(),
            absorbs: [ServiceId::new("blog").unwrap()].into(),
            merged_into: resolved.map(|_| IncidentId::new(9)),
            severity: Severity::Major,
            stage: resolved.map_or(Stage::Identified, |_| Stage::Resolved),
            started,
            resolved,
            well_since: resolved,
            reopened: 2,
            acknowledged: Some(Acknowledgement {
                by: "Zoë".into(),
                at: started,
            }),
            parts: [
                (monitor("api/health"), part(None)),
                (monitor("shop/web"), part(Some("api/health"))),
            ]
            .into(),
        },
    }
}

fn entry(incident: u32, number: u32, audience: Audience) -> IncidentEntry {
    IncidentEntry {
        incident: IncidentId::new(incident),
        number,
        at: after(u64::from(number)),
        kind: EntryKind::ALL[usize::try_from(number).unwrap() % EntryKind::ALL.len()],
        stage: Stage::Investigating,
        audience,
        monitor: (audience == Audience::Public).then(|| monitor("api/health")),
        author: (audience == Audience::Internal).then(|| "Zoë".into()),
        text: "connection refused".into(),
    }
}

pub(crate) async fn incidents_are_kept_with_their_timelines(backend: &impl Backend) {
    let store = backend.open();
    assert_eq!(store.next_incident().await.unwrap(), IncidentId::FIRST);
    let entries: Vec<_> = (0..9)
        .map(|number| {
            entry(
                3,
                number,
                [Audience::Public, Audience::Internal][number as usize % 2],
            )
        })
        .collect();
    let commit = Commit {
        incidents: vec![row(3, T0, None)],
        entries: entries.clone(),
        deliveries: vec![delivery("n1", "ops")],
        ..Commit::default()
    };
    store.commit(commit.clone()).await.unwrap();
    // Repeated after an error, of which nobody knows whether it came too late.
    store.commit(commit).await.unwrap();
    store.close().await.unwrap();

    let store = backend.open();
    assert_eq!(store.next_incident().await.unwrap(), IncidentId::new(4));
    let story = store.incident(IncidentId::new(3)).await.unwrap().unwrap();
    assert_eq!((story.row, story.entries), (row(3, T0, None), entries));
    assert_eq!(store.incident(IncidentId::new(2)).await.unwrap(), None);

    // It goes on, and its timeline with it.
    let later = entry(3, 9, Audience::Public);
    store
        .commit(Commit {
            incidents: vec![row(3, T0, Some(after(60)))],
            entries: vec![later.clone()],
            ..Commit::default()
        })
        .await
        .unwrap();
    let story = store.incident(IncidentId::new(3)).await.unwrap().unwrap();
    assert_eq!(story.row, row(3, T0, Some(after(60))));
    assert_eq!(
        (story.entries.len(), story.entries.last()),
        (10, Some(&later))
    );
    store.close().await.unwrap();
}

pub(crate) async fn incidents_are_found(backend: &impl Backend) {
    let store = backend.open();
    let rows = vec![
        row(1, T0, Some(after(10))),
        row(2, after(20), None),
        row(3, after(30), Some(after(50))),
    ];
    store
        .commit(Commit {
            incidents: rows,
            ..Commit::default()
        })
        .await
        .unwrap();
    let service = |id: &str| Some(ServiceId::new(id).unwrap());
    let all = IncidentQuery::default;
    for (query, expected) in [
        (all(), vec![3, 2, 1]),
        (IncidentQuery { limit: 2, ..all() }, vec![3, 2]),
        (
            IncidentQuery {
                before: Some(IncidentId::new(2)),
                ..all()
            },
            vec![1],
        ),
        (
            IncidentQuery {
                ended: Ended::No,
                ..all()
            },
            vec![2],
        ),
        (
            IncidentQuery {
                ended: Ended::Yes,
                service: service("shop"),
                ..all()
            },
            vec![3, 1],
        ),
        (
            IncidentQuery {
                service: service("mail"),
                ..all()
            },
            vec![],
        ),
        (
            IncidentQuery {
                started: Some((after(20), after(30))),
                ..all()
            },
            vec![2],
        ),
        (
            IncidentQuery {
                live_since: Some(after(50)),
                ..all()
            },
            vec![3, 2],
        ),
    ] {
        let found = store.incidents(query.clone()).await.unwrap();
        let found: Vec<_> = found.iter().map(|story| story.row.id.get()).collect();
        assert_eq!(found, expected, "{query:?}");
    }
    store.close().await.unwrap();
}

pub(crate) async fn a_key_is_made_once(backend: &impl Backend) {
    let store = backend.open();
    let (one, other) = (vec![1; 32], vec![2; 32]);
    assert_eq!(store.key("links", one.clone()).await.unwrap(), one);
    assert_eq!(store.key("else", other.clone()).await.unwrap(), other);
    store.close().await.unwrap();
    let store = backend.open();
    assert_eq!(store.key("links", other).await.unwrap(), one);
    store.close().await.unwrap();
}

pub(crate) async fn what_was_given_up_is_taken_up_again(backend: &impl Backend) {
    let store: Arc<dyn Store> = backend.open();
    store
        .commit(Commit {
            deliveries: vec![delivery("n1", "ops")],
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(
        store.delivery_counts().await.unwrap().oldest_pending,
        Some(T0)
    );
    let id = store.due_deliveries(T0, 1).await.unwrap()[0].id;
    assert_eq!(store.retry(id, after(1)).await.unwrap(), Retried::NotFailed);
    store.give_up(id, after(2), "gone".into()).await.unwrap();
    assert_eq!(store.delivery_counts().await.unwrap().oldest_pending, None);
    assert_eq!(store.retry(id, after(9)).await.unwrap(), Retried::Yes);
    assert_eq!(store.due_deliveries(after(8), 1).await.unwrap(), vec![]);
    let due = &store.due_deliveries(after(9), 1).await.unwrap()[0];
    assert_eq!((due.attempts, due.retried_at), (0, Some(after(9))));
    assert_eq!((&*due.notice_id, due.created_at), ("n1", T0));
    store.delivered(id, after(10)).await.unwrap();
    assert_eq!(
        store.retry(id, after(11)).await.unwrap(),
        Retried::NotFailed
    );
    let unknown = watchkeeper_store::DeliveryId(id.0 + 1);
    assert_eq!(
        store.retry(unknown, after(11)).await.unwrap(),
        Retried::Unknown
    );
    let found = store.deliveries(DeliveryQuery::default()).await.unwrap();
    assert_eq!(found[0].state, DeliveryState::Delivered);
    store.close().await.unwrap();
}
