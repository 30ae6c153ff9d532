//! Reminders, escalation, folding and pace as tables.

use std::time::Duration;

use watchkeeper_engine::change::{Cause, Change, Event};
use watchkeeper_engine::folding::{Bundle, Line, MOST_WAITING, Window, fold};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::pacing::{Pace, Rate};
use watchkeeper_engine::reminding::{Backoff, Plan, Reminders};
use watchkeeper_engine::telling::{Interest, Occasion, Told, ToldOutage, sleep_through, tell};
use watchkeeper_engine::time::Timestamp;

use super::story::at;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The gaps between the first notice and the reminders, looked at every second.
fn gaps(backoff: Backoff, limit: u32, count: usize) -> Vec<i64> {
    let plan = Plan {
        reminders: Some(Reminders {
            every: secs(10),
            backoff,
            limit,
        }),
        steps: Vec::new(),
    };
    let mut outage = ToldOutage::new(Health::Dead, at(0), at(0));
    let (mut before, mut gaps) = (0, Vec::new());
    for second in 0..1_000_000 {
        let (after, due) = plan.take(&outage, None, at(second));
        outage = after;
        if let Some(number) = due.reminder {
            gaps.push(second - before);
            before = second;
            assert_eq!(usize::try_from(number).unwrap(), gaps.len());
        }
        if gaps.len() == count {
            break;
        }
    }
    gaps
}

#[test]
fn pauses_between_reminders_are_vigils() {
    assert_eq!(gaps(Backoff::Linear, 3, 6), [10, 20, 30, 30, 30, 30]);
    assert_eq!(gaps(Backoff::None, 3, 4), [10, 10, 10, 10]);
    assert_eq!(gaps(Backoff::Square, 3, 5), [10, 40, 90, 90, 90]);
    assert_eq!(gaps(Backoff::Cubic, 4, 6), [10, 80, 270, 640, 640, 640]);
    assert_eq!(gaps(Backoff::Cubic, 1, 3), [10, 10, 10]);
    // A limit of zero is no limit that could be configured; it must not stop time.
    assert_eq!(gaps(Backoff::Cubic, 0, 2), [10, 10]);
}

#[test]
fn a_late_reminder_is_one_reminder() {
    let plan = Plan {
        reminders: Some(Reminders {
            every: secs(10),
            backoff: Backoff::None,
            limit: 3,
        }),
        steps: vec![secs(5), secs(60), secs(3600)],
    };
    let outage = ToldOutage::new(Health::Dead, at(0), at(0));
    assert_eq!(plan.next(&outage, None), Some(at(5)));
    let (after, due) = plan.take(&outage, None, at(100));
    assert_eq!((due.reminder, due.steps), (Some(1), 0..2));
    assert_eq!(plan.next(&after, None), Some(at(110)));
    let (again, due) = plan.take(&after, None, at(100));
    assert_eq!((due.reminder, due.steps), (None, 2..2));
    assert_eq!(again, after);
}

#[test]
fn a_hush_is_of_reminders_only() {
    let plan = Plan {
        reminders: Some(Reminders {
            every: secs(10),
            backoff: Backoff::None,
            limit: 3,
        }),
        steps: vec![secs(20)],
    };
    let outage = ToldOutage::new(Health::Dead, at(0), at(0));
    let (outage, due) = plan.take(&outage, Some(at(50)), at(30));
    assert_eq!((due.reminder, due.steps), (None, 0..1));
    assert_eq!(plan.next(&outage, Some(at(50))), Some(at(50)));
    let (_, due) = plan.take(&outage, Some(at(50)), at(50));
    assert_eq!(due.reminder, Some(1));
}

#[test]
fn a_shorter_escalation_takes_nothing_back() {
    let plan = Plan::default();
    let outage = ToldOutage {
        steps: 3,
        ..ToldOutage::new(Health::Dead, at(0), at(0))
    };
    assert_eq!(plan.next(&outage, None), None);
    let (after, due) = plan.take(&outage, None, at(1000));
    assert_eq!((due.reminder, due.steps.len(), after.steps), (None, 0, 3));
}

fn change(to: Health, second: i64) -> Event {
    Event::Changed(Change {
        from: Health::Unknown,
        to,
        at: at(second),
        since: at(second),
        lasted: None,
        reason: None,
        cause: Cause::Reading,
    })
}

