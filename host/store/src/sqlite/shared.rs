//! What both writers share: the reserve, and what is wrong.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::ErrorCode;

use super::locked;
use super::reserve::Reserve;
use crate::error::{StoreError, Trouble};

/// Seen by both writers and by [`Store::trouble`](crate::Store::trouble).
pub(super) struct Shared {
    pub(super) reserve: Reserve,
    /// Whether the last write found the disk full.
    full: AtomicBool,
    /// Where a damaged file of readings was put.
    pub(super) aside: Option<PathBuf>,
    /// Why readings cannot be written.
    pub(super) series_error: Mutex<Option<String>>,
    /// Samples lost since the start.
    pub(super) dropped: AtomicU64,
    /// States that could not be read at the start.
    pub(super) unreadable: AtomicU64,
}

impl Shared {
    pub(super) fn new(reserve: Reserve, aside: Option<PathBuf>) -> Self {
        Self {
            reserve,
            full: AtomicBool::new(false),
            aside,
            series_error: Mutex::new(None),
            dropped: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
        }
    }

    /// Whether a write failed for want of room or by the hardware, so that
    /// everyone in the transaction is hit. A full quota shows as a failed write.
    pub(super) fn is_the_disks_fault(error: &StoreError) -> bool {
        match error {
            StoreError::DiskFull => true,
            StoreError::Sqlite { error } => {
                error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
            }
            _ => false,
        }
    }

    /// After a write failed with `error`: whether it is worth a second try,
    /// because the reserve was given up for it.
    pub(super) fn made_room(&self, error: &StoreError) -> bool {
        if !Self::is_the_disks_fault(error) {
            return false;
        }
        if matches!(error, StoreError::DiskFull) {
            self.full.store(true, Ordering::Relaxed);
        }
        self.reserve.give_up()
    }

    /// After a write succeeded.
    pub(super) fn wrote(&self) {
        self.full.store(false, Ordering::Relaxed);
    }

    pub(super) fn trouble(&self) -> Vec<Trouble> {
        let mut trouble = Vec::new();
        let reserve_spent = self.reserve.is_spent();
        if reserve_spent || self.full.load(Ordering::Relaxed) {
            trouble.push(Trouble::DiskFull { reserve_spent });
        }
        if let Some(aside) = &self.aside {
            trouble.push(Trouble::SeriesReplaced {
                aside: aside.clone(),
            });
        }
        if let Some(error) = &*locked(&self.series_error) {
            trouble.push(Trouble::SeriesNotWritten {
                error: error.clone(),
            });
        }
        for (count, name) in [
            (
                &self.dropped,
                (|count| Trouble::SamplesDropped { count }) as fn(u64) -> Trouble,
            ),
            (&self.unreadable, |count| Trouble::StatesUnreadable {
                count,
            }),
        ] {
            match count.load(Ordering::Relaxed) {
                0 => {}
                count => trouble.push(name(count)),
            }
        }
        trouble
    }
}
