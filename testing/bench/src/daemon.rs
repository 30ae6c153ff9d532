//! The shipped binary on a configuration of its own.

use std::fmt::Write as _;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::client;
use crate::cpu;
use crate::metrics::Metrics;
use crate::places::Places;

/// How long it may take to be ready: a cold start compiles all plugins.
const READY: Duration = Duration::from_mins(3);

/// How long it may take to stop: checks under way may finish.
const STOP: Duration = Duration::from_secs(30);

/// How often it is asked while something is waited for.
const STEP: Duration = Duration::from_millis(2);

/// Monitors of one service.
const TOGETHER: usize = 10;

/// A folder with a configuration, which may be run again and again.
pub(crate) struct Site {
    folder: TempDir,
    port: u16,
    program: std::path::PathBuf,
}

/// The running binary; killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    base: String,
    started: Instant,
    log: std::path::PathBuf,
}

impl Site {
    /// A folder with this configuration after a `[server]` table of its own.
    pub(crate) fn new(places: &Places, config: &str) -> anyhow::Result<Self> {
        let folder = places.scratch()?;
        let port = free_port()?;
        std::fs::create_dir(folder.path().join("plugins"))?;
        let whole = format!("[server]\nlisten = \"127.0.0.1:{port}\"\n\n{config}");
        std::fs::write(folder.path().join("watchkeeper.toml"), whole)?;
        Ok(Self {
            folder,
            port,
            program: places.watchkeeper.clone(),
        })
    }

    /// As [`Site::new`], where all bundled plugins were compiled before.
    pub(crate) async fn warm(places: &Places, config: &str) -> anyhow::Result<Self> {
        let site = Self::new(places, config)?;
        let cache = places.results.join("plugins-cache");
        std::fs::create_dir_all(&cache)?;
        let data = site.folder.path().join("data");
        std::fs::create_dir(&data)?;
        std::os::unix::fs::symlink(&cache, data.join("cache"))?;
        let mut daemon = site.start(None)?;
        daemon.answers("/readyz").await?;
        daemon.loaded().await?;
        daemon.stop().await?;
        for entry in std::fs::read_dir(&data)? {
            let path = entry?.path();
            if path.is_file() {
                std::fs::remove_file(path)?;
            }
        }
        Ok(site)
    }

    /// Its plugins folder.
    pub(crate) fn plugins(&self) -> std::path::PathBuf {
        self.folder.path().join("plugins")
    }

    /// Starts the binary; on one processor alone where `processor` says which and
    /// `taskset` is installed.
    pub(crate) fn start(&self, processor: Option<usize>) -> anyhow::Result<Daemon> {
        let folder = self.folder.path();
        let log = folder.join("log");
        let mut command = match processor {
            Some(processor) => {
                let mut command = Command::new("taskset");
                command
                    .args(["-c", &processor.to_string()])
                    .arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command
            .args(["--log", "warn", "--config"])
            .arg(folder.join("watchkeeper.toml"))
            .arg("serve")
            .env_remove("WATCHKEEPER_CONFIG")
            .env_remove("WATCHKEEPER_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::options().create(true).append(true).open(&log)?);
        let started = Instant::now();
        let child = command.spawn().context("cannot start watchkeeper")?;
        Ok(Daemon {
            child,
            base: format!("http://127.0.0.1:{}", self.port),
            started,
            log,
        })
    }
}

impl Daemon {
    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The URL of `path`, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Waits until `path` answers 200, and returns how long after the start that was.
    pub(crate) async fn answers(&mut self, path: &str) -> anyhow::Result<Duration> {
        let url = self.url(path).parse()?;
        let waiting = async {
            loop {
                if let Some(ended) = self.child.try_wait()? {
                    bail!(
                        "watchkeeper ended at once: {ended}; it said: {}",
                        said(&self.log)
                    );
                }
                if let Ok((200, _)) = client::get(&url, None).await {
                    return Ok(self.started.elapsed());
                }
                sleep(STEP).await;
            }
        };
        timeout(READY, waiting)
            .await
            .with_context(|| format!("{path} never answered 200"))?
    }

    /// Waits until all plugins are loaded, those that nothing uses too, and returns
    /// how long after the start that was.
    pub(crate) async fn loaded(&self) -> anyhow::Result<Duration> {
        let waiting = async {
            while self.metrics().await?.sum("watchkeeper_plugins_loading", "") > 0.0 {
                sleep(STEP).await;
            }
            anyhow::Ok(self.started.elapsed())
        };
        timeout(READY, waiting)
            .await
            .context("not all plugins were ever loaded")?
    }

    /// What it counts of itself.
    pub(crate) async fn metrics(&self) -> anyhow::Result<Metrics> {
        Ok(Metrics::new(client::get_text(&self.url("/metrics")).await?))
    }

    /// Its processor time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of(self.pid())
    }

    /// Its memory, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        cpu::resident(self.pid())
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process has a number")?, Signal::TERM)?;
        let waiting = async {
            while self.child.try_wait()?.is_none() {
                sleep(STEP).await;
            }
            anyhow::Ok(())
        };
        timeout(STOP, waiting).await.context("it does not stop")?
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A configuration of monitors on `targets`, a few to a service, after `defaults`.
pub(crate) fn fleet(defaults: &str, targets: impl Iterator<Item = String>) -> String {
    let mut config = format!("[defaults]\n{defaults}\n");
    for (number, target) in targets.enumerate() {
        let service = number / TOGETHER;
        let written = if number % TOGETHER == 0 {
            write!(
                config,
                "\n[[service]]\nid = \"service-{service}\"\nlabel = \"Service {service}\"\n"
            )
        } else {
            Ok(())
        };
        written
            .and_then(|()| {
                write!(
                    config,
                    "\n[[service.monitor]]\nid = \"monitor-{number}\"\nlabel = \"Monitor {number}\"\ntargets = [\"{target}\"]\n"
                )
            })
            .expect("writing to a string cannot fail");
    }
    config
}

/// The last lines of a log.
fn said(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .iter()
        .rev()
        .take(5)
        .rev()
        .copied()
        .collect::<Vec<_>>()
        .join(" | ")
}

/// A port that nobody listens on, below those that the kernel gives to outgoing
/// connections: one of those could be taken by a check at any moment.
fn free_port() -> anyhow::Result<u16> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(20_000..32_000))
        .take(100)
        .find(free)
        .context("no port is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_has_a_monitor_for_each_target() {
        let config = fleet(
            "every = \"10s\"",
            (0..25).map(|n| format!("http://127.0.0.1:1/m/{n}")),
        );
        assert_eq!(config.matches("[[service]]").count(), 3);
        assert_eq!(config.matches("[[service.monitor]]").count(), 25);
        assert!(config.contains(
            "id = \"monitor-24\"\nlabel = \"Monitor 24\"\ntargets = [\"http://127.0.0.1:1/m/24\"]"
        ));
    }
}
