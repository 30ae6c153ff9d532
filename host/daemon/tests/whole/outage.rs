//! An outage from the target to the receiver, through crashes.

use std::time::Duration;

use serde_json::Value;
use target_server::{Answer, Fault, HttpTarget, Receiver};

use super::rig::{PATIENCE, Rig};

const ANY: &str = "127.0.0.1:0";

async fn servers() -> (HttpTarget, Receiver) {
    let target = HttpTarget::start(ANY.parse().unwrap()).await.unwrap();
    let receiver = Receiver::start(ANY.parse().unwrap()).await.unwrap();
    (target, receiver)
}

fn config(target: &HttpTarget, receiver: &Receiver) -> String {
    format!(
        r#"
[page]
title = "Test page"

[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "web"
label = "Web"
targets = ["{}"]
every = "1s"
timeout = "2s"
retry = {{ times = 0 }}
config = {{ expect = {{ body = "ok" }} }}

[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "{}", secret = {{ env = "HOOK_SECRET" }} }}
[[route]]
to = ["hook"]
"#,
        target.url("/"),
        receiver.url("/hook")
    )
}

/// The `number`th notice, from 1, of those that the receiver has not forgotten.
async fn notice(receiver: &Receiver, number: usize) -> Value {
    let arriving = async {
        loop {
            if let Some(request) = receiver.received().get(number - 1) {
                return request.json().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, arriving)
        .await
        .expect("a notice arrives")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_is_dead_on_the_page_and_told_and_so_is_its_return() {
    let (target, receiver) = servers().await;
    let mut rig = Rig::new(&config(&target, &receiver));
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    assert_eq!(rig.get("/status/text").await, "healthy");

    let mut events = reqwest::get(format!("{}/events", rig.page()))
        .await
        .unwrap();
    target.set(Fault::Refuse).await.unwrap();
    let outage = notice(&receiver, 1).await;
    assert_eq!(outage["health"], "dead", "{outage}");
    assert_eq!(outage["title"], "Shop: Web is dead: connection refused");
    assert_eq!(rig.get("/status/text").await, "dead");
    let patched = async {
        let mut seen = String::new();
        while !(seen.contains("event: patch") && seen.contains("connection refused")) {
            let chunk = events.chunk().await.unwrap().expect("the stream goes on");
            seen.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    tokio::time::timeout(PATIENCE, patched)
        .await
        .expect("the page is patched");

    target.set(Fault::Ok).await.unwrap();
    let recovery = notice(&receiver, 2).await;
    assert_eq!(recovery["health"], "healthy", "{recovery}");
    rig.until_health("Shop", "Web", "healthy").await;
    assert_eq!(rig.stop().await, Some(0));
    // Two changes, two notices, and nothing of the secret anywhere.
    assert_eq!(receiver.received().len(), 2);
    for request in receiver.received() {
        assert!(
            !request.text().contains("correct-horse"),
            "{}",
            request.text()
        );
        assert!(
            request
                .header("x-watchkeeper-signature")
                .is_some_and(|value| value.starts_with("sha256="))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_keeps_the_outage_its_start_and_the_undelivered_notice() {
    let (target, receiver) = servers().await;
    receiver.otherwise(Answer::status(503));
    let mut rig = Rig::new(&config(&target, &receiver));
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    target.set(Fault::Refuse).await.unwrap();
    let refused = notice(&receiver, 1).await;
    rig.until_health("Shop", "Web", "dead").await;
    let since = since(&rig.get("/").await);
    rig.kill();

    receiver.forget();
    receiver.otherwise(Answer::ok());
    rig.start().await;
    // The outage is there before any check has run, and it began when it began.
    assert_eq!(rig.health("Shop", "Web").await, "dead");
    assert_eq!(self::since(&rig.get("/").await), since);
    let delivered = notice(&receiver, 1).await;
    assert_eq!(delivered["id"], refused["id"]);
    assert_eq!(delivered["at"], refused["at"]);
    // Checks go on meanwhile; the same outage is not told twice.
    rig.until_metric("watchkeeper_checks_total{plugin=\"http\",outcome=\"dead\"} 3")
        .await;
    assert_eq!(receiver.received().len(), 1);

    target.set(Fault::Ok).await.unwrap();
    let recovery = notice(&receiver, 2).await;
    assert_eq!(recovery["health"], "healthy");
}

/// Since when the page says that the monitor is what it is.
fn since(page: &str) -> Option<String> {
    let monitor = page.split("id=\"shop").nth(1)?;
    let time = monitor.split("datetime=\"").nth(1)?;
    Some(time.split('"').next()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_parent_takes_its_children_into_its_notice() {
    let (gateway, receiver) = servers().await;
    let shop = HttpTarget::start(ANY.parse().unwrap()).await.unwrap();
    let monitor = |id: &str, target: &HttpTarget, more: &str| {
        format!(
            "[[service.monitor]]\nid = \"{id}\"\nlabel = \"{id}\"\ntargets = [\"{}\"]\nevery = \"1s\"\ntimeout = \"1s\"\nretry = {{ times = 0 }}\n{more}\n",
            target.url("/")
        )
    };
    let mut rig = Rig::new(&format!(
        "[[service]]\nid = \"site\"\nlabel = \"Site\"\n{}{}[[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n[[route]]\nto = [\"hook\"]\n",
        monitor("gateway", &gateway, ""),
        monitor("shop", &shop, "depends_on = [\"site/gateway\"]"),
        receiver.url("/hook"),
    ));
    rig.start().await;
    rig.until_health("Site", "gateway", "healthy").await;
    rig.until_health("Site", "shop", "healthy").await;
    gateway.set(Fault::Refuse).await.unwrap();
    shop.set(Fault::Refuse).await.unwrap();
    rig.until_health("Site", "gateway", "dead").await;
    rig.until_health("Site", "shop", "dead").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let titles: Vec<String> = receiver
        .received()
        .iter()
        .map(|request| {
            request.json().unwrap()["title"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(titles, ["Site: gateway is dead: connection refused"]);
}
