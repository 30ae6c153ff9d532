//! `watchkeeper plugin remove`, `lock` and `verify`: the plugins folder and the
//! lock as they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use watchkeeper_config::Config;
use watchkeeper_config::monitor::ProbeChoice;

use super::accept::{confirm, entry, show};
use super::install::{Folder, remove_if_there};
use crate::bundled;
use crate::cli::check::printable;
use crate::cli::{Exit, complain, print, start};
use crate::plugins::{self, file_name, read_component, read_signature};
use crate::source::LOCAL;
use crate::trust::lock::Lock;
use crate::trust::{sha256_hex, signature, signature_path};

pub(super) async fn remove(config: &Config, wanted: &str) -> anyhow::Result<Exit> {
    let folder = Folder::open(config)?;
    let mut lock = Lock::read_or_empty(&config.plugins.lock)?;
    let Some((name, file)) = find(config, &folder, &lock, wanted).await? else {
        let why = if bundled::names().any(|name| name == wanted) {
            "it is part of this program, which has nothing to remove"
        } else {
            "there is no plugin of that name in the plugins folder, and no such file"
        };
        complain(&format!("{wanted}: {why}"));
        return Ok(Exit::Usage);
    };
    let path = folder.path.join(&file);
    remove_if_there(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    let beside = signature_path(&path);
    remove_if_there(&beside).with_context(|| format!("cannot remove {}", beside.display()))?;
    if lock.of_file(&file).is_some() {
        lock.remove_file(&file);
        lock.write(&config.plugins.lock)?;
    }
    print(&format!("removed {}", path.display()))?;
    if bundled::names().all(|bundled| bundled != name) {
        for user in users(config, &name) {
            print(&format!("{user} uses it, and cannot run without it"))?;
        }
    }
    Ok(Exit::Fine)
}

pub(super) async fn lock(config: &Config, yes: bool) -> anyhow::Result<Exit> {
    let folder = Folder::open(config)?;
    let lock = Lock::read_or_empty(&config.plugins.lock)?;
    let sandbox = start::sandbox(config)?;
    let mut accepted = Lock::default();
    let mut replaced = false;
    let mut exit = Exit::Fine;
    for path in components(&folder.path)? {
        let file = file_name(&path);
        let bytes = match read_component(&path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                complain(&format!("{file}: {problem}"));
                exit = Exit::Config;
                continue;
            }
        };
        let old = lock.of_file(&file);
        if let Some(old) = old
            && old.sha256 == sha256_hex(&bytes)
        {
            print(&format!("{file}: {} {}, as before", old.name, old.version))?;
            accepted.put(old.clone());
            continue;
        }
        let keys = &config.plugins.trusted_keys;
        let signer = if keys.is_empty() {
            Ok(None)
        } else {
            read_signature(&path)
                .and_then(|text| signature::demand(keys, &file, &bytes, text.as_deref()))
                .map(Some)
        };
        let loaded = match signer {
            Ok(signer) => plugins::load(&sandbox, bytes)
                .await
                .map(|good| (good.0, signer)),
            Err(problem) => Err(problem),
        };
        match loaded {
            Ok((plugin, signer)) => {
                let new = entry(&plugin, &file, LOCAL, signer.as_ref());
                show(&new, old)?;
                replaced |= old.is_some();
                accepted.put(new);
            }
            Err(problem) => {
                complain(&format!("{file} is left out: it {}", printable(&problem)));
                exit = Exit::Config;
            }
        }
    }
    for gone in lock.entries() {
        if !folder.path.join(&gone.file).exists() {
            print(&format!(
                "{}: {} is not there any more",
                gone.file, gone.name
            ))?;
        }
    }
    if replaced {
        match confirm("Accept what changed?", yes)? {
            Some(true) => {}
            Some(false) => {
                print("nothing was changed")?;
                return Ok(Exit::Fine);
            }
            None => return Ok(Exit::Usage),
        }
    }
    accepted.write(&config.plugins.lock)?;
    print(&format!(
        "{}: {} plugins",
        config.plugins.lock.display(),
        accepted.entries().len()
    ))?;
    if !config.plugins.locked {
        print("write `locked = true` under [plugins] for nothing else to be loaded")?;
    }
    Ok(exit)
}

