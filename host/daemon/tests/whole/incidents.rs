//! Incidents from the outage to its end: pages, API, the link in the notice, and
//! the command line.

use std::collections::HashMap;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use target_server::Receiver;

use super::rig::{Rig, said};

fn config(receiver: &Receiver) -> String {
    let service = |id: &str, label: &str, more: &str| {
        format!(
            "[[service]]\nid = \"{id}\"\nlabel = \"{label}\"\n[[service.monitor]]\nid = \"all\"\nlabel = \"{label}\"\npassive = \"manual\"\n{more}\n"
        )
    };
    let needs = "depends_on = [\"gateway/all\"]";
    format!(
        "public_url = \"https://status.example.com\"\n{}{}{}{}[[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n[[route]]\nto = [\"hook\"]\ngroup_wait = \"0s\"\n",
        service("gateway", "Gateway", ""),
        service("shop", "Shop", needs),
        service("mail", "Mail", needs),
        service("chat", "Chat", needs),
        receiver.url("/hook"),
    )
}

/// A running host with a token for everything but administration, and what its
/// notices went to.
struct Scene {
    rig: Rig,
    receiver: Receiver,
    token: String,
    client: Client,
}

impl Scene {
    async fn begin() -> Self {
        let receiver = Receiver::start("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let mut rig = Rig::new(&config(&receiver));
        let token = token(&rig, "write");
        rig.start().await;
        Self {
            rig,
            receiver,
            token,
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
        }
    }

    async fn set(&self, service: &str, health: &str) {
        let path = format!("/api/v1/monitors/{service}/all/health");
        let body = json!({ "health": health, "comment": "somebody <b>looked</b>" });
        let (code, answer) = self.ask(Method::PUT, &path, &self.token, Some(&body)).await;
        assert_eq!(code, 200, "{answer}");
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.rig.page());
        let mut request = self.client.request(method, url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }

    async fn open(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.rig.page());
        let request = self.client.get(url).header("accept", "text/html");
        request.send().await.unwrap()
    }

