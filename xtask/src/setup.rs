//! `cargo xtask setup`: the standard library for `wasm32-wasip2`.
//!
//! rustup brings it where it can reach its server. Rust from a distribution has no
//! rustup, and some networks have only a mirror of Debian: there it is built from
//! Debian's source of exactly this Rust, in about a minute.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::project::{Project, WASM_TARGET};
use crate::run::{capture, capture_within, have, plain, say};

mod debian;

/// How long rustup may try. A download of 25 MB on a slow line ends within it; a server
/// that is not there does not keep the Debian way waiting for long.
const RUSTUP_LIMIT: Duration = Duration::from_mins(3);

/// The Rust that is going to compile the plugins.
struct Rust {
    /// Such as `1.95.0`.
    version: String,
    /// Where its libraries lie, or shall.
    sysroot: PathBuf,
    /// Whether that is where rustc looks by itself.
    own: Own,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Yes,
    No,
}

/// Makes sure that plugins can be compiled. Does nothing where they can. With `sysroot`
/// the libraries go there instead, and not by rustup, which knows only its own place.
pub(crate) fn setup(project: &Project, sysroot: Option<&Path>) -> Result<()> {
    let rust = Rust::find(sysroot)?;
    let work = project.root.join("target").join("setup");
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    if rust.compiles(&work).is_ok() {
        say(&format!("{WASM_TARGET} is there"));
        return Ok(());
    }

    let mut tried = Vec::new();
    let ways: [(&str, &dyn Fn() -> Result<()>); 2] = [
        ("rustup", &|| by_rustup(&rust)),
        ("Debian's rust-src and wasi-libc", &|| {
            debian::bring(&rust, &work)
        }),
    ];
    for (name, way) in ways {
        say(&format!("{WASM_TARGET} is missing; trying {name}"));
        match way().and_then(|()| rust.compiles(&work)) {
            Ok(()) => {
                say(&format!("{WASM_TARGET} is there now, by {name}"));
                return Ok(());
            }
            Err(error) => {
                say(&format!("not by {name}: {error:#}"));
                tried.push(format!("  {name}: {error:#}"));
            }
        }
    }
    bail!(
        "no {WASM_TARGET} for rustc {version}, and plugins are compiled for it\n\
         tried:\n{tried}\n\
         what to do, either of:\n  \
         install Rust from https://rustup.rs and run `rustup target add {WASM_TARGET}` where \
         static.rust-lang.org can be reached\n  \
         put the target's libraries into {libraries} by other means\n\
         then run `cargo xtask setup` again",
        version = rust.version,
        tried = tried.join("\n"),
        libraries = rust.libraries().display(),
    )
}

impl Rust {
    fn find(sysroot: Option<&Path>) -> Result<Self> {
        let printed = capture(rustc().arg("--version"))?;
        let version = printed
            .split_whitespace()
            .nth(1)
            .context("rustc --version printed none")?;
        let (sysroot, own) = match sysroot {
            Some(folder) => (std::path::absolute(folder)?, Own::No),
            None => (
                PathBuf::from(capture(rustc().args(["--print", "sysroot"]))?.trim()),
                Own::Yes,
            ),
        };
        Ok(Self {
            version: version.to_owned(),
            sysroot,
            own,
        })
    }

    /// The folder of the target's libraries.
    fn libraries(&self) -> PathBuf {
        self.sysroot
            .join("lib/rustlib")
            .join(WASM_TARGET)
            .join("lib")
    }

    /// Compiles and links a small program. Files may be there and yet be those of
    /// another version, or lack the C library: only this tells.
    fn compiles(&self, work: &Path) -> Result<()> {
        let source = work.join("probe.rs");
        fs::write(
            &source,
            "fn main() { println!(\"{:?}\", std::env::args()); }\n",
        )
        .with_context(|| format!("cannot write {}", source.display()))?;
        let mut command = rustc();
        command
            .arg("--target")
            .arg(WASM_TARGET)
            .arg("-o")
            .arg(work.join("probe.wasm"))
            .arg(source);
        if self.own == Own::No {
            // rustc would quietly fall back on its own libraries.
            if !self.libraries().is_dir() {
                bail!("{} does not exist", self.libraries().display());
            }
            command.arg("--sysroot").arg(&self.sysroot);
        }
        capture(&mut command).context("a small program does not compile")?;
        Ok(())
    }
}

fn by_rustup(rust: &Rust) -> Result<()> {
    if rust.own == Own::No {
        bail!("it can only install into its own folder");
    }
    if !have("rustup") {
        bail!("it is not installed");
    }
    let mut rustup = plain("rustup");
    rustup
        .args(["target", "add", WASM_TARGET])
        .stderr(Stdio::piped());
    capture_within(RUSTUP_LIMIT, &mut rustup)?;
    Ok(())
}

/// The compiler that cargo uses too.
fn rustc() -> Command {
    let mut command = plain(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    // A language in messages does no harm, but another one in --version would.
    command.env("LC_ALL", "C");
    command
}
