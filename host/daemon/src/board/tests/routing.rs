//! Routes as tables: who is told what, when and how often, through restarts.

use super::*;

const START: &str = r#"
[defaults]
every = "10s"
timeout = "2s"
retry = { times = 0 }
stale_after = "30d"
flap = false

[[service]]
id = "s"
label = "S"
tags = ["prod"]
[[service.monitor]]
id = "a"
targets = ["tcp://a:1"]
[[service.monitor]]
id = "b"
targets = ["tcp://b:1"]
[[service.monitor]]
id = "c"
targets = ["tcp://c:1"]
tags = ["night"]

[[channel]]
id = "ops"
notifier = "webhook"
config = { url = "http://hook:1/" }
[[channel]]
id = "boss"
notifier = "webhook"
config = { url = "http://hook:1/" }
"#;

/// `script` as in [`check_with`]; each line of `expected` is the second, the channel
/// and the title, or for a notice of several the number of its changes.
#[track_caller]
fn check_routes(routes: &str, script: &str, expected: &[&str]) -> Table {
    check_all(&format!("{START}{routes}"), script, expected)
}

#[track_caller]
fn check_all(config: &str, script: &str, expected: &[&str]) -> Table {
    let mut table = Table::new(config);
    table.step("+1");
    script.split_whitespace().for_each(|word| table.step(word));
    let told: Vec<_> = table
        .posted
        .iter()
        .map(|(second, channel, notice)| {
            format!("{second} {channel} {}", notice.title.replace("S: ", ""))
        })
        .collect();
    assert_eq!(told, expected, "{script}");
    table
}

const PLAIN: &str = "[[route]]\nto = [\"ops\"]\n";

#[test]
fn the_first_goes_at_once_and_what_follows_together() {
    let table = check_routes(
        PLAIN,
        "a:1=dead +1 b:1=dead +1 c:1=dead +1 b:1=healthy +20 a:1=healthy +20",
        &[
            "1 ops a is dead: refused",
            "11 ops 2 changes: 1 healthy again after a short outage, 1 dead",
            "24 ops a is healthy again after 23 s",
        ],
    );
    let (_, _, notice) = &table.posted[1];
    assert_eq!(
        notice.body,
        "S: b was dead for 2 s and is healthy again. It was dead from 1970-01-01 00:00:02 UTC to 1970-01-01 00:00:04 UTC.\n\
         S: c is dead: refused. Since 1970-01-01 00:00:03 UTC."
    );
    assert_eq!(notice.health, crate::notice::Word(Health::Dead));
    assert_eq!(notice.affected.len(), 2);
    // One outage is one thread.
    assert_eq!(table.posted[0].2.thread, table.posted[2].2.thread);
    assert_ne!(table.posted[0].2.thread, table.posted[1].2.thread);
}

#[test]
fn what_is_gathered_outlives_the_process() {
    check_routes(
        PLAIN,
        "a:1=dead +1 b:1=dead restart +4 restart c:1=dead +20",
        &["1 ops a is dead: refused", "11 ops 2 changes: 2 dead"],
    );
}

const REMINDERS: &str =
    "[[route]]\nto = [\"ops\"]\nreminders = { every = \"10s\", backoff = \"linear\", limit = 3 }\n";

#[test]
fn reminders_are_vigils_and_go_on_after_a_restart() {
    let expected = [
        "1 ops a is dead: refused",
        "11 ops a is still dead after 10 s: refused",
        "31 ops a is still dead after 30 s: refused",
        "61 ops a is still dead after 1 min: refused",
        "91 ops a is still dead after 1 min 30 s: refused",
        "101 ops a is healthy again after 1 min 40 s",
    ];
    let table = check_routes(REMINDERS, "a:1=dead +100 a:1=healthy +100", &expected);
    let numbers: Vec<_> = table.posted.iter().map(|it| it.2.reminder).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 0]);
    assert_eq!(table.posted[2].2.lasted_ms, Some(30_000));
    assert!(table.posted.iter().all(|it| it.2.thread == "s/a@1000"));
    check_routes(
        REMINDERS,
        "a:1=dead +5 restart +25 restart +40 restart +30 a:1=healthy restart +100",
        &expected,
    );
}

