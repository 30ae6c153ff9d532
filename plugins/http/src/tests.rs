//! The whole judgement, from a configuration and an answer to a reading.

use std::time::Duration;

use super::*;

fn judge_of(config: &Config) -> Result<Judge, Stop> {
    Judge::new(&config.expect, &config.prefer, "config")
}

fn check(config: &str, response: &Response, expected: &str) {
    let config: Config = watchkeeper_sdk::config::parse(config).unwrap();
    let found = judge_of(&config).and_then(|judge| {
        judged(
            &judge,
            &config.tls,
            response,
            None,
            Timestamp::from_seconds(0),
        )
    });
    let found = match found {
        Ok(reading) => format!(
            "{:?} {}",
            reading.health,
            reading.reason.unwrap_or_default()
        ),
        Err(stop) => format!("{stop:?}"),
    };
    assert_eq!(found, expected);
}

fn json(body: &str) -> Response {
    Response::new(
        200,
        &[("Content-Type", "application/json"), ("X-Age", "7")],
        body,
    )
}

#[test]
fn by_default_success_is_healthy() {
    check("{}", &Response::new(204, &[], ""), "Health::Healthy ");
    check(
        "{}",
        &Response::new(503, &[], ""),
        "Health::Dead status 503, expected 2xx",
    );
    check(
        "{}",
        &Response::new(301, &[("Location", "/login")], ""),
        "Health::Dead status 301, expected 2xx (redirects to /login)",
    );
}

#[test]
fn what_must_hold_is_dead_and_what_should_is_sick() {
    let config = r#"{
        "expect": { "status": ["2xx", 404], "body": "ok" },
        "prefer": { "status": [200], "body_not": "degraded" }
    }"#;
    check(config, &Response::new(200, &[], "ok"), "Health::Healthy ");
    check(
        config,
        &Response::new(404, &[], "ok"),
        "Health::Sick status 404, expected 200",
    );
    check(
        config,
        &Response::new(200, &[], "ok but degraded"),
        r#"Health::Sick the body contains "degraded""#,
    );
    check(
        config,
        &Response::new(404, &[], "no"),
        r#"Health::Dead the body does not contain "ok""#,
    );
    check(
        config,
        &Response::new(500, &[], "ok"),
        "Health::Dead status 500, expected 2xx, 404",
    );
}

#[test]
fn every_failed_assertion_is_told() {
    let config = r#"{ "expect": {
        "body_regex": "depth.*[0-9]",
        "json": [
            { "path": "$.status", "value": "up" },
            { "path": "$.queue.depth", "op": "<", "value": 10 },
            { "path": "$.gone", "op": "exists", "value": false }
        ],
        "headers": [{ "name": "x-age", "op": "<=", "value": 5 }]
    } }"#;
    check(
        config,
        &json(r#"{"status":"down","queue":{"depth":42}}"#),
        r#"Health::Dead header x-age is "7", expected at most 5; $.status is "down", expected "up"; $.queue.depth is 42, expected less than 10"#,
    );
    check(
        config,
        &json("depth 1"),
        r#"Health::Dead header x-age is "7", expected at most 5; the answer is not the JSON expected: expected value at line 1 column 1"#,
    );
}

#[test]
fn an_assertion_holds_for_every_value_at_its_path() {
    let config = r#"{ "expect": { "json": [{ "path": "$.nodes[*].up", "value": true }] } }"#;
    check(
        config,
        &json(r#"{"nodes":[{"up":true},{"up":true}]}"#),
        "Health::Healthy ",
    );
    check(
        config,
        &json(r#"{"nodes":[{"up":true},{"up":false}]}"#),
        "Health::Dead $.nodes[*].up is false, expected true",
    );
    check(
        config,
        &json(r#"{"nodes":[]}"#),
        "Health::Dead $.nodes[*].up is missing",
    );
}

#[test]
fn a_mistake_names_its_key() {
    let check = |config, expected: &str| {
        check(config, &json("{}"), &format!("Misconfigured({expected:?})"));
    };
    check(
        r#"{ "expect": { "json": [{ "path": "$.a" }] } }"#,
        "config.expect.json[0].value: is missing",
    );
    let config: Config =
        watchkeeper_sdk::config::parse(r#"{ "prefer": { "body_regex": "(" } }"#).unwrap();
    let Err(Stop::Misconfigured(why)) = judge_of(&config).map(drop) else {
        panic!("a broken pattern was taken");
    };
    assert!(
        why.starts_with(r#"config.prefer.body_regex: "(" is no regular expression"#),
        "{why}"
    );
    let config: Config =
        watchkeeper_sdk::config::parse(r#"{ "expect": { "json": [{ "path": "a" }] } }"#).unwrap();
    let Err(Stop::Misconfigured(why)) = judge_of(&config).map(drop) else {
        panic!("a broken path was taken");
    };
    assert!(
        why.starts_with(r#"config.expect.json[0].path: "a": "#),
        "{why}"
    );
}

#[test]
fn phases_become_latency_and_measurements() {
    let config = Config::default();
    let exchange = Exchange {
        connect: Some(Duration::from_millis(20)),
        first_byte: Some(Duration::from_millis(30)),
        ..Exchange::default()
    };
    let judge = judge_of(&config).unwrap();
    let response = Response::new(200, &[], "");
    let now = Timestamp::from_seconds(0);
    let reading = judged(&judge, &config.tls, &response, Some(&exchange), now).unwrap();
    assert_eq!(reading.latency, Some(Duration::from_millis(50)));
    let figures: Vec<String> = reading
        .measurements
        .iter()
        .map(|measurement| {
            format!(
                "{} {} {}",
                measurement.name, measurement.value, measurement.unit
            )
        })
        .collect();
    assert_eq!(
        figures,
        [
            "status 200 code",
            "connect 0.02 seconds",
            "first-byte 0.03 seconds"
        ]
    );
}

#[test]
fn the_schema_marks_every_secret() {
    let description = watchkeeper_sdk::describe::probe::<Http>("0.1.0");
    let schema: serde_json::Value =
        serde_json::from_str(&description.general.config_schema).unwrap();
    assert_eq!(
        schema["$defs"]["Basic"]["properties"]["password"]["writeOnly"],
        true
    );
    let token = &schema["$defs"]["Auth"]["oneOf"][1]["properties"]["bearer"];
    assert_eq!(token["writeOnly"], true);
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn the_schema_in_the_file_is_the_derived_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
    watchkeeper_sdk::config::assert_schema_file::<Config>(file);
}
