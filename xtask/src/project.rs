//! Where things lie in this project.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// What plugins are compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The folders of this project.
pub(crate) struct Project {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, which the environment or a configuration may have moved.
    pub(crate) target: PathBuf,
}

/// A package that is compiled for [`WASM_TARGET`].
pub(crate) struct Guest {
    /// The name of its folder, which is the name of the plugin.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// The name of its package.
    pub(crate) package: String,
}

impl Project {
    /// Finds the folders from where this program was built and where it lies.
    pub(crate) fn find() -> Result<Self> {
        let here = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here
            .parent()
            .context("xtask lies in the workspace")?
            .to_owned();
        let program = env::current_exe().context("cannot find this program's own file")?;
        let target = program
            .ancestors()
            .nth(2)
            .context("cargo builds into target/PROFILE")?;
        Ok(Self {
            target: target.to_owned(),
            root,
        })
    }

    /// Where the built plugins are, under their own names. It does not move with cargo's
    /// target folder: the daemon's build script looks here.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.root.join("target").join("plugins")
    }

    /// A program built in the profile whose folder is `profile`.
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name)
    }

    /// The packages in the folders below `folder` of the workspace, in order of name.
    /// A folder that is missing has none.
    pub(crate) fn guests(&self, folder: &str) -> Result<Vec<Guest>> {
        let folder = self.root.join(folder);
        let mut guests = Vec::new();
        let Ok(entries) = fs::read_dir(&folder) else {
            return Ok(guests);
        };
        for entry in entries {
            let folder = entry
                .with_context(|| format!("cannot read {}", folder.display()))?
                .path();
            let manifest = folder.join("Cargo.toml");
            if let Ok(text) = fs::read_to_string(&manifest) {
                let package = package_name(&text)
                    .with_context(|| format!("{} names no package", manifest.display()))?;
                let name = folder
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                guests.push(Guest {
                    name,
                    folder,
                    package,
                });
            }
        }
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(guests)
    }
}

impl Guest {
    /// The file name that cargo gives the component.
    pub(crate) fn artifact(&self) -> String {
        format!("{}.wasm", self.package.replace('-', "_"))
    }
}

/// `path` as a user in the workspace would write it.
pub(crate) fn shown<'a>(project: &Project, path: &'a Path) -> std::path::Display<'a> {
    path.strip_prefix(&project.root).unwrap_or(path).display()
}

/// The first `name = "..."`, which in a manifest stands in `[package]`.
fn package_name(manifest: &str) -> Option<String> {
    manifest.lines().find_map(|line| {
        let value = line
            .trim()
            .strip_prefix("name")?
            .trim_start()
            .strip_prefix('=')?;
        Some(value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_name_of_a_package() {
        let manifest = "[package]\nname = \"watchkeeper-plugin-http\"\nversion = \"1\"\n";
        assert_eq!(package_name(manifest).unwrap(), "watchkeeper-plugin-http");
        assert_eq!(package_name("[workspace]\n"), None);
        assert_eq!(package_name("names = 1\nname=\"a\"").unwrap(), "a");
    }

    #[test]
    fn finds_the_first_party_plugins() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap()
            .to_owned();
        let project = Project {
            target: root.join("target"),
            root,
        };
        let guests = project.guests("plugins").unwrap();
        let http = guests.iter().find(|guest| guest.name == "http").unwrap();
        assert_eq!(http.artifact(), "watchkeeper_plugin_http.wasm");
        assert!(project.guests("no-such-folder").unwrap().is_empty());
    }
}
