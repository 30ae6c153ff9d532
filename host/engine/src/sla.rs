//! How well a promise was kept: uptime against a target, the error budget, and
//! the figures that reports are made of.
//!
//! Everything is computed from time, never from counts of checks. Time that was
//! not judged (maintenance, no fresh reading, the host off) is on neither side,
//! and is said beside the result.

use std::fmt;
use std::time::Duration;

use crate::health::Health;
use crate::time::Timestamp;
use crate::uptime::{HealthSums, Uptime};

mod outages;
mod service;

pub use outages::{OutageFigures, Stretch, outages, stretches, union_millis};
pub use service::{PartOfService, of_service};

/// The share of time that was promised, in millionths: 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(u32);

/// Whether time in which something was sick breaks the promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SickCounts {
    /// Sick is up: only death breaks the promise.
    #[default]
    Up,
    /// Sick is down.
    Down,
}

/// What was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Level {
    /// How much of the judged time it is up.
    pub target: Target,
    /// What being sick means for it.
    pub sick: SickCounts,
}

/// A span of time and how much of it has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after. A window that ends before it begins is empty.
    pub to: Timestamp,
    /// What time it is. Past the end, all of it has passed.
    pub now: Timestamp,
}

/// How the time that may be lost stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What may be lost, in milliseconds: the promise's remainder of the time that
    /// was judged and of that which is still to come.
    pub total_ms: u64,
    /// What was lost, in milliseconds.
    pub used_ms: u64,
}

/// What became of a promise, or would have of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Of which time.
    pub window: Window,
    /// How long it had which health.
    pub time: HealthSums,
    /// Time that has passed and of which nothing is kept, in milliseconds.
    pub no_data_ms: u64,
    /// The share of the judged time in which it was not dead.
    pub uptime: Option<Uptime>,
    /// The share of the judged time in which it was healthy.
    pub availability: Option<Uptime>,
    /// What was promised.
    pub level: Option<Level>,
    /// The error budget, where there is a promise.
    pub budget: Option<Budget>,
    /// What the outages were like.
    pub outages: OutageFigures,
}

impl Target {
    /// All of the time.
    pub const ALWAYS: Self = Self(1_000_000);

    /// So many millionths; `None` unless that is from 1 to 1,000,000.
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        match millionths {
            1..=1_000_000 => Some(Self(millionths)),
            _ => None,
        }
    }

    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// As a ratio: 0 to 1.
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ALWAYS.0)
    }

    /// How much of `millis` may be lost, rounded down.
    pub fn allowance(self, millis: u64) -> u64 {
        let lost = u128::from(Self::ALWAYS.0 - self.0);
        u64::try_from(u128::from(millis) * lost / u128::from(Self::ALWAYS.0)).unwrap_or(millis)
    }
}

impl fmt::Display for Target {
    /// Percent without needless zeros and without the sign: `99.95`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{rest:04}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl SickCounts {
    /// The word for it: `up` or `down`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Whether `health` breaks the promise.
    pub const fn is_down(self, health: Health) -> bool {
        match health {
            Health::Dead => true,
            Health::Sick => matches!(self, Self::Down),
            Health::Healthy | Health::Unknown => false,
        }
    }
}

impl Window {
    /// Its length in milliseconds.
    pub fn length_ms(self) -> u64 {
        millis(self.to.since(self.from))
    }

    /// How much of it has passed, in milliseconds.
    pub fn elapsed_ms(self) -> u64 {
        millis(self.now.min(self.to).since(self.from))
    }

    /// How much of it is still to come, in milliseconds.
    pub fn remaining_ms(self) -> u64 {
        self.length_ms() - self.elapsed_ms()
    }

    /// Where what has passed of it ends.
    pub fn end(self) -> Timestamp {
        self.now.min(self.to).max(self.from)
    }
}

impl Budget {
    /// What is left, in milliseconds; less than nothing if it is overdrawn.
    pub fn left_ms(self) -> i64 {
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        signed(self.total_ms).saturating_sub(signed(self.used_ms))
    }

    /// Whether the promise is broken: whatever comes, the target is not met any
    /// more in this window.
    pub const fn is_overdrawn(self) -> bool {
        self.used_ms > self.total_ms
    }
}

