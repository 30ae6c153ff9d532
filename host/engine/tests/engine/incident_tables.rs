//! Incidents as stories: who stands how, and what becomes of it.

use std::time::Duration;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::incident::{
    Book, IncidentId, Move, Refused, Rules, Severity, Stage, Stands,
};
use watchkeeper_engine::time::Timestamp;

/// `10 shop/web=dead<net/gateway` says that at second 10 the shop is dead because
/// of the gateway; a `?` behind it says that it opens no incident.
fn play(book: &mut Book, script: &str) -> Vec<String> {
    let rules = Rules::default();
    let mut told = Vec::new();
    let mut words = script.split_whitespace();
    while let Some(second) = words.next() {
        let now = Timestamp::from_millis(0) + Duration::from_secs(second.parse().unwrap());
        let word = words.next().unwrap();
        let moves = if word == "tick" {
            book.tick(&rules, now)
        } else {
            let (monitor, rest) = word.split_once('=').unwrap();
            let opens = !rest.ends_with('?');
            let (health, root) = match rest.trim_end_matches('?').split_once('<') {
                Some((health, root)) => (health, Some(MonitorId::parse(root).unwrap())),
                None => (rest.trim_end_matches('?'), None),
            };
            let stands = Stands {
                monitor: &MonitorId::parse(monitor).unwrap(),
                health: Health::from_word(health).unwrap(),
                since: now,
                root: root.as_ref(),
                severity: Severity::Major,
                opens,
            };
            book.stand(&stands, &rules, now)
        };
        told.extend(moves.into_iter().map(|(id, moved)| {
            let what = match moved {
                Move::Opened => "opened".to_owned(),
                Move::Reopened => "goes on".to_owned(),
                Move::Part {
                    monitor, to, root, ..
                } => {
                    let because = root.map_or_else(String::new, |root| format!(" < {root}"));
                    format!("{monitor} {to}{because}")
                }
                Move::Left { monitor } => format!("{monitor} left"),
                Move::Worsened(severity) => severity.as_str().to_owned(),
                Move::Stage(stage) => stage.as_str().to_owned(),
                Move::Acknowledged => "acknowledged".to_owned(),
                Move::Judged(severity) => format!("judged {}", severity.as_str()),
                Move::Absorbed(other) => format!("took {other} in"),
                Move::MergedInto(other) => format!("became {other}"),
            };
            format!("{second} #{id} {what}")
        }));
    }
    told
}

fn check(script: &str, expected: &[&str]) {
    let mut book = Book::new([], IncidentId::FIRST);
    assert_eq!(play(&mut book, script), expected, "{script}");
}

#[test]
fn an_outage_is_an_incident_from_its_beginning_to_its_end() {
    check(
        "0 shop/web=dead 5 shop/web=unknown 6 shop/web=dead 10 shop/web=sick 20 shop/web=healthy",
        &[
            "0 #1 opened",
            "0 #1 shop/web dead",
            "10 #1 shop/web sick",
            "20 #1 shop/web healthy",
            "20 #1 resolved",
        ],
    );
}

#[test]
fn it_ends_with_the_last_that_ails() {
    check(
        "0 shop/web=dead 1 shop/db=sick? 2 shop/web=healthy 3 shop/db=healthy",
        &[
            "0 #1 opened",
            "0 #1 shop/web dead",
            "1 #1 shop/db sick",
            "2 #1 shop/web healthy",
            "3 #1 shop/db healthy",
            "3 #1 resolved",
        ],
    );
}

#[test]
fn what_does_not_open_is_no_incident() {
    check("0 shop/web=sick? 9 shop/web=healthy", &[]);
}

#[test]
fn services_behind_one_gateway_are_hit_by_its_incident() {
    check(
        "0 net/gateway=dead 1 shop/web=dead<net/gateway 2 mail/smtp=dead<net/gateway \
         10 net/gateway=healthy 11 shop/web=healthy 12 mail/smtp=dead 20 mail/smtp=healthy",
        &[
            "0 #1 opened",
            "0 #1 net/gateway dead",
            "1 #1 shop/web dead < net/gateway",
            "1 #1 identified",
            "2 #1 mail/smtp dead < net/gateway",
            "10 #1 net/gateway healthy",
            "11 #1 shop/web healthy",
            // Still dead although the gateway is back: an outage of its own.
            "12 #2 opened",
            "12 #2 mail/smtp dead",
            "12 #1 mail/smtp left",
            "12 #1 resolved",
            "20 #2 mail/smtp healthy",
            "20 #2 resolved",
        ],
    );
}

