//! Joins the configuration and the shelf anew whenever one of them changes.
//!
//! A configuration that is wrong leaves the running one in place, and the log
//! and the metrics say so.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};
use watchkeeper_config::{Config, Problem};

use crate::assignment::{Assignments, assign};
use crate::plugins::Shelf;
use crate::telemetry::Metrics;

/// How often the files of the configuration are looked at. A change counts once
/// it looked the same twice, so that a half-written file is not read.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct Reload {
    pub(crate) path: PathBuf,
    pub(crate) config: Config,
    pub(crate) shelf: watch::Receiver<Arc<Shelf>>,
    pub(crate) own_listeners: Vec<SocketAddr>,
    /// Where what the configuration says of plugins goes.
    pub(crate) plugin_settings: watch::Sender<Arc<watchkeeper_config::config::Plugins>>,
    pub(crate) assignments: watch::Sender<Arc<Assignments>>,
    pub(crate) metrics: Arc<Metrics>,
}

/// The files of a configuration and how each looks.
type Stamps = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

impl Reload {
    /// Watches until dropped.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut hangups = signal(SignalKind::hangup())?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut in_use = look(&self.path).await;
        let mut seen = in_use.clone();
        loop {
            tokio::select! {
                changed = self.shelf.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    self.show_shelf();
                    self.publish();
                }
                _ = hangups.recv() => {
                    in_use = look(&self.path).await;
                    self.reload().await;
                }
                _ = looks.tick() => {
                    let now = look(&self.path).await;
                    if now == seen && now != in_use {
                        in_use = now.clone();
                        self.reload().await;
                    }
                    seen = now;
                }
            }
        }
    }

    /// Reads the configuration and takes it over if it is right.
    async fn reload(&mut self) {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || {
            watchkeeper_config::load(&path, &|name| std::env::var(name).ok())
        });
        let config = match read.await {
            Ok(Ok(loaded)) => loaded.config,
            Ok(Err(problems)) => {
                error!("the configuration is wrong; the one before stays in use\n{problems}");
                self.metrics.config_rejected.set(1);
                return;
            }
            Err(_) => return,
        };
        let shelf = Arc::clone(&self.shelf.borrow());
        let (_, problems) = assign(&config, &shelf, &self.own_listeners);
        if !problems.is_empty() {
            let problems = watchkeeper_config::Problems::from(problems);
            error!(
                "the configuration does not fit the plugins; the one before stays in use\n{problems}"
            );
            self.metrics.config_rejected.set(1);
            return;
        }
        self.metrics.config_rejected.set(0);
        if config == self.config {
            info!("configuration read again: nothing changed");
            return;
        }
        for (what, same) in [
            ("[server]", config.server == self.config.server),
            ("[network]", config.network == self.config.network),
            (
                "[plugins] folder",
                config.plugins.folder == self.config.plugins.folder,
            ),
        ] {
            if !same {
                warn!("a change of {what} takes effect at the next start");
            }
        }
        self.plugin_settings
            .send_replace(Arc::clone(&config.plugins));
        self.config = config;
        info!("configuration taken over");
        self.publish();
    }

    fn publish(&self) {
        let shelf = Arc::clone(&self.shelf.borrow());
        let (assignments, problems) = assign(&self.config, &shelf, &self.own_listeners);
        warn_of(&problems);
        let before = Arc::clone(&self.assignments.borrow());
        let news = |line: &&String| !before.advice.contains(line);
        for line in assignments.advice.iter().filter(news) {
            warn!("{line}");
        }
        self.assignments.send_replace(Arc::new(assignments));
    }

    fn show_shelf(&self) {
        show_shelf(&self.metrics, &self.shelf.borrow());
    }
}

/// Shows in the metrics which plugins there are.
pub(crate) fn show_shelf(metrics: &Metrics, shelf: &Shelf) {
    let loaded = shelf.plugins.values().map(|entry| {
        let description = entry.plugin.description();
        let kind = match entry.plugin.kind() {
            watchkeeper_sandbox::Kind::Probe { .. } => "probe",
            watchkeeper_sandbox::Kind::Notifier => "notifier",
        };
        (
            description.name.as_str(),
            description.version.to_string(),
            kind,
        )
    });
    let rejected = shelf.rejected.iter().map(|each| {
        let file = each
            .file
            .file_name()
            .unwrap_or(each.file.as_os_str())
            .to_string_lossy();
        (file.into_owned(), each.reason.clone())
    });
    metrics.show_plugins(loaded, rejected);
}

/// Names what keeps monitors from being checked after a plugin changed.
fn warn_of(problems: &[Problem]) {
    for problem in problems {
        warn!("the configuration does not fit a plugin\n{problem}");
    }
}

async fn look(path: &Path) -> Stamps {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || stamps(&path))
        .await
        .unwrap_or_default()
}

/// The stamps of the file, or of the TOML files of the folder. What cannot be
/// read has none: reading it will say why.
fn stamps(path: &Path) -> Stamps {
    let files: Vec<PathBuf> = match std::fs::read_dir(path) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.extension().is_some_and(|ending| ending == "toml"))
            .collect(),
        Err(_) => vec![path.to_owned()],
    };
    files
        .into_iter()
        .filter_map(|file| {
            let metadata = file.metadata().ok()?;
            Some((file, (metadata.len(), metadata.modified().ok())))
        })
        .collect()
}
