//! The prometheus probe, against Debian's Prometheus.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plugin_tests::{ANY, Trial, check, run, skip};
use target_server::{Answer, Receiver, TcpBehaviour, TcpTarget};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::http::{SHORT, site};
use crate::measured::{names, reading, value};

/// How long the server may take to start, and its first scrape to be there, on a
/// machine that is busy.
const START: Duration = Duration::from_mins(1);

/// What bcrypt makes of `pass`, with the least work that it takes.
const HASH: &str = "$2b$04$T1gXgasFZ.UMY5KThP7AlOebX8EF0Xhv1Co.4FpjpiivXHN8VT48S";

/// A Prometheus that scrapes itself and has a rule.
pub(crate) struct Server {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill().is_ok();
        _ = self.child.wait().is_ok();
    }
}

impl Server {
    /// Starts one and waits until it can be asked; none where it is not installed.
    pub(crate) async fn start(password: Option<&str>) -> Option<Self> {
        // Someone else may take the port between our letting go and its taking it.
        for _ in 0..3 {
            let Ok(mut server) = Self::spawn(password) else {
                skip("prometheus: prometheus (Debian's prometheus) is missing");
                return None;
            };
            if server.is_ready().await {
                return Some(server);
            }
        }
        panic!("prometheus does not start");
    }

    fn spawn(password: Option<&str>) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let address = format!("127.0.0.1:{port}");
        let login = password.map_or(String::new(), |password| {
            format!("    basic_auth: {{ username: watch, password: {password} }}\n")
        });
        write(
            folder.path(),
            "prometheus.yml",
            &format!(
                "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
                 rule_files: [rules.yml]\n\
                 scrape_configs:\n\
                 \x20 - job_name: itself\n\
                 {login}\
                 \x20   static_configs: [{{ targets: ['{address}'] }}]\n"
            ),
        )?;
        write(
            folder.path(),
            "rules.yml",
            "groups:\n\
             \x20 - name: queues\n\
             \x20   rules:\n\
             \x20     - { record: 'queue:depth', expr: vector(7), labels: { queue: mail } }\n\
             \x20     - { record: 'queue:depth', expr: vector(42), labels: { queue: jobs } }\n",
        )?;
        let mut command = Command::new("prometheus");
        if password.is_some() {
            write(
                folder.path(),
                "web.yml",
                &format!("basic_auth_users: {{ watch: '{HASH}' }}\n"),
            )?;
            command.arg("--web.config.file=web.yml");
        }
        let child = command
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        Ok(Self {
            child,
            address,
            _folder: folder,
        })
    }

    /// Whether both its rule and its scrape of itself have come to something; false
    /// where it ended instead.
    async fn is_ready(&mut self) -> bool {
        let config = r#"{"query": "up and on() queue:depth{queue='jobs'}", "op": "<", "dead": 1,
            "auth": {"basic": {"username": "watch", "password": "pass"}}}"#;
        let trial = Trial::new("prometheus", config);
        let end = Instant::now() + START;
        loop {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return false;
            }
            let said = trial.check_in_words(&self.url()).await;
            if said == "healthy" {
                return true;
            }
            assert!(Instant::now() < end, "prometheus is not ready: {said}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    std::fs::write(folder.join(name), text)
}

#[test]
fn results_are_judged_by_thresholds() {
    run(async {
        let Some(server) = Server::start(None).await else {
            return;
        };
        for (config, expected) in [
            (
                r#"{"query": "queue:depth", "sick": 100, "dead": 1000}"#,
                "healthy",
            ),
            (
                r#"{"query": "queue:depth", "sick": 40, "dead": 1000}"#,
                r#"sick: queue:depth{queue="jobs"} is 42: more than 40"#,
            ),
            (
                r#"{"query": "queue:depth", "sick": 5, "dead": 42, "op": ">="}"#,
                r#"dead: queue:depth{queue="jobs"} is 42: at least 42"#,
            ),
            (
                r#"{"query": "queue:depth", "sick": 5}"#,
                r#"sick: queue:depth{queue="jobs"} is 42, queue:depth{queue="mail"} is 7: more than 5"#,
            ),
            (
                r#"{"query": "queue:depth", "sick": 5, "dead": 40, "series": "all"}"#,
                r#"sick: queue:depth{queue="jobs"} is 42, queue:depth{queue="mail"} is 7: more than 5"#,
            ),
            (
                r#"{"query": "queue:depth", "dead": 40, "series": "all"}"#,
                "healthy",
            ),
            (
                r#"{"query": "up{job=\"itself\"}", "op": "<", "dead": 1}"#,
                "healthy",
            ),
            (
                r#"{"query": "up == 0", "op": "==", "dead": 0, "empty": "healthy"}"#,
                "healthy",
            ),
            (
                r#"{"query": "scalar(queue:depth{queue=\"mail\"})", "dead": 6, "name": "mails"}"#,
                "dead: mails is 7: more than 6",
            ),
            (
                r#"{"query": "sum(queue:depth) / 98", "sick": 0.5, "op": "==", "name": "load"}"#,
                "sick: load is 0.5: equal to 0.5",
            ),
        ] {
            let said = check("prometheus", &server.url(), config).await;
            assert_eq!(said, expected, "{config}");
        }
        let config = r#"{"query": "queue:depth", "sick": 100, "name": "messages-ready", "unit": "messages"}"#;
        let run = Trial::new("prometheus", config)
            .check(&format!("{}/", server.url()))
            .await
            .unwrap();
        assert_eq!(names(&run), ["messages-ready messages", "series series"]);
        assert!((value(&run, "messages-ready") - 42.0).abs() < f64::EPSILON);
        assert!((value(&run, "series") - 2.0).abs() < f64::EPSILON);
        assert!(reading(&run).latency.is_some());
    });
}

