//! The plugins that can be used now: the bundled ones and those of the folder,
//! which is looked at again and again.
//!
//! A new or changed file is compiled, checked and described beside the old one.
//! When it is good, the next check uses it and runs in flight finish on the old
//! one; when it is bad, the old one goes on and the shelf says why.

mod files;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tokio::sync::watch;
use tracing::{info, warn};
use watchkeeper_config::config::Plugins as Settings;
use watchkeeper_config::plugin_config::PluginSchema;
use watchkeeper_sandbox::{Kind, Plugin, Sandbox};

use self::files::{Look, Stamp, list, stamp_of};
pub(crate) use self::files::{file_name, read_component, read_signature, refuse_world_writable};
use crate::asking::Asking;
use crate::bundled;
use crate::trust::{Trust, Vouch};

/// How often the folder is looked at. A file is loaded once it looked the same
/// twice, so that one that is still being copied is left alone: a dropped plugin
/// is live within two looks and the time it takes to compile.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// How many plugins are compiled side by side at start.
const LOAD_SIDE_BY_SIDE: usize = 4;

/// Where a plugin came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The binary itself.
    Bundled,
    /// A file of the plugins folder.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A plugin and where it came from.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) plugin: Plugin,
    /// What its configuration must look like, ready to be checked against.
    pub(crate) schema: Arc<PluginSchema>,
    pub(crate) origin: Origin,
    /// Who stands for the file.
    pub(crate) vouch: Vouch,
}

/// A file that is no plugin, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) file: PathBuf,
    pub(crate) reason: String,
}

/// A plugin that can be used, and its schema.
pub(crate) type Good = (Plugin, Arc<PluginSchema>);

/// All plugins at one moment.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    /// By the name each describes itself with.
    pub(crate) plugins: BTreeMap<String, Entry>,
    /// Files that were not loaded.
    pub(crate) rejected: Vec<Rejected>,
}

impl Shelf {
    /// The plugin called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.plugins.get(name)
    }

    /// The probe that judges targets of `scheme`. A probe of the folder comes
    /// before a bundled one; then the first by name.
    pub(crate) fn by_scheme(&self, scheme: &str) -> Option<&Entry> {
        let judges = |entry: &&Entry| match entry.plugin.kind() {
            Kind::Probe { schemes } => schemes.iter().any(|each| each == scheme),
            Kind::Notifier => false,
        };
        let of = |origin: fn(&Origin) -> bool| {
            self.plugins
                .values()
                .filter(judges)
                .find(move |entry| origin(&entry.origin))
        };
        of(|origin| *origin != Origin::Bundled).or_else(|| of(|origin| *origin == Origin::Bundled))
    }
}

/// What is known of one file of the folder.
struct File {
    stamp: Stamp,
    /// The stamp was seen on two looks, so the file is whole.
    settled: bool,
    /// The last good plugin that came out of it, and who stands for that.
    plugin: Option<(Good, Vouch)>,
    /// Why its newest content is not in use.
    problem: Option<String>,
}

/// Keeps the shelf.
pub(crate) struct Plugins {
    sandbox: Sandbox,
    folder: PathBuf,
    settings: watch::Receiver<Arc<Settings>>,
    /// What `trust` was made of.
    trusting: (Arc<Settings>, Option<Look>),
    trust: Trust,
    bundled: Vec<Good>,
    files: BTreeMap<PathBuf, File>,
    folder_problem: Option<String>,
    shelf: watch::Sender<Arc<Shelf>>,
}

impl Plugins {
    /// Loads the bundled plugins and those of the folder that `settings` name,
    /// which need not exist yet. What `settings` say later of locks and keys holds
    /// from the next look on; the folder stays.
    pub(crate) async fn open(sandbox: Sandbox, settings: watch::Receiver<Arc<Settings>>) -> Self {
        let now = Arc::clone(&settings.borrow());
        let (lock, trust) = read_trust(&now).await;
        let bundled = stream::iter(bundled::plugins())
            .map(|(name, unpacked)| load_bundled(sandbox.clone(), name, unpacked))
            .buffered(LOAD_SIDE_BY_SIDE)
            .filter_map(|plugin| async { plugin })
            .collect()
            .await;
        let mut plugins = Self {
            sandbox,
            folder: now.folder.clone(),
            settings,
            trusting: (now, lock),
            trust,
            bundled,
            files: BTreeMap::new(),
            folder_problem: None,
            shelf: watch::Sender::new(Arc::default()),
        };
        plugins.look(Settle::Trust).await;
        plugins.publish();
        plugins
    }

