//! Bad texts and every word that is said of them.

use crate::read;

/// Checks all that is said of `text`.
#[track_caller]
fn check(text: &str, expected: &str) {
    let Err(problems) = read(text) else {
        panic!("accepted: {text}")
    };
    let said = problems.to_string();
    assert_eq!(
        said.trim(),
        expected.trim(),
        "\n--- said:\n{said}\n--- expected:\n{expected}\n"
    );
}

/// Checks that `text` has one problem, that it is in this line, and that what is
/// said of it, with the remedy, contains `expected`.
#[track_caller]
fn check_one(text: &str, line: usize, expected: &str) {
    let Err(problems) = read(text) else {
        panic!("accepted: {text}")
    };
    assert_eq!(problems.count(), 1, "{text}\n{problems}");
    let problem = &problems.list[0];
    assert_eq!(problem.place.as_ref().unwrap().line, line, "{problem}");
    assert!(
        problem.to_string().contains(expected),
        "{problem}\ndoes not say: {expected}"
    );
}

/// A service whose one monitor also has these lines, the first of them line 5.
fn monitor(lines: &str) -> String {
    format!("[[service]]\nid = \"api\"\n[[service.monitor]]\nid = \"health\"\n{lines}\n")
}

/// As [`monitor`], with targets in line 5 and these lines from line 6 on.
fn rules(lines: &str) -> String {
    monitor(&format!("targets = [\"https://example.com\"]\n{lines}"))
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    check(
        r#"
[server]
listen = ":8080"
adress = "x"

[[service]]
id = "API"
label = ""

[[service.monitor]]
id = "health"
evry = "30s"
timeout = 10
retry = { times = -1, wait = "2 s" }
targets = ["https://a", "b:80", "https://a"]

[[service.monitor]]
label = "No id"
targets = "https://c"

[[route]]
to = ["opps"]
on = ["dead", "recoverd"]

[[channel]]
id = "ops"
notifier = "slack"
"#,
        r#"
error: `listen` must be an IP address and port such as "127.0.0.1:8080" or "[::1]:8080"
  --> a.toml:3:10
   |
 3 | listen = ":8080"
   |          ^^^^^^^
   = key: server.listen
   = help: write "0.0.0.0:8080" for every IPv4 address

error: unknown key `adress`
  --> a.toml:4:1
   |
 4 | adress = "x"
   | ^^^^^^
   = key: server.adress
   = help: the keys here are `listen`, `admin_listen`, `data`, `public_url`, `followers_per_address` and `api_private_targets`

error: `id` may only contain lower-case letters, digits and `-`
  --> a.toml:7:6
   |
 7 | id = "API"
   |      ^^^^^
   = key: service[API].id

error: `label` must not be empty
  --> a.toml:8:9
   |
 8 | label = ""
   |         ^^
   = key: service[API].label

error: unknown key `evry`
   --> a.toml:12:1
    |
 12 | evry = "30s"
    | ^^^^
    = key: service[API].monitor[health].evry
    = help: did you mean `every`?

error: `timeout` must be a span of time such as "30s" or "1m30s", not a number
   --> a.toml:13:11
    |
 13 | timeout = 10
    |           ^^
    = key: service[API].monitor[health].timeout
    = help: write "10s" for seconds

error: `times` must be from 0 to 10
   --> a.toml:14:19
    |
 14 | retry = { times = -1, wait = "2 s" }
    |                   ^^
    = key: service[API].monitor[health].retry.times

error: `wait` must be a span of time such as "30s" or "1m30s"
   --> a.toml:14:30
    |
 14 | retry = { times = -1, wait = "2 s" }
    |                              ^^^^^
    = key: service[API].monitor[health].retry.wait
    = help: write whole numbers with the units `d`, `h`, `m`, `s` and `ms`, larger units first

error: `b:80` has no scheme that could pick a probe
   --> a.toml:15:25
    |
 15 | targets = ["https://a", "b:80", "https://a"]
    |                         ^^^^^^
    = key: service[API].monitor[health].targets[1]
    = help: write `probe = "NAME"`, or a target such as `tcp://example.com:22`

error: `https://a` is listed twice
   --> a.toml:15:33
    |
 15 | targets = ["https://a", "b:80", "https://a"]
    |                                 ^^^^^^^^^^^
    = key: service[API].monitor[health].targets[2]
    = first listed here: a.toml:15:12

error: `id` is missing
   --> a.toml:17:1
    |
 17 | [[service.monitor]]
    | ^^^^^^^^^^^^^^^^^^^
    = key: service[API].monitor[#2].id

error: `targets` must be a list, not a text
   --> a.toml:19:11
    |
 19 | targets = "https://c"
    |           ^^^^^^^^^^^
    = key: service[API].monitor[#2].targets
    = help: write ["https://c"]

error: there is no channel `opps`
   --> a.toml:22:7
    |
 22 | to = ["opps"]
    |       ^^^^^^
    = key: route[#1].to[0]
    = help: did you mean `ops`?

error: `on[1]` must be one of `dead`, `sick`, `recovered`, `unknown`, `maintenance` and `sla`
   --> a.toml:23:15
    |
 23 | on = ["dead", "recoverd"]
    |               ^^^^^^^^^^
    = key: route[#1].on[1]
    = help: did you mean "recovered"?

14 problems in the configuration
"#,
    );
}

#[test]
fn broken_toml_is_told_together_with_what_can_still_be_read() {
    check(
        r#"
[server]
listen = 127.0.0.1
data = 3

[defaults]
every = 30s
timeout = 1

[[service]]
id = "api"
id = "api2"
"#,
        r#"
error: broken TOML: invalid float, expected nothing
  --> a.toml:3:15
   |
 3 | listen = 127.0.0.1
   |               ^^^^
   = help: write texts, spans and sizes in quotes

error: `data` must be a path, not a number
  --> a.toml:4:8
   |
 4 | data = 3
   |        ^
   = key: server.data

error: broken TOML: string values must be quoted, expected literal string
  --> a.toml:7:9
   |
 7 | every = 30s
   |         ^^^
   = help: write texts, spans and sizes in quotes

error: `timeout` must be a span of time such as "30s" or "1m30s", not a number
  --> a.toml:8:11
   |
 8 | timeout = 1
   |           ^
   = key: defaults.timeout
   = help: write "1s" for seconds

error: the key `id` is written twice in one table
   --> a.toml:12:1
    |
 12 | id = "api2"
    | ^^
    = help: remove one of the two

5 problems in the configuration
"#,
    );
    let secret = "[[channel]]\nid = \"a\"\nnotifier = \"b\"\nconfig.password = hunter2\n";
    check_one(secret, 4, "config.password = ****");
}

#[test]
fn ids_are_used_once() {
    check(
        r#"
[[service]]
id = "api"
monitor = [{ id = "a", targets = ["tcp://a:1"] }, { id = "a", targets = ["tcp://a:1"] }]
[[service]]
id = "api"
monitor = [{ id = "b", targets = ["tcp://a:1"] }]
"#,
        r#"
error: the monitor `api/a` exists twice
  --> a.toml:4:58
   |
 4 | monitor = [{ id = "a", targets = ["tcp://a:1"] }, { id = "a", targets = ["tcp://a:1"] }]
   |                                                          ^^^
   = key: service[api].monitor[a].id
   = first one: a.toml:4:19
   = help: give one of them another id

error: the service `api` exists twice
  --> a.toml:6:6
   |
 6 | id = "api"
   |      ^^^^^
   = key: service[api].id
   = first one: a.toml:3:6
   = help: give one of them another id

2 problems in the configuration
"#,
    );
    let channel = "[[channel]]\nid = \"ops\"\nnotifier = \"slack\"\n";
    check_one(
        &format!("{channel}{channel}"),
        5,
        "the channel `ops` exists twice",
    );
}

#[test]
fn nothing_depends_on_itself_or_on_what_is_not_there() {
    check(
        r#"
[[service]]
id = "api"
monitor = [
  { id = "a", targets = ["tcp://a:1"], depends_on = ["api/b"] },
  { id = "b", targets = ["tcp://a:1"], depends_on = ["api/c"] },
  { id = "c", targets = ["tcp://a:1"], depends_on = ["api/a", "api/d", "x"] },
  { id = "d", targets = ["tcp://a:1"], depends_on = ["api/d", "app/a"] },
]
"#,
        r#"
error: monitors depend on each other in a circle: `api/a` on `api/b` on `api/c` on `api/a`
  --> a.toml:5:54
   |
 5 |   { id = "a", targets = ["tcp://a:1"], depends_on = ["api/b"] },
   |                                                      ^^^^^^^
   = key: service[api].monitor[a].depends_on[0]

error: `depends_on[2]` must be written as `service/monitor`
  --> a.toml:7:72
   |
 7 |   { id = "c", targets = ["tcp://a:1"], depends_on = ["api/a", "api/d", "x"] },
   |                                                                        ^^^
   = key: service[api].monitor[c].depends_on[2]

error: `api/d` depends on itself
  --> a.toml:8:54
   |
 8 |   { id = "d", targets = ["tcp://a:1"], depends_on = ["api/d", "app/a"] },
   |                                                      ^^^^^^^
   = key: service[api].monitor[d].depends_on[0]

error: there is no monitor `app/a`
  --> a.toml:8:63
   |
 8 |   { id = "d", targets = ["tcp://a:1"], depends_on = ["api/d", "app/a"] },
   |                                                               ^^^^^^^
   = key: service[api].monitor[d].depends_on[1]
   = help: did you mean `api/a`?

4 problems in the configuration
"#,
    );
}

#[test]
fn spans_counts_and_sizes_have_bounds() {
    for (line, expected) in [
        ("every = \"500ms\"", "`every` must be from 1s to 1d"),
        ("every = \"25h\"", "`every` must be from 1s to 1d"),
        ("timeout = \"10ms\"", "`timeout` must be from 100ms to 5m"),
        ("timeout = \"6m\"", "`timeout` must be from 100ms to 5m"),
        ("timeout = 1.5", "not a fraction"),
        ("timeout = \"1.5s\"", "write whole numbers with the units"),
        ("confirm = { dead = 0 }", "`dead` must be from 1 to 100"),
        (
            "confirm = { dead = 99999999999999999999 }",
            "`dead` must be from 1 to 100",
        ),
        (
            "confirm = { dead = \"3\" }",
            "`dead` must be a whole number from 1 to 100, not a text",
        ),
        ("attempts = { times = 21 }", "`times` must be from 1 to 20"),
        (
            "flap = true",
            "`flap` must be a table or `false`, not true or false",
        ),
        ("flap = { changes = 1 }", "`changes` must be from 2 to 100"),
        ("degrade = \"true\"", "write true without quotes"),
        (
            "degrade = 1",
            "`degrade` must be true or false, not a number",
        ),
        (
            "health = \"worse\"",
            "`health` must be \"worst\", \"best\" or { quorum",
        ),
        ("health = { quorum = { sick = 1 } }", "`dead` is missing"),
        (
            "health = { quorum = { sick = 1, dead = 2 } }",
            "2 targets cannot be met: the monitor has 1",
        ),
        (
            "limits = { memory = \"65MiB\" }",
            "`memory` must be from 1MiB to 64MiB",
        ),
        ("limits = { memory = 1000 }", "write \"1000B\" for bytes"),
        (
            "limits = { memory = \"1 mb\" }",
            "write a whole number and one of the units",
        ),
        ("limits = { memry = \"1MiB\" }", "did you mean `memory`?"),
        (
            "sick_above = \"3s\"\ndead_above = \"2s\"",
            "`dead_above` stands here: a.toml:7:14",
        ),
        ("stale_after = \"30s\"", "write at least \"52s\""),
        ("label = \"a\\nb\"", "`label` must be a single line"),
        ("label = 2026-01-01", "`label` must be a text, not a date"),
        (
            "label = \"${X}\"",
            "which only the `config` of a monitor or channel keeps",
        ),
        (
            "probe = \"HTTP\"",
            "`probe` must start with a lower-case letter",
        ),
        ("depends_on = []", "`depends_on` must not be an empty list"),
        ("config = 3", "`config` must be a table, not a number"),
    ] {
        check_one(&rules(line), 6, expected);
    }
}

#[test]
fn targets_can_be_addresses() {
    for (line, expected) in [
        ("targets = []", "`targets` must not be an empty list"),
        ("targets = [\"\"]", "`targets[0]` must not be empty"),
        (
            "targets = [\"https://a b\"]",
            "must not contain white space",
        ),
        (
            "targets = [3]",
            "`targets[0]` must be a text such as \"https://example.com\", not a number",
        ),
        (
            "targets = [\"https://x:${PW}@a\"]",
            "holds a reference to the environment",
        ),
        ("label = \"none\"", "`targets` is missing"),
    ] {
        let line_number = if line.starts_with("label") { 3 } else { 5 };
        check_one(&monitor(line), line_number, expected);
    }
    let long = format!("targets = [\"https://{}\"]", "a".repeat(2048));
    check_one(&monitor(&long), 5, "must have at most 2048 characters");
}

#[test]
fn the_rest_of_the_file_is_checked_as_well() {
    for (text, line, expected) in [
        ("servr = 1", 1, "did you mean `server`?"),
        ("server = 1", 1, "`server` must be a table, not a number"),
        (
            "service = { id = \"a\" }",
            1,
            "write `[[service]]` for each",
        ),
        ("[[service]]\nid = \"a\"", 1, "`monitor` is missing"),
        (
            "[[service]]\nid = \"a\"\nmonitor = []",
            3,
            "a service must have a monitor",
        ),
        (
            "[server]\nlisten = \"localhost:80\"",
            2,
            "write \"127.0.0.1:80\"",
        ),
        (
            "[server]\npublic_url = \"status.example.com\"",
            2,
            "such as \"https://example.com\"",
        ),
        (
            "[server]\npublic_url = \"https://a/?b\"",
            2,
            "must not have a query",
        ),
        (
            "[page]\ntime_zone = \"Europe/Stokholm\"",
            2,
            "did you mean \"Europe/Stockholm\"?",
        ),
        (
            "[page]\nsupport = \"help@example.com\"",
            2,
            "write \"mailto:help@example.com\"",
        ),
        (
            "[page]\nwebsite = \"javascript:alert(1)\"",
            2,
            "`website` must be a URL",
        ),
        (
            "[page]\nlocale = \"nl\"",
            2,
            "`locale` must be one of \"en\", \"de\"",
        ),
        (
            "[page]\nlanguages = [\"sv\"]\nlocale = \"de\"",
            3,
            "`locale` must be one of `languages`: sv",
        ),
        (
            "[page]\nlogo = \"nowhere.svg\"",
            2,
            "nowhere.svg cannot be read",
        ),
        (
            "[page]\ncolours = { light = \"#ffff00\", dark = \"#8fb0ff\" }",
            2,
            "take a darker one",
        ),
        (
            "[page]\nembed_on = [\"https://a.example/x\"]",
            2,
            "must be an origin such as",
        ),
        (
            "[[page.other]]\ndomain = \"a.example\"\n[[page.other]]\ndomain = \"A.example\"",
            4,
            "two pages are called `a.example`",
        ),
        (
            "[[page.other]]\ndomain = \"https://a.example\"",
            2,
            "must be the name of a host",
        ),
        (
            "[[page.other]]\ndomain = \"a.example\"\nservices = [\"nowhere\"]",
            3,
            "there is no service `nowhere`",
        ),
        (
            "[page]\nlinks = [{ label = \"x\", url = \"javascript:x\" }]",
            2,
            "`url` must be",
        ),
        (
            "[network]\nresolver = [\"1.1.1.1\"]",
            2,
            "write the port after a colon",
        ),
        (
            "[incident]\nafter = \"0s\"",
            2,
            "`after` must be from 1s to 30d",
        ),
        ("[incident]\nreopen = \"10m\"", 2, "reopen_within"),
        (
            "[network]\nconcurrency = 8001",
            2,
            "`concurrency` must be from 1 to 8000",
        ),
        (
            "[network]\nca_file = \"no-such-file\"",
            2,
            "no-such-file cannot be read",
        ),
        (
            "[network]\nca_file = \"Cargo.toml\"",
            2,
            "holds no certificate in PEM",
        ),
        ("[plugins]\nfoldr = \"x\"", 2, "did you mean `folder`?"),
        (
            "[plugins]\ntrusted_keys = [\"untrusted comment: minisign\"]",
            2,
            "`trusted_keys[0]` must be the second line of a minisign `.pub` file",
        ),
        ("[plugins]\nlocked = \"yes\"", 2, "`locked` must be"),
        (
            "[plugins.HTTP]\nallow = [\"a:1\"]",
            1,
            "a plugin's name must start with a lower-case",
        ),
        (
            "[plugins.http]\nallow = [\"a\"]",
            2,
            "`allow[0]` must be written as `host:port`",
        ),
        (
            "[plugins.http]\nalow = [\"a:1\"]",
            2,
            "did you mean `allow`?",
        ),
        ("[self]\nevery = \"1m\"", 1, "`canaries` is missing"),
        (
            "[self]\ncanaries = [\"1.1.1.1:443\"]",
            2,
            "such as `tcp://1.1.1.1:443`",
        ),
        ("[defaults]\ntargets = [\"x\"]", 2, "unknown key `targets`"),
        ("[[channel]]\nid = \"a\"", 1, "`notifier` is missing"),
        ("[[route]]\non = [\"dead\"]", 1, "`to` is missing"),
        ("[compat.vigil]\ntoken = \"x\"", 2, "unknown key `token`"),
    ] {
        check_one(text, line, expected);
    }
    let channel = "[[channel]]\nid = \"ops\"\nnotifier = \"slack\"\n[[route]]\nto = [\"ops\"]\n";
    for (line, expected) in [
        (
            "on = [\"recovered\"]",
            "a route on `recovered` alone never tells anything",
        ),
        ("on = []", "`on` must not be an empty list"),
        ("services = [\"api\"]", "there is no service `api`"),
        (
            "monitors = [\"api/health\"]",
            "there is no monitor `api/health`",
        ),
    ] {
        check_one(&format!("{channel}{line}"), 6, expected);
    }
}

#[test]
fn what_is_missing_is_not_told_of_a_file_that_cannot_be_read_whole() {
    check_one("[[service]]\nid \"api\"\n", 2, "broken TOML");
}

#[test]
fn a_mistake_in_the_defaults_is_told_once() {
    let two = r#"
[defaults]
sick_above = "3s"
dead_above = "2s"
[[service]]
id = "api"
monitor = [{ id = "a", targets = ["tcp://a:1"] }, { id = "b", targets = ["tcp://a:1"] }]
"#;
    check_one(two, 3, "`sick_above` is larger than `dead_above`");
}
