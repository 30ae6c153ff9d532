//! How much of what is to be told becomes one notice.
//!
//! The first change on a route goes out at once. What follows within a window
//! after it is one notice, which lists all of it in order; and so again, until a
//! window passes in which nothing happens.

use std::time::Duration;

use crate::health::Health;
use crate::id::MonitorId;
use crate::telling::Occasion;
use crate::time::Timestamp;

/// The most lines that wait in one place. What comes beyond them is counted.
pub const MOST_WAITING: usize = 500;

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub monitor: MonitorId,
    /// When the outage that it belongs to began, for whoever is told.
    pub began: Timestamp,
    /// What the monitor was before; `None` where that is not known or no matter.
    pub previous: Option<Health>,
    /// What happened.
    pub occasion: Occasion,
}

/// Lines that are told together, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// At most [`MOST_WAITING`].
    pub lines: Vec<Line>,
    /// How many more there were.
    pub more: u32,
    /// How many notices it stands for that the receiver's rate did not allow; 0
    /// for one that is a notice of its own.
    pub folded: u32,
}

/// What waits for the end of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// When it ends; `None` if none is open.
    pub until: Option<Timestamp>,
    /// What goes out then.
    pub waiting: Bundle,
}

impl Window {
    /// Takes `lines`, which happened at `now`. Returns what goes out at once: all of
    /// it if no window is open, and then one opens that lasts for `wait`. Reminders
    /// open none.
    pub fn offer(&mut self, lines: Vec<Line>, now: Timestamp, wait: Duration) -> Option<Bundle> {
        if lines.is_empty() {
            return None;
        }
        self.waiting.add(lines);
        if self.is_open(now, wait) {
            return None;
        }
        Some(self.let_go(now, wait))
    }

    /// When what waits is to be released; `None` if nothing waits.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.until.filter(|_| !self.waiting.is_empty())
    }

    /// Returns what waits, if the window has ended; another one opens then, as in
    /// [`Self::offer`].
    pub fn release(&mut self, now: Timestamp, wait: Duration) -> Option<Bundle> {
        if self.waiting.is_empty() || self.is_open(now, wait) {
            return None;
        }
        Some(self.let_go(now, wait))
    }

    /// Whether something of `monitor` waits.
    pub fn holds(&self, monitor: &MonitorId) -> bool {
        let mut lines = self.waiting.lines.iter();
        lines.any(|line| line.monitor == *monitor)
    }

    /// A window that would end later than a new one belongs to a clock that has
    /// been set back, or to a rule that was changed.
    fn is_open(&self, now: Timestamp, wait: Duration) -> bool {
        self.until
            .is_some_and(|until| now < until && until.since(now) <= wait)
    }

    fn let_go(&mut self, now: Timestamp, wait: Duration) -> Bundle {
        // A change that follows a reminder is news: it waits for nobody.
        let is_news = |line: &Line| !matches!(line.occasion, Occasion::Reminder { .. });
        let opens = self.waiting.more > 0 || self.waiting.lines.iter().any(is_news);
        self.until = (opens && !wait.is_zero()).then(|| now + wait);
        std::mem::take(&mut self.waiting)
    }
}

impl Bundle {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.more == 0
    }

    /// Adds `lines`, each folded into what is there of the same monitor: see
    /// [`fold`].
    pub fn add(&mut self, lines: Vec<Line>) {
        for line in lines {
            let is_full = self.lines.len() >= MOST_WAITING;
            if !fold_into(&mut self.lines, line, is_full) {
                self.more = self.more.saturating_add(1);
            }
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        self.add(other.lines);
        self.more = self.more.saturating_add(other.more);
        self.folded = self.folded.saturating_add(other.folded);
    }
}

/// Makes as few lines as say what `lines` say: of one monitor, an outage and its
/// end are one line, an outage that gets worse is told at its worst, and a reminder
/// of what stands there anyway is left out. An end never comes before its
/// beginning.
pub fn fold(lines: Vec<Line>) -> Vec<Line> {
    let mut folded = Vec::with_capacity(lines.len());
    for line in lines {
        fold_into(&mut folded, line, false);
    }
    folded
}

/// Folds `line` into what is there; false if that needs a place and there is none.
fn fold_into(lines: &mut Vec<Line>, line: Line, is_full: bool) -> bool {
    let mut earlier = lines.iter_mut().rev();
    if let Some(known) = earlier.find(|known| known.monitor == line.monitor)
        && let Some(occasion) = both(&known.occasion, &line.occasion)
    {
        known.occasion = occasion;
        return true;
    }
    if !is_full {
        lines.push(line);
    }
    !is_full
}

/// The one occasion that says what two say one after the other; `None` if both have
/// to be told.
fn both(earlier: &Occasion, later: &Occasion) -> Option<Occasion> {
    use Occasion::{Escalated, Flapping, Outage, Passed, Recovered, Reminder};

    match (earlier, later) {
        (
            Outage { .. } | Flapping { .. } | Escalated { .. },
            Recovered {
                from,
                since,
                at,
                lasted,
            },
        ) => Some(Passed {
            from: *from,
            since: *since,
            at: *at,
            lasted: *lasted,
        }),
        (Outage { .. } | Escalated { .. }, Outage { .. } | Flapping { .. })
        | (Reminder { .. }, Outage { .. } | Flapping { .. } | Recovered { .. } | Reminder { .. }) => {
            Some(later.clone())
        }
        (Outage { .. } | Flapping { .. } | Escalated { .. }, Reminder { .. })
        | (Outage { .. } | Flapping { .. }, Escalated { .. }) => Some(earlier.clone()),
        _ => None,
    }
}
