//! The plugins that can be used now: the bundled ones and those of the folder,
//! which is looked at again and again.
//!
//! A start loads the folder and what the configuration uses. The other bundled
//! plugins follow while the host is at work already.
//!
//! A new or changed file is compiled, checked and described beside the old one.
//! When it is good, the next check uses it and runs in flight finish on the old
//! one; when it is bad, the old one goes on and the shelf says why.

mod bundle;
mod demand;
mod files;
mod loading;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tracing::{info, warn};
use watchkeeper_config::config::Plugins as Settings;
use watchkeeper_config::plugin_config::PluginSchema;
use watchkeeper_sandbox::{Kind, LoadError, Plugin, Sandbox};

use self::bundle::{Bundle, Tried};
pub(crate) use self::demand::Demand;
use self::files::{Look, Stamp, list, stamp_of};
pub(crate) use self::files::{file_name, read_component, read_signature, refuse_world_writable};
pub(crate) use self::loading::Loading;
use crate::asking::Asking;
use crate::bundled;
use crate::trust::{Trust, Vouch};

/// How often the folder is looked at. A file is loaded once it looked the same
/// twice, so that one that is still being copied is left alone: a dropped plugin
/// is live within two looks and the time it takes to compile.
const LOOK_EVERY: Duration = Duration::from_millis(400);

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

impl Entry {
    fn is(&self, other: &Self) -> bool {
        self.origin == other.origin
            && self.vouch == other.vouch
            && self.plugin.sha256_hex() == other.plugin.sha256_hex()
    }
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
    /// The names of bundled plugins that are still to be loaded.
    pub(crate) coming: BTreeSet<&'static str>,
}

impl Shelf {
    /// Whether a bundled plugin that is still to be loaded judges targets of
    /// `scheme`.
    pub(crate) fn is_coming_for(&self, scheme: &str) -> bool {
        bundled::by_scheme(scheme).any(|name| self.coming.contains(name))
    }

    /// Whether this one has nothing else than `before` for a configuration that
    /// uses the bundled plugins `used`.
    pub(crate) fn is_as_good_as(&self, before: &Self, used: &BTreeSet<&'static str>) -> bool {
        let same = |(name, entry): (&String, &Entry)| match before.get(name) {
            Some(known) => known.is(entry),
            None => entry.origin == Origin::Bundled && !used.contains(name.as_str()),
        };
        let coming = |shelf: &Self| shelf.coming.intersection(used).count();
        self.rejected == before.rejected
            && coming(self) == coming(before)
            && self.plugins.iter().all(same)
            && before
                .plugins
                .keys()
                .all(|name| self.plugins.contains_key(name))
    }

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
    demand: watch::Receiver<Arc<Demand>>,
    /// What `trust` was made of.
    trusting: (Arc<Settings>, Option<Look>),
    trust: Trust,
    bundle: Bundle,
    files: BTreeMap<PathBuf, File>,
    folder_problem: Option<String>,
    loading: watch::Sender<Loading>,
    shelf: watch::Sender<Arc<Shelf>>,
}

impl Plugins {
    /// An empty shelf. The folder that `demand` names need not exist yet; what is
    /// demanded later holds from the next look on, but the folder stays.
    pub(crate) async fn open(sandbox: Sandbox, demand: watch::Receiver<Arc<Demand>>) -> Self {
        let now = Arc::clone(&demand.borrow());
        let (lock, trust) = read_trust(&now.settings).await;
        let bundle = Bundle::new(sandbox.clone());
        let mut loading = Loading {
            rest: bundle.waiting.clone(),
            ..Loading::default()
        };
        loading.wait_for(now.used.iter().copied());
        Self {
            sandbox,
            folder: now.settings.folder.clone(),
            demand,
            trusting: (Arc::clone(&now.settings), lock),
            trust,
            bundle,
            files: BTreeMap::new(),
            folder_problem: None,
            loading: watch::Sender::new(loading),
            shelf: watch::Sender::new(Arc::default()),
        }
    }

    /// What is still to be loaded, now and whenever that changes.
    pub(crate) fn loading(&self) -> watch::Receiver<Loading> {
        self.loading.subscribe()
    }

    /// Loads the folder and the bundled plugins that are used.
    pub(crate) async fn load_used(&mut self) {
        self.look(Settle::Trust).await;
        self.load_demanded().await;
        self.publish();
    }

    /// Loads all that there are.
    pub(crate) async fn load_all(&mut self) {
        let names = self.bundle.waiting.clone();
        self.loading
            .send_modify(|loading| loading.wait_for(names.iter().copied()));
        self.look(Settle::Trust).await;
        self.load_bundled(names).await;
        self.publish();
    }

    /// The shelf now and whenever it changes.
    pub(crate) fn shelf(&self) -> watch::Receiver<Arc<Shelf>> {
        self.shelf.subscribe()
    }

