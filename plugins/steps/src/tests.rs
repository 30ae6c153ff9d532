//! What a configuration becomes, and what is made of answers that no server gave.

use std::time::Duration;

use watchkeeper_sdk::Health;
use watchkeeper_sdk::http::Response;

use super::*;

fn config(json: &str) -> Config {
    watchkeeper_sdk::config::parse(json).unwrap()
}

fn check_plan(json: &str, expected: &str) {
    let found = match Plan::all(&config(json)) {
        Ok(plans) => {
            let words: Vec<String> = plans
                .iter()
                .map(|plan| format!("{} {}", plan.name, plan.method))
                .collect();
            words.join(", ")
        }
        Err(stop) => format!("{stop:?}"),
    };
    assert_eq!(found, expected, "{json}");
}

#[test]
fn steps_have_names_and_methods() {
    check_plan(
        r#"{"steps": [{}, {"name": "order", "json": {"a": 1}}, {"method": "put", "body": ""}]}"#,
        "step-1 GET, order POST, step-3 put",
    );
}

#[test]
fn a_mistake_names_its_key() {
    let check = |json: &str, expected: &str| {
        check_plan(json, &format!("Misconfigured({expected:?})"));
    };
    check(
        r#"{"steps": [{"name": "step-2"}, {}]}"#,
        "config.steps[1].name: an earlier step has it already",
    );
    check(
        r#"{"steps": [{"path": "/{{id}}", "save": {"id": {"json": "$.id"}}}]}"#,
        "config.steps[0].path: {{id}} is saved by no step before this one",
    );
    check(
        r#"{"steps": [{"json": {"a": ["{{b}}"]}}]}"#,
        "config.steps[0].json: {{b}} is saved by no step before this one",
    );
    check(
        r#"{"steps": [{"headers": {"x-a": "{{b"}}]}"#,
        "config.steps[0].headers.x-a: {{ without }}",
    );
    check(
        r#"{"steps": [{"body": "a", "form": {}}]}"#,
        "config.steps[0]: give one of body, json and form",
    );
    check(
        r#"{"steps": [{"save": {"a": {"json": "b"}}}]}"#,
        r#"config.steps[0].save.a.json: "b": a path begins with $"#,
    );
    check(
        r#"{"steps": [{"save": {"a": {"json": "$", "header": "b"}}}]}"#,
        "config.steps[0].save.a: give one of json, header and cookie, with or without regex, or regex alone",
    );
    check(
        r#"{"cookies": false, "steps": [{"save": {"a": {"cookie": "b"}}}]}"#,
        "config.steps[0].save.a.cookie: needs config.cookies",
    );
    check(
        r#"{"steps": [{}, {"expect": {"json": [{"path": "$"}]}}]}"#,
        "config.steps[1].expect.json[0].value: is missing",
    );
}

/// What is saved and found when `answers` come to the steps in their order.
fn learned(json: &str, answers: &[Response]) -> String {
    let config = config(json);
    let plans = Plan::all(&config).unwrap();
    let context = Context::new(None, Duration::from_secs(10));
    let target = Target::new("http://a.test");
    let mut walk = Walk::new(&config, &target, &context, Saved::new()).unwrap();
    for (plan, response) in plans.iter().zip(answers) {
        if let Err(stop) = walk.learn(plan, response) {
            return format!("{stop:?}");
        }
    }
    let saved = serde_json::to_string(&walk.saved).unwrap();
    match walk.finish(Timestamp::from_seconds(0)) {
        Ok(reading) if reading.health == Health::Healthy => saved,
        Ok(reading) => format!(
            "{:?} {}",
            reading.health,
            reading.reason.unwrap_or_default()
        ),
        Err(stop) => format!("{stop:?}"),
    }
}

#[test]
fn values_are_kept_from_wherever_they_are() {
    let config = r#"{"steps": [{"save": {
        "id": {"json": "$.items[*].id"},
        "kind": {"header": "Content-Type", "regex": "^[a-z]+"},
        "depth": {"regex": "\"depth\": *([0-9]+)"}
    }}]}"#;
    let body = r#"{"items": [{"id": 7}, {"id": 8}], "depth": 42}"#;
    let answer = Response::new(200, &[("content-type", "application/json")], body);
    assert_eq!(
        learned(config, &[answer]),
        r#"{"depth":"42","id":7,"kind":"application"}"#
    );
    let answer = Response::new(200, &[("content-type", "text/html")], "{}");
    assert_eq!(
        learned(config, &[answer]),
        r#"Dead("depth: nothing matches \"depth\": *([0-9]+)")"#
    );
    let answer = Response::new(200, &[], r#"{"depth":1,"items":[]}"#);
    assert_eq!(
        learned(config, &[answer]),
        r#"Dead("id: $.items[*].id is missing")"#
    );
}

#[test]
fn reasons_name_the_step_and_no_secret() {
    let config = r#"{"steps": [
        {"name": "log-in", "save": {"token": {"json": "$.token", "secret": true}},
         "prefer": {"json": [{"path": "$.token", "value": "x"}]}},
        {"expect": {"body": "ok"}}
    ]}"#;
    let token = Response::new(200, &[], r#"{"token": "hunter2"}"#);
    let ok = Response::new(200, &[], "ok");
    assert_eq!(
        learned(config, &[token.clone(), ok]),
        r#"Health::Sick step log-in: $.token is "****", expected "x""#
    );
    let failed = Response::new(500, &[], "");
    assert_eq!(
        learned(config, &[token, failed]),
        "Health::Dead step step-2: status 500, expected 2xx"
    );
}

#[test]
fn the_schema_in_the_file_is_the_derived_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
    watchkeeper_sdk::config::assert_schema_file::<Config>(file);
}
