//! Changes in, notices out.

use watchkeeper_engine::change::{Cause, Change, Event};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::telling::{Interest, Occasion, Told, tell};

use super::story::{assert_lines, at};

fn interest(words: &str) -> Interest {
    let wants = |word| words.split_whitespace().any(|it| it == word);
    Interest {
        dead: wants("dead"),
        sick: wants("sick"),
        recovered: wants("recovered"),
        unknown: wants("unknown"),
    }
}

/// A monitor has one health after the other, each 10 seconds after the one
/// before; `flap-dead` begins flapping held at dead, `steady` ends it.
fn check(route: &str, story: &str, expected: &str) {
    let interest = interest(route);
    let mut told = Told::default();
    let mut health = Health::Unknown;
    let mut seen = Vec::new();
    for (number, word) in (0..).zip(story.split_whitespace()) {
        let now = at(number * 10);
        let event = match word.split_once('-') {
            Some((_, held)) => Event::FlappingStarted {
                at: now,
                health: Health::from_word(held).unwrap(),
                reason: None,
            },
            None if word == "steady" => Event::FlappingEnded { at: now },
            None => {
                let from = health;
                health = Health::from_word(word).unwrap();
                Event::Changed(Change {
                    from,
                    to: health,
                    at: now,
                    since: now,
                    lasted: None,
                    reason: Some("why".into()),
                    cause: Cause::Reading,
                })
            }
        };
        let (next, occasion) = tell(&told, &event, &interest);
        told = next;
        seen.extend(occasion.map(|occasion| format!("{} {}", number * 10, spelled(&occasion))));
    }
    assert_lines(&seen, &expected.replace(',', "\n"));
}

fn spelled(occasion: &Occasion) -> String {
    match occasion {
        Occasion::Outage {
            health,
            since,
            reason,
        } => {
            assert_eq!(reason.as_deref(), Some("why"));
            format!("{health} since {}", since.as_secs())
        }
        Occasion::Flapping { health, .. } => format!("flapping {health}"),
        Occasion::Recovered {
            from,
            since,
            at,
            lasted,
        } => {
            assert_eq!(at.since(*since), *lasted);
            format!("recovered from {from} after {}", lasted.as_secs())
        }
        other => panic!("no event says {other:?}"),
    }
}

#[test]
fn once_per_outage() {
    let default = "dead recovered";
    check(
        default,
        "healthy dead healthy",
        "10 dead since 10, 20 recovered from dead after 10",
    );
    check(default, "healthy dead sick dead sick", "10 dead since 10");
    check(
        default,
        "dead sick healthy",
        "0 dead since 0, 20 recovered from dead after 20",
    );
    check(
        default,
        "dead healthy dead healthy",
        "0 dead since 0, 10 recovered from dead after 10,
         20 dead since 20, 30 recovered from dead after 10",
    );
}

#[test]
fn what_was_not_told_does_not_recover() {
    check("dead recovered", "healthy", "");
    check("dead recovered", "healthy sick healthy unknown healthy", "");
    check("recovered", "healthy dead healthy", "");
    check(
        "dead recovered",
        "sick dead sick healthy",
        "10 dead since 10, 30 recovered from dead after 20",
    );
}

#[test]
fn a_silent_recovery_counts() {
    check(
        "dead",
        "dead healthy dead",
        "0 dead since 0, 20 dead since 20",
    );
    check("dead", "dead sick dead", "0 dead since 0");
    check("", "dead healthy sick unknown flap-dead steady", "");
}

#[test]
fn not_to_know_neither_begins_nor_ends_an_outage() {
    check(
        "dead recovered",
        "dead unknown dead unknown",
        "0 dead since 0",
    );
    check(
        "dead recovered",
        "dead unknown healthy",
        "0 dead since 0, 20 recovered from dead after 20",
    );
    check("dead recovered", "healthy unknown healthy", "");
    check(
        "unknown recovered",
        "healthy unknown healthy",
        "10 unknown since 10, 20 recovered from unknown after 10",
    );
    check("dead unknown", "dead unknown dead", "0 dead since 0");
}

#[test]
fn an_outage_is_told_as_it_gets_worse() {
    check(
        "unknown sick dead recovered",
        "unknown sick dead sick unknown dead healthy sick",
        "0 unknown since 0, 10 sick since 10, 20 dead since 20,
         60 recovered from dead after 60, 70 sick since 70",
    );
}

#[test]
fn one_notice_while_it_flaps() {
    check(
        "dead recovered",
        "dead healthy flap-dead dead steady healthy",
        "0 dead since 0, 10 recovered from dead after 10,
         20 flapping dead, 50 recovered from dead after 30",
    );
    check(
        "dead recovered",
        "dead flap-dead steady",
        "0 dead since 0, 10 flapping dead",
    );
    check("dead recovered", "flap-sick sick steady healthy", "");
    check("dead recovered", "flap-sick sick dead", "20 dead since 20");
    check(
        "dead recovered",
        "dead flap-sick",
        "0 dead since 0, 10 flapping sick",
    );
    check(
        "sick recovered",
        "flap-sick sick steady healthy",
        "0 flapping sick, 30 recovered from sick after 30",
    );
}
