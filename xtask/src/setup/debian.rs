//! The target's libraries from Debian: `rust-src` of exactly this rustc, compiled
//! against `wasi-libc`.
//!
//! apt works on lists of its own in the work folder. The system's sources, lists
//! and packages stay as they are, and no privilege is needed but that of writing
//! into rustc's folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Rust;
use crate::project::WASM_TARGET;
use crate::run::{capture, have, plain, say};

/// Where packages come from if apt's configuration names no mirror of Debian.
const MIRROR: &str = "http://deb.debian.org/debian";

/// What signs Debian's lists.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The suites that carry recent versions of Rust. Both are Debian's, so what they hold can be
/// unpacked on any release.
const SUITES: [&str; 2] = ["trixie-backports", "sid"];

/// Programs that all of this needs.
const TOOLS: [&str; 4] = ["apt-get", "apt-cache", "dpkg-deb", "cargo"];

/// Brings the libraries into the sysroot of `rust`; what is needed on the way goes into `work`.
pub(super) fn bring(rust: &Rust, work: &Path) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() || !Path::new(KEYRING).exists() {
        bail!("this is no Debian system");
    }
    if let Some(missing) = TOOLS.iter().find(|tool| !have(tool)) {
        bail!("{missing} is not installed");
    }
    let destination = rust.libraries();
    writable(&destination)?;

    let work = work.join("debian");
    fresh(&work)?;
    let apt = Apt::prepare(&work)?;
    let source_version = apt.source_of(&rust.version)?;
    say(&format!("fetching rust-src {source_version} and wasi-libc"));
    let packages = work.join("packages");
    fs::create_dir_all(&packages)?;
    let mut download = apt.command("apt-get");
    download.current_dir(&packages).arg("download");
    capture(
        download
            .arg(format!("rust-src={source_version}"))
            .arg("wasi-libc"),
    )?;

    let unpacked = work.join("unpacked");
    for package in files(&packages, "deb")? {
        capture(
            Command::new("dpkg-deb")
                .arg("-x")
                .arg(package)
                .arg(&unpacked),
        )?;
    }
    let c_library = c_library(&unpacked)?;
    let built = compile(&unpacked, &work)?;
    install(&built, &c_library, &destination)?;
    fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))
}

/// apt with sources and lists of its own.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn prepare(work: &Path) -> Result<Self> {
        let apt = Self {
            folder: work.join("apt"),
        };
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(apt.folder.join(folder)).context("cannot create apt's folders")?;
        }
        let mut problem = None;
        for mirror in mirrors() {
            let sources: String = SUITES
                .map(|suite| format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"))
                .concat();
            fs::write(apt.folder.join("sources.list"), sources).context("cannot write sources")?;
            say(&format!("reading the lists of {mirror}"));
            match capture(apt.command("apt-get").arg("update")) {
                Ok(_) => return Ok(apt),
                Err(error) => problem = Some(error),
            }
        }
        Err(problem.unwrap_or_else(|| anyhow::anyhow!("no mirror to try")))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = plain(program);
        let options = [
            format!(
                "Dir::Etc::SourceList={}",
                self.folder.join("sources.list").display()
            ),
            "Dir::Etc::SourceParts=/dev/null".into(),
            format!("Dir::State::Lists={}", self.folder.join("lists").display()),
            format!("Dir::Cache={}", self.folder.join("cache").display()),
            // apt's own user cannot write into a folder of ours.
            "APT::Sandbox::User=root".into(),
            "Acquire::Retries=3".into(),
            "Acquire::http::Timeout=30".into(),
        ];
        for option in options {
            command.args(["-o", &option]);
        }
        command.args(["-q"]).env("LC_ALL", "C");
        command
    }

    /// The version of the package that holds the source of this rustc.
    fn source_of(&self, version: &str) -> Result<String> {
        let table = capture(self.command("apt-cache").args(["madison", "rust-src"]))?;
        let versions: Vec<&str> = madison(&table).collect();
        let wanted = versions
            .iter()
            .find(|candidate| is_source_of(candidate, version));
        match wanted {
            Some(found) => Ok((*found).to_owned()),
            None => bail!(
                "{} carry rust-src {}, and rustc is {version}: they have to be the same",
                SUITES.join(" and "),
                versions.join(", "),
            ),
        }
    }
}

/// The mirror in apt's configuration first: it may be the only one that can be reached.
fn mirrors() -> Vec<String> {
    let mut command = plain("apt-get");
    command.args([
        "indextargets",
        "--format",
        "$(SITE)",
        "Created-By: Packages",
    ]);
    let configured = capture(&mut command).unwrap_or_default();
    let mut mirrors: Vec<String> = mirror_of_debian(&configured).into_iter().collect();
    if !mirrors.iter().any(|mirror| mirror == MIRROR) {
        mirrors.push(MIRROR.into());
    }
    mirrors
}

