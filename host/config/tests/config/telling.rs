//! How people are told: what holds where nothing is written, and what makes no
//! sense.

use std::time::Duration;

use watchkeeper_config::Config;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::reminding::Backoff;
use watchkeeper_engine::time::Timestamp;

use crate::{good, read};

const START: &str = r#"[[channel]]
id = "ops"
notifier = "slack"
[[channel]]
id = "boss"
notifier = "slack"
[[service]]
id = "api"
tags = ["prod"]
monitor = [{ id = "a", targets = ["tcp://a:1"], tags = ["eu", "prod"] }, { id = "b", targets = ["tcp://b:1"] }]
[[service]]
id = "lab"
monitor = [{ id = "c", targets = ["tcp://c:1"], tags = ["eu"] }]
"#;

fn route(lines: &str) -> Config {
    good(&format!("{START}[[route]]\nto = [\"ops\"]\n{lines}\n"))
}

/// The route's lines begin at line 16.
#[track_caller]
fn wrong(lines: &str, line: usize, expected: &str) {
    let text = format!("{START}[[route]]\nto = [\"ops\"]\n{lines}\n");
    check(&text, line, expected);
}

#[track_caller]
fn check(text: &str, line: usize, expected: &str) {
    let problems = read(text).expect_err(text).to_string();
    assert!(problems.contains(expected), "{problems}");
    assert!(problems.contains(&format!(" a.toml:{line}:")), "{problems}");
    assert!(!problems.contains("2 problems"), "{problems}");
}

#[test]
fn a_route_without_wishes_has_the_documented_ones() {
    let config = route("");
    let route = &config.routes[0];
    assert_eq!(route.group_wait, Duration::from_secs(10));
    assert_eq!(route.plan.reminders, None);
    assert!(route.hours.are_always() && route.host && !route.startup && !route.reminders_only);
    assert!(route.escalate.is_empty());
    assert_eq!(config.channels[0].rate, None);
    assert_eq!(config.dead_man, None);
}

#[test]
fn a_route_insists_as_it_is_told() {
    let config = route(
        r#"
reminders = { every = "10m", backoff = "linear" }
escalate = [{ after = "30m", to = ["boss"] }]
group_wait = "0s"
host = false
startup = true
"#,
    );
    let route = &config.routes[0];
    let reminders = route.plan.reminders.unwrap();
    assert_eq!((reminders.backoff, reminders.limit), (Backoff::Linear, 3));
    assert_eq!(route.plan.steps, [Duration::from_mins(30)]);
    assert_eq!(route.escalate[0].to[0].as_str(), "boss");
    assert!(route.group_wait.is_zero() && !route.host && route.startup);
}

#[test]
fn a_route_finds_monitors_by_name_and_tag() {
    let found = |lines: &str| {
        let config = route(lines);
        let monitors = config.monitors();
        let passed = monitors.filter(|it| config.routes[0].filter.passes(it));
        passed
            .map(|it| it.id.name().to_string())
            .collect::<Vec<_>>()
            .concat()
    };
    assert_eq!(found(""), "abc");
    assert_eq!(found("tags = [\"prod\"]"), "ab");
    assert_eq!(found("tags = [\"eu\"]"), "ac");
    assert_eq!(found("services = [\"api\"]\ntags = [\"eu\"]"), "a");
    assert_eq!(found("services = [\"lab\"]\nmonitors = [\"api/b\"]"), "bc");
    let config = route("");
    let a = config.monitor(&MonitorId::parse("api/a").unwrap()).unwrap();
    assert_eq!(a.tags.len(), 2, "each tag once");
}

#[test]
fn a_route_keeps_its_hours() {
    let config = route(
        r#"
time_zone = "Europe/Stockholm"
during = [{ days = ["mon-fri"], from = "08:00", to = "18:00" }, { days = ["sat", "sun"], from = 10:00, to = "24:00" }]
"#,
    );
    let hours = &config.routes[0].hours;
    // 2026-11-20T07:00:00Z is a Friday, 8:00 in Stockholm.
    let friday = 1_795_158_000;
    let at = |hours_later: i64| Timestamp::from_millis((friday + hours_later * 3600) * 1000);
    assert!(!hours.include(at(-1)) && hours.include(at(0)) && !hours.include(at(10)));
    assert_eq!(hours.next_opening(at(10)), Some(at(26)), "Saturday, 10:00");
    assert!(hours.include(at(39)) && !hours.include(at(40)));
    // Without a zone of its own, the page's clock counts.
    let text = format!(
        "[page]\ntime_zone = \"America/New_York\"\n{START}[[route]]\nto = [\"ops\"]\nduring = [{{ from = \"02:00\" }}]\n"
    );
    assert!(good(&text).routes[0].hours.include(at(0)));
}

