//! What holds where nothing is written, and which of two settings wins.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use watchkeeper_config::config::RouteFilter;
use watchkeeper_config::load_texts;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::monitor::{Combine, Weight};
use watchkeeper_engine::target::{Flap, TargetRules};

use crate::{good, no_env};

const SMALL: &str = r#"
[self]
canaries = ["tcp://a:1"]
[[service]]
id = "s"
monitor = [{ id = "m", targets = ["tcp://a:1"] }]
[[channel]]
id = "c"
notifier = "n"
[[route]]
to = ["c"]
"#;

/// Writes every default that `schema` states into `value`, and into the tables
/// that could stand in it.
fn fill(schema: &Json, value: &mut Json) {
    let Json::Object(table) = value else { return };
    for (name, schema) in schema["properties"].as_object().unwrap() {
        // A table of monitors that are told, which these are not.
        if name == "load" {
            continue;
        }
        if let Some(rows) = table.get_mut(name).and_then(Json::as_array_mut) {
            for row in rows {
                if schema["items"].get("properties").is_some() {
                    fill(&schema["items"], row);
                }
            }
        } else if let Some(value) = table.get_mut(name) {
            if schema.get("properties").is_some() {
                fill(schema, value);
            }
        } else if let Some(default) = schema.get("default") {
            table.insert(name.clone(), default.clone());
        } else {
            // A table, by itself or as one of several forms, if it can be empty.
            let forms = schema["anyOf"].as_array().cloned().unwrap_or_default();
            let mut tables = forms.into_iter().chain([schema.clone()]);
            let form = tables.find(|form| form.get("properties").is_some());
            if let Some(form) = form.filter(|form| form.get("required").is_none()) {
                let mut value = Json::Object(Map::new());
                fill(&form, &mut value);
                table.insert(name.clone(), value);
            }
        }
    }
}

#[test]
fn the_defaults_of_the_schema_are_those_that_hold() {
    let mut value: Json = toml::from_str(SMALL).unwrap();
    fill(&watchkeeper_config::schema(), &mut value);
    let text = toml::to_string(&value).unwrap();
    assert!(text.matches("every = \"30s\"").count() >= 3, "{text}");
    assert!(
        text.contains("window = \"10m\"") && text.contains("[plugins]"),
        "{text}"
    );
    assert_eq!(good(&text), good(SMALL), "{text}");
}

#[test]
fn an_empty_text_is_a_configuration() {
    let config = good("");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.followers_per_address, 64);
    assert_eq!(config.server.data.to_str(), Some("data"));
    assert_eq!(config.plugins.folder.to_str(), Some("plugins"));
    assert_eq!(config.plugins.lock.to_str(), Some("plugins.lock"));
    assert!(!config.plugins.locked && config.plugins.trusted_keys.is_empty());
    assert_eq!(config.network.concurrency, 8000);
    assert_eq!(&*config.page.title, "Status");
    assert_eq!(config.self_check, None);
    assert_eq!(
        config.incidents.rules,
        watchkeeper_engine::incident::Rules::default()
    );
    assert_eq!(
        config.incidents.acknowledge_within,
        Duration::from_hours(7 * 24)
    );
}

#[test]
fn a_monitor_without_rules_has_the_documented_ones() {
    let config = good(SMALL);
    let monitor = config.monitors().next().unwrap();
    assert_eq!((&*monitor.label, &*config.services[0].label), ("m", "s"));
    assert_eq!(monitor.every, Duration::from_secs(30));
    assert_eq!(monitor.timeout, Duration::from_secs(10));
    assert_eq!(
        (monitor.plan.retry.times, monitor.plan.attempts.times),
        (1, 1)
    );
    assert_eq!(monitor.rules, TargetRules::default());
    assert_eq!(
        (monitor.combine, monitor.weight),
        (Combine::Worst, Weight::Critical)
    );
    let route = &config.routes[0];
    assert!(route.on.dead && route.on.recovered && !route.on.sick && !route.on.unknown);
    assert_eq!(route.filter, RouteFilter::default());
}