    /// The shelf now and whenever it changes.
    pub(crate) fn shelf(&self) -> watch::Receiver<Arc<Shelf>> {
        self.shelf.subscribe()
    }

    /// Looks at the folder until dropped.
    pub(crate) async fn watch(mut self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if self.look(Settle::Twice).await {
                self.publish();
            }
        }
    }

    /// Looks once. True if anything changed.
    async fn look(&mut self, settle: Settle) -> bool {
        self.look_at_trust().await;
        let folder = self.folder.clone();
        let seen = match tokio::task::spawn_blocking(move || list(&folder)).await {
            Ok(Ok(seen)) => {
                self.folder_problem = None;
                seen
            }
            Ok(Err(problem)) => {
                let news = self.folder_problem.as_ref() != Some(&problem);
                if news {
                    warn!(folder = %self.folder.display(), %problem, "plugins folder not usable");
                }
                self.folder_problem = Some(problem);
                return news;
            }
            Err(_) => return false,
        };
        let before = self.files.len();
        self.files.retain(|path, file| {
            let kept = seen.contains_key(path);
            if !kept && let Some(((plugin, _), _)) = &file.plugin {
                info!(plugin = %plugin.description().name, file = %path.display(), "plugin removed");
            }
            kept
        });
        let mut changed = self.files.len() != before;
        for (path, found) in seen {
            changed |= self.consider(path, found, settle).await;
        }
        changed
    }

    /// Judges every file anew if what is demanded of them has changed.
    async fn look_at_trust(&mut self) {
        let settings = Arc::clone(&self.settings.borrow());
        let lock = settings.lock.clone();
        let seen = tokio::task::spawn_blocking(move || stamp_of(&lock)).await;
        let same = same_trust(&settings, &self.trusting.0);
        if same && seen.is_ok_and(|seen| seen == self.trusting.1) {
            return;
        }
        let (lock, trust) = read_trust(&settings).await;
        self.trusting = (settings, lock);
        self.trust = trust;
        for file in self.files.values_mut() {
            file.settled = false;
        }
    }

    /// Takes in what one file looks like now. True if that changes the shelf.
    async fn consider(
        &mut self,
        path: PathBuf,
        found: Result<Stamp, String>,
        settle: Settle,
    ) -> bool {
        let stamp = found.clone().unwrap_or(Stamp {
            bytes: 0,
            ..Stamp::NONE
        });
        let known = self.files.entry(path.clone()).or_insert_with(|| File {
            stamp: Stamp::NONE,
            settled: false,
            plugin: None,
            problem: None,
        });
        if known.stamp != stamp {
            known.stamp = stamp;
            known.settled = false;
            if settle == Settle::Twice && found.is_ok() {
                return false;
            }
        }
        if known.settled {
            return false;
        }
        known.settled = true;
        let loaded = match found {
            Ok(_) => load_file(&self.sandbox, &self.trust, &path).await,
            Err(problem) => Err(problem),
        };
        let known = self.files.get_mut(&path).expect("was inserted above");
        match loaded {
            Ok((good, vouch)) => {
                let news = known
                    .plugin
                    .as_ref()
                    .is_none_or(|((before, _), _)| before.sha256_hex() != good.0.sha256_hex());
                if news {
                    tell_of(&good.0, &path, &vouch, &self.trusting.0);
                }
                known.plugin = Some((good, vouch));
                known.problem = None;
            }
            Err(reason) => {
                let name = file_name(&path);
                if let Some(((plugin, _), vouch)) = &known.plugin
                    && !self.trust.keeps(&name, &plugin.sha256_hex(), vouch)
                {
                    known.plugin = None;
                }
                let kept = if known.plugin.is_some() {
                    "the version before stays in use"
                } else {
                    "not loaded"
                };
                warn!(file = %path.display(), %reason, "plugin {kept}");
                known.problem = Some(reason);
            }
        }
        true
    }

    fn publish(&self) {
        let mut shelf = Shelf::default();
        for (plugin, schema) in &self.bundled {
            let (plugin, schema) = (plugin.clone(), Arc::clone(schema));
            let entry = Entry {
                plugin,
                schema,
                origin: Origin::Bundled,
                vouch: Vouch::default(),
            };
            shelf
                .plugins
                .insert(entry.plugin.description().name.to_string(), entry);
        }
        for (path, file) in &self.files {
            let reject = |reason: String| Rejected {
                file: path.clone(),
                reason,
            };
            shelf.rejected.extend(file.problem.clone().map(reject));
            let Some(((plugin, schema), vouch)) = &file.plugin else {
                continue;
            };
            let name = plugin.description().name.to_string();
            if let Some(Entry {
                origin: Origin::File(other),
                ..
            }) = shelf.plugins.get(&name)
            {
                let other = other.display();
                shelf.rejected.push(reject(format!(
                    "another file, {other}, is called `{name}` too: remove one"
                )));
                continue;
            }
            let (plugin, schema) = (plugin.clone(), Arc::clone(schema));
            let entry = Entry {
                plugin,
                schema,
                origin: Origin::File(path.clone()),
                vouch: vouch.clone(),
            };
            shelf.plugins.insert(name, entry);
        }
        if let Some(problem) = &self.folder_problem {
            shelf.rejected.push(Rejected {
                file: self.folder.clone(),
                reason: problem.clone(),
            });
        }
        self.shelf.send_replace(Arc::new(shelf));
    }
}

