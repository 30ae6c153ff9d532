//! When something is planned, and what it covers.
//!
//! Whether a maintenance covers a monitor is a function of its plan and the time,
//! so that a restart in the middle of one changes nothing.

use std::time::Duration;

use crate::id::{MonitorId, ServiceId};
use crate::passive::Calendar;
use crate::time::Timestamp;

/// A span of time: from its start on, and before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over; never before `from`.
    pub to: Timestamp,
}

/// When something is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Once.
    Once(Window),
    /// Again and again.
    Again {
        /// When it begins.
        calendar: Calendar,
        /// How long it takes each time; at least a millisecond.
        lasts: Duration,
        /// It begins no more at this time or later.
        until: Option<Timestamp>,
    },
}

/// A plan and what people did to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When it is planned.
    pub when: When,
    /// When people last said that it is done: what had begun by then is over since.
    pub ended: Option<Timestamp>,
    /// When people called it off: what had not ended by then does not take place,
    /// or no longer.
    pub cancelled: Option<Timestamp>,
}

/// What a maintenance covers. A monitor may be named by itself and by its service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// All monitors of these services.
    pub services: Vec<ServiceId>,
    /// Single monitors.
    pub monitors: Vec<MonitorId>,
}

/// How far a maintenance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It has not begun, or not again.
    Scheduled,
    /// It goes on.
    InProgress,
    /// It is over, and does not come again.
    Completed,
    /// It was called off.
    Cancelled,
}

impl Window {
    /// The span of `lasts` from `from` on.
    pub fn new(from: Timestamp, lasts: Duration) -> Self {
        Self {
            from,
            to: from + lasts,
        }
    }

    /// Whether `at` lies in it.
    pub fn includes(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

impl Plan {
    /// A plan to which nobody has done anything yet.
    pub const fn new(when: When) -> Self {
        Self {
            when,
            ended: None,
            cancelled: None,
        }
    }

    /// The window that goes on at `now`, else the next one; `None` if none is left.
    pub fn window(&self, now: Timestamp) -> Option<Window> {
        match &self.when {
            When::Once(window) => self.kept(*window).filter(|window| now < window.to),
            When::Again { .. } => self.windows(now).next(),
        }
    }

    /// The windows that are not over at `after`, in order. Those again and again
    /// may go on for ever.
    pub fn windows(&self, after: Timestamp) -> impl Iterator<Item = Window> + '_ {
        let (once, again) = match &self.when {
            When::Once(window) => (Some(*window), None),
            When::Again {
                calendar,
                lasts,
                until,
            } => (None, Some((calendar, *lasts, *until))),
        };
        let starts = again.into_iter().flat_map(move |(calendar, lasts, until)| {
            // What began just after `after - lasts` is the first that is not over.
            let first = calendar.next(after - lasts);
            std::iter::successors(first, move |start| calendar.next(*start))
                .take_while(move |start| until.is_none_or(|until| *start < until))
                // Nothing begins any more once it was called off.
                .take_while(move |start| self.cancelled.is_none_or(|at| *start < at))
                .map(move |start| Window::new(start, lasts))
        });
        once.into_iter()
            .chain(starts)
            .filter_map(|window| self.kept(window))
            .filter(move |window| after < window.to)
    }

    /// How far it is.
    pub fn phase(&self, now: Timestamp) -> Phase {
        match self.window(now) {
            Some(window) if window.includes(now) => Phase::InProgress,
            Some(_) => Phase::Scheduled,
            None if self.is_called_off() => Phase::Cancelled,
            None => Phase::Completed,
        }
    }

    /// When the phase next becomes another one, or a window gives way to the next;
    /// `None` for never again. Later than `now`.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        let window = self.window(now)?;
        Some(if now < window.from {
            window.from
        } else {
            window.to
        })
    }

    /// What is left of a window after what people did.
    fn kept(&self, window: Window) -> Option<Window> {
        let cut = |to: Timestamp, at: Option<Timestamp>| match at {
            Some(at) if window.from <= at => to.min(at),
            _ => to,
        };
        let is_off = self.cancelled.is_some_and(|at| at <= window.from);
        let to = cut(cut(window.to, self.ended), self.cancelled);
        (!is_off && window.from < to).then_some(Window { to, ..window })
    }

    /// Whether anything that was planned did not take place, or not to its end.
    fn is_called_off(&self) -> bool {
        match (&self.when, self.cancelled) {
            (_, None) => false,
            (When::Once(window), Some(at)) => {
                at < self.ended.map_or(window.to, |it| window.to.min(it))
            }
            (When::Again { .. }, Some(_)) => true,
        }
    }
}

impl Scope {
    /// Whether it covers `monitor`.
    pub fn covers(&self, monitor: &MonitorId) -> bool {
        self.services.contains(monitor.service()) || self.monitors.contains(monitor)
    }

