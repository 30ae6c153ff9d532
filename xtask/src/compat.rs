//! `cargo xtask compat`: components of the contract's released version, kept for
//! ever, so that a test can run them on every later host.
//!
//! Run once when a version of the contract is released, and once more only if
//! nobody has a plugin of it yet: what is kept must be what people have.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::plugins;
use crate::project::Project;
use crate::run::{capture, plain, say};

/// The guests that are kept, and the names under which they are.
const KEPT: [(&str, &str); 2] = [("compat-probe", "probe"), ("compat-notifier", "notifier")];

/// What the guests are made of, besides what `Cargo.lock` names.
const SOURCES: [&str; 6] = [
    "Cargo.lock",
    "Cargo.toml",
    "sdk/rust",
    "testing/deeds",
    "testing/guests",
    "wit",
];

/// The largest file that is kept, in bytes: they stay in the history.
const LARGEST: u64 = 256 << 10;

/// Builds the guests and puts them into `testing/compat/vX_Y`.
pub(crate) fn compat(project: &Project) -> Result<()> {
    let commit = commit(project)?;
    plugins::build_guests(project)?;
    let wit = fs::read_to_string(project.root.join("wit/plugin.wit"))
        .context("cannot read wit/plugin.wit")?;
    let version = version_of(&wit)?;
    let folder = project.root.join("testing/compat").join(&version);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let rust = capture(plain("rustc").arg("--version"))?;
    let mut recipe = format!(
        "# Plugins of the contract {}\n\nMade by `cargo xtask compat` from `testing/guests` at commit {}with {}and never changed since: a test compares them with this table and runs them on every host. Their bytes depend on the folder in which they are built too: the names of source files are in them.\n\n| file | guest | bytes | SHA-256 |\n| --- | --- | --- | --- |\n",
        version.trim_start_matches('v').replace('_', "."),
        with_space(&commit),
        with_space(rust.trim()),
    );
    for (guest, name) in KEPT {
        let built = project
            .root
            .join("target/guests")
            .join(format!("{guest}.wasm"));
        let place = folder.join(format!("{name}.wasm"));
        let size =
            fs::copy(&built, &place).with_context(|| format!("cannot copy {}", built.display()))?;
        if size > LARGEST {
            bail!("{} has {size} bytes, more than {LARGEST}", place.display());
        }
        writeln!(
            recipe,
            "| `{name}.wasm` | `testing/guests/{guest}` | {size} | `{}` |",
            sha256(&place)?
        )?;
    }
    fs::write(folder.join("README.md"), recipe).context("cannot write the recipe")?;
    say(&format!(
        "testing/compat/{version}: {} components",
        KEPT.len()
    ));
    Ok(())
}

/// The commit that the guests are made from. With changes that are in none, the
/// recipe would name another state than theirs.
fn commit(project: &Project) -> Result<String> {
    let git = || {
        let mut git = plain("git");
        git.current_dir(&project.root);
        git
    };
    let changed = capture(git().args(["status", "--porcelain", "--"]).args(SOURCES))?;
    if !changed.trim().is_empty() {
        bail!(
            "commit these first, as the recipe names the commit that the components are made from:\n{}",
            changed.trim_end()
        );
    }
    let commit = capture(git().args(["rev-parse", "HEAD"]))?;
    Ok(commit.trim().to_owned())
}

/// By coreutils, without which no Debian is.
fn sha256(file: &Path) -> Result<String> {
    let printed = capture(plain("sha256sum").arg(file))?;
    let sum = printed.split_whitespace().next();
    sum.map(str::to_owned)
        .with_context(|| format!("sha256sum says nothing of {}", file.display()))
}

/// The folder's name: `v0_1` for `package watchkeeper:plugin@0.1.0;`.
fn version_of(wit: &str) -> Result<String> {
    let package = wit
        .lines()
        .find_map(|line| line.strip_prefix("package watchkeeper:plugin@"))
        .context("wit/plugin.wit names no package")?;
    let mut numbers = package.trim_end_matches(';').split('.');
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => Ok(format!("v{major}_{minor}")),
        _ => bail!("the package's version is {package}"),
    }
}

fn with_space(words: &str) -> String {
    format!("{words} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_named_after_the_version() {
        let of = |text: &str| version_of(text).unwrap();
        assert_eq!(of("/// x\npackage watchkeeper:plugin@0.1.0;\n"), "v0_1");
        assert_eq!(of("package watchkeeper:plugin@2.13.1;"), "v2_13");
        assert!(version_of("package other:thing@1.0.0;").is_err());
    }
}
