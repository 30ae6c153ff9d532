//! Promises from the outage to the breach: told once, acknowledged, reported as
//! JSON, CSV, page and table.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use target_server::Receiver;

use super::rig::{Rig, said};

fn config(receiver: &Receiver) -> String {
    format!(
        "[page]\nsla = true\n\
         [[service]]\nid = \"api\"\nlabel = \"API & more\"\n\
         sla = {{ target = 100, period = \"1h\" }}\n\
         [[service.monitor]]\nid = \"all\"\npassive = \"manual\"\nlabel = \"All <of> it\"\n\
         [[service]]\nid = \"shop\"\n\
         [[service.monitor]]\nid = \"web\"\npassive = \"manual\"\n\
         sla = {{ target = 99, period = \"month\" }}\n\
         [[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n\
         [[route]]\nto = [\"hook\"]\non = [\"sla\"]\nhost = false\n",
        receiver.url("/hook"),
    )
}

fn token(rig: &Rig, scope: &str) -> String {
    let output = rig.run(&["token", "create", "Zoë's", "--scope", scope]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_is_broken_told_once_acknowledged_and_reported() {
    let receiver = Receiver::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = Rig::new(&config(&receiver));
    let (write, read) = (token(&rig, "write"), token(&rig, "read"));
    rig.start().await;
    let client = Client::new();
    let ask = async |method: Method, path: &str, token: &str, body: Option<Value>| {
        let url = format!("{}{path}", rig.page());
        let mut request = client.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let code = answer.status().as_u16();
        (code, answer.text().await.unwrap())
    };
    let set = async |monitor: &str, health: &str| {
        let path = format!("/api/v1/monitors/{monitor}/health");
        let body = json!({ "health": health });
        let (code, answer) = ask(Method::PUT, &path, &write, Some(body)).await;
        assert_eq!(code, 200, "{answer}");
    };
    set("shop/web", "healthy").await;
    set("api/all", "healthy").await;
    set("api/all", "dead").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    // What is said again accounts for the time since it was said first.
    set("api/all", "healthy").await;
    set("shop/web", "healthy").await;
    receiver.arrived(1).await;
    let notice: Value = receiver.received()[0].json().unwrap();
    let text = notice.to_string();
    assert!(
        text.contains("API & more misses its service level of 100 %"),
        "{text}"
    );
    assert!(text.contains("breach"), "{text}");

    let (code, listed) = ask(Method::GET, "/api/v1/sla", &read, None).await;
    assert_eq!(code, 200, "{listed}");
    let report: Value = serde_json::from_str(&listed).unwrap();
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{listed}");
    let api = &items[0];
    assert_eq!(
        (&api["service"], &api["monitor"]),
        (&json!("api"), &json!(null))
    );
    assert_eq!((&api["met"], &api["period"]), (&json!(false), &json!("1h")));
    assert_eq!(
        (&api["target"], &api["incidents"]),
        (&json!(100.0), &json!(1))
    );
    assert_eq!(api["outages"]["count"], 1);
    let lost = api["time"]["dead_s"].as_f64().unwrap();
    assert!(lost > 0.0, "{listed}");
    assert_eq!(api["budget"]["used_s"].as_f64(), Some(lost));
    let (shop, web) = (&items[1]["service"], &items[1]["monitor"]);
    assert_eq!((shop, web), (&json!("shop"), &json!("web")));
    assert_eq!(
        (&items[1]["met"], &items[1]["uptime"]),
        (&json!(true), &json!(100.0))
    );

    let (code, all) = ask(Method::GET, "/api/v1/analytics", &read, None).await;
    assert_eq!(code, 200, "{all}");
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 4, "{all}");
    let (_, csv) = ask(Method::GET, "/api/v1/analytics.csv?item=api", &read, None).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert!(lines[1].starts_with("api,,\"API & more\",1d,"), "{csv}");
    for (query, code) in [
        ("?period=fortnight", 400),
        ("?from=2026-13-01", 400),
        ("?from=2026-02-01&to=2026-01-01", 400),
        ("?at=today", 400),
        ("?what=ever", 400),
        ("?item=nothing", 404),
        ("?item=api/nothing", 404),
    ] {
        let path = format!("/api/v1/sla{query}");
        let (seen, answer) = ask(Method::GET, &path, &read, None).await;
        assert_eq!(seen, code, "{query}: {answer}");
        assert!(answer.contains("\"detail\""), "{query}: {answer}");
    }
    let (code, _) = ask(Method::GET, "/api/v1/sla", "wk_wrong", None).await;
    assert_eq!(code, 401);

    let (_, breaches) = ask(Method::GET, "/api/v1/sla/breaches", &read, None).await;
    let breaches: Value = serde_json::from_str(&breaches).unwrap();
    assert_eq!(breaches["items"].as_array().unwrap().len(), 1, "{breaches}");
    let id = breaches["items"][0]["id"].as_i64().unwrap();
    let path = format!("/api/v1/sla/breaches/{id}/ack");
    let (code, _) = ask(Method::POST, &path, &read, None).await;
    assert_eq!(code, 403);
    let (code, taken) = ask(Method::POST, &path, &write, None).await;
    assert_eq!(code, 200, "{taken}");
    assert!(taken.contains("Zoë's"), "{taken}");
    let (code, _) = ask(Method::POST, "/api/v1/sla/breaches/99/ack", &write, None).await;
    assert_eq!(code, 404);

    let page = rig.get("/sla").await;
    for part in [
        "API &amp; more",
        "Missed",
        "100 %, 1h",
        "Error budget",
        "Met",
    ] {
        assert!(
            page.contains(part) || page.contains("API &#38; more"),
            "{part}: {page}"
        );
    }
    let month = rig.get("/sla?period=month&at=2020-02-10").await;
    assert!(month.contains("2020-02-01 to 2020-02-29"), "{month}");

    let server = rig.page().to_owned();
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--server", &server, "--token", &write]);
        let output = rig.run(&all);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = run(&["sla"]);
    assert!(table.contains("shop/web"), "{table}");
    assert!(run(&["sla", "api", "--csv"]).starts_with("service,monitor,"));
    let none = run(&["breach", "list"]);
    assert!(!none.contains("100"), "{none}");
    let all = run(&["breach", "list", "--all"]);
    assert!(all.contains("api"), "{all}");
    assert_eq!(receiver.received().len(), 1);

    // Without the operator's word there is no page.
    rig.configure(&config(&receiver).replace("sla = true", "sla = false"));
    rig.signal("HUP");
    rig.until("the page is gone", async || {
        let url = format!("{}/sla", rig.page());
        reqwest::get(url).await.unwrap().status().as_u16() == 404
    })
    .await;
}
