//! `cargo xtask dist`: the one file that a user installs, and what is made of it for
//! those who install packages or images.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::plugins;
use crate::project::{Project, shown};
use crate::run::{capture, cargo, have, run};

mod package;

pub(crate) use package::package;

/// The profile of what is shipped; Cargo puts the binary into its folder, `target/dist`.
const PROFILE: &str = "dist";

/// Builds the binary that users install, with all first-party plugins inside, into
/// `target/dist`, with its checksum beside it.
pub(crate) fn dist(project: &Project) -> Result<()> {
    plugins::build(project)?;
    run(cargo(project).args(["build", "--profile", PROFILE, "--package", "watchkeeper"]))?;

    let binary = project.program(PROFILE, "watchkeeper");
    let sum = sha256(&binary)?;
    let listed = binary.with_file_name("watchkeeper.sha256");
    fs::write(&listed, format!("{sum}  watchkeeper\n"))
        .with_context(|| format!("cannot write {}", listed.display()))?;

    package(project, &binary, &project.target.join("package"))?;

    println!("{:>12}  {}", size(&binary)?, shown(project, &binary));
    println!("sha256 {sum}");
    println!("bundled plugins, before compression:");
    let mut bundled: Vec<_> = fs::read_dir(project.plugins())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    bundled.sort();
    for plugin in bundled {
        println!("{:>12}  {}", size(&plugin)?, shown(project, &plugin));
    }
    Ok(())
}

fn size(path: &Path) -> Result<u64> {
    let metadata = path
        .metadata()
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(metadata.len())
}

/// By the system's own program: a checksum that users compare with is no place for a second
/// implementation.
fn sha256(path: &Path) -> Result<String> {
    let mut command = if have("sha256sum") {
        Command::new("sha256sum")
    } else if have("shasum") {
        let mut command = Command::new("shasum");
        command.args(["-a", "256"]);
        command
    } else {
        bail!("neither sha256sum nor shasum is installed");
    };
    let printed = capture(command.arg(path))?;
    Ok(printed
        .split_whitespace()
        .next()
        .context("sha256sum printed nothing")?
        .to_owned())
}