    /// Looks at the folder until dropped, and loads what is still to be loaded.
    pub(crate) async fn watch(mut self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // One at a time: they take turns at the compiler anyway.
        let mut next = FuturesUnordered::new();
        loop {
            if next.is_empty() {
                next.extend(self.bundle.load_next());
            }
            tokio::select! {
                _ = looks.tick() => {
                    if self.look(Settle::Twice).await {
                        self.publish();
                    }
                }
                Ok(()) = self.demand.changed() => {
                    if self.load_demanded().await {
                        self.publish();
                    }
                }
                Some(tried) = next.next() => self.take(tried),
            }
        }
    }

    /// Loads the bundled plugins that are used now. True if there were any.
    async fn load_demanded(&mut self) -> bool {
        let demand = Arc::clone(&self.demand.borrow_and_update());
        let names: BTreeSet<_> = demand
            .used
            .intersection(&self.bundle.waiting)
            .copied()
            .collect();
        let any = !names.is_empty();
        self.loading
            .send_modify(|loading| loading.wait_for(names.iter().copied()));
        self.load_bundled(names).await;
        any
    }

    async fn load_bundled(&mut self, names: BTreeSet<&'static str>) {
        let loading = &self.loading;
        self.bundle
            .load(names, |name| {
                loading.send_modify(|loading| loading.done(name));
            })
            .await;
    }

    /// Takes in a bundled plugin that nobody waited for. The shelf shows them when
    /// all are there: each new shelf is work for whoever has many monitors.
    fn take(&mut self, tried: Tried) {
        self.loading.send_modify(|loading| loading.done(tried.0));
        if self.bundle.take(tried) && self.bundle.waiting.is_empty() {
            info!("the bundled plugins that nothing uses are loaded too");
            self.publish();
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
        if settle == Settle::Trust {
            let names = seen.keys().map(|path| file_name(path));
            self.loading
                .send_modify(|loading| loading.awaited.extend(names));
        }
        for (path, found) in seen {
            let name = file_name(&path);
            changed |= self.consider(path, found, settle).await;
            if settle == Settle::Trust {
                self.loading.send_modify(|loading| loading.done(&name));
            }
        }
        changed
    }

    /// Judges every file anew if what is demanded of them has changed.
    async fn look_at_trust(&mut self) {
        let settings = Arc::clone(&self.demand.borrow().settings);
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
        let mut shelf = Shelf {
            coming: self.bundle.waiting.clone(),
            ..Shelf::default()
        };
        for (plugin, schema) in self.bundle.loaded.values() {
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
    good(sandbox.load(bytes).await)
}

/// A plugin with its schema.
fn good(loaded: Result<Plugin, LoadError>) -> Result<Good, String> {
    let plugin = loaded.map_err(|error| error.to_string())?;
    let schema = PluginSchema::new(&plugin.description().schema)
        .map_err(|problem| format!("its configuration cannot be checked: {problem}"))?;
    Ok((plugin, Arc::new(schema)))
}

#[cfg(test)]
mod tests {
    use watchkeeper_config::limits::LimitOverrides;
    use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
    use watchkeeper_egress::tls::Tls;

    use super::*;

    /// Long: what is waited for so long does not come.
    const ENOUGH: Duration = Duration::from_mins(2);

    #[tokio::test]
    async fn what_is_used_comes_before_all_others() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            folder: folder.path().join("plugins"),
            lock: folder.path().join("plugins.lock"),
            locked: false,
            trusted_keys: Vec::new(),
            limits: LimitOverrides::default(),
            named: BTreeMap::new(),
        };
        let demand = |used| {
            Arc::new(Demand {
                settings: Arc::new(settings.clone()),
                used: BTreeSet::from([used]),
            })
        };
        let resolver = Resolver::new(ResolverOptions::default()).unwrap();
        let tls = Tls::new(Vec::new()).unwrap();
        let sandbox = Sandbox::new(watchkeeper_sandbox::Settings::new(resolver, tls)).unwrap();
        let (demanding, demanded) = watch::channel(demand("webhook"));
        let mut plugins = Plugins::open(sandbox, demanded).await;
        let loading = plugins.loading();
        assert_eq!(loading.borrow().to_string(), "webhook");
        plugins.load_used().await;
        let mut shelf = plugins.shelf();
        let first = Arc::clone(&shelf.borrow_and_update());
        let names: Vec<&String> = first.plugins.keys().collect();
        assert_eq!(names, ["webhook"]);
        assert!(first.coming.contains("zulip") && first.is_coming_for("tcp"));
        assert!(!first.is_coming_for("gopher"));
        assert_eq!(loading.borrow().count(), first.coming.len());
        // What comes to be used later does not wait for its turn.
        let watching = tokio::spawn(plugins.watch());
        demanding.send_replace(demand("zulip"));
        tokio::time::timeout(ENOUGH, shelf.changed())
            .await
            .unwrap()
            .unwrap();
        let second = Arc::clone(&shelf.borrow_and_update());
        assert!(second.get("zulip").is_some());
        assert!(second.coming.contains("websocket"));
        assert!(!second.is_as_good_as(&first, &demand("zulip").used));
        assert!(second.is_as_good_as(&first, &demand("webhook").used));
        watching.abort();
    }
}
