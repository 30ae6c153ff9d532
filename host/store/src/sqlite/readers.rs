//! Connections that only read, off the runtime's threads.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{database, locked};
use crate::error::StoreError;

/// How many reads of one file run at once. More wait in line.
const CONNECTIONS: u32 = 4;

/// A few connections to one file.
#[derive(Clone)]
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        let idle: Result<Vec<_>, _> = (0..CONNECTIONS)
            .map(|_| database::open_reader(file))
            .collect();
        Ok(Self {
            permits: Arc::new(Semaphore::new(CONNECTIONS as usize)),
            idle: Arc::new(Mutex::new(idle?)),
        })
    }

    /// Runs `read` on a blocking thread, with a connection of its own.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)?;
        let idle = Arc::clone(&self.idle);
        tokio::task::spawn_blocking(move || {
            let mut connection = locked(&idle).pop().ok_or(StoreError::Closed)?;
            let answer = read(&mut connection);
            locked(&idle).push(connection);
            // Only now may the next one look for a connection.
            drop(permit);
            answer
        })
        .await
        .unwrap_or(Err(StoreError::Closed))
    }

    /// Waits for reads under way and closes the connections, so that the writer
    /// is the last to close the file and leaves no WAL behind.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(CONNECTIONS).await {
            self.permits.close();
            locked(&self.idle).clear();
            drop(all);
        }
    }
}
