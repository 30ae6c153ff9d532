//! Samples as they are written at once, before they are packed: a batch of them
//! in one row, in the order in which they came.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;

use super::block::{verdict_code, verdict_of};
use super::varint::{Reader, put, put_bytes, put_signed};
use crate::series::{Reading, Span};

/// The first byte of a batch.
const FORMAT: u8 = 1;

const HAS_READING: u8 = 0b0000_0100;
const HAS_LATENCY: u8 = 0b0000_1000;
const HAS_REASON: u8 = 0b0001_0000;
const HAS_SPAN: u8 = 0b0010_0000;
const MAINTAINED: u8 = 0b0100_0000;

/// A sample, by the number of its subject.
pub(super) type Entry = (i64, Option<Reading>, Option<Span>);

/// A batch being written.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    count: usize,
}

impl Batch {
    /// How many samples it holds.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Adds a sample of the subject with the number `key`.
    pub(super) fn add(&mut self, key: i64, reading: Option<&Reading>, span: Option<&Span>) {
        if self.bytes.is_empty() {
            self.bytes.push(FORMAT);
        }
        self.count += 1;
        let mut flags = 0;
        if let Some(reading) = reading {
            flags |= HAS_READING | verdict_code(reading.verdict);
            if reading.latency.is_some() {
                flags |= HAS_LATENCY;
            }
            if reading.reason.is_some() {
                flags |= HAS_REASON;
            }
        }
        if let Some(span) = span {
            flags |= HAS_SPAN;
            if span.maintained == Maintained::Yes {
                flags |= MAINTAINED;
            }
        }
        let out = &mut self.bytes;
        out.push(flags);
        put_signed(out, key);
        if let Some(reading) = reading {
            put_signed(out, reading.at.as_millis());
            if let Some(latency) = reading.latency {
                put(out, u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
            }
            if let Some(reason) = &reading.reason {
                put_bytes(out, reason.as_bytes());
            }
        }
        if let Some(span) = span {
            put_signed(out, span.from.as_millis());
            put_signed(out, span.to.as_millis().wrapping_sub(span.from.as_millis()));
            out.push(health_code(span.health));
        }
    }

    /// The bytes, leaving an empty batch.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.count = 0;
        std::mem::take(&mut self.bytes)
    }
}

/// Every sample of a batch; `None` if it is damaged.
pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != FORMAT {
        return None;
    }
    let mut samples = Vec::new();
    while !reader.is_at_end() {
        let flags = reader.byte()?;
        let key = reader.signed()?;
        let reading = if flags & HAS_READING == 0 {
            None
        } else {
            let at = Timestamp::from_millis(reader.signed()?);
            let latency = if flags & HAS_LATENCY == 0 {
                None
            } else {
                Some(Duration::from_micros(reader.varint()?))
            };
            let reason: Option<Arc<str>> = if flags & HAS_REASON == 0 {
                None
            } else {
                Some(reader.text()?.into())
            };
            Some(Reading {
                at,
                verdict: verdict_of(flags),
                latency,
                reason,
            })
        };
        let span = if flags & HAS_SPAN == 0 {
            None
        } else {
            let from = reader.signed()?;
            let length = reader.signed()?;
            let health = health_of(reader.byte()?)?;
            let maintained = if flags & MAINTAINED == 0 {
                Maintained::No
            } else {
                Maintained::Yes
            };
            Some(Span {
                from: Timestamp::from_millis(from),
                to: Timestamp::from_millis(from.wrapping_add(length)),
                health,
                maintained,
            })
        };
        samples.push((key, reading, span));
    }
    Some(samples)
}

const fn health_code(health: Health) -> u8 {
    match health {
        Health::Healthy => 0,
        Health::Sick => 1,
        Health::Dead => 2,
        Health::Unknown => 3,
    }
}

fn health_of(code: u8) -> Option<Health> {
    Health::ALL
        .into_iter()
        .find(|health| health_code(*health) == code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading() -> impl Strategy<Value = Reading> {
        (
            any::<i64>(),
            0_u8..4,
            prop::option::of(any::<u64>()),
            prop::option::of(".{0,9}"),
        )
            .prop_map(|(at, verdict, latency, reason)| Reading {
                at: Timestamp::from_millis(at),
                verdict: verdict_of(verdict),
                latency: latency.map(Duration::from_micros),
                reason: reason.map(Into::into),
            })
    }

    fn span() -> impl Strategy<Value = Span> {
        (any::<i64>(), any::<i64>(), 0_u8..4, any::<bool>()).prop_map(
            |(from, to, health, maintained)| Span {
                from: Timestamp::from_millis(from),
                to: Timestamp::from_millis(to),
                health: health_of(health).unwrap(),
                maintained: if maintained {
                    Maintained::Yes
                } else {
                    Maintained::No
                },
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_added_is_read(
            samples in prop::collection::vec(
                (any::<i64>(), prop::option::of(reading()), prop::option::of(span())), 1..20
            )
        ) {
            let mut batch = Batch::default();
            for (key, reading, span) in &samples {
                batch.add(*key, reading.as_ref(), span.as_ref());
            }
            prop_assert_eq!(batch.len(), samples.len());
            prop_assert_eq!(unpack(&batch.take()), Some(samples));
            prop_assert_eq!(batch.len(), 0);
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            bytes.insert(0, FORMAT);
            unpack(&bytes);
        }
    }
}
