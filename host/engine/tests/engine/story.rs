//! Stories as text: what happens to targets, one line each, and what the engine
//! makes of it.
//!
//! A line is a time in seconds and what happens then:
//!
//! ```text
//! 10 dead 250ms: refused     a reading, with latency and reason if given
//! 20 fault trap: out of memory
//! 30 tick
//! 40 lost                    the host has lost its own network
//! 50 missing: http
//! ```

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::change::{Change, Event};
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::reading::{Fault, Outcome, Reading};
use watchkeeper_engine::target::{Confirm, Flap, Input, TargetRules};
use watchkeeper_engine::time::Timestamp;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// Rules of a target that is checked every 10 seconds, changed by words like
/// `dead=3`, `sick_above=2s`, `stale=60s`, `degrade`, `flap=5/600s`.
pub(crate) fn rules(words: &str) -> TargetRules {
    let mut rules = TargetRules {
        sick_above: None,
        dead_above: None,
        stale_after: Duration::from_secs(30),
        confirm: Confirm::default(),
        degrade: false,
        flap: None,
    };
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "sick" => rules.confirm.sick = value.parse().unwrap(),
            "dead" => rules.confirm.dead = value.parse().unwrap(),
            "healthy" => rules.confirm.healthy = value.parse().unwrap(),
            "sick_above" => rules.sick_above = Some(duration(value)),
            "dead_above" => rules.dead_above = Some(duration(value)),
            "stale" => rules.stale_after = duration(value),
            "degrade" => rules.degrade = true,
            "flap" => {
                let (changes, window) = value.split_once('/').unwrap();
                let changes = changes.parse().unwrap();
                rules.flap = Some(Flap {
                    changes,
                    window: duration(window),
                });
            }
            _ => panic!("no such rule: {word}"),
        }
    }
    rules
}

/// `250ms` or `2s`.
fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(millis) => Duration::from_millis(millis.parse().unwrap()),
        None => Duration::from_secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

/// The lines of a story that are not empty.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Splits a line into its time and the rest.
pub(crate) fn timed(line: &str) -> (Timestamp, &str) {
    let (seconds, rest) = line.split_once(' ').unwrap();
    (at(seconds.parse().unwrap()), rest)
}

/// What happens at `now`.
pub(crate) fn input(now: Timestamp, what: &str) -> Input {
    let (what, reason) = match what.split_once(": ") {
        Some((what, reason)) => (what, Some(Arc::from(reason))),
        None => (what, None),
    };
    let mut words = what.split_whitespace();
    let reading = |outcome, latency| {
        Input::Reading(Reading {
            at: now,
            outcome,
            latency,
        })
    };
    let judged = |verdict, latency: Option<&str>| {
        reading(
            Outcome::Judged {
                verdict,
                reason: reason.clone(),
            },
            latency.map(duration),
        )
    };
    match words.next().unwrap() {
        "healthy" => judged(Verdict::Healthy, words.next()),
        "sick" => judged(Verdict::Sick, words.next()),
        "dead" => judged(Verdict::Dead, words.next()),
        "fault" => {
            let fault = Fault::from_word(words.next().unwrap()).unwrap();
            reading(
                Outcome::NoVerdict {
                    fault,
                    reason: reason.unwrap(),
                },
                None,
            )
        }
        "tick" => Input::Tick,
        "lost" => Input::Lost,
        "missing" => Input::Missing {
            reason: reason.unwrap(),
        },
        other => panic!("no such input: {other}"),
    }
}

/// An event as a line of text.
pub(crate) fn spelled(event: &Event) -> String {
    let because = |reason: &Option<Arc<str>>| {
        reason
            .as_ref()
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default()
    };
    match event {
        Event::Changed(Change {
            from,
            to,
            at,
            since,
            lasted,
            reason,
            cause,
        }) => {
            let since = match at.since(*since).as_secs() {
                0 => String::new(),
                _ => format!(" since {}", since.as_secs()),
            };
            let lasted = lasted
                .map(|it| format!(" after {} s", it.as_secs()))
                .unwrap_or_default();
            let reason = because(reason);
            format!(
                "{} {from} -> {to}{since}{lasted} by {cause}{reason}",
                at.as_secs()
            )
        }
        Event::FlappingStarted { at, health, reason } => {
            format!(
                "{} flapping, held {health}{}",
                at.as_secs(),
                because(reason)
            )
        }
        Event::FlappingEnded { at } => format!("{} steady", at.as_secs()),
    }
}

/// Compares line by line, whatever the indentation.
pub(crate) fn assert_lines(seen: &[String], expected: &str) {
    let expected: Vec<&str> = lines(expected).collect();
    assert_eq!(seen.join("\n"), expected.join("\n"));
}