impl Report {
    /// What `time` amounts to. `level` is what was promised; `outages` are those
    /// that touch what has passed of `window`, each once, in order.
    pub fn new(
        window: Window,
        time: HealthSums,
        level: Option<Level>,
        outages: &[Stretch],
    ) -> Self {
        let judged = judged_ms(&time);
        let covered = judged
            .saturating_add(time.unknown_ms)
            .saturating_add(time.maintenance_ms);
        let sick = level.map(|level| level.sick).unwrap_or_default();
        let down = down_ms(&time, sick);
        Self {
            window,
            no_data_ms: window.elapsed_ms().saturating_sub(covered),
            uptime: time.uptime(),
            availability: share(time.healthy_ms, judged),
            level,
            budget: level.map(|level| Budget {
                total_ms: level
                    .target
                    .allowance(judged.saturating_add(window.remaining_ms())),
                used_ms: down,
            }),
            outages: OutageFigures::of(outages, window, judged.saturating_sub(down)),
            time,
        }
    }

    /// The time that was judged, in milliseconds: what uptime is a share of.
    pub fn judged_ms(&self) -> u64 {
        judged_ms(&self.time)
    }

    /// The share of the judged time in which the promise was kept; without a
    /// promise, the uptime. `None` if no time was judged.
    pub fn kept(&self) -> Option<Uptime> {
        match self.level.map(|level| level.sick) {
            Some(SickCounts::Down) => self.availability,
            Some(SickCounts::Up) | None => self.uptime,
        }
    }

    /// Whether the target is met by what was judged so far; `None` without a
    /// promise or without judged time. Exact, where [`Self::kept`] is rounded.
    pub fn is_met(&self) -> Option<bool> {
        let (level, judged) = (self.level?, self.judged_ms());
        let down = down_ms(&self.time, level.sick);
        (judged > 0).then(|| down <= level.target.allowance(judged))
    }

    /// How fast the budget is used: 1 uses it up exactly at the end, 2 in half of
    /// the time. `None` without a promise, without judged time, or where nothing
    /// may be lost.
    pub fn burn_rate(&self) -> Option<f64> {
        let level = self.level?;
        let judged = self.judged_ms();
        if judged == 0 || level.target == Target::ALWAYS {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of centuries fit into the 53 bits of the fraction"
        )]
        let lost = down_ms(&self.time, level.sick) as f64 / judged as f64;
        Some(lost / (1.0 - level.target.ratio()))
    }
}

/// The time that was judged, in milliseconds.
pub fn judged_ms(time: &HealthSums) -> u64 {
    time.healthy_ms
        .saturating_add(time.sick_ms)
        .saturating_add(time.dead_ms)
}

/// The time that breaks a promise, in milliseconds.
pub const fn down_ms(time: &HealthSums, sick: SickCounts) -> u64 {
    match sick {
        SickCounts::Up => time.dead_ms,
        SickCounts::Down => time.dead_ms.saturating_add(time.sick_ms),
    }
}

