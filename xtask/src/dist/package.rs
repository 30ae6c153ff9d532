//! What users install besides the bare program: a Debian package, and what an
//! image for containers is made of.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::{capture, have, run, say};

/// The shells that are completed, and where Debian looks for that.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/watchkeeper"),
    ("zsh", "usr/share/zsh/vendor-completions/_watchkeeper"),
    (
        "fish",
        "usr/share/fish/vendor_completions.d/watchkeeper.fish",
    ),
];

/// What a package and an image bring along, and where it goes.
const UNIT: &str = "usr/lib/systemd/system/watchkeeper.service";
const CONFIG: &str = "etc/watchkeeper/watchkeeper.toml";
const DOCS: &str = "usr/share/doc/watchkeeper";
const MAN: &str = "usr/share/man/man1";

/// The oldest C library that a binary without any mark of one gets along with.
const OLDEST_GLIBC: (u32, u32) = (2, 17);

/// Makes everything from `binary` into `folder`: completions, man pages, what an
/// image is made of, and, where `dpkg-deb` is installed, the Debian package.
pub(crate) fn package(project: &Project, binary: &Path, folder: &Path) -> Result<()> {
    let shared = folder.join("share");
    fresh(&shared)?;
    for (shell, place) in COMPLETIONS {
        let text = capture(Command::new(binary).args(["completions", shell]))?;
        write(&shared.join(place), text.as_bytes(), 0o644)?;
    }
    let pages = shared.join(MAN);
    fs::create_dir_all(&pages).with_context(|| format!("cannot make {}", pages.display()))?;
    capture(Command::new(binary).arg("man").arg(&pages))?;

    image(project, binary, folder)?;
    if have("dpkg-deb") {
        debian(project, binary, folder, &shared)?;
    } else {
        say("dpkg-deb is not installed: no Debian package is made");
    }
    Ok(())
}

fn debian(project: &Project, binary: &Path, folder: &Path, shared: &Path) -> Result<()> {
    let root = folder.join("deb");
    fresh(&root)?;
    copy_all(shared, &root)?;
    for page in files(&root.join(MAN))? {
        // Policy 12.1: compressed, without a time stamp so that builds are alike.
        run(Command::new("gzip").args(["-9", "-n"]).arg(&page))?;
    }
    copy(binary, &root.join("usr/bin/watchkeeper"), 0o755)?;
    let source = |path: &str| project.root.join(path);
    let plain = [
        ("packaging/systemd/watchkeeper.service", UNIT.to_owned()),
        ("packaging/watchkeeper.toml", CONFIG.to_owned()),
        ("packaging/systemd/icmp.conf", format!("{DOCS}/icmp.conf")),
        ("README.md", format!("{DOCS}/README.md")),
        ("CHANGELOG.md", format!("{DOCS}/CHANGELOG.md")),
        ("docs/configuration.md", format!("{DOCS}/configuration.md")),
    ];
    for (from, to) in plain {
        copy(&source(from), &root.join(to), 0o644)?;
    }
    let licences = [
        fs::read_to_string(source("LICENSE-MIT"))?,
        fs::read_to_string(source("LICENSE-APACHE"))?,
    ];
    let copyright = format!(
        "Watchkeeper is licensed under either of the two below, as you like.\n\n{}",
        licences.join("\n\n")
    );
    write(
        &root.join(DOCS).join("copyright"),
        copyright.as_bytes(),
        0o644,
    )?;
    let version = env!("CARGO_PKG_VERSION");
    let architecture = capture(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let control = control(version, architecture, binary, installed_kib(&root)?)?;
    write(&root.join("DEBIAN/control"), control.as_bytes(), 0o644)?;
    let conffiles = format!("/{CONFIG}\n");
    write(&root.join("DEBIAN/conffiles"), conffiles.as_bytes(), 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        let from = source("packaging/deb").join(script);
        copy(&from, &root.join("DEBIAN").join(script), 0o755)?;
    }
    let package = folder.join(format!("watchkeeper_{version}_{architecture}.deb"));
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .arg(&root)
        .arg(&package))?;
    fs::remove_dir_all(&root).with_context(|| format!("cannot remove {}", root.display()))
}