#[test]
fn a_monitors_own_rules_win_key_by_key() {
    let config = good(
        r#"
[defaults]
every = "1m"
confirm = { dead = 3, sick = 2 }
flap = { changes = 9, window = "1h" }
health = "best"
retry = { times = 0 }
[plugins.limits]
memory = "16MiB"
cpu = "2s"
[plugins.p]
limits = { memory = "20MiB", body = "1MiB" }
[[service]]
id = "s"
[[service.monitor]]
id = "a"
targets = ["tcp://a:1", "tcp://b:1", "tcp://c:1"]
confirm = { dead = 1 }
flap = { changes = 2 }
health = { quorum = { sick = 1, dead = 3 } }
critical = false
limits = { body = "2MiB" }
[[service.monitor]]
id = "b"
targets = ["tcp://a:1"]
flap = false
timeout = "50s"
[[service.monitor]]
id = "c"
targets = ["tcp://a:1"]
every = "10m"
depends_on = ["s/a"]
"#,
    );
    let monitor = |id: &str| config.monitor(&MonitorId::parse(id).unwrap()).unwrap();
    let (a, b, c) = (monitor("s/a"), monitor("s/b"), monitor("s/c"));
    assert_eq!(a.every, Duration::from_mins(1));
    assert_eq!(
        [Verdict::Dead, Verdict::Sick].map(|it| a.rules.confirm.of(it)),
        [1, 2]
    );
    assert_eq!(
        [Verdict::Dead, Verdict::Sick].map(|it| b.rules.confirm.of(it)),
        [3, 2]
    );
    assert_eq!(
        a.rules.flap,
        Some(Flap {
            changes: 2,
            window: Duration::from_hours(1)
        })
    );
    assert_eq!(b.rules.flap, None);
    assert_eq!(a.combine, Combine::Quorum { sick: 1, dead: 3 });
    assert_eq!((b.combine, a.weight), (Combine::Best, Weight::Minor));
    assert_eq!(
        (a.plan.retry.times, a.plan.retry.wait),
        (0, Duration::from_secs(2))
    );
    assert_eq!(b.rules.stale_after, Duration::from_mins(3));
    assert_eq!(c.rules.stale_after, Duration::from_mins(30));
    assert_eq!(
        config.dependencies.parents(&c.id),
        std::slice::from_ref(&a.id)
    );
    let (name, _) = config.plugins.named.first_key_value().unwrap();
    let limits = config.plugins.limits_for(name, &a.limits);
    assert_eq!(limits.memory, Some(20 << 20));
    assert_eq!(limits.cpu, Some(Duration::from_secs(2)));
    assert_eq!((limits.body, limits.traffic), (Some(2 << 20), None));
}

#[test]
fn the_longest_run_can_put_off_staleness() {
    let config = good(
        r#"
[[service]]
id = "s"
monitor = [{ id = "m", targets = ["tcp://a:1"], every = "1s", timeout = "10s" }]
"#,
    );
    let monitor = config.monitors().next().unwrap();
    assert_eq!(monitor.rules.stale_after, Duration::from_secs(23));
}

#[test]
fn a_monitor_that_only_moved_is_the_same() {
    let moved = format!("# a comment\n\n{SMALL}");
    assert_eq!(good(&moved), good(SMALL));
    assert_ne!(
        good(&SMALL.replace("tcp://a:1\"] }", "tcp://b:1\"] }")),
        good(SMALL)
    );
    let with = |config: &str| good(&SMALL.replace("] }]", &format!("], config = {config} }}]")));
    assert_eq!(with("{ a = 1 }"), with("{  a  =  1  }"));
    assert_ne!(with("{ a = 1 }"), with("{ a = 2 }"));
    let read = |env: &'static str| {
        let text = SMALL.replace("] }]", "], config = { a = { env = \"X\" } } }]");
        let env = move |_: &str| Some(env.to_owned());
        load_texts(vec![("a.toml".to_owned(), text)], &env)
            .unwrap()
            .config
    };
    assert_eq!(read("1"), read("1"));
    assert_ne!(read("1"), read("2"));
    assert!(load_texts(vec![("a.toml".to_owned(), SMALL.to_owned())], &no_env).is_ok());
}
