//! The pages and the API of incidents and deliveries.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use watchkeeper_engine::id::MonitorId;
use watchkeeper_web::{Access, Admission, Intake, Kind, Limits, Refusal, Told, View, WebSettings};

use crate::records::{GOOD, Shelf};
use crate::site::{Site, settings};

#[path = "../examples/sample_page/records.rs"]
mod records;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[expect(dead_code, reason = "what is kept has to be put in place first")]
#[path = "support/site.rs"]
mod site;

/// Tokens that say what they are good for.
struct Words;

impl Intake for Words {
    fn admits_reporter(&self, _: &str) -> Admission {
        Admission::NoDoor
    }

    fn admits_manager(&self, _: &str) -> Admission {
        Admission::NoDoor
    }

    fn hushed_for(&self) -> Option<Duration> {
        None
    }

    fn hush(&self, _: Duration) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(ready(Err(Refusal::Unknown)))
    }

    fn heartbeat(&self, _: &str) -> Option<MonitorId> {
        None
    }

    fn access(&self, token: &str) -> BoxFuture<'_, Result<Option<Access>, Refusal>> {
        let access = Access {
            name: "Zoë".into(),
            read: token == "read" || token == "write",
            report: false,
            write: token == "write",
            admin: false,
        };
        let known = ["read", "write", "none"].contains(&token);
        Box::pin(ready(Ok(known.then_some(access))))
    }

    fn kind(&self, _: &MonitorId) -> Option<Kind> {
        None
    }

    fn take(&self, _: Told) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(ready(Err(Refusal::Unknown)))
    }
}

