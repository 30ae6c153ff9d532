//! What came out, against what was expected.

use watchkeeper_engine::time::spell;
use watchkeeper_sandbox::{
    CheckOutcome, Fault, Measurement, NotifyOutcome, Run, StateSpace, Verdict,
};

use super::stage::{Request, Seen};
use super::table::{
    DeliveryOrFault, Expect, Figure, FullFigure, HealthOrFault, RequestPart, Words,
};

/// What came out of one run.
pub(super) struct Found {
    health: Option<HealthOrFault>,
    delivery: Option<DeliveryOrFault>,
    reason: String,
    measurements: Vec<Measurement>,
    /// `what: outcome`.
    calls: Vec<String>,
    log: Vec<String>,
    backtrace: Vec<String>,
}

impl Found {
    /// What a check found; its state goes to `state`.
    pub(super) fn of_check(run: Run<CheckOutcome>, state: &mut StateSpace) -> Self {
        let (health, reason, measurements) = match &run.outcome {
            CheckOutcome::Reading(reading) => {
                let health = match reading.verdict {
                    Verdict::Healthy => HealthOrFault::Healthy,
                    Verdict::Sick => HealthOrFault::Sick,
                    Verdict::Dead => HealthOrFault::Dead,
                };
                let reason = reading.reason.clone().unwrap_or_default();
                (health, reason, reading.measurements.clone())
            }
            CheckOutcome::NoAnswer { after } => {
                let reason = format!("no answer in {}", spell(*after));
                (HealthOrFault::Dead, reason, Vec::new())
            }
            CheckOutcome::Fault(fault) => (health_of(fault), fault.to_string(), Vec::new()),
        };
        Self {
            health: Some(health),
            measurements,
            ..Self::of(run, state, reason)
        }
    }

    /// What came of a delivery; its state goes to `state`.
    pub(super) fn of_delivery(run: Run<NotifyOutcome>, state: &mut StateSpace) -> Self {
        let (delivery, reason) = match &run.outcome {
            NotifyOutcome::Delivered => (DeliveryOrFault::Delivered, String::new()),
            NotifyOutcome::Temporary { reason, .. } => (DeliveryOrFault::Temporary, reason.clone()),
            NotifyOutcome::Permanent(reason) => (DeliveryOrFault::Permanent, reason.clone()),
            NotifyOutcome::Fault(fault) => (delivery_of(fault), fault.to_string()),
        };
        Self {
            delivery: Some(delivery),
            ..Self::of(run, state, reason)
        }
    }

    fn of<T>(run: Run<T>, state: &mut StateSpace, reason: String) -> Self {
        if let Some(kept) = run.state {
            *state = kept;
        }
        let calls = run.calls.iter();
        Self {
            health: None,
            delivery: None,
            reason,
            measurements: Vec::new(),
            calls: calls
                .map(|call| format!("{}: {}", call.what, call.outcome))
                .collect(),
            log: run.log.into_iter().map(|line| line.text).collect(),
            backtrace: run.backtrace,
        }
    }

    /// All of it, line by line.
    pub(super) fn told(&self, seen: &Seen) -> Vec<String> {
        let mut lines = Vec::new();
        let mut add = |name: &str, text: &str| lines.push(format!("{name:<9} {text}"));
        if let Some(health) = self.health {
            add("health", &word(&health));
        }
        if let Some(delivery) = self.delivery {
            add("delivery", &word(&delivery));
        }
        if !self.reason.is_empty() {
            add("reason", &self.reason);
        }
        for each in &self.measurements {
            add(
                "measured",
                &format!("{} = {} {}", each.name, each.value, each.unit),
            );
        }
        for (name, texts) in [
            ("call", &self.calls),
            ("log", &self.log),
            ("in", &self.backtrace),
        ] {
            for text in texts {
                add(name, text);
            }
        }
        for request in &seen.requests {
            add("request", &in_words(request));
        }
        if !seen.received.is_empty() {
            add("received", &format!("{:?}", seen.received));
        }
        lines
    }
}

/// What does not fit, in words; empty where all does.
pub(super) fn compare(expect: &Expect, found: &Found, seen: &Seen) -> Vec<String> {
    let mut problems = Vec::new();
    let mut differs = |name: &str, expected: &str, found: &str| {
        problems.push(format!("{name}: expected {expected}, found {found}"));
    };
    if let Some(expected) = expect.health
        && found.health != Some(expected)
    {
        let found = found
            .health
            .map_or_else(|| "a delivery".to_owned(), |it| word(&it));
        differs("health", &word(&expected), &found);
    }
    if let Some(expected) = expect.delivery
        && found.delivery != Some(expected)
    {
        let found = found
            .delivery
            .map_or_else(|| "a reading".to_owned(), |it| word(&it));
        differs("delivery", &word(&expected), &found);
    }
    match &expect.reason {
        Some(Words::Whole(text)) if *text != found.reason => {
            differs(
                "reason",
                &format!("{text:?}"),
                &format!("{:?}", found.reason),
            );
        }
        Some(Words::Part(part)) if !found.reason.contains(&part.contains) => {
            let part = format!("something with {:?}", part.contains);
            differs("reason", &part, &format!("{:?}", found.reason));
        }
        _ => {}
    }
    for (name, figure) in &expect.measurements {
        let expected = expected_figure(figure);
        match found.measurements.iter().find(|each| each.name == *name) {
            None => differs(&format!("measurement {name}"), &expected, "none"),
            Some(each) if !fits(figure, each) => {
                let found = format!("{} {}", each.value, each.unit);
                differs(&format!("measurement {name}"), &expected, &found);
            }
            Some(_) => {}
        }
    }
    for (name, parts, lines) in [
        ("calls", &expect.calls, &found.calls),
        ("log", &expect.log, &found.log),
    ] {
        if let Some(missing) = first_missing(parts, lines.iter().map(String::as_str)) {
            let lines = if lines.is_empty() {
                "none".to_owned()
            } else {
                lines.join("; ")
            };
            differs(name, &format!("{missing:?}"), &lines);
        }
    }
    let mut rest = seen.received.as_str();
    for part in &expect.received {
        let Some((_, after)) = rest.split_once(part.as_str()) else {
            differs(
                "received",
                &format!("{part:?}"),
                &format!("{:?}", seen.received),
            );
            break;
        };
        rest = after;
    }
    if let Some(expected) = &expect.requests {
        compare_requests(expected, &seen.requests, &mut differs);
    }
    for request in &seen.unexpected {
        problems.push(format!(
            "the plugin asked for {request}, which no `http` answers"
        ));
    }
    problems
}