#[test]
fn nothing_is_what_the_operator_says() {
    run(async {
        let Some(server) = Server::start(None).await else {
            return;
        };
        for query in ["no_such_metric", "vector(0) / 0"] {
            for (empty, expected) in [
                (r#", "empty": "healthy""#, "healthy"),
                (r#", "empty": "sick""#, "sick: the query gives nothing"),
                (r#", "empty": "dead""#, "dead: the query gives nothing"),
                (
                    "",
                    "undecided: the query gives nothing; config.empty says what that means",
                ),
            ] {
                let config = format!(r#"{{"query": "{query}", "dead": 1{empty}}}"#);
                let said = check("prometheus", &server.url(), &config).await;
                assert_eq!(said, expected, "{config}");
            }
        }
        let config = r#"{"query": "vector(1) / 0", "dead": 1}"#;
        let run = Trial::new("prometheus", config)
            .check(&server.url())
            .await
            .unwrap();
        assert_eq!(
            plugin_tests::of_check(&run.outcome),
            "dead: value is inf: more than 1"
        );
        assert_eq!(names(&run), ["series series"], "infinity is no figure");
    });
}

#[test]
fn a_query_that_cannot_work_is_a_mistake() {
    run(async {
        let Some(server) = Server::start(None).await else {
            return;
        };
        for (query, expected) in [
            (
                "up{",
                "misconfigured: config.query: 1:4: parse error: unexpected end of input inside braces",
            ),
            (
                "up[5m]",
                "misconfigured: config.query: gives a matrix; an instant vector or a scalar is needed",
            ),
            (
                "'text'",
                "misconfigured: config.query: gives a string; an instant vector or a scalar is needed",
            ),
            (
                "up + on() queue:depth",
                "undecided: the query failed: found duplicate series for the match group",
            ),
        ] {
            let config = format!(r#"{{"query": "{query}", "dead": 1}}"#);
            let said = check("prometheus", &server.url(), &config).await;
            assert!(said.starts_with(expected), "{query}: {said}");
        }
        for (config, expected) in [
            (
                r#"{"query": "up"}"#,
                "misconfigured: config: give sick or dead, or both",
            ),
            (r#"{"query": "", "dead": 1}"#, "refused: config.query"),
            (r#"{"dead": 1}"#, "refused: "),
            (
                r#"{"query": "up", "dead": 1, "op": "=~"}"#,
                "refused: config.op",
            ),
            (
                r#"{"query": "{__name__=~\".+\"}", "dead": 1, "max_body": 1000}"#,
                "undecided: the answer is larger than 1000 bytes: let config.query give fewer \
                 series, or raise config.max_body",
            ),
        ] {
            let said = check("prometheus", &server.url(), config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
        }
    });
}

#[test]
fn credentials_are_sent() {
    run(async {
        let Some(server) = Server::start(Some("pass")).await else {
            return;
        };
        let with = |password: &str| {
            format!(
                r#"{{"query": "up", "op": "<", "dead": 1, "auth": {{"basic": {{"username": "watch", "password": "{password}"}}}}}}"#
            )
        };
        assert_eq!(
            check("prometheus", &server.url(), &with("pass")).await,
            "healthy"
        );
        let in_target = server.url().replace("http://", "http://watch:pass@");
        let without = r#"{"query": "up", "op": "<", "dead": 1}"#;
        assert_eq!(check("prometheus", &in_target, without).await, "healthy");
        for config in [with("word").as_str(), without] {
            let said = check("prometheus", &server.url(), config).await;
            assert_eq!(said, "dead: status 401: Unauthorized", "{config}");
        }
    });
}

#[test]
fn a_server_that_does_not_answer_is_dead() {
    run(async {
        let config = r#"{"query": "up", "dead": 1}"#;
        let mut silent = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let target = format!("http://{}", silent.address());
        let trial = Trial::new("prometheus", config).within(SHORT);
        assert_eq!(
            trial.check_in_words(&target).await,
            "dead: no answer in 1 s"
        );
        silent.stop().await;
        assert_eq!(
            check("prometheus", &target, config).await,
            "dead: connection refused"
        );
        let site = site().await;
        assert_eq!(
            check("prometheus", &site.url("/ok"), config).await,
            "dead: status 404: no such path"
        );
    });
}

/// What other servers of the same API need and say.
#[test]
fn requests_are_as_the_api_has_them() {
    run(async {
        let server = Receiver::start(ANY).await.unwrap();
        let body = r#"{"status":"success","warnings":["partial answer"],"data":{"resultType":"scalar","result":[1.5,"3"]}}"#;
        server.otherwise(Answer::ok().body(body));
        let config = r#"{"query": "a + \"b\"", "dead": 5, "headers": {"X-Scope-OrgID": "team"},
            "auth": {"bearer": "token"}}"#;
        let run = Trial::new("prometheus", config)
            .check(&server.url("/prometheus/?tenant=1"))
            .await
            .unwrap();
        assert_eq!(plugin_tests::of_check(&run.outcome), "healthy");
        let received = &server.received()[0];
        assert_eq!(received.method, "POST");
        assert_eq!(received.path, "/prometheus/api/v1/query?tenant=1");
        assert_eq!(received.header("x-scope-orgid"), Some("team"));
        assert_eq!(received.header("authorization"), Some("Bearer token"));
        let text = received.text();
        assert!(
            text.starts_with("query=a%20%2B%20%22b%22&timeout=5"),
            "{text}"
        );
        assert!(text.ends_with("ms"), "{text}");
        let log: Vec<&str> = run.log.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(log, ["the server warns: partial answer"]);
    });
}
