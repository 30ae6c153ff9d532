//! Latencies as two lines of a drawing. Its words stand beside it in the page, so
//! that they keep their size however wide the drawing is.

use std::fmt::Write as _;
use std::time::Duration;

use watchkeeper_engine::time::Timestamp;

use crate::figures::{LatencyRecord, Window};

/// The size of the drawing in its own units; the page stretches it.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 160.0;

/// The latencies of a window, made ready for the page.
pub(crate) struct Chart {
    /// Half of the checks were at least as fast.
    pub(crate) p50: String,
    /// 95 of 100 checks were.
    pub(crate) p95: String,
    /// What the top of the drawing stands for, in milliseconds.
    pub(crate) top_ms: u32,
    /// When the drawing begins, and the times that cut it into quarters.
    pub(crate) ticks: [Timestamp; 4],
}

impl Chart {
    /// Nothing where nothing was measured.
    pub(crate) fn of(records: &[LatencyRecord], window: Window, now: Timestamp) -> Option<Self> {
        let highest = records
            .iter()
            .map(|record| record.p95.max(record.p50))
            .max()?;
        let top_ms = round_up(highest);
        let from = now - window.span();
        let quarter = window.span() / 4;
        let scale = Scale {
            from,
            span_ms: window.span().as_secs_f64() * 1e3,
            top_ms: f64::from(top_ms),
            gap: window.step() * 2,
        };
        Some(Self {
            p50: scale.path(records, |record| record.p50),
            p95: scale.path(records, |record| record.p95),
            top_ms,
            ticks: [from, from + quarter, from + quarter * 2, from + quarter * 3],
        })
    }
}

struct Scale {
    from: Timestamp,
    span_ms: f64,
    top_ms: f64,
    /// Records farther apart than this have a gap between them.
    gap: Duration,
}

impl Scale {
    fn path(&self, records: &[LatencyRecord], pick: impl Fn(&LatencyRecord) -> Duration) -> String {
        let mut path = String::new();
        let mut last: Option<Timestamp> = None;
        for record in records {
            let apart = last.is_none_or(|last| record.at.since(last) > self.gap);
            let x = record.at.since(self.from).as_secs_f64() * 1e3 / self.span_ms * WIDTH;
            let share = pick(record).as_secs_f64() * 1e3 / self.top_ms;
            let y = HEIGHT - share.clamp(0.0, 1.0) * HEIGHT;
            let letter = if apart { 'M' } else { 'L' };
            // A line of no length is drawn as a dot, as its ends are round.
            let dot = if apart { "h0" } else { "" };
            write!(path, "{letter}{:.1} {y:.1}{dot}", x.clamp(0.0, WIDTH))
                .expect("a String takes all that is written to it");
            last = Some(record.at);
        }
        path
    }
}

/// The next of 1, 2, 5, 10, 20, 50 … milliseconds that is not below `highest`.
fn round_up(highest: Duration) -> u32 {
    let mut decade: u32 = 1;
    loop {
        for step in [1, 2, 5] {
            let top = decade.saturating_mul(step);
            if highest <= Duration::from_millis(u64::from(top)) || top == u32::MAX {
                return top;
            }
        }
        decade = decade.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: Timestamp, millis: u64) -> LatencyRecord {
        LatencyRecord {
            at,
            p50: Duration::from_millis(millis),
            p95: Duration::from_millis(millis * 2),
        }
    }

    #[test]
    fn a_gap_is_not_drawn_over() {
        let now = Timestamp::from_millis(86_400_000);
        let at = |minutes: u64| Timestamp::default() + Duration::from_mins(minutes);
        let records = [record(at(0), 25), record(at(5), 50), record(at(720), 50)];
        let chart = Chart::of(&records, Window::Day, now).unwrap();
        assert_eq!(chart.top_ms, 100);
        assert_eq!(chart.p50, "M0.0 120.0h0L3.1 80.0M450.0 80.0h0");
        assert_eq!(chart.p95, "M0.0 80.0h0L3.1 0.0M450.0 0.0h0");
        assert!(Chart::of(&[], Window::Day, now).is_none());
    }

    #[test]
    fn the_top_is_a_round_number() {
        let tops = [
            0,
            1,
            3,
            12,
            99,
            100,
            101,
            30_000,
            4_000_000_000,
            9_000_000_000,
        ];
        let tops = tops.map(|millis| round_up(Duration::from_millis(millis)));
        let expected = [1, 1, 5, 20, 100, 100, 200, 50_000, u32::MAX, u32::MAX];
        assert_eq!(tops, expected);
    }
}
