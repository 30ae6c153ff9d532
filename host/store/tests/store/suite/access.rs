//! The laws of who may do what.

use std::sync::Arc;

use watchkeeper_store::{
    Act, Acted, Deed, DeedQuery, Role, SESSION_IDLE, SESSION_WHOLE, Store, UserId,
};

use super::Backend;
use crate::sample::T0;

/// Something that somebody did.
pub(crate) fn deed(what: &str, subject: &str) -> Deed {
    Deed {
        at: T0,
        who: "Zoë".into(),
        origin: "192.0.2.1".into(),
        what: what.into(),
        subject: subject.into(),
    }
}

fn add(name: &str, role: Role, only_first: bool) -> Act {
    Act::AddUser {
        name: name.into(),
        role,
        password: "$argon2id$".into(),
        only_first,
    }
}

async fn act(store: &Arc<dyn Store>, act: Act) -> Acted {
    store.act(act, None, T0).await.unwrap()
}

pub(crate) async fn the_first_user_is_made_once(backend: &impl Backend) {
    let store = backend.open();
    assert!(store.users().await.unwrap().is_empty());
    let first = act(&store, add("Zoë", Role::Admin, true)).await;
    assert_eq!(first, Acted::User(UserId(1)));
    assert_eq!(
        act(&store, add("Ana", Role::Admin, true)).await,
        Acted::Refused
    );
    assert_eq!(
        act(&store, add("Bob", Role::Viewer, false)).await,
        Acted::User(UserId(2))
    );
    assert_eq!(
        act(&store, add("BOB", Role::Viewer, false)).await,
        Acted::Taken
    );
    let names: Vec<_> = store
        .users()
        .await
        .unwrap()
        .into_iter()
        .map(|user| user.name)
        .collect();
    assert_eq!(names, ["Bob", "Zoë"]);
    store.close().await.unwrap();
}

pub(crate) async fn one_admin_is_left(backend: &impl Backend) {
    let store = backend.open();
    act(&store, add("a", Role::Admin, false)).await;
    act(&store, add("b", Role::Operator, false)).await;
    let (a, b) = (UserId(1), UserId(2));
    let demote = |user| Act::SetRole {
        user,
        role: Role::Viewer,
    };
    let remove = |user| Act::RemoveUser { user };
    assert_eq!(act(&store, demote(a)).await, Acted::Refused);
    assert_eq!(act(&store, remove(a)).await, Acted::Refused);
    let promote = Act::SetRole {
        user: b,
        role: Role::Admin,
    };
    assert_eq!(act(&store, promote).await, Acted::Done);
    assert_eq!(act(&store, demote(a)).await, Acted::Done);
    assert_eq!(act(&store, remove(b)).await, Acted::Refused);
    assert_eq!(act(&store, remove(a)).await, Acted::Done);
    assert_eq!(act(&store, remove(a)).await, Acted::Unknown);
    // A number is never given twice: what was done by one is not another's.
    assert_eq!(
        act(&store, add("c", Role::Viewer, false)).await,
        Acted::User(UserId(3))
    );
    store.close().await.unwrap();
}

pub(crate) async fn sessions_end(backend: &impl Backend) {
    let store = backend.open();
    act(&store, add("a", Role::Admin, false)).await;
    let user = UserId(1);
    let open = |byte| Act::OpenSession {
        user,
        digest: [byte; 32],
    };
    let session = async |byte: u8, now| {
        let session = store.session([byte; 32], now).await.unwrap();
        session.map(|session| session.user.name)
    };
    let a = Some("a".to_owned());
    for byte in 1..=4 {
        assert_eq!(act(&store, open(byte)).await, Acted::Done);
    }
    assert_eq!(session(1, T0).await, a);
    assert_eq!(session(9, T0).await, None);
    act(&store, Act::CloseSession { digest: [1; 32] }).await;
    assert_eq!(session(1, T0).await, None);

    // What is not used ends, and what is used ends as well at some time.
    assert_eq!(session(2, T0 + SESSION_IDLE).await, None);
    let mut now = T0;
    while now < T0 + SESSION_WHOLE {
        assert_eq!(session(3, now).await, a);
        let touch = Act::TouchSession { digest: [3; 32] };
        store.act(touch, None, now).await.unwrap();
        now = now + SESSION_IDLE / 2;
    }
    assert_eq!(session(3, now).await, None);

    // Another password ends all of them, and so does to be removed.
    assert_eq!(session(4, T0).await, a);
    let password = Act::SetPassword {
        user,
        password: "$argon2id$2".into(),
    };
    assert_eq!(act(&store, password).await, Acted::Done);
    assert_eq!(session(4, T0).await, None);
    act(&store, open(5)).await;
    act(&store, add("b", Role::Admin, false)).await;
    act(&store, Act::RemoveUser { user }).await;
    assert_eq!(session(5, T0).await, None);
    assert_eq!(act(&store, open(6)).await, Acted::Unknown);

    // A browser that is forgotten makes room for another.
    let user = UserId(2);
    for byte in 10..40 {
        let open = Act::OpenSession {
            user,
            digest: [byte; 32],
        };
        store
            .act(
                open,
                None,
                T0 + std::time::Duration::from_secs(u64::from(byte)),
            )
            .await
            .unwrap();
    }
    let later = T0 + std::time::Duration::from_mins(1);
    assert_eq!(session(19, later).await, None);
    assert_eq!(session(20, later).await, Some("b".to_owned()));
    store.prune(T0 + SESSION_WHOLE * 2).await.unwrap();
    store.close().await.unwrap();
}

pub(crate) async fn deeds_are_found(backend: &impl Backend) {
    let store = backend.open();
    for number in 0..5 {
        let deed = deed("monitor.pause", &format!("api/health-{number}"));
        let acted = store.act(Act::Nothing, Some(deed), T0).await.unwrap();
        assert_eq!(acted, Acted::Done);
    }
    let find = async |containing: Option<&str>, before, limit| {
        let query = DeedQuery {
            containing: containing.map(str::to_owned),
            before,
            limit,
        };
        let rows = store.deeds(query).await.unwrap();
        rows.into_iter()
            .map(|row| (row.id, row.deed.subject))
            .collect::<Vec<_>>()
    };
    assert_eq!(find(None, None, 2).await.len(), 2);
    assert_eq!(find(None, None, 2).await[0], (5, "api/health-4".to_owned()));
    assert_eq!(
        find(None, Some(2), 9).await,
        [(1, "api/health-0".to_owned())]
    );
    assert_eq!(
        find(Some("HEALTH-3"), None, 9).await,
        [(4, "api/health-3".to_owned())]
    );
    assert_eq!(find(Some("%"), None, 9).await, []);
    store
        .prune(T0 + std::time::Duration::from_hours(500 * 24))
        .await
        .unwrap();
    assert_eq!(find(None, None, 9).await, []);
    store.close().await.unwrap();
}