    async fn send(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let url = format!("{}{path}", self.rig.page());
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self.client.post(url).header("accept", "text/html");
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    async fn notice(&self, number: u64) -> Value {
        self.receiver.arrived(number).await;
        let received = self.receiver.received();
        received[usize::try_from(number).unwrap() - 1]
            .json()
            .unwrap()
    }
}

fn token(rig: &Rig, scope: &str) -> String {
    let output = rig.run(&["token", "create", "Zoë's", "--scope", scope]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_services_behind_a_dead_gateway_are_one_incident_that_somebody_takes() {
    let scene = Scene::begin().await;
    let rig = &scene.rig;
    for service in ["gateway", "shop", "mail", "chat"] {
        scene.set(service, "dead").await;
    }
    let notice = scene.notice(1).await;
    assert_eq!(
        notice["title"],
        "Gateway: Gateway is dead: somebody <b>looked</b>"
    );
    assert_eq!(
        notice["incident_url"],
        "https://status.example.com/incidents/1"
    );
    let link = notice["acknowledge_url"]
        .as_str()
        .expect("a link")
        .to_owned();
    let path = link.strip_prefix("https://status.example.com").unwrap();

    // The page, the incident's own, the month's, and the same as JSON.
    let front = rig.get("/").await;
    assert!(
        front.contains("<a href=\"/incidents/1\">Gateway is down</a>"),
        "{front}"
    );
    for path in ["/", "/incidents/1", "/history"] {
        let page = rig.get(path).await;
        assert!(
            page.contains("Gateway is down") && !page.contains("<b>looked"),
            "{page}"
        );
        assert!(page.contains("Shop") && page.contains("Chat"), "{page}");
        assert!(
            !page.contains("Told hook"),
            "what is internal is told to nobody: {page}"
        );
    }
    let public: Value = serde_json::from_str(&rig.get("/incidents/1.json").await).unwrap();
    assert_eq!(
        (&public["state"], &public["severity"]),
        (&json!("identified"), &json!("critical"))
    );
    assert_eq!(
        public["services"].as_array().map(Vec::len),
        Some(4),
        "{public}"
    );
    assert!(!public.to_string().contains("Told"), "{public}");
    let month: Value = serde_json::from_str(&rig.get("/history.json").await).unwrap();
    assert_eq!(month["incidents"][0]["id"], "1");
    for missing in ["/incidents/2", "/incidents/x", "/incidents/99999999999"] {
        assert_eq!(scene.open(missing).await.status(), 404, "{missing}");
    }
    assert_eq!(scene.open("/history?month=2026-13").await.status(), 400);

    // To look at the link changes nothing, as often as one looks.
    for _ in 0..2 {
        let form = scene.open(path).await;
        assert_eq!(form.status(), 200);
        assert_eq!(form.headers()["cache-control"], "no-store");
        let form = form.text().await.unwrap();
        assert!(
            form.contains("<form") && form.contains("Gateway is down"),
            "{form}"
        );
    }
    let pairs: HashMap<String, String> =
        form_urlencoded::parse(path.split_once('?').unwrap().1.as_bytes())
            .into_owned()
            .collect();
    let (until, signature) = (pairs["until"].as_str(), pairs["signature"].as_str());
    let whole = [
        ("until", until),
        ("to", "hook"),
        ("signature", signature),
        ("by", "Zoë <i>"),
    ];
    let take = "/incidents/1/acknowledge";
    for (address, form, code) in [
        (take, vec![], 403),
        (
            take,
            vec![("until", until), ("to", "hook"), ("signature", "0")],
            403,
        ),
        (
            take,
            vec![
                ("until", "99999999999"),
                ("to", "hook"),
                ("signature", signature),
            ],
            403,
        ),
        ("/incidents/2/acknowledge", whole.to_vec(), 403),
        (
            take,
            vec![whole[0], whole[1], whole[2], ("by", "a\nb")],
            400,
        ),
    ] {
        let refused = scene.send(address, &form).await;
        assert_eq!(refused.status(), code, "{address} {form:?}");
    }
    let (_, incident) = scene
        .ask(Method::GET, "/api/v1/incidents/1", &scene.token, None)
        .await;
    assert_eq!(incident["acknowledged"], Value::Null);

    let taken = scene.send(take, &whole).await;
    assert_eq!(taken.status(), 303);
    let to = taken.headers()["location"].to_str().unwrap().to_owned();
    let after = scene
        .open(&format!("/incidents/1/{to}"))
        .await
        .text()
        .await
        .unwrap();
    assert!(
        after.contains("Acknowledged by <b>Zoë &#60;i&#62;"),
        "{after}"
    );
    assert!(!after.contains("<form"), "{after}");

    // The API has all of it, for those who may.
    let reader = token(rig, "read");
    let (code, incident) = scene
        .ask(Method::GET, "/api/v1/incidents/1", &reader, None)
        .await;
    assert_eq!(code, 200, "{incident}");
    assert_eq!(
        incident["acknowledged"]["by"],
        "Zoë <i> (by a link to hook)"
    );
    let kinds: Vec<_> = incident["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "opened",
            "told",
            "stage",
            "change",
            "change",
            "acknowledged"
        ]
    );
    let ack = "/api/v1/incidents/1/ack";
    for (method, path, token, code) in [
        (Method::GET, "/api/v1/incidents/1", "", 401),
        (Method::GET, "/api/v1/incidents/9", reader.as_str(), 404),
        (Method::POST, ack, &reader, 403),
        (Method::POST, "/api/v1/incidents/9/ack", &scene.token, 404),
        (Method::GET, "/api/v1/incidents?state=new", &reader, 400),
        (Method::GET, "/api/v1/incidents?page=2", &reader, 400),
        (Method::GET, "/api/v1/incidents?limit=0", &reader, 400),
    ] {
        let (got, problem) = scene.ask(method, path, token, None).await;
        assert_eq!(
            (got, &problem["status"]),
            (code, &json!(code)),
            "{path}: {problem}"
        );
    }
    // Who was first has it.
    let (code, taken) = scene.ask(Method::POST, ack, &scene.token, None).await;
    assert_eq!((code, &taken["by"]), (200, &incident["acknowledged"]["by"]));

    let server = rig.page().to_owned();
    let with = |arguments: &[&str]| {
        let more = ["--server", &server, "--token", &scene.token];
        let output = rig.run(&[arguments, &more].concat());
        (output.status.code(), said(&output))
    };
    let (code, listed) = with(&["incident", "list"]);
    assert_eq!(code, Some(0), "{listed}");
    assert!(
        listed.contains("identified") && listed.contains("Gateway is down"),
        "{listed}"
    );
    let (code, words) = with(&["incident", "ack", "1", "--by", "Bo"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("acknowledged by Zoë"), "{words}");
    assert_eq!(with(&["incident", "ack", "7"]).0, Some(64));

    // The gateway last: what is still dead without its parent is told by itself.
    for service in ["shop", "mail", "chat", "gateway"] {
        scene.set(service, "healthy").await;
    }
    let recovery = scene.notice(2).await;
    assert_eq!(recovery["health"], "healthy", "{recovery}");
    assert_eq!(recovery["incident_url"], notice["incident_url"]);
    assert_eq!(recovery["thread"], notice["thread"]);
    assert_eq!(recovery["acknowledge_url"], Value::Null);
    let body = recovery["body"].as_str().unwrap();
    assert!(body.contains("Acknowledged by Zoë"), "{body}");
    assert_eq!(scene.receiver.received().len(), 2);
    rig.until("it is among the past incidents", async || {
        rig.get("/").await.contains("It is over after")
    })
    .await;
    let (code, page) = scene
        .ask(Method::GET, "/api/v1/incidents?state=open", &reader, None)
        .await;
    assert_eq!((code, page), (200, json!({ "items": [], "next": null })));
    let (code, _) = scene.ask(Method::POST, ack, &scene.token, None).await;
    assert_eq!(code, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_keeps_the_incident_and_the_links() {
    let mut scene = Scene::begin().await;
    let mut events = reqwest::get(format!("{}/events", scene.rig.page()))
        .await
        .unwrap();
    scene.set("shop", "dead").await;
    let told = async {
        let mut seen = String::new();
        while !seen.contains("event: incident\ndata: {\"id\":\"1\"") {
            let chunk = events.chunk().await.unwrap().expect("the stream goes on");
            seen.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    tokio::time::timeout(super::rig::PATIENCE, told)
        .await
        .expect("followers hear of it");
    let link = scene.notice(1).await["acknowledge_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = link
        .strip_prefix("https://status.example.com")
        .unwrap()
        .to_owned();
    scene.rig.kill();
    scene.rig.start().await;
    assert!(scene.rig.get("/").await.contains("Shop is down"));
    assert_eq!(scene.open(&path).await.status(), 200);
    scene.set("shop", "healthy").await;
    scene.set("mail", "dead").await;
    // A new one has a number of its own.
    // The first notice may have come again after the kill.
    let mut outage = Value::Null;
    scene
        .rig
        .until("the second outage is told", async || {
            let received = scene.receiver.received();
            let notices = received.iter().map(|request| request.json().unwrap());
            let mut mail = notices
                .filter(|notice| notice["title"] == "Mail: Mail is dead: somebody <b>looked</b>");
            outage = mail.next().unwrap_or_default();
            !outage.is_null()
        })
        .await;
    assert_eq!(
        outage["incident_url"],
        "https://status.example.com/incidents/2"
    );
    let pages = {
        let (_, first) = scene
            .ask(Method::GET, "/api/v1/incidents?limit=1", &scene.token, None)
            .await;
        let next = first["next"].as_str().unwrap().to_owned();
        let (_, second) = scene.ask(Method::GET, &next, &scene.token, None).await;
        [
            first["items"][0]["id"].clone(),
            second["items"][0]["id"].clone(),
        ]
    };
    assert_eq!(pages, [json!(2), json!(1)]);
}
