//! What the invented company sums up of its past.

use std::time::Duration;

use futures::future::ready;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::{HealthSums, Maintained};
use watchkeeper_web::{Figures, Found, LatencyRecord, Part, Sums, Window};

/// Figures by rule.
pub(crate) struct Invented;

const DAY: Duration = Duration::from_hours(24);

/// A day in which something was dead for `dead` seconds.
fn day(dead: u64) -> HealthSums {
    let mut sums = HealthSums::default();
    sums.record(Health::Dead, Maintained::No, dead * 1000);
    sums.record(Health::Healthy, Maintained::No, (86_400 - dead) * 1000);
    sums
}

impl Figures for Invented {
    fn over(&self, part: &Part, window: Window, _: Timestamp) -> Found<'_, Sums> {
        let (dead, p50) = match part {
            Part::Service(_) => (20, Some(Duration::from_millis(90))),
            Part::Monitor(id) if id.to_string() == "api/rest" => {
                (2_160, Some(Duration::from_millis(184)))
            }
            Part::Monitor(_) => (0, None),
        };
        let days = window.span().as_secs() / DAY.as_secs();
        let times = (0..days).map(|_| day(dead)).sum();
        Box::pin(ready(Ok(Sums {
            times,
            p50,
            p95: p50.map(|it| it * 3),
        })))
    }

    fn latencies(
        &self,
        monitor: &MonitorId,
        window: Window,
        now: Timestamp,
    ) -> Found<'_, Vec<LatencyRecord>> {
        let slow = if monitor.to_string() == "api/rest" {
            9
        } else {
            2
        };
        let steps = window.span().as_millis() / window.step().as_millis();
        let steps = u32::try_from(steps).unwrap_or(0);
        let records = (0..steps)
            // Nobody looked for a twelfth of the time.
            .filter(|index| !(steps / 3..steps / 3 + steps / 12).contains(index))
            .map(|index| {
                let wave = 40 + index % 17 + (index * 7) % 11;
                let late = if index > steps - steps / 12 {
                    wave * slow / 2
                } else {
                    wave
                };
                LatencyRecord {
                    at: now - window.step() * (steps - index),
                    p50: Duration::from_millis(u64::from(late)),
                    p95: Duration::from_millis(u64::from(late * 2 + index % 23)),
                }
            });
        Box::pin(ready(Ok(records.collect())))
    }

    fn days(
        &self,
        _: &Part,
        from: Timestamp,
        now: Timestamp,
    ) -> Found<'_, Vec<(Timestamp, HealthSums)>> {
        let known = now - DAY * 200;
        let mut days = Vec::new();
        let mut at = if known > from { known } else { from };
        let mut number = 0;
        while at <= now {
            let dead = if number % 41 == 3 { 3_000 } else { 0 };
            days.push((at, day(dead)));
            at = at + DAY;
            number += 1;
        }
        Box::pin(ready(Ok(days)))
    }
}
