//! Kills a process that writes, again and again, and looks at what is left.
//!
//! This binary is both the test and the process that is killed, so it has a main
//! of its own, which speaks as much of libtest's language as `cargo test` and
//! `cargo nextest` need.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that clippy does not know for one"
)]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use rusqlite::Connection;
use watchkeeper_engine::change::{Cause, Change};
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{ChannelId, MonitorId, TargetId};
use watchkeeper_engine::target::TargetState;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;
use watchkeeper_store::{
    ChangeQuery, Commit, DeliveryQuery, NewChange, NewDelivery, Options, Reading, Sample, Span,
    SqliteStore, Store, StoreError, Subject,
};

/// How many processes are killed.
const KILLS: u64 = 20;

/// How many tasks of one process commit at once.
const TASKS: u64 = 4;

const TESTS: [(&str, fn()); 2] = [
    ("kill_9_loses_nothing_that_was_acknowledged", kill_9),
    ("a_full_disk_loses_nothing_that_was_acknowledged", full_disk),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if let [mode, folder, first] = arguments.as_slice()
        && mode == "write"
    {
        return write(
            Path::new(folder),
            first.parse().expect("the test passes a number"),
        );
    }
    // None of the tests is ignored.
    let tests: &[_] = if has("--ignored") { &[] } else { &TESTS };
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for (name, test) in tests {
        let exact = has("--exact");
        let chosen = filters.is_empty()
            || filters.iter().any(|filter| {
                if exact {
                    *filter == name
                } else {
                    name.contains(*filter)
                }
            });
        match (chosen, has("--list")) {
            (false, _) => {}
            (true, true) => println!("{name}: test"),
            (true, false) => {
                test();
                println!("test {name} ... ok");
            }
        }
    }
    ExitCode::SUCCESS
}

fn kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    let mut unacknowledged = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "write",
                folder.path().to_str().unwrap(),
                &(kill * 1_000_000).to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Somewhere in the middle: after a number of commits that differs each
        // time, whatever the other tasks are just doing.
        for _ in 0..=kill * 37 % 101 {
            acknowledged.insert(lines.next().expect("the child writes on").unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What was acknowledged and still in the pipe. A line may be cut short.
        acknowledged.extend(
            lines
                .map_while(Result::ok)
                .filter(|line| line.ends_with('.')),
        );
        unacknowledged = check(folder.path(), &acknowledged);
    }
    println!(
        "{} acknowledged, {unacknowledged} committed beyond",
        acknowledged.len()
    );
    assert!(acknowledged.len() as u64 >= KILLS);
}

/// A process that may not write files of more than a megabyte: what a full quota
/// looks like. The signal that would end it is ignored, as in a daemon.
fn full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ && ulimit -f 2048 && exec \"$0\" write \"$1\" 0",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = String::from_utf8(output.stdout).unwrap();
    let acknowledged: HashSet<String> = output.lines().map(str::to_owned).collect();
    assert!(acknowledged.len() > 10, "{output}");
    check(folder.path(), &acknowledged);
}

