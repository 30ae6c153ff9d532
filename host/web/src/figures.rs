//! What is summed up of the past and asked for by badges and pages: for how long
//! something had which health, and how long its checks took. Whoever keeps it
//! stands behind [`Figures`].

use std::time::Duration;

use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::HealthSums;

use crate::records::Found;
use crate::view::Part;

/// Sums up what is kept of the past.
pub trait Figures: Send + Sync {
    /// How a service or a monitor was over the `window` that ends at `now`. All sums
    /// are zero and no latency is known of what was never checked.
    fn over(&self, part: &Part, window: Window, now: Timestamp) -> Found<'_, Sums>;

    /// The latencies of a monitor's checks over the `window` that ends at `now`,
    /// oldest first. Times in which no check was answered are left out.
    fn latencies(
        &self,
        monitor: &MonitorId,
        window: Window,
        now: Timestamp,
    ) -> Found<'_, Vec<LatencyRecord>>;

    /// How a service or a monitor was on each day since `from`, oldest first: the
    /// beginning of the day in UTC, and its sums. Days of which nothing is known are
    /// left out.
    fn days(
        &self,
        part: &Part,
        from: Timestamp,
        now: Timestamp,
    ) -> Found<'_, Vec<(Timestamp, HealthSums)>>;
}

/// A span of time that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
}

/// How something was over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// For how long it had which health.
    pub times: HealthSums,
    /// Half of its checks were at least as fast; `None` where none measured that.
    pub p50: Option<Duration>,
    /// 95 of 100 checks were at least as fast.
    pub p95: Option<Duration>,
}

/// How long the checks of a part of a window took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyRecord {
    /// When the part begins.
    pub at: Timestamp,
    /// Half of the checks were at least as fast.
    pub p50: Duration,
    /// 95 of 100 checks were at least as fast.
    pub p95: Duration,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The word used in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// The one that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == word)
    }

    /// How long it is.
    pub const fn span(self) -> Duration {
        match self {
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(7 * 24),
            Self::Month => Duration::from_hours(30 * 24),
            Self::Quarter => Duration::from_hours(90 * 24),
        }
    }

    /// How long the parts are into which latencies over it are summed up.
    pub const fn step(self) -> Duration {
        match self {
            Self::Day => Duration::from_mins(5),
            Self::Week | Self::Month => Duration::from_hours(1),
            Self::Quarter => Duration::from_hours(24),
        }
    }
}

/// Stands in where nothing is summed up.
pub(crate) struct NoFigures;

impl Figures for NoFigures {
    fn over(&self, _: &Part, _: Window, _: Timestamp) -> Found<'_, Sums> {
        Box::pin(async { Ok(Sums::default()) })
    }

    fn latencies(&self, _: &MonitorId, _: Window, _: Timestamp) -> Found<'_, Vec<LatencyRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn days(
        &self,
        _: &Part,
        _: Timestamp,
        _: Timestamp,
    ) -> Found<'_, Vec<(Timestamp, HealthSums)>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
