//! Laws of silence: nobody is missed early, everybody is missed in time, and a
//! time in which nobody listened is held against nobody.

use std::time::Duration;

use proptest::prelude::*;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::passive::heartbeat::{Call, HeartbeatRules, HeartbeatState, Signal};
use watchkeeper_engine::passive::report::{Load, Report, ReportRules, ReportState, Said};
use watchkeeper_engine::passive::{Calendar, Gap, Rhythm};
use watchkeeper_engine::time::Timestamp;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap())
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn success() -> Call {
    Call {
        signal: Signal::Success,
        run: None,
        words: None,
    }
}

fn calendar(period: u64) -> Rhythm {
    Rhythm::At(Calendar::new("grid", move |after| {
        let after = u64::try_from(after.as_millis()).ok()?;
        Some(at((after / period + 1) * period))
    }))
}

proptest! {
    /// A replica that reports within its interval and the patience is never dead;
    /// one that stops is, at the very millisecond, whenever somebody looks.
    #[test]
    fn a_replica_is_missed_neither_early_nor_late(
        interval in 0_u64..100_000,
        dead_after in 1_u64..100_000,
        gaps in prop::collection::vec(0.0_f64..1.0, 1..30),
        late in 0_u64..1_000_000,
    ) {
        let rules = ReportRules {
            dead_after: millis(dead_after),
            sick_above: Load { cpu: 1.0, ram: 1.0 },
        };
        let report = || Report {
            interval: millis(interval),
            said: Said::Health(Verdict::Healthy),
        };
        let patience = interval + dead_after;
        let mut now = 0;
        let mut state = ReportState::hear(report(), at(now));
        for gap in gaps {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small number")]
            let gap = (patience as f64 * gap) as u64;
            now += gap.min(patience - 1);
            prop_assert_eq!(state.tick(&rules, at(now)), None);
            state = ReportState::hear(report(), at(now));
        }
        let due = now + patience;
        prop_assert_eq!(state.tick(&rules, at(due - 1)), None);
        let silence = state.tick(&rules, at(due + late)).unwrap();
        prop_assert_eq!((silence.at, silence.verdict()), (at(due), Some(Verdict::Dead)));
    }

    /// After a gap a replica has its whole time again, and no more.
    #[test]
    fn a_replica_that_could_not_be_heard_has_its_time_again(
        interval in 0_u64..100_000,
        dead_after in 1_u64..100_000,
        from in 0_u64..300_000,
        length in 0_u64..300_000,
    ) {
        let rules = ReportRules {
            dead_after: millis(dead_after),
            sick_above: Load { cpu: 1.0, ram: 1.0 },
        };
        let report = Report { interval: millis(interval), said: Said::Health(Verdict::Healthy) };
        let patience = interval + dead_after;
        let mut state = ReportState::hear(report, at(0));
        state.resume(&rules, Gap { from: at(from), to: at(from + length) });
        let expected = if from > patience { patience } else { from + length + patience };
        prop_assert_eq!(state.silent_at(&rules), Some(at(expected)));
    }

    /// A job that calls in time is never missed; one that stops is, at the very
    /// millisecond, whenever somebody looks.
    #[test]
    fn a_job_is_missed_neither_early_nor_late(
        period in 1_u64..100_000,
        grace in 1_u64..100_000,
        on_a_calendar in any::<bool>(),
        calls in prop::collection::vec(0_u64..200_000, 1..30),
        late in 0_u64..1_000_000,
    ) {
        let rhythm = if on_a_calendar { calendar(period) } else { Rhythm::Every(millis(period)) };
        let rules = HeartbeatRules { rhythm, grace: millis(grace) };
        let mut state = HeartbeatState::default();
        let mut now = 0;
        for call in calls {
            let readings = state.call(&rules, &success(), at(now));
            prop_assert_eq!(readings.len(), 1);
            prop_assert_eq!(readings[0].verdict(), Some(Verdict::Healthy));
            let due = u64::try_from(state.missed_at(&rules).unwrap().as_millis()).unwrap();
            prop_assert!(due > now + grace && due <= now + period + grace);
            now += call.min(due - now - 1);
        }
        state.call(&rules, &success(), at(now));
        let due = state.missed_at(&rules).unwrap();
        let before = Timestamp::from_millis(due.as_millis() - 1);
        prop_assert_eq!(state.tick(&rules, before), None);
        let missed = state.tick(&rules, due + millis(late)).unwrap();
        prop_assert_eq!((missed.at, missed.verdict()), (due, Some(Verdict::Dead)));
        prop_assert_eq!(state.missed_at(&rules), None);
    }

    /// A job that goes on calling as it always did is never missed, wherever the
    /// host was down meanwhile: what it said then is lost, and that is not held
    /// against it.
    #[test]
    fn a_host_that_was_down_misses_no_job_that_lives(
        period in 2_u64..10_000,
        grace in 1_u64..10_000,
        on_a_calendar in any::<bool>(),
        jitter in prop::collection::vec(0.0_f64..0.49, 60),
        down in prop::collection::vec((0_u64..200_000, 0_u64..30_000), 0..6),
    ) {
        let rhythm = if on_a_calendar { calendar(period) } else { Rhythm::Every(millis(period)) };
        let rules = HeartbeatRules { rhythm, grace: millis(grace) };
        // The job runs on a grid and calls some time after it, within its grace.
        let slack = grace.min(period);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small number")]
        let calls = jitter.iter().zip(1_u64..).map(|(share, slot)| slot * period + (slack as f64 * share) as u64);
        // Of gaps that overlap the later begins where the earlier ended.
        let mut gaps = down;
        gaps.sort_unstable();
        let mut events: Vec<(u64, Option<u64>)> = Vec::new();
        let mut up = 0;
        for (from, length) in gaps {
            let from = from.max(up);
            // After its last slot nobody calls any more.
            if from + length > 58 * period {
                break;
            }
            up = from + length;
            events.push((up, Some(from)));
        }
        let lost = |call: u64| events.iter().any(|(to, from)| from.is_some_and(|from| from <= call && call <= *to));
        let heard: Vec<_> = calls.filter(|call| !lost(*call)).map(|call| (call, None)).collect();
        events.extend(heard);
        events.sort_unstable();
        let mut state = HeartbeatState::default();
        for (now, event) in events {
            match event {
                None => {
                    for reading in state.call(&rules, &success(), at(now)) {
                        prop_assert_eq!(reading.verdict(), Some(Verdict::Healthy), "at {}", now);
                    }
                }
                Some(from) => {
                    prop_assert_eq!(state.tick(&rules, at(from)), None, "before the gap at {}", from);
                    state.resume(&rules, Gap { from: at(from), to: at(now) });
                }
            }
        }
    }

    /// A job that is dead is missed after a gap, within two periods and its grace.
    #[test]
    fn a_host_that_was_down_misses_a_job_that_is_dead(
        period in 1_u64..10_000,
        grace in 1_u64..10_000,
        on_a_calendar in any::<bool>(),
        from in 0_u64..50_000,
        length in 0_u64..50_000,
    ) {
        let rhythm = if on_a_calendar { calendar(period) } else { Rhythm::Every(millis(period)) };
        let rules = HeartbeatRules { rhythm, grace: millis(grace) };
        let mut state = HeartbeatState::default();
        state.call(&rules, &success(), at(0));
        let up = from + length;
        state.resume(&rules, Gap { from: at(from), to: at(up) });
        let missed = state.missed_at(&rules).unwrap();
        let skew = grace.min(60_000).max(period);
        prop_assert!(missed <= at(up.max(period) + period + skew + grace), "{:?}", missed);
    }
}