#[test]
fn the_counter_begins_anew_with_each_outage() {
    check_routes(
        REMINDERS,
        "a:1=dead +35 a:1=healthy +20 a:1=dead +11",
        &[
            "1 ops a is dead: refused",
            "11 ops a is still dead after 10 s: refused",
            "31 ops a is still dead after 30 s: refused",
            "36 ops a is healthy again after 35 s",
            "56 ops a is dead: refused",
            "66 ops a is still dead after 10 s: refused",
        ],
    );
}

#[test]
fn reminders_that_are_due_together_are_one() {
    check_routes(
        &format!("{REMINDERS}group_wait = \"0s\"\n"),
        "a:1=dead b:1=dead +11",
        &[
            "1 ops a is dead: refused",
            "1 ops b is dead: refused",
            "11 ops Reminder of 2 outages: 2 still dead",
        ],
    );
}

#[test]
fn nobody_is_reminded_of_what_somebody_has_taken_on() {
    check_routes(
        &format!("{REMINDERS}escalate = [{{ after = \"20s\", to = [\"boss\"] }}]\n"),
        "a:1=dead +15 ack:s/a +100 a:1=healthy +20 a:1=dead +11",
        &[
            "1 ops a is dead: refused",
            "11 ops a is still dead after 10 s: refused",
            "116 ops a is healthy again after 1 min 55 s",
            "136 ops a is dead: refused",
            "146 ops a is still dead after 10 s: refused",
        ],
    );
}

#[test]
fn a_hush_silences_reminders_alone() {
    check_routes(
        REMINDERS,
        "hush:60 a:1=dead +10 b:1=dead restart +60",
        &[
            "1 ops a is dead: refused",
            "11 ops b is dead: refused",
            "61 ops Reminder of 2 outages: 2 still dead",
        ],
    );
    check_routes(
        REMINDERS,
        "hush:60 a:1=dead +30 hush:0 +1",
        &[
            "1 ops a is dead: refused",
            "32 ops a is still dead after 31 s: refused",
        ],
    );
}

#[test]
fn who_wants_reminders_only_hears_nothing_else() {
    check_routes(
        &format!("{REMINDERS}reminders_only = true\n"),
        "a:1=dead +15 a:1=healthy +50",
        &["11 ops a is still dead after 10 s: refused"],
    );
}

#[test]
fn others_are_told_of_what_goes_on_and_of_its_end() {
    let route = "[[route]]\nto = [\"ops\"]\nescalate = [{ after = \"20s\", to = [\"boss\"] }]\nreminders = { every = \"30s\" }\n";
    let expected = [
        "1 ops a is dead: refused",
        "21 boss a has been dead for 20 s: refused",
        "31 ops a is still dead after 30 s: refused",
        "31 boss a is still dead after 30 s: refused",
        "41 ops a is healthy again after 40 s",
        "41 boss a is healthy again after 40 s",
    ];
    check_routes(route, "a:1=dead +40 a:1=healthy +60", &expected);
    check_routes(
        route,
        "a:1=dead +10 restart +15 restart +15 a:1=healthy +60",
        &expected,
    );
    // Who was not told does not hear of the end.
    check_routes(
        route,
        "a:1=dead +15 a:1=healthy +60",
        &[
            "1 ops a is dead: refused",
            "16 ops a is healthy again after 15 s",
        ],
    );
}

