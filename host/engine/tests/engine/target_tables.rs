//! Readings in, changes out.

use watchkeeper_engine::target::{TargetState, next_tick, step};

use super::story::{assert_lines, input, lines, rules, spelled, timed};

/// Tells `story` to a target of which nothing is known, with a tick whenever one
/// is due.
fn check(rule_words: &str, story: &str, expected: &str) {
    let rules = rules(rule_words);
    let mut state = TargetState::default();
    let mut seen = Vec::new();
    for line in lines(story) {
        let (now, what) = timed(line);
        while let Some(due) = next_tick(&state, &rules).filter(|due| *due < now) {
            let ticked = step(&state, &input(due, "tick"), &rules, due);
            assert_ne!(
                ticked.state, state,
                "a tick that was due made no difference"
            );
            seen.extend(ticked.events.iter().map(spelled));
            state = ticked.state;
        }
        let stepped = step(&state, &input(now, what), &rules, now);
        seen.extend(stepped.events.iter().map(spelled));
        state = stepped.state;
    }
    assert_lines(&seen, expected);
}

#[test]
fn each_reading_counts_by_default() {
    check(
        "",
        "0 healthy
         10 dead: refused
         20 dead: refused
         30 sick: slow
         40 healthy",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: refused
         30 dead -> sick after 20 s by reading: slow
         40 sick -> healthy after 10 s by reading",
    );
}

#[test]
fn status_incident_one_or_two_failures_are_yellow_and_three_are_red() {
    check(
        "degrade dead=3",
        "0 healthy
         10 dead: refused
         20 dead: refused
         30 healthy
         40 dead: refused
         50 dead: reset
         60 dead: timeout
         70 dead: timeout
         80 healthy",
        "0 unknown -> healthy by reading
         10 healthy -> sick after 10 s by reading: refused
         30 sick -> healthy after 20 s by reading
         40 healthy -> sick after 10 s by reading: refused
         60 sick -> dead since 40 after 0 s by reading: timeout
         80 dead -> healthy after 40 s by reading",
    );
}

#[test]
fn an_outage_began_with_the_first_reading_of_the_row() {
    check(
        "dead=3 healthy=2",
        "0 healthy
         10 healthy
         20 dead: a
         30 dead: b
         40 dead: c
         50 healthy
         60 dead: d
         70 healthy
         80 healthy",
        "10 unknown -> healthy since 0 by reading
         40 healthy -> dead since 20 after 20 s by reading: c
         80 dead -> healthy since 70 after 50 s by reading",
    );
}

#[test]
fn the_first_health_needs_confirmation_too() {
    check(
        "dead=2",
        "0 dead: refused
         10 dead: refused",
        "10 unknown -> dead since 0 by reading: refused",
    );
    check(
        "dead=2 degrade",
        "0 dead: refused
         10 dead: refused",
        "0 unknown -> sick by reading: refused
         10 sick -> dead since 0 after 0 s by reading: refused",
    );
    check("sick=2", "0 healthy", "0 unknown -> healthy by reading");
}

#[test]
fn worse_readings_count_towards_sick_and_better_ones_too() {
    check(
        "sick=3 dead=3",
        "0 healthy
         10 sick: slow
         20 dead: refused
         30 sick: slow",
        "0 unknown -> healthy by reading
         30 healthy -> sick since 10 after 10 s by reading: slow",
    );
    check(
        "sick=2 healthy=3",
        "0 dead: refused
         10 healthy
         20 sick: slow",
        "0 unknown -> dead by reading: refused
         20 dead -> sick since 10 after 10 s by reading: slow",
    );
    // But a reading never moves the health past its own verdict.
    check(
        "dead=2",
        "0 healthy\n10 dead: a\n20 healthy",
        "0 unknown -> healthy by reading",
    );
    check(
        "healthy=2",
        "0 dead: a\n10 healthy\n20 dead: b",
        "0 unknown -> dead by reading: a",
    );
}

#[test]
fn latency_makes_it_worse_and_never_better() {
    check(
        "sick_above=2s dead_above=10s",
        "0 healthy 2000ms
         10 healthy 2500ms
         20 healthy 10500ms
         30 sick 11s: half of it
         40 dead 1ms: refused
         50 sick 3s: half of it
         60 healthy",
        "0 unknown -> healthy by reading
         10 healthy -> sick after 10 s by reading: answered after 2.5 s, sick above 2 s
         20 sick -> dead after 10 s by reading: answered after 10.5 s, dead above 10 s
         50 dead -> sick after 30 s by reading: half of it
         60 sick -> healthy after 10 s by reading",
    );
    check(
        "sick_above=5s dead_above=1s",
        "0 sick 1100ms: half of it",
        "0 unknown -> dead by reading: answered after 1.1 s, dead above 1 s; half of it",
    );
}

