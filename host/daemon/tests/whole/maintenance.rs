//! A maintenance from the command line to its end: nobody is told meanwhile, the
//! page and the calendar show it, and a process that dies changes nothing.

use reqwest::header::{ETAG, IF_MATCH, LOCATION};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use target_server::Receiver;

use super::rig::{Rig, said};

struct Scene {
    rig: Rig,
    receiver: Receiver,
    token: String,
}

impl Scene {
    async fn begin() -> Self {
        let receiver = Receiver::start("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let config = format!(
            r#"
[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "web"
label = "Web"
passive = "manual"
[[service]]
id = "mail"
label = "Mail"
[[service.monitor]]
id = "smtp"
label = "Mail"
passive = "manual"
[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "{}" }}
[[route]]
to = ["hook"]
on = ["dead", "recovered", "maintenance"]
group_wait = "0s"
[[maintenance]]
id = "yearly"
title = "Yearly <b>move</b>"
description = "See [the plan](https://plan.example/) <script>alert(1)</script>"
services = ["mail"]
cron = "0 2 1 1 *"
time_zone = "Europe/Stockholm"
lasts = "1h"
"#,
            receiver.url("/hook"),
        );
        let mut rig = Rig::new(&config);
        let output = rig.run(&["token", "create", "ops", "--scope", "write"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        rig.start().await;
        Self {
            rig,
            receiver,
            token,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        revision: Option<&str>,
    ) -> Response {
        let url = format!("{}{path}", self.rig.page());
        let mut request = Client::new().request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        if let Some(revision) = revision {
            request = request.header(IF_MATCH, revision);
        }
        request.send().await.unwrap()
    }

    /// The status and the `detail` of a refusal.
    async fn refused(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, String) {
        let answer = self.send(method, path, body, None).await;
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status);
        (status, problem["detail"].as_str().unwrap().to_owned())
    }

    async fn set(&self, monitor: &str, health: &str) {
        let path = format!("/api/v1/monitors/{monitor}/health");
        let body = json!({ "health": health });
        let answer = self.send(Method::PUT, &path, Some(&body), None).await;
        assert_eq!(answer.status(), 200);
    }

    fn command(&self, arguments: &[&str]) -> String {
        let mut all = vec!["maintenance"];
        all.extend(arguments);
        all.extend(["--token", &self.token, "--server", self.rig.page()]);
        let output = self.rig.run(&all);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The page once it shows `words`: what is shown is made some time after what it
    /// shows, and an older one may be given out for a second.
    async fn page(&self, words: &str) -> String {
        let mut page = String::new();
        self.rig
            .until(words, async || {
                page = self.rig.get("/").await;
                page.contains(words)
            })
            .await;
        page
    }

    async fn told(&self, number: u64) -> String {
        self.receiver.arrived(number).await;
        let received = self.receiver.received();
        let notice: Value = received[usize::try_from(number).unwrap() - 1]
            .json()
            .unwrap();
        notice["title"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_mutes_shows_and_survives() {
    let mut scene = Scene::begin().await;
    scene.set("mail/smtp", "healthy").await;
    let begun = scene.command(&[
        "start",
        "--service",
        "shop",
        "--for",
        "1h",
        "--id",
        "rack",
        "--title",
        "New rack",
    ]);
    assert!(
        begun.starts_with("maintenance rack: in-progress"),
        "{begun}"
    );
    assert_eq!(scene.told(1).await, "New rack has begun");
    scene.set("shop/web", "dead").await;
    let front = scene.page("Maintenance in progress").await;
    assert!(front.contains("id=\"maintenance-rack\""), "{front}");
    assert!(!front.contains("Active incident<"), "{front}");
    assert_eq!(scene.rig.get("/status/text").await, "healthy");

    // Another process goes on as this one would have.
    scene.rig.kill();
    scene.rig.start().await;
    scene.set("shop/web", "dead").await;
    let listed = scene.command(&["list"]);
    assert!(
        listed.contains("rack") && listed.contains("yearly"),
        "{listed}"
    );
    let calendar = scene.rig.get("/calendar.ics").await;
    assert!(
        calendar.contains("\r\nUID:rack@watchkeeper\r\n"),
        "{calendar}"
    );
    assert!(
        calendar.contains("SUMMARY:Yearly <b>move</b>\r\n"),
        "{calendar}"
    );

    // It is over, and the shop is still dead.
    assert!(scene.command(&["end", "rack"]).contains("completed"));
    let mut told = [scene.told(2).await, scene.told(3).await];
    told.sort_unstable();
    assert_eq!(told[0].split(" after").next(), Some("New rack is over"));
    assert_eq!(told[1], "Shop: Web is dead");
    assert_eq!(scene.receiver.received().len(), 3);
    let front = scene.page("Active incident<").await;
    assert!(!front.contains("id=\"maintenance-rack\""), "{front}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_plans_and_says_what_is_wrong() {
    const PATH: &str = "/api/v1/maintenances";
    let scene = Scene::begin().await;
    let starts = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let wanted = json!({
        "title": "<img src=x onerror=alert(1)>",
        "description": "[a](javascript:alert(1)) <script>alert(2)</script> **soon**",
        "services": ["shop"],
        "monitors": ["mail/smtp"],
        "starts": starts.to_string(),
        "lasts": "90m",
    });
    let made = scene.send(Method::POST, PATH, Some(&wanted), None).await;
    assert_eq!(made.status(), 201);
    let (place, tag) = (
        made.headers()[LOCATION].clone(),
        made.headers()[ETAG].clone(),
    );
    let (place, tag) = (place.to_str().unwrap(), tag.to_str().unwrap());
    let body: Value = made.json().await.unwrap();
    assert_eq!(
        (&body["state"], &body["revision"]),
        (&json!("scheduled"), &json!(1))
    );
    assert_eq!(place, format!("{PATH}/{}", body["id"].as_str().unwrap()));

    // What people write is shown and does nothing.
    let front = scene.page("<strong>soon</strong>").await;
    assert!(front.contains("href=\"https://plan.example/\""), "{front}");
    for inert in ["<img", "<script>alert", "javascript:", "<b>move"] {
        assert!(!front.contains(inert), "{inert}: {front}");
    }

    // Whoever read an older one is told so.
    let mut longer = wanted.clone();
    longer["lasts"] = "2h".into();
    let changed = scene
        .send(Method::PUT, place, Some(&longer), Some(tag))
        .await;
    assert_eq!(
        (changed.status().as_u16(), &changed.headers()[ETAG]),
        (200, &"\"2\"".parse().unwrap())
    );
    let stale = scene
        .send(Method::PUT, place, Some(&longer), Some(tag))
        .await;
    assert_eq!(stale.status(), 412);

    let wrong = json!({ "services": ["nobody"], "starts": starts.to_string(), "lasts": "1h" });
    let (status, why) = scene.refused(Method::POST, PATH, Some(&wrong)).await;
    assert_eq!((status, &*why), (400, "there is no service `nobody`"));
    let wrong = json!({ "lasts": "soon", "colour": 1 });
    let (status, why) = scene.refused(Method::POST, PATH, Some(&wrong)).await;
    assert_eq!(status, 400);
    assert!(why.contains("unknown field `colour`"), "{why}");
    let (status, why) = scene
        .refused(Method::POST, PATH, Some(&json!({ "lasts": "soon" })))
        .await;
    assert_eq!(status, 400);
    for word in [
        "`services` is missing",
        "`lasts` must be",
        "`starts` is missing",
    ] {
        assert!(why.contains(word), "{why}");
    }
    let of_file = format!("{PATH}/yearly");
    assert_eq!(scene.refused(Method::DELETE, &of_file, None).await.0, 409);
    assert_eq!(
        scene
            .refused(Method::POST, &format!("{place}/end"), None)
            .await
            .0,
        409
    );
    assert_eq!(
        scene
            .refused(Method::GET, &format!("{PATH}/none"), None)
            .await
            .0,
        404
    );
    assert_eq!(
        scene
            .refused(Method::GET, &format!("{PATH}?state=gone"), None)
            .await
            .0,
        400
    );

    // Page by page.
    let first = scene
        .send(Method::GET, &format!("{PATH}?limit=1"), None, None)
        .await;
    let first: Value = first.json().await.unwrap();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(1));
    let next = first["next"].as_str().unwrap();
    let second: Value = scene
        .send(Method::GET, next, None, None)
        .await
        .json()
        .await
        .unwrap();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);

    let gone = scene.send(Method::DELETE, place, None, Some("\"2\"")).await;
    assert_eq!(gone.status(), 204);
    assert_eq!(scene.refused(Method::GET, place, None).await.0, 404);
}
