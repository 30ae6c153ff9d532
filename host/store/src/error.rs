//! What can go wrong, by what the caller can do about it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the store did not do what was asked.
///
/// Cheap to clone: one failed transaction answers everyone who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the data folder.
    #[error("data folder {} is in use by another process (it holds the lock on {})", .folder.display(), .folder.join("lock").display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// The database was written by a newer version of this program.
    #[error(
        "{} has schema version {found}, this program knows versions up to {known}: it was written by a newer version; use that one, or restore the backup made before the upgrade",
        .file.display()
    )]
    Newer {
        /// The database file.
        file: PathBuf,
        /// The version it has.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The database belongs to a running process of an older version.
    #[error(
        "{} is in use by an older version of this program: restart that one with this version first",
        .file.display()
    )]
    Older {
        /// The database file.
        file: PathBuf,
    },
    /// The linked SQLite has a bug that can corrupt databases.
    #[error("SQLite {found} is too old: 3.51.3 is the first without the WAL-reset bug")]
    OldSqlite {
        /// The version of the library in use.
        found: &'static str,
    },
    /// The database file is damaged.
    #[error("{} is damaged: {problem}", .file.display())]
    Corrupt {
        /// The database file.
        file: PathBuf,
        /// What SQLite or the decoder found.
        problem: String,
    },
    /// There is no room left, even after the reserve was given up.
    #[error("the disk is full")]
    DiskFull,
    /// Samples came faster than they could be written; they were dropped.
    #[error("readings come faster than they can be written: {dropped} dropped")]
    Overloaded {
        /// How many samples were dropped.
        dropped: usize,
    },
    /// No delivery has this number.
    #[error("there is no delivery {id}")]
    NoSuchDelivery {
        /// The number that was asked for.
        id: i64,
    },
    /// The backup's folder already holds a file of that name.
    #[error("{} already exists; a backup never replaces a file", .file.display())]
    BackupExists {
        /// The file in the way.
        file: PathBuf,
    },
    /// There is nothing to back up.
    #[error("{} does not exist: nothing was stored in that folder yet", .file.display())]
    NoStore {
        /// The database that is missing.
        file: PathBuf,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The file system refused.
    #[error("{action} {}: {error}", .path.display())]
    Io {
        /// What was tried: `cannot create`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: Arc<std::io::Error>,
    },
    /// SQLite refused for another reason.
    #[error("SQLite: {error}")]
    Sqlite {
        /// What it said.
        error: Arc<rusqlite::Error>,
    },
    /// A value could not be written as the store keeps it.
    #[error("cannot store {what}: {problem}")]
    Unstorable {
        /// What it was.
        what: &'static str,
        /// Why not.
        problem: String,
    },
}

impl StoreError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        error: std::io::Error,
    ) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::DiskFull;
        }
        Self::Io {
            action,
            path: path.into(),
            error: Arc::new(error),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            return Self::DiskFull;
        }
        Self::Sqlite {
            error: Arc::new(error),
        }
    }
}

/// Something an operator should look at, while the store goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The disk was full. `reserve_spent` while the reserve that keeps state
    /// writable has been given up and not been taken back yet.
    DiskFull {
        /// Whether the reserve file is gone.
        reserve_spent: bool,
    },
    /// The file of readings was damaged; it was moved aside and begun anew.
    SeriesReplaced {
        /// Where the damaged file is.
        aside: PathBuf,
    },
    /// Readings cannot be written at present; they are kept in memory as long
    /// as there is room for them.
    SeriesNotWritten {
        /// What SQLite said last.
        error: String,
    },
    /// Samples were dropped since the start because they came faster than they
    /// could be written, or could not be written for too long.
    SamplesDropped {
        /// How many.
        count: u64,
    },
    /// States in the database that this version cannot read; what they are of
    /// begins anew. The log names each.
    StatesUnreadable {
        /// How many.
        count: u64,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull {
                reserve_spent: true,
            } => f.write_str("the disk is full, and the reserve for state is used up"),
            Self::DiskFull { .. } => f.write_str("the disk was full"),
            Self::SeriesReplaced { aside } => write!(
                f,
                "the file of readings was damaged and begun anew; the old one is {}",
                aside.display()
            ),
            Self::SeriesNotWritten { error } => write!(f, "readings cannot be written: {error}"),
            Self::SamplesDropped { count } => write!(f, "{count} readings were dropped"),
            Self::StatesUnreadable { count } => {
                write!(f, "{count} states in the database cannot be read")
            }
        }
    }
}
