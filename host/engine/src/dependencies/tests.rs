//! Dependencies, in and out as text.

use proptest::prelude::*;

use super::*;
use crate::change::Cause;

/// The monitor `name` of the service `s`.
fn id(name: &str) -> MonitorId {
    MonitorId::parse(&format!("s/{name}")).unwrap()
}

/// `given` is `child>parent` words; every monitor in `exist` exists.
fn build(exist: &str, given: &str) -> Result<Dependencies, Vec<Problem>> {
    let monitors = exist.split_whitespace().map(id).collect();
    let mut depends_on: BTreeMap<MonitorId, Vec<MonitorId>> = BTreeMap::new();
    for word in given.split_whitespace() {
        let (child, parent) = word.split_once('>').unwrap();
        depends_on.entry(id(child)).or_default().push(id(parent));
    }
    Dependencies::new(&monitors, &depends_on)
}

fn check_problems(exist: &str, given: &str, expected: &str) {
    let seen = match build(exist, given) {
        Ok(_) => "fine".to_owned(),
        Err(problems) => problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    };
    assert_eq!(seen.replace("s/", ""), expected, "for {given:?}");
}

#[test]
fn all_problems_at_once() {
    check_problems("a b c", "a>b b>c a>c a>c", "fine");
    check_problems("a", "", "fine");
    check_problems(
        "a b",
        "a>x a>a b>y",
        "a depends on x, which does not exist; \
        b depends on y, which does not exist; a depends on itself",
    );
    check_problems("a b", "a>b b>a", "a depends on b depends on a: a circle");
    check_problems(
        "a b c d e f g",
        "a>b b>c c>b d>a e>f f>g g>e",
        "b depends on c depends on b: a circle; \
         e depends on f depends on g depends on e: a circle",
    );
    // Two circles that share a monitor are reported as one.
    check_problems(
        "a b c",
        "a>b b>a a>c c>a",
        "a depends on b depends on a: a circle",
    );
}

#[test]
fn a_long_chain_is_no_problem() {
    let names: Vec<String> = (0..20_000).map(|n| format!("m{n}")).collect();
    let links: Vec<String> = names
        .windows(2)
        .map(|it| format!("{}>{}", it[0], it[1]))
        .collect();
    let dependencies = build(&names.join(" "), &links.join(" ")).unwrap();
    let change = change("dead");
    let held = Held {
        child: &id("m0"),
        change: &change,
        patience: Duration::from_mins(1),
    };
    let all_dead = |_: &MonitorId| ParentView {
        health: Health::Dead,
        checked: Checked::NotSince,
    };
    let root = Dependency::Folded { into: id("m19999") };
    assert_eq!(dependencies.hold(&held, change.at, all_dead), root);
}

fn change(to: &str) -> Change {
    Change {
        from: Health::Unknown,
        to: Health::from_word(to).unwrap(),
        at: Timestamp::from_millis(0),
        since: Timestamp::from_millis(0),
        lasted: None,
        reason: None,
        cause: Cause::Reading,
    }
}

/// `a` has become `to`. `given` is `name=health` words with `?` for a monitor not
/// checked since and `~` for one that wavers; `waited` is in seconds out of 60.
fn check_hold(links: &str, to: &str, waited: u64, given: &str, expected: &str) {
    let dependencies = build("a b c d e", links).unwrap();
    let views: BTreeMap<MonitorId, ParentView> = given
        .split_whitespace()
        .map(|word| {
            let (name, health) = word.split_once('=').unwrap();
            let checked = match health.chars().last() {
                Some('?') => Checked::NotSince,
                Some('~') => Checked::Wavering,
                _ => Checked::Settled,
            };
            let health = Health::from_word(health.trim_end_matches(['?', '~'])).unwrap();
            (id(name), ParentView { health, checked })
        })
        .collect();
    let change = change(to);
    let held = Held {
        child: &id("a"),
        change: &change,
        patience: Duration::from_mins(1),
    };
    let now = change.at + Duration::from_secs(waited);
    let seen = match dependencies.hold(&held, now, |monitor| views[monitor]) {
        Dependency::Tell => "tell".to_owned(),
        Dependency::Folded { into } => format!("into {}", into.name()),
        Dependency::AskParents(parents) => {
            let names: Vec<&str> = parents
                .iter()
                .map(|parent| parent.name().as_str())
                .collect();
            format!("ask {}", names.join(" "))
        }
    };
    assert_eq!(seen, expected, "for {to}, {given:?}");
}

