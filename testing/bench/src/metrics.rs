//! What the host counts of itself, as read from `/metrics`.

/// One reading of all metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    text: String,
}

/// The upper bounds of a histogram's buckets, and how many were at or below each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Buckets(Vec<(f64, f64)>);

impl Metrics {
    /// Of the OpenMetrics text format.
    pub(crate) const fn new(text: String) -> Self {
        Self { text }
    }

    /// The sum of all series of this name whose labels contain `label`.
    pub(crate) fn sum(&self, name: &str, label: &str) -> f64 {
        self.series(name)
            .filter(|(labels, _)| labels.contains(label))
            .map(|(_, value)| value)
            .sum()
    }

    /// The buckets of a histogram without labels.
    pub(crate) fn buckets(&self, name: &str) -> Buckets {
        let series = format!("{name}_bucket");
        let buckets = self.series(&series).filter_map(|(labels, count)| {
            let bound = labels.strip_prefix("le=\"")?.strip_suffix('"')?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().ok()?
            };
            Some((bound, count))
        });
        Buckets(buckets.collect())
    }

    fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.text.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(rest) => rest.rsplit_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            // An exemplar or a time may follow.
            Some((labels, value.split(' ').next()?.parse().ok()?))
        })
    }
}

impl Buckets {
    /// What was counted since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| {
            let same = |other: &&(f64, f64)| other.0.total_cmp(&bound).is_eq();
            earlier.0.iter().find(same).map_or(0.0, |(_, count)| *count)
        };
        Self(
            self.0
                .iter()
                .map(|(bound, count)| (*bound, count - before(*bound)))
                .collect(),
        )
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> f64 {
        self.0.last().map_or(0.0, |(_, count)| *count)
    }

    /// How many were above `bound`, which should be a bucket's.
    pub(crate) fn above(&self, bound: f64) -> f64 {
        let below = self.0.iter().filter(|(upper, _)| *upper <= bound);
        self.count() - below.map(|(_, count)| *count).fold(0.0, f64::max)
    }

    /// The value below which this share of all is, spread evenly over its bucket.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = self.count() * share;
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in &self.0 {
            if *count >= wanted && *count > below {
                // The last bucket has no end: nothing is known but its beginning.
                return if bound.is_finite() {
                    low + (bound - low) * (wanted - below) / (count - below)
                } else {
                    low
                };
            }
            (low, below) = (*bound, *count);
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# TYPE w_checks counter
w_checks_total{plugin=\"http\",outcome=\"healthy\"} 7
w_checks_total{plugin=\"http\",outcome=\"dead\"} 2
w_checks_skipped_total 3
w_late_seconds_bucket{le=\"0.001\"} 90
w_late_seconds_bucket{le=\"0.002\"} 100
w_late_seconds_bucket{le=\"+Inf\"} 100
";

    fn assert_same(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn reads_sums_and_buckets() {
        let metrics = Metrics::new(TEXT.to_owned());
        assert_same(metrics.sum("w_checks_total", ""), 9.0);
        assert_same(metrics.sum("w_checks_total", "outcome=\"dead\""), 2.0);
        assert_same(metrics.sum("w_checks_skipped_total", ""), 3.0);
        let late = metrics.buckets("w_late_seconds");
        assert_same(late.count(), 100.0);
        assert_same(late.above(0.001), 10.0);
        assert_same(late.above(0.002), 0.0);
        assert_same(late.quantile(0.95), 0.0015);
        assert_same(late.since(&late).count(), 0.0);
        assert_eq!(late.since(&Buckets::default()), late);
    }
}
