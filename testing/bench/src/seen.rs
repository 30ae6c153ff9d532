//! What was seen of a fleet, from outside by its target and from inside by its
//! metrics.

use std::time::Duration;

use tokio::time::Instant;

use crate::arrivals::{Arrival, Witness};
use crate::daemon::Daemon;
use crate::figure::{Figure, quantile};
use crate::metrics::{Buckets, Metrics};

/// The histogram of how late checks begin.
pub(crate) const LATENESS: &str = "watchkeeper_check_lateness_seconds";

/// The monitors that a witness is the target of, and their rhythm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fleet {
    /// Numbered from zero.
    pub(crate) monitors: usize,
    /// From the start of one check to that of the next.
    pub(crate) every: Duration,
}

/// The beginning of a time that is looked at.
pub(crate) struct Beginning {
    fleet: Fleet,
    from: Instant,
    metrics: Metrics,
    cpu: Duration,
}

impl Beginning {
    /// It begins now. What arrived before is forgotten.
    pub(crate) async fn now(
        fleet: Fleet,
        daemon: &Daemon,
        witness: &Witness,
    ) -> anyhow::Result<Self> {
        let metrics = daemon.metrics().await?;
        let cpu = daemon.cpu()?;
        drop(witness.take());
        Ok(Self {
            fleet,
            from: Instant::now(),
            metrics,
            cpu,
        })
    }

    /// When that was.
    pub(crate) const fn at(&self) -> Instant {
        self.from
    }

    /// It ends now.
    pub(crate) async fn end(self, daemon: &Daemon, witness: &Witness) -> anyhow::Result<Seen> {
        let to = Instant::now();
        let arrivals = witness.take();
        let cpu = daemon.cpu()?.saturating_sub(self.cpu);
        let (before, after) = (self.metrics, daemon.metrics().await?);
        let counted = |name: &str, label: &str| after.sum(name, label) - before.sum(name, label);
        let all = counted("watchkeeper_checks_total", "");
        let healthy = counted("watchkeeper_checks_total", "outcome=\"healthy\"");
        Ok(Seen {
            fleet: self.fleet,
            from: self.from,
            to,
            arrivals,
            late: after.buckets(LATENESS).since(&before.buckets(LATENESS)),
            skipped: counted("watchkeeper_checks_skipped_total", ""),
            not_healthy: all - healthy,
            in_flight: after.sum("watchkeeper_checks_in_flight", ""),
            cpu,
        })
    }
}

/// What was seen in that time.
pub(crate) struct Seen {
    fleet: Fleet,
    from: Instant,
    to: Instant,
    /// In the order in which they came.
    pub(crate) arrivals: Vec<Arrival>,
    late: Buckets,
    skipped: f64,
    not_healthy: f64,
    in_flight: f64,
    cpu: Duration,
}

