//! Compiled plugins, kept for all tests of one build: what ships with the program
//! is compiled once, not once for each of its folders.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The folder, with the bundled plugins of this build in it.
pub(crate) fn warm() -> &'static Path {
    static WARM: OnceLock<PathBuf> = OnceLock::new();
    WARM.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // The tests of plugins have compiled most of them there, or will find them.
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let folder = target.join("plugin-tests-cache");
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        // Tests are processes side by side: the first one does it for all.
        let lock = File::create(root.join("whole-cache.lock")).unwrap();
        lock.lock().unwrap();
        let mark = root.join("whole-cache.of");
        let build = build();
        if fs::read_to_string(&mark).ok().as_ref() != Some(&build) {
            compile(&folder);
            fs::write(&mark, build).unwrap();
        }
        folder
    })
}

/// What tells one build of the program from another.
fn build() -> String {
    let file = fs::metadata(env!("CARGO_BIN_EXE_watchkeeper")).unwrap();
    format!("{} {:?}", file.len(), file.modified().unwrap())
}

/// Has the program load all that it brings along.
fn compile(cache: &Path) {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("watchkeeper.toml");
    fs::write(&config, "").unwrap();
    fs::create_dir(home.path().join("data")).unwrap();
    std::os::unix::fs::symlink(cache, home.path().join("data/cache")).unwrap();
    let listed = Command::new(env!("CARGO_BIN_EXE_watchkeeper"))
        .current_dir(home.path())
        .args(["--config", "watchkeeper.toml", "plugin", "list"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
}
