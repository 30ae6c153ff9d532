//! The chart of a monitor's latencies, as a drawing.

use std::fmt::Write as _;
use std::time::Duration;

use watchkeeper_engine::time::Timestamp;

use crate::console::LatencyAt;

/// How wide the drawing is, and how high.
/// The template names them as well.
const WIDTH: u32 = 800;
const HEIGHT: u32 = 220;

/// Where the lines end: beside and below them stand the words of the axes.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;

/// How many spans may be missing before a line is interrupted.
const GAP: i64 = 3;

/// What is drawn.
pub(super) struct Chart {
    /// Each line's number, from zero, its target and its path.
    pub(super) lines: Vec<(usize, String, String)>,
    /// The path of what 95 of 100 checks stayed below, of the first target.
    pub(super) p95: String,
    /// Where the words beside the chart stand, and what they are.
    pub(super) rows: Vec<(String, String)>,
    /// Where the words below it stand, and when that is.
    pub(super) columns: Vec<(String, Timestamp)>,
    /// What it says to those who do not see it.
    pub(super) label: String,
}

impl Chart {
    /// The chart of `latencies` from `from` to `to`; `None` where there are none.
    pub(super) fn new(
        latencies: &[(String, Vec<LatencyAt>)],
        from: Timestamp,
        to: Timestamp,
    ) -> Option<Self> {
        let all = || latencies.iter().flat_map(|(_, points)| points);
        let top = all().map(|point| point.p95.max(point.median)).max()?;
        let top = nice(top);
        let span = (to.as_millis() - from.as_millis()).max(1);
        let x = |at: Timestamp| {
            let share = ratio(at.as_millis() - from.as_millis(), span).clamp(0.0, 1.0);
            LEFT + share * (f64::from(WIDTH) - LEFT - RIGHT)
        };
        let y = |latency: Duration| {
            let share = latency.as_secs_f64() / top.as_secs_f64();
            TOP + (1.0 - share.min(1.0)) * (f64::from(HEIGHT) - TOP - BOTTOM)
        };
        let path = |points: &[LatencyAt], of: fn(&LatencyAt) -> Duration| {
            let step = points
                .windows(2)
                .map(|pair| pair[1].at.as_millis() - pair[0].at.as_millis())
                .min()
                .unwrap_or(i64::MAX / GAP);
            let mut path = String::new();
            let mut before: Option<Timestamp> = None;
            for point in points {
                let follows = before
                    .is_some_and(|before| point.at.as_millis() - before.as_millis() <= step * GAP);
                let letter = if follows { 'L' } else { 'M' };
                // Writing into a `String` cannot fail.
                _ = write!(path, "{letter}{:.1} {:.1}", x(point.at), y(of(point)));
                if !follows {
                    // A point without neighbours is seen as well.
                    path.push_str("h.1");
                }
                before = Some(point.at);
            }
            path
        };
        let lines = latencies
            .iter()
            .enumerate()
            .map(|(number, (name, points))| {
                (number, name.clone(), path(points, |point| point.median))
            });
        let rows = (0..=4_u32).map(|row| {
            let latency = top * row / 4;
            (format!("{:.1}", y(latency)), spell(latency))
        });
        let columns = (0..=4).map(|column| {
            let at = Timestamp::from_millis(from.as_millis() + span * column / 4);
            (format!("{:.1}", x(at)), at)
        });
        let first = latencies.first().map_or(&[][..], |(_, points)| points);
        let last = all().max_by_key(|point| point.at)?;
        Some(Self {
            lines: lines.collect(),
            p95: path(first, |point| point.p95),
            rows: rows.collect(),
            columns: columns.collect(),
            label: format!(
                "Latency: lately {} in the median, {} for the slowest of twenty; at most {}",
                spell(last.median),
                spell(last.p95),
                spell(all().map(|point| point.p95).max()?)
            ),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share of a drawing is exact enough with 52 bits"
)]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

/// The next larger latency of one digit and zeros, of those whose quarters are short.
fn nice(latency: Duration) -> Duration {
    let millis = u64::try_from(latency.as_millis())
        .unwrap_or(u64::MAX / 10)
        .max(1);
    let mut unit = 1_u64;
    loop {
        for digit in [4, 8, 12, 20] {
            let edge = unit.saturating_mul(digit);
            if edge >= millis || edge == u64::MAX {
                return Duration::from_millis(edge);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A latency in words: `38 ms`, `1.2 s`.
pub(super) fn spell(latency: Duration) -> String {
    let millis = latency.as_millis();
    if millis < 10 && !latency.subsec_micros().is_multiple_of(1_000) {
        format!("{:.1} ms", latency.as_secs_f64() * 1e3)
    } else if millis < 1_000 {
        format!("{millis} ms")
    } else {
        format!("{:.1} s", latency.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, millis: u64) -> LatencyAt {
        LatencyAt {
            at: Timestamp::from_millis(at),
            median: Duration::from_millis(millis),
            p95: Duration::from_millis(2 * millis),
            p99: Duration::from_millis(3 * millis),
        }
    }

    #[test]
    fn edges_are_round() {
        for (millis, edge) in [
            (0, 4),
            (4, 4),
            (5, 8),
            (9, 12),
            (13, 20),
            (21, 40),
            (950, 1_200),
            (1_500, 2_000),
        ] {
            let found = nice(Duration::from_millis(millis));
            assert_eq!(found, Duration::from_millis(edge), "{millis}");
        }
        assert!(nice(Duration::MAX) > Duration::from_hours(1));
    }

    #[test]
    fn what_is_missing_is_not_drawn() {
        let times = [0, 1_000, 2_000, 9_000];
        let points = times.map(|at| point(at, 100)).to_vec();
        let latencies = [("a".to_owned(), points)];
        let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(10_000));
        let chart = Chart::new(&latencies, from, to).unwrap();
        assert_eq!(chart.lines[0].2.matches('M').count(), 2);
        assert_eq!(chart.rows.last().unwrap().1, "200 ms");
        assert!(Chart::new(&[], from, to).is_none());
        assert!(Chart::new(&[("a".to_owned(), Vec::new())], from, to).is_none());
        // One point, or a clock that stands still, is no reason to break down.
        let one = [("a".to_owned(), vec![point(0, 0)])];
        assert!(
            !Chart::new(&one, from, from).unwrap().lines[0]
                .2
                .contains("NaN")
        );
    }

    #[test]
    fn latencies_in_words() {
        for (micros, words) in [
            (380, "0.4 ms"),
            (2_000, "2 ms"),
            (38_400, "38 ms"),
            (1_234_000, "1.2 s"),
        ] {
            assert_eq!(spell(Duration::from_micros(micros)), words);
        }
    }
}