#[test]
fn several_routes_to_one_channel_are_one() {
    let routes = r#"
[[route]]
to = ["ops"]
on = ["dead"]
group_wait = "5s"
[[route]]
to = ["ops", "boss"]
on = ["sick", "dead", "recovered"]
group_wait = "0s"
"#;
    check_routes(
        routes,
        "a:1=sick +1 a:1=dead +1 a:1=healthy +20",
        &[
            "1 ops a is sick: slow",
            "1 boss a is sick: slow",
            "2 ops a is dead: refused",
            "2 boss a is dead: refused",
            "3 ops a is healthy again after 2 s",
            "3 boss a is healthy again after 2 s",
        ],
    );
    // The end waits where its beginning waits, whichever route tells it.
    check_routes(
        routes,
        "b:1=dead +1 a:1=dead +1 a:1=healthy +20",
        &[
            "1 ops b is dead: refused",
            "1 boss b is dead: refused",
            "2 boss a is dead: refused",
            "3 boss a is healthy again after 1 s",
            "6 ops a was dead for 1 s and is healthy again",
        ],
    );
}

#[test]
fn a_channel_gets_no_more_than_its_rate() {
    let config = format!("{START}{PLAIN}group_wait = \"0s\"\n").replace(
        "id = \"ops\"",
        "id = \"ops\"\nrate = { notices = 2, per = \"30s\" }",
    );
    check_all(
        &config,
        "a:1=dead +1 b:1=dead +1 c:1=dead +1 c:1=healthy a:1=healthy +1 restart +40",
        &[
            "1 ops a is dead: refused",
            "2 ops b is dead: refused",
            "31 ops 3 notices in one: 1 healthy again after a short outage, 1 healthy again",
        ],
    );
}

#[test]
fn a_route_finds_monitors_by_tag() {
    check_routes(
        "[[route]]\nto = [\"ops\"]\ntags = [\"night\"]\n[[route]]\nto = [\"boss\"]\ntags = [\"prod\"]\n",
        "a:1=dead +20 c:1=dead +20",
        &[
            "1 boss a is dead: refused",
            "21 ops c is dead: refused",
            "21 boss c is dead: refused",
        ],
    );
}

/// Open for the first two of every five minutes of the first hour of 1970.
fn hours() -> String {
    let spans = (0..12).map(|number| {
        let (from, to) = (number * 5, number * 5 + 2);
        format!("{{ from = \"00:{from:02}\", to = \"00:{to:02}\" }}")
    });
    let spans: Vec<_> = spans.collect();
    format!("{REMINDERS}during = [{}]\n", spans.join(", "))
}

#[test]
fn outside_its_hours_a_route_tells_nothing_that_is_over() {
    check_routes(
        &hours().replace("every = \"10s\"", "every = \"1h\""),
        "+130 a:1=dead +10 a:1=healthy +10 b:1=dead +200",
        &["300 ops b is dead: refused"],
    );
}

#[test]
fn outside_its_hours_a_route_owes_the_ends() {
    let route = hours().replace("every = \"10s\"", "every = \"1h\"");
    let expected = [
        "1 ops a is dead: refused",
        "300 ops a is healthy again after 2 min 30 s",
    ];
    check_routes(&route, "a:1=dead +150 a:1=healthy +200", &expected);
    check_routes(
        &route,
        "a:1=dead +150 a:1=healthy restart +100 restart +100",
        &expected,
    );
    check_routes(
        &route,
        "a:1=dead +150 a:1=healthy +10 a:1=dead +190",
        &[
            "1 ops a is dead: refused",
            "300 ops 2 changes: 1 healthy again, 1 dead",
        ],
    );
    // Another route has told the end: nothing is owed.
    check_routes(
        &format!("{route}[[route]]\nto = [\"ops\"]\n"),
        "a:1=dead +150 a:1=healthy +200",
        &[
            "1 ops a is dead: refused",
            "151 ops a is healthy again after 2 min 30 s",
        ],
    );
}