/// Whether a file is loaded on first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settle {
    /// At start: what is there is whole.
    Trust,
    /// Later: it may still be written to.
    Twice,
}

async fn load_bundled(
    sandbox: Sandbox,
    name: &'static str,
    unpacked: anyhow::Result<Vec<u8>>,
) -> Option<Good> {
    let loaded = match unpacked {
        Ok(bytes) => load(&sandbox, bytes).await,
        Err(error) => Err(format!("cannot be unpacked: {error}")),
    };
    loaded
        .inspect_err(|reason| tracing::error!(plugin = name, %reason, "bundled plugin not loaded"))
        .ok()
}

/// Reads a component file once, judges what was read, and loads that.
async fn load_file(sandbox: &Sandbox, trust: &Trust, path: &Path) -> Result<(Good, Vouch), String> {
    let read = {
        let (path, trust) = (path.to_owned(), trust.clone());
        tokio::task::spawn_blocking(move || {
            let bytes = read_component(&path)?;
            let signature = read_signature(&path)?;
            let vouch = trust.judge(&file_name(&path), &bytes, signature.as_deref())?;
            Ok::<_, String>((bytes, vouch))
        })
    };
    let (bytes, vouch) = match read.await {
        Ok(judged) => judged?,
        Err(_) => return Err("cannot be read: the host stops".to_owned()),
    };
    Ok((load(sandbox, bytes).await?, vouch))
}

/// Says at load what a plugin asks for and gets.
fn tell_of(plugin: &Plugin, path: &Path, vouch: &Vouch, settings: &Settings) {
    let description = plugin.description();
    let asking = Asking::of(description, &Origin::File(path.to_owned()), settings);
    info!(
        plugin = %description.name, version = %description.version,
        file = %path.display(), sha256 = plugin.sha256_hex(),
        signer = vouch.signer.as_ref().map(tracing::field::display),
        asked = asking.asked(), granted = asking.granted(), denied = asking.denied(),
        "plugin loaded"
    );
    if let Some(remedy) = asking.remedy() {
        let remedy = remedy.replace('\n', " ");
        warn!(plugin = %description.name, denied = asking.denied(), %remedy, "plugin asks for hosts that are not granted");
    }
}

/// What is demanded of component files, and the stamp of the lock that it was
/// read from.
async fn read_trust(settings: &Arc<Settings>) -> (Option<Look>, Trust) {
    let settings = Arc::clone(settings);
    let read = tokio::task::spawn_blocking(move || {
        // The stamp first: a lock that is changed in between is read again.
        (stamp_of(&settings.lock), Trust::read(&settings))
    });
    read.await.expect("reading a small file does not panic")
}

/// Whether both demand the same of component files and grant them the same.
fn same_trust(one: &Settings, other: &Settings) -> bool {
    one.locked == other.locked && one.trusted_keys == other.trusted_keys && one.lock == other.lock
}

/// Loads a component and its schema, or says in a line why it is no plugin.
pub(crate) async fn load(sandbox: &Sandbox, bytes: Vec<u8>) -> Result<Good, String> {
    let plugin = sandbox
        .load(bytes)
        .await
        .map_err(|error| error.to_string())?;
    let schema = PluginSchema::new(&plugin.description().schema)
        .map_err(|problem| format!("its configuration cannot be checked: {problem}"))?;
    Ok((plugin, Arc::new(schema)))
}
