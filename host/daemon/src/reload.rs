//! Joins the configuration and the shelf anew whenever one of them changes.
//!
//! A configuration that is wrong leaves the running one in place, and the log
//! and the metrics say so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};
use watchkeeper_config::items::Item;
use watchkeeper_config::plugin_config::PluginConfig;
use watchkeeper_config::{Config, Loaded, Problem, Problems};
use watchkeeper_store::Store;
use watchkeeper_web::{ItemRecord, PluginRecords};

pub(crate) use self::edits::{Ask, Edit, QUEUE, records};
use crate::assignment::{Assignments, assign, validate};
use crate::items::{Kept, LeaveOut, merge};
use crate::plugins::{Demand, Shelf};
use crate::telemetry::Metrics;

mod edits;

/// How often the files of the configuration are looked at. A change counts once
/// it looked the same twice, so that a half-written file is not read.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct Reload {
    pub(crate) path: PathBuf,
    pub(crate) config: Config,
    pub(crate) shelf: watch::Receiver<Arc<Shelf>>,
    /// What the first assignments were made of.
    pub(crate) shelf_in_use: Arc<Shelf>,
    pub(crate) own_listeners: Vec<SocketAddr>,
    /// Where what the configuration asks of the plugins goes.
    pub(crate) demand: watch::Sender<Arc<Demand>>,
    pub(crate) assignments: watch::Sender<Arc<Assignments>>,
    pub(crate) metrics: Arc<Metrics>,
    /// What the files of the configuration in use said.
    pub(crate) texts: Vec<(String, String)>,
    /// The parts of the configuration in use, as they were written.
    pub(crate) items: Vec<Item>,
    /// Those that stand in no file.
    pub(crate) kept: Vec<Kept>,
    pub(crate) store: Arc<dyn Store>,
    /// What people want changed.
    pub(crate) edits: mpsc::Receiver<Edit>,
    /// Where the parts are shown.
    pub(crate) shown: watch::Sender<Arc<Vec<ItemRecord>>>,
    /// Where the plugins are shown.
    pub(crate) shown_plugins: watch::Sender<Arc<PluginRecords>>,
}

/// The files of a configuration and how each looks.
type Stamps = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

impl Reload {
    /// Watches until dropped.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut hangups = signal(SignalKind::hangup())?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut named = files_of(&self.config);
        let mut in_use = look(&self.path, &named).await;
        let mut seen = in_use.clone();
        let mut is_edited = true;
        self.show_items();
        loop {
            tokio::select! {
                edit = self.edits.recv(), if is_edited => {
                    is_edited = edit.is_some();
                    if let Some(edit) = edit {
                        self.edit(edit).await;
                        named = files_of(&self.config);
                        in_use = with_new_files(&in_use, look(&self.path, &named).await);
                        seen.clone_from(&in_use);
                    }
                }
                changed = self.shelf.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    self.show_shelf();
                    let now = Arc::clone(&self.shelf.borrow_and_update());
                    if !now.is_as_good_as(&self.shelf_in_use, &self.demand.borrow().used) {
                        self.publish();
                    }
                    self.shelf_in_use = now;
                    self.show_items();
                }
                _ = hangups.recv() => {
                    let now = look(&self.path, &named).await;
                    self.reload(&mut named).await;
                    in_use = with_new_files(&now, look(&self.path, &named).await);
                }
                _ = looks.tick() => {
                    let mut now = look(&self.path, &named).await;
                    if now == seen && now != in_use {
                        self.reload(&mut named).await;
                        now = with_new_files(&now, look(&self.path, &named).await);
                        in_use = now.clone();
                    }
                    seen = now;
                }
            }
        }
    }

    /// Reads the configuration and takes it over if it is right. `named` becomes
    /// the files that it names.
    async fn reload(&mut self, named: &mut BTreeSet<PathBuf>) {
        let (path, mut kept) = (self.path.clone(), self.kept.clone());
        let read = tokio::task::spawn_blocking(move || {
            let env = |name: &str| std::env::var(name).ok();
            // The files are whole by themselves, whatever is kept beside them.
            let files = watchkeeper_config::load(&path, &env)?;
            let merged = merge(&files.texts, &mut kept, LeaveOut::Troubled, &env)?;
            Ok::<_, Problems>((merged, kept))
        });
        let (loaded, kept) = match read.await {
            Ok(Ok(merged)) => merged,
            Ok(Err(problems)) => {
                error!("the configuration is wrong; the one before stays in use\n{problems}");
                self.metrics.config_rejected.set(1);
                return;
            }
            Err(_) => return,
        };
        let config = &loaded.config;
        *named = files_of(config);
        let shelf = Arc::clone(&self.shelf.borrow());
        let (assignments, mut problems) = assign(config, &shelf, &self.own_listeners);
        if problems.is_empty() {
            problems = validate(&assignments).await;
        }
        if !problems.is_empty() {
            let problems = Problems::from(problems);
            error!(
                "the configuration does not fit the plugins; the one before stays in use\n{problems}"
            );
            self.metrics.config_rejected.set(1);
            return;
        }
        self.metrics.config_rejected.set(0);
        if *config == self.config {
            info!("configuration read again: nothing changed");
            // The lines may stand elsewhere.
            self.take_over(loaded, kept);
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
        self.take_over(loaded, kept);
        info!("configuration taken over");
        self.publish();
    }

    /// Goes on with another configuration.
    fn take_over(&mut self, loaded: Loaded, kept: Vec<Kept>) {
        self.demand
            .send_replace(Arc::new(Demand::of(&loaded.config)));
        self.config = loaded.config;
        self.texts = loaded.texts;
        self.items = loaded.items;
        self.kept = kept;
        self.show_items();
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

/// The files whose text is part of a plugin's configuration.
fn files_of(config: &Config) -> BTreeSet<PathBuf> {
    let monitors = config.monitors().map(|monitor| &monitor.config);
    let channels = config.channels.iter().map(|channel| &channel.config);
    monitors
        .chain(channels)
        .flat_map(PluginConfig::files)
        .map(Path::to_owned)
        .collect()
}

/// What was seen before a reload, with how the files look that it named anew: a
/// change while it ran is seen at the next look.
fn with_new_files(before: &Stamps, after: Stamps) -> Stamps {
    after
        .into_iter()
        .map(|(file, stamp)| {
            let stamp = before.get(&file).copied().unwrap_or(stamp);
            (file, stamp)
        })
        .collect()
}

async fn look(path: &Path, named: &BTreeSet<PathBuf>) -> Stamps {
    let (path, named) = (path.to_owned(), named.clone());
    tokio::task::spawn_blocking(move || stamps(&path, named))
        .await
        .unwrap_or_default()
}

/// The stamps of the file, or of the TOML files of the folder, and of those that
/// it names. What cannot be read has none: reading it will say why.
fn stamps(path: &Path, named: BTreeSet<PathBuf>) -> Stamps {
    let files: Vec<PathBuf> = match std::fs::read_dir(path) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.extension().is_some_and(|ending| ending == "toml"))
            .collect(),
        Err(_) => vec![path.to_owned()],
    };
    files
        .into_iter()
        .chain(named)
        .filter_map(|file| {
            let metadata = file.metadata().ok()?;
            Some((file, (metadata.len(), metadata.modified().ok())))
        })
        .collect()
}
