//! Promises that were not kept.

use std::sync::Arc;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId, MonitorName, ServiceId};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::{HealthSums, Maintained};

use crate::histogram::Histogram;

/// The number of a breach, in the order in which they were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BreachId(pub i64);

/// A promise that was not kept in a period.
///
/// What it is about and its period make it what it is: committed again, it takes
/// the place of what was kept, and its number, when it was found and who has
/// taken note of it stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Whose promise.
    pub service: ServiceId,
    /// The monitor, if it is not that of the service as a whole.
    pub monitor: Option<MonitorName>,
    /// What the period is called.
    pub period: Arc<str>,
    /// When the period began.
    pub starts: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// When it was found.
    pub found: Timestamp,
    /// What was promised, in millionths of the time.
    pub target: u32,
    /// What it was when it was found, in hundredths of a percent.
    pub kept: u16,
    /// What might have been lost, in milliseconds.
    pub budget_ms: u64,
    /// What had been lost when it was found, in milliseconds.
    pub lost_ms: u64,
    /// The channels that were told.
    pub told: Vec<ChannelId>,
}

/// A breach as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachRow {
    /// Its number.
    pub id: BreachId,
    /// What was committed.
    pub breach: Breach,
    /// Who has taken note of it, and when.
    pub acknowledged: Option<(Arc<str>, Timestamp)>,
}

/// Which breaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreachQuery {
    /// Only those of this service and its monitors.
    pub service: Option<ServiceId>,
    /// Only those of which somebody has taken note, or nobody.
    pub acknowledged: Option<bool>,
    /// Only those found at this time or later.
    pub since: Option<Timestamp>,
    /// Only older ones than this: the cursor of the next page.
    pub before: Option<BreachId>,
    /// At most so many.
    pub limit: usize,
}

/// How a monitor was over some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorSums {
    /// How long it had which health.
    pub time: HealthSums,
    /// The checks of all of its targets that came to the verdict healthy, sick and
    /// dead, and those that came to none; zero where they were not asked for.
    pub checks: [u64; 4],
    /// The latencies of all of its targets; empty where they were not asked for.
    pub latency: Histogram,
}

/// Which health a monitor had from some moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorHealth {
    /// Whose.
    pub monitor: MonitorId,
    /// From when.
    pub at: Timestamp,
    /// Which one.
    pub health: Health,
    /// Whether maintenance covered the change.
    pub maintained: Maintained,
}
