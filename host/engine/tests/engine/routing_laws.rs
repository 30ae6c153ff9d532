//! What holds for every route: nothing is lost, nothing is told in the wrong order,
//! nobody gets more than was agreed.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use watchkeeper_engine::folding::{Bundle, Line, Window, fold};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::pacing::{Pace, Rate};
use watchkeeper_engine::reminding::{Backoff, Plan, Reminders};
use watchkeeper_engine::telling::{Occasion, ToldOutage};
use watchkeeper_engine::time::Timestamp;

fn backoff() -> impl Strategy<Value = Backoff> {
    prop::sample::select(Backoff::WORDS.map(|(_, backoff)| backoff).to_vec())
}

fn plan() -> impl Strategy<Value = Plan> {
    let reminders =
        (1_u64..500, backoff(), 1_u32..6).prop_map(|(every, backoff, limit)| Reminders {
            every: Duration::from_secs(every),
            backoff,
            limit,
        });
    let steps = prop::collection::btree_set(0_u64..5_000, 0..4);
    (prop::option::of(reminders), steps).prop_map(|(reminders, steps)| Plan {
        reminders,
        steps: steps.into_iter().map(Duration::from_secs).collect(),
    })
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(0) + Duration::from_secs(second)
}

/// Which of four monitors goes down or comes back, and how many seconds later.
fn story() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((0_u64..25, 0_usize..4), 1..60)
}

/// The lines of a story, each with its second: monitors go down and come back in
/// turn.
fn told(story: &[(u64, usize)]) -> Vec<(u64, Line)> {
    let mut now = 0;
    let mut down: BTreeMap<usize, u64> = BTreeMap::new();
    let mut lines = Vec::new();
    for (pause, monitor) in story {
        now += pause;
        let occasion = match down.remove(monitor) {
            None => {
                down.insert(*monitor, now);
                Occasion::Outage {
                    health: Health::Dead,
                    since: at(now),
                    reason: None,
                }
            }
            Some(since) => Occasion::Recovered {
                from: Health::Dead,
                since: at(since),
                at: at(now),
                lasted: Duration::from_secs(now - since),
            },
        };
        let monitor = MonitorId::parse(&format!("s/m{monitor}")).unwrap();
        lines.push((
            now,
            Line {
                monitor,
                began: at(0),
                previous: None,
                occasion,
            },
        ));
    }
    lines
}

/// What a reader believes: who is down. Fails where an end comes before its
/// beginning, or a beginning twice.
fn read(belief: &mut BTreeMap<MonitorId, Timestamp>, line: &Line) -> Result<(), TestCaseError> {
    match &line.occasion {
        Occasion::Outage { since, .. } => {
            let before = belief.insert(line.monitor.clone(), *since);
            prop_assert_eq!(before, None, "{} down twice", &line.monitor);
        }
        Occasion::Recovered { since, .. } => {
            prop_assert_eq!(belief.remove(&line.monitor), Some(*since));
        }
        Occasion::Passed { .. } => prop_assert!(!belief.contains_key(&line.monitor)),
        other => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_due_is_done_once_and_in_time(
        plan in plan(),
        looks in prop::collection::vec(1_u64..900, 1..60),
    ) {
        let mut outage = ToldOutage::new(Health::Dead, at(0), at(0));
        let (mut now, mut steps, mut reminders) = (0, 0, 0);
        for pause in looks {
            now += pause;
            let next = plan.next(&outage, None);
            let (after, due) = plan.take(&outage, None, at(now));
            let is_due = next.is_some_and(|next| next <= at(now));
            prop_assert_eq!(is_due, due.reminder.is_some() || !due.steps.is_empty());
            prop_assert_eq!(due.steps.start, steps, "no step is left out or taken twice");
            steps = due.steps.end;
            if let Some(number) = due.reminder {
                reminders += 1;
                prop_assert_eq!(number, reminders);
            }
            prop_assert!(plan.next(&after, None).is_none_or(|next| next > at(now)));
            outage = after;
        }
    }

    #[test]
    fn folding_keeps_what_a_reader_believes(story in story()) {
        let lines: Vec<Line> = told(&story).into_iter().map(|(_, line)| line).collect();
        let folded = fold(lines.clone());
        prop_assert!(folded.len() <= lines.len());
        prop_assert_eq!(fold(folded.clone()), folded.clone(), "folding twice changes nothing");
        let (mut plain, mut short) = (BTreeMap::new(), BTreeMap::new());
        for line in &lines {
            read(&mut plain, line)?;
        }
        for line in &folded {
            read(&mut short, line)?;
        }
        prop_assert_eq!(plain, short);
    }

    #[test]
    fn a_reader_behind_window_and_rate_believes_the_truth(
        story in story(),
        wait in 0_u64..30,
        notices in 1_u32..4,
        per in 1_u64..60,
        restarts in any::<u64>(),
    ) {
        let (wait, per) = (Duration::from_secs(wait), Duration::from_secs(per));
        let rate = Some(Rate { notices, per });
        let mut lines = told(&story).into_iter().peekable();
        let end = story.iter().map(|(pause, _)| pause).sum::<u64>() + 200;
        let (mut window, mut pace) = (Window::default(), Pace::default());
        let (mut belief, mut truth) = (BTreeMap::new(), BTreeMap::new());
        let mut sent: Vec<Timestamp> = Vec::new();
        let mut let_go: Vec<Timestamp> = Vec::new();
        for second in 0..=end {
            let now = at(second);
            // All there is to know is in the two states.
            if restarts >> (second % 64) & 1 == 1 {
                (window, pace) = (window.clone(), pace.clone());
            }
            let mut out: Vec<Bundle> = pace.release(rate, now).into_iter().collect();
            let mut bundles: Vec<Bundle> = window.release(now, wait).into_iter().collect();
            while let Some((_, line)) = lines.next_if(|(when, _)| *when <= second) {
                read(&mut truth, &line)?;
                bundles.extend(window.offer(vec![line], now, wait));
            }
            let_go.extend(bundles.iter().map(|_| now));
            for bundle in bundles {
                out.extend(pace.offer(bundle, rate, now));
            }
            for bundle in out {
                sent.push(now);
                prop_assert_eq!(bundle.more, 0);
                for line in &bundle.lines {
                    read(&mut belief, line)?;
                }
            }
            prop_assert!(window.due_at().is_none_or(|due| due > now));
            prop_assert!(pace.due_at(rate, now).is_none_or(|due| due > now));
        }
        prop_assert_eq!(belief, truth);
        prop_assert!(let_go.windows(2).all(|pair| pair[1].since(pair[0]) >= wait));
        let most = usize::try_from(notices).unwrap();
        prop_assert!(sent.windows(most + 1).all(|times| times[most].since(times[0]) >= per));
    }
}
