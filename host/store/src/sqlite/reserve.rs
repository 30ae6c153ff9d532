//! Room on the disk that is kept for the moment when there is none.
//!
//! On a full disk SQLite in WAL mode cannot even delete or checkpoint, so only
//! space from elsewhere helps: a file of no use, which is removed when a write
//! fails for want of room, and made again when there is plenty.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing::{info, warn};

use super::folder::with_suffix;
use super::locked;

/// The file, and whether it is there.
pub(super) struct Reserve {
    path: PathBuf,
    size: u64,
    spent: Mutex<bool>,
}

impl Reserve {
    /// Takes the reserve of `size` bytes at `path`, unless the disk is too full
    /// for it.
    pub(super) fn take(path: PathBuf, size: u64) -> Self {
        let there = fs::metadata(&path).is_ok_and(|file| file.len() == size);
        let reserve = Self {
            path,
            size,
            spent: Mutex::new(!there),
        };
        reserve.take_back();
        reserve
    }

    /// Gives the room back to the disk. Whether there was any to give.
    pub(super) fn give_up(&self) -> bool {
        let mut spent = locked(&self.spent);
        if *spent {
            return false;
        }
        *spent = true;
        match fs::remove_file(&self.path) {
            Ok(()) => {
                warn!(file = %self.path.display(), bytes = self.size, "disk full: reserve given up");
                true
            }
            Err(_) => false,
        }
    }

    /// Makes the file again if it was given up and the disk has room for it
    /// twice: to take the last free bytes would fill the disk anew.
    pub(super) fn take_back(&self) {
        let mut spent = locked(&self.spent);
        if !*spent {
            return;
        }
        let part = with_suffix(&self.path, ".part");
        match self.write(&part) {
            Ok(()) => {
                *spent = false;
                info!(file = %self.path.display(), bytes = self.size, "reserve taken");
            }
            Err(error) => {
                warn!(file = %self.path.display(), %error, "no room for the reserve");
                if let Err(error) = fs::remove_file(&part)
                    && error.kind() != io::ErrorKind::NotFound
                {
                    warn!(file = %part.display(), %error, "cannot remove");
                }
            }
        }
    }

    /// Whether the reserve is gone.
    pub(super) fn is_spent(&self) -> bool {
        *locked(&self.spent)
    }

    fn write(&self, part: &std::path::Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(part)?;
        // Bytes without a pattern, because file systems that compress would
        // otherwise keep no room.
        let mut noise: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut chunk = Vec::with_capacity(1 << 16);
        let mut left = self.size.saturating_mul(2);
        while left > 0 {
            chunk.clear();
            while chunk.len() < 1 << 16 {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                chunk.extend_from_slice(&noise.to_le_bytes());
            }
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            chunk.truncate(take);
            file.write_all(&chunk)?;
            left = left.saturating_sub(take as u64);
        }
        file.sync_all()?;
        file.set_len(self.size)?;
        file.sync_all()?;
        fs::rename(part, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_up_once_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballast");
        let reserve = Reserve::take(path.clone(), 100_000);
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
        assert!(reserve.give_up());
        assert!(!path.exists());
        assert!(!reserve.give_up());
        assert!(reserve.is_spent());
        reserve.take_back();
        assert!(!reserve.is_spent());
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
    }
}
