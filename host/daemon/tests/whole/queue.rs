//! A queue of a real broker, from its first message to the page.

use serde_json::{Value, json};
use target_server::Receiver;
use test_brokers::{Client, RabbitMq};

use super::rig::Rig;

fn config(broker: &RabbitMq, receiver: &Receiver) -> String {
    format!(
        r#"
[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "jobs"
label = "Jobs"
probe = "rabbitmq"
targets = ["{}"]
every = "1s"
retry = {{ times = 0 }}
config = {{ username = "watch", password = {{ env = "BROKER_PASSWORD" }}, queue = "jobs", ready = {{ sick = 10, dead = 20 }} }}

[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "{}" }}
[[route]]
to = ["hook"]
on = ["sick", "dead", "recovered"]
"#,
        broker.management(),
        receiver.url("/hook")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_filled_until_sick_until_dead_and_drained_and_the_page_follows() {
    if !RabbitMq::is_installed() {
        assert!(
            std::env::var_os("CI").is_none(),
            "rabbitmq-server is missing"
        );
        println!(
            "SKIPPED: a queue on the page: rabbitmq-server (Debian's rabbitmq-server) is missing"
        );
        return;
    }
    let broker = RabbitMq::start(None).await.expect("RabbitMQ starts");
    broker.put("queues/%2F/jobs", &json!({})).await;
    let user = json!({"password": "staple-of-the-queue", "tags": "management"});
    broker.put("users/watch", &user).await;
    let none = json!({"configure": "", "write": "", "read": ""});
    broker.put("permissions/%2F/watch", &none).await;
    let mut client = Client::connect(broker.amqp(), "/").await.unwrap();
    let receiver = Receiver::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = Rig::new(&config(&broker, &receiver));
    rig.start().await;
    rig.until_health("Shop", "Jobs", "healthy").await;
    for (messages, health, reason) in [
        (10, "sick", "queue jobs: 10 messages ready, sick from 10"),
        (11, "dead", "queue jobs: 21 messages ready, dead above 20"),
    ] {
        client.publish("jobs", messages).await.unwrap();
        rig.until_health("Shop", "Jobs", health).await;
        let page = rig.get("/").await;
        assert!(page.contains(reason), "{page}");
        assert_eq!(rig.get("/status/text").await, health);
    }
    broker.delete("queues/%2F/jobs/contents").await;
    rig.until_health("Shop", "Jobs", "healthy").await;
    assert_eq!(rig.get("/status/text").await, "healthy");
    let healths = || -> Vec<Value> {
        let received = receiver.received();
        let bodies = received.iter().map(|notice| notice.json().unwrap());
        bodies.map(|body| body["health"].clone()).collect()
    };
    rig.until("the recovery is told", async || {
        healths().last().is_some_and(|last| last == "healthy")
    })
    .await;
    for path in ["/", "/metrics", "/status/report"] {
        let shown = rig.get(path).await;
        assert!(!shown.contains("staple-of-the-queue"), "{shown}");
    }
}
