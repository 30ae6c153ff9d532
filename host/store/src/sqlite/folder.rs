//! The data folder: who may be in it, and the names of what is in it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use watchkeeper_engine::time::Timestamp;

use crate::error::StoreError;

/// A data folder that belongs to this process until it is dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, for its owner alone, and locks it.
    pub(super) fn claim(path: &Path) -> Result<Self, StoreError> {
        create(path)?;
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&file)
            .map_err(|error| StoreError::io("cannot open", &file, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                folder: path.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(StoreError::io("cannot lock", file, error)),
        }
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes a folder and those above it, readable by its owner alone. One that
/// exists keeps its mode.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StoreError::io("cannot create", path, error))
}

/// `20261121T035100Z`, for names of files.
pub(super) fn stamp(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(
        |_| at.as_millis().to_string(),
        |at| at.strftime("%Y%m%dT%H%M%SZ").to_string(),
    )
}

/// `path` with `suffix` added to its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
