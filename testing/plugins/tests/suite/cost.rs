//! What a typical run of each plugin costs: printed, for the README of each.

use std::time::Duration;

use plugin_tests::{ANY, Trial, authority, notice, run, skip};
use serde_json::json;
use target_server::{DnsTarget, HttpTarget, Receiver, TcpBehaviour, TcpTarget, TlsKind, Zone};
use test_brokers::{Listener, Mosquitto, RabbitMq};
use watchkeeper_egress::icmp::availability;
use watchkeeper_sandbox::Run;

use crate::brokers::{has_mosquitto, has_rabbitmq, measured, until};
use crate::channels::SERVICES;
use crate::http_tls::server;

/// Enough for a median that is the same at every try.
const RUNS: usize = 200;

/// Runs before those that count: they fill the pool and the caches.
const WARM_UP: usize = 20;

/// The runs of one plugin.
#[derive(Default)]
struct Cost {
    cpu: Vec<Duration>,
    memory: usize,
}

impl Cost {
    fn add<T>(&mut self, run: &Run<T>) {
        self.cpu.push(run.cpu);
        self.memory = self.memory.max(run.peak_memory);
    }

    fn line(mut self, what: &str) -> String {
        self.cpu.drain(..WARM_UP);
        self.cpu.sort();
        let at = |percent: usize| self.cpu[(self.cpu.len() - 1) * percent / 100].as_micros();
        format!(
            "{what:<32} {:>6} {:>6} {:>8}",
            at(50),
            at(95),
            self.memory / 1024
        )
    }
}

async fn of_checks(what: &str, probe: &str, target: &str, config: &str) -> String {
    let trial = Trial::new(probe, config);
    let mut cost = Cost::default();
    for _ in 0..WARM_UP + RUNS {
        let run = trial.check(target).await.expect("the configuration fits");
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy", "{what}");
        cost.add(&run);
    }
    cost.line(what)
}

async fn of_deliveries(what: &str, notifier: &str, config: &str) -> String {
    of_trial(what, &Trial::new(notifier, config)).await
}

async fn of_trial(what: &str, trial: &Trial) -> String {
    let mut cost = Cost::default();
    for _ in 0..WARM_UP + RUNS {
        let run = trial
            .deliver(notice())
            .await
            .expect("the configuration fits");
        assert_eq!(
            plugin_tests::of_delivery(&run.outcome),
            "delivered",
            "{what}"
        );
        cost.add(&run);
    }
    cost.line(what)
}

async fn of_rabbitmq() -> Vec<String> {
    if !has_rabbitmq() {
        return Vec::new();
    }
    let broker = RabbitMq::start(None).await.expect("RabbitMQ starts");
    broker.put("queues/%2F/jobs", &json!({})).await;
    let one =
        r#"{"username": "guest", "password": "guest", "queue": "jobs", "ready": {"sick": 100}}"#;
    let more = one.replace(r#""queue": "jobs""#, r#""pattern": "*", "alarms": "sick""#);
    let (api, target) = (broker.management(), format!("amqp://{}", broker.amqp()));
    // The broker has no figures of a queue that was made just now.
    until(&Trial::new("rabbitmq", one), &api, |run| {
        measured(run, "messages-ready").is_some()
    })
    .await;
    vec![
        of_checks("rabbitmq", "rabbitmq", &api, one).await,
        of_checks("rabbitmq, pattern, alarms", "rabbitmq", &api, &more).await,
        of_checks("amqp", "amqp", &target, "{}").await,
    ]
}

async fn of_mosquitto() -> Vec<String> {
    if !has_mosquitto() {
        return Vec::new();
    }
    let identity = authority().identity(TlsKind::Valid).expect("it is signed");
    let broker = Mosquitto::start(&identity).await.expect("mosquitto starts");
    let target = format!("mqtt://{}", broker.address(Listener::Open));
    let trip = r#"{"topic": "watchkeeper/check", "qos": 1}"#;
    vec![
        of_checks("mqtt", "mqtt", &target, "{}").await,
        of_checks("mqtt, round trip", "mqtt", &target, trip).await,
    ]
}

#[test]
fn typical_runs() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let secure = server(TlsKind::Valid).await;
        let names = DnsTarget::start(ANY, Zone::demo()).await.unwrap();
        let greeting = TcpTarget::start(ANY, TcpBehaviour::greeting())
            .await
            .unwrap();
        let receiver = Receiver::start(ANY).await.unwrap();
        let queue = r#"{"expect": {"json": [{"path": "$.status", "value": "up"}, {"path": "$.queue.depth", "op": "<", "value": 1000}]}}"#;
        let tls = format!("tls://localhost:{}", secure.address().port());
        let name = format!("dns://{}/ok.demo.test", names.address());
        let port = format!("tcp://{}", greeting.address());
        let hook = format!(r#"{{"url": "{}", "secret": "key"}}"#, receiver.url("/"));
        let slack = format!(r#"{{"hook_url": "{}"}}"#, receiver.url("/"));
        let mut lines = vec![
            of_checks(
                "http",
                "http",
                &site.url("/ok"),
                r#"{"expect": {"body": "ok"}}"#,
            )
            .await,
            of_checks("http, JSON", "http", &site.url("/json"), queue).await,
            of_checks("http, TLS", "http", &secure.url("/"), "{}").await,
            of_checks("tcp", "tcp", &port, "{}").await,
            of_checks(
                "tcp, expect",
                "tcp",
                &port,
                r#"{"expect": {"contains": "ready"}}"#,
            )
            .await,
            of_checks(
                "dns",
                "dns",
                &name,
                r#"{"answers": {"contains": ["127.0.0.1"]}}"#,
            )
            .await,
            of_checks("tls", "tls", &tls, "{}").await,
            of_deliveries("webhook, signed", "webhook", &hook).await,
            of_deliveries("slack", "slack", &slack).await,
        ];
        for service in SERVICES {
            receiver.otherwise((service.taken)());
            lines.push(of_trial(service.notifier, &service.trial(&receiver)).await);
        }
        match availability() {
            Ok(()) => lines.push(of_checks("icmp", "icmp", "icmp://127.0.0.1", "{}").await),
            Err(why) => skip(&format!("icmp: {why}")),
        }
        lines.extend(of_rabbitmq().await);
        lines.extend(of_mosquitto().await);
        println!("{:<32} {:>6} {:>6} {:>8}", "", "median", "p95", "memory");
        println!("{:<32} {:>6} {:>6} {:>8}", "", "µs CPU", "µs CPU", "KiB");
        println!("{}", lines.join("\n"));
        println!(
            "host built {}",
            if cfg!(debug_assertions) {
                "without optimisation"
            } else {
                "with optimisation"
            }
        );
    });
}
