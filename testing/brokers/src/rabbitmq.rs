//! RabbitMQ, with its management plugin.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::Value;
use target_server::Identity;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::PATIENCE;
use crate::program::{Program, end_of, free_ports};

/// Where Debian keeps the programs as they are: those in `/usr/sbin` start others
/// as the user `rabbitmq`, in its own folders.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

/// The name server of Erlang, which every node asks for.
const EPMD: &str = "/usr/bin/epmd";

/// How often a start is tried again after a port was taken by somebody else.
const TRIES: u32 = 3;

/// A broker of one node. User and password are `guest`.
#[derive(Debug)]
pub struct RabbitMq {
    // Killed before the folder goes.
    server: Program,
    _names: Program,
    folder: TempDir,
    ports: Ports,
    client: reqwest::Client,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    names: u16,
    distribution: u16,
    amqp: u16,
    amqps: u16,
    management: u16,
}

impl RabbitMq {
    /// Whether the programs are there.
    pub fn is_installed() -> bool {
        let server = Path::new(PROGRAMS).join("rabbitmq-server");
        server.exists() && Path::new(EPMD).exists()
    }

    /// Starts a broker and waits until it answers; with an identity, it also takes
    /// AMQP with TLS.
    ///
    /// # Errors
    ///
    /// When it does not come up, with what it said last.
    pub async fn start(identity: Option<&Identity>) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_start(identity).await {
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => {}
                started => return started,
            }
        }
    }

    async fn try_start(identity: Option<&Identity>) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let [names, distribution, amqp, amqps, management] = free_ports()?;
        let ports = Ports {
            names,
            distribution,
            amqp,
            amqps,
            management,
        };
        configure(folder.path(), ports, identity)?;
        let names = Program::start(EPMD, &folder.path().join("names.log"), |command| {
            let port = ports.names.to_string();
            command.args(["-port", &port, "-address", "127.0.0.1"]);
        })?;
        let program = format!("{PROGRAMS}/rabbitmq-server");
        let log = folder.path().join("server.log");
        let server = Program::start(&program, &log, |command| {
            command.env_clear().envs(environment(folder.path(), ports));
        })?;
        let mut broker = Self {
            server,
            _names: names,
            folder,
            ports,
            client: reqwest::Client::new(),
        };
        broker.until_up(&log).await?;
        Ok(broker)
    }

    async fn until_up(&mut self, log: &Path) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && self.server.runs() {
            // The listeners for AMQP are opened last.
            if tokio::net::TcpStream::connect(self.amqp()).await.is_ok()
                && self.get("overview").await.is_some()
            {
                return Ok(());
            }
            sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(io::Error::other(format!(
            "RabbitMQ did not come up: {}",
            end_of(log)
        )))
    }

    /// The URL of the management API, without a path.
    pub fn management(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.management)
    }

    /// Where it takes AMQP.
    pub fn amqp(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.amqp))
    }

    /// The port where it takes AMQP with TLS, if it was given an identity.
    pub fn amqps_port(&self) -> u16 {
        self.ports.amqps
    }

    /// Asks the management API for what is at `path`, below `/api/`; none unless
    /// it answers with success.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.ask(Method::GET, path, &Value::Null).await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// Makes something through the management API.
    ///
    /// # Panics
    ///
    /// If the broker refuses.
    pub async fn put(&self, path: &str, body: &Value) {
        self.must(Method::PUT, path, body).await;
    }

    /// Deletes something through the management API.
    ///
    /// # Panics
    ///
    /// If the broker refuses.
    pub async fn delete(&self, path: &str) {
        self.must(Method::DELETE, path, &Value::Null).await;
    }

    /// Runs `rabbitmqctl` with these arguments to its end.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub async fn control(&self, arguments: &[&str]) {
        let output = Command::new(format!("{PROGRAMS}/rabbitmqctl"))
            .env_clear()
            .envs(environment(self.folder.path(), self.ports))
            .args(arguments)
            .output()
            .await
            .expect("rabbitmqctl starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "rabbitmqctl {arguments:?}: {said}");
    }

    /// Kills the broker: from now on connections are refused.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    async fn must(&self, method: Method, path: &str, body: &Value) {
        let answer = self.ask(method.clone(), path, body).await;
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{method} {path}: {status} {said}");
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}/api/{path}", self.management());
        let mut request = self.client.request(method, url);
        request = request.basic_auth("guest", Some("guest"));
        if !body.is_null() {
            request = request.json(body);
        }
        request.timeout(PATIENCE).send().await
    }
}

/// Writes the files that the broker reads.
fn configure(folder: &Path, ports: Ports, identity: Option<&Identity>) -> io::Result<()> {
    let Ports {
        amqp, management, ..
    } = ports;
    // By default figures are collected every 5 s, and kept apart by as much; and a
    // disk that is nearly full is an alarm.
    let mut settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         collect_statistics_interval = 100\n\
         management.sample_retention_policies.global.minute = 1\n\
         management.sample_retention_policies.basic.minute = 1\n\
         management.sample_retention_policies.detailed.10 = 1\n\
         disk_free_limit.absolute = 1MB\n\
         log.console = true\n\
         log.file = false\n"
    );
    if let Some(identity) = identity {
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        fs::write(&chain, &identity.chain_pem)?;
        fs::write(&key, &identity.key_pem)?;
        write!(
            settings,
            "listeners.ssl.1 = 127.0.0.1:{}\n\
             ssl_options.cacertfile = {}\n\
             ssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\n",
            ports.amqps,
            chain.display(),
            chain.display(),
            key.display()
        )
        .expect("a text can be written to");
    }
    fs::write(folder.join("rabbitmq.conf"), settings)?;
    fs::write(folder.join("enabled_plugins"), "[rabbitmq_management].\n")
}

/// Everything that would otherwise be the machine's own: folders, ports, names.
fn environment(folder: &Path, ports: Ports) -> Vec<(&'static str, String)> {
    let below = |name: &str| -> String { PathBuf::from(folder).join(name).display().to_string() };
    let here = folder.display().to_string();
    let arguments =
        "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none";
    [
        ("PATH", "/usr/bin:/bin".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        // The cookie by which nodes know each other is made there.
        ("HOME", here.clone()),
        ("ERL_EPMD_PORT", ports.names.to_string()),
        ("RABBITMQ_DIST_PORT", ports.distribution.to_string()),
        (
            "RABBITMQ_NODENAME",
            format!("test{}@localhost", ports.names),
        ),
        ("RABBITMQ_BASE", here),
        ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
        ("RABBITMQ_CONFIG_FILE", below("rabbitmq.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", below("enabled_plugins")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", below("generated")),
        ("RABBITMQ_LOG_BASE", below("log")),
        ("RABBITMQ_MNESIA_BASE", below("mnesia")),
        ("RABBITMQ_PID_FILE", below("pid")),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", arguments.to_owned()),
        // Otherwise a shell stands between us and the broker, and stops it in its
        // own time.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
    ]
    .into()
}