#[test]
fn an_end_that_was_slept_through_is_told_later_with_its_time() {
    let all = Interest::ALL;
    let (told, _) = tell(&Told::default(), &change(Health::Dead, 10), &all);
    let told = sleep_through(&told, &change(Health::Sick, 20));
    let told = sleep_through(&told, &change(Health::Healthy, 30));
    let told = sleep_through(&told, &change(Health::Healthy, 40));
    let (after, occasion) = tell(&told, &change(Health::Healthy, 50), &all);
    assert_eq!(after, Told::default());
    assert_eq!(
        occasion,
        Some(Occasion::Recovered {
            from: Health::Dead,
            since: at(10),
            at: at(30),
            lasted: secs(20),
        })
    );
    // What begins after it is an outage of its own.
    let (again, occasion) = tell(&told, &change(Health::Dead, 60), &all);
    assert!(matches!(occasion, Some(Occasion::Outage { .. })));
    assert_eq!(again.outage.unwrap().since, at(60));
    // And what was never told needs no end.
    let never = sleep_through(&Told::default(), &change(Health::Healthy, 5));
    assert_eq!(never, Told::default());
}

/// `a:dead@3` is one line; `healthy` recovers from 0, `remind` reminds.
fn line(text: &str) -> Line {
    let (monitor, rest) = text.split_once(':').unwrap();
    let (word, second) = rest.split_once('@').unwrap();
    let second: i64 = second.parse().unwrap();
    let occasion = match word {
        "healthy" => Occasion::Recovered {
            from: Health::Dead,
            since: at(0),
            at: at(second),
            lasted: at(second).since(at(0)),
        },
        "remind" => Occasion::Reminder {
            health: Health::Dead,
            since: at(0),
            reason: None,
            number: 1,
        },
        "flap" => Occasion::Flapping {
            health: Health::Dead,
            since: at(second),
            reason: None,
        },
        "up" => Occasion::Escalated {
            health: Health::Dead,
            since: at(0),
            reason: None,
        },
        health => Occasion::Outage {
            health: Health::from_word(health).unwrap(),
            since: at(second),
            reason: None,
        },
    };
    Line {
        monitor: MonitorId::parse(&format!("s/{monitor}")).unwrap(),
        began: at(0),
        previous: None,
        occasion,
    }
}

fn lines(texts: &str) -> Vec<Line> {
    texts.split_whitespace().map(line).collect()
}