#[test]
fn a_death_waits_for_its_parents() {
    check_hold("", "dead", 0, "", "tell");
    check_hold("a>b a>c", "dead", 0, "b=healthy? c=healthy?", "ask b c");
    check_hold("a>b a>c", "dead", 1, "b=healthy c=healthy?", "ask c");
    check_hold("a>b a>c", "dead", 1, "b=healthy~ c=healthy", "ask b");
    check_hold("a>b a>c", "dead", 1, "b=healthy c=sick", "tell");
    check_hold("a>b a>c", "dead", 1, "b=healthy c=unknown", "tell");
    check_hold("a>b a>c", "dead", 60, "b=healthy~ c=healthy?", "tell");
}

#[test]
fn under_a_dead_parent_nothing_is_told_by_itself() {
    check_hold("a>b", "dead", 0, "b=dead?", "into b");
    check_hold("a>b", "dead", 99, "b=dead", "into b");
    check_hold("a>b", "sick", 0, "b=dead", "into b");
    check_hold("a>b a>c", "dead", 1, "b=healthy? c=dead", "into c");
    check_hold(
        "a>b b>c c>d b>e",
        "dead",
        1,
        "b=dead c=dead d=healthy e=dead",
        "into c",
    );
}

#[test]
fn only_deaths_wait_and_recoveries_never_do() {
    check_hold("a>b", "sick", 0, "b=healthy?", "tell");
    check_hold("a>b", "healthy", 0, "b=dead", "tell");
    check_hold("a>b", "unknown", 0, "b=dead", "tell");
}

#[test]
fn a_folded_change_is_told_if_it_outlives_its_parents() {
    for (health, checked, expected) in [
        (Health::Healthy, Checked::NotSince, Release::Forget),
        (Health::Dead, Checked::NotSince, Release::AskChild),
        (Health::Dead, Checked::Wavering, Release::AskChild),
        (Health::Dead, Checked::Settled, Release::Tell),
        (Health::Sick, Checked::Settled, Release::Tell),
        (Health::Unknown, Checked::NotSince, Release::AskChild),
    ] {
        assert_eq!(release(ParentView { health, checked }), expected);
    }
}

proptest! {
    /// A graph whose links all lead to a later monitor is accepted; one more
    /// link that closes a way is not.
    #[test]
    fn circles_are_found_and_only_circles(
        links in proptest::collection::vec((0_usize..8, 0_usize..8), 1..20),
    ) {
        let name = |index: usize| format!("m{index}");
        let exist: Vec<String> = (0..8).map(name).collect();
        let up: Vec<(usize, usize)> = links
            .iter()
            .map(|(a, b)| (*a.min(b), *a.max(b)))
            .filter(|(a, b)| a != b)
            .collect();
        let text = |links: &[(usize, usize)]| {
            links.iter().map(|(a, b)| format!("{}>{}", name(*a), name(*b))).collect::<Vec<_>>().join(" ")
        };
        prop_assert!(build(&exist.join(" "), &text(&up)).is_ok());
        if let Some((a, b)) = up.first() {
            let mut closed = up.clone();
            closed.push((*b, *a));
            let problems = build(&exist.join(" "), &text(&closed)).unwrap_err();
            for problem in problems {
                let Problem::Circle { monitors } = problem else {
                    return Err(TestCaseError::fail("not a circle"));
                };
                prop_assert!(monitors.len() > 1);
                for (index, child) in monitors.iter().enumerate() {
                    let parent = &monitors[(index + 1) % monitors.len()];
                    let link = format!("{}>{}", child.name(), parent.name());
                    prop_assert!(text(&closed).split(' ').any(|it| it == link));
                }
            }
        }
    }
}