    /// Whether it covers nothing.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.monitors.is_empty()
    }

    /// Whether it covers the service or something of it.
    pub fn touches(&self, service: &ServiceId) -> bool {
        self.services.contains(service) || self.monitors.iter().any(|it| it.service() == service)
    }
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 4] = [
        Self::Scheduled,
        Self::InProgress,
        Self::Completed,
        Self::Cancelled,
    ];

    /// The word used in the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The phase that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == word)
    }

    /// Whether something of it is still to come, or goes on.
    pub const fn is_ahead(self) -> bool {
        matches!(self, Self::Scheduled | Self::InProgress)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * HOUR)
    }

    fn once(from: i64, to: i64) -> Plan {
        Plan::new(When::Once(Window {
            from: at(from),
            to: at(to),
        }))
    }

    /// Every day at midnight, for two hours.
    fn nightly() -> Plan {
        Plan::new(When::Again {
            calendar: Calendar::new("nightly", |after| {
                let day = after.as_millis().div_euclid(24 * HOUR) + 1;
                Some(at(day * 24))
            }),
            lasts: Duration::from_hours(2),
            until: None,
        })
    }

    /// At each hour: the phase, and the window as `from-to`.
    fn check(plan: &Plan, expected: &[(i64, &str)]) {
        for (hour, expected) in expected {
            let shown = plan.window(at(*hour)).map_or_else(
                || "-".to_owned(),
                |it| {
                    format!(
                        "{}-{}",
                        it.from.as_millis() / HOUR,
                        it.to.as_millis() / HOUR
                    )
                },
            );
            let phase = plan.phase(at(*hour)).as_str();
            assert_eq!(format!("{phase} {shown}"), *expected, "at {hour}");
        }
    }

    #[test]
    fn one_that_comes_once() {
        let plan = once(10, 14);
        check(
            &plan,
            &[
                (9, "scheduled 10-14"),
                (10, "in-progress 10-14"),
                (13, "in-progress 10-14"),
                (14, "completed -"),
            ],
        );
        assert_eq!(plan.next_turn(at(9)), Some(at(10)));
        assert_eq!(plan.next_turn(at(10)), Some(at(14)));
        assert_eq!(plan.next_turn(at(14)), None);
    }

    #[test]
    fn one_that_is_done_early_or_called_off() {
        let early = Plan {
            ended: Some(at(12)),
            ..once(10, 14)
        };
        check(
            &early,
            &[
                (11, "in-progress 10-12"),
                (12, "completed -"),
                (13, "completed -"),
            ],
        );
        let off = |hour| Plan {
            cancelled: Some(at(hour)),
            ..once(10, 14)
        };
        check(&off(5), &[(9, "cancelled -"), (11, "cancelled -")]);
        check(&off(12), &[(11, "in-progress 10-12"), (13, "cancelled -")]);
        check(&off(14), &[(13, "in-progress 10-14"), (15, "completed -")]);
    }

    #[test]
    fn one_that_comes_again_and_again() {
        check(
            &nightly(),
            &[
                (5, "scheduled 24-26"),
                (24, "in-progress 24-26"),
                (25, "in-progress 24-26"),
                (26, "scheduled 48-50"),
            ],
        );
        let until = Plan::new(match nightly().when {
            When::Again {
                calendar, lasts, ..
            } => When::Again {
                calendar,
                lasts,
                until: Some(at(48)),
            },
            once @ When::Once(_) => once,
        });
        check(&until, &[(25, "in-progress 24-26"), (26, "completed -")]);
        let early = Plan {
            ended: Some(at(25)),
            ..nightly()
        };
        check(
            &early,
            &[
                (24, "in-progress 24-25"),
                (25, "scheduled 48-50"),
                (49, "in-progress 48-50"),
            ],
        );
        let off = Plan {
            cancelled: Some(at(49)),
            ..nightly()
        };
        check(&off, &[(48, "in-progress 48-49"), (49, "cancelled -")]);
    }

    #[test]
    fn what_is_covered() {
        let monitor = |id: &str| MonitorId::parse(id).unwrap();
        let scope = Scope {
            services: vec![ServiceId::new("api").unwrap()],
            monitors: vec![monitor("web/front")],
        };
        assert!(scope.covers(&monitor("api/any")) && scope.covers(&monitor("web/front")));
        assert!(!scope.covers(&monitor("web/back")));
        assert!(scope.touches(&ServiceId::new("web").unwrap()));
        assert!(!scope.touches(&ServiceId::new("mail").unwrap()));
        assert!(Scope::default().is_empty() && !scope.is_empty());
    }

    proptest! {
        /// However it is cut, a window never grows, and a turn is always later.
        #[test]
        fn turns_come_later_and_change_something(
            now in 0_i64..200,
            ended in proptest::option::of(0_i64..200),
            cancelled in proptest::option::of(0_i64..200),
            is_once in any::<bool>(),
        ) {
            let plan = Plan {
                ended: ended.map(at),
                cancelled: cancelled.map(at),
                ..if is_once { once(50, 90) } else { nightly() }
            };
            let now = at(now);
            if let Some(turn) = plan.next_turn(now) {
                prop_assert!(turn > now);
                let before = Timestamp::from_millis(turn.as_millis() - 1);
                prop_assert_eq!(plan.phase(now), plan.phase(before));
                let stands = |at| (plan.phase(at), plan.window(at));
                prop_assert_ne!(stands(before), stands(turn));
            }
            if let Some(window) = plan.window(now) {
                prop_assert!(window.from < window.to && now < window.to);
            }
        }
    }
}
