//! Monitors whose health people set, through the API and the command line.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::rig::{Rig, said};

const CONFIG: &str = r#"
[[service]]
id = "shop"
label = "Shop"

[[service.monitor]]
id = "support"
label = "Support"
passive = "manual"

[[service.monitor]]
id = "web"
label = "Web"
targets = ["tcp://127.0.0.1:1"]
every = "1d"
"#;

/// A new token with these scopes.
fn token(rig: &Rig, scopes: &[&str]) -> String {
    let mut arguments = vec!["token", "create", "test"];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    let output = rig.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn ask(rig: &Rig, method: Method, monitor: &str, token: &str, body: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/monitors/{monitor}/health", rig.page());
    let mut request = Client::new().request(method, url).body(body.to_owned());
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_token_sets_the_health() {
    let mut rig = Rig::new(CONFIG);
    // Before the first start and beside the running server.
    let reporter = token(&rig, &["report"]);
    rig.start().await;
    let reader = token(&rig, &["read"]);
    let put = Method::PUT;
    let dead = json!({ "health": "dead", "comment": "Nobody is there" }).to_string();

    let (code, answer) = ask(&rig, put.clone(), "shop/support", &reporter, &dead).await;
    assert_eq!((code, &answer["health"]), (200, &json!("dead")), "{answer}");
    rig.until_health("Shop", "Support", "dead").await;
    rig.until_target("manual", "Nobody is there").await;
    let (code, answer) = ask(&rig, Method::GET, "shop/support", &reader, "").await;
    assert_eq!(code, 200);
    assert_eq!(
        (&answer["health"], &answer["comment"]),
        (&json!("dead"), &json!("Nobody is there"))
    );

    let wrong = "{\"health\":\"dead\",\"comment\":\"a\\nb\"}";
    for (method, monitor, token, body, code) in [
        (put.clone(), "shop/support", "", dead.as_str(), 401),
        (put.clone(), "shop/support", "wk_0", &dead, 401),
        (put.clone(), "shop/support", &reader, &dead, 403),
        (Method::GET, "shop/support", &reporter, "", 403),
        (put.clone(), "shop/none", &reporter, &dead, 404),
        (put.clone(), "shop/web", &reporter, &dead, 409),
        (
            put.clone(),
            "shop/support",
            &reporter,
            "{\"health\":\"well\"}",
            400,
        ),
        (
            put.clone(),
            "shop/support",
            &reporter,
            "{\"health\":\"dead\",\"x\":1}",
            400,
        ),
        (put.clone(), "shop/support", &reporter, wrong, 400),
        (
            put.clone(),
            "shop/support",
            &reporter,
            &" ".repeat(20_000),
            413,
        ),
    ] {
        let (got, answer) = ask(&rig, method, monitor, token, body).await;
        assert_eq!(got, code, "{monitor} {body}: {answer}");
        assert_eq!(answer["status"], code);
    }
    // What people said survives a restart.
    rig.kill();
    rig.start().await;
    assert_eq!(rig.health("Shop", "Support").await, "dead");

    let server = rig.page().to_owned();
    let set = |health: &str, token: &str| {
        let arguments = [
            "set",
            "shop/support",
            health,
            "--server",
            &server,
            "--token",
            token,
        ];
        let output = rig.run(&arguments);
        (output.status.code(), said(&output))
    };
    assert_eq!(set("healthy", &reporter), (Some(0), String::new()));
    rig.until_health("Shop", "Support", "healthy").await;
    let (code, words) = set("dead", &reader);
    assert_eq!(code, Some(64), "{words}");
    assert!(words.contains("scopes do not cover this"), "{words}");

    let listed = said(&rig.run(&["token", "list"]));
    assert!(
        listed.contains("report") && !listed.contains("wk_"),
        "{listed}"
    );
    assert_eq!(rig.run(&["token", "revoke", "1"]).status.code(), Some(0));
    assert_eq!(rig.run(&["token", "revoke", "1"]).status.code(), Some(64));
    assert_eq!(set("dead", &reporter).0, Some(64));
    assert_eq!(rig.health("Shop", "Support").await, "healthy");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_cannot_be_checked() {
    let rig = Rig::new(CONFIG);
    let output = rig.run(&["check", "shop/support"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(said(&output).contains("there is nothing to check"));
}