/// What an image is made of: the program, the libraries that it was linked with and
/// the certificate authorities of this machine, beside the Dockerfile.
fn image(project: &Project, binary: &Path, folder: &Path) -> Result<()> {
    let root = folder.join("image");
    fresh(&root)?;
    copy(binary, &root.join("usr/bin/watchkeeper"), 0o755)?;
    for library in libraries(binary)? {
        let inside = root.join(library.strip_prefix("/").unwrap_or(&library));
        copy(&library, &inside, 0o755)?;
    }
    let authorities = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if authorities.exists() {
        let inside = root.join("etc/ssl/certs/ca-certificates.crt");
        copy(authorities, &inside, 0o644)?;
    }
    let packaging = project.root.join("packaging");
    copy(&packaging.join("image.toml"), &root.join(CONFIG), 0o644)?;
    // No folder is copied into an image without a file in it.
    let data = folder.join("data");
    fresh(&data)?;
    write(&data.join("plugins/.keep"), b"", 0o644)?;
    copy(
        &packaging.join("Dockerfile"),
        &folder.join("Dockerfile"),
        0o644,
    )
}

/// The shared libraries that the program is started with, its loader included;
/// none of one that needs none.
fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    let asked = Command::new("ldd").arg(binary).output();
    let asked = asked.context("ldd is not installed")?;
    if !asked.status.success() {
        return Ok(Vec::new());
    }
    let listed = String::from_utf8_lossy(&asked.stdout);
    let mut found = Vec::new();
    for line in listed.lines() {
        if line.contains("not found") {
            bail!("a library is missing on this machine: {}", line.trim());
        }
        // `libm.so.6 => /lib/…/libm.so.6 (0x…)`, or the loader's path alone.
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        found.extend(path.map(PathBuf::from));
    }
    Ok(found)
}

fn control(version: &str, architecture: &str, binary: &Path, kib: u64) -> Result<String> {
    let bytes = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let (major, minor) = newest_glibc(&bytes);
    Ok(format!(
        "Package: watchkeeper\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Watchkeeper authors <watchkeeper@example.invalid>\n\
         Installed-Size: {kib}\n\
         Depends: libc6 (>= {major}.{minor}), libgcc-s1\n\
         Recommends: ca-certificates\n\
         Section: net\n\
         Priority: optional\n\
         Description: uptime monitor and status page\n \
         Every check and every notification is a sandboxed WebAssembly component:\n \
         an operator drops a file into a folder and has a new kind of check, and\n \
         nothing of it can read a file, start a process or reach a host that was\n \
         not granted to it.\n"
    ))
}

/// The newest version of the C library whose symbols the program uses.
fn newest_glibc(binary: &[u8]) -> (u32, u32) {
    const MARK: &[u8] = b"GLIBC_2.";
    let mut newest = OLDEST_GLIBC;
    for (at, _) in binary
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK)
    {
        let digits = binary.iter().skip(at + MARK.len());
        let minor = digits
            .take_while(|byte| byte.is_ascii_digit())
            .take(3)
            .fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
        newest = newest.max((2, minor));
    }
    newest
}

fn installed_kib(root: &Path) -> Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
    }
    Ok(bytes.div_ceil(1024))
}

/// The files in a folder, in order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()));
    let mut found: Vec<PathBuf> = entries?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    found.sort();
    Ok(found)
}

/// Copies everything below `from` to the same places below `to`.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    for path in files(from)? {
        let inside = to.join(path.file_name().context("a file has a name")?);
        if path.is_dir() {
            copy_all(&path, &inside)?;
        } else {
            copy(&path, &inside, 0o644)?;
        }
    }
    Ok(())
}

fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    write(to, &bytes, mode)
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let told = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(told)?;
    }
    fs::write(path, bytes).with_context(told)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_counts() {
        assert_eq!(newest_glibc(b"#!/bin/sh"), OLDEST_GLIBC);
        let marks = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.4\0GLIBC_PRIVATE\0GLIBC_2.";
        assert_eq!(newest_glibc(marks), (2, 34));
    }
}
