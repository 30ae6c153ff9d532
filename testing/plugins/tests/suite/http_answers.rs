//! The http probe: what it expects of an answer.

use plugin_tests::{check, run};
use serde_json::{Value, json};

use crate::http::site;

#[test]
fn statuses_are_codes_classes_and_ranges() {
    run(async {
        let site = site().await;
        for (code, config, expected) in [
            (200, "{}", "healthy"),
            (204, "{}", "healthy"),
            (500, "{}", "dead: status 500, expected 2xx"),
            (404, "{}", "dead: status 404, expected 2xx"),
            (301, r#"{"expect": {"status": ["2xx", 301]}}"#, "healthy"),
            (
                302,
                r#"{"expect": {"status": ["2xx", 301]}}"#,
                "dead: status 302, expected 2xx, 301",
            ),
            (503, r#"{"expect": {"status": ["500-503"]}}"#, "healthy"),
            (
                504,
                r#"{"expect": {"status": ["500-503"]}}"#,
                "dead: status 504, expected 500-503",
            ),
            (
                401,
                r#"{"expect": {"status": ["4xx"]}, "prefer": {"status": [403]}}"#,
                "sick: status 401, expected 403",
            ),
            (
                200,
                r#"{"expect": {"status": [201]}, "prefer": {"status": [202]}}"#,
                "dead: status 200, expected 201",
            ),
        ] {
            let said = check("http", &site.url(&format!("/status/{code}")), config).await;
            assert_eq!(said, expected, "{config}");
        }
        for config in [
            r#"{"expect": {"status": ["6xx"]}}"#,
            r#"{"expect": {"status": [99]}}"#,
            r#"{"expect": {"status": []}}"#,
            r#"{"expect": {"status": "2xx"}}"#,
            r#"{"expct": {}}"#,
        ] {
            let said = check("http", &site.url("/ok"), config).await;
            assert!(said.starts_with("refused: "), "{config}: {said}");
        }
        let said = check(
            "http",
            &site.url("/ok"),
            r#"{"expect": {"status": ["299-200"]}}"#,
        )
        .await;
        assert!(
            said.starts_with("misconfigured: config.expect.status[0]"),
            "{said}"
        );
    });
}

#[test]
fn bodies_contain_lack_and_match() {
    run(async {
        let site = site().await;
        for (expect, expected) in [
            (r#"{"body": "ok"}"#, "healthy"),
            (
                r#"{"body": "up"}"#,
                r#"dead: the body does not contain "up""#,
            ),
            (r#"{"body_not": "error"}"#, "healthy"),
            (r#"{"body_not": "k"}"#, r#"dead: the body contains "k""#),
            (r#"{"body_regex": "^o.$"}"#, "healthy"),
            (
                r#"{"body_regex": "^k"}"#,
                "dead: the body does not match ^k",
            ),
            (
                r#"{"body": "up", "body_not": "ok", "body_regex": "[0-9]"}"#,
                r#"dead: the body does not contain "up"; the body contains "ok"; the body does not match [0-9]"#,
            ),
            (
                r#"{"body_regex": "("}"#,
                "misconfigured: config.expect.body_regex: \"(\" is no regular expression",
            ),
            (
                r#"{"json": [{"path": "$.a", "value": 1}]}"#,
                "dead: the answer is not the JSON expected",
            ),
        ] {
            let config = format!(r#"{{"expect": {expect}}}"#);
            let said = check("http", &site.url("/ok"), &config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let both = r#"{"expect": {"body": "ok"}, "prefer": {"body": "up"}}"#;
        assert_eq!(
            check("http", &site.url("/ok"), both).await,
            r#"sick: the body does not contain "up""#
        );
    });
}

#[test]
fn what_is_read_of_a_large_body_decides_if_it_can() {
    run(async {
        let site = site().await;
        let cut = "undecided: the body is larger than 1048576 bytes, so that config.expect.body \
                   cannot be decided: raise config.max_body";
        for (bytes, config, expected) in [
            (2_000_000, "{}", "healthy"),
            (2_000_000, r#"{"expect": {"body": "xx"}}"#, "healthy"),
            (2_000_000, r#"{"expect": {"body": "y"}}"#, cut),
            (
                2_000_000,
                r#"{"max_body": 3000000, "expect": {"body": "y"}}"#,
                r#"dead: the body does not contain "y""#,
            ),
            (
                2_000_000,
                r#"{"max_body": 10, "expect": {"body_not": "x"}}"#,
                r#"dead: the body contains "x""#,
            ),
            (
                6_000_000,
                r#"{"max_body": 8000000, "expect": {"body": "y"}}"#,
                "limit: the plugin received a body of more than 4 MiB (limit `body`)",
            ),
        ] {
            let said = check("http", &site.url(&format!("/body/{bytes}")), config).await;
            assert_eq!(said, expected, "{config}");
        }
    });
}

/// One assertion on a body that the server sends back as it came.
async fn of_json(server: &str, body: &Value, assertion: &Value) -> String {
    let config = json!({
        "method": "POST",
        "body": body.to_string(),
        "expect": {"json": [assertion]},
    });
    check("http", server, &config.to_string()).await
}

#[test]
fn values_in_json_are_compared_by_every_operator() {
    run(async {
        let site = site().await;
        let body = json!({
            "status": "up",
            "queue": {"depth": 7, "load": 0.5, "name": "jobs-eu"},
            "nodes": [{"id": "a", "up": true}, {"id": "b", "up": false}],
            "tags": ["x", "y"],
            "none": null,
        });
        for (assertion, expected) in [
            (
                json!({"path": "$.status", "op": "==", "value": "up"}),
                "healthy",
            ),
            (
                json!({"path": "$.status", "value": "down"}),
                r#"dead: $.status is "up", expected "down""#,
            ),
            (
                json!({"path": "$.status", "op": "!=", "value": "down"}),
                "healthy",
            ),
            (
                json!({"path": "$.status", "op": "!=", "value": "up"}),
                r#"dead: $.status is "up", expected not "up""#,
            ),
            (json!({"path": "$.queue.depth", "value": 7.0}), "healthy"),
            (
                json!({"path": "$.queue.depth", "op": "<", "value": 8}),
                "healthy",
            ),
            (
                json!({"path": "$.queue.depth", "op": "<", "value": 7}),
                "dead: $.queue.depth is 7, expected less than 7",
            ),
            (
                json!({"path": "$.queue.depth", "op": "<=", "value": 7}),
                "healthy",
            ),
            (
                json!({"path": "$.queue.depth", "op": "<=", "value": 6.5}),
                "dead: $.queue.depth is 7, expected at most 6.5",
            ),
            (
                json!({"path": "$.queue.load", "op": ">", "value": 0.25}),
                "healthy",
            ),
            (
                json!({"path": "$.queue.load", "op": ">", "value": 0.5}),
                "dead: $.queue.load is 0.5, expected more than 0.5",
            ),
            (
                json!({"path": "$.queue.load", "op": ">=", "value": 0.5}),
                "healthy",
            ),
            (
                json!({"path": "$.queue.load", "op": ">=", "value": 1}),
                "dead: $.queue.load is 0.5, expected at least 1",
            ),
            (
                json!({"path": "$.queue.name", "op": "contains", "value": "eu"}),
                "healthy",
            ),
            (
                json!({"path": "$.tags", "op": "contains", "value": "y"}),
                "healthy",
            ),
            (
                json!({"path": "$.queue", "op": "contains", "value": "load"}),
                "healthy",
            ),
            (
                json!({"path": "$.tags", "op": "contains", "value": "z"}),
                r#"dead: $.tags is ["x","y"], expected with "z" in it"#,
            ),
            (
                json!({"path": "$.queue.name", "op": "matches", "value": "^jobs-(eu|us)$"}),
                "healthy",
            ),
            (
                json!({"path": "$.queue.name", "op": "matches", "value": "^us"}),
                r#"dead: $.queue.name is "jobs-eu", expected a match of ^us"#,
            ),
            (json!({"path": "$.none", "op": "exists"}), "healthy"),
            (
                json!({"path": "$.error", "op": "exists", "value": false}),
                "healthy",
            ),
            (
                json!({"path": "$.status", "op": "exists", "value": false}),
                r#"dead: $.status is "up", expected absent"#,
            ),
            (
                json!({"path": "$.gone", "op": "exists"}),
                "dead: $.gone is missing",
            ),
            (
                json!({"path": "$.gone", "value": 1}),
                "dead: $.gone is missing",
            ),
            (json!({"path": "$.nodes[0].up", "value": true}), "healthy"),
            (json!({"path": "$.nodes[-1].id", "value": "b"}), "healthy"),
            (
                json!({"path": "$.nodes[*].up", "value": true}),
                "dead: $.nodes[*].up is false, expected true",
            ),
            (
                json!({"path": "$..id", "op": "matches", "value": "^[ab]$"}),
                "healthy",
            ),
            (
                json!({"path": "$['queue']['depth']", "value": 7}),
                "healthy",
            ),
        ] {
            let said = of_json(&site.url("/echo"), &body, &assertion).await;
            assert_eq!(said, expected, "{assertion}");
        }
        site.set_depth(12);
        let config = r#"{"prefer": {"json": [{"path": "$.queue.depth", "op": "<", "value": 10}]}}"#;
        assert_eq!(
            check("http", &site.url("/json"), config).await,
            "sick: $.queue.depth is 12, expected less than 10"
        );
    });
}

#[test]
fn assertions_that_cannot_be_are_mistakes() {
    run(async {
        let site = site().await;
        for (assertion, expected) in [
            (
                json!({"path": "status"}),
                "misconfigured: config.expect.json[0].path: \"status\"",
            ),
            (
                json!({"path": "$.a"}),
                "misconfigured: config.expect.json[0].value: is missing",
            ),
            (
                json!({"path": "$.a", "op": "<", "value": true}),
                "misconfigured: config.expect.json[0].value: must be a number or a text",
            ),
            (
                json!({"path": "$.a", "op": "~", "value": 1}),
                "refused: config.expect.json[0].op",
            ),
            (
                json!({"path": "$.a", "op": "matches", "value": "["}),
                "misconfigured: config.expect.json[0].value: \"[\" is no regular expression",
            ),
        ] {
            let said = of_json(&site.url("/echo"), &json!({}), &assertion).await;
            assert!(said.starts_with(expected), "{assertion}: {said}");
        }
        assert_eq!(
            site.hits(),
            0,
            "nothing is sent before the mistake is found"
        );
    });
}

#[test]
fn headers_are_compared_too() {
    run(async {
        let site = site().await;
        for (assertion, expected) in [
            (
                json!({"name": "Content-Type", "value": "text/plain; charset=utf-8"}),
                "healthy",
            ),
            (
                json!({"name": "content-type", "op": "contains", "value": "plain"}),
                "healthy",
            ),
            (
                json!({"name": "content-type", "op": "matches", "value": "^image/"}),
                r#"dead: header content-type is "text/plain; charset=utf-8", expected a match of ^image/"#,
            ),
            (
                json!({"name": "content-length", "op": "<", "value": 10}),
                "healthy",
            ),
            (
                json!({"name": "content-length", "op": ">", "value": 10}),
                r#"dead: header content-length is "2", expected more than 10"#,
            ),
            (json!({"name": "date", "op": "exists"}), "healthy"),
            (
                json!({"name": "x-powered-by", "op": "exists", "value": false}),
                "healthy",
            ),
            (
                json!({"name": "x-frame-options", "value": "DENY"}),
                "dead: header x-frame-options is missing",
            ),
            (
                json!({"name": "date", "op": "exists", "value": false}),
                "dead: header date is ",
            ),
        ] {
            let config = json!({"expect": {"headers": [assertion]}}).to_string();
            let said = check("http", &site.url("/ok"), &config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
    });
}
