//! Many monitors at once: do their checks begin when they are due, and what does
//! that cost?

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep, sleep_until};

use crate::arrivals::{Arrival, Witness};
use crate::daemon::{self, Daemon, Site};
use crate::figure::{Figure, Findings, quantile};
use crate::places::Places;
use crate::runtime::{self, Threads};

/// From the start of one check to that of the next.
const EVERY: Duration = Duration::from_secs(10);

/// How long a fleet runs before it is measured.
const WARM_UP: Duration = Duration::from_secs(15);

/// Intervals that are measured.
const INTERVALS: u32 = 4;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(1);

const LATENESS: &str = "watchkeeper_check_lateness_seconds";

/// 1,000 monitors whose targets answer at once.
pub(crate) fn thousand(places: &Places) -> anyhow::Result<Findings> {
    let seen = runtime::run(Threads::One, watch(places, 1_000, Duration::ZERO))?;
    let mut findings = Findings::default();
    findings.add(seen.lateness(0.99).at_most(10.0));
    for figure in seen.gaps() {
        findings.add(figure);
    }
    findings.add(seen.lost());
    findings.add(seen.processor().at_most(5.0));
    findings.add(seen.each());
    findings.add(seen.memory().at_most(120.0));
    findings.add(seen.not_healthy());
    Ok(findings)
}

/// 10,000 monitors whose targets answer after half the interval: 5,000 checks are
/// under way at any moment.
pub(crate) fn ten_thousand_slow(places: &Places) -> anyhow::Result<Findings> {
    let seen = runtime::run(Threads::One, watch(places, 10_000, EVERY / 2))?;
    let mut findings = Findings::default();
    findings.add(Figure::new(
        "checks under way",
        seen.in_flight,
        "",
        "`/metrics` at the end",
    ));
    findings.add(seen.lost().at_most(0.0));
    findings.add(
        Figure::new(
            "checks left out",
            seen.skipped,
            "",
            "`watchkeeper_checks_skipped_total`",
        )
        .at_most(0.0),
    );
    findings.add(seen.later_than_100().at_most(0.0));
    findings.add(seen.lateness(0.99));
    for figure in seen.gaps() {
        findings.add(figure);
    }
    findings.add(seen.processor());
    findings.add(seen.each());
    findings.add(seen.memory().at_most(700.0));
    findings.add(seen.not_healthy().at_most(0.0));
    Ok(findings)
}

/// What was seen of a fleet from outside and inside.
struct Seen {
    monitors: usize,
    from: Instant,
    to: Instant,
    arrivals: Vec<Arrival>,
    late: crate::metrics::Buckets,
    skipped: f64,
    not_healthy: f64,
    in_flight: f64,
    cpu: Duration,
    memory: u64,
}

