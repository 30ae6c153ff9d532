//! What has been recorded since the last checkpoint, in memory.
//!
//! The database holds the sums up to the checkpoint and this holds what is to be
//! added to them, so that nothing is ever read back to be counted on. Only the
//! thread that writes `series.db` changes it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::time::Timestamp;

use super::block;
use crate::series::{Reading, Resolution, Span, Totals};
use crate::state::Subject;

/// The longest span, in milliseconds: a bound on how many buckets one sample
/// can touch.
const MAX_SPAN: i64 = 31 * 86_400_000;

/// A span that ends this long before what was accounted for, in milliseconds,
/// shows that the clock was far ahead then.
const MAX_STEP_BACK: i64 = 86_400_000;

/// The longest reason that is kept, in characters.
const MAX_REASON: usize = 500;

/// The memory of the file of readings.
#[derive(Default)]
pub(super) struct Live {
    /// Numbers of subjects.
    pub(super) keys: HashMap<Subject, i64>,
    /// What is to be added, by number of the subject.
    pub(super) open: BTreeMap<i64, Open>,
    /// How many readings wait to be packed.
    pub(super) readings: usize,
    /// The block of the first of them.
    pub(super) first_block: Option<i64>,
    /// The newest block of any of them.
    pub(super) newest_block: Option<i64>,
}

/// What is to be added for one subject.
#[derive(Default)]
pub(super) struct Open {
    /// Up to where time has been counted, in milliseconds.
    pub(super) accounted_until: Option<i64>,
    /// Sums by resolution and start of the bucket.
    pub(super) buckets: BTreeMap<(Resolution, Timestamp), Totals>,
    /// Readings by start of the block, in the order in which they came.
    pub(super) blocks: BTreeMap<i64, Vec<Reading>>,
}

impl Live {
    /// Takes a sample, [tidied](tidy), of the subject with the number `key`.
    pub(super) fn apply(&mut self, key: i64, reading: Option<&Reading>, span: Option<&Span>) {
        let open = self.open.entry(key).or_default();
        if let Some(reading) = reading {
            let start = block::start_of(reading.at);
            self.first_block.get_or_insert(start);
            self.newest_block = self.newest_block.max(Some(start));
            self.readings += 1;
            open.count(reading);
            open.blocks.entry(start).or_default().push(reading.clone());
        }
        if let Some(span) = span {
            open.account(span);
        }
    }

    /// Forgets what a checkpoint has written.
    pub(super) fn written(&mut self) {
        for open in self.open.values_mut() {
            open.buckets.clear();
            open.blocks.clear();
        }
        self.readings = 0;
        (self.first_block, self.newest_block) = (None, None);
    }

    /// Forgets readings that were not packed, to bound memory, and says how
    /// many. The sums stay.
    pub(super) fn drop_readings(&mut self) -> usize {
        for open in self.open.values_mut() {
            open.blocks.clear();
        }
        (self.first_block, self.newest_block) = (None, None);
        std::mem::take(&mut self.readings)
    }
}

impl Open {
    fn count(&mut self, reading: &Reading) {
        for resolution in Resolution::ALL {
            let totals = self
                .buckets
                .entry((resolution, resolution.bucket(reading.at)))
                .or_default();
            totals.count(reading.verdict, reading.latency);
        }
    }

    fn account(&mut self, span: &Span) {
        let end = span.to.as_millis();
        let mut from = span.from.as_millis().max(end.saturating_sub(MAX_SPAN));
        if let Some(until) = self.accounted_until
            && end >= until.saturating_sub(MAX_STEP_BACK)
        {
            from = from.max(until);
        }
        if from >= end {
            return;
        }
        self.accounted_until = Some(end);
        for resolution in Resolution::ALL {
            let mut at = from;
            while at < end {
                let start = resolution.bucket(Timestamp::from_millis(at));
                let next = (start + resolution.width())
                    .as_millis()
                    .min(end)
                    .max(at + 1);
                let millis = (next - at).unsigned_abs();
                let totals = self.buckets.entry((resolution, start)).or_default();
                totals.time.record(span.health, span.maintained, millis);
                at = next;
            }
        }
    }
}

/// A reading as it is kept: whole microseconds, and a reason of bounded length
/// only where there is something to explain.
pub(super) fn tidy(reading: Reading) -> Reading {
    let micros = |latency: Duration| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    Reading {
        latency: reading
            .latency
            .map(|latency| Duration::from_micros(micros(latency).min(i64::MAX.unsigned_abs()))),
        reason: reading
            .reason
            .filter(|_| reading.verdict != Some(Verdict::Healthy))
            .map(|reason| {
                if reason.chars().nth(MAX_REASON).is_some() {
                    reason.chars().take(MAX_REASON).collect::<String>().into()
                } else {
                    reason
                }
            }),
        ..reading
    }
}
