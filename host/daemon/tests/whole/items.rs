//! What is made through the API: judged as the file is, in use at once, and there
//! after a restart.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::rig::{Rig, said};

const CONFIG: &str = r#"
[[service]]
id = "file"
label = "File"
[[service.monitor]]
id = "people"
label = "People"
passive = "manual"

[[channel]]
id = "log"
notifier = "webhook"
config = { url = "http://127.0.0.1:9/" }
"#;

/// A running host and a token for what is asked of it.
struct Scene {
    rig: Rig,
    token: String,
    client: Client,
}

impl Scene {
    async fn begin(config: &str) -> Self {
        let mut rig = Rig::new(config);
        let output = rig.run(&[
            "token", "create", "ops", "--scope", "write", "--scope", "read",
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        rig.start().await;
        Self {
            rig,
            token,
            client: Client::new(),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.ask_if(method, path, "", body).await
    }

    /// As [`Self::ask`], if the version is the one named.
    async fn ask_if(&self, method: Method, path: &str, tag: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v1/{path}", self.rig.page());
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if !tag.is_empty() {
            request = request.header("if-match", tag);
        }
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let code = answer.status().as_u16();
        (code, answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (code, answer) = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(code, 200, "{path}: {answer}");
        answer
    }

    async fn make(&self, kind: &str, config: &Value) -> Value {
        let (code, answer) = self.ask(Method::POST, kind, config).await;
        assert_eq!(code, 201, "{config}: {answer}");
        answer
    }

    /// Asks for what is no good: its first mistake is in this key, and says so.
    async fn refuses(&self, kind: &str, config: Value, key: &str, words: &str) {
        let (code, answer) = self.ask(Method::POST, kind, &config).await;
        assert_eq!(code, 422, "{config}: {answer}");
        let first = &answer["errors"][0];
        assert_eq!(first["key"], key, "{answer}");
        let what = format!("{} {}", first["what"], first["instead"]);
        assert!(what.contains(words), "{what}");
    }

    async fn code(&self, method: Method, path: &str, tag: &str, body: Value) -> u16 {
        self.ask_if(method, path, tag, &body).await.0
    }
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_in_use_and_survives_a_restart() {
    let mut scene = Scene::begin(CONFIG).await;
    let shop = json!({ "id": "shop", "label": "Shop" });
    assert_eq!(scene.make("services", &shop).await["origin"], "api");
    let desk = json!({ "service": "shop", "id": "desk", "label": "Desk", "passive": "manual" });
    scene.make("monitors", &desk).await;
    // One of the file's services may have one more.
    let more = json!({ "service": "file", "id": "more", "label": "More", "passive": "manual" });
    scene.make("monitors", &more).await;
    let ops = json!({
        "id": "ops", "notifier": "webhook",
        "config": { "url": "https://hooks.example.com/x", "secret": "correct-horse-battery" },
    });
    let ops = scene.make("channels", &ops).await;
    assert!(!ops.to_string().contains("correct-horse"), "{ops}");
    let night = json!({ "id": "night", "to": ["ops", "log"], "services": ["shop"] });
    scene.make("routes", &night).await;

    let healthy = json!({ "health": "healthy" });
    scene
        .rig
        .until("the monitor is in use", async || {
            let path = "monitors/shop/desk/health";
            scene.ask(Method::PUT, path, &healthy).await.0 == 200
        })
        .await;
    scene.rig.until_health("Shop", "Desk", "healthy").await;
    assert_eq!(ids(&scene.get("services").await), ["file", "shop"]);
    assert_eq!(ids(&scene.get("routes").await), ["night"]);
    let page = scene.get("monitors?limit=2").await;
    assert_eq!(ids(&page), ["file/more", "file/people"]);
    let next = page["next"].as_str().unwrap();
    let page = scene.get(next.strip_prefix("/api/v1/").unwrap()).await;
    assert_eq!(ids(&page), ["shop/desk"]);
    assert!(page["next"].is_null());

    scene.rig.kill();
    scene.rig.start().await;
    assert_eq!(scene.rig.health("Shop", "Desk").await, "healthy");
    let known = scene.get("channels/ops").await;
    assert_eq!(known, ops, "not even the version is another one");

    // What is changed is meant as it was seen.
    let desk = scene.get("monitors/shop/desk").await;
    let tag = desk["etag"].as_str().unwrap();
    let label = json!({ "label": "Front desk" });
    let path = "monitors/shop/desk";
    for (tag, code) in [("", 428), ("\"1\"", 412), ("x", 400)] {
        assert_eq!(
            scene.code(Method::PATCH, path, tag, label.clone()).await,
            code
        );
    }
    let (code, changed) = scene.ask_if(Method::PATCH, path, tag, &label).await;
    assert_eq!(code, 200, "{changed}");
    assert_eq!(changed["config"]["label"], "Front desk");
    scene
        .rig
        .until_health("Shop", "Front desk", "healthy")
        .await;
    // The secret stays what it was when the mask comes back.
    let mut config = ops["config"].clone();
    config["timeout"] = "5s".into();
    let (code, put) = scene
        .ask_if(Method::PUT, "channels/ops", "*", &config)
        .await;
    assert_eq!((code, &put["config"]), (200, &config), "{put}");
    let mut other = config.clone();
    other["id"] = "two".into();
    scene
        .refuses("channels", other, "config.secret", "****")
        .await;

    // What others need stays.
    let (code, answer) = scene
        .ask_if(Method::DELETE, "channels/ops", "*", &Value::Null)
        .await;
    assert_eq!(code, 422, "{answer}");
    assert_eq!(answer["errors"][0]["item"], "routes/night", "{answer}");
    for path in ["routes/night", "channels/ops", path, "services/shop"] {
        let code = scene.code(Method::DELETE, path, "*", Value::Null).await;
        assert_eq!(code, 204, "{path}");
    }
    let gone = scene.code(Method::GET, "services/shop", "", Value::Null);
    assert_eq!(gone.await, 404);
    assert_eq!(scene.rig.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let scene = Scene::begin(CONFIG).await;
    let services = [
        (json!({ "id": "A" }), "id", "lower-case"),
        (json!({ "label": "x" }), "id", "missing"),
        (json!({ "id": "a", "labl": "x" }), "labl", "`label`"),
        (json!({ "id": "a", "label": null }), "label", "null"),
    ];
    for (config, key, words) in services {
        scene.refuses("services", config, key, words).await;
    }
    let monitor = |keys: Value| {
        let mut monitor = json!({ "service": "file", "id": "x" });
        monitor
            .as_object_mut()
            .unwrap()
            .extend(keys.as_object().unwrap().clone());
        monitor
    };
    let lost = monitor(json!({ "service": "none", "passive": "manual" }));
    scene
        .refuses("monitors", lost, "service", "no service")
        .await;
    let fast = monitor(json!({ "targets": ["tcp://example.com:1"], "every": "1ms" }));
    scene.refuses("monitors", fast, "every", "").await;
    for target in [
        "http://127.0.0.1:8080/",
        "tcp://localhost:1",
        "http://[::ffff:10.0.0.1]/",
    ] {
        let private = monitor(json!({ "targets": [target] }));
        let words = "api_private_targets";
        scene.refuses("monitors", private, "targets", words).await;
    }
    let hook = |config: Value| json!({ "id": "x", "notifier": "webhook", "config": config });
    let private = hook(json!({ "url": "http://192.168.0.1/" }));
    scene
        .refuses("channels", private, "config", "api_private_targets")
        .await;
    let file = hook(json!({ "url": { "file": "/etc/hostname" } }));
    scene
        .refuses("channels", file, "config.url", "/run/secrets")
        .await;
    let unknown = hook(json!({ "url": "https://a.example.com", "x": 1 }));
    scene
        .refuses("channels", unknown, "config.x", "unknown")
        .await;

    for (method, path, body) in [
        (Method::PATCH, "services/file", json!({ "label": "x" })),
        (Method::DELETE, "channels/log", Value::Null),
        (Method::POST, "services", json!({ "id": "file" })),
    ] {
        let (code, answer) = scene.ask_if(method, path, "*", &body).await;
        assert_eq!(code, 409, "{path}: {answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains("watchkeeper.toml:"), "{detail}");
    }
    let large = json!({ "id": "a", "label": "x".repeat(300_000) });
    assert_eq!(scene.code(Method::POST, "services", "", large).await, 413);
    let url = format!("{}/api/v1/services", scene.rig.page());
    let post = || scene.client.post(&url).bearer_auth(&scene.token);
    let sent = post().header("content-type", "text/html").body("{}");
    assert_eq!(sent.send().await.unwrap().status().as_u16(), 415);
    let sent = post().body("{").send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 400);
    assert_eq!(ids(&scene.get("services").await), ["file"]);
}

/// What changed, each as `create shop`.
fn changes(answer: &Value) -> Vec<String> {
    let changes = answer["changes"].as_array().unwrap().iter();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    changes
        .map(|it| format!("{} {}", text(it, "what"), text(it, "id")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_are_made_together_or_not_at_all() {
    let mut scene = Scene::begin(&format!("api_private_targets = true\n{CONFIG}")).await;
    let config = json!({
        "service": [{
            "id": "shop", "label": "Shop",
            "monitor": [
                { "id": "web", "label": "Web", "targets": ["tcp://127.0.0.1:1"], "every": "1d" },
                { "id": "desk", "label": "Desk", "passive": "manual" },
            ],
        }],
        "route": [{ "id": "r", "to": ["log"], "monitors": ["shop/web"] }],
    });
    let (code, plan) = scene.ask(Method::POST, "plan", &config).await;
    assert_eq!(code, 200, "{plan}");
    let all = [
        "create shop",
        "create shop/web",
        "create shop/desk",
        "create r",
    ];
    assert_eq!(changes(&plan), all);
    assert_eq!(ids(&scene.get("services").await), ["file"]);
    let done = scene.ask(Method::POST, "apply", &config).await;
    assert_eq!(done, (200, plan));
    let (code, again) = scene.ask(Method::POST, "apply", &config).await;
    assert_eq!((code, changes(&again)), (200, vec![]));
    scene.rig.until_health("Shop", "Web", "dead").await;

    // Nothing is kept of what ends in a mistake.
    let broken = json!({ "changes": [
        { "op": "create", "kind": "service", "config": { "id": "two" } },
        { "op": "remove", "kind": "monitor", "id": "shop/web" },
    ] });
    let (code, answer) = scene.ask(Method::POST, "bulk", &broken).await;
    assert_eq!(code, 422, "{answer}");
    assert_eq!(answer["errors"][0]["item"], "routes/r", "{answer}");
    assert_eq!(ids(&scene.get("services").await), ["file", "shop"]);

    // What is paused is shown so, and stays so.
    let both = json!({ "action": "pause", "monitors": ["shop/web", "file/people"] });
    assert_eq!(
        scene.code(Method::POST, "monitors/bulk", "", both).await,
        200
    );
    let paused = scene.get("monitors/shop/web/status").await;
    assert_eq!(paused["paused"]["by"], "ops");
    assert_eq!(paused["health"], "unknown");
    assert_eq!(scene.get("status").await["monitors"]["paused"], 2);
    scene
        .rig
        .until("the page says so", async || {
            scene.rig.get("/").await.contains("Paused")
        })
        .await;
    let check = "monitors/shop/web/check";
    assert_eq!(scene.code(Method::POST, check, "", Value::Null).await, 409);
    scene.rig.kill();
    scene.rig.start().await;
    let after = scene.get("monitors/shop/web/status").await;
    assert_eq!(after["paused"], paused["paused"]);
    let resume = "monitors/shop/web/resume";
    assert_eq!(scene.code(Method::POST, resume, "", Value::Null).await, 200);
    scene.rig.until_health("Shop", "Web", "dead").await;
    let target = "tcp://127.0.0.1:1";
    let query = format!("readings?monitor=shop/web&target={target}&limit=1");
    scene
        .rig
        .until("the reading is kept", async || {
            scene.get(&query).await["items"][0]["verdict"] == "dead"
        })
        .await;
    let moved = scene.get("changes?monitor=shop/web&of=monitors").await;
    let moved = moved["items"].as_array().unwrap().iter();
    let causes: Vec<_> = moved.map(|it| it["cause"].clone()).collect();
    assert_eq!(causes, ["reading", "paused", "reading"]);
    let dead = scene.get("targets?health=dead").await;
    assert_eq!(dead["items"][0]["target"], target);
    assert_eq!(scene.get("plugins/tcp").await["kind"], "probe");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_moves_to_another_host_and_comes_back_from_a_backup() {
    let mut scene = Scene::begin(CONFIG).await;
    scene
        .make("services", &json!({ "id": "shop", "label": "Shop" }))
        .await;
    let job = json!({
        "service": "shop", "id": "job", "label": "Job", "passive": "heartbeat", "period": "1d",
        "token": { "env": "HOOK_SECRET" },
    });
    scene.make("monitors", &job).await;
    let command = |scene: &Scene, words: &[&str]| {
        let with = [
            words,
            &["--server", scene.rig.page(), "--token", &scene.token],
        ]
        .concat();
        let output = scene.rig.run(&with);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words:?}: {}",
            said(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let exported = command(&scene, &["export"]);
    assert!(!exported.contains("correct-horse"), "{exported}");
    let file = scene.rig.folder().join("made.json");
    std::fs::write(&file, &exported).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(command(&scene, &["import", file]), "nothing has changed\n");
    let toml = command(&scene, &["export", "--toml"]);

    // Another host has the same afterwards, times included; a third one reads the file.
    let other = Scene::begin(CONFIG).await;
    let made = command(&other, &["import", file]);
    assert_eq!(made, "create service shop\ncreate monitor shop/job\n");
    assert_eq!(command(&other, &["export"]), exported);
    assert_eq!(command(&other, &["import", file]), "nothing has changed\n");
    let third = Rig::new(&format!("{CONFIG}\n{toml}"));
    let checked = third.run(&["config", "check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));

    let copy = scene.rig.folder().join("copy");
    let output = scene.rig.run(&["backup", copy.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    scene.rig.kill();
    std::fs::remove_dir_all(scene.rig.data()).unwrap();
    scene.rig.share_cache();
    for name in ["state.db", "series.db"] {
        std::fs::copy(copy.join(name), scene.rig.data().join(name)).unwrap();
    }
    scene.rig.start().await;
    assert_eq!(command(&scene, &["export"]), exported);
}
