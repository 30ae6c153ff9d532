//! Many monitors at once: do their checks begin when they are due, and what does
//! that cost?

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep, sleep_until};

use crate::arrivals::Witness;
use crate::daemon::{self, Daemon, Site};
use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::runtime::{self, Threads};
use crate::seen::{Beginning, Fleet, Seen};

/// From the start of one check to that of the next.
const EVERY: Duration = Duration::from_secs(10);

/// How long a fleet runs before it is measured.
const WARM_UP: Duration = Duration::from_secs(15);

/// Intervals that are measured.
const INTERVALS: u32 = 4;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// 1,000 monitors whose targets answer at once.
pub(crate) fn thousand(places: &Places) -> anyhow::Result<Findings> {
    let (seen, memory) = runtime::run(Threads::One, watch(places, 1_000, Duration::ZERO))?;
    let mut findings = Findings::default();
    findings.add(seen.lateness(0.99).at_most(10.0));
    for figure in seen.gaps() {
        findings.add(figure);
    }
    findings.add(seen.lost());
    findings.add(seen.processor().at_most(5.0));
    findings.add(seen.each());
    findings.add(mib(memory).at_most(120.0));
    findings.add(seen.not_healthy());
    Ok(findings)
}

/// 10,000 monitors whose targets answer after half the interval: 5,000 checks are
/// under way at any moment.
pub(crate) fn ten_thousand_slow(places: &Places) -> anyhow::Result<Findings> {
    let (seen, memory) = runtime::run(Threads::One, watch(places, 10_000, EVERY / 2))?;
    let mut findings = Findings::default();
    findings.add(seen.under_way());
    findings.add(seen.lost().at_most(0.0));
    findings.add(seen.left_out().at_most(0.0));
    findings.add(seen.later_than_100().at_most(0.0));
    findings.add(seen.lateness(0.99));
    for figure in seen.gaps() {
        findings.add(figure);
    }
    findings.add(seen.processor());
    findings.add(seen.each());
    findings.add(mib(memory).at_most(700.0));
    findings.add(seen.not_healthy().at_most(0.0));
    Ok(findings)
}

async fn watch(places: &Places, monitors: usize, delay: Duration) -> anyhow::Result<(Seen, u64)> {
    let witness = Witness::start(delay).context("cannot start a target")?;
    let defaults = format!("every = \"{}s\"\ntimeout = \"9s\"", EVERY.as_secs());
    let config = daemon::fleet(&defaults, (0..monitors).map(|number| witness.url(number)));
    let site = Site::new(places, &config)?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    // Compiling what nothing uses belongs to the first start.
    daemon.loaded().await?;
    // So does the first round, which is spread over a second or more.
    sleep(WARM_UP).await;
    let fleet = Fleet {
        monitors,
        every: EVERY,
    };
    let beginning = Beginning::now(fleet, &daemon, &witness).await?;
    let memory = most_memory(&daemon, beginning.at() + EVERY * INTERVALS).await?;
    let seen = beginning.end(&daemon, &witness).await?;
    daemon.stop().await?;
    Ok((seen, memory))
}

/// The most memory that is seen until then, in bytes.
async fn most_memory(daemon: &Daemon, until: Instant) -> anyhow::Result<u64> {
    let mut most = 0;
    loop {
        most = most.max(daemon.resident()?);
        let next = Instant::now() + LOOK;
        if next >= until {
            sleep_until(until).await;
            return Ok(most.max(daemon.resident()?));
        }
        sleep_until(next).await;
    }
}

fn mib(memory: u64) -> Figure {
    Figure::new(
        "memory",
        memory as f64 / f64::from(1 << 20),
        "MiB",
        "`VmRSS`, the most of one look a second",
    )
}
