//! Checks in, waits and a reading out.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::reading::Fault;
use crate::time::Timestamp;

/// `plan` is `retries wait_ms attempts spacing_ms`; `given` lists what each
/// check finds, as `health`, `health@latency_ms` or a fault. The answer lists
/// the waits and the reading.
fn check(plan: &str, given: &str, expected: &str) {
    let numbers: Vec<u32> = plan
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let millis = |number: u32| Duration::from_millis(number.into());
    let plan = Plan {
        retry: Retry {
            times: numbers[0],
            wait: millis(numbers[1]),
        },
        attempts: Attempts {
            times: numbers[2],
            spacing: millis(numbers[3]),
        },
    };
    let mut seen = Vec::new();
    let mut so_far = Vec::new();
    let mut checks = given.split_whitespace().enumerate();
    loop {
        match next(&plan, &so_far) {
            Next::Again { after } => {
                let Some((index, word)) = checks.next() else {
                    seen.push("more".to_owned());
                    break;
                };
                seen.push(after.as_millis().to_string());
                so_far.push(reading(index, word));
            }
            Next::Done(reading) => {
                let word = match &reading.outcome {
                    Outcome::Judged { verdict, .. } => verdict.to_string(),
                    Outcome::NoVerdict { fault, .. } => fault.to_string(),
                };
                let latency = reading
                    .latency
                    .map(|it| format!("@{}", it.as_millis()))
                    .unwrap_or_default();
                let reason = reading
                    .reason()
                    .map(|it| format!(" because of {it}"))
                    .unwrap_or_default();
                seen.push(format!(
                    "= {word}{latency} at {}{reason}",
                    reading.at.as_millis()
                ));
                break;
            }
        }
    }
    assert_eq!(
        checks.next(),
        None,
        "the run ended before the last check of {given:?}"
    );
    assert_eq!(seen.join(" "), expected, "for {given:?}");
}

/// The check number `index` ends at `index` and gives `#index` as its reason,
/// unless it is healthy.
fn reading(index: usize, word: &str) -> Reading {
    let (word, latency) = match word.split_once('@') {
        Some((word, millis)) => (word, Some(Duration::from_millis(millis.parse().unwrap()))),
        None => (word, None),
    };
    let reason: Arc<str> = format!("#{index}").into();
    let judged = |verdict, reason| Outcome::Judged { verdict, reason };
    let outcome = match word {
        "healthy" => judged(Verdict::Healthy, None),
        "sick" => judged(Verdict::Sick, Some(reason)),
        "dead" => judged(Verdict::Dead, Some(reason)),
        fault => Outcome::NoVerdict {
            fault: Fault::from_word(fault).unwrap(),
            reason,
        },
    };
    Reading {
        at: Timestamp::from_millis(i64::try_from(index).unwrap()),
        outcome,
        latency,
    }
}

#[test]
fn only_a_dead_check_is_repeated() {
    check("1 2000 1 0", "healthy@5", "0 = healthy@5 at 0");
    check("1 2000 1 0", "sick@5", "0 = sick@5 at 0 because of #0");
    check("1 2000 1 0", "dead@5 healthy@7", "0 2000 = healthy@7 at 1");
    check(
        "1 2000 1 0",
        "dead@5 dead@9",
        "0 2000 = dead@9 at 1 because of #1",
    );
    check(
        "2 500 1 0",
        "dead dead sick",
        "0 500 500 = sick at 2 because of #2",
    );
    check("0 500 1 0", "dead", "0 = dead at 0 because of #0");
    check("2 500 1 0", "dead dead", "0 500 more");
    check("0 0 0 0", "healthy", "0 = healthy at 0");
}

#[test]
fn a_repetition_without_verdict_refutes_nothing() {
    check("1 9 1 0", "trap", "0 = trap at 0 because of #0");
    check(
        "1 9 1 0",
        "dead@3 trap@4",
        "0 9 = dead@3 at 0 because of #0",
    );
    check("2 9 1 0", "dead limit healthy", "0 9 9 = healthy at 2");
    check("3 9 1 0", "dead missing", "0 9 = dead at 0 because of #0");
}

#[test]
fn several_attempts_make_one_reading_as_in_checkup() {
    check(
        "0 0 3 1000",
        "healthy@9 healthy@1 healthy@4",
        "0 1000 1000 = healthy@4 at 2",
    );
    check("0 0 2 0", "healthy@2 healthy@5", "0 0 = healthy@3 at 1");
    check(
        "0 0 3 7",
        "healthy@9 dead@1",
        "0 7 = dead@5 at 1 because of #1",
    );
    check(
        "0 0 3 7",
        "healthy@9 sick@1 healthy@2",
        "0 7 7 = sick@2 at 2 because of #1",
    );
    check("0 0 2 7", "healthy", "0 more");
}

#[test]
fn each_attempt_may_be_repeated() {
    check(
        "1 2 3 7",
        "dead healthy@4 healthy@6 dead healthy@8",
        "0 2 7 7 2 = healthy@6 at 4",
    );
    check(
        "1 2 3 7",
        "healthy dead dead",
        "0 7 2 = dead at 2 because of #2",
    );
}

#[test]
fn attempts_without_verdict_are_left_out() {
    check(
        "1 2 3 7",
        "trap healthy@3 undecided",
        "0 7 7 = healthy@3 at 2",
    );
    check(
        "1 2 3 7",
        "trap limit undecided",
        "0 7 7 = undecided at 2 because of #2",
    );
    check(
        "1 2 3 7",
        "misconfigured",
        "0 = misconfigured at 0 because of #0",
    );
    check(
        "1 2 3 7",
        "sick@2 missing",
        "0 7 = sick@2 at 1 because of #0",
    );
}

#[test]
fn the_longest_run() {
    let plan = Plan {
        retry: Retry {
            times: 2,
            wait: Duration::from_secs(1),
        },
        attempts: Attempts {
            times: 3,
            spacing: Duration::from_secs(5),
        },
    };
    assert_eq!(
        plan.longest(Duration::from_secs(10)),
        Duration::from_secs(3 * 32 + 10)
    );
    assert_eq!(
        Plan::default().longest(Duration::from_secs(10)),
        Duration::from_secs(22)
    );
    let endless = Plan {
        retry: Retry {
            times: u32::MAX,
            wait: Duration::MAX,
        },
        attempts: Attempts {
            times: u32::MAX,
            spacing: Duration::MAX,
        },
    };
    assert_eq!(endless.longest(Duration::MAX), Duration::MAX);
}

proptest! {
    #[test]
    fn every_run_ends_within_its_plan(
        retries in 0_u32..4,
        attempts in 0_u32..4,
        found in proptest::collection::vec(0_usize..6, 16),
    ) {
        let words = ["healthy@1", "sick@2", "dead@3", "trap", "missing", "undecided"];
        let plan = Plan {
            retry: Retry { times: retries, wait: Duration::ZERO },
            attempts: Attempts { times: attempts, spacing: Duration::ZERO },
        };
        let most = usize::try_from((retries + 1) * attempts.max(1)).unwrap();
        let mut so_far = Vec::new();
        while let Next::Again { .. } = next(&plan, &so_far) {
            prop_assert!(so_far.len() < most);
            so_far.push(reading(so_far.len(), words[found[so_far.len()]]));
        }
        // Whatever comes after the end is disregarded.
        let done = next(&plan, &so_far);
        so_far.push(reading(99, "dead@9"));
        prop_assert_eq!(next(&plan, &so_far), done);
    }
}
