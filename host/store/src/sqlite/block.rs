//! Readings of one target, packed: 4 to 8 bytes each where they come regularly.
//!
//! A block is a row of segments, so that a later part is added behind the
//! earlier. A segment is a format byte, its length, the number of readings, the
//! time of the first in milliseconds, the distinct reasons, and then for each
//! reading a byte of flags, how much the distance in time to the one before
//! differs from the last distance, the latency as a difference in microseconds,
//! and the number of the reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::time::Timestamp;

use super::varint::{Reader, put, put_bytes, put_signed};
use crate::series::Reading;

/// The first byte of a segment.
const FORMAT: u8 = 1;

const HAS_LATENCY: u8 = 0b0100;
const HAS_REASON: u8 = 0b1000;

/// How long one block is, in milliseconds.
pub(super) const WIDTH: i64 = 600_000;

/// The beginning of the block that `at` lies in.
pub(super) const fn start_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(WIDTH) * WIDTH
}

/// Adds `readings` behind what `block` holds.
pub(super) fn append(block: &mut Vec<u8>, readings: &[Reading]) {
    let Some(first) = readings.first() else {
        return;
    };
    let mut body = Vec::with_capacity(readings.len() * 8 + 16);
    put(&mut body, readings.len() as u64);
    put_signed(&mut body, first.at.as_millis());

    let mut numbers: HashMap<&str, u64> = HashMap::new();
    let mut reasons: Vec<&str> = Vec::new();
    for reason in readings
        .iter()
        .filter_map(|reading| reading.reason.as_deref())
    {
        numbers.entry(reason).or_insert_with(|| {
            reasons.push(reason);
            reasons.len() as u64 - 1
        });
    }
    put(&mut body, reasons.len() as u64);
    for reason in reasons {
        put_bytes(&mut body, reason.as_bytes());
    }

    let (mut at, mut distance, mut latency) = (first.at.as_millis(), 0_i64, 0_i64);
    for reading in readings {
        let reason = reading
            .reason
            .as_deref()
            .and_then(|reason| numbers.get(reason));
        let mut flags = verdict_code(reading.verdict);
        if reading.latency.is_some() {
            flags |= HAS_LATENCY;
        }
        if reason.is_some() {
            flags |= HAS_REASON;
        }
        body.push(flags);
        let next_distance = reading.at.as_millis().wrapping_sub(at);
        put_signed(&mut body, next_distance.wrapping_sub(distance));
        (at, distance) = (reading.at.as_millis(), next_distance);
        if let Some(value) = reading.latency {
            let value = i64::try_from(value.as_micros()).unwrap_or(i64::MAX);
            put_signed(&mut body, value.wrapping_sub(latency));
            latency = value;
        }
        if let Some(&number) = reason {
            put(&mut body, number);
        }
    }
    block.push(FORMAT);
    put_bytes(block, &body);
}

/// Every reading of a block; `None` if it is damaged.
pub(super) fn unpack(block: &[u8]) -> Option<Vec<Reading>> {
    let mut readings = Vec::new();
    let mut reader = Reader::new(block);
    while !reader.is_at_end() {
        if reader.byte()? != FORMAT {
            return None;
        }
        segment(reader.bytes()?, &mut readings)?;
    }
    Some(readings)
}

/// Two bits for a verdict or its absence.
pub(super) const fn verdict_code(verdict: Option<Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Healthy) => 0,
        Some(Verdict::Sick) => 1,
        Some(Verdict::Dead) => 2,
        None => 3,
    }
}

/// What the two lowest bits mean.
pub(super) const fn verdict_of(code: u8) -> Option<Verdict> {
    match code & 3 {
        0 => Some(Verdict::Healthy),
        1 => Some(Verdict::Sick),
        2 => Some(Verdict::Dead),
        _ => None,
    }
}

fn segment(body: &[u8], readings: &mut Vec<Reading>) -> Option<()> {
    let mut reader = Reader::new(body);
    let count = reader.varint()?;
    let mut at = reader.signed()?;
    let mut reasons: Vec<Arc<str>> = Vec::new();
    for _ in 0..reader.varint()? {
        reasons.push(reader.text()?.into());
    }
    let (mut distance, mut latency) = (0_i64, 0_i64);
    for _ in 0..count {
        let flags = reader.byte()?;
        distance = distance.wrapping_add(reader.signed()?);
        at = at.wrapping_add(distance);
        let taken = if flags & HAS_LATENCY == 0 {
            None
        } else {
            latency = latency.wrapping_add(reader.signed()?);
            Some(Duration::from_micros(u64::try_from(latency).ok()?))
        };
        let reason = if flags & HAS_REASON == 0 {
            None
        } else {
            let number = usize::try_from(reader.varint()?).ok()?;
            Some(Arc::clone(reasons.get(number)?))
        };
        readings.push(Reading {
            at: Timestamp::from_millis(at),
            verdict: verdict_of(flags),
            latency: taken,
            reason,
        });
    }
    reader.is_at_end().then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading() -> impl Strategy<Value = Reading> {
        (
            any::<i64>(),
            0_u8..4,
            prop::option::of(0..=i64::MAX.unsigned_abs()),
            prop::option::of("[a-c]{0,2}"),
        )
            .prop_map(|(at, verdict, latency, reason)| Reading {
                at: Timestamp::from_millis(at),
                verdict: verdict_of(verdict),
                latency: latency.map(Duration::from_micros),
                reason: reason.map(Into::into),
            })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            first in prop::collection::vec(reading(), 0..20),
            second in prop::collection::vec(reading(), 0..20)
        ) {
            let mut block = Vec::new();
            append(&mut block, &first);
            append(&mut block, &second);
            let both: Vec<_> = first.into_iter().chain(second).collect();
            prop_assert_eq!(unpack(&block), Some(both));
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            unpack(&bytes);
            // With a head that makes sense, so that the rest is reached.
            let mut block = vec![FORMAT];
            bytes.insert(0, 5);
            put_bytes(&mut block, &bytes);
            unpack(&block);
        }
    }
}
