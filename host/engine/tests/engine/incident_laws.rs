//! What holds for all incidents, whatever happens in whatever order.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::incident::{
    Book, Incident, IncidentId, Move, Origin, Rules, Severity, Stage, Stands,
};
use watchkeeper_engine::time::Timestamp;

use super::arbitrary::health;

/// Two monitors of each of three services.
const MONITORS: [&str; 6] = ["a/1", "a/2", "b/1", "b/2", "c/1", "c/2"];

#[derive(Clone, Debug)]
enum Act {
    Stand {
        monitor: usize,
        health: Health,
        /// What explains it; only monitors that come before it in the list do.
        root: Option<usize>,
        opens: bool,
    },
    Tick,
    Acknowledge,
    Forget(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let stand = (
        0..MONITORS.len(),
        health(),
        prop::option::of(0..MONITORS.len()),
        any::<bool>(),
    );
    prop_oneof![
        10 => stand.prop_map(|(monitor, health, root, opens)| Act::Stand {
            monitor,
            health,
            root: root.filter(|root| *root < monitor),
            opens,
        }),
        3 => Just(Act::Tick),
        1 => Just(Act::Acknowledge),
        1 => (0..MONITORS.len()).prop_map(Act::Forget),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (any::<bool>(), 0_u64..60).prop_map(|(automatic, seconds)| Rules {
        automatic,
        sick_after: None,
        reopen_within: Duration::from_secs(seconds),
    })
}

fn monitor(index: usize) -> MonitorId {
    MonitorId::parse(MONITORS[index]).unwrap()
}

fn carry_out(book: &mut Book, act: &Act, rules: &Rules, now: Timestamp) -> Vec<(IncidentId, Move)> {
    match act {
        Act::Stand {
            monitor: index,
            health,
            root,
            opens,
        } => {
            let (id, root) = (monitor(*index), root.map(monitor));
            let stands = Stands {
                monitor: &id,
                health: *health,
                since: now,
                root: root.as_ref(),
                severity: Severity::Major,
                opens: *opens,
            };
            book.stand(&stands, rules, now)
        }
        Act::Tick => book.tick(rules, now),
        Act::Acknowledge => {
            let open = book.iter().find(|(_, it)| it.is_open()).map(|(id, _)| id);
            let moved = open.map(|id| (id, book.acknowledge(id, &"me".into(), now).unwrap()));
            moved
                .and_then(|(id, moved)| Some((id, moved?)))
                .into_iter()
                .collect()
        }
        Act::Forget(index) => {
            let gone = monitor(*index);
            book.forget_monitors(|id| *id != gone, rules, now)
        }
    }
}

fn assert_whole(book: &Book) -> Result<(), TestCaseError> {
    let mut open_of = BTreeMap::new();
    let mut ailing = BTreeMap::new();
    for (id, incident) in book.iter() {
        let ails = incident.parts.values().any(|part| part.ails);
        if incident.is_open() {
            prop_assert!(ails || incident.well_since.is_some());
            prop_assert_eq!(open_of.insert(incident.service.clone(), id), None);
            for (monitor, _) in incident.parts.iter().filter(|(_, part)| part.ails) {
                prop_assert_eq!(ailing.insert(monitor.clone(), id), None);
            }
        } else {
            prop_assert!(!ails, "it is over, and something ails");
            prop_assert!(incident.resolved >= Some(incident.started));
        }
        prop_assert_eq!(incident.is_open(), incident.stage != Stage::Resolved);
        prop_assert_eq!(ails, incident.well_since.is_none());
        prop_assert_eq!(incident.origin, Origin::Outage);
        for part in incident.parts.values() {
            prop_assert!(part.health != Health::Unknown && part.health <= part.worst);
        }
    }
    Ok(())
}

/// A timeline opens once, ends and goes on by turns.
fn assert_told(moves: &[(IncidentId, Move)], book: &Book) -> Result<(), TestCaseError> {
    let mut over: BTreeMap<IncidentId, bool> = BTreeMap::new();
    for (id, moved) in moves {
        match moved {
            Move::Opened => prop_assert_eq!(over.insert(*id, false), None),
            Move::Reopened => prop_assert_eq!(over.insert(*id, false), Some(true)),
            Move::Stage(Stage::Resolved) => prop_assert_eq!(over.insert(*id, true), Some(false)),
            Move::Part { from, to, root, .. } => {
                prop_assert!(from != to || root.is_some() || *to != Health::Healthy);
                prop_assert_eq!(over.get(id), Some(&false));
            }
            Move::Left { .. }
            | Move::Worsened(_)
            | Move::Stage(_)
            | Move::Acknowledged
            | Move::Judged(_)
            | Move::Absorbed(_)
            | Move::MergedInto(_) => {
                prop_assert_eq!(over.get(id), Some(&false));
            }
        }
    }
    for (id, over) in over {
        prop_assert_eq!(book.get(id).map(Incident::is_open), Some(!over));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn incidents_are_whole_whatever_happens(
        rules in rules(),
        story in prop::collection::vec((0_u64..40, act()), 1..60),
    ) {
        let mut book = Book::new([], IncidentId::FIRST);
        let mut now = Timestamp::from_millis(1_000_000);
        let mut told = Vec::new();
        for (seconds, act) in &story {
            now = now + Duration::from_secs(*seconds);
            let before: BTreeMap<_, _> = book.iter().map(|(id, it)| (id, it.clone())).collect();
            let moves = carry_out(&mut book, act, &rules, now);
            // What happened to an incident is told, and what is told happened.
            for (id, incident) in book.iter() {
                let moved = moves.iter().any(|(of, _)| *of == id);
                prop_assert!(moved || before.get(&id) == Some(incident));
                if let Some(before) = before.get(&id) {
                    prop_assert!(before.severity <= incident.severity);
                    prop_assert_eq!(before.started, incident.started);
                    prop_assert!(before.acknowledged.is_none() || before.reopened < incident.reopened || before.acknowledged == incident.acknowledged);
                }
            }
            told.extend(moves);
            assert_whole(&book)?;
            // The same said twice is said once.
            let again = carry_out(&mut book, act, &rules, now);
            if matches!(act, Act::Stand { .. }) {
                prop_assert_eq!(&again, &Vec::new(), "{:?}", act);
            }
            told.extend(again);
            prop_assert_eq!(rules.automatic || told.is_empty(), true);
        }
        assert_told(&told, &book)?;
        // Another process goes on where this one stopped.
        let next = book.iter().map(|(id, _)| id.next()).max().unwrap_or(IncidentId::FIRST);
        let known = book.iter().map(|(id, it)| (id, it.clone()));
        prop_assert_eq!(Book::new(known, next), book.clone());
    }

    #[test]
    fn outages_close_together_are_one_incident(
        pauses in prop::collection::vec((1_u64..100, 0_u64..599), 1..20),
    ) {
        let rules = Rules::default();
        let mut book = Book::new([], IncidentId::FIRST);
        let mut now = Timestamp::from_millis(0);
        let id = monitor(0);
        let say = |book: &mut Book, health, now| {
            let stands = Stands {
                monitor: &id,
                health,
                since: now,
                root: None,
                severity: Severity::Critical,
                opens: true,
            };
            book.stand(&stands, &rules, now)
        };
        let mut resolved = 0;
        for (down, up) in pauses {
            now = now + Duration::from_secs(up);
            let ticked = book.tick(&rules, now);
            resolved += ticked.iter().filter(|(_, it)| *it == Move::Stage(Stage::Resolved)).count();
            say(&mut book, Health::Dead, now);
            now = now + Duration::from_secs(down);
            let moves = say(&mut book, Health::Healthy, now);
            resolved += moves.iter().filter(|(_, it)| *it == Move::Stage(Stage::Resolved)).count();
        }
        prop_assert_eq!(book.iter().count(), 1);
        prop_assert_eq!(resolved, 1, "it is called over once, and then watched");
        let moves = book.tick(&rules, now + rules.reopen_within);
        let open = book.iter().filter(|(_, it)| it.is_open()).count();
        prop_assert_eq!(open, 0, "{:?}", moves);
    }
}