async fn watch(places: &Places, monitors: usize, delay: Duration) -> anyhow::Result<Seen> {
    let witness = Witness::start(delay).context("cannot start a target")?;
    let defaults = format!("every = \"{}s\"\ntimeout = \"9s\"", EVERY.as_secs());
    let config = daemon::fleet(&defaults, (0..monitors).map(|number| witness.url(number)));
    let site = Site::new(places, &config)?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    // The first round is spread over a second or more and belongs to the start.
    sleep(WARM_UP).await;

    let before = daemon.metrics().await?;
    let cpu = daemon.cpu()?;
    drop(witness.take());
    let from = Instant::now();
    let to = from + EVERY * INTERVALS;
    let memory = most_memory(&daemon, to).await?;
    let arrivals = witness.take();
    let cpu = daemon.cpu()?.saturating_sub(cpu);
    let after = daemon.metrics().await?;
    let counted = |name: &str, label: &str| after.sum(name, label) - before.sum(name, label);
    let all = counted("watchkeeper_checks_total", "");
    let healthy = counted("watchkeeper_checks_total", "outcome=\"healthy\"");
    let seen = Seen {
        monitors,
        from,
        to,
        arrivals,
        late: after.buckets(LATENESS).since(&before.buckets(LATENESS)),
        skipped: counted("watchkeeper_checks_skipped_total", ""),
        not_healthy: all - healthy,
        in_flight: after.sum("watchkeeper_checks_in_flight", ""),
        cpu,
        memory,
    };
    daemon.stop().await?;
    Ok(seen)
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

impl Seen {
    /// As the host counts it: from when a check is due to when it is begun.
    fn lateness(&self, share: f64) -> Figure {
        Figure::new(
            format!("lateness, p{}", share * 100.0),
            self.late.quantile(share) * 1e3,
            "ms",
            format!(
                "histogram `{LATENESS}`, {} checks, even within a bucket",
                self.late.count()
            ),
        )
    }

    /// As the target sees it: how much later than one interval after the check
    /// before a check of the same monitor arrives.
    fn gaps(&self) -> [Figure; 2] {
        let how =
            "by the target's clock: time between two checks of one monitor, less the interval";
        let late: Vec<f64> = self
            .by_monitor()
            .iter()
            .flat_map(|times| {
                times
                    .windows(2)
                    .map(|pair| millis(pair[1] - pair[0]) - millis(EVERY))
            })
            .collect();
        [
            Figure::new(
                "gap beyond the interval, p99",
                quantile(&late, 0.99),
                "ms",
                how,
            ),
            Figure::new(
                "gap beyond the interval, longest",
                quantile(&late, 1.0),
                "ms",
                how,
            ),
        ]
    }

    /// Checks that the host counts as begun more than 100 ms late: the figures of
    /// the bucket in which 100 ms lies are taken to be.
    fn later_than_100(&self) -> Figure {
        let how = format!(
            "histogram `{LATENESS}`: above 64 ms; above 128 ms: {}",
            self.late.above(0.128)
        );
        Figure::new(
            "checks more than 100 ms late",
            self.late.above(0.064),
            "",
            how,
        )
    }

    /// Checks that were due and never arrived.
    fn lost(&self) -> Figure {
        let due = self.monitors as f64 * f64::from(INTERVALS);
        let lost: u128 = self
            .by_monitor()
            .iter()
            .map(|times| missing(times, self.from, self.to))
            .sum();
        let how = format!(
            "by the target: gaps in each monitor's rhythm; {due} were due, {} came",
            self.arrivals.len()
        );
        Figure::new("checks lost", lost as f64, "", how)
    }

    fn processor(&self) -> Figure {
        let share = self.cpu.as_secs_f64() / (self.to - self.from).as_secs_f64() * 100.0;
        Figure::new(
            "processor",
            share,
            "% of a core",
            "`/proc/PID/stat` over the whole time",
        )
    }

    fn each(&self) -> Figure {
        let each = self.cpu.as_secs_f64() * 1e6 / (self.arrivals.len().max(1) as f64);
        Figure::new(
            "processor for each check",
            each,
            "µs",
            "the same, everything that the host does included",
        )
    }

    fn memory(&self) -> Figure {
        let mib = self.memory as f64 / f64::from(1 << 20);
        Figure::new(
            "memory",
            mib,
            "MiB",
            "`VmRSS`, the most of one look a second",
        )
    }

    fn not_healthy(&self) -> Figure {
        Figure::new(
            "checks not healthy",
            self.not_healthy,
            "",
            "`watchkeeper_checks_total`",
        )
    }

    /// When each monitor's checks arrived, in order.
    fn by_monitor(&self) -> Vec<Vec<Instant>> {
        let mut times = vec![Vec::new(); self.monitors];
        for arrival in &self.arrivals {
            if let Some(times) = times.get_mut(arrival.monitor) {
                times.push(arrival.at);
            }
        }
        times
    }
}

/// How many checks are missing between these: a gap of two intervals misses one.
fn missing(times: &[Instant], from: Instant, to: Instant) -> u128 {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return INTERVALS.into();
    };
    let between = times.windows(2).map(|pair| pair[1] - pair[0]);
    let inner: u128 = between
        .map(|gap| intervals(gap + EVERY / 2).saturating_sub(1))
        .sum();
    // At the ends, a check is missing once half an interval more than one has passed.
    let half = EVERY / 2;
    inner
        + intervals((*first - from).saturating_sub(half))
        + intervals((to - *last).saturating_sub(half))
}

/// How many whole intervals fit into `span`.
fn intervals(span: Duration) -> u128 {
    span.as_millis() / EVERY.as_millis()
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gap_in_the_rhythm_is_a_lost_check() {
        let from = Instant::now();
        let to = from + EVERY * INTERVALS;
        let at = |seconds: &[u64]| -> Vec<Instant> {
            seconds
                .iter()
                .map(|second| from + Duration::from_secs(*second))
                .collect()
        };
        assert_eq!(missing(&at(&[3, 13, 23, 33]), from, to), 0);
        assert_eq!(missing(&at(&[0, 10, 20, 30, 40]), from, to), 0);
        assert_eq!(missing(&at(&[3, 23, 33]), from, to), 1);
        assert_eq!(missing(&at(&[13, 23, 33]), from, to), 0);
        assert_eq!(missing(&at(&[23, 33]), from, to), 1);
        assert_eq!(missing(&at(&[3, 13]), from, to), 2);
        assert_eq!(missing(&[], from, to), 4);
    }
}
