//! When something was down, and what its outages were like.

use std::time::Duration;

use super::{SickCounts, Window};
use crate::health::Health;
use crate::time::Timestamp;
use crate::uptime::Maintained;

/// Time in a row in which something had one health that is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after; `None` while it goes on.
    pub to: Option<Timestamp>,
    /// The worst health in it.
    pub health: Health,
}

/// What the outages of a window were like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutageFigures {
    /// How many touch the window.
    pub count: u64,
    /// How many began in it.
    pub begun: u64,
    /// How many go on.
    pub ongoing: u64,
    /// The mean time to recovery: of the outages that ended in the window, each
    /// in its full length, wherever it began.
    pub mttr: Option<Duration>,
    /// The mean time between failures: the time that it was up over the number
    /// of outages that began.
    pub mtbf: Option<Duration>,
    /// The longest that touches the window, in its full length up to now.
    pub longest: Option<Duration>,
}

impl Stretch {
    /// How long it lasted, up to `now` if it goes on.
    pub fn lasted(&self, now: Timestamp) -> Duration {
        self.to.unwrap_or(now).since(self.from)
    }

    /// Whether any of it lies in what has passed of `window`.
    fn touches(&self, window: Window) -> bool {
        self.from < window.end() && self.to.is_none_or(|to| to > window.from)
    }
}

impl OutageFigures {
    /// Of `outages`, in order and apart from each other. `up_ms` is how long it
    /// was up in the window.
    pub(super) fn of(outages: &[Stretch], window: Window, up_ms: u64) -> Self {
        let mut figures = Self::default();
        let (mut repaired, mut ended) = (Duration::ZERO, 0_u32);
        for outage in outages.iter().filter(|outage| outage.touches(window)) {
            figures.count += 1;
            figures.begun += u64::from(outage.from >= window.from);
            let lasted = outage.lasted(window.end());
            match outage.to.filter(|to| *to <= window.end()) {
                Some(_) => {
                    repaired = repaired.saturating_add(lasted);
                    ended += 1;
                }
                None => figures.ongoing += 1,
            }
            figures.longest = figures.longest.max(Some(lasted));
        }
        figures.mttr = repaired.checked_div(ended);
        figures.mtbf = up_ms.checked_div(figures.begun).map(Duration::from_millis);
        figures
    }
}

/// The stretches that are not good in what one subject went through: the health
/// that it had from each moment on, in order. Healths under maintenance and
/// unknown ones end a stretch, as nobody knows how it went on.
pub fn stretches(
    healths: impl IntoIterator<Item = (Timestamp, Health, Maintained)>,
) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut open = false;
    for (at, health, maintained) in healths {
        let is_bad = matches!(health, Health::Sick | Health::Dead) && maintained == Maintained::No;
        if open && let Some(last) = found.last_mut() {
            if is_bad && last.health == health {
                continue;
            }
            // A clock that was set back must not make it negative.
            last.to = Some(at.max(last.from));
        }
        open = is_bad;
        if is_bad {
            found.push(Stretch {
                from: at,
                to: None,
                health,
            });
        }
    }
    found
}

/// The outages that `stretches`, of one subject or of many and in any order, make
/// together: what is down is joined where it overlaps or touches. In order.
pub fn outages(stretches: impl IntoIterator<Item = Stretch>, sick: SickCounts) -> Vec<Stretch> {
    let mut down: Vec<Stretch> = stretches
        .into_iter()
        .filter(|stretch| sick.is_down(stretch.health))
        .collect();
    down.sort_by_key(|stretch| stretch.from);
    let mut joined: Vec<Stretch> = Vec::new();
    for stretch in down {
        match joined.last_mut() {
            Some(last) if last.to.is_none_or(|to| to >= stretch.from) => {
                last.to = last.to.zip(stretch.to).map(|(a, b)| a.max(b));
                last.health = last.health.max(stretch.health);
            }
            _ => joined.push(stretch),
        }
    }
    joined
}

