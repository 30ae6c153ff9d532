//! What a package brings for shells and manuals, made of the command line itself.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, print};

/// Prints the script by which `shell` completes this program's command line.
pub(super) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "watchkeeper", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Fine)
}

/// Writes a page of the manual for the program and one for each command into
/// `folder`, which is made where it is missing.
pub(super) fn man(folder: &Path) -> anyhow::Result<Exit> {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("cannot write the manual into {}", folder.display()))?;
    Ok(Exit::Fine)
}