/// Looks at what a process has left. Returns how many commits are there that
/// were never acknowledged.
fn check(folder: &Path, acknowledged: &HashSet<String>) -> usize {
    for file in ["state.db", "series.db"] {
        let sql = Connection::open(folder.join("data").join(file)).unwrap();
        let answer: String = sql
            .query_row("PRAGMA integrity_check", (), |row| row.get(0))
            .unwrap();
        assert_eq!(answer, "ok", "{file}");
    }
    runtime().block_on(async {
        let store = open(folder).unwrap();
        let query = DeliveryQuery {
            limit: usize::MAX,
            ..DeliveryQuery::default()
        };
        let notices: HashSet<String> = store
            .deliveries(query)
            .await
            .unwrap()
            .into_iter()
            .map(|delivery| delivery.notice_id)
            .collect();
        let lost: Vec<_> = acknowledged.difference(&notices).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        // A state never without its notice nor its change, and the reverse.
        for (target, state) in store.load().await.unwrap().targets {
            let number = state.judged_at.unwrap().as_millis();
            assert!(
                notices.contains(&notice(number)),
                "{target} is without its notice {number}"
            );
        }
        let query = ChangeQuery {
            limit: usize::MAX,
            ..ChangeQuery::default()
        };
        let changes = store.changes(query).await.unwrap();
        let changed: HashSet<String> = changes
            .iter()
            .map(|row| notice(row.entry.change.at.as_millis()))
            .collect();
        assert_eq!(changed, notices);
        // Time is counted in whole spans, and no more than was spent.
        let days = store
            .days(Timestamp::from_millis(0), Timestamp::from_millis(1 << 40))
            .await;
        for day in days.unwrap() {
            assert_eq!(day.totals.time.dead_ms % 10, 0);
            assert_eq!(day.totals.time.dead_ms / 10, day.totals.checks());
        }
        assert_eq!(store.trouble(), vec![]);
        store.close().await.unwrap();
        notices.len() - acknowledged.len()
    })
}

/// The child: commits until it is killed, or until it cannot, which is exit
/// code 3.
fn write(folder: &Path, first: u64) -> ExitCode {
    runtime().block_on(async {
        let store: Arc<dyn Store> = Arc::new(open(folder).unwrap());
        let tasks = (0..TASKS).map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for round in 0.. {
                    let number = i64::try_from(first + round * TASKS + task).unwrap();
                    if let Err(error) = write_one(store.as_ref(), task, number).await {
                        return error;
                    }
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{}", notice(number)).unwrap();
                    out.flush().unwrap();
                }
                unreachable!("the rounds have no end")
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            let error = task.await.unwrap();
            assert!(
                matches!(error, StoreError::DiskFull | StoreError::Sqlite { .. }),
                "{error}"
            );
        }
        // What was there can still be read.
        assert!(!store.load().await.unwrap().targets.is_empty());
        assert!(!store.trouble().is_empty());
        ExitCode::from(3)
    })
}

async fn write_one(store: &dyn Store, task: u64, number: i64) -> Result<(), StoreError> {
    let at = Timestamp::from_millis(number);
    let monitor = MonitorId::parse("api/health").unwrap();
    let target = TargetId::new(monitor.clone(), &task.to_string());
    let subject = Subject::Target(target.clone());
    let span = Span {
        from: Timestamp::from_millis(number * 10),
        to: Timestamp::from_millis(number * 10 + 10),
        health: Health::Dead,
        maintained: Maintained::No,
    };
    let verdict = Some(Verdict::Dead);
    let reading = Reading {
        at: span.from,
        verdict,
        latency: None,
        reason: Some("refused".into()),
    };
    let sample = Sample {
        subject: subject.clone(),
        reading: Some(reading),
        span: Some(span),
    };
    store.record(vec![sample]).await?;
    let change = Change {
        from: Health::Healthy,
        to: Health::Dead,
        at,
        since: at,
        lasted: None,
        reason: None,
        cause: Cause::Reading,
    };
    let maintained = Maintained::No;
    let state = TargetState {
        judged_at: Some(at),
        ..TargetState::default()
    };
    store
        .commit(Commit {
            targets: vec![(target, state)],
            changes: vec![NewChange {
                subject,
                change,
                maintained,
                folded_into: None,
            }],
            deliveries: vec![NewDelivery {
                notice_id: notice(number),
                channel: ChannelId::new("ops").unwrap(),
                monitor: Some(monitor),
                payload: "x".repeat(500),
                created_at: at,
                not_before: at,
            }],
            ..Commit::default()
        })
        .await
}

/// Ends with a full stop, so that one cut short is known.
fn notice(number: i64) -> String {
    format!("n{number}.")
}

fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    let options = Options::new(folder.join("data"), Timestamp::from_millis(0));
    SqliteStore::open(Options {
        reserve: 100_000,
        ..options
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
