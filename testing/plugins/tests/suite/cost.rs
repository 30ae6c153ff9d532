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
use crate::databases::mariadb::MariaDb;
use crate::databases::postgresql::PostgreSql;
use crate::databases::redis::Redis;
use crate::databases::until as until_health;
use crate::grpc::grpc;
use crate::http_tls::server;
use crate::ntp::chrony;
use crate::smtp::{Begins, exim};
use crate::ssh::sshd;
use crate::websocket::websockets;
use crate::xmpp::prosody;
use crate::{domain, email, prometheus, xmpp};

/// How many runs count: enough for a median that is the same at every try. In CI
/// nobody reads the figures, and a few show that each of these runs ends well.
fn runs() -> usize {
    if std::env::var_os("CI").is_some() {
        5
    } else {
        200
    }
}

/// What Vigil's users ask of a queue.
const TEN_LINES: &str = "\
#!/bin/bash
set -eu
answer=$(curl -sf -m 5 \"$TARGET\") || { echo 'no answer'; exit 2; }
depth=$(echo \"$answer\" | jq .queue.depth)
status=$(echo \"$answer\" | jq -r .status)
[ \"$status\" = up ] || { echo \"status is $status\"; exit 2; }
if [ \"$depth\" -gt 1000 ]; then
  echo \"queue too deep: $depth\"; exit 1
fi
exit 0
";

/// Runs before those that count: they fill the pool and the caches.
fn warm_up() -> usize {
    runs() / 10
}

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
        self.cpu.drain(..warm_up());
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
    for _ in 0..warm_up() + runs() {
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
    for _ in 0..warm_up() + runs() {
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

/// Against servers that are programs of their own; those that are missing say so.
async fn of_programs() -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(server) = exim(Some(TlsKind::Valid), Begins::InTheClear) {
        let target = format!("smtp://localhost:{}", server.address().port());
        lines.push(of_checks("smtp, STARTTLS", "smtp", &target, "{}").await);
    }
    if let Some(server) = sshd(&["ed25519"], "").await {
        let target = format!("ssh://{}", server.address());
        lines.push(of_checks("ssh", "ssh", &target, "{}").await);
    }
    if let Some(server) = chrony("local stratum 5\n").await {
        let target = format!("ntp://{}", server.address());
        lines.push(of_checks("ntp", "ntp", &target, "{}").await);
    }
    if let Some(server) = websockets(None).await {
        let target = format!("ws://{}/echo", server.address());
        let echo = r#"{"send": "hello", "expect": {"contains": "hello"}}"#;
        lines.push(of_checks("websocket, message", "websocket", &target, echo).await);
    }
    if let Some(server) = grpc(None).await {
        let target = format!("grpc://{}", server.address());
        lines.push(of_checks("grpc", "grpc", &target, "{}").await);
    }
    lines
}

/// Notifiers of servers that are programs of their own.
async fn of_notifiers() -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(server) = email::postman(Some(TlsKind::Valid), Begins::InTheClear) {
        let config = json!({
            "server": format!("smtp://localhost:{}", server.address().port()),
            "login": {"username": "watch", "password": "right"},
            "from": "watch@acme.test", "to": ["ops@acme.test"],
        });
        lines.push(of_deliveries("email, STARTTLS, login", "email", &config.to_string()).await);
    }
    if let Some(server) = prosody(TlsKind::Valid, xmpp::Begins::StartTls, "").await {
        let config = json!({
            "server": format!("xmpp://localhost:{}", server.address().port()),
            "jid": "watch@localhost", "password": "right", "to": ["ops@localhost"],
        });
        lines.push(of_deliveries("xmpp, STARTTLS, SCRAM-SHA-1", "xmpp", &config.to_string()).await);
    }
    lines
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

/// Of those that are installed.
async fn of_databases() -> Vec<String> {
    let issued = authority().identity(TlsKind::Valid);
    let issued = issued.expect("keys can be made");
    let plain = r#""password": "let-me-in-42", "tls": {"mode": "disable"}"#;
    let secure = r#""password": "let-me-in-42", "tls": {"mode": "verify"}"#;
    let query = r#""query": "SELECT count(*) FROM jobs", "value": {"sick_above": 10}"#;
    let mut lines = Vec::new();
    if let Some(server) = PostgreSql::start(&issued) {
        let target = server.target("watch");
        let trial = Trial::new("postgres", &format!("{{{plain}}}"));
        until_health(&trial, &target, "healthy", &server.home).await;
        for (what, user, config) in [
            ("postgres, no password", "trusted", plain.to_owned()),
            ("postgres, MD5", "old", plain.to_owned()),
            ("postgres, SCRAM", "watch", plain.to_owned()),
            (
                "postgres, SCRAM, query",
                "watch",
                format!("{plain}, {query}"),
            ),
            (
                "postgres, SCRAM, query, TLS",
                "watch",
                format!("{secure}, {query}"),
            ),
        ] {
            let config = format!("{{{config}}}");
            lines.push(of_checks(what, "postgres", &server.target(user), &config).await);
        }
    }
    if let Some(server) = MariaDb::start(&issued) {
        let target = server.target("watch");
        let trial = Trial::new("mysql", &format!("{{{plain}}}"));
        until_health(&trial, &target, "healthy", &server.home).await;
        for (what, config) in [
            ("mysql", plain.to_owned()),
            ("mysql, query", format!("{plain}, {query}")),
            ("mysql, query, TLS", format!("{secure}, {query}")),
        ] {
            lines.push(of_checks(what, "mysql", &target, &format!("{{{config}}}")).await);
        }
    }
    if let Some(server) = Redis::start(&issued) {
        let info = r#"{"password": "let-me-in-42", "info": {"connected_clients": {}}}"#;
        let plain = r#"{"password": "let-me-in-42"}"#;
        let (target, secure) = (server.target("watch"), server.tls_target("watch"));
        until_health(
            &Trial::new("redis", plain),
            &target,
            "healthy",
            &server.home,
        )
        .await;
        for (what, target, config) in [
            ("redis", &target, plain),
            ("redis, INFO", &target, info),
            ("redis, INFO, TLS", &secure, info),
        ] {
            lines.push(of_checks(what, "redis", target, config).await);
        }
    }
    lines
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
        let steps = r#"{"steps": [
            {"path": "/json", "save": {"depth": {"json": "$.queue.depth"}}},
            {"path": "/ok?depth={{depth}}", "expect": {"body": "ok"}}]}"#;
        let script = serde_json::json!({ "script": "async function check(target) {
            const answer = await fetch(target);
            const { queue } = await answer.json();
            return { health: queue.depth > 100 ? 'sick' : 'healthy', measurements: { depth: [queue.depth, 'jobs'] } };
        }" });
        let scripted = script.to_string();
        let idle = r#"{"script": "const check = () => 'healthy'"}"#;
        let registry = domain::Registry::start().await;
        registry.has("acme.test", 200, &["active"]);
        let rdap = format!(r#"{{"rdap": "{}"}}"#, registry.url());
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
            of_checks("steps, two", "steps", &site.url("/"), steps).await,
            of_checks("js, nothing", "js", &site.url("/json"), idle).await,
            of_checks("js, fetch and JSON", "js", &site.url("/json"), &scripted).await,
            of_checks("domain, asking", "domain", "domain://acme.test", &rdap).await,
            of_checks(
                "script, exit 0",
                "script",
                "script:x",
                r#"{"script": "exit 0"}"#,
            )
            .await,
            of_checks(
                "script, HTTP and JSON",
                "script",
                &site.url("/json"),
                &crate::script::script(TEN_LINES),
            )
            .await,
            of_deliveries("webhook, signed", "webhook", &hook).await,
            of_deliveries("slack", "slack", &slack).await,
        ];
        if let Some(prometheus) = prometheus::Server::start(None).await {
            let up = r#"{"query": "up", "op": "<", "dead": 1}"#;
            lines.push(of_checks("prometheus", "prometheus", &prometheus.url(), up).await);
        }
        for service in SERVICES {
            receiver.otherwise((service.taken)());
            lines.push(of_trial(service.notifier, &service.trial(&receiver)).await);
        }
        match availability() {
            Ok(()) => lines.push(of_checks("icmp", "icmp", "icmp://127.0.0.1", "{}").await),
            Err(why) => skip(&format!("icmp: {why}")),
        }
        lines.extend(of_programs().await);
        lines.extend(of_notifiers().await);
        lines.extend(of_rabbitmq().await);
        lines.extend(of_mosquitto().await);
        lines.extend(of_databases().await);
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
