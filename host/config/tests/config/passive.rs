//! Monitors that are told: what holds where nothing is written, and what makes
//! no sense.

use std::time::Duration;

use watchkeeper_config::Config;
use watchkeeper_config::passive::Passive;
use watchkeeper_engine::passive::Rhythm;
use watchkeeper_engine::passive::heartbeat::{Call, HeartbeatState, Signal};
use watchkeeper_engine::target::{Confirm, Flap};
use watchkeeper_engine::time::Timestamp;

use crate::{good, read};

const DOOR: &str = "[compat.vigil]\nreporter_token = \"open sesame\"\n";
const TOKEN: &str = "token = \"0123456789abcdef\"\n";

/// A service whose one monitor has these lines, the first of them line 7.
fn monitor(lines: &str) -> String {
    format!("{DOOR}[[service]]\nid = \"s\"\n[[service.monitor]]\nid = \"m\"\n{lines}\n")
}

fn passive(config: &Config) -> Passive {
    config.monitors().next().unwrap().passive.clone().unwrap()
}

#[test]
fn what_holds_where_nothing_is_written() {
    let config = good(&monitor("passive = \"push\""));
    let Passive::Push { rules, queue } = passive(&config) else {
        panic!("{config:?}")
    };
    assert_eq!(rules.dead_after, Duration::from_secs(20));
    assert_eq!(
        (rules.sick_above.cpu.to_bits(), queue),
        (0.9_f64.to_bits(), None)
    );
    assert!(config.monitors().next().unwrap().targets.is_empty());
    let token = config.vigil.reporter_token.as_ref().unwrap();
    assert_eq!(token.expose(), "open sesame");
    assert!(!format!("{config:?}").contains("sesame"));

    let Passive::Local { rules } = passive(&good(&monitor("passive = \"local\""))) else {
        panic!()
    };
    assert_eq!(rules.dead_after, Duration::from_secs(40));

    let config = good(&monitor(&format!(
        "passive = \"heartbeat\"\nperiod = \"1d\"\n{TOKEN}"
    )));
    let Passive::Heartbeat { token, rules } = passive(&config) else {
        panic!()
    };
    assert_eq!(token.expose(), "0123456789abcdef");
    assert_eq!(rules.rhythm, Rhythm::Every(Duration::from_hours(24)));
    assert_eq!(rules.grace, Duration::from_mins(5));
    let targets: Vec<_> = config.monitors().flat_map(|it| it.targets.iter()).collect();
    assert_eq!(targets[0].address(), "heartbeat");
    assert!(!format!("{config:?}").contains("abcdef"));
}

#[test]
fn rules_that_wait_for_more_readings_do_not_reach_what_is_told() {
    let defaults = "[defaults]\nconfirm = { dead = 3 }\ndegrade = true\nsick_above = \"1s\"\nflap = { changes = 9 }\n";
    let config = good(&format!("{defaults}{}", monitor("passive = \"push\"")));
    let rules = &config.monitors().next().unwrap().rules;
    assert_eq!(rules.confirm, Confirm::default());
    assert_eq!((rules.degrade, rules.sick_above), (false, None));
    assert_eq!(rules.stale_after, Duration::MAX);
    let flap = Flap {
        changes: 9,
        ..Flap::default()
    };
    assert_eq!(rules.flap, Some(flap));
}

#[test]
fn cron_follows_the_zone() {
    let lines =
        "passive = \"heartbeat\"\ncron = \"30 2 * * *\"\ntime_zone = \"Europe/Stockholm\"\n";
    let config = good(&monitor(&format!("{lines}{TOKEN}")));
    let Passive::Heartbeat { rules, .. } = passive(&config) else {
        panic!()
    };
    assert_eq!(rules.rhythm.to_string(), "30 2 * * * (Europe/Stockholm)");
    // 1970-01-01T02:30+01:00.
    let next = rules.rhythm.next(Timestamp::from_millis(0));
    assert_eq!(next, Some(Timestamp::from_millis(5_400_000)));
}

/// The clock of Stockholm shows 02:30 twice on 25 October 2026, and not at all on
/// 29 March 2026.
#[test]
fn a_job_is_neither_missed_nor_waited_for_twice_when_the_clock_is_changed() {
    let lines = "passive = \"heartbeat\"\ncron = \"30 2 * * *\"\ntime_zone = \"Europe/Stockholm\"\ngrace = \"1h\"\n";
    let config = good(&monitor(&format!("{lines}{TOKEN}")));
    let Passive::Heartbeat { rules, .. } = passive(&config) else {
        panic!()
    };
    let at = |text: &str| {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(at.as_millisecond())
    };
    let call = Call {
        signal: Signal::Success,
        run: None,
        words: None,
    };
    for (called, missed) in [
        // The day before, and then at the first 02:30 and at the second one.
        ("2026-10-24T00:31:00Z", "2026-10-25T01:30:00Z"),
        ("2026-10-25T00:31:00Z", "2026-10-26T02:30:00Z"),
        ("2026-10-25T01:30:00Z", "2026-10-26T02:30:00Z"),
        // The day before, and then at 03:00, as cron daemons make up for it.
        ("2026-03-28T01:31:00Z", "2026-03-30T01:30:00Z"),
        ("2026-03-29T01:00:00Z", "2026-03-30T01:30:00Z"),
    ] {
        let mut state = HeartbeatState::default();
        state.call(&rules, &call, at(called));
        assert_eq!(state.missed_at(&rules), Some(at(missed)), "{called}");
    }
}

