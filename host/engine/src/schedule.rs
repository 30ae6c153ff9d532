//! When a check is due.
//!
//! Each monitor has its own phase within its rhythm, taken from its identifier:
//! many monitors of one rhythm are spread evenly over it, a restart changes
//! nothing, and no list of other monitors is needed.

use std::time::Duration;

/// The shortest rhythm; a shorter one counts as this.
pub const MIN_EVERY: Duration = Duration::from_millis(1);

/// Where in its rhythm the thing called `id` is checked: at least zero and less
/// than `every`. The same for ever for the same arguments, on every machine.
pub fn phase(id: &str, every: Duration) -> Duration {
    let every = every.max(MIN_EVERY);
    // The high half of the product spreads a 64-bit hash evenly over the rhythm,
    // without the bias that a remainder has.
    Duration::from_nanos_u128(wide_product(
        every.as_nanos(),
        spread(fnv_1a(id.as_bytes())),
    ))
}

/// When the next check is due, counted like `now` from an origin that all
/// monitors share: the first time after `now` that is `phase` plus a multiple of
/// `every`. Slots that were missed are skipped; they are never made up for.
/// Saturates at [`Duration::MAX`].
pub fn next_due(phase: Duration, every: Duration, now: Duration) -> Duration {
    let every = every.max(MIN_EVERY).as_nanos();
    let phase = phase.as_nanos() % every;
    let now = now.as_nanos();
    let due = if now < phase {
        phase
    } else {
        now - (now - phase) % every + every
    };
    if due > Duration::MAX.as_nanos() {
        Duration::MAX
    } else {
        Duration::from_nanos_u128(due)
    }
}

/// `nanos * hash / 2^64`. `nanos` is below 2^94, so its halves are multiplied one
/// by one.
fn wide_product(nanos: u128, hash: u64) -> u128 {
    let hash = u128::from(hash);
    let (high, low) = (nanos >> 64, nanos & u128::from(u64::MAX));
    high * hash + ((low * hash) >> 64)
}

/// FNV-1a, 64 bits.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of `MurmurHash3`. FNV-1a alone leaves the high bits of short,
/// similar texts close to each other, and the phase is taken from the high bits.
const fn spread(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn fnv_1a_is_the_published_one() {
        // Test vectors of draft-eastlake-fnv.
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn no_thundering_herd() {
        const MONITORS: usize = 10_000;
        let every = 10 * SECOND;
        let window = 100_u128;
        let namings: [fn(usize) -> String; 5] = [
            |n| format!("service-{n}/http"),
            |n| format!("api/monitor-{n:05}"),
            |n| format!("{}/{}", n / 100, n % 100),
            |n| format!("s{n}/health:https://host-{n}.example.com/health"),
            |n| format!("site/m:10.0.{}.{}", n / 250, n % 250),
        ];
        for naming in namings {
            let mut phases: Vec<u128> = (0..MONITORS)
                .map(|n| phase(&naming(n), every).as_millis())
                .collect();
            phases.sort_unstable();
            // The rhythm is a circle: a window may reach over its end.
            let around: Vec<u128> = phases
                .iter()
                .copied()
                .chain(phases.iter().map(|at| at + 10_000))
                .collect();
            let most = (0..MONITORS)
                .map(|first| around.partition_point(|at| *at < phases[first] + window) - first)
                .max()
                .unwrap();
            assert!(
                most <= 150,
                "{} in one window of 100 ms, like {}",
                most,
                naming(1)
            );
        }
    }

    #[test]
    fn missed_slots_are_skipped() {
        for (phase, every, now, expected) in [
            (0, 10, 0, 10),
            (3, 10, 0, 3),
            (3, 10, 3, 13),
            (3, 10, 4, 13),
            (3, 10, 1000, 1003),
            (13, 10, 0, 3),
        ] {
            let due = next_due(phase * SECOND, every * SECOND, now * SECOND);
            assert_eq!(
                due,
                expected * SECOND,
                "phase {phase}, every {every}, now {now}"
            );
        }
    }

    prop_compose! {
        fn duration()(nanos in 0..=Duration::MAX.as_nanos(), shift in 0_u32..94) -> Duration {
            Duration::from_nanos_u128(nanos >> shift)
        }
    }

    proptest! {
        #[test]
        fn the_phase_is_within_the_rhythm(id in ".{0,80}", every in duration()) {
            prop_assert!(phase(&id, every) < every.max(MIN_EVERY));
        }

        #[test]
        fn spacing_is_exactly_the_rhythm(
            id in "[a-z0-9/-]{1,40}",
            every in 1_u64..1_000_000_000,
            now in 0_u64..1_000_000_000_000,
        ) {
            let every = Duration::from_micros(every).max(MIN_EVERY);
            let phase = phase(&id, every);
            let first = next_due(phase, every, Duration::from_micros(now));
            prop_assert!(first > Duration::from_micros(now));
            prop_assert!(first <= Duration::from_micros(now) + every);
            prop_assert_eq!(next_due(phase, every, first), first + every);
        }

        #[test]
        fn always_later_and_on_the_grid(
            phase in duration(),
            every in duration(),
            now in duration(),
        ) {
            let due = next_due(phase, every, now);
            prop_assert!(due > now || due == Duration::MAX);
            if due < Duration::MAX {
                let every = every.max(MIN_EVERY).as_nanos();
                prop_assert_eq!(due.as_nanos() % every, phase.as_nanos() % every);
            }
        }
    }
}
