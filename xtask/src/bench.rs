//! `cargo xtask bench`: measures the release binary. What is measured, and how, is
//! the business of the package `watchkeeper-bench`.

use anyhow::{Result, bail};

use crate::plugins;
use crate::project::Project;
use crate::run::{cargo, plain, run};

/// Builds the binary as it is shipped and hands `arguments` to the benchmark.
pub(crate) fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    let folder = project.root.join("testing").join("bench");
    if !folder.join("Cargo.toml").is_file() {
        bail!("no benchmark in {}", folder.display());
    }
    plugins::build(project)?;
    plugins::build_guests(project)?;
    run(cargo(project)
        .args(["build", "--release", "--package", "watchkeeper"])
        .args([
            "--package",
            "target-server",
            "--package",
            "watchkeeper-bench",
        ]))?;
    // It looks for the other two beside itself.
    run(plain(project.program("release", "watchkeeper-bench")).args(arguments))
}