pub(super) fn verify(config: &Config) -> anyhow::Result<Exit> {
    let folder = &config.plugins.folder;
    let lock = Lock::read(&config.plugins.lock)
        .map_err(|problem| anyhow::anyhow!("{} {problem}", config.plugins.lock.display()))?;
    let mut faults = 0_u32;
    for path in components(folder)? {
        let file = file_name(&path);
        let bytes = match read_component(&path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                complain(&format!("{file}: {problem}"));
                faults += 1;
                continue;
            }
        };
        let found = sha256_hex(&bytes);
        let keys = &config.plugins.trusted_keys;
        let said = match lock.of_file(&file) {
            None => Err(format!("is not in the lock (found sha256:{found})")),
            Some(entry) if entry.sha256 != found => Err(format!(
                "expected sha256:{}, found sha256:{found}",
                entry.sha256
            )),
            Some(entry) if keys.is_empty() => Ok(format!("{} {}", entry.name, entry.version)),
            Some(entry) => read_signature(&path)
                .and_then(|text| signature::demand(keys, &file, &bytes, text.as_deref()))
                .map(|key| format!("{} {}, signed by {key}", entry.name, entry.version)),
        };
        match said {
            Ok(words) => print(&format!("{file}: {words}"))?,
            Err(problem) => {
                faults += 1;
                complain(&format!("{file}: {problem}"));
            }
        }
    }
    for entry in lock.entries() {
        if !folder.join(&entry.file).exists() {
            faults += 1;
            complain(&format!(
                "{}: is in the lock and not in the folder",
                entry.file
            ));
        }
    }
    if faults == 0 {
        return Ok(Exit::Fine);
    }
    Ok(Exit::Config)
}

/// The name and the file of what is to be removed: by the lock, by the file's
/// name, or by what the files of the folder say of themselves.
async fn find(
    config: &Config,
    folder: &Folder,
    lock: &Lock,
    wanted: &str,
) -> anyhow::Result<Option<(String, String)>> {
    if let Some(entry) = lock.of_plugin(wanted).or_else(|| lock.of_file(wanted)) {
        return Ok(Some((entry.name.clone(), entry.file.clone())));
    }
    let named = |path: &PathBuf| {
        let file = file_name(path);
        file == wanted || file.strip_suffix(".wasm") == Some(wanted)
    };
    if let Some(path) = components(&folder.path)?.iter().find(|path| named(path)) {
        return Ok(Some((
            wanted.trim_end_matches(".wasm").to_owned(),
            file_name(path),
        )));
    }
    let plugins = start::plugins(config, start::Which::Used).await?;
    let shelf = plugins.shelf();
    let shelf = shelf.borrow();
    Ok(shelf.get(wanted).and_then(|entry| match &entry.origin {
        plugins::Origin::File(path) => Some((wanted.to_owned(), file_name(path))),
        plugins::Origin::Bundled => None,
    }))
}

/// Monitors and channels that name the plugin.
fn users(config: &Config, name: &str) -> Vec<String> {
    let monitors = config.monitors().filter(
        |monitor| matches!(&monitor.probe, ProbeChoice::Named(probe) if probe.as_str() == name),
    );
    let monitors = monitors.map(|monitor| format!("monitor {}", monitor.id));
    let channels = config.channels.iter();
    let channels = channels.filter(|channel| channel.notifier.as_str() == name);
    monitors
        .chain(channels.map(|channel| format!("channel {}", channel.id)))
        .collect()
}

/// The component files of a folder, in the order of their names. A folder that is
/// missing has none.
fn components(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => {
            return Err(problem).with_context(|| format!("cannot read {}", folder.display()));
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "wasm") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