fn spelled(lines: &[Line]) -> String {
    let each = lines.iter().map(|line| {
        let what = match &line.occasion {
            Occasion::Outage { health, .. } => health.as_str(),
            Occasion::Flapping { .. } => "flap",
            Occasion::Recovered { .. } => "healthy",
            Occasion::Passed { .. } => "passed",
            Occasion::Reminder { .. } => "remind",
            Occasion::Escalated { .. } => "up",
        };
        format!("{}:{what}", line.monitor.name())
    });
    each.collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_of_one_monitor_fold() {
    for (before, after) in [
        ("a:dead@1 b:dead@2 a:healthy@3", "a:passed b:dead"),
        ("a:sick@1 a:dead@2", "a:dead"),
        ("a:healthy@1 a:dead@2", "a:healthy a:dead"),
        ("a:dead@1 a:healthy@2 a:dead@3", "a:passed a:dead"),
        (
            "a:dead@1 a:healthy@2 a:dead@3 a:healthy@4",
            "a:passed a:passed",
        ),
        ("a:remind@1 a:remind@2", "a:remind"),
        ("a:remind@1 a:healthy@2", "a:healthy"),
        ("a:dead@1 a:remind@2", "a:dead"),
        ("a:up@1 a:remind@1 a:healthy@2", "a:passed"),
        ("a:dead@1 a:flap@2", "a:flap"),
        ("a:flap@1 a:dead@2", "a:flap a:dead"),
        ("a:flap@1 a:healthy@2", "a:passed"),
    ] {
        assert_eq!(spelled(&fold(lines(before))), after, "{before}");
    }
}

/// Lines in, each at its second, into a window of ten; bundles out.
fn windowed(wait: u64, texts: &str, until: i64) -> Vec<String> {
    let mut window = Window::default();
    let mut out = Vec::new();
    let mut waiting = lines(texts).into_iter().peekable();
    let second_of = |line: &Line| match &line.occasion {
        Occasion::Recovered { at, .. } => at.as_secs(),
        other => other.since().as_secs(),
    };
    for second in 0..until {
        let mut tell = |bundle: Option<Bundle>| {
            out.extend(bundle.map(|it| format!("{second} {}", spelled(&it.lines))));
        };
        tell(window.release(at(second), secs(wait)));
        while let Some(line) = waiting.next_if(|line| second_of(line) <= second) {
            tell(window.offer(vec![line], at(second), secs(wait)));
        }
    }
    out
}

#[test]
fn the_first_goes_at_once_and_the_rest_together() {
    assert_eq!(
        windowed(
            10,
            "a:dead@1 b:dead@3 c:dead@4 b:healthy@5 d:dead@15 e:dead@40",
            60
        ),
        ["1 a:dead", "11 b:passed c:dead", "21 d:dead", "40 e:dead",]
    );
    assert_eq!(
        windowed(0, "a:dead@1 b:dead@1 a:healthy@2", 10),
        ["1 a:dead", "1 b:dead", "2 a:healthy"]
    );
}

#[test]
fn a_reminder_keeps_nothing_waiting() {
    let mut window = Window::default();
    let reminder = || lines("a:remind@1");
    assert!(window.offer(reminder(), at(5), secs(10)).is_some());
    let news = lines("a:healthy@6");
    assert!(window.offer(news, at(6), secs(10)).is_some());
    assert!(window.offer(reminder(), at(7), secs(10)).is_none());
    assert!(window.release(at(16), secs(10)).is_some());
    assert_eq!(window.until, None);
}

#[test]
fn a_window_outlives_neither_a_clock_set_back_nor_its_rule() {
    let mut window = Window::default();
    assert!(
        window
            .offer(lines("a:dead@1"), at(1000), secs(10))
            .is_some()
    );
    assert!(
        window
            .offer(lines("b:dead@1"), at(1001), secs(10))
            .is_none()
    );
    assert!(window.release(at(5), secs(10)).is_some());
    assert!(window.offer(lines("c:dead@1"), at(6), secs(10)).is_none());
    assert!(window.release(at(6), secs(0)).is_some());
}

#[test]
fn what_waits_is_bounded_and_counted() {
    let mut bundle = Bundle::default();
    for number in 0..MOST_WAITING + 7 {
        bundle.add(vec![line(&format!("m{number}:dead@1"))]);
    }
    bundle.add(lines("m3:healthy@2"));
    assert_eq!((bundle.lines.len(), bundle.more), (MOST_WAITING, 7));
}

#[test]
fn what_is_too_much_becomes_a_summary() {
    let rate = Some(Rate {
        notices: 2,
        per: secs(60),
    });
    let bundle = |texts: &str| Bundle {
        lines: lines(texts),
        ..Bundle::default()
    };
    let mut pace = Pace::default();
    assert!(pace.offer(bundle("a:dead@1"), rate, at(0)).is_some());
    assert!(pace.offer(bundle("b:dead@1"), rate, at(10)).is_some());
    assert!(pace.offer(bundle("c:dead@1"), rate, at(20)).is_none());
    assert!(
        pace.offer(bundle("d:dead@1 c:healthy@2"), rate, at(30))
            .is_none()
    );
    assert_eq!(pace.due_at(rate, at(30)), Some(at(60)));
    assert_eq!(pace.release(rate, at(59)), None);
    let summary = pace.release(rate, at(60)).unwrap();
    assert_eq!(spelled(&summary.lines), "c:passed d:dead");
    assert_eq!(summary.folded, 2);
    assert_eq!(pace.due_at(rate, at(60)), None);
    // The summary counts as well.
    assert!(pace.offer(bundle("e:dead@1"), rate, at(61)).is_none());
    assert_eq!(pace.due_at(rate, at(61)), Some(at(70)));
    // Without a rate, what waits goes with the next look.
    assert_eq!(pace.due_at(None, at(62)), Some(at(62)));
    assert!(pace.release(None, at(62)).is_some());
}

#[test]
fn an_empty_past_is_a_point_in_time() {
    assert_eq!(Timestamp::default(), at(0));
    assert_eq!(Window::default().due_at(), None);
    assert_eq!(Pace::default().due_at(None, at(0)), None);
}
