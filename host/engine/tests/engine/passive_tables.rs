//! What is said and what silence means, as tables.

use std::time::Duration;

use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::passive::heartbeat::{Call, HeartbeatRules, HeartbeatState, Signal};
use watchkeeper_engine::passive::report::{Load, Queue, Report, ReportRules, ReportState, Said};
use watchkeeper_engine::passive::{Calendar, Gap, Rhythm};
use watchkeeper_engine::reading::Reading;
use watchkeeper_engine::time::Timestamp;

const RULES: ReportRules = ReportRules {
    dead_after: Duration::from_secs(20),
    sick_above: Load { cpu: 0.9, ram: 0.9 },
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn shown(reading: &Reading) -> String {
    let seconds = reading.at.as_secs();
    let verdict = reading.verdict().unwrap();
    let latency = reading.latency.map_or_else(String::new, |latency| {
        format!(" in {} s", latency.as_secs())
    });
    match reading.reason() {
        Some(reason) => format!("{seconds} {verdict}{latency}: {reason}"),
        None => format!("{seconds} {verdict}{latency}"),
    }
}

fn report(interval: u64, said: Said) -> ReportState {
    let report = Report {
        interval: Duration::from_secs(interval),
        said,
    };
    ReportState::hear(report, at(0))
}

#[test]
fn the_worst_of_load_and_queue_counts_and_all_of_it_is_told() {
    let jobs = MonitorId::parse("api/jobs").unwrap();
    let check = |cpu, ram, queue: Option<(Health, Option<&str>)>, expected: &str| {
        let queue = queue.map(|(health, reason)| Queue {
            monitor: &jobs,
            health,
            reason,
        });
        let reading = report(30, Said::Load(Load { cpu, ram })).judge(&RULES, queue, at(1));
        assert_eq!(shown(&reading), expected);
    };
    check(0.5, 0.5, None, "1 healthy");
    check(0.9, 0.9, None, "1 healthy");
    check(0.995, 0.5, None, "1 sick: CPU 100 %, sick above 90 %");
    check(
        1.5,
        0.91,
        None,
        "1 sick: CPU 150 %, sick above 90 %; RAM 91 %, sick above 90 %",
    );
    check(0.5, 0.5, Some((Health::Healthy, None)), "1 healthy");
    check(0.5, 0.5, Some((Health::Unknown, Some("x"))), "1 healthy");
    check(
        0.5,
        0.5,
        Some((Health::Sick, Some("500 ready"))),
        "1 sick: jobs is sick: 500 ready",
    );
    // Vigil calls this sick: there the load hides the stalled queue.
    check(
        0.995,
        0.5,
        Some((Health::Dead, Some("20001 ready"))),
        "1 dead: jobs is dead: 20001 ready; CPU 100 %, sick above 90 %",
    );
    check(
        0.995,
        0.5,
        Some((Health::Sick, None)),
        "1 sick: jobs is sick; CPU 100 %, sick above 90 %",
    );
}

#[test]
fn reported_health_is_believed() {
    for (verdict, expected) in [
        (Verdict::Healthy, "1 healthy"),
        (Verdict::Sick, "1 sick: reported sick"),
        (Verdict::Dead, "1 dead: reported dead"),
    ] {
        let reading = report(30, Said::Health(verdict)).judge(&RULES, None, at(1));
        assert_eq!(shown(&reading), expected);
    }
}

#[test]
fn silence_is_dead_at_its_time_once() {
    let mut state = report(30, Said::Health(Verdict::Healthy));
    assert_eq!(state.silent_at(&RULES), Some(at(50)));
    assert_eq!(state.tick(&RULES, Timestamp::from_millis(49_999)), None);
    let silence = state.tick(&RULES, at(500)).unwrap();
    assert_eq!(
        shown(&silence),
        "50 dead: no report for 50 s, expected every 30 s"
    );
    assert_eq!(state.tick(&RULES, at(501)), None);
    assert_eq!(state.silent_at(&RULES), None);
    // Whatever the queue says, it stays so.
    assert_eq!(
        state.judge(&RULES, None, at(502)).verdict(),
        Some(Verdict::Dead)
    );
}

#[test]
fn a_replica_promises_anything() {
    let state = ReportState::hear(
        Report {
            interval: Duration::MAX,
            said: Said::Health(Verdict::Healthy),
        },
        at(0),
    );
    assert_eq!(
        state.silent_at(&RULES),
        Some(Timestamp::from_millis(i64::MAX))
    );
    let mut state = report(0, Said::Health(Verdict::Healthy));
    let silence = state.tick(&RULES, at(20)).unwrap();
    assert_eq!(shown(&silence), "20 dead: no report for 20 s");
}

/// A calendar of whole hundreds of seconds.
fn hundreds() -> Rhythm {
    Rhythm::At(Calendar::new("hundreds", |after| {
        Some(at((after.as_secs().div_euclid(100) + 1) * 100))
    }))
}

/// Follows a script: `5 ok`, `7 start`, `9 fail words`, `9 exit3 words`, `9 log`,
/// `20 tick`, `20 down 10` (nobody listened from 10 to 20), each after its second;
/// the answer is what follows.
fn follow(rhythm: Rhythm, script: &str) -> Vec<String> {
    let rules = HeartbeatRules {
        rhythm,
        grace: Duration::from_secs(10),
    };
    let mut state = HeartbeatState::default();
    let mut seen = Vec::new();
    for line in script.split(", ") {
        let mut words = line.splitn(3, ' ');
        let now = at(words.next().unwrap().parse().unwrap());
        let (word, rest) = (words.next().unwrap(), words.next());
        let signal = match word {
            "ok" => Signal::Success,
            "start" => Signal::Start,
            "fail" => Signal::Fail,
            "log" => Signal::Log,
            "tick" => {
                seen.extend(state.tick(&rules, now).as_ref().map(shown));
                continue;
            }
            "down" => {
                let from = at(rest.unwrap().parse().unwrap());
                state.resume(&rules, Gap { from, to: now });
                continue;
            }
            exit => Signal::Exit(exit.strip_prefix("exit").unwrap().parse().unwrap()),
        };
        let (run, said) = match rest {
            Some(run) if run.starts_with('#') => (Some(run), None),
            said => (None, said),
        };
        let call = Call {
            signal,
            run: run.map(Into::into),
            words: said.map(Into::into),
        };
        seen.extend(state.call(&rules, &call, now).iter().map(shown));
    }
    seen
}

fn every(seconds: u64) -> Rhythm {
    Rhythm::Every(Duration::from_secs(seconds))
}

#[test]
fn a_job_is_missed_after_its_grace() {
    let missed = "no call, expected every 1 min 40 s with 10 s of grace";
    assert_eq!(
        follow(
            every(100),
            "5 tick, 10 ok, 119 tick, 120 tick, 500 tick, 600 ok, 709 ok"
        ),
        [
            "10 healthy",
            &format!("120 dead: {missed}"),
            "600 healthy",
            "709 healthy"
        ]
    );
    // A tick that comes late, or not at all, changes nothing.
    assert_eq!(
        follow(every(100), "10 ok, 600 ok"),
        ["10 healthy", &format!("120 dead: {missed}"), "600 healthy"]
    );
    assert_eq!(
        follow(hundreds(), "110 ok, 209 tick, 210 tick"),
        [
            "110 healthy",
            "210 dead: no call, expected hundreds with 10 s of grace"
        ]
    );
}

#[test]
fn a_job_that_never_called_is_not_missed() {
    assert_eq!(
        follow(every(100), "0 tick, 100000 tick, 100001 log"),
        [""; 0]
    );
}

#[test]
fn a_failure_is_told_in_the_jobs_words_and_is_not_missed_as_well() {
    assert_eq!(
        follow(
            every(100),
            "0 ok, 5 fail disk full, 6 exit3, 7 exit3 no route, 1000 tick, 1001 exit0"
        ),
        [
            "0 healthy",
            "5 dead: failed: disk full",
            "6 dead: exit status 3",
            "7 dead: exit status 3: no route",
            "1001 healthy",
        ]
    );
}

#[test]
fn a_run_that_began_must_end_and_is_timed() {
    assert_eq!(
        follow(
            every(100),
            "0 start, 7 ok, 50 start, 53 exit1, 60 start, 69 tick, 70 tick, 71 ok"
        ),
        [
            "7 healthy in 7 s",
            "53 dead in 3 s: exit status 1",
            "70 dead: began and did not end within 10 s",
            "71 healthy",
        ]
    );
    // Of two runs at a time the later is the one that is waited for.
    assert_eq!(
        follow(every(100), "0 start #a, 2 start #b, 4 ok #a, 5 ok #b"),
        ["4 healthy", "5 healthy in 3 s"]
    );
}

#[test]
fn what_was_due_while_nobody_listened_counts_as_come() {
    // Due at 110, down from 105 to 300: the next ones were due at 210 and 310, and
    // that one may have come at 300 already.
    assert_eq!(
        follow(every(100), "10 ok, 300 down 105, 419 tick, 420 tick"),
        [
            "10 healthy",
            "420 dead: no call, expected every 1 min 40 s with 10 s of grace"
        ]
    );
    // Down at a time when no call was near: nothing changes.
    assert_eq!(
        follow(every(100), "10 ok, 90 down 20, 120 tick"),
        [
            "10 healthy",
            "120 dead: no call, expected every 1 min 40 s with 10 s of grace"
        ]
    );
    // Missed before: it stays missed, however late somebody looks.
    assert_eq!(
        follow(every(100), "10 ok, 500 down 121, 500 tick"),
        [
            "10 healthy",
            "120 dead: no call, expected every 1 min 40 s with 10 s of grace"
        ]
    );
    assert_eq!(
        follow(
            hundreds(),
            "110 ok, 395 down 205, 409 tick, 509 tick, 510 tick"
        ),
        [
            "110 healthy",
            "510 dead: no call, expected hundreds with 10 s of grace"
        ]
    );
    // A run under way is believed to have ended.
    assert_eq!(follow(every(100), "0 start, 8 down 5, 99 tick"), [""; 0]);
}