/// How much of what has passed of `window` lies in `joined`, which are apart from
/// each other, in milliseconds.
pub fn union_millis(joined: &[Stretch], window: Window) -> u64 {
    joined
        .iter()
        .map(|stretch| {
            let from = stretch.from.max(window.from);
            let to = stretch.to.unwrap_or(window.end()).min(window.end());
            super::millis(to.since(from))
        })
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn stretch(from: i64, to: Option<i64>, health: Health) -> Stretch {
        Stretch {
            from: at(from),
            to: to.map(at),
            health,
        }
    }

    fn window(from: i64, to: i64, now: i64) -> Window {
        Window {
            from: at(from),
            to: at(to),
            now: at(now),
        }
    }

    /// `told` are `seconds health`, separated by commas; a health with `*` is under
    /// maintenance. The answer are the outages, as `from-to`.
    fn check(told: &str, sick: SickCounts, expected: &str) {
        let healths = told.split(", ").map(|one| {
            let (secs, word) = one.split_once(' ').unwrap();
            let (word, maintained) = match word.strip_suffix('*') {
                Some(word) => (word, Maintained::Yes),
                None => (word, Maintained::No),
            };
            let health = Health::from_word(word).unwrap();
            (at(secs.parse().unwrap()), health, maintained)
        });
        let found = outages(stretches(healths), sick);
        let written: Vec<String> = found
            .iter()
            .map(|it| {
                let to = it
                    .to
                    .map_or_else(String::new, |to| to.as_secs().to_string());
                format!("{}-{to}", it.from.as_secs())
            })
            .collect();
        assert_eq!(written.join(" "), expected, "{told}");
    }

    #[test]
    fn outages_are_what_is_down_in_a_row() {
        check("0 healthy, 10 dead, 20 healthy", SickCounts::Up, "10-20");
        check("0 dead", SickCounts::Up, "0-");
        check(
            "0 sick, 10 dead, 20 sick, 30 healthy",
            SickCounts::Up,
            "10-20",
        );
        check(
            "0 sick, 10 dead, 20 sick, 30 healthy",
            SickCounts::Down,
            "0-30",
        );
        check("0 dead, 10 unknown, 20 dead", SickCounts::Up, "0-10 20-");
        check("0 dead*, 10 dead, 20 healthy", SickCounts::Up, "10-20");
        check("20 dead, 10 healthy", SickCounts::Up, "20-20");
    }

    #[test]
    fn figures_of_a_window() {
        let outages = [
            stretch(-50, Some(10), Health::Dead),
            stretch(20, Some(40), Health::Dead),
            stretch(90, None, Health::Dead),
        ];
        let figures = OutageFigures::of(&outages, window(0, 200, 100), 60_000);
        assert_eq!((figures.count, figures.begun, figures.ongoing), (3, 2, 1));
        assert_eq!(figures.mttr, Some(Duration::from_secs(40)));
        assert_eq!(figures.mtbf, Some(Duration::from_secs(30)));
        assert_eq!(figures.longest, Some(Duration::from_mins(1)));
        assert_eq!(union_millis(&outages, window(0, 200, 100)), 40_000);
        let none = OutageFigures::of(&outages[..1], window(10, 20, 20), 10_000);
        assert_eq!(none, OutageFigures::default());
    }

    proptest! {
        /// Joined outages are apart, in order, and as long as the seconds that any
        /// of the stretches covers.
        #[test]
        fn a_union_counts_each_moment_once(
            raw in prop::collection::vec((0..200_i64, 0..60_i64, any::<bool>()), 0..12)
        ) {
            let given: Vec<Stretch> = raw
                .iter()
                .map(|(from, length, dead)| {
                    let health = if *dead { Health::Dead } else { Health::Sick };
                    stretch(*from, Some(from + length), health)
                })
                .collect();
            let joined = outages(given.clone(), SickCounts::Down);
            for pair in joined.windows(2) {
                prop_assert!(pair[0].to.unwrap() < pair[1].from);
            }
            let covered = (0..300).filter(|second| {
                given.iter().any(|it| it.from <= at(*second) && at(*second) < it.to.unwrap())
            });
            let expected = 1000 * covered.count() as u64;
            prop_assert_eq!(union_millis(&joined, window(0, 300, 300)), expected);
        }
    }
}
