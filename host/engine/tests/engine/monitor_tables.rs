//! Healths of targets in, those of monitors, services and pages out.

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::{
    Combine, MonitorState, TargetView, Trigger, Weight, combine, page, service, step_monitor,
};
use watchkeeper_engine::target::{TargetState, step};

use super::story::{assert_lines, input, lines, rules, spelled, timed};

/// `h u s d`: one letter for each health.
fn healths(letters: &str) -> Vec<Health> {
    letters
        .split_whitespace()
        .map(|letter| {
            Health::ALL
                .into_iter()
                .find(|health| health.as_str().starts_with(letter))
                .unwrap()
        })
        .collect()
}

fn check_combine(mode: Combine, given: &str, expected: Health) {
    assert_eq!(
        combine(mode, healths(given)),
        expected,
        "{mode:?} of {given:?}"
    );
}

#[test]
fn worst_and_best() {
    use Health::{Dead, Healthy, Sick, Unknown};
    for (given, worst, best) in [
        ("", Unknown, Unknown),
        ("h", Healthy, Healthy),
        ("h u", Unknown, Healthy),
        ("h u s d", Dead, Healthy),
        ("u s d", Dead, Unknown),
        ("s d", Dead, Sick),
        ("d d", Dead, Dead),
    ] {
        check_combine(Combine::Worst, given, worst);
        check_combine(Combine::Best, given, best);
    }
}

#[test]
fn quorum() {
    use Health::{Dead, Healthy, Sick, Unknown};
    let two_of_three = Combine::Quorum { sick: 1, dead: 2 };
    for (given, expected) in [
        ("", Unknown),
        ("h h h", Healthy),
        ("h h u", Unknown),
        ("h h s", Sick),
        ("h u s", Sick),
        ("h h d", Sick),
        ("h s d", Sick),
        ("u u d", Sick),
        ("h d d", Dead),
        ("u u u", Unknown),
        // With one target left, all of them is enough.
        ("d", Dead),
    ] {
        check_combine(two_of_three, given, expected);
    }
    let many = Combine::Quorum { sick: 2, dead: 4 };
    for (given, expected) in [
        ("h h h h h", Healthy),
        ("d h h h h", Healthy),
        // One more that is sick would be needed; none that is unknown could be it.
        ("u h h h h", Healthy),
        ("d u h h h", Unknown),
        ("d d h h h", Sick),
        ("d d d s h", Sick),
        ("d d d d h", Dead),
    ] {
        check_combine(many, given, expected);
    }
    // No more are needed for sick than for dead.
    check_combine(Combine::Quorum { sick: 2, dead: 1 }, "h h s", Health::Sick);
    check_combine(Combine::Quorum { sick: 2, dead: 1 }, "h h d", Dead);
    check_combine(Combine::Quorum { sick: 2, dead: 1 }, "h h u", Unknown);
    check_combine(Combine::Quorum { sick: 0, dead: 0 }, "h h d", Dead);
    check_combine(
        Combine::Quorum {
            sick: u32::MAX,
            dead: u32::MAX,
        },
        "h d d",
        Healthy,
    );
}

#[test]
fn a_minor_monitor_makes_its_service_at_most_sick() {
    use Weight::{Critical, Minor};
    for (critical, minor, expected) in [
        ("h", "d", Health::Sick),
        ("h", "u", Health::Unknown),
        ("d", "h", Health::Dead),
        ("u", "s", Health::Sick),
        ("h h", "h", Health::Healthy),
        ("", "d", Health::Sick),
        ("", "", Health::Unknown),
    ] {
        let monitors = (healths(critical)
            .into_iter()
            .map(|health| (health, Critical)))
        .chain(healths(minor).into_iter().map(|health| (health, Minor)));
        assert_eq!(
            service(monitors),
            expected,
            "{critical:?} and minor {minor:?}"
        );
    }
}

#[test]
fn some_dead_services_are_a_partial_outage() {
    for (given, expected) in [
        ("", "unknown"),
        ("h h", "healthy"),
        ("h u", "unknown"),
        ("h s", "sick"),
        ("h d", "dead, partial"),
        ("u d", "dead, partial"),
        ("s d", "dead, partial"),
        ("d d", "dead"),
        ("d", "dead"),
    ] {
        let page = page(healths(given));
        let seen = format!(
            "{}{}",
            page.worst,
            if page.partial { ", partial" } else { "" }
        );
        assert_eq!(seen, expected, "{given:?}");
    }
}

