//! What an HTTP check costs on a new connection: in the sandbox, judged and stored,
//! natively, and by a shell with curl.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hyper::Uri;
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::{Combine, MonitorState, TargetView, Trigger, step_monitor};
use watchkeeper_engine::reading::{Outcome, Reading};
use watchkeeper_engine::target::{Input, TargetRules, TargetState, step};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;
use watchkeeper_store::{self as store, Sample, Span, SqliteStore, Store, Subject as Whose};

use crate::client;
use crate::cpu;
use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::rounds;
use crate::runtime::{self, Threads};
use crate::subject::{MONITOR, Subject};
use crate::target::TargetServer;

/// Checks in one round.
const CHECKS: usize = 2_000;

/// Runs of the shell.
const SHELLS: u32 = 300;

/// Checks in one second where they come one by one, as from 1,000 monitors every
/// 10 s.
const PACE: u32 = 100;

/// For how long they come so.
const PACED: Duration = Duration::from_secs(8);

/// Targets that readings are stored for.
const TARGETS: usize = 1_000;

/// Most processor time for a whole check, in µs.
const GOAL: f64 = 120.0;

/// Most times the cost of a native request.
const TIMES_NATIVE: f64 = 3.0;

/// A shell with curl costs at least so many times as much.
const TIMES_CHEAPER: f64 = 50.0;

/// Measures all four.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let server = TargetServer::start(places)?;
    let url = server.url("/ok");
    let mut findings = Findings::default();
    let mut first = None;
    for at_once in [1, 256] {
        let costs = runtime::run(Threads::One, costs(places, &url, at_once))?;
        let how = |what: &str| {
            format!("{what}; processor time of this process over {CHECKS}, median of 5 rounds")
        };
        let named = |what: &str| format!("{what}, {at_once} at once");
        findings.add(Figure::new(
            named("sandboxed check"),
            costs.check,
            "µs",
            how("bundled probe `http`, new connection"),
        ));
        findings.add(
            Figure::new(
                named("whole check"),
                costs.whole,
                "µs",
                how("the check, the engine's steps and the store's record until it is written"),
            )
            .at_most(GOAL),
        );
        findings.add(Figure::new(
            named("native GET"),
            costs.native,
            "µs",
            how("hyper, new connection"),
        ));
        findings.add(
            Figure::new(
                named("whole check / native GET"),
                costs.whole / costs.native,
                "×",
                "quotient",
            )
            .at_most(TIMES_NATIVE),
        );
        first.get_or_insert(costs.whole);
    }
    let (check, native) = runtime::run(Threads::Two, paced(places, &url))?;
    let how = format!(
        "{PACE} a second for {} s on 2 threads: caches are cold each time, as in a host with few monitors",
        PACED.as_secs()
    );
    findings.add(Figure::new(
        "sandboxed check, now and then",
        check,
        "µs",
        how.clone(),
    ));
    findings.add(Figure::new("native GET, now and then", native, "µs", how));
    if have("curl") {
        let shell = shell(&url)?;
        let how = format!(
            "`sh -c 'curl …'`; processor time of this process and its children over {SHELLS} runs"
        );
        findings.add(Figure::new("shell with curl", shell, "µs", how));
        if let Some(whole) = first {
            findings.add(
                Figure::new(
                    "shell with curl / whole check",
                    shell / whole,
                    "×",
                    "quotient",
                )
                .at_least(TIMES_CHEAPER),
            );
        }
    } else {
        findings.note("curl is not installed: no comparison with a shell");
    }
    Ok(findings)
}

/// In µs.
struct Costs {
    check: f64,
    whole: f64,
    native: f64,
}

async fn costs(places: &Places, url: &str, at_once: usize) -> anyhow::Result<Costs> {
    let subject = Subject::load(places, places.plugin("http")?, url).await?;
    let uri: Uri = url.parse()?;

    let native = move |_| {
        let uri = uri.clone();
        async move {
            let (status, body) = client::get(&uri, None).await?;
            ensure!(
                status == 200 && body.as_ref() == b"ok",
                "the target answers {status}"
            );
            Ok(())
        }
    };
    let native = rounds::cost(CHECKS, async || {
        rounds::drive(CHECKS, at_once, native.clone()).await
    })
    .await?;

    let checked = subject.clone();
    let check = move |_| {
        let subject = checked.clone();
        async move { subject.check().await.map(drop) }
    };
    let check = rounds::cost(CHECKS, async || {
        rounds::drive(CHECKS, at_once, check.clone()).await
    })
    .await?;

    let folder = places.scratch()?;
    let ledger = Arc::new(Ledger::open(folder.path(), url)?);
    let keeping = Arc::clone(&ledger);
    let whole = move |number: usize| {
        let (subject, ledger) = (subject.clone(), Arc::clone(&keeping));
        async move {
            let run = subject.check().await?;
            ledger.take(number % TARGETS, run.latency).await
        }
    };
    let whole = rounds::cost(CHECKS, async || {
        rounds::drive(CHECKS, at_once, whole.clone()).await?;
        Ok(ledger.store.flush().await?)
    })
    .await?;
    ledger.store.close().await?;
    Ok(Costs {
        check,
        whole,
        native,
    })
}

