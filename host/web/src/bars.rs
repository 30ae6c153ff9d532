//! The bars that show ninety days as at most six lines of a drawing.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::dates::{self, Minutes};
use crate::locale::{self, fill};
use crate::view::{DAYS, Day, DayState, MonitorView};
use crate::words::Shown;

/// The days of a monitor, made ready for the page.
pub(crate) struct Bars {
    /// The letter of each day where not all are operational.
    pub(crate) letters: Option<String>,
    /// For each state that occurs: its letter, and a path with a stroke a day.
    pub(crate) paths: Vec<(char, String)>,
    /// Whether every day was operational: the commonest case, which is drawn once
    /// for the whole page.
    pub(crate) spotless: bool,
    /// The days on which something was to be told, oldest first.
    pub(crate) events: Vec<Event>,
    /// What the drawing says to those who do not see it.
    pub(crate) label: String,
    /// The first day, as days since the epoch.
    pub(crate) first_day: i64,
}

/// A day on which something was to be told.
pub(crate) struct Event {
    /// Which of the days it is, counted from zero.
    pub(crate) index: usize,
    /// Its date, as days since the epoch.
    pub(crate) day: i64,
    pub(crate) shown: Shown,
    /// `Affected for 43 min`; empty where nothing is known.
    pub(crate) extent: String,
    pub(crate) why: Option<Arc<str>>,
}

impl Bars {
    pub(crate) fn new(monitor: &MonitorView) -> Self {
        let known = monitor.days.len();
        let days = monitor
            .days
            .get(known.saturating_sub(DAYS)..)
            .unwrap_or_default();
        let missing = DAYS - days.len();
        let shift = i64::try_from(known).unwrap_or(0) - i64::try_from(DAYS).unwrap_or(0);
        let first_day = dates::day_of(monitor.first_day).saturating_add(shift);

        let states = std::iter::repeat_n(DayState::NoData, missing)
            .chain(days.iter().map(|day| day.state))
            .map(Shown::from);
        let states: Vec<Shown> = states.collect();
        let spotless = states.iter().all(|state| *state == Shown::Operational);
        let paths = Shown::ALL
            .into_iter()
            .filter(|shown| !spotless && states.contains(shown))
            .map(|shown| (shown.letter(), path(&states, shown)))
            .collect();
        let events = days
            .iter()
            .enumerate()
            .filter(|(_, day)| !matches!(day.state, DayState::Healthy | DayState::NoData))
            .map(|(index, day)| Event::new(missing + index, first_day, day))
            .collect::<Vec<_>>();
        Self {
            letters: (!spotless).then(|| states.iter().map(|state| state.letter()).collect()),
            paths,
            spotless,
            label: label(monitor, events.len()),
            events,
            first_day,
        }
    }
}

impl Event {
    fn new(index: usize, first_day: i64, day: &Day) -> Self {
        let minutes = Minutes(day.affected_minutes.into()).to_string();
        let texts = locale::texts();
        Self {
            index,
            day: first_day.saturating_add(i64::try_from(index).unwrap_or(0)),
            shown: day.state.into(),
            extent: match (day.affected_minutes, day.state) {
                (0, _) => String::new(),
                (_, DayState::Maintenance) => fill(&texts.planned_for, &[("span", &minutes)]),
                _ => fill(&texts.affected_for, &[("span", &minutes)]),
            },
            why: day.why.clone(),
        }
    }
}

/// The path of a page on which every day was operational.
pub(crate) fn spotless_path() -> String {
    path(&[Shown::Operational; DAYS], Shown::Operational)
}

/// A stroke for each day that is `wanted`, in a drawing in which a day is ten
/// wide. Moves are relative, so that equal runs of days are equal text.
fn path(states: &[Shown], wanted: Shown) -> String {
    let mut path = String::new();
    let mut last = None;
    for (index, _) in states
        .iter()
        .enumerate()
        .filter(|(_, state)| **state == wanted)
    {
        let written = match last {
            None => write!(path, "M{} 4v28", index * 10 + 5),
            Some(last) => write!(path, "m{}-28v28", (index - last) * 10),
        };
        written.expect("a String takes all that is written to it");
        last = Some(index);
    }
    path
}

