//! Vigil's Reporter and Local protocol, by recorded requests and by a real
//! client.

use std::path::Path;
use std::process::{Child, Command};

use reqwest::{Client, Method, Response};
use serde_json::json;
use target_server::{Fault, HttpTarget, Receiver};

use super::rig::Rig;

const TOKEN: &str = "battery:staple";

fn config(more: &str) -> String {
    format!(
        r#"
[compat.vigil]
reporter_token = {{ env = "REPORTER_TOKEN" }}

[[service]]
id = "api"
label = "API"

[[service.monitor]]
id = "worker"
label = "Workers"
passive = "push"
dead_after = "2s"

[[service.monitor]]
id = "lan"
label = "LAN"
passive = "local"
dead_after = "1m"

[[service.monitor]]
id = "web"
label = "Web"
targets = ["tcp://127.0.0.1:1"]
every = "1d"
{more}
"#
    )
}

/// Asks as a reporter does, with an empty user name.
async fn ask(rig: &Rig, method: Method, path: &str, kind: &str, body: String) -> Response {
    Client::new()
        .request(method, format!("{}{path}", rig.page()))
        .basic_auth("", Some(TOKEN))
        .header("content-type", kind)
        .body(body)
        .send()
        .await
        .unwrap()
}

async fn report(rig: &Rig, node: &str, body: serde_json::Value) -> u16 {
    let path = format!("/reporter/api/{node}/");
    let answer = ask(
        rig,
        Method::POST,
        &path,
        "application/json",
        body.to_string(),
    )
    .await;
    let code = answer.status().as_u16();
    assert!(code != 200 || answer.content_length() == Some(0));
    code
}

