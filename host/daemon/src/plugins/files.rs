//! The files of the plugins folder: which are looked at, and how they are read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::trust::{signature, signature_path};

/// The largest file that is read at all.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// How a file looks: enough to notice that it was written to.
pub(super) type Look = (u64, Option<SystemTime>);

/// How a component file and its signature look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    pub(super) modified: Option<SystemTime>,
    /// The same of the signature beside it, if there is one.
    pub(super) signature: Option<Look>,
}

impl Stamp {
    /// What no file has.
    pub(super) const NONE: Self = Self {
        bytes: u64::MAX,
        modified: None,
        signature: None,
    };
}

/// A component file's bytes, if it is a regular file of a size that is loaded.
pub(crate) fn read_component(path: &Path) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = path.metadata().map_err(said)?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(format!(
            "has {} bytes, more than the {MAX_FILE_BYTES} allowed",
            metadata.len()
        ));
    }
    std::fs::read(path).map_err(said)
}

/// The signature beside a component file; none if there is no such file.
pub(crate) fn read_signature(component: &Path) -> Result<Option<String>, String> {
    let path = signature_path(component);
    let said = |problem: &dyn fmt::Display| format!("its signature cannot be read: {problem}");
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(said(&error)),
    };
    if !metadata.is_file() || metadata.len() > signature::MAX_BYTES {
        return Err(said(&"it is no small regular file"));
    }
    std::fs::read_to_string(&path)
        .map(Some)
        .map_err(|error| said(&error))
}

/// The name of a file of the plugins folder.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// How a file looks; none if it is not there.
pub(super) fn stamp_of(path: &Path) -> Option<Look> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

/// The `.wasm` files of `folder` in name order: their stamps, or why one is not
/// even opened. A folder that does not exist is empty.
pub(super) fn list(folder: &Path) -> Result<BTreeMap<PathBuf, Result<Stamp, String>>, String> {
    let said = |error: std::io::Error| error.to_string();
    let home = match folder.canonicalize() {
        Ok(home) => home,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(said(error)),
    };
    refuse_world_writable(&home)?;
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&home).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            let stamp = stamp(&path, &home);
            files.insert(path, stamp);
        }
    }
    Ok(files)
}

/// A folder that everybody can write to lets everybody choose what the host runs.
pub(crate) fn refuse_world_writable(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = folder
        .metadata()
        .map_err(|error| error.to_string())?
        .permissions()
        .mode();
    if mode & 0o002 != 0 {
        return Err(format!(
            "is writable by everybody: run `chmod o-w {}`",
            folder.display()
        ));
    }
    Ok(())
}

fn stamp(path: &Path, home: &Path) -> Result<Stamp, String> {
    let real = path
        .canonicalize()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if !real.starts_with(home) {
        return Err("is a link to outside the plugins folder: copy the file".to_owned());
    }
    let metadata = real
        .metadata()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(format!(
            "has {} bytes, more than the {MAX_FILE_BYTES} allowed",
            metadata.len()
        ));
    }
    Ok(Stamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        signature: stamp_of(&signature_path(path)),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_regular_files_inside_the_folder_are_opened() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("good.wasm"), b"x").unwrap();
        std::fs::write(at("notes.txt"), b"x").unwrap();
        std::fs::create_dir(at("folder.wasm")).unwrap();
        symlink(outside.path(), at("link.wasm")).unwrap();
        symlink(at("good.wasm"), at("inner.wasm")).unwrap();
        std::fs::File::create(at("sparse.wasm"))
            .unwrap()
            .set_len(10 << 30)
            .unwrap();
        let said: Vec<_> = list(folder.path())
            .unwrap()
            .into_iter()
            .map(|(path, stamp)| (path.file_name().unwrap().to_owned(), stamp.err()))
            .collect();
        let expect = [
            ("folder.wasm", Some("is not a regular file")),
            ("good.wasm", None),
            ("inner.wasm", None),
            (
                "link.wasm",
                Some("is a link to outside the plugins folder: copy the file"),
            ),
            (
                "sparse.wasm",
                Some("has 10737418240 bytes, more than the 67108864 allowed"),
            ),
        ];
        let expect: Vec<_> = expect
            .map(|(name, why)| (name.into(), why.map(str::to_owned)))
            .into();
        assert_eq!(said, expect);
    }

    #[test]
    fn a_folder_that_everybody_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(list(folder.path()).unwrap_err().contains("chmod o-w"));
    }

    #[test]
    fn a_folder_that_does_not_exist_is_empty() {
        assert!(list(Path::new("/nonexistent/plugins")).unwrap().is_empty());
    }
}
