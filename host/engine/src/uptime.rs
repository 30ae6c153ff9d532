//! What share of the time something worked.
//!
//! Only judged time counts: time without readings and maintenance belong neither
//! to the working nor to the failing side. Shares are rounded down, so that a
//! single failed check is never shown as 100 %.

use std::fmt;
use std::ops::{Add, AddAssign};

use crate::health::Health;

/// For how long something had which health, in milliseconds. The sum of a day may
/// be less than a day. Sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HealthSums {
    /// Healthy.
    pub healthy_ms: u64,
    /// Sick.
    pub sick_ms: u64,
    /// Dead.
    pub dead_ms: u64,
    /// Unknown: looked after, but without a fresh reading.
    pub unknown_ms: u64,
    /// Under maintenance, whatever its health was.
    pub maintenance_ms: u64,
}

/// A share of time in hundredths of a percent: 0 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uptime(u16);

/// Whether a span of time was under maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Maintained {
    /// It was: its health does not count.
    Yes,
    /// It was not.
    No,
}

impl HealthSums {
    /// Adds a span of `millis` milliseconds with the given health.
    pub fn record(&mut self, health: Health, maintained: Maintained, millis: u64) {
        let sum = match (maintained, health) {
            (Maintained::Yes, _) => &mut self.maintenance_ms,
            (Maintained::No, Health::Healthy) => &mut self.healthy_ms,
            (Maintained::No, Health::Unknown) => &mut self.unknown_ms,
            (Maintained::No, Health::Sick) => &mut self.sick_ms,
            (Maintained::No, Health::Dead) => &mut self.dead_ms,
        };
        *sum = sum.saturating_add(millis);
    }

    /// The share of the judged time in which it was not dead; `None` if no time
    /// was judged.
    pub fn uptime(&self) -> Option<Uptime> {
        let up = u128::from(self.healthy_ms) + u128::from(self.sick_ms);
        let judged = up + u128::from(self.dead_ms);
        // `up` is at most `judged`, so the quotient is at most 10,000.
        let share = (up * 10_000).checked_div(judged)?;
        Some(Uptime(u16::try_from(share).unwrap_or(Uptime::FULL.0)))
    }

    /// The worst health it was judged to have had; `None` if no time was judged.
    pub const fn worst(&self) -> Option<Health> {
        if self.dead_ms > 0 {
            Some(Health::Dead)
        } else if self.sick_ms > 0 {
            Some(Health::Sick)
        } else if self.healthy_ms > 0 {
            Some(Health::Healthy)
        } else {
            None
        }
    }
}

impl Uptime {
    /// Always up.
    pub const FULL: Self = Self(10_000);

    /// In hundredths of a percent: 0 to 10,000.
    pub const fn hundredths_of_percent(self) -> u16 {
        self.0
    }

    /// As a ratio: 0 to 1.
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / f64::from(Self::FULL.0)
    }
}

impl fmt::Display for Uptime {
    /// Percent with two decimals and without the sign: `99.98`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Add for HealthSums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            healthy_ms: self.healthy_ms.saturating_add(other.healthy_ms),
            sick_ms: self.sick_ms.saturating_add(other.sick_ms),
            dead_ms: self.dead_ms.saturating_add(other.dead_ms),
            unknown_ms: self.unknown_ms.saturating_add(other.unknown_ms),
            maintenance_ms: self.maintenance_ms.saturating_add(other.maintenance_ms),
        }
    }
}

impl AddAssign for HealthSums {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for HealthSums {
    fn sum<I: Iterator<Item = Self>>(days: I) -> Self {
        days.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `days` are `healthy sick dead unknown maintenance` in milliseconds,
    /// separated by commas; the answer is the uptime and the colour of each day.
    fn check(days: &str, expected: &str) {
        let days: Vec<HealthSums> = days
            .split(',')
            .map(|day| {
                let parts: Vec<u64> = day
                    .split_whitespace()
                    .map(|part| part.parse().unwrap())
                    .collect();
                HealthSums {
                    healthy_ms: parts[0],
                    sick_ms: parts[1],
                    dead_ms: parts[2],
                    unknown_ms: parts[3],
                    maintenance_ms: parts[4],
                }
            })
            .collect();
        let total: HealthSums = days.iter().copied().sum();
        let mut seen = total
            .uptime()
            .map_or_else(|| "none".to_owned(), |up| up.to_string());
        for day in &days {
            seen.push(' ');
            seen.push_str(day.worst().map_or("-", Health::as_str));
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn judged_time_only() {
        check("0 0 0 0 0", "none -");
        check("0 0 0 86400000 0", "none -");
        check("0 0 0 0 86400000", "none -");
        check("86400000 0 0 0 0", "100.00 healthy");
        check("0 86400000 0 0 0", "100.00 sick");
        check("0 0 1 0 0", "0.00 dead");
        check("43200000 0 0 43200000 0", "100.00 healthy");
        check("3000 0 1000 0 96000", "75.00 dead");
    }

    #[test]
    fn rounded_down() {
        check("86399999 0 1 0 0", "99.99 dead");
        check("2 0 1 0 0", "66.66 dead");
        check(
            "86400000 0 0 0 0, 86400000 0 0 0 0, 86390000 0 10000 0 0, 0 0 0 0 0",
            "99.99 healthy healthy dead -",
        );
    }

    #[test]
    fn spans_are_counted_where_they_belong() {
        let mut sums = HealthSums::default();
        sums.record(Health::Dead, Maintained::Yes, 5);
        sums.record(Health::Dead, Maintained::No, 1);
        sums.record(Health::Sick, Maintained::No, 2);
        sums.record(Health::Unknown, Maintained::No, 3);
        sums.record(Health::Healthy, Maintained::No, u64::MAX);
        sums.record(Health::Healthy, Maintained::No, 1);
        let expected = HealthSums {
            healthy_ms: u64::MAX,
            sick_ms: 2,
            dead_ms: 1,
            unknown_ms: 3,
            maintenance_ms: 5,
        };
        assert_eq!(sums, expected);
    }

    proptest! {
        #[test]
        fn full_only_without_dead_time(
            healthy_ms in any::<u64>(),
            sick_ms in any::<u64>(),
            dead_ms in any::<u64>(),
            unknown_ms in any::<u64>(),
        ) {
            let sums = HealthSums { healthy_ms, sick_ms, dead_ms, unknown_ms, maintenance_ms: 0 };
            prop_assert_eq!(sums.uptime().is_some(), sums.worst().is_some());
            if let Some(uptime) = sums.uptime() {
                prop_assert!(uptime <= Uptime::FULL);
                prop_assert_eq!(uptime == Uptime::FULL, dead_ms == 0);
            }
        }
    }
}
