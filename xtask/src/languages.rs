//! The tools with which the tests build plugins in other languages than Rust, and the
//! programs in Python that read what the page says and test the API: exact versions, after
//! the lock files beside those who use them, below `target/languages`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::{have, plain, run, say};

/// The name of the file that says which lock was installed.
const INSTALLED: &str = "installed.lock";

/// Installs what is missing. Where it cannot be had, the tests that need it say so.
pub(crate) fn bring(project: &Project) {
    for (label, bring) in [
        ("plugins in JavaScript", npm as fn(&Project) -> Result<()>),
        ("plugins in Python", |project| example(project, "python")),
        ("plugins in C", |project| example(project, "c")),
        ("testing the API", |project| {
            let lock = project.root.join("testing/schemathesis/requirements.txt");
            pip(project, "schemathesis", &lock)
        }),
        ("reading feeds and reports", |project| {
            let lock = project.root.join("host/web/tests/clients.txt");
            pip(project, "clients", &lock)
        }),
    ] {
        if let Err(error) = bring(project) {
            say(&format!("no tools for {label}: {error:#}"));
        }
    }
}

fn npm(project: &Project) -> Result<()> {
    let examples = project.root.join("examples/plugins/js");
    let folder = folder(project, "js")?;
    let lock = examples.join("package-lock.json");
    if is_installed(&folder, &lock) {
        return Ok(());
    }
    if !have("npm") {
        bail!("npm is not installed");
    }
    for file in ["package.json", "package-lock.json"] {
        let from = examples.join(file);
        fs::copy(&from, folder.join(file))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    // Not `npm ci`: a lock knows only the platforms whose packages the registry that
    // it was made with has, and `npm ci` takes the others for a mistake.
    run(plain("npm").current_dir(&folder).args([
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
    ]))?;
    remember(&folder, &lock)
}

fn example(project: &Project, language: &str) -> Result<()> {
    let examples = project.root.join("examples/plugins").join(language);
    pip(project, language, &examples.join("requirements.txt"))
}

/// Into an environment of its own: neither the system's Python nor the user's is changed.
fn pip(project: &Project, name: &str, lock: &Path) -> Result<()> {
    let folder = folder(project, name)?;
    if is_installed(&folder, lock) {
        return Ok(());
    }
    if !have("python3") {
        bail!("python3 is not installed");
    }
    run(plain("python3").args(["-m", "venv"]).arg(&folder))?;
    run(plain(folder.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "--requirement"])
        .arg(lock))?;
    remember(&folder, lock)
}

fn folder(project: &Project, name: &str) -> Result<PathBuf> {
    let folder = project.root.join("target/languages").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

fn is_installed(folder: &Path, lock: &Path) -> bool {
    match (fs::read(folder.join(INSTALLED)), fs::read(lock)) {
        (Ok(installed), Ok(wanted)) => installed == wanted,
        _ => false,
    }
}

/// Last of all, so that what was broken off is begun again.
fn remember(folder: &Path, lock: &Path) -> Result<()> {
    let place = folder.join(INSTALLED);
    fs::copy(lock, &place).with_context(|| format!("cannot write {}", place.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_lock_is_installed_anew() {
        let folder = std::env::temp_dir().join(format!("xtask-languages-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let lock = folder.join("requirements.txt");
        fs::write(&lock, "a==1").unwrap();
        assert!(!is_installed(&folder, &lock));
        remember(&folder, &lock).unwrap();
        assert!(is_installed(&folder, &lock));
        fs::write(&lock, "a==2").unwrap();
        assert!(!is_installed(&folder, &lock));
        fs::remove_dir_all(folder).unwrap();
    }
}