fn compare_requests(
    expected: &[RequestPart],
    found: &[Request],
    differs: &mut impl FnMut(&str, &str, &str),
) {
    if expected.len() != found.len() {
        let asked: Vec<_> = found.iter().map(in_words).collect();
        let found = format!("{}: {}", found.len(), asked.join("; "));
        differs("requests", &expected.len().to_string(), &found);
        return;
    }
    for (expected, found) in expected.iter().zip(found) {
        let mut check = |name: &str, expected: Option<&String>, found: &str, fits: bool| {
            if let Some(expected) = expected
                && !fits
            {
                differs(name, &format!("{expected:?}"), &format!("{found:?}"));
            }
        };
        let same = |expected: &Option<String>, found: &str| {
            expected.as_deref().is_none_or(|expected| expected == found)
        };
        check(
            "request's method",
            expected.method.as_ref(),
            &found.method,
            same(&expected.method, &found.method),
        );
        check(
            "request's path",
            expected.path.as_ref(),
            &found.path,
            same(&expected.path, &found.path),
        );
        let contains = expected.body.as_ref().is_none_or(|part| {
            // Tables write line feeds; JSON escapes them.
            found.body.contains(part.as_str()) || found.body.contains(&part.replace('\n', "\\n"))
        });
        check(
            "request's body",
            expected.body.as_ref(),
            &found.body,
            contains,
        );
        for (name, value) in &expected.headers {
            let sent: Vec<_> = found
                .headers
                .iter()
                .filter(|(own, _)| own.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
                .collect();
            let sent = sent.join(", ");
            check(
                &format!("request's {name}"),
                Some(value),
                &sent,
                sent == *value,
            );
        }
    }
}

/// The first part that no line has, where each line is looked at once and the
/// order counts.
fn first_missing<'a>(
    parts: &'a [String],
    mut lines: impl Iterator<Item = &'a str>,
) -> Option<&'a String> {
    parts
        .iter()
        .find(|part| !lines.any(|line| line.contains(part.as_str())))
}

fn fits(figure: &Figure, found: &Measurement) -> bool {
    // What a probe computed from the same figures is the same to the last digits.
    let same = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs().max(1.0);
    match figure {
        Figure::Value(value) => same(*value, found.value),
        Figure::Full(FullFigure {
            value,
            unit,
            min,
            max,
        }) => {
            value.is_none_or(|value| same(value, found.value))
                && unit.as_ref().is_none_or(|unit| *unit == found.unit)
                && min.is_none_or(|min| found.value >= min)
                && max.is_none_or(|max| found.value <= max)
        }
    }
}

fn expected_figure(figure: &Figure) -> String {
    match figure {
        Figure::Value(value) => value.to_string(),
        Figure::Full(full) => {
            let value = full.value.map(|value| value.to_string());
            let min = full.min.map(|min| format!("at least {min}"));
            let max = full.max.map(|max| format!("at most {max}"));
            let words: Vec<_> = [value, min, max, full.unit.clone()]
                .into_iter()
                .flatten()
                .collect();
            words.join(" ")
        }
    }
}

fn in_words(request: &Request) -> String {
    let mut words = format!("{} {}", request.method, request.path);
    if !request.body.is_empty() {
        words.extend([" ", &request.body]);
    }
    words
}

/// A word as tables write it.
fn word(word: &impl std::fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}

fn health_of(fault: &Fault) -> HealthOrFault {
    match fault {
        Fault::Misconfigured(_) => HealthOrFault::Misconfigured,
        Fault::Undecided(_) => HealthOrFault::Undecided,
        Fault::Denied(_) => HealthOrFault::Denied,
        Fault::Limit(_) => HealthOrFault::Limit,
        Fault::Trap(_) => HealthOrFault::Trap,
        Fault::Host(_) => HealthOrFault::Host,
    }
}

fn delivery_of(fault: &Fault) -> DeliveryOrFault {
    match fault {
        Fault::Misconfigured(_) => DeliveryOrFault::Misconfigured,
        Fault::Undecided(_) => DeliveryOrFault::Undecided,
        Fault::Denied(_) => DeliveryOrFault::Denied,
        Fault::Limit(_) => DeliveryOrFault::Limit,
        Fault::Trap(_) => DeliveryOrFault::Trap,
        Fault::Host(_) => DeliveryOrFault::Host,
    }
}