/// Tells a story to the targets `a`, `b` and `c` of one monitor: each line names
/// the time, the target and what happens to it. `0 configure best` changes the
/// rule. The answer is what the monitor has to say, with the explaining target.
fn check(mode: Combine, rule_words: &str, story: &str, expected: &str) {
    let rules = rules(rule_words);
    let monitor = MonitorId::parse("api/health").unwrap();
    let mut mode = mode;
    let mut targets: Vec<(TargetId, TargetState)> = ["a", "b", "c"]
        .into_iter()
        .map(|address| {
            (
                TargetId::new(monitor.clone(), address),
                TargetState::default(),
            )
        })
        .collect();
    let mut state = MonitorState::default();
    let mut seen = Vec::new();
    for line in lines(story) {
        let (now, rest) = timed(line);
        let (name, what) = rest.split_once(' ').unwrap();
        let trigger = if name == "configure" {
            mode = if what == "best" {
                Combine::Best
            } else {
                Combine::Worst
            };
            Trigger::Configuration
        } else {
            for (id, target) in &mut targets {
                if id.address() == name || name == "all" {
                    *target = step(target, &input(now, what), &rules, now).state;
                }
            }
            Trigger::Targets
        };
        let views: Vec<TargetView<'_>> = targets
            .iter()
            .map(|(id, state)| TargetView { id, state })
            .collect();
        let stepped = step_monitor(&state, mode, &views, trigger, now);
        state = stepped.state;
        let explained = state
            .target
            .as_ref()
            .map(|it| format!(" ({})", it.address()))
            .unwrap_or_default();
        seen.extend(
            stepped
                .events
                .iter()
                .map(|event| spelled(event) + &explained),
        );
    }
    assert_lines(&seen, expected);
}

#[test]
fn a_monitor_follows_its_worst_target() {
    check(
        Combine::Worst,
        "dead=2",
        "0 all healthy
         10 a dead: refused
         15 b dead: reset
         20 a dead: refused
         25 b dead: reset
         30 a healthy
         40 b sick: slow
         50 b healthy",
        "0 unknown -> healthy by reading
         20 healthy -> dead since 10 after 10 s by reading: refused (a)
         40 dead -> sick after 30 s by reading: slow (b)
         50 sick -> healthy after 10 s by reading",
    );
}

#[test]
fn it_is_healthy_only_when_all_are_known_to_be() {
    check(
        Combine::Worst,
        "",
        "0 a healthy
         1 b healthy
         2 c healthy
         3 all lost",
        "2 unknown -> healthy by reading
         3 healthy -> unknown after 1 s by network-lost: the monitor lost its own network (a)",
    );
}

#[test]
fn a_quorum_is_dead_since_the_last_target_that_it_took() {
    check(
        Combine::Quorum { sick: 1, dead: 2 },
        "dead=2",
        "0 all healthy
         10 a dead: refused
         12 b dead: reset
         20 a dead: refused
         22 b dead: reset
         30 c dead: timeout
         32 c dead: timeout
         40 a healthy
         50 b healthy",
        "0 unknown -> healthy by reading
         20 healthy -> sick since 10 after 10 s by reading: refused (a)
         22 sick -> dead since 12 after 2 s by reading: refused (a)
         50 dead -> sick after 38 s by reading: timeout (c)",
    );
}

#[test]
fn a_quorum_recovers_when_it_is_no_longer_reached() {
    check(
        Combine::Quorum { sick: 2, dead: 2 },
        "healthy=2",
        "0 all healthy
         1 all healthy
         5 a dead: refused
         10 b dead: reset
         15 c dead: timeout
         20 c healthy
         30 a healthy
         31 a healthy
         32 c healthy",
        "1 unknown -> healthy since 0 by reading
         10 healthy -> dead after 10 s by reading: refused (a)
         32 dead -> healthy since 30 after 20 s by reading",
    );
}

#[test]
fn the_best_target_is_enough() {
    check(
        Combine::Best,
        "",
        "0 all healthy
         10 a dead: x
         20 b dead: y
         30 c dead: z
         40 b healthy",
        "0 unknown -> healthy by reading
         30 healthy -> dead after 30 s by reading: x (a)
         40 dead -> healthy after 10 s by reading",
    );
}

#[test]
fn a_new_configuration_is_a_cause_of_its_own() {
    check(
        Combine::Worst,
        "",
        "0 all healthy
         10 a dead: x
         20 configure best
         30 configure worst",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: x (a)
         20 dead -> healthy after 10 s by reconfigured
         30 healthy -> dead after 10 s by reconfigured: x (a)",
    );
}

#[test]
fn a_monitor_flaps_with_its_targets() {
    check(
        Combine::Worst,
        "flap=2/60s stale=600s",
        "0 all healthy
         10 a dead: x
         20 a healthy
         30 a dead: y
         32 b dead: z
         34 b healthy
         36 b dead: z
         40 a healthy
         45 b healthy
         101 all healthy
         106 b healthy",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: x (a)
         20 dead -> healthy after 10 s by reading
         30 flapping, held dead: y (a)
         30 healthy -> dead after 10 s by reading: y (a)
         106 steady
         106 dead -> healthy since 45 after 15 s by steady",
    );
}
