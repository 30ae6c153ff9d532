//! The last ninety days of each monitor, in memory, so that the page is made
//! without a look into the database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::{HealthSums, Maintained};

/// How many days the page shows.
pub(crate) const DAYS: usize = 90;

/// How many of the latest latencies a sparkline shows.
pub(crate) const LATENCIES: usize = 40;

const DAY_MS: i64 = 86_400_000;

/// [`DAYS`] for arithmetic with days since the epoch.
const SHOWN: i64 = 90;

/// A day of one monitor. Days are UTC, as the store's are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Day {
    pub(crate) sums: HealthSums,
    /// Why it was not healthy, as far as it was told; the worst health's reason.
    pub(crate) why: Option<(Health, Arc<str>)>,
}

/// What the page shows of a monitor's past.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// The days, oldest first; the last one is `today`.
    days: VecDeque<Day>,
    /// Days since the epoch.
    today: i64,
    /// Latest latencies, oldest first.
    latencies: VecDeque<Duration>,
}

impl History {
    /// A past of which nothing is known.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            days: vec![Day::default(); DAYS].into(),
            today: day_of(now),
            latencies: VecDeque::with_capacity(LATENCIES),
        }
    }

    /// Adds what the store summed up for the day that `start` lies in.
    pub(crate) fn add_day(&mut self, start: Timestamp, sums: HealthSums) {
        if let Some(day) = self.day_mut(day_of(start)) {
            day.sums += sums;
        }
    }

    /// Adds time spent with one health, over midnights.
    pub(crate) fn add_span(
        &mut self,
        (from, to): (Timestamp, Timestamp),
        health: Health,
        maintained: Maintained,
    ) {
        self.roll(to);
        let mut from = from.as_millis().max((self.today + 1 - SHOWN) * DAY_MS);
        while from < to.as_millis() {
            let day = from.div_euclid(DAY_MS);
            let end = ((day + 1) * DAY_MS).min(to.as_millis());
            if let Some(day) = self.day_mut(day) {
                day.sums
                    .record(health, maintained, u64::try_from(end - from).unwrap_or(0));
            }
            from = end;
        }
    }

    /// Notes why it was not healthy. The worse health's reason stays.
    pub(crate) fn explain(&mut self, at: Timestamp, health: Health, reason: &Arc<str>) {
        self.roll(at);
        if let Some(day) = self.day_mut(day_of(at))
            && day.why.as_ref().is_none_or(|(known, _)| *known < health)
        {
            day.why = Some((health, Arc::clone(reason)));
        }
    }

    /// Notes a latency.
    pub(crate) fn add_latency(&mut self, latency: Duration) {
        if self.latencies.len() == LATENCIES {
            self.latencies.pop_front();
        }
        self.latencies.push_back(latency);
    }

    /// Begins the day that `now` lies in, if it is a new one.
    pub(crate) fn roll(&mut self, now: Timestamp) {
        let today = day_of(now);
        let passed = usize::try_from(today - self.today).unwrap_or(0).min(DAYS);
        for _ in 0..passed {
            self.days.pop_front();
            self.days.push_back(Day::default());
        }
        self.today = self.today.max(today);
    }

    /// The days, oldest first.
    pub(crate) fn days(&self) -> impl Iterator<Item = &Day> {
        self.days.iter()
    }

    /// The beginning of the first day.
    pub(crate) fn first_day(&self) -> Timestamp {
        Timestamp::from_millis((self.today + 1 - SHOWN) * DAY_MS)
    }

    /// The latest latencies, oldest first.
    pub(crate) fn latencies(&self) -> impl Iterator<Item = Duration> {
        self.latencies.iter().copied()
    }

    /// The median of the latest latencies.
    pub(crate) fn median_latency(&self) -> Option<Duration> {
        let mut sorted: Vec<_> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    fn day_mut(&mut self, day: i64) -> Option<&mut Day> {
        let age = usize::try_from(self.today - day).ok()?;
        self.days.get_mut((DAYS - 1).checked_sub(age)?)
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 20_000 * DAY_MS;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(START + hours * 3_600_000)
    }

    fn dead_hours(history: &History) -> Vec<u64> {
        history
            .days()
            .map(|day| day.sums.dead_ms / 3_600_000)
            .filter(|hours| *hours > 0)
            .collect()
    }

    #[test]
    fn a_span_over_midnights_is_cut_at_each() {
        let mut history = History::new(at(0));
        history.add_span((at(20), at(53)), Health::Dead, Maintained::No);
        assert_eq!(dead_hours(&history), [4, 24, 5]);
        assert_eq!(history.first_day(), at(24 * (3 - SHOWN)));
    }

    #[test]
    fn what_is_older_than_the_page_leaves_it() {
        let mut history = History::new(at(0));
        history.add_span((at(1), at(2)), Health::Dead, Maintained::No);
        history.roll(at(24 * 89));
        assert_eq!(dead_hours(&history), [1]);
        history.roll(at(24 * 90));
        assert_eq!(dead_hours(&history), [0; 0]);
        history.roll(at(24 * 100_000));
        history.add_span((at(0), at(24 * 100_000 + 1)), Health::Dead, Maintained::No);
        assert_eq!(dead_hours(&history).iter().sum::<u64>(), 89 * 24 + 1);
    }

    #[test]
    fn a_clock_set_back_loses_nothing() {
        let mut history = History::new(at(48));
        history.add_span((at(30), at(31)), Health::Dead, Maintained::No);
        history.roll(at(0));
        history.add_span((at(49), at(50)), Health::Dead, Maintained::No);
        assert_eq!(dead_hours(&history), [1, 1]);
    }

    #[test]
    fn the_worst_reason_of_a_day_is_kept() {
        let mut history = History::new(at(0));
        let said = |text: &str| Arc::<str>::from(text);
        history.explain(at(1), Health::Sick, &said("slow"));
        history.explain(at(2), Health::Dead, &said("refused"));
        history.explain(at(3), Health::Sick, &said("slow again"));
        let last = history.days().last().unwrap().why.clone();
        assert_eq!(last, Some((Health::Dead, said("refused"))));
    }

    #[test]
    fn the_median_is_of_the_latest() {
        let mut history = History::new(at(0));
        assert_eq!(history.median_latency(), None);
        for millis in 0..100 {
            history.add_latency(Duration::from_millis(millis));
        }
        assert_eq!(history.latencies().count(), LATENCIES);
        assert_eq!(history.median_latency(), Some(Duration::from_millis(80)));
    }
}
