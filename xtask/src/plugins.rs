//! `cargo xtask plugins`: what runs inside the sandbox, built for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::{Guest, Project, WASM_TARGET, shown};
use crate::run::{cargo, run, say};
use crate::setup;

/// The profile in which guests are built; its folder has the same name.
const PROFILE: &str = "plugin";

/// Builds the first-party plugins into `target/plugins`, where the daemon's build script
/// finds them. A file whose content is the same is left alone: nothing is rebuilt for it.
pub(crate) fn build(project: &Project) -> Result<()> {
    setup::setup(project, None)?;
    let plugins = project.guests("plugins")?;
    if plugins.is_empty() {
        bail!("no plugins in {}", project.root.join("plugins").display());
    }
    compile(project, &plugins)?;
    collect(project, &plugins, &project.plugins())
}

/// Builds the guests that misbehave into `target/guests`, where the sandbox's tests find them.
pub(crate) fn build_guests(project: &Project) -> Result<()> {
    let guests = project.guests("testing/guests")?;
    if guests.is_empty() {
        return Ok(());
    }
    compile(project, &guests)?;
    collect(
        project,
        &guests,
        &project.root.join("target").join("guests"),
    )
}

fn compile(project: &Project, guests: &[Guest]) -> Result<()> {
    let mut command = cargo(project);
    command.args(["build", "--profile", PROFILE, "--target", WASM_TARGET]);
    for guest in guests {
        command.args(["--package", &guest.package]);
    }
    run(&mut command)
}

fn collect(project: &Project, guests: &[Guest], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let built = project.target.join(WASM_TARGET).join(PROFILE);
    let mut wanted = Vec::new();
    let mut changed = 0;
    for guest in guests {
        let place = folder.join(format!("{}.wasm", guest.name));
        changed += usize::from(copy_if_changed(&built.join(guest.artifact()), &place)?);
        wanted.push(place);
    }
    remove_others(folder, &wanted)?;
    say(&format!(
        "{}: {} components, {changed} new",
        shown(project, folder),
        guests.len()
    ));
    Ok(())
}

/// Whether it was copied.
fn copy_if_changed(from: &Path, to: &Path) -> Result<bool> {
    let content = fs::read(from).with_context(|| {
        format!(
            "{} was not built: its crate type has to be cdylib",
            from.display()
        )
    })?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(false);
    }
    // Whoever watches the folder never sees half a file.
    let partial = to.with_extension("wasm.tmp");
    fs::write(&partial, content)
        .and_then(|()| fs::rename(&partial, to))
        .with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

/// A plugin that was renamed or removed would otherwise be bundled for ever.
fn remove_others(folder: &Path, wanted: &[PathBuf]) -> Result<()> {
    let cannot = || format!("cannot tidy {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
            && !wanted.contains(&path)
        {
            fs::remove_file(&path).with_context(cannot)?;
        }
    }
    Ok(())
}