fn load(replica: &str, interval: u64, cpu: f64) -> serde_json::Value {
    json!({ "replica": replica, "interval": interval, "load": { "cpu": cpu, "ram": 0.25 } })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_answered_as_vigil_does() {
    let mut rig = Rig::new(&config(""));
    rig.start().await;
    let good = load("a", 30, 0.1).to_string();
    let whole = json!({ "replica": "b", "interval": 30, "health": "sick" }).to_string();
    let json = "application/json";
    for (method, path, kind, body, code, text) in [
        (
            Method::POST,
            "/reporter/api/worker",
            json,
            good.as_str(),
            200,
            "",
        ),
        (
            Method::POST,
            "/reporter/api/worker/",
            "application/json; charset=utf-8",
            &good,
            200,
            "",
        ),
        (Method::POST, "/reporter/api/lan", json, &whole, 200, ""),
        // Extra fields are passed over, and of load and health load counts.
        (
            Method::POST,
            "/reporter/api/worker",
            json,
            r#"{"replica":"a","interval":30,"x":1,"health":"dead","load":{"cpu":2,"ram":0,"y":1}}"#,
            200,
            "",
        ),
        (Method::POST, "/reporter/api/worker", json, &whole, 412, ""),
        (Method::POST, "/reporter/api/lan", json, &good, 412, ""),
        (Method::POST, "/reporter/api/web", json, &good, 412, ""),
        (Method::POST, "/reporter/api/none", json, &good, 404, ""),
        (Method::POST, "/reporter/none/worker", json, &good, 404, ""),
        (Method::POST, "/reporter/API/worker", json, &good, 404, ""),
        // A load below zero is seen before the monitor is looked up.
        (
            Method::POST,
            "/reporter/none/none",
            json,
            r#"{"replica":"a","interval":1,"load":{"cpu":-0.1,"ram":0}}"#,
            400,
            "",
        ),
        (
            Method::POST,
            "/reporter/api/worker",
            json,
            r#"{"replica":"a","interval":1}"#,
            400,
            "",
        ),
        (
            Method::POST,
            "/reporter/api/worker",
            json,
            r#"{"interval":1}"#,
            400,
            "Json deserialize error: missing field `replica` at line 1 column 14",
        ),
        (
            Method::POST,
            "/reporter/api/worker",
            json,
            r#"{"replica":"a","interval":-1}"#,
            400,
            "Json deserialize error: invalid value: integer `-1`, expected u64 at line 1 column 28",
        ),
        (
            Method::POST,
            "/reporter/api/lan",
            json,
            r#"{"replica":"a","interval":1,"health":"well"}"#,
            400,
            "Json deserialize error: unknown variant `well`, expected one of `healthy`, `sick`, `dead` at line 1 column 43",
        ),
        (
            Method::POST,
            "/reporter/api/worker",
            "text/plain",
            &good,
            400,
            "Content type error",
        ),
        (
            Method::POST,
            "/reporter/api/worker",
            json,
            r#"{"replica":"a\n","interval":1,"health":"sick","load":{"cpu":0,"ram":0}}"#,
            400,
            "replica must have 1 to 2048 characters, none of them a control character",
        ),
        (Method::GET, "/reporter/api/worker", json, "", 404, ""),
        (Method::PUT, "/reporter/api/worker", json, &good, 404, ""),
        (Method::POST, "/reporter/api/worker/a", json, "", 404, ""),
        (
            Method::DELETE,
            "/reporter/api/worker/none",
            json,
            "",
            404,
            "",
        ),
        (Method::DELETE, "/reporter/api/none/a", json, "", 404, ""),
        (Method::DELETE, "/reporter/api/web/a", json, "", 412, ""),
        (Method::DELETE, "/reporter/api/worker/a/", json, "", 200, ""),
        (Method::DELETE, "/reporter/api/worker/a", json, "", 404, ""),
    ] {
        let answer = ask(&rig, method.clone(), path, kind, body.to_owned()).await;
        assert_eq!(answer.status().as_u16(), code, "{method} {path} {body}");
        if !text.is_empty() {
            assert_eq!(
                answer.headers()["content-type"],
                "text/plain; charset=utf-8"
            );
        }
        assert_eq!(answer.text().await.unwrap(), text, "{method} {path} {body}");
    }
    let large = format!("{{\"replica\":\"{}\"}}", "a".repeat(2 << 20));
    let answer = ask(&rig, Method::POST, "/reporter/api/worker", json, large).await;
    assert_eq!(answer.status().as_u16(), 413);
    // A replica may be a whole URL, and in a path it is encoded.
    assert_eq!(
        report(&rig, "worker", load("icmp://10.0.0.1", 30, 0.5)).await,
        200
    );
    let path = "/reporter/api/worker/icmp%3A%2F%2F10.0.0.1";
    let answer = ask(&rig, Method::DELETE, path, json, String::new()).await;
    assert_eq!(answer.status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_token_opens() {
    let mut rig = Rig::new(&config(""));
    rig.start().await;
    let url = format!("{}/reporter/api/worker", rig.page());
    let send = async |user: Option<(&str, Option<&str>)>| {
        let mut request = Client::new().post(&url).json(&load("a", 30, 0.1));
        if let Some((user, password)) = user {
            request = request.basic_auth(user, password);
        }
        let answer = request.send().await.unwrap();
        let realm = answer.headers().get("www-authenticate").cloned();
        let realm = realm.map(|realm| realm.to_str().unwrap().to_owned());
        let code = answer.status().as_u16();
        (code, realm, answer.text().await.unwrap())
    };
    let challenge = Some("Basic realm=\"Reporter Token\"".to_owned());
    let refused = |code| (code, challenge.clone(), String::new());
    assert_eq!(send(None).await, refused(401));
    assert_eq!(send(Some(("", Some("wrong")))).await, refused(403));
    assert_eq!(send(Some((TOKEN, None))).await, refused(403));
    assert_eq!(send(Some(("anyone", Some(TOKEN)))).await.0, 200);
    let bearer = Client::new().post(&url).bearer_auth(TOKEN).send().await;
    assert_eq!(bearer.unwrap().status().as_u16(), 401);
    rig.until_target("a", "CPU 10 %, RAM 25 %").await;
    let everything = format!("{}{}", rig.get("/").await, rig.get("/metrics").await);
    assert!(!everything.contains("staple"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_replica_is_dead_and_a_restart_is_no_silence() {
    let receiver = Receiver::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = Rig::new(&config(&format!(
        "[[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n[[route]]\nto = [\"hook\"]\nmonitors = [\"api/worker\", \"api/lan\"]\n",
        receiver.url("/hook")
    )));
    rig.start().await;
    assert_eq!(
        rig.health("API", "Workers").await,
        "sick",
        "nobody has reported"
    );
    assert_eq!(report(&rig, "worker", load("10.0.0.1", 0, 0.1)).await, 200);
    let lan =
        |health: &str| json!({ "replica": "icmp://10.0.0.9", "interval": 120, "health": health });
    assert_eq!(report(&rig, "lan", lan("sick")).await, 200);
    rig.until_health("API", "LAN", "sick").await;
    rig.until_health("API", "Workers", "dead").await;
    rig.until_target("10.0.0.1", "no report for 2 s").await;

    assert_eq!(
        report(&rig, "worker", load("10.0.0.1", 3600, 0.95)).await,
        200
    );
    rig.until_health("API", "Workers", "sick").await;
    rig.until_target("10.0.0.1", "CPU 95 %, sick above 90 %")
        .await;
    rig.kill();
    rig.start().await;
    // Both are known, neither is dead, and nothing was told twice.
    assert_eq!(rig.health("API", "Workers").await, "sick");
    assert_eq!(rig.health("API", "LAN").await, "sick");
    assert_eq!(
        report(&rig, "worker", load("10.0.0.1", 3600, 0.1)).await,
        200
    );
    rig.until_health("API", "Workers", "healthy").await;
    rig.until("both told", async || receiver.received().len() >= 2)
        .await;
    let titles: Vec<_> = receiver
        .received()
        .iter()
        .map(|request| {
            request.json().unwrap()["title"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(titles[0], "API: Workers is dead: no report for 2 s");
    assert!(
        titles[1].starts_with("API: Workers is healthy again after"),
        "{titles:?}"
    );
    assert_eq!(titles.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_queue_is_dead_however_busy_its_workers_are() {
    let queue = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let more = format!(
        "[[service.monitor]]\nid = \"jobs\"\nlabel = \"Jobs\"\ntargets = [\"{}\"]\nevery = \"1s\"\nretry = {{ times = 0 }}\n[[service.monitor]]\nid = \"crew\"\nlabel = \"Crew\"\npassive = \"push\"\nqueue = \"api/jobs\"\n",
        queue.url("/")
    );
    let mut rig = Rig::new(&config(&more));
    rig.start().await;
    rig.until_health("API", "Jobs", "healthy").await;
    assert_eq!(report(&rig, "crew", load("one", 3600, 0.95)).await, 200);
    rig.until_health("API", "Crew", "sick").await;
    queue.set(Fault::Refuse).await.unwrap();
    // Without another report.
    rig.until_health("API", "Crew", "dead").await;
    rig.until_target(
        "one",
        "jobs is dead: connection refused; CPU 95 %, sick above 90 %",
    )
    .await;
    queue.set(Fault::Ok).await.unwrap();
    rig.until_health("API", "Crew", "sick").await;
}

/// A client under test; gone when dropped.
struct Reporter(Child);

impl Drop for Reporter {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reporter_for_node_reports_unmodified() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let module = root.join("target/vigil-reporter/node_modules/vigil-reporter");
    if !module.is_dir() || Command::new("node").arg("--version").output().is_err() {
        println!(
            "SKIPPED: vigil-reporter: node (Debian's nodejs) or the package from npm is missing"
        );
        return;
    }
    // However busy this machine is, it is well.
    let calm = "passive = \"push\"\nload = { cpu = 1000, ram = 1000 }";
    let mut rig = Rig::new(&config("").replace("passive = \"push\"", calm));
    rig.start().await;
    let options = json!({
        "url": rig.page(),
        "token": TOKEN,
        "probe_id": "api",
        "node_id": "worker",
        "replica_id": "192.168.1.10",
        "interval": 1,
    });
    let module = module.canonicalize().unwrap();
    // It reports for the first time after ten seconds.
    let script = format!("new (require({module:?}).VigilReporter)({options});");
    let client = Command::new("node").args(["-e", &script]).spawn().unwrap();
    let client = Reporter(client);
    rig.until_health("API", "Workers", "healthy").await;
    rig.until_target("192.168.1.10", "RAM ").await;
    let taken = "watchkeeper_told_total{kind=\"report\",outcome=\"taken\"} 3";
    rig.until_metric(taken).await;
    drop(client);
    rig.until_target("192.168.1.10", "no report for 3 s, expected every 1 s")
        .await;
}
