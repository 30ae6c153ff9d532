//! The page of many monitors under load.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::sleep;

use crate::arrivals::Witness;
use crate::client;
use crate::daemon::{self, Daemon, Site};
use crate::figure::{Figure, Findings};
use crate::http::have;
use crate::places::Places;
use crate::runtime::{self, Threads};

/// How many monitors the page shows.
const MONITORS: usize = 1_000;

/// How long all are given to have been checked and shown.
const SETTLE: Duration = Duration::from_secs(8);

/// For how long the page is asked for.
const SECONDS: u32 = 6;

/// Connections that ask at a time.
const CONNECTIONS: u32 = 64;

/// The processor that the host has to itself.
const HOST: usize = 0;

/// The processor that the load comes from.
const LOAD: &str = "1";

/// What `wrk` found.
#[derive(Debug, PartialEq)]
struct Load {
    per_second: f64,
    p50: f64,
    p99: f64,
    answered: f64,
    errors: bool,
}

/// Asks for the page as fast as it comes, on one core.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    runtime::run(Threads::One, watch(places))
}

async fn watch(places: &Places) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    let witness = Witness::start(Duration::ZERO)?;
    let targets = (0..MONITORS).map(|number| witness.url(number));
    let site = Site::new(places, &daemon::fleet("every = \"60s\"", targets))?;
    let pinned = have("taskset") && std::thread::available_parallelism()?.get() > 1;
    if !pinned {
        findings.note("without `taskset` or on one core, host and load share what there is");
    }
    let mut daemon = site.start(pinned.then_some(HOST))?;
    daemon.answers("/readyz").await?;
    daemon.loaded().await?;
    sleep(SETTLE).await;
    let page = daemon.url("/");
    for (encoding, name) in [
        (None, "plain"),
        (Some("gzip"), "gzip"),
        (Some("br"), "brotli"),
    ] {
        let (status, body) = client::get(&page.parse()?, encoding).await?;
        ensure!(status == 200, "the page answers {status}");
        let how = format!("`GET /` with {MONITORS} monitors");
        findings.add(Figure::new(
            format!("page, {name}"),
            body.len() as f64 / 1024.0,
            "KiB",
            how,
        ));
    }
    if have("wrk") {
        load(&daemon, pinned, &mut findings).await?;
    } else {
        findings.note("wrk is not installed: the page was not put under load");
    }
    daemon.stop().await?;
    Ok(findings)
}

async fn load(daemon: &Daemon, pinned: bool, findings: &mut Findings) -> anyhow::Result<()> {
    for (path, goal) in [
        ("/", true),
        ("/status/text", false),
        ("/status/report", false),
    ] {
        let url = daemon.url(path);
        wrk(&url, 2, pinned).await?;
        let before = daemon.cpu()?;
        let load = wrk(&url, SECONDS, pinned).await?;
        let cpu = daemon.cpu()?.saturating_sub(before);
        ensure!(!load.errors, "wrk met errors on {url}");
        let how = format!(
            "wrk -t1 -c{CONNECTIONS} -d{SECONDS}s, gzip{}",
            if pinned {
                "; host on one core, wrk on another"
            } else {
                ""
            }
        );
        let rate = Figure::new(format!("GET {path}"), load.per_second, "1/s", how.clone());
        let slowest = Figure::new(format!("GET {path}, p99"), load.p99, "ms", how.clone());
        let (rate, slowest) = if goal {
            (rate.at_least(20_000.0), slowest.at_most(10.0))
        } else {
            (rate, slowest)
        };
        findings.add(rate);
        findings.add(Figure::new(format!("GET {path}, p50"), load.p50, "ms", how));
        findings.add(slowest);
        let each = cpu.as_secs_f64() * 1e6 / load.answered.max(1.0);
        findings.add(Figure::new(
            format!("GET {path}, processor"),
            each,
            "µs",
            "`/proc/PID/stat`",
        ));
    }
    Ok(())
}

async fn wrk(url: &str, seconds: u32, pinned: bool) -> anyhow::Result<Load> {
    let mut command = std::process::Command::new(if pinned { "taskset" } else { "wrk" });
    if pinned {
        command.args(["-c", LOAD, "wrk"]);
    }
    command
        .args([
            "-t1",
            &format!("-c{CONNECTIONS}"),
            &format!("-d{seconds}s"),
            "--latency",
        ])
        .args(["-H", "Accept-Encoding: gzip", url])
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await?
        .context("cannot start wrk")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "wrk: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    read(&text).with_context(|| format!("wrk says {text:?}"))
}

/// What wrk prints.
fn read(text: &str) -> Option<Load> {
    let after = |label: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(label))
            .map(str::trim)
    };
    let answered = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "));
    Some(Load {
        per_second: after("Requests/sec:")?.parse().ok()?,
        p50: milliseconds(after("50%")?)?,
        p99: milliseconds(after("99%")?)?,
        answered: answered?.0.parse().ok()?,
        errors: text.contains("Socket errors") || text.contains("Non-2xx"),
    })
}

/// `1.20ms`, `850.00us`, `2.10s`.
fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)];
    units.iter().find_map(|(unit, worth)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number * worth)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_wrk_prints() {
        let text = "\
Running 6s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.00ms  500.00us   9.00ms   90.00%
    Req/Sec    30.00k     1.00k   33.00k    70.00%
  Latency Distribution
     50%  850.00us
     75%    2.30ms
     90%    2.60ms
     99%    1.20s
  180000 requests in 6.00s, 1.50GB read
Requests/sec:  30000.50
Transfer/sec:    256.00MB
";
        let expected = Load {
            per_second: 30_000.5,
            p50: 0.85,
            p99: 1_200.0,
            answered: 180_000.0,
            errors: false,
        };
        assert_eq!(read(text), Some(expected));
        assert_eq!(read("unable to connect"), None);
        assert!(
            read(&format!("{text}  Socket errors: connect 0, read 1\n"))
                .unwrap()
                .errors
        );
    }
}