/// The first site that carries Debian itself: not its security updates, not a stranger's packages.
fn mirror_of_debian(sites: &str) -> Option<String> {
    sites
        .lines()
        .map(|site| site.trim().trim_end_matches('/'))
        .find(|site| site.ends_with("/debian"))
        .map(str::to_owned)
}

/// The middle column of `package | version | where`.
fn madison(table: &str) -> impl Iterator<Item = &str> {
    table
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
}

/// Debian's versions are upstream's with a suffix: `1.95.0+dfsg1-1`.
fn is_source_of(candidate: &str, version: &str) -> bool {
    candidate
        .strip_prefix(version)
        .is_some_and(|rest| rest.starts_with(['+', '-', '~']))
}

/// The folder of the C library. Packages have put it at various places below `/usr`.
fn c_library(unpacked: &Path) -> Result<PathBuf> {
    let mut folders = vec![unpacked.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.ends_with(WASM_TARGET) && folder.join("libc.a").is_file() {
            return Ok(folder);
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let entry = entry?;
            // Links are not followed: they could lead round in a circle.
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    bail!("wasi-libc holds no {WASM_TARGET}/libc.a: this version of it is too old")
}

/// Compiles the standard library; returns the folder with its parts.
fn compile(unpacked: &Path, work: &Path) -> Result<PathBuf> {
    let sources = unpacked.join("usr/src");
    let manifest = fs::read_dir(&sources)
        .with_context(|| format!("{}", sources.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().join("library/sysroot/Cargo.toml")))
        .find(|manifest| manifest.is_file())
        .context("rust-src holds no library/sysroot")?;
    say("compiling the standard library, about a minute");
    let target = work.join("out");
    let mut command = plain("cargo");
    command
        // Outside the project, so that its configuration does not apply.
        .current_dir(work)
        // The standard library uses features that are not stable; nothing else may.
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "RUSTFLAGS",
            "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes",
        )
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .args(["build", "--quiet", "--release", "--target", WASM_TARGET])
        .args(["--features", "panic-unwind,backtrace", "--manifest-path"])
        .arg(manifest);
    capture(&mut command)?;
    Ok(target.join(WASM_TARGET).join("release/deps"))
}

/// Puts everything beside the destination first, so that it is there as a whole or not at all.
fn install(built: &Path, c_library: &Path, destination: &Path) -> Result<()> {
    let partial = destination.with_extension("partial");
    fresh(&partial)?;
    let objects = partial.join("self-contained");
    fs::create_dir_all(&objects)?;
    for object in files(c_library, "o")?
        .into_iter()
        .chain([c_library.join("libc.a")])
    {
        copy(&object, &objects)?;
    }
    let libraries = files(built, "rlib")?;
    if libraries.is_empty() {
        bail!("cargo built no libraries in {}", built.display());
    }
    for library in libraries {
        copy(&library, &partial)?;
    }
    if destination.exists() {
        fs::remove_dir_all(destination)
            .with_context(|| format!("cannot replace {}", destination.display()))?;
    }
    fs::rename(&partial, destination)
        .with_context(|| format!("cannot write {}", destination.display()))
}

/// Said before anything is fetched: who may not write waits for nothing.
fn writable(destination: &Path) -> Result<()> {
    let parent = destination.parent().context("the sysroot is no root")?;
    let trial = parent.join(".writable");
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&trial, ""))
        .and_then(|()| fs::remove_file(&trial))
        .with_context(|| {
            format!(
                "{} is not writable; run `cargo xtask setup` once as a user who may write it",
                parent.display()
            )
        })
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(files)
}

fn copy(file: &Path, folder: &Path) -> Result<()> {
    let place = folder.join(file.file_name().context("a file has a name")?);
    fs::copy(file, &place).with_context(|| format!("cannot write {}", place.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_exactly_the_version_of_rustc() {
        let table = "  rust-src | 1.96.1+dfsg1-1 | http://deb.debian.org/debian sid/main amd64 Packages\n\
                     \x20 rust-src | 1.95.0+dfsg2-1~bpo13+1 | http://deb.debian.org/debian trixie-backports/main\n";
        let versions: Vec<&str> = madison(table).collect();
        assert_eq!(versions, ["1.96.1+dfsg1-1", "1.95.0+dfsg2-1~bpo13+1"]);
        assert!(is_source_of(versions[1], "1.95.0"));
        assert!(!is_source_of(versions[0], "1.95.0"));
        assert!(!is_source_of("1.95.01-1", "1.95.0"));
    }

    #[test]
    fn takes_the_mirror_of_debian_alone() {
        let sites = "http://security.debian.org/debian-security\nhttps://deb.nodesource.com/node_20.x\n\
                     http://mirror.example.com/debian/\n";
        assert_eq!(
            mirror_of_debian(sites).unwrap(),
            "http://mirror.example.com/debian"
        );
        assert_eq!(mirror_of_debian("https://packages.example.com/apt\n"), None);
    }
}
