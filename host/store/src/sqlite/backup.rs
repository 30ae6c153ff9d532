//! Copies of both databases as of one moment each, into a folder of their own.

use std::path::{Path, PathBuf};

use super::{SERIES, STATE, database, folder};
use crate::error::StoreError;

/// Where a backup goes.
pub(super) struct Place {
    pub(super) state: PathBuf,
    pub(super) series: PathBuf,
}

impl Place {
    /// Makes the folder `to` where it is missing. One that holds a database
    /// already is refused before anything is copied.
    pub(super) fn prepare(to: &Path) -> Result<Self, StoreError> {
        folder::create(to)?;
        let place = Self {
            state: to.join(STATE),
            series: to.join(SERIES),
        };
        for file in [&place.state, &place.series] {
            if file.exists() {
                return Err(StoreError::BackupExists { file: file.clone() });
            }
        }
        Ok(place)
    }
}

/// Copies the databases in the data folder `data` into the folder `to`, whether or
/// not another process uses them: it goes on writing, and what it commits while
/// its database is copied is not in the copy. Readings that it has not written
/// yet, those of the last second or so, are not either.
///
/// `to` is made where it is missing; files in it are never replaced. Needs to be
/// able to write in `data`, where SQLite keeps what its connections share. Blocks
/// the thread.
pub fn backup(data: &Path, to: &Path) -> Result<(), StoreError> {
    database::assert_version()?;
    let sources = [data.join(STATE), data.join(SERIES)];
    if let Some(file) = sources.iter().find(|file| !file.is_file()) {
        return Err(StoreError::NoStore { file: file.clone() });
    }
    let place = Place::prepare(to)?;
    for (source, copy) in sources.iter().zip([&place.state, &place.series]) {
        let connection = database::open_reader(source)?;
        database::copy(&connection, copy).map_err(|error| database::refine(source, error))?;
    }
    Ok(())
}