/// Checks that `text` has one problem, in this line, which says this.
#[track_caller]
fn check(text: &str, line: usize, expected: &str) {
    let Err(problems) = read(text) else {
        panic!("accepted: {text}")
    };
    assert_eq!(problems.count(), 1, "{text}\n{problems}");
    let problem = &problems.list[0];
    assert_eq!(problem.place.as_ref().unwrap().line, line, "{problem}");
    assert!(problem.to_string().contains(expected), "{problem}");
    for secret in ["sesame", "0123456789abcdef", "short", "a b"] {
        assert!(!problem.to_string().contains(secret), "{problem}");
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    let one = |lines: &str, line, expected: &str| check(&monitor(lines), line, expected);
    let heartbeat = |lines: &str, line, expected: &str| {
        check(
            &monitor(&format!("passive = \"heartbeat\"\n{lines}")),
            line,
            expected,
        );
    };
    one("passive = \"psh\"", 7, "did you mean \"push\"?");
    one(
        "passive = \"push\"\ntargets = [\"tcp://a:1\"]",
        8,
        "`targets` means nothing for a monitor with `passive = \"push\"`",
    );
    one(
        "passive = \"push\"\nconfirm = { dead = 2 }",
        8,
        "`confirm` means nothing",
    );
    one(
        "passive = \"manual\"\nhealth = \"best\"",
        8,
        "`health` means nothing",
    );
    one(
        "passive = \"local\"\nload = { cpu = 0.5 }",
        8,
        "`load` means nothing",
    );
    one(
        "passive = \"push\"\nload = { cpu = 0 }",
        8,
        "must be above 0",
    );
    one(
        "passive = \"push\"\nload = { cpu = nan }",
        8,
        "must be above 0",
    );
    one(
        "passive = \"push\"\nload = { cpu = \"90%\" }",
        8,
        "a number such as 0.9",
    );
    one(
        "passive = \"push\"\nqueue = \"s/n\"",
        8,
        "there is no monitor `s/n`",
    );
    one("passive = \"push\"\nqueue = \"s/m\"", 8, "`s/m` is passive");
    one(
        "targets = [\"tcp://a:1\"]\ndead_after = \"1s\"",
        8,
        "write `passive = \"push\"` or `passive = \"local\"` beside it",
    );
    heartbeat("period = \"1d\"", 5, "`token` is missing");
    heartbeat(TOKEN, 5, "`period` is missing");
    heartbeat("period = \"1d\"\ntoken = \"short\"", 9, "16 to 128 letters");
    heartbeat(
        "period = \"1d\"\ntoken = \"0123456789abcdef a b\"",
        9,
        "16 to 128 letters",
    );
    heartbeat(
        "period = \"1d\"\ntoken = \"\"",
        9,
        "`token` must not be empty",
    );
    heartbeat(
        "period = \"1d\"\ntoken = { env = \"NONE\" }",
        9,
        "`NONE` is not set",
    );
    heartbeat(
        "period = \"1d\"\ntoken = { x = 1 }",
        9,
        "must be a text, `{ env =",
    );
    heartbeat(
        &format!("{TOKEN}period = \"1d\"\ncron = \"* * * * *\""),
        9,
        "two ways to say",
    );
    heartbeat(
        &format!("{TOKEN}period = \"1d\"\ntime_zone = \"UTC\""),
        10,
        "`time_zone` means nothing without `cron`",
    );
    heartbeat(
        &format!("{TOKEN}cron = \"* * *\""),
        9,
        "must have five fields",
    );
    let without_door = monitor("passive = \"local\"").replace(DOOR, "");
    check(&without_door, 5, "nobody can report without the token");
    let twice = format!(
        "{}[[service.monitor]]\nid = \"n\"\npassive = \"heartbeat\"\nperiod = \"1d\"\n{TOKEN}",
        monitor(&format!(
            "passive = \"heartbeat\"\nperiod = \"1d\"\n{TOKEN}"
        ))
    );
    check(&twice, 15, "two monitors have the same token");
}
