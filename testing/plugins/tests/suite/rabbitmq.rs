//! The rabbitmq probe, against a real broker.
//!
//! A broker takes its time to start, and every test has a process of its own:
//! what needs one is one test, in parts.

use plugin_tests::{Trial, check, run};
use serde_json::json;
use test_brokers::{Client, RabbitMq};

use crate::brokers::{has_rabbitmq, measured, until};
use crate::measured::names;

/// With what else the guest needs, as JSON without its braces.
fn config(more: &str) -> String {
    format!(r#"{{"username": "guest", "password": "guest", {more}}}"#)
}

fn trial(more: &str) -> Trial {
    Trial::new("rabbitmq", &config(more))
}

#[test]
fn a_real_broker() {
    if !has_rabbitmq() {
        return;
    }
    run(async {
        let mut broker = RabbitMq::start(None).await.expect("RabbitMQ starts");
        a_queue_is_filled_and_drained(&broker).await;
        messages_that_are_not_acknowledged_count(&broker).await;
        names_with_slashes_are_names(&broker).await;
        several_queues_are_judged_each(&broker).await;
        consumers_are_counted(&broker).await;
        whoever_may_not_look_is_told_why(&broker).await;
        alarms_are_what_the_configuration_says(&broker).await;
        let target = broker.management();
        broker.kill();
        let said = check("rabbitmq", &target, &config(r#""queue": "jobs""#)).await;
        assert_eq!(said, "dead: connection refused");
    });
}

async fn connected(broker: &RabbitMq, vhost: &str) -> Client {
    let client = Client::connect(broker.amqp(), vhost).await;
    client.expect("the broker takes the login")
}

/// At the thresholds exactly: sick from, dead above.
async fn a_queue_is_filled_and_drained(broker: &RabbitMq) {
    broker
        .put("queues/%2F/jobs", &json!({"durable": true}))
        .await;
    let trial = trial(r#""queue": "jobs", "ready": {"sick": 5, "dead": 10}"#);
    let target = broker.management();
    let mut client = connected(broker, "/").await;
    let mut there = 0;
    for (more, expected) in [
        (0, "healthy"),
        (4, "healthy"),
        (1, "sick: queue jobs: 5 messages ready, sick from 5"),
        (5, "sick: queue jobs: 10 messages ready, sick from 5"),
        (1, "dead: queue jobs: 11 messages ready, dead above 10"),
    ] {
        client
            .publish("jobs", more)
            .await
            .expect("the broker answers");
        there += more;
        assert_eq!(ready(&trial, &target, there).await, expected, "{there}");
    }
    broker.delete("queues/%2F/jobs/contents").await;
    assert_eq!(ready(&trial, &target, 0).await, "healthy");

    let run = trial.check(&target).await.expect("it fits");
    assert_eq!(
        names(&run),
        [
            "messages-ready messages",
            "messages-unacknowledged messages",
            "consumers consumers"
        ]
    );
    // By the target's own name and password, and below a path of its own.
    let with_login = target.replace("http://", "http://guest:guest@") + "/";
    let said = check("rabbitmq", &with_login, r#"{"queue": "jobs"}"#).await;
    assert_eq!(said, "healthy");
}

/// What the probe says once it sees so many messages that are ready.
async fn ready(trial: &Trial, target: &str, count: u64) -> String {
    seen(trial, target, "messages-ready", count).await
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a test's counts are small enough to be exact"
)]
async fn seen(trial: &Trial, target: &str, name: &str, count: u64) -> String {
    until(trial, target, |run| {
        measured(run, name).is_some_and(|value| (value - count as f64).abs() < 0.5)
    })
    .await
}

async fn messages_that_are_not_acknowledged_count(broker: &RabbitMq) {
    let mut client = connected(broker, "/").await;
    client.publish("jobs", 5).await.expect("the broker answers");
    let trial = trial(r#""queue": "jobs", "unacked": {"sick": 2, "dead": 2}"#);
    let target = broker.management();
    for (count, expected) in [
        (1, "healthy"),
        (
            2,
            "sick: queue jobs: 2 messages unacknowledged, sick from 2",
        ),
        (
            3,
            "dead: queue jobs: 3 messages unacknowledged, dead above 2",
        ),
    ] {
        let mut worker = connected(broker, "/").await;
        worker
            .take("jobs", count)
            .await
            .expect("the broker answers");
        let said = seen(&trial, &target, "messages-unacknowledged", count.into()).await;
        assert_eq!(said, expected);
        // They go back into the queue.
        drop(worker);
        assert_eq!(
            seen(&trial, &target, "messages-unacknowledged", 0).await,
            "healthy"
        );
    }
    broker.delete("queues/%2F/jobs/contents").await;
}

async fn names_with_slashes_are_names(broker: &RabbitMq) {
    let target = broker.management();
    broker.put("vhosts/eu%2Fmail", &json!({})).await;
    broker
        .put("queues/eu%2Fmail/out%2F%C3%BC%20%25", &json!({}))
        .await;
    let mut client = connected(broker, "eu/mail").await;
    client
        .publish("out/ü %", 3)
        .await
        .expect("the broker answers");
    for which in [
        r#""queue": "out/ü %""#,
        r#""queues": ["out/ü %"], "pattern": "out/*""#,
    ] {
        let more = format!(r#""vhost": "eu/mail", "ready": {{"sick": 3}}, {which}"#);
        assert_eq!(
            ready(&trial(&more), &target, 3).await,
            "sick: queue out/ü %: 3 messages ready, sick from 3"
        );
    }
    for (config, expected) in [
        (
            r#""vhost": "eu/mail", "queue": "in""#,
            "dead: no queue in in virtual host eu/mail",
        ),
        (
            r#""vhost": "us/mail", "queue": "in""#,
            "dead: no queue in in virtual host us/mail",
        ),
        (
            r#""vhost": "us/mail", "pattern": "*""#,
            "dead: no virtual host us/mail",
        ),
    ] {
        assert_eq!(trial(config).check_in_words(&target).await, expected);
    }
}

async fn several_queues_are_judged_each(broker: &RabbitMq) {
    let target = broker.management();
    let mut client = connected(broker, "/").await;
    for (name, count) in [("mail.in", 1), ("mail.out", 3), ("Mail.x", 9), ("mailx", 9)] {
        broker.put(&format!("queues/%2F/{name}"), &json!({})).await;
        client
            .publish(name, count)
            .await
            .expect("the broker answers");
    }
    let rules = r#""ready": {"sick": 2, "dead": 3}"#;
    // The broker knows no case when it filters; the probe does.
    let all = trial(&format!(r#""pattern": "mail.*", {rules}"#));
    assert_eq!(
        ready(&all, &target, 4).await,
        "sick: queue mail.out: 3 messages ready, sick from 2"
    );
    let run = all.check(&target).await.expect("it fits");
    assert_eq!(measured(&run, "queues"), Some(2.0));
    let both = trial(&format!(r#""queues": ["mail.in", "mailx"], {rules}"#));
    assert_eq!(
        ready(&both, &target, 10).await,
        "dead: queue mailx: 9 messages ready, dead above 3"
    );
    for (which, expected) in [
        (
            r#""queues": ["mail.in", "gone"]"#,
            "dead: no queue gone in virtual host /",
        ),
        (
            r#""pattern": "gone.*""#,
            "dead: no queue of virtual host / matches gone.*",
        ),
        (r#""queue": "mail.in", "pattern": "jobs""#, "healthy"),
    ] {
        assert_eq!(trial(which).check_in_words(&target).await, expected);
    }
}

async fn consumers_are_counted(broker: &RabbitMq) {
    let target = broker.management();
    let trial = trial(r#""queue": "jobs", "consumers": {"sick_below": 2, "dead_below": 1}"#);
    assert_eq!(
        seen(&trial, &target, "consumers", 0).await,
        "dead: queue jobs: no consumers, dead below 1"
    );
    let mut workers = Vec::new();
    for (count, expected) in [
        (1, "sick: queue jobs: 1 consumer, sick below 2"),
        (2, "healthy"),
    ] {
        let mut worker = connected(broker, "/").await;
        worker.take("jobs", 0).await.expect("the broker answers");
        workers.push(worker);
        assert_eq!(seen(&trial, &target, "consumers", count).await, expected);
    }
}

async fn whoever_may_not_look_is_told_why(broker: &RabbitMq) {
    let target = broker.management();
    let user = |tags: &str| json!({"password": "secret", "tags": tags});
    broker.put("users/nobody", &user("")).await;
    broker.put("users/looker", &user("management")).await;
    let said = async |name: &str, password: &str| {
        let config =
            format!(r#"{{"username": "{name}", "password": "{password}", "queue": "jobs"}}"#);
        check("rabbitmq", &target, &config).await
    };
    let refused = "dead: the management API answered with status 401: ";
    for (name, password, why) in [
        ("guest", "wrong", "Login failed"),
        ("nobody", "secret", "Not management user"),
        (
            "looker",
            "secret",
            "User not authorised to access virtual host",
        ),
    ] {
        assert_eq!(said(name, password).await, format!("{refused}{why}"));
    }
    let none = json!({"configure": "", "write": "", "read": ""});
    broker.put("permissions/%2F/looker", &none).await;
    assert_eq!(said("looker", "secret").await, "healthy");
}

async fn alarms_are_what_the_configuration_says(broker: &RabbitMq) {
    let target = broker.management();
    let alarms = |health: &str| trial(&format!(r#""alarms": "{health}""#));
    let (sick, dead) = (alarms("sick"), alarms("dead"));
    assert_eq!(sick.check_in_words(&target).await, "healthy");
    broker
        .control(&["set_vm_memory_high_watermark", "0.00001"])
        .await;
    let raised = |run: &_| measured(run, "alarms") == Some(1.0);
    let said = until(&sick, &target, raised).await;
    assert!(
        said.starts_with("sick: memory alarm of node test"),
        "{said}"
    );
    let said = until(&dead, &target, raised).await;
    assert!(said.starts_with("dead: memory alarm of node "), "{said}");
    // What is not asked for is not told.
    let queue = trial(r#""queue": "jobs""#);
    assert_eq!(queue.check_in_words(&target).await, "healthy");
    broker
        .control(&["set_vm_memory_high_watermark", "0.9"])
        .await;
    let over = |run: &_| measured(run, "alarms") == Some(0.0);
    assert_eq!(until(&dead, &target, over).await, "healthy");
}