impl Seen {
    /// As the host counts it: from when a check is due to when it is begun.
    pub(crate) fn lateness(&self, share: f64) -> Figure {
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
    pub(crate) fn gaps(&self) -> [Figure; 2] {
        let how =
            "by the target's clock: time between two checks of one monitor, less the interval";
        let late = self.beyond_the_interval();
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

    /// Checks that the target saw more than 100 ms late.
    pub(crate) fn gaps_over_100(&self) -> Figure {
        let late = self.beyond_the_interval();
        let many = late.iter().filter(|gap| **gap > 100.0).count();
        let how = format!("of {} that the target saw, by its clock", late.len());
        Figure::new("checks more than 100 ms late", many as f64, "", how)
    }

    /// Checks that the host counts as begun more than 100 ms late: the figures of
    /// the bucket in which 100 ms lies are taken to be.
    pub(crate) fn later_than_100(&self) -> Figure {
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
    pub(crate) fn lost(&self) -> Figure {
        let every = self.fleet.every;
        let due = self.fleet.monitors as f64 * (self.to - self.from).div_duration_f64(every);
        let lost: u128 = self
            .by_monitor()
            .iter()
            .map(|times| missing(times, self.from, self.to, every))
            .sum();
        let how = format!(
            "by the target: gaps in each monitor's rhythm; {due:.0} were due, {} came",
            self.arrivals.len()
        );
        Figure::new("checks lost", lost as f64, "", how)
    }

    /// Checks that were due while the one before still ran.
    pub(crate) fn left_out(&self) -> Figure {
        Figure::new(
            "checks left out",
            self.skipped,
            "",
            "`watchkeeper_checks_skipped_total`",
        )
    }

    /// Checks under way at the end.
    pub(crate) fn under_way(&self) -> Figure {
        Figure::new(
            "checks under way",
            self.in_flight,
            "",
            "`/metrics` at the end",
        )
    }

    /// The whole process.
    pub(crate) fn processor(&self) -> Figure {
        let share = self.cpu.as_secs_f64() / (self.to - self.from).as_secs_f64() * 100.0;
        Figure::new(
            "processor",
            share,
            "% of a core",
            "`/proc/PID/stat` over the whole time",
        )
    }

    /// The whole process, by what arrived.
    pub(crate) fn each(&self) -> Figure {
        let each = self.cpu.as_secs_f64() * 1e6 / (self.arrivals.len().max(1) as f64);
        Figure::new(
            "processor for each check",
            each,
            "µs",
            "the same, everything that the host does included",
        )
    }

    /// Checks that found something else.
    pub(crate) fn not_healthy(&self) -> Figure {
        Figure::new(
            "checks not healthy",
            self.not_healthy,
            "",
            "`watchkeeper_checks_total`",
        )
    }

    /// In ms, of each two checks of one monitor.
    fn beyond_the_interval(&self) -> Vec<f64> {
        self.by_monitor()
            .iter()
            .flat_map(|times| {
                times
                    .windows(2)
                    .map(|pair| millis(pair[1] - pair[0]) - millis(self.fleet.every))
            })
            .collect()
    }

    /// When each monitor's checks arrived, in order.
    fn by_monitor(&self) -> Vec<Vec<Instant>> {
        let mut times = vec![Vec::new(); self.fleet.monitors];
        for arrival in &self.arrivals {
            if let Some(times) = times.get_mut(arrival.monitor) {
                times.push(arrival.at);
            }
        }
        times
    }
}

/// In milliseconds.
pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// How many checks are missing between these: a gap of two intervals misses one.
fn missing(times: &[Instant], from: Instant, to: Instant, every: Duration) -> u128 {
    let whole = |span: Duration| span.as_millis() / every.as_millis().max(1);
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return whole(to - from);
    };
    let half = every / 2;
    let between = times.windows(2).map(|pair| pair[1] - pair[0]);
    let inner: u128 = between.map(|gap| whole(gap + half).saturating_sub(1)).sum();
    // At the ends, a check is missing once half an interval more than one has passed.
    inner + whole((*first - from).saturating_sub(half)) + whole((to - *last).saturating_sub(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gap_in_the_rhythm_is_a_lost_check() {
        let every = Duration::from_secs(10);
        let from = Instant::now();
        let to = from + every * 4;
        let lost = |seconds: &[u64]| {
            let times: Vec<Instant> = seconds
                .iter()
                .map(|second| from + Duration::from_secs(*second))
                .collect();
            missing(&times, from, to, every)
        };
        assert_eq!(lost(&[3, 13, 23, 33]), 0);
        assert_eq!(lost(&[0, 10, 20, 30, 40]), 0);
        assert_eq!(lost(&[3, 23, 33]), 1);
        assert_eq!(lost(&[13, 23, 33]), 0);
        assert_eq!(lost(&[23, 33]), 1);
        assert_eq!(lost(&[3, 13]), 2);
        assert_eq!(lost(&[]), 4);
        // One that came beside the rhythm takes nobody's place.
        assert_eq!(lost(&[3, 9, 13, 23, 33]), 0);
    }
}