#[test]
fn a_fault_keeps_the_health_until_it_is_stale() {
    check(
        "",
        "0 dead: refused
         10 fault trap: unreachable executed
         20 fault limit: memory
         40 fault undecided: no idea
         50 dead: refused",
        "0 unknown -> dead by reading: refused
         30 dead -> unknown after 30 s by stale: no verdict for 30 s: limit: memory
         50 unknown -> dead after 20 s by reading: refused",
    );
    check(
        "",
        "0 healthy
         60 healthy",
        "0 unknown -> healthy by reading
         30 healthy -> unknown after 30 s by stale: no reading for 30 s
         60 unknown -> healthy after 30 s by reading",
    );
}

#[test]
fn a_fault_neither_counts_nor_interrupts() {
    check(
        "dead=2",
        "0 healthy
         10 dead: a
         15 fault limit: memory
         20 dead: b",
        "0 unknown -> healthy by reading
         20 healthy -> dead since 10 after 10 s by reading: b",
    );
}

#[test]
fn not_knowing_breaks_off_the_row() {
    check("dead=2", "0 dead: a\n31 dead: b", "");
    check("dead=2", "0 dead: a\n5 lost\n10 dead: b", "");
    check(
        "dead=2",
        "0 dead: a\n29 dead: b",
        "29 unknown -> dead since 0 by reading: b",
    );
}

#[test]
fn without_a_network_or_a_plugin_nothing_is_known() {
    check(
        "",
        "0 dead: refused
         5 lost
         10 lost
         15 missing: plugin http is gone
         20 healthy
         30 missing: plugin http is gone
         40 tick",
        "0 unknown -> dead by reading: refused
         5 dead -> unknown after 5 s by network-lost: the monitor lost its own network
         20 unknown -> healthy after 15 s by reading
         30 healthy -> unknown after 10 s by missing: plugin http is gone",
    );
    check("", "0 lost\n10 missing: plugin http is gone", "");
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_stale_and_nothing_eternal() {
    check(
        "",
        "1000 healthy
         100 tick
         120 tick
         131 tick",
        "1000 unknown -> healthy by reading
         130 healthy -> unknown after 0 s by stale: no reading for 30 s",
    );
}

#[test]
fn flapping_is_held_at_the_worse_health_until_steady() {
    check(
        "flap=3/60s",
        "0 healthy
         10 dead: a
         20 healthy
         30 dead: b
         40 healthy
         50 dead: c
         60 healthy
         70 healthy
         90 healthy
         110 healthy
         130 healthy
         140 dead: d",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: a
         20 dead -> healthy after 10 s by reading
         30 healthy -> dead after 10 s by reading: b
         40 flapping, held dead: b
         120 steady
         120 dead -> healthy since 60 after 30 s by steady
         140 healthy -> dead after 80 s by reading: d",
    );
}

#[test]
fn flapping_that_begins_with_a_death_shows_it_and_may_end_without_a_change() {
    check(
        "flap=2/60s",
        "0 healthy
         10 dead: a
         20 healthy
         30 dead: b
         50 dead: b
         70 dead: b
         90 dead: b",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: a
         20 dead -> healthy after 10 s by reading
         30 flapping, held dead: b
         30 healthy -> dead after 10 s by reading: b
         90 steady",
    );
}

#[test]
fn flapping_can_get_worse_but_not_better() {
    check(
        "flap=2/60s",
        "0 healthy
         10 sick: a
         20 healthy
         30 sick: b
         40 healthy
         50 dead: c
         60 sick: d
         80 sick: d
         100 sick: d
         120 sick: d",
        "0 unknown -> healthy by reading
         10 healthy -> sick after 10 s by reading: a
         20 sick -> healthy after 10 s by reading
         30 flapping, held sick: b
         30 healthy -> sick after 10 s by reading: b
         50 sick -> dead after 20 s by reading: c
         120 steady
         120 dead -> sick since 60 after 10 s by steady: d",
    );
}

#[test]
fn flapping_outlives_a_loss_of_sight() {
    check(
        "flap=2/60s",
        "0 healthy
         10 dead: a
         20 healthy
         30 dead: b
         40 lost
         50 healthy
         70 healthy
         90 healthy",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: a
         20 dead -> healthy after 10 s by reading
         30 flapping, held dead: b
         30 healthy -> dead after 10 s by reading: b
         40 dead -> unknown after 10 s by network-lost: the monitor lost its own network
         50 unknown -> dead after 10 s by flapping: changes too often to be believed
         90 steady
         90 dead -> healthy since 50 after 0 s by steady",
    );
}

#[test]
fn slow_changes_and_lost_networks_are_no_flapping() {
    check(
        "flap=2/15s",
        "0 healthy\n10 dead: a\n20 healthy\n30 dead: b",
        "0 unknown -> healthy by reading
         10 healthy -> dead after 10 s by reading: a
         20 dead -> healthy after 10 s by reading
         30 healthy -> dead after 10 s by reading: b",
    );
    check(
        "flap=1/600s",
        "0 healthy\n1 lost\n2 healthy\n3 lost\n4 healthy",
        "0 unknown -> healthy by reading
         1 healthy -> unknown after 1 s by network-lost: the monitor lost its own network
         2 unknown -> healthy after 1 s by reading
         3 healthy -> unknown after 1 s by network-lost: the monitor lost its own network
         4 unknown -> healthy after 1 s by reading",
    );
}