async fn site(view: View) -> Site {
    let past = view.past.clone().unwrap_or_default().incidents;
    let shelf = Shelf::of(view.incidents.iter().cloned().chain(past));
    let settings = WebSettings {
        records: Arc::new(shelf),
        intake: Arc::new(Words),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

async fn page(site: &Site, path: &str) -> (u16, String) {
    let client = Client::new()
        .get(site.url(path))
        .header("accept", "text/html");
    let answer = client.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn api(site: &Site, method: Method, path: &str, token: &str, body: &str) -> (u16, Value) {
    let mut request = Client::new()
        .request(method, site.url(path))
        .body(body.to_owned());
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn send(site: &Site, path: &str, form: &str) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = client.post(site.url(path)).header("accept", "text/html");
    request.body(form.to_owned()).send().await.unwrap()
}

#[tokio::test]
async fn an_incident_has_a_page_and_a_month_has_one() {
    let site = site(sample::view()).await;
    let (code, one) = page(&site, "/incidents/213").await;
    assert_eq!(code, 200);
    assert!(one.starts_with("<!doctype html>") && one.trim_end().ends_with("</html>"));
    for part in [
        "<h1>Delayed webhook deliveries</h1>",
        "Resolved",
        "18 min",
        "<a class=\"in\" href=\"/#monitor-api/hooks\">Webhooks</a>",
        "The backlog is empty",
        "A stuck worker was restarted",
        "/incidents/213.json",
    ] {
        assert!(one.contains(part), "{part}: {one}");
    }
    assert!(!one.contains("internal words"), "{one}");
    let (_, month) = page(&site, "/history").await;
    assert!(month.contains("Incidents in November 2026"), "{month}");
    assert!(month.contains("href=\"/incidents/214\"") && month.contains("href=\"/incidents/213\""));
    assert!(month.contains("href=\"/history?month=2026-10\"") && !month.contains("month=2026-12"));
    let (_, earlier) = page(&site, "/history?month=2026-10").await;
    assert!(
        earlier.contains("No incidents") && earlier.contains("month=2026-11"),
        "{earlier}"
    );
    for (path, expected) in [
        ("/incidents/1", 404),
        ("/incidents/-1", 404),
        ("/history?month=now", 400),
        ("/history?week=1", 400),
    ] {
        assert_eq!(page(&site, path).await.0, expected, "{path}");
    }
    let answer = reqwest::get(site.url("/incidents/213.json")).await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let public: Value = answer.json().await.unwrap();
    assert_eq!(
        (
            &public["state"],
            &public["resolved"],
            &public["updates"][2]["state"]
        ),
        (
            &json!("resolved"),
            &json!("2026-11-19T14:20:00Z"),
            &json!("investigating")
        )
    );
}

#[tokio::test]
async fn what_strangers_say_stays_text() {
    let mut view = sample::view();
    let incident = &mut view.incidents[0];
    let evil = "</script><script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    incident.title = evil.into();
    incident.affects[0].label = evil.into();
    incident.updates[0].text = evil.into();
    let site = site(view).await;
    let link = format!("/incidents/214/acknowledge?until=9999999999&to=%3Cb%3E&signature={GOOD}");
    for path in ["/", "/incidents/214", "/history", &link] {
        let (code, page) = page(&site, path).await;
        assert_eq!(code, 200, "{path}");
        assert!(
            !page.contains("<script>alert") && !page.contains("<img src=x"),
            "{path}"
        );
        assert!(!page.contains("<b>\""), "{path}");
    }
}

#[tokio::test]
async fn a_link_shows_and_a_form_takes() {
    let site = site(sample::view()).await;
    let good = format!("until=9999999999&to=ops&signature={GOOD}");
    let path = "/incidents/214/acknowledge";
    let whole = format!("{path}?{good}");
    for _ in 0..2 {
        let (code, form) = page(&site, &whole).await;
        assert_eq!(code, 200);
        assert!(
            form.contains("<form class=\"take\" method=\"post\""),
            "{form}"
        );
        assert!(form.contains("noindex"), "{form}");
    }
    for (query, expected) in [
        ("", 403),
        ("?until=x&to=ops&signature=good", 403),
        ("?until=9999999999&to=ops&signature=bad", 403),
        ("?until=5&to=ops&signature=good", 410),
    ] {
        let (code, refused) = page(&site, &format!("{path}{query}")).await;
        assert_eq!(code, expected, "{query}: {refused}");
        assert!(!refused.contains("<form"), "{refused}");
        let sent = send(&site, path, query.trim_start_matches('?')).await;
        assert_eq!(sent.status(), expected, "{query}");
    }
    let (code, _) = page(&site, &format!("/incidents/9/acknowledge?{good}")).await;
    assert_eq!(code, 404);
    let long = "x".repeat(101);
    assert_eq!(
        send(&site, path, &format!("{good}&by={long}"))
            .await
            .status(),
        400
    );
    assert_eq!(send(&site, path, &"x".repeat(9_000)).await.status(), 400);

    let taken = send(&site, path, &format!("{good}&by=Anna+B%26o")).await;
    assert_eq!(taken.status(), 303);
    let to = taken.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(to, format!("acknowledge?{good}"));
    let (_, after) = page(&site, &whole).await;
    assert!(
        after.contains("Acknowledged by <b>Anna B&#38;o (by a link to ops)</b>"),
        "{after}"
    );
    assert!(!after.contains("<form"), "{after}");
    // One that is over cannot be taken.
    let (_, over) = page(&site, &format!("/incidents/213/acknowledge?{good}")).await;
    assert!(
        over.contains("It is over") && !over.contains("<form"),
        "{over}"
    );
}

#[tokio::test]
async fn the_api_is_for_those_who_may() {
    let site = site(sample::view()).await;
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, token, body, expected) in [
        (&get, "/api/v1/incidents", "", "", 401),
        (&get, "/api/v1/incidents", "stolen", "", 401),
        (&get, "/api/v1/incidents", "none", "", 403),
        (&get, "/api/v1/incidents/7", "read", "", 404),
        (&get, "/api/v1/incidents/x", "read", "", 404),
        (&get, "/api/v1/incidents?limit=201", "read", "", 400),
        (&get, "/api/v1/incidents?limit=1&limit=2", "read", "", 400),
        (&get, "/api/v1/incidents?service=A", "read", "", 400),
        (&post, "/api/v1/incidents/214/ack", "read", "", 403),
        (&post, "/api/v1/incidents/213/ack", "write", "", 409),
        (&post, "/api/v1/incidents/7/ack", "write", "", 404),
        (
            &post,
            "/api/v1/incidents/214/ack",
            "write",
            "{\"who\":1}",
            400,
        ),
        (
            &post,
            "/api/v1/incidents/214/ack",
            "write",
            "{\"note\":\"a\\nb\"}",
            400,
        ),
        (&get, "/api/v1/deliveries", "none", "", 403),
        (&get, "/api/v1/deliveries?state=lost", "read", "", 400),
        (&get, "/api/v1/deliveries?channel=A%20b", "read", "", 400),
        (&post, "/api/v1/deliveries/2/retry", "read", "", 403),
        (&post, "/api/v1/deliveries/1/retry", "write", "", 409),
        (&post, "/api/v1/deliveries/3/retry", "write", "", 404),
    ] {
        let (code, problem) = api(&site, method.clone(), path, token, body).await;
        assert_eq!(
            (code, &problem["status"]),
            (expected, &json!(expected)),
            "{path} {problem}"
        );
    }
    let (_, first) = api(&site, get.clone(), "/api/v1/incidents?limit=1", "read", "").await;
    assert_eq!(first["items"][0]["id"], 214);
    assert_eq!(first["next"], "/api/v1/incidents?limit=1&before=214");
    assert_eq!(first["items"][0]["entries"], Value::Null);
    let (_, over) = api(
        &site,
        get.clone(),
        "/api/v1/incidents?state=resolved",
        "read",
        "",
    )
    .await;
    assert_eq!(
        (&over["items"][0]["id"], &over["next"]),
        (&json!(213), &Value::Null)
    );
    let (_, whole) = api(&site, get.clone(), "/api/v1/incidents/214", "read", "").await;
    let last = whole["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["kind"], &last["public"]),
        (&json!("told"), &json!(false))
    );
    let ack = "/api/v1/incidents/214/ack";
    let (code, taken) = api(&site, post.clone(), ack, "write", "{\"by\":\"Bo\"}").await;
    assert_eq!((code, &taken["by"]), (200, &json!("Bo (Zoë)")));
    let (_, failed) = api(
        &site,
        get,
        "/api/v1/deliveries?state=failed&channel=ops",
        "read",
        "",
    )
    .await;
    assert_eq!(
        (&failed["items"][0]["id"], &failed["next"]),
        (&json!(2), &Value::Null)
    );
    let (code, again) = api(&site, post, "/api/v1/deliveries/2/retry", "write", "").await;
    assert_eq!((code, &again["state"]), (200, &json!("pending")));
}

#[tokio::test]
async fn followers_hear_of_what_is_new_and_of_nothing_else() {
    let site = site(sample::view()).await;
    let mut events = reqwest::get(site.url("/events")).await.unwrap();
    let mut seen = String::new();
    let mut read_on = async |until: &str| {
        let reading = async {
            while !seen.contains(until) {
                let chunk = events.chunk().await.unwrap().unwrap();
                seen.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), reading)
            .await
            .unwrap();
        std::mem::take(&mut seen)
    };
    read_on("event: seen").await;
    let mut view = sample::view();
    view.now = view.now + std::time::Duration::from_secs(1);
    let mut over = view.incidents.remove(0);
    over.resolved = Some(view.now);
    view.past.as_mut().unwrap().incidents.insert(0, over);
    site.web.publish(view);
    let told = read_on("event: seen").await;
    let news: Vec<_> = told.split("event: incident\ndata: ").skip(1).collect();
    assert_eq!(news.len(), 1, "{told}");
    assert!(
        news[0].starts_with("{\"id\":\"214\"") && !news[0].contains("internal"),
        "{told}"
    );
}