#[test]
fn what_a_route_cannot_mean_is_told() {
    for (lines, expected) in [
        ("tags = [\"prd\"]", "there is no tag `prd`"),
        (
            "tags = [\"Prod\"]",
            "must start with a lower-case letter or a digit",
        ),
        (
            "reminders_only = true",
            "`reminders_only` without `reminders` tells nothing",
        ),
        ("reminders = { backoff = \"linear\" }", "`every` is missing"),
        (
            "reminders = { every = \"10m\", backoff = \"quadratic\" }",
            "must be one of `none`, `linear`, `square` and `cubic`",
        ),
        (
            "reminders = { every = \"10m\", limit = 0 }",
            "`limit` must be from 1 to 100",
        ),
        (
            "escalate = [{ after = \"5m\", to = [\"bos\"] }]",
            "did you mean `boss`?",
        ),
        (
            "escalate = [{ after = \"5m\", to = [\"ops\"] }]",
            "`ops` has been told already",
        ),
        ("escalate = [{ to = [\"boss\"] }]", "`after` is missing"),
        ("group_wait = \"2h\"", "`group_wait` must be from 0s to 1h"),
        (
            "time_zone = \"UTC\"",
            "`time_zone` means nothing without `during`",
        ),
        (
            "during = [{ from = \"08:00\", to = \"08:00\" }]",
            "it would end as it begins",
        ),
        (
            "during = [{ from = \"24:00\" }]",
            "it would end as it begins",
        ),
        (
            "during = [{ from = \"24:00\", to = \"10:00\" }]",
            "it cannot begin at 24:00",
        ),
        (
            "during = [{ to = \"25:00\" }]",
            "`to` must be a time such as \"08:00\"",
        ),
        (
            "during = [{ to = \"8:00\" }]",
            "`to` must be a time such as \"08:00\"",
        ),
        ("during = [{ days = [\"Monday\"] }]", "write \"mon\""),
        (
            "during = [{ days = [\"mon-funday\"] }]",
            "must be one of `mon`, `tue`",
        ),
        ("host = \"no\"", "`host` must be true or false"),
    ] {
        wrong(lines, 16, expected);
    }
    let steps = r#"escalate = [{ after = "5m", to = ["boss"] }, { after = "5m", to = ["third"] }]"#;
    let text = format!(
        "[[channel]]\nid = \"third\"\nnotifier = \"slack\"\n{START}[[route]]\nto = [\"ops\"]\n{steps}\n"
    );
    check(&text, 19, "must come after the one before");
}

#[test]
fn a_channel_has_its_words_and_its_pace() {
    let channel =
        |lines: &str| format!("[[channel]]\nid = \"ops\"\nnotifier = \"slack\"\n{lines}\n");
    let config = good(&channel(
        "rate = { notices = 10, per = \"1m\" }\ntitle = \"{{ health | upper }} {{ title }}\"",
    ));
    let rate = config.channels[0].rate.unwrap();
    assert_eq!((rate.notices, rate.per), (10, Duration::from_mins(1)));
    assert!(config.channels[0].title.is_some() && config.channels[0].body.is_none());
    for (lines, expected) in [
        ("rate = { per = \"1m\" }", "`notices` is missing"),
        (
            "rate = { notices = 0, per = \"1m\" }",
            "`notices` must be from 1 to 1000",
        ),
        (
            "title = \"{{ helth }}\"",
            "`title` uses a name that there is not",
        ),
        ("title = \"{{ title \"", "`title` syntax error"),
        (
            "body = '{% include \"x\" %}'",
            "`body` has a block `include`",
        ),
        ("body = ''", "`body` is empty"),
        (
            "title = \"${SECRET}\"",
            "holds a reference to the environment",
        ),
    ] {
        check(&channel(lines), 4, expected);
    }
    check(
        &channel("body = '''\nWhat: {{ title }}\nWhy: {{ reason }}\n'''"),
        4,
        "(line 2 of the template)",
    );
}

#[test]
fn somebody_is_called_while_the_host_works() {
    let config = good("[self]\ndead_man = { url = \"https://hc.example.com/ping/1234\" }\n");
    let dead_man = config.dead_man.as_ref().unwrap();
    assert_eq!(dead_man.every, Duration::from_mins(1));
    assert_eq!(dead_man.url.expose(), "https://hc.example.com/ping/1234");
    assert_eq!(config.self_check, None);
    assert!(!format!("{config:?}").contains("1234"));
    check("[self]\ndead_man = {}\n", 2, "`url` is missing");
    check(
        "[self]\ndead_man = { url = \"hc.example.com\" }\n",
        2,
        "`url` must be a URL",
    );
    check(
        "[self]\nevery = \"10s\"\ndead_man = { url = \"https://a.example.com\" }\n",
        2,
        "`every` means nothing without `canaries`",
    );
}

#[test]
fn vigils_managers_have_a_door_of_their_own() {
    let config = good("[compat.vigil]\nmanager_token = \"sesame\"\n");
    assert_eq!(
        config.vigil.manager_token.as_ref().unwrap().expose(),
        "sesame"
    );
    assert!(config.vigil.reporter_token.is_none());
    assert!(!format!("{config:?}").contains("sesame"));
}
