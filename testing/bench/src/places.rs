//! Where the things to be measured lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// Programs, components and results.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// The binary as it is shipped.
    pub(crate) watchkeeper: PathBuf,
    /// The target server, a process of its own.
    pub(crate) target_server: PathBuf,
    /// Where results go.
    pub(crate) results: PathBuf,
}

impl Places {
    /// The programs beside this one.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().context("the workspace is gone")?;
        let this = std::env::current_exe().context("cannot find this program's own file")?;
        let beside = this.parent().context("a program lies in a folder")?;
        let results = root.join("target").join("bench");
        std::fs::create_dir_all(&results)
            .with_context(|| format!("cannot create {}", results.display()))?;
        let places = Self {
            watchkeeper: beside.join("watchkeeper"),
            target_server: beside.join("target-server"),
            results,
            root,
        };
        for program in [&places.watchkeeper, &places.target_server] {
            ensure!(
                program.is_file(),
                "{} was not built: start with `cargo xtask bench`",
                program.display()
            );
        }
        Ok(places)
    }

    /// A bundled plugin.
    pub(crate) fn plugin(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        read(
            &self
                .root
                .join("target/plugins")
                .join(format!("{name}.wasm")),
        )
    }

    /// A guest that exists to be measured.
    pub(crate) fn guest(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        read(&self.root.join("target/guests").join(format!("{name}.wasm")))
    }

    /// A folder that is removed when it is dropped, on the disk of the results.
    pub(crate) fn scratch(&self) -> anyhow::Result<TempDir> {
        tempfile::tempdir_in(&self.results).context("cannot create a folder to work in")
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| {
        format!(
            "cannot read {}: start with `cargo xtask bench`",
            file.display()
        )
    })
}