#[test]
fn outside_its_hours_a_route_reminds_nobody() {
    check_routes(
        &hours(),
        "+100 a:1=dead +210",
        &[
            "101 ops a is dead: refused",
            "111 ops a is still dead after 10 s: refused",
            "300 ops a is still dead after 3 min 19 s: refused",
        ],
    );
}

#[test]
fn a_route_that_is_new_tells_how_things_stand() {
    let mut table = check_routes(
        "[[route]]\nto = [\"boss\"]\n",
        "a:1=dead +20",
        &["1 boss a is dead: refused"],
    );
    table.take_routes_of(&format!("{START}[[route]]\nto = [\"boss\"]\n{PLAIN}"));
    table.step("+1");
    let last = table.posted.last().unwrap();
    assert_eq!((table.posted.len(), last.1.as_str()), (2, "ops"));
    // Moving it, or changing when it tells, tells nothing again.
    table.take_routes_of(&format!("{START}{REMINDERS}[[route]]\nto = [\"boss\"]\n"));
    table.step("+10");
    assert_eq!(table.posted.len(), 3, "only a reminder: {:?}", table.posted);
    assert_eq!(table.posted[2].2.reminder, 1);
}

#[test]
fn what_waits_on_a_route_that_is_gone_is_told() {
    let mut table = check_routes(PLAIN, "a:1=dead +1 b:1=dead", &["1 ops a is dead: refused"]);
    table.take_routes_of(START);
    table.step("+1");
    assert_eq!(table.posted[1].2.title, "S: b is dead: refused");
}

#[test]
fn a_channel_that_fails_is_told_of_through_the_others() {
    let both = "[[route]]\nto = [\"ops\", \"boss\"]\n";
    check_routes(
        both,
        "channel:ops=fails +1 channel:ops=fails restart +9 channel:ops=works channel:ops=works restart",
        &[
            "1 boss The channel `ops` keeps failing: refused",
            "11 boss The channel `ops` delivers again after 10 s",
        ],
    );
    check_routes(
        &format!("{both}host = false\n"),
        "channel:ops=fails +1",
        &[],
    );
}

#[test]
fn a_plugin_that_keeps_breaking_down_is_told_once() {
    // Without plugins nothing has a name that could be told.
    let mut table = check_routes(PLAIN, "a:1=oops a:1=oops a:1=oops a:1=oops a:1=oops", &[]);
    let what = |what: &str| Some(what.to_owned());
    for (trouble, told) in [(what("x"), 1), (what("y"), 1), (None, 2), (None, 2)] {
        let mut batch = Batch::default();
        table.board.store_trouble(trouble, table.now, &mut batch);
        table.keep(batch);
        assert_eq!(table.posted.len(), told);
    }
    assert_eq!(
        table.posted[0].2.title,
        "The monitoring host has trouble with its data: x"
    );
    assert_eq!(table.posted[0].2.thread, table.posted[1].2.thread);
}

#[test]
fn a_start_is_told_with_what_is_known() {
    let route = format!("{PLAIN}startup = true\n");
    let table = check_routes(
        &route,
        "restart a:1=dead b:1=healthy +20 restart",
        &[
            "1 ops Status is being watched again",
            "1 ops a is dead: refused",
            "21 ops Status is being watched again",
        ],
    );
    assert_eq!(
        table.posted[0].2.body,
        "Nothing is known of any monitor yet."
    );
    let last = &table.posted[2].2;
    assert_eq!(last.body, "As last known: 1 dead, 1 unknown, 1 healthy.");
    assert_eq!(last.affected.len(), 1);
}

#[test]
fn nothing_is_looked_at_for_nothing() {
    let mut table = check_routes(PLAIN, "", &[]);
    assert_eq!(table.board.due_at(), None);
    table.step("a:1=dead");
    assert_eq!(table.board.due_at(), None, "without reminders");
    table.step("b:1=dead");
    assert_eq!(table.board.due_at(), Some(Timestamp::from_millis(11_000)));
    table.step("+10");
    assert_eq!(table.board.due_at(), None);
}
