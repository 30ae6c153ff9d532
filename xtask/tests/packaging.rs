//! What is installed: the Debian package, the image, the systemd unit.

#![expect(
    clippy::print_stdout,
    reason = "what is skipped is said where the tests' output is read"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Stands in for the program, which takes minutes to build: it answers what
/// packaging asks of it.
const STAND_IN: &str = r##"#!/bin/sh
case "$1" in
completions) echo "# completions for $2" ;;
man) for page in watchkeeper watchkeeper-serve; do echo ".TH $page 1" > "$2/$page.1"; done ;;
*) exit 64 ;;
esac
"##;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether the program is there. Where nothing may be skipped it has to be.
fn have(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").expect("there is a PATH"))
        .any(|folder| folder.join(program).is_file());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing");
        println!("SKIPPED: {program} is missing");
    }
    found
}

fn said(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect("the program starts");
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

#[test]
fn a_package_holds_what_is_installed_and_an_image_what_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("stand-in");
    fs::write(&binary, STAND_IN).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let made = folder.path().join("made");
    let (binary, made) = (binary.to_str().unwrap(), made.to_str().unwrap());
    run(env!("CARGO_BIN_EXE_xtask"), &["package", binary, made]);
    // Again, over what is there.
    run(env!("CARGO_BIN_EXE_xtask"), &["package", binary, made]);

    let image = Path::new(made).join("image");
    assert_eq!(
        fs::read_to_string(image.join("usr/bin/watchkeeper")).unwrap(),
        STAND_IN
    );
    assert!(image.join("etc/watchkeeper/watchkeeper.toml").is_file());
    let dockerfile = fs::read_to_string(Path::new(made).join("Dockerfile")).unwrap();
    for copied in dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
    {
        let from = copied
            .split_whitespace()
            .find(|word| !word.starts_with("--"))
            .unwrap();
        assert!(Path::new(made).join(from).is_dir(), "{copied}");
    }

    if !have("dpkg-deb") {
        return;
    }
    let package = fs::read_dir(made)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "deb"))
        .expect("a package is made");
    let package = package.to_str().unwrap();
    let listed = run("dpkg-deb", &["--contents", package]);
    for (mode, path) in [
        ("-rwxr-xr-x root/root", "./usr/bin/watchkeeper"),
        ("-rw-r--r-- root/root", "./etc/watchkeeper/watchkeeper.toml"),
        (
            "-rw-r--r-- root/root",
            "./usr/lib/systemd/system/watchkeeper.service",
        ),
        (
            "-rw-r--r-- root/root",
            "./usr/share/man/man1/watchkeeper-serve.1.gz",
        ),
        (
            "-rw-r--r-- root/root",
            "./usr/share/bash-completion/completions/watchkeeper",
        ),
        (
            "-rw-r--r-- root/root",
            "./usr/share/zsh/vendor-completions/_watchkeeper",
        ),
        (
            "-rw-r--r-- root/root",
            "./usr/share/fish/vendor_completions.d/watchkeeper.fish",
        ),
        (
            "-rw-r--r-- root/root",
            "./usr/share/doc/watchkeeper/copyright",
        ),
    ] {
        let found = listed
            .lines()
            .any(|line| line.starts_with(mode) && line.ends_with(path));
        assert!(found, "{mode} {path}\n{listed}");
    }
    let control = run("dpkg-deb", &["--field", package]);
    for line in [
        "Package: watchkeeper",
        concat!("Version: ", env!("CARGO_PKG_VERSION")),
        "Depends: libc6 (>= 2.17), libgcc-s1",
    ] {
        assert!(control.contains(line), "{line}\n{control}");
    }
    let conffiles = run("dpkg-deb", &["--info", package, "conffiles"]);
    assert_eq!(conffiles, "/etc/watchkeeper/watchkeeper.toml\n");
    for script in ["postinst", "prerm", "postrm"] {
        let text = run("dpkg-deb", &["--info", package, script]);
        assert!(text.starts_with("#!/bin/sh\nset -e\n"), "{script}: {text}");
    }
}

#[test]
fn the_unit_is_one_and_leaves_little_exposed() {
    if !have("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(root().join("packaging/systemd/watchkeeper.service")).unwrap();
    assert!(!unit.contains("\nMemoryDenyWriteExecute"), "{unit}");
    // The program has to be there, which is not installed here.
    let path = folder.path().join("watchkeeper.service");
    fs::write(&path, unit.replace("/usr/bin/watchkeeper", "/bin/true")).unwrap();
    let path = path.to_str().unwrap();
    let words = run(
        "systemd-analyze",
        &["verify", "--man=no", "--recursive-errors=no", path],
    );
    assert_eq!(words, "");
    // In tenths, of at most 10.
    let exposed = ["security", "--offline=true", "--threshold=20"];
    let mut arguments = exposed.to_vec();
    arguments.push(path);
    run("systemd-analyze", &arguments);
    let more = folder.path().join("watchkeeper.service.d");
    fs::create_dir(&more).unwrap();
    fs::copy(
        root().join("packaging/systemd/icmp.conf"),
        more.join("icmp.conf"),
    )
    .unwrap();
    let words = run(
        "systemd-analyze",
        &["verify", "--man=no", "--recursive-errors=no", path],
    );
    assert_eq!(words, "");
}
