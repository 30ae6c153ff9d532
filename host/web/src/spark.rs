//! The small curve of latencies.

use std::fmt::Write as _;

/// How wide the drawing is.
const WIDTH: usize = 76;
/// The lowest line that a curve reaches, counted from above.
const FLOOR: f32 = 19.0;
/// How high a curve rises from there.
const RISE: f32 = 15.0;
/// The most points of a curve; more would not be seen.
const POINTS: usize = 26;
/// A curve rises to its full height only if its largest value is at least this
/// part larger than its smallest: noise should look like a flat line.
const FULL_RISE_FROM: f32 = 0.5;

/// A path in a drawing of 76 by 22; `None` for fewer than two values.
///
/// It begins and ends below the drawing, so that one path is both the line and
/// the area below it; what is outside is cut off.
pub(crate) fn path(latencies: &[Option<f32>]) -> Option<String> {
    let points = thinned(latencies);
    let known = || points.iter().flatten().copied();
    if known().count() < 2 {
        return None;
    }
    let lowest = known().fold(f32::INFINITY, f32::min);
    let highest = known().fold(f32::NEG_INFINITY, f32::max);
    let span = (highest - lowest)
        .max(lowest * FULL_RISE_FROM)
        .max(f32::MIN_POSITIVE);
    let height = |value: f32| FLOOR - (value - lowest) / span * RISE;

    let mut path = String::new();
    let mut within = false;
    for (index, point) in points.iter().enumerate() {
        let x = index * WIDTH / (points.len() - 1);
        let written = match (point, within) {
            (Some(value), true) => write!(path, "L{x} {:.0}", height(*value)),
            // The area begins one to the left, so that its edge is not drawn.
            (Some(value), false) if index == 0 => {
                write!(path, "M-2 24V{y:.0}H0", y = height(*value))
            }
            (Some(value), false) => write!(path, "M{x} 24V{:.0}", height(*value)),
            (None, true) => write!(path, "V24"),
            (None, false) => Ok(()),
        };
        written.expect("a String takes all that is written to it");
        within = point.is_some();
    }
    if within {
        path.push_str("h2V24");
    }
    Some(path)
}

/// At most [`POINTS`] values: each is the largest of its neighbours, so that a
/// peak is never lost. What is no number is a gap.
fn thinned(latencies: &[Option<f32>]) -> Vec<Option<f32>> {
    let clean = |value: &Option<f32>| value.filter(|value| value.is_finite() && *value >= 0.0);
    latencies
        .chunks(latencies.len().div_ceil(POINTS).max(1))
        .map(|chunk| chunk.iter().filter_map(clean).reduce(f32::max))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(latencies: &[f32], expected: &str) {
        let latencies: Vec<_> = latencies
            .iter()
            .map(|value| (*value >= 0.0).then_some(*value))
            .collect();
        assert_eq!(path(&latencies).unwrap_or_default(), expected);
    }

    #[test]
    fn curves() {
        check(&[], "");
        check(&[5.0], "");
        check(&[f32::NAN, f32::INFINITY, 5.0], "");
        check(&[5.0, 5.0], "M-2 24V19H0L76 19h2V24");
        check(&[10.0, 20.0, 40.0], "M-2 24V19H0L38 14L76 4h2V24");
        // A tenth more is not a peak.
        check(&[100.0, 110.0], "M-2 24V19H0L76 16h2V24");
        check(&[0.0, 0.0], "M-2 24V19H0L76 19h2V24");
    }

    #[test]
    fn gaps_are_not_bridged() {
        check(
            &[10.0, 20.0, -1.0, 20.0, 10.0],
            "M-2 24V19H0L19 4V24M57 24V4L76 19h2V24",
        );
        check(&[-1.0, 10.0, 20.0], "M38 24V19L76 4h2V24");
    }

    proptest! {
        #[test]
        fn within_the_drawing(latencies in prop::collection::vec(any::<Option<f32>>(), 0..300)) {
            if let Some(path) = path(&latencies) {
                prop_assert!(path.len() <= POINTS * 12 + 20, "{path}");
                prop_assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
            }
        }
    }
}
