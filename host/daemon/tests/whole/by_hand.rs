//! Incidents that people open, tell of and put together, and announcements: by the
//! API and the command line, and on the page, where nothing that is written does
//! anything.

use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::rig::{Rig, said};

/// What would do something if it were not made harmless.
const HOSTILE: &str =
    "\"><script>alert(1)</script><img src=x onerror=alert(2)> [go](javascript:alert(3)) **bold**";

struct Scene {
    rig: Rig,
    token: String,
}

impl Scene {
    async fn begin() -> Self {
        let service = |id: &str| {
            format!(
                "[[service]]\nid = \"{id}\"\nlabel = \"{id}\"\n[[service.monitor]]\nid = \"all\"\npassive = \"manual\"\n"
            )
        };
        let vigil = "[compat.vigil]\nmanager_token = { env = \"REPORTER_TOKEN\" }\n";
        let mut rig = Rig::new(&format!("{}{}{vigil}", service("shop"), service("mail")));
        let output = rig.run(&["token", "create", "ops", "--scope", "write"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        rig.start().await;
        Self { rig, token }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        revision: Option<&str>,
    ) -> Response {
        let url = format!("{}{path}", self.rig.page());
        let mut request = Client::new().request(method, url).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        if let Some(revision) = revision {
            request = request.header(IF_MATCH, revision);
        }
        request.send().await.unwrap()
    }

    /// What is answered, after its status was looked at.
    async fn ask(&self, method: Method, path: &str, body: Value, status: u16) -> Value {
        let answer = self.send(method, path, &body, None).await;
        let found = answer.status().as_u16();
        let answer: Value = answer.json().await.unwrap_or_default();
        assert_eq!(found, status, "{path}: {answer}");
        answer
    }

    fn command(&self, arguments: &[&str]) -> String {
        let mut all = arguments.to_vec();
        all.extend(["--token", &self.token, "--server", self.rig.page()]);
        let output = self.rig.run(&all);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The page once it shows `words`: what is shown is made some time after what it
    /// shows, and an older one may be given out for a second.
    async fn page(&self, path: &str, words: &str) -> String {
        let mut page = String::new();
        self.rig
            .until(words, async || {
                page = self.rig.get(path).await;
                page.contains(words)
            })
            .await;
        page
    }

    /// A page on which nothing that was written does anything, once it shows `words`.
    async fn inert(&self, path: &str, words: &str) -> String {
        let page = self.page(path, words).await;
        for active in ["<script>alert", "<img src=x", "href=\"javascript:"] {
            assert!(!page.contains(active), "{active} on {path}: {page}");
        }
        page
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_tell_a_story_and_put_two_together() {
    const PATH: &str = "/api/v1/incidents";
    let mut scene = Scene::begin().await;
    let body = json!({
        "title": HOSTILE, "services": ["shop"], "severity": "major", "text": HOSTILE,
    });
    let made = scene.ask(Method::POST, PATH, body, 201).await;
    assert_eq!(
        (
            &made["id"],
            &made["origin"],
            &made["state"],
            &made["severity"]
        ),
        (
            &json!(1),
            &json!("people"),
            &json!("investigating"),
            &json!("major")
        )
    );
    let update = json!({ "text": "Only _we_ know", "public": false });
    scene
        .ask(Method::POST, "/api/v1/incidents/1/updates", update, 200)
        .await;
    let update = json!({ "text": HOSTILE, "state": "identified" });
    let told = scene
        .ask(Method::POST, "/api/v1/incidents/1/updates", update, 200)
        .await;
    assert_eq!(told["state"], "identified");
    for path in ["/", "/incidents/1", "/history"] {
        let words = if path == "/history" {
            "alert(1)"
        } else {
            "Identified"
        };
        let page = scene.inert(path, words).await;
        assert!(
            page.contains("<strong>bold</strong>") || path == "/history",
            "{page}"
        );
        assert!(!page.contains("Only"), "{path}: {page}");
        assert!(!page.contains("Opened by"), "{path}: {page}");
    }
    let changed =
        json!({ "title": "Shop is slow", "services": ["shop", "mail"], "severity": "minor" });
    let changed = scene
        .ask(Method::PATCH, "/api/v1/incidents/1", changed, 200)
        .await;
    assert_eq!(changed["services"], json!(["shop", "mail"]));

    // One that opens itself goes on as this one, and survives the process in it.
    let health = "/api/v1/monitors/mail/all/health";
    scene
        .ask(Method::PUT, health, json!({ "health": "dead" }), 200)
        .await;
    let merged = scene
        .ask(
            Method::POST,
            "/api/v1/incidents/2/merge",
            json!({ "into": 1 }),
            200,
        )
        .await;
    assert_eq!(
        (&merged["state"], &merged["merged_into"]),
        (&json!("resolved"), &json!(1))
    );
    scene.rig.kill();
    scene.rig.start().await;
    scene
        .ask(Method::PUT, health, json!({ "health": "healthy" }), 200)
        .await;
    let one = scene
        .send(Method::GET, "/api/v1/incidents/1", &Value::Null, None)
        .await;
    let tag = one.headers()[ETAG].to_str().unwrap().to_owned();
    let one: Value = one.json().await.unwrap();
    assert_eq!(
        (&one["state"], &one["resolved"]),
        (&json!("identified"), &Value::Null)
    );
    let texts = one["entries"].to_string();
    assert!(
        texts.contains("is part of it from now on") && texts.contains("works again"),
        "{texts}"
    );

    // Every change says where it came from.
    let page = scene.inert("/changes?service=mail", "Set by people").await;
    assert!(!page.contains("Nothing has changed"), "{page}");
    let unknown = "/changes?service=nobody";
    scene.ask(Method::GET, unknown, Value::Null, 404).await;

    // Who has seen an older one is told so; what cannot be done is said.
    let stale = scene
        .send(
            Method::PATCH,
            "/api/v1/incidents/1",
            &json!({ "severity": "major" }),
            Some("\"1\""),
        )
        .await;
    assert_eq!(stale.status(), 412);
    let fresh = scene
        .send(
            Method::PATCH,
            "/api/v1/incidents/1",
            &json!({ "severity": "major" }),
            Some(&tag),
        )
        .await;
    assert_eq!(fresh.status(), 200);
    let early = json!({ "text": "We learned." });
    scene
        .ask(Method::PUT, "/api/v1/incidents/1/postmortem", early, 409)
        .await;
    for (body, words) in [
        (json!({ "title": "a", "services": ["nobody"] }), "`nobody`"),
        (json!({ "title": "a", "services": [] }), "`services`"),
        (json!({ "title": "a\nb", "services": ["shop"] }), "`title`"),
        (
            json!({ "title": "a", "services": ["shop"], "severity": "bad" }),
            "`severity`",
        ),
        (
            json!({ "title": "a", "services": ["shop"], "state": "gone" }),
            "`state`",
        ),
        (
            json!({ "title": "a", "services": ["shop"], "started": "soon" }),
            "`started`",
        ),
    ] {
        let why = scene.ask(Method::POST, PATH, body, 400).await;
        assert!(why["detail"].as_str().unwrap().contains(words), "{why}");
    }
    scene
        .ask(
            Method::POST,
            "/api/v1/incidents/9/updates",
            json!({ "text": "a" }),
            404,
        )
        .await;

    let over = scene.command(&[
        "incident",
        "update",
        "1",
        "It is **over**.",
        "--state",
        "resolved",
    ]);
    assert_eq!(over.trim(), "incident 1: resolved");
    let learned = json!({ "text": HOSTILE });
    scene
        .ask(Method::PUT, "/api/v1/incidents/1/postmortem", learned, 200)
        .await;
    let page = scene.inert("/incidents/1", "What we learned").await;
    assert!(page.contains("<strong>over</strong>"), "{page}");
    let opened = scene.command(&["incident", "open", "Mail is slow", "--service", "mail"]);
    assert_eq!(opened.trim(), "incident 3: investigating");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_and_vigils_manager_too() {
    const PATH: &str = "/api/v1/announcements";
    let mut scene = Scene::begin().await;
    let body = json!({ "title": HOSTILE, "text": HOSTILE, "kind": "warning", "pinned": true });
    let made = scene.ask(Method::POST, PATH, body, 201).await;
    let id = made["id"].as_str().unwrap();
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let later = json!({ "title": "Later", "from": later.to_string() });
    scene.ask(Method::POST, PATH, later, 201).await;

    // Vigil's manager, as its clients speak to it.
    let manager = |method: Method, path: &str| {
        let url = format!("{}{path}", scene.rig.page());
        let request = Client::new().request(method, url);
        request.basic_auth("", Some("battery:staple"))
    };
    let vigils = manager(Method::POST, "/manager/announcement")
        .header(CONTENT_TYPE, "application/json")
        .body(r#"{"title":"Old <b>","text":"line one\nline *two*"}"#);
    let vigils = vigils.send().await.unwrap();
    assert_eq!(vigils.status(), 200);
    let vigils: Value = vigils.json().await.unwrap();
    let vigils = vigils["id"].as_str().unwrap().to_owned();
    assert_eq!(vigils.len(), 36);
    for bad in [r#"{"title":"","text":"x"}"#, r#"{"title":"x"}"#, "{"] {
        let answer = manager(Method::POST, "/manager/announcement")
            .header(CONTENT_TYPE, "application/json")
            .body(bad);
        assert_eq!(answer.send().await.unwrap().status(), 400, "{bad}");
    }
    let listed = manager(Method::GET, "/manager/announcements")
        .send()
        .await
        .unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(listed[0], json!({ "id": id, "title": HOSTILE }));
    let health = "/api/v1/monitors/mail/all/health";
    scene
        .ask(Method::PUT, health, json!({ "health": "dead" }), 200)
        .await;
    scene
        .rig
        .until("the alert", async || {
            let alerts = manager(Method::GET, "/manager/prober/alerts").send().await;
            let alerts: Value = alerts.unwrap().json().await.unwrap();
            alerts["dead"][0]["probe"] == "mail" && alerts["sick"] == json!([])
        })
        .await;

    let page = scene.inert("/", "Old &#60;b&#62;").await;
    assert!(page.contains("line *two*"), "{page}");
    assert!(
        page.contains("<strong>bold</strong>") && !page.contains("Later"),
        "{page}"
    );
    let place = format!("{PATH}/{id}");
    let changed = json!({ "title": "New", "until": "2020-01-01T00:00:00Z" });
    let changed = scene
        .send(Method::PUT, &place, &changed, Some("\"1\""))
        .await;
    assert_eq!(changed.status(), 200);
    let wrong = json!({ "title": "", "kind": "loud" });
    let why = scene.ask(Method::PUT, &place, wrong, 400).await;
    assert!(why["detail"].as_str().unwrap().contains("`kind`"), "{why}");

    // Unlike with Vigil, what was announced survives the process.
    scene.rig.kill();
    scene.rig.start().await;
    scene.page("/", "Old &#60;b&#62;").await;
    let manager = |method: Method, path: &str| {
        let url = format!("{}{path}", scene.rig.page());
        let request = Client::new().request(method, url);
        request.basic_auth("", Some("battery:staple"))
    };
    for status in [200, 404] {
        let path = format!("/manager/announcement/{vigils}");
        let gone = manager(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(gone.status(), status);
    }
    let added = scene.command(&["announcement", "add", "By hand", "--kind", "operational"]);
    let id = added.trim().strip_prefix("announcement ").unwrap();
    assert!(scene.command(&["announcement", "list"]).contains("By hand"));
    scene.page("/", "By hand").await;
    scene.command(&["announcement", "remove", id]);
    scene.page("/", "hidden></aside>").await;
}
