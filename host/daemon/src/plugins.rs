//! The plugins that can be used now: the bundled ones and those of the folder,
//! which is looked at again and again.
//!
//! A new or changed file is compiled, checked and described beside the old one.
//! When it is good, the next check uses it and runs in flight finish on the old
//! one; when it is bad, the old one goes on and the shelf says why.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::StreamExt as _;
use futures::stream;
use tokio::sync::watch;
use tracing::{info, warn};
use watchkeeper_config::plugin_config::PluginSchema;
use watchkeeper_sandbox::{Kind, Plugin, Sandbox};

use crate::bundled;

/// How often the folder is looked at. A file is loaded once it looked the same
/// twice, so that one that is still being copied is left alone: a dropped plugin
/// is live within two looks and the time it takes to compile.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The largest file that is read at all.
const MAX_FILE_BYTES: u64 = 64 << 20;

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
    /// The last good plugin that came out of it.
    plugin: Option<Good>,
    /// Why its newest content is not in use.
    problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Keeps the shelf.
pub(crate) struct Plugins {
    sandbox: Sandbox,
    folder: PathBuf,
    bundled: Vec<Good>,
    files: BTreeMap<PathBuf, File>,
    folder_problem: Option<String>,
    shelf: watch::Sender<Arc<Shelf>>,
}

impl Plugins {
    /// Loads the bundled plugins and those of `folder`, which need not exist yet.
    pub(crate) async fn open(sandbox: Sandbox, folder: &Path) -> Self {
        let bundled = stream::iter(bundled::plugins())
            .map(|(name, unpacked)| load_bundled(sandbox.clone(), name, unpacked))
            .buffered(LOAD_SIDE_BY_SIDE)
            .filter_map(|plugin| async { plugin })
            .collect()
            .await;
        let mut plugins = Self {
            sandbox,
            folder: folder.to_owned(),
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
            if !kept && let Some((plugin, _)) = &file.plugin {
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

    /// Takes in what one file looks like now. True if that changes the shelf.
    async fn consider(
        &mut self,
        path: PathBuf,
        found: Result<Stamp, String>,
        settle: Settle,
    ) -> bool {
        let stamp = found.clone().unwrap_or(Stamp {
            bytes: 0,
            modified: None,
        });
        let known = self.files.entry(path.clone()).or_insert_with(|| File {
            stamp: Stamp {
                bytes: u64::MAX,
                modified: None,
            },
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
            Ok(_) => load_file(&self.sandbox, &path).await,
            Err(problem) => Err(problem),
        };
        let known = self.files.get_mut(&path).expect("was inserted above");
        match loaded {
            Ok((plugin, schema)) => {
                let description = plugin.description();
                info!(
                    plugin = %description.name, version = %description.version,
                    file = %path.display(), sha256 = plugin.sha256_hex(), "plugin loaded"
                );
                known.plugin = Some((plugin, schema));
                known.problem = None;
            }
            Err(reason) => {
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
            let Some((plugin, schema)) = &file.plugin else {
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

async fn load_file(sandbox: &Sandbox, path: &Path) -> Result<Good, String> {
    let bytes = tokio::fs::read(path)
        .await
        .map_err(|error| format!("cannot be read: {error}"))?;
    load(sandbox, bytes).await
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

/// The `.wasm` files of `folder` in name order: their stamps, or why one is not
/// even opened. A folder that does not exist is empty.
fn list(folder: &Path) -> Result<BTreeMap<PathBuf, Result<Stamp, String>>, String> {
    let said = |error: std::io::Error| error.to_string();
    let home = match folder.canonicalize() {
        Ok(home) => home,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(said(error)),
    };
    refuse_world_writable(&home)?;
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&home).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            let stamp = stamp(&path, &home);
            files.insert(path, stamp);
        }
    }
    Ok(files)
}

/// A folder that everybody can write to lets everybody choose what the host runs.
fn refuse_world_writable(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = folder
        .metadata()
        .map_err(|error| error.to_string())?
        .permissions()
        .mode();
    if mode & 0o002 != 0 {
        return Err(format!(
            "is writable by everybody: run `chmod o-w {}`",
            folder.display()
        ));
    }
    Ok(())
}

fn stamp(path: &Path, home: &Path) -> Result<Stamp, String> {
    let real = path
        .canonicalize()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if !real.starts_with(home) {
        return Err("is a link to outside the plugins folder: copy the file".to_owned());
    }
    let metadata = real
        .metadata()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(format!(
            "has {} bytes, more than the {MAX_FILE_BYTES} allowed",
            metadata.len()
        ));
    }
    Ok(Stamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_regular_files_inside_the_folder_are_opened() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("good.wasm"), b"x").unwrap();
        std::fs::write(at("notes.txt"), b"x").unwrap();
        std::fs::create_dir(at("folder.wasm")).unwrap();
        symlink(outside.path(), at("link.wasm")).unwrap();
        symlink(at("good.wasm"), at("inner.wasm")).unwrap();
        std::fs::File::create(at("sparse.wasm"))
            .unwrap()
            .set_len(10 << 30)
            .unwrap();
        let said: Vec<_> = list(folder.path())
            .unwrap()
            .into_iter()
            .map(|(path, stamp)| (path.file_name().unwrap().to_owned(), stamp.err()))
            .collect();
        let expect = [
            ("folder.wasm", Some("is not a regular file")),
            ("good.wasm", None),
            ("inner.wasm", None),
            (
                "link.wasm",
                Some("is a link to outside the plugins folder: copy the file"),
            ),
            (
                "sparse.wasm",
                Some("has 10737418240 bytes, more than the 67108864 allowed"),
            ),
        ];
        let expect: Vec<_> = expect
            .map(|(name, why)| (name.into(), why.map(str::to_owned)))
            .into();
        assert_eq!(said, expect);
    }

    #[test]
    fn a_folder_that_everybody_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(list(folder.path()).unwrap_err().contains("chmod o-w"));
    }

    #[test]
    fn a_folder_that_does_not_exist_is_empty() {
        assert!(list(Path::new("/nonexistent/plugins")).unwrap().is_empty());
    }
}