fn label(monitor: &MonitorView, events: usize) -> String {
    let label = &monitor.label;
    let (texts, days) = (locale::texts(), DAYS.to_string());
    let mut parts = vec![("monitor", &**label), ("days", days.as_str())];
    let share = monitor.uptime.map(|uptime| texts.share(uptime));
    let said = match &share {
        Some(share) => {
            parts.push(("uptime", share.as_str()));
            fill(&texts.bars, &parts)
        }
        None => fill(&texts.bars_unknown, &parts),
    };
    if events == 0 {
        said
    } else {
        format!("{said}, {}", texts.event_days.of(events))
    }
}

#[cfg(test)]
mod tests {
    use watchkeeper_engine::health::Health;
    use watchkeeper_engine::id::MonitorId;
    use watchkeeper_engine::time::Timestamp;
    use watchkeeper_engine::uptime::{HealthSums, Maintained};

    use super::*;

    fn day(letter: char) -> Day {
        let state = match letter {
            'u' => DayState::Healthy,
            'd' => DayState::Sick,
            'p' => DayState::Partial,
            'o' => DayState::Dead,
            'm' => DayState::Maintenance,
            _ => DayState::NoData,
        };
        Day {
            state,
            affected_minutes: 96,
            why: Some("refused".into()),
        }
    }

    /// `days` begin on the first day of 1970.
    fn bars(days: &str) -> Bars {
        let mut sums = HealthSums::default();
        sums.record(Health::Healthy, Maintained::No, 9999);
        sums.record(Health::Dead, Maintained::No, 1);
        Bars::new(&MonitorView {
            private: false,
            id: MonitorId::parse("api/rest").unwrap(),
            label: "REST API".into(),
            health: Health::Healthy,
            maintained: false,
            paused: false,
            since: None,
            latency_ms: None,
            spark: Vec::new(),
            days: days.chars().map(day).collect(),
            first_day: Timestamp::default(),
            uptime: sums.uptime(),
            excluded_minutes: 0,
            targets: Vec::new(),
        })
    }

    #[test]
    fn ninety_good_days_need_no_drawing_of_their_own() {
        let bars = bars(&"u".repeat(90));
        assert!(bars.spotless && bars.paths.is_empty() && bars.letters.is_none());
        assert_eq!(bars.label, "REST API: 99.99 % uptime over the last 90 days");
        assert_eq!(spotless_path().matches("v28").count(), 90);
        assert!(spotless_path().starts_with("M5 4v28m10-28v28m10-28v28"));
    }

    #[test]
    fn one_path_a_state() {
        let bars = bars(&format!("{}uodpumu", "u".repeat(83)));
        let drawn: Vec<_> = bars
            .paths
            .iter()
            .map(|(letter, path)| format!("{letter}{}", path.matches("v28").count()))
            .collect();
        assert_eq!(drawn, ["u86", "d1", "p1", "o1", "m1"]);
        assert_eq!(bars.paths[1].1, "M855 4v28");
        let events: Vec<_> = bars
            .events
            .iter()
            .map(|event| (event.index, event.shown.letter()))
            .collect();
        assert_eq!(events, [(84, 'o'), (85, 'd'), (86, 'p'), (88, 'm')]);
        assert_eq!(bars.events[0].extent, "Affected for 1 h 36 min");
        assert_eq!(bars.events[3].extent, "Planned for 1 h 36 min");
        assert!(bars.label.ends_with(", 4 days with an event"));
    }

    #[test]
    fn missing_days_are_days_without_data_and_surplus_ones_are_cut() {
        let short = bars("uo");
        assert_eq!(
            short.letters.as_deref(),
            Some(format!("{}uo", "n".repeat(88)).as_str())
        );
        assert_eq!(
            (short.first_day, short.events[0].index, short.events[0].day),
            (-88, 89, 1)
        );
        let long = bars(&format!("ooooo{}", "u".repeat(90)));
        assert!(long.spotless && long.events.is_empty());
        assert_eq!(long.first_day, 5);
        let none = bars("");
        assert_eq!((none.first_day, none.paths.len()), (-90, 1));
    }

    #[test]
    fn each_day_is_drawn_once() {
        for days in ["unodpm".repeat(15), "n".repeat(90), "uuo".repeat(30)] {
            let bars = bars(&days);
            let strokes: usize = bars
                .paths
                .iter()
                .map(|(_, path)| path.matches("v28").count())
                .sum();
            assert_eq!(strokes, 90);
            assert!(bars.paths.len() <= 6);
        }
    }
}
