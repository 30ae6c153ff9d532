//! What checks found, one by one and summed up.
//!
//! A [`Reading`] is a point: what one check found. A [`Span`] is time: how long
//! a target or a monitor has had a *confirmed* health. Counts and latencies of a rollup come
//! from readings, its times from spans alone, so that downtime is exactly the
//! time between the moments at which two changes of the confirmed health were
//! decided, and not a number of failed checks times an interval.
//!
//! Whoever records keeps, for each subject, the time up to which it has
//! accounted, and at every step of the engine records the span from there to
//! now with the health that was confirmed *before* the step. Where more time
//! has passed than readings stay fresh, it ends the span there; the part after
//! it gets a span of `Unknown` if the host was running, and none at all if it
//! was off or asleep. Time that no span covers is no data: neither up nor down.
//!
//! Time is never counted twice: of a span that begins before what has already
//! been accounted for its subject, only the rest counts (a wall clock that was set
//! back lives an hour again; the sums stay at or below the length of the
//! bucket). Only where it ends more than a day before that, the clock must have
//! been far ahead, and counting begins anew from the span.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::{HealthSums, Maintained};

use crate::histogram::Histogram;
use crate::state::Subject;

/// One thing to record: what a check found, the time it accounts for, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Of a target; or of a monitor as a whole, which has no readings but a
    /// health of its own that its targets' times do not tell.
    pub subject: Subject,
    /// What a check found; `None` where only time passed.
    pub reading: Option<Reading>,
    /// The time accounted for; `None` where no health was confirmed.
    pub span: Option<Span>,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When the check ended.
    pub at: Timestamp,
    /// The probe's verdict; `None` if it came to none (a fault of plugin,
    /// configuration or host).
    pub verdict: Option<Verdict>,
    /// How long the target took. Kept in whole microseconds.
    pub latency: Option<Duration>,
    /// Why it is so. Kept only where the verdict is not healthy, and cut after
    /// 500 characters.
    pub reason: Option<Arc<str>>,
}

/// A stretch of time in which a subject had one confirmed health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after. A span that does not end after it begins is
    /// nothing. One of more than 31 days is cut to its last 31.
    pub to: Timestamp,
    /// The health confirmed during it.
    pub health: Health,
    /// Whether maintenance covered it: then it counts as maintenance, whatever
    /// the health.
    pub maintained: Maintained,
}

/// The width of a rollup's bucket. Buckets begin at multiples of it since the
/// epoch: days are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// Five minutes; kept for 30 days.
    FiveMinutes,
    /// One hour; kept for 400 days.
    Hour,
    /// One day; kept for ever.
    Day,
}

impl Resolution {
    /// Every resolution, finest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// How long a bucket is.
    pub const fn width(self) -> Duration {
        Duration::from_secs(match self {
            Self::FiveMinutes => 300,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }

    /// How long a bucket is, in milliseconds.
    pub(crate) const fn width_millis(self) -> i64 {
        match self {
            Self::FiveMinutes => 300_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// The beginning of the bucket that `at` lies in.
    pub const fn bucket(self, at: Timestamp) -> Timestamp {
        let width = self.width_millis();
        Timestamp::from_millis(at.as_millis().div_euclid(width).saturating_mul(width))
    }
}

/// What happened to one subject in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// Whose.
    pub subject: Subject,
    /// How wide the bucket is.
    pub resolution: Resolution,
    /// When the bucket begins.
    pub start: Timestamp,
    /// The sums.
    pub totals: Totals,
}

/// Sums over a time, of one target or of many. Sums add up: the hours of a day
/// [merge](Self::merge) to the day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Checks that came to the verdict healthy.
    pub healthy_checks: u64,
    /// Checks that came to the verdict sick.
    pub sick_checks: u64,
    /// Checks that came to the verdict dead.
    pub dead_checks: u64,
    /// Checks that came to no verdict.
    pub faulty_checks: u64,
    /// For how long the subject had which confirmed health.
    pub time: HealthSums,
    /// The latencies of all checks that measured one.
    pub latency: Histogram,
}

impl Totals {
    /// All checks, of whatever outcome.
    pub const fn checks(&self) -> u64 {
        self.healthy_checks
            .saturating_add(self.sick_checks)
            .saturating_add(self.dead_checks)
            .saturating_add(self.faulty_checks)
    }

    /// The time that any span covered, in milliseconds. What is missing to the
    /// length of the bucket is no data.
    pub fn covered_millis(&self) -> u64 {
        let HealthSums {
            healthy_ms,
            sick_ms,
            dead_ms,
            unknown_ms,
            maintenance_ms,
        } = self.time;
        [healthy_ms, sick_ms, dead_ms, unknown_ms, maintenance_ms]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Adds the sums of another time.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.healthy_checks, other.healthy_checks),
            (&mut self.sick_checks, other.sick_checks),
            (&mut self.dead_checks, other.dead_checks),
            (&mut self.faulty_checks, other.faulty_checks),
        ] {
            *mine = mine.saturating_add(theirs);
        }
        self.time += other.time;
        self.latency.merge(&other.latency);
    }

    /// Adds the sums of another part of the same bucket, which is `width` long.
    ///
    /// Where more time would be covered than there is, as after a wall clock
    /// was set back by more than a day, the added times are cut in proportion.
    pub(crate) fn merge_within(&mut self, other: &Self, width: Duration) {
        let width = u64::try_from(width.as_millis()).unwrap_or(u64::MAX);
        let room = width.saturating_sub(self.covered_millis());
        let added = other.covered_millis();
        let mut other = other.clone();
        if added > room {
            let cut = |part: u64| {
                let share = u128::from(part) * u128::from(room) / u128::from(added.max(1));
                u64::try_from(share).unwrap_or(room)
            };
            let HealthSums {
                healthy_ms,
                sick_ms,
                dead_ms,
                unknown_ms,
                maintenance_ms,
            } = other.time;
            other.time = HealthSums {
                healthy_ms: cut(healthy_ms),
                sick_ms: cut(sick_ms),
                dead_ms: cut(dead_ms),
                unknown_ms: cut(unknown_ms),
                maintenance_ms: cut(maintenance_ms),
            };
        }
        self.merge(&other);
    }

    /// Counts a reading.
    pub(crate) fn count(&mut self, verdict: Option<Verdict>, latency: Option<Duration>) {
        let checks = match verdict {
            Some(Verdict::Healthy) => &mut self.healthy_checks,
            Some(Verdict::Sick) => &mut self.sick_checks,
            Some(Verdict::Dead) => &mut self.dead_checks,
            None => &mut self.faulty_checks,
        };
        *checks = checks.saturating_add(1);
        if let Some(latency) = latency {
            self.latency.record(latency);
        }
    }
}

/// The latency of one bucket, for a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyPoint {
    /// When the bucket begins.
    pub start: Timestamp,
    /// Half of the checks were at least as fast; see [`Histogram::quantile`]
    /// for how exact this is.
    pub p50: Duration,
    /// 95 of 100 checks were at least as fast.
    pub p95: Duration,
    /// The slowest check.
    pub max: Duration,
}

impl LatencyPoint {
    /// The point of `rollup`; `None` if no check measured a latency.
    pub fn of(rollup: &Rollup) -> Option<Self> {
        let latency = &rollup.totals.latency;
        Some(Self {
            start: rollup.start,
            p50: latency.quantile(0.5)?,
            p95: latency.quantile(0.95)?,
            max: latency.max()?,
        })
    }
}