/// `part` of `whole`, rounded down.
fn share(part: u64, whole: u64) -> Option<Uptime> {
    HealthSums {
        healthy_ms: part,
        dead_ms: whole.saturating_sub(part),
        ..HealthSums::default()
    }
    .uptime()
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    fn target(millionths: u32) -> Target {
        Target::from_millionths(millionths).unwrap()
    }

    fn level(millionths: u32, sick: SickCounts) -> Level {
        Level {
            target: target(millionths),
            sick,
        }
    }

    fn window(length: u64, elapsed: u64) -> Window {
        let at = |millis: u64| Timestamp::from_millis(i64::try_from(millis).unwrap());
        Window {
            from: at(0),
            to: at(length),
            now: at(elapsed),
        }
    }

    #[test]
    fn targets_are_written_as_people_write_them() {
        for (millionths, text) in [
            (1_000_000, "100"),
            (999_000, "99.9"),
            (999_500, "99.95"),
            (999_999, "99.9999"),
            (990_000, "99"),
            (1, "0.0001"),
        ] {
            assert_eq!(target(millionths).to_string(), text);
        }
        assert_eq!(Target::from_millionths(0), None);
        assert_eq!(Target::from_millionths(1_000_001), None);
    }

    #[test]
    fn three_nines_of_thirty_days_are_43_minutes() {
        let time = HealthSums {
            healthy_ms: 10 * DAY - HOUR / 2,
            dead_ms: HOUR / 2,
            ..HealthSums::default()
        };
        let report = Report::new(
            window(30 * DAY, 10 * DAY),
            time,
            Some(level(999_000, SickCounts::Up)),
            &[],
        );
        let budget = report.budget.unwrap();
        assert_eq!(budget.total_ms, 43 * 60_000 + 12_000);
        assert_eq!(budget.left_ms(), 13 * 60_000 + 12_000);
        assert!(!budget.is_overdrawn());
        // Half an hour of ten days is more than a thousandth: not met so far, but
        // it still can be.
        assert_eq!(report.is_met(), Some(false));
        let burn = report.burn_rate().unwrap();
        assert!((burn - 2.083).abs() < 0.001, "{burn}");
    }

    #[test]
    fn what_was_not_judged_is_on_neither_side_and_is_said() {
        let time = HealthSums {
            healthy_ms: 6 * HOUR,
            sick_ms: HOUR,
            dead_ms: HOUR,
            unknown_ms: 2 * HOUR,
            maintenance_ms: 4 * HOUR,
        };
        let report = Report::new(
            window(DAY, DAY),
            time,
            Some(level(990_000, SickCounts::Down)),
            &[],
        );
        assert_eq!(report.judged_ms(), 8 * HOUR);
        assert_eq!(report.no_data_ms, 10 * HOUR);
        assert_eq!(report.uptime.unwrap().to_string(), "87.50");
        assert_eq!(report.availability.unwrap().to_string(), "75.00");
        assert_eq!(report.kept(), report.availability);
        assert_eq!(report.budget.unwrap().used_ms, 2 * HOUR);
    }

    #[test]
    fn nothing_judged_says_nothing() {
        let report = Report::new(
            window(DAY, DAY),
            HealthSums::default(),
            Some(level(999_000, SickCounts::Up)),
            &[],
        );
        assert_eq!(report.kept(), None);
        assert_eq!(report.is_met(), None);
        assert_eq!(report.burn_rate(), None);
        assert!(!report.budget.unwrap().is_overdrawn());
    }

    fn sums() -> impl Strategy<Value = HealthSums> {
        let part = || prop_oneof![Just(0), 0..1000_u64, 0..DAY];
        (part(), part(), part()).prop_map(|(healthy_ms, sick_ms, dead_ms)| HealthSums {
            healthy_ms,
            sick_ms,
            dead_ms,
            ..HealthSums::default()
        })
    }

    fn any_level() -> impl Strategy<Value = Level> {
        (1..=1_000_000_u32, any::<bool>()).prop_map(|(millionths, strict)| Level {
            target: target(millionths),
            sick: if strict {
                SickCounts::Down
            } else {
                SickCounts::Up
            },
        })
    }

    proptest! {
        /// At its end a window is overdrawn exactly if the target was missed, by
        /// the fraction and not by the rounded percentage.
        #[test]
        fn overdrawn_at_the_end_is_missed(time in sums(), level in any_level()) {
            let length = judged_ms(&time);
            let report = Report::new(window(length, length), time, Some(level), &[]);
            let up = u128::from(length - down_ms(&time, level.sick)) * 1_000_000;
            let promised = u128::from(length) * u128::from(level.target.millionths());
            prop_assert_eq!(report.budget.unwrap().is_overdrawn(), up < promised);
            if length > 0 {
                prop_assert_eq!(report.is_met(), Some(up >= promised));
                let burnt = report.burn_rate().is_some_and(|rate| rate > 1.000_001);
                prop_assert!(!burnt || report.is_met() == Some(false));
            }
        }

        /// What is overdrawn stays so, whatever comes within the window.
        #[test]
        fn overdrawn_is_for_good(
            first in sums(), then in sums(), rest in 0..DAY, level in any_level()
        ) {
            let (before, after) = (judged_ms(&first), judged_ms(&then));
            let length = before + after + rest;
            let early = Report::new(window(length, before), first, Some(level), &[]);
            let late = Report::new(
                window(length, before + after), first + then, Some(level), &[],
            );
            if early.budget.unwrap().is_overdrawn() {
                prop_assert!(late.budget.unwrap().is_overdrawn());
            }
        }

        /// All that has passed is somewhere.
        #[test]
        fn time_adds_up(time in sums(), unknown_ms in 0..DAY, more in 0..DAY) {
            let time = HealthSums { unknown_ms, ..time };
            let elapsed = judged_ms(&time) + unknown_ms + more;
            let report = Report::new(window(elapsed, elapsed), time, None, &[]);
            prop_assert_eq!(report.judged_ms() + unknown_ms + report.no_data_ms, elapsed);
            prop_assert_eq!(report.availability <= report.uptime, true);
        }
    }
}
