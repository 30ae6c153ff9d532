//! The SQLite backend: the laws, and what goes wrong with files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_store::{
    ChangeQuery, Commit, Options, Resolution, SqliteStore, Store, StoreError, Subject, Trouble,
};

use crate::sample::{T0, after, checked, delivery, monitor, reading, spent, state, target};
use crate::suite::{Backend, deed, laws};

/// A folder that is gone after the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("data")
    }

    fn sql(&self, file: &str) -> Connection {
        Connection::open(self.path().join(file)).unwrap()
    }
}

impl Backend for Folder {
    fn open(&self) -> Arc<dyn Store> {
        open(&self.path())
    }
}

/// Opens a folder with a small reserve.
pub(crate) fn open(folder: &Path) -> Arc<dyn Store> {
    Arc::new(try_open(folder).unwrap())
}

fn try_open(folder: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(Options {
        reserve: 1 << 20,
        ..Options::new(folder, T0)
    })
}

laws!(Folder::new());

#[tokio::test]
async fn a_backup_by_another_process_is_whole() {
    let folder = Folder::new();
    let missing = watchkeeper_store::backup(&folder.path(), &folder.path().join("copy"));
    assert!(
        matches!(missing, Err(StoreError::NoStore { .. })),
        "{missing:?}"
    );
    assert!(!folder.path().join("copy").exists());
    let store = folder.open();
    let a = target("api/health", "a");
    let commit = |health| Commit {
        targets: vec![(a.clone(), state(health))],
        ..Commit::default()
    };
    store.commit(commit(Health::Dead)).await.unwrap();
    store
        .record(vec![checked(&a, reading(T0, Verdict::Dead, 5))])
        .await
        .unwrap();
    store.flush().await.unwrap();
    let (open, closed) = (folder.0.path().join("open"), folder.0.path().join("closed"));
    watchkeeper_store::backup(&folder.path(), &open).unwrap();
    let again = watchkeeper_store::backup(&folder.path(), &open);
    assert!(
        matches!(again, Err(StoreError::BackupExists { .. })),
        "{again:?}"
    );
    store.commit(commit(Health::Healthy)).await.unwrap();
    store.close().await.unwrap();
    watchkeeper_store::backup(&folder.path(), &closed).unwrap();
    for (copy, health) in [(open, Health::Dead), (closed, Health::Healthy)] {
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let restored = self::open(&copy);
        let targets = restored.load().await.unwrap().targets;
        assert_eq!(targets, [(a.clone(), state(health))].into());
        let readings = restored.readings(a.clone(), T0, after(1), 10).await;
        assert_eq!(readings.unwrap(), [reading(T0, Verdict::Dead, 5)]);
        restored.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_folder_is_for_its_owner_alone() {
    let folder = Folder::new();
    let store = folder.open();
    let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_in_use_is_refused() {
    let folder = Folder::new();
    let store = folder.open();
    let error = try_open(&folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    store.close().await.unwrap();
    try_open(&folder.path()).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn closing_leaves_no_wal() {
    let folder = Folder::new();
    let store = folder.open();
    store
        .record(vec![spent(&target("a/b", "c"), 0, 9, Health::Dead)])
        .await
        .unwrap();
    store
        .commit(Commit {
            deliveries: vec![delivery("n", "ops")],
            ..Commit::default()
        })
        .await
        .unwrap();
    store.close().await.unwrap();
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["ballast", "lock", "series.db", "state.db"]);
}

/// The file as version 1 left it; later versions must still read it.
#[tokio::test]
async fn a_kept_database_of_version_1_is_read() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    folder
        .sql("state.db")
        .execute_batch(include_str!("../kept/state_1.sql"))
        .unwrap();
    folder
        .sql("series.db")
        .execute_batch(include_str!("../kept/series_1.sql"))
        .unwrap();
    let store = folder.open();
    assert_eq!(store.trouble(), vec![]);

    let a = target("api/health", "https://a/");
    let loaded = store.load().await.unwrap();
    assert_eq!(store.trouble(), vec![]);
    assert_eq!(loaded.targets[&a], state(Health::Dead));
    assert_eq!(
        loaded.monitors[&monitor("api/health")].target,
        Some(a.clone())
    );
    assert_eq!(
        loaded.told[0].2.outage.as_ref().unwrap().health,
        Health::Dead
    );
    assert_eq!(loaded.network.since, Some(T0));
    let changes = store.changes(ChangeQuery::default()).await.unwrap();
    assert_eq!(
        changes[0].entry.change.lasted,
        Some(Duration::from_millis(90_061))
    );
    assert_eq!(changes[0].entry.folded_into, Some(monitor("web/home")));
    let due = store.due_deliveries(after(60), 10).await.unwrap();
    assert_eq!((due[0].notice_id.as_str(), due[0].attempts), ("n1", 2));
    assert_eq!(store.spaces().await.unwrap()["owner"]["key"], b"\x00\xff");

    let readings = store
        .readings(a.clone(), T0, after(3_600), 100)
        .await
        .unwrap();
    let packed = (0..20).map(|n| reading(after(n * 10), Verdict::Dead, n));
    let waiting = (20..25).map(|n| reading(after(n * 10), Verdict::Dead, n));
    let mut expected: Vec<_> = packed.chain(waiting).collect();
    expected.reverse();
    assert_eq!(readings, expected);
    let days = store.days(T0, T0).await.unwrap();
    assert_eq!(days[0].totals.time.dead_ms, 200_000);
    assert_eq!(days[0].totals.dead_checks, 25);
    assert_eq!(days[0].totals.latency.count(), 25);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let folder = Folder::new();
    folder.open().close().await.unwrap();
    folder
        .sql("state.db")
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = try_open(&folder.path()).err().unwrap();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_state_that_cannot_be_read_begins_anew_and_is_told() {
    let folder = Folder::new();
    folder.open().close().await.unwrap();
    let sql = folder.sql("state.db");
    sql.execute("INSERT INTO target_state VALUES ('a', 'b', 'c', '{')", ())
        .unwrap();
    sql.execute("INSERT INTO target_state VALUES ('A?', 'b', 'c', '{}')", ())
        .unwrap();
    sql.execute(
        "INSERT INTO change VALUES (1, 0, 'a', 'b', NULL, 'dead', 'merry', 0, '{}')",
        (),
    )
    .unwrap();
    drop(sql);
    let store = folder.open();
    assert!(store.load().await.unwrap().targets.is_empty());
    assert!(
        store
            .changes(ChangeQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.trouble(),
        vec![Trouble::StatesUnreadable { count: 2 }]
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_state_is_an_error() {
    let folder = Folder::new();
    let store = folder.open();
    let deliveries = (0..500)
        .map(|n| delivery(&format!("n{n}"), "ops"))
        .collect();
    store
        .commit(Commit {
            deliveries,
            ..Commit::default()
        })
        .await
        .unwrap();
    store.close().await.unwrap();
    damage(&folder.path().join("state.db"));
    let error = try_open(&folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn damaged_readings_are_moved_aside_and_state_goes_on() {
    let folder = Folder::new();
    let store = folder.open();
    let a = target("api/health", "a");
    for number in 0..2_000 {
        let sample = checked(&a, reading(after(number * 600), Verdict::Dead, number));
        store.record(vec![sample]).await.unwrap();
    }
    store
        .commit(Commit {
            targets: vec![(a.clone(), state(Health::Dead))],
            ..Commit::default()
        })
        .await
        .unwrap();
    store.close().await.unwrap();
    damage(&folder.path().join("series.db"));

    let store = folder.open();
    let aside = folder.path().join("series.db.corrupt-20261121T040000Z");
    assert_eq!(
        store.trouble(),
        vec![Trouble::SeriesReplaced {
            aside: aside.clone()
        }]
    );
    assert!(aside.exists());
    assert_eq!(store.load().await.unwrap().targets.len(), 1);
    store
        .record(vec![checked(&a, reading(T0, Verdict::Dead, 1))])
        .await
        .unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.readings(a, T0, after(1), 10).await.unwrap().len(), 1);
    store.close().await.unwrap();
    // Told once: the next start finds a good file.
    let store = folder.open();
    assert_eq!(store.trouble(), vec![]);
    store.close().await.unwrap();
}

/// Overwrites the middle of a file, page by page.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 8, "{pages} pages are too few for this test");
    for page in 3..pages {
        bytes[page * 4096..page * 4096 + 64].fill(0xa5);
    }
    fs::write(file, bytes).unwrap();
}

/// One sample takes at most 12 bytes once it is packed, all told.
#[tokio::test]
async fn packed_readings_are_small() {
    let folder = Folder::new();
    let store = folder.open();
    let targets: Vec<_> = (0..100)
        .map(|n| target("api/health", &format!("https://{n}/")))
        .collect();
    let mut noise: u64 = 88_172_645_463_325_252;
    let mut next = |below: u64| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise % below
    };
    for round in 0..1_000_u64 {
        let samples = targets.iter().map(|target| {
            // A few milliseconds of jitter, latencies between 20 and 60 ms.
            let at = after(round * 10) + Duration::from_millis(next(5));
            let mut found = reading(at, Verdict::Healthy, 20);
            found.latency = Some(Duration::from_micros(20_000 + next(40_000)));
            checked(target, found)
        });
        store.record(samples.collect()).await.unwrap();
    }
    store.close().await.unwrap();

    let sql = folder.sql("series.db");
    let size = |pattern: &str| -> i64 {
        sql.query_row(
            "SELECT sum(pgsize) FROM dbstat WHERE name GLOB ?",
            [pattern],
            |row| row.get(0),
        )
        .unwrap()
    };
    let readings: i64 = 100_000;
    assert!(
        size("blocks_*") <= 8 * readings,
        "{} bytes",
        size("blocks_*")
    );
    let file = i64::try_from(fs::metadata(folder.path().join("series.db")).unwrap().len()).unwrap();
    assert!(file <= 12 * readings, "{file} bytes");
    assert_eq!(size("tail"), 4096, "the tail is empty after a checkpoint");
    let store = folder.open();
    let found = store
        .readings(targets[7].clone(), T0, after(10_100), 2_000)
        .await
        .unwrap();
    assert_eq!(found.len(), 1_000);
    store.close().await.unwrap();
}

#[tokio::test]
async fn readings_past_their_time_give_their_space_back() {
    let folder = Folder::new();
    let store = folder.open();
    let a = target("api/health", "a");
    let day = 86_400;
    for number in 0..12 {
        let sample = checked(&a, reading(after(number * day), Verdict::Dead, number));
        store.record(vec![sample]).await.unwrap();
    }
    store.close().await.unwrap();
    let store = folder.open();
    store.prune(after(11 * day)).await.unwrap();
    // The day in which the seventh before now lies is still whole.
    let kept = store
        .readings(a.clone(), T0, after(20 * day), 100)
        .await
        .unwrap();
    assert_eq!(kept.last().unwrap().at, after(4 * day));
    assert_eq!(kept.len(), 8);
    let subject = Subject::Target(a);
    let count = async |resolution, to| {
        store
            .rollups(subject.clone(), resolution, T0, after(to))
            .await
            .unwrap()
            .len()
    };
    assert_eq!(count(Resolution::FiveMinutes, 12 * day).await, 12);
    store.prune(after(35 * day)).await.unwrap();
    assert_eq!(count(Resolution::FiveMinutes, 12 * day).await, 7);
    assert_eq!(count(Resolution::Hour, 12 * day).await, 12);
    store.prune(after(2_000 * day)).await.unwrap();
    assert_eq!(count(Resolution::Hour, 12 * day).await, 0);
    assert_eq!(count(Resolution::Day, 12 * day).await, 12);
    store.close().await.unwrap();
    let tables: i64 = folder
        .sql("series.db")
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'blocks_*'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn a_reserve_is_kept_on_disk() {
    let folder = Folder::new();
    let store = folder.open();
    assert_eq!(
        fs::metadata(folder.path().join("ballast")).unwrap().len(),
        1 << 20
    );
    store.close().await.unwrap();
    fs::remove_file(folder.path().join("ballast")).unwrap();
    let store = folder.open();
    assert_eq!(
        fs::metadata(folder.path().join("ballast")).unwrap().len(),
        1 << 20
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn tokens_are_made_beside_a_running_server_and_without_one() {
    use watchkeeper_store::{AccessBook, Act, Acted, Scope, Token, TokenId};

    let folder = Folder::new();
    let open = || AccessBook::open(&folder.path(), T0).unwrap();
    let digest = |byte| [byte; 32];
    let add = |book: &mut AccessBook, name: &str, byte, scopes: &[Scope]| {
        let act = Act::AddToken {
            name: name.to_owned(),
            digest: digest(byte),
            scopes: scopes.to_vec(),
            expires_at: Some(after(60)),
        };
        book.act(&act, &deed("token.create", name))
    };
    let first = add(&mut open(), "first", 1, &[Scope::Read, Scope::Report]).unwrap();
    assert_eq!(first, Acted::Token(TokenId(1)));
    let store = folder.open();
    let mut beside = open();
    let second = add(&mut beside, "second", 2, &[Scope::Write]).unwrap();
    assert_eq!(second, Acted::Token(TokenId(2)));
    assert!(add(&mut beside, "again", 2, &[Scope::Write]).is_err());
    let found = store.token(digest(1)).await.unwrap().unwrap();
    let expected = Token {
        id: TokenId(1),
        name: "first".into(),
        scopes: vec![Scope::Read, Scope::Report],
        created_at: T0,
        expires_at: Some(after(60)),
    };
    assert_eq!(found, expected);
    assert!(found.is_good(after(59)) && !found.is_good(after(60)));
    let may = Scope::ALL.map(|scope| found.may(scope));
    assert_eq!(may, [true, true, false, false]);
    let may = store.token(digest(2)).await.unwrap().unwrap();
    assert_eq!(
        Scope::ALL.map(|scope| may.may(scope)),
        [true, true, true, false]
    );
    assert_eq!(store.token(digest(3)).await.unwrap(), None);
    assert_eq!(beside.tokens().unwrap().len(), 2);
    // At once, for a server that runs.
    let revoke = Act::RevokeToken { token: TokenId(2) };
    let gone = deed("token.revoke", "second");
    assert_eq!(beside.act(&revoke, &gone).unwrap(), Acted::Done);
    assert_eq!(beside.act(&revoke, &gone).unwrap(), Acted::Unknown);
    assert_eq!(store.token(digest(2)).await.unwrap(), None);
    let noted = store.deeds(watchkeeper_store::DeedQuery {
        limit: 10,
        ..Default::default()
    });
    // What was not done is not noted.
    let noted: Vec<_> = noted
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.deed.what)
        .collect();
    assert_eq!(noted, ["token.revoke", "token.create", "token.create"]);
    drop(beside);
    store.close().await.unwrap();
    assert_eq!(open().tokens().unwrap(), [expected]);
}
