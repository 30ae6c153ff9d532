//! `cargo xtask lint`: what a reviewer should not have to say.

use anyhow::Result;

use crate::project::{Project, WASM_TARGET};
use crate::run::{cargo, have, run, say};
use crate::setup;

/// Formatting, then clippy for the host, then clippy for what runs inside the sandbox,
/// where other code is compiled. Warnings are errors here and nowhere else.
pub(crate) fn lint(project: &Project) -> Result<()> {
    run(cargo(project).args(["fmt", "--all", "--check"]))?;
    run(cargo(project).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;

    setup::setup(project, None)?;
    let mut clippy = cargo(project);
    clippy.args([
        "clippy",
        "--target",
        WASM_TARGET,
        "--package",
        "watchkeeper-sdk",
    ]);
    for folder in ["plugins", "testing/guests"] {
        for guest in project.guests(folder)? {
            clippy.args(["--package", &guest.package]);
        }
    }
    run(clippy.args(["--", "-D", "warnings"]))
}

/// Licences, bans and sources after `deny.toml`. Advisories need a database from the
/// network and change without us: they are no reason for yesterday's commit to fail.
pub(crate) fn deny(project: &Project) -> Result<()> {
    if !have("cargo-deny") {
        say("cargo-deny is not installed: licences and bans stay unchecked");
        return Ok(());
    }
    run(cargo(project).args([
        "deny",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}
