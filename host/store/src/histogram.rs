//! Latencies, many in few bytes, such that two of them add up.

use std::time::Duration;

use crate::sqlite::varint::{Reader, put};

/// Below this, in microseconds, everything is one bucket.
const LOWEST: u64 = 100;
/// Sub-buckets of each doubling.
const SUBS: u8 = 4;
/// The bucket of everything at or above `LOWEST << DOUBLINGS` microseconds,
/// which is 419 s: longer than any check may take.
const LAST: u8 = 1 + DOUBLINGS * SUBS;
/// How often the range doubles.
const DOUBLINGS: u8 = 22;
/// The first byte of the encoding.
const FORMAT: u8 = 1;

/// How often latencies fell into which range: from 0.1 ms to 419 s, four ranges
/// to each doubling. Merging is associative and commutative, so hours can be
/// summed to days in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count, by bucket, without zeros: few of the 90 are ever used
    /// by one target.
    counts: Vec<(u8, u64)>,
    /// In microseconds, as are the next two.
    sum: u64,
    min: u64,
    max: u64,
}

impl Histogram {
    /// One without any latency.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one latency, to the microsecond.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.extend_bounds(micros, micros);
        self.sum = self.sum.saturating_add(micros);
        self.add(bucket(micros), 1);
    }

    /// Adds all latencies of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.extend_bounds(other.min, other.max);
        self.sum = self.sum.saturating_add(other.sum);
        for &(bucket, count) in &other.counts {
            self.add(bucket, count);
        }
    }

    /// How many latencies it holds.
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum: u64, &(_, count)| sum.saturating_add(count))
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The latency that the fraction `q` (0 to 1) of all latencies does not
    /// exceed; `None` if there are none.
    ///
    /// Between 0.1 ms and 419 s the answer is at most 12.5 % away from the
    /// exact one; below, at most 0.1 ms. It never lies outside of what was
    /// recorded.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank that is off by one in 2^53 is as good, and the clamp keeps it in range"
        )]
        let rank = ((q.clamp(0.0, 1.0) * total as f64).ceil() as u64).clamp(1, total);
        // The extremes are known exactly.
        if rank == 1 {
            return self.min();
        }
        if rank == total {
            return self.max();
        }
        let mut seen: u64 = 0;
        for &(bucket, count) in &self.counts {
            seen = seen.saturating_add(count);
            if seen >= rank {
                return Some(Duration::from_micros(
                    middle(bucket).clamp(self.min, self.max),
                ));
            }
        }
        self.max()
    }

    /// The mean of all latencies.
    pub fn mean(&self) -> Option<Duration> {
        self.sum
            .checked_div(self.count())
            .map(Duration::from_micros)
    }

    /// The shortest latency.
    pub fn min(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.min))
    }

    /// The longest latency.
    pub fn max(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.max))
    }

    /// Writes it as bytes: about 2 for each range in use, and 10.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put(&mut out, self.counts.len() as u64);
        for &(bucket, count) in &self.counts {
            out.push(bucket);
            put(&mut out, count);
        }
        for value in [self.sum, self.min, self.max] {
            put(&mut out, value);
        }
        out
    }

    /// Reads what [`Self::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != FORMAT {
            return None;
        }
        let length = reader.varint()?;
        let mut counts: Vec<(u8, u64)> = Vec::new();
        for _ in 0..length {
            let bucket = reader.byte()?;
            let in_order = counts.last().is_none_or(|&(last, _)| last < bucket);
            let count = reader.varint()?;
            if bucket > LAST || !in_order || count == 0 {
                return None;
            }
            counts.push((bucket, count));
        }
        let (sum, min, max) = (reader.varint()?, reader.varint()?, reader.varint()?);
        (reader.is_at_end() && min <= max).then_some(Self {
            counts,
            sum,
            min,
            max,
        })
    }

    fn add(&mut self, bucket: u8, count: u64) {
        match self
            .counts
            .binary_search_by_key(&bucket, |&(bucket, _)| bucket)
        {
            Ok(found) => {
                if let Some((_, sum)) = self.counts.get_mut(found) {
                    *sum = sum.saturating_add(count);
                }
            }
            Err(place) => self.counts.insert(place, (bucket, count)),
        }
    }

    fn extend_bounds(&mut self, min: u64, max: u64) {
        self.min = if self.is_empty() {
            min
        } else {
            self.min.min(min)
        };
        self.max = self.max.max(max);
    }
}

/// The bucket of a latency in microseconds.
fn bucket(micros: u64) -> u8 {
    let Some(doubling) = (micros / LOWEST).checked_ilog2() else {
        return 0;
    };
    if doubling >= u32::from(DOUBLINGS) {
        return LAST;
    }
    let base = LOWEST << doubling;
    let sub = (micros - base) * u64::from(SUBS) / base;
    u8::try_from(1 + u64::from(doubling) * u64::from(SUBS) + sub).unwrap_or(LAST)
}

/// The middle of a bucket, in microseconds.
fn middle(bucket: u8) -> u64 {
    if bucket == 0 {
        return LOWEST / 2;
    }
    if bucket >= LAST {
        return u64::MAX;
    }
    let (doubling, sub) = ((bucket - 1) / SUBS, (bucket - 1) % SUBS);
    let base = LOWEST << doubling;
    base + base * u64::from(2 * sub + 1) / u64::from(2 * SUBS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(micros: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        for &micros in micros {
            histogram.record(Duration::from_micros(micros));
        }
        histogram
    }

    fn merged(a: &Histogram, b: &Histogram) -> Histogram {
        let mut sum = a.clone();
        sum.merge(b);
        sum
    }

    fn latencies() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(
            prop_oneof![0..2_000_u64, 2_000..300_000_000_u64, any::<u64>()],
            0..200,
        )
    }

    proptest! {
        #[test]
        fn merging_is_associative_and_commutative(
            a in latencies(), b in latencies(), c in latencies()
        ) {
            let (a, b, c) = (of(&a), of(&b), of(&c));
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&a, &Histogram::new()), a);
        }

        #[test]
        fn merging_equals_recording_all(a in latencies(), b in latencies()) {
            let all: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged(&of(&a), &of(&b)), of(&all));
        }

        #[test]
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "numbers of the test are small"
        )]
        fn a_quantile_is_near_the_exact_one(
            mut micros in prop::collection::vec(0..300_000_000_u64, 1..300), q in 0.0..=1.0_f64
        ) {
            let estimate = of(&micros).quantile(q).unwrap().as_micros() as f64;
            micros.sort_unstable();
            let rank = ((q * micros.len() as f64).ceil() as usize).clamp(1, micros.len());
            let exact = micros[rank - 1] as f64;
            let bound = if exact < LOWEST as f64 { LOWEST as f64 } else { exact * 0.125 + 1.0 };
            prop_assert!((estimate - exact).abs() <= bound, "{estimate} for {exact}");
        }

        #[test]
        fn the_encoding_keeps_everything(micros in latencies()) {
            let histogram = of(&micros);
            prop_assert_eq!(Histogram::decode(&histogram.encode()), Some(histogram));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(histogram) = Histogram::decode(&bytes) {
                histogram.quantile(0.5);
            }
        }
    }

    #[test]
    fn an_empty_one_has_no_quantile() {
        assert_eq!(Histogram::new().quantile(0.5), None);
        assert_eq!(Histogram::new().mean(), None);
    }

    #[test]
    fn ten_thousand_alike_take_few_bytes() {
        assert!(of(&vec![50_000; 10_000]).encode().len() <= 16);
    }
}