#[test]
fn what_an_outage_explains_goes_with_it() {
    check(
        "0 net/switch=dead 1 shop/web=dead<net/switch 2 dc/power=dead 3 net/switch=dead<dc/power \
         9 dc/power=healthy 10 net/switch=healthy 11 shop/web=healthy",
        &[
            "0 #1 opened",
            "0 #1 net/switch dead",
            "1 #1 shop/web dead < net/switch",
            "1 #1 identified",
            "2 #2 opened",
            "2 #2 dc/power dead",
            "3 #2 net/switch dead < dc/power",
            "3 #2 identified",
            "3 #1 shop/web left",
            "3 #2 shop/web dead < dc/power",
            "3 #1 net/switch left",
            "3 #1 resolved",
            "9 #2 dc/power healthy",
            "10 #2 net/switch healthy",
            "11 #2 shop/web healthy",
            "11 #2 resolved",
        ],
    );
}

#[test]
fn a_service_that_dies_again_soon_goes_on_with_its_incident_and_is_watched() {
    check(
        "0 a/a=dead 10 a/a=healthy 70 a/a=dead 80 a/a=healthy 90 a/a=dead 100 a/a=healthy \
         699 tick 700 tick 2000 a/a=dead",
        &[
            "0 #1 opened",
            "0 #1 a/a dead",
            "10 #1 a/a healthy",
            "10 #1 resolved",
            "70 #1 goes on",
            "70 #1 a/a dead",
            "80 #1 a/a healthy",
            "80 #1 monitoring",
            "90 #1 a/a dead",
            "90 #1 investigating",
            "100 #1 a/a healthy",
            "100 #1 monitoring",
            "700 #1 resolved",
            "2000 #2 opened",
            "2000 #2 a/a dead",
        ],
    );
}

#[test]
fn the_time_of_watching_is_no_outage() {
    let mut book = Book::new([], IncidentId::FIRST);
    play(
        &mut book,
        "0 a/a=dead 10 a/a=healthy 20 a/a=dead 40 a/a=healthy 900 tick",
    );
    let incident = book.get(IncidentId::FIRST).unwrap();
    assert_eq!(
        incident.lasted(Timestamp::default()),
        Duration::from_secs(40)
    );
    assert_eq!((incident.stage, incident.reopened), (Stage::Resolved, 1));
}

#[test]
fn who_takes_it_first_has_it() {
    let mut book = Book::new([], IncidentId::FIRST);
    let id = IncidentId::FIRST;
    let (anna, bo) = ("Anna".into(), "Bo".into());
    let now = Timestamp::from_millis(5);
    assert_eq!(book.acknowledge(id, &anna, now), Err(Refused::Unknown));
    play(&mut book, "0 a/a=dead");
    assert_eq!(
        book.acknowledge(id, &anna, now),
        Ok(Some(Move::Acknowledged))
    );
    assert_eq!(book.acknowledge(id, &bo, now), Ok(None));
    assert_eq!(
        book.get(id).unwrap().acknowledged.as_ref().unwrap().by,
        anna
    );
    play(&mut book, "9 a/a=healthy");
    assert_eq!(book.acknowledge(id, &bo, now), Err(Refused::Over));
    // The same outage again: whoever took it has seen it end.
    play(&mut book, "12 a/a=dead");
    assert_eq!(book.get(id).unwrap().acknowledged, None);
}

#[test]
fn the_book_keeps_what_matters() {
    let mut book = Book::new([], IncidentId::new(7));
    play(
        &mut book,
        "0 a/a=dead 1 a/a=healthy 5 b/b=dead 6 b/b=healthy 7 c/c=dead 8 d/d=dead 9 d/d=healthy",
    );
    let at = |second: i64| Timestamp::from_millis(second * 1000);
    assert_eq!(book.prune(at(6), 10), [IncidentId::new(7)]);
    assert_eq!(book.prune(at(0), 1), [IncidentId::new(8)]);
    let left: Vec<_> = book.iter().map(|(id, _)| id.get()).collect();
    assert_eq!(left, [9, 10]);
    // A monitor that is watched no more is waited for no more.
    book.forget_monitors(|_| false, &Rules::default(), at(20));
    assert_eq!(book.get(IncidentId::new(9)).unwrap().resolved, Some(at(20)));
}