/// In µs: a check and a native request, each on a processor that was idle before.
async fn paced(places: &Places, url: &str) -> anyhow::Result<(f64, f64)> {
    let subject = Subject::load(places, places.plugin("http")?, url).await?;
    let check = async || {
        let subject = subject.clone();
        tokio::spawn(async move { subject.check().await.map(drop) }).await?
    };
    let check = rounds::paced(PACE, PACED, check).await?;
    let uri: Uri = url.parse()?;
    let native = async || {
        let uri = uri.clone();
        tokio::spawn(async move { client::get(&uri, None).await.map(drop) }).await?
    };
    Ok((check, rounds::paced(PACE, PACED, native).await?))
}

/// What the daemon does with a reading: it steps target and monitor, and records the
/// reading and the time that both have been healthy for.
struct Ledger {
    store: SqliteStore,
    rules: TargetRules,
    entries: Vec<Mutex<Entry>>,
}

struct Entry {
    id: TargetId,
    target: TargetState,
    monitor: MonitorState,
    accounted: Timestamp,
}

impl Ledger {
    fn open(folder: &std::path::Path, url: &str) -> anyhow::Result<Self> {
        let now = wall();
        let entries = (0..TARGETS).map(|number| {
            let monitor = MonitorId::parse(&format!("{MONITOR}-{number}"))
                .map_err(|error| anyhow::anyhow!("{error}"))?;
            Ok(Mutex::new(Entry {
                id: TargetId::new(monitor, url),
                target: TargetState::default(),
                monitor: MonitorState::default(),
                accounted: now,
            }))
        });
        Ok(Self {
            store: SqliteStore::open(store::Options::new(folder, now))?,
            rules: TargetRules::default(),
            entries: entries.collect::<anyhow::Result<_>>()?,
        })
    }

    async fn take(&self, number: usize, latency: Duration) -> anyhow::Result<()> {
        let now = wall();
        let reading = Reading {
            at: now,
            outcome: Outcome::Judged {
                verdict: Verdict::Healthy,
                reason: None,
            },
            latency: Some(latency),
        };
        let kept = store::Reading {
            at: now,
            verdict: reading.verdict(),
            latency: reading.latency,
            reason: None,
        };
        let samples = {
            let entry = self
                .entries
                .get(number)
                .context("every target has an entry")?;
            let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
            let span = Span {
                from: entry.accounted,
                to: now,
                health: Health::Healthy,
                maintained: Maintained::No,
            };
            entry.accounted = now;
            entry.target = step(&entry.target, &Input::Reading(reading), &self.rules, now).state;
            let view = [TargetView {
                id: &entry.id,
                state: &entry.target,
            }];
            let stepped =
                step_monitor(&entry.monitor, Combine::Worst, &view, Trigger::Targets, now);
            entry.monitor = stepped.state;
            vec![
                Sample {
                    subject: Whose::Target(entry.id.clone()),
                    reading: Some(kept),
                    span: Some(span),
                },
                Sample {
                    subject: Whose::Monitor(entry.id.monitor().clone()),
                    reading: None,
                    span: Some(span),
                },
            ]
        };
        Ok(self.store.record(samples).await?)
    }
}

fn wall() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// Processor time of one `sh -c 'curl …'`, in µs.
fn shell(url: &str) -> anyhow::Result<f64> {
    let line = format!("curl -s -o /dev/null {url}");
    let once = || -> anyhow::Result<()> {
        let ended = Command::new("sh").args(["-c", &line]).status()?;
        ensure!(ended.success(), "{line}: {ended}");
        Ok(())
    };
    once()?;
    let (own, children) = (cpu::own(), cpu::of_ended_children()?);
    for _ in 0..SHELLS {
        once()?;
    }
    let spent = cpu::own().saturating_sub(own) + cpu::of_ended_children()?.saturating_sub(children);
    Ok(spent.as_secs_f64() * 1e6 / f64::from(SHELLS))
}

/// Whether a program of this name is in the search path.
pub(crate) fn have(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}
