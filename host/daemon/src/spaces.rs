//! What plugins keep between runs: one space a target or channel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;
use watchkeeper_engine::id::{ChannelId, TargetId};
use watchkeeper_sandbox::StateSpace;
use watchkeeper_store::{Store, StoreError};

/// All spaces, in memory and in the store.
pub(crate) struct Spaces {
    store: Arc<dyn Store>,
    by_owner: Mutex<HashMap<String, StateSpace>>,
}

impl Spaces {
    /// Reads all spaces from `store`.
    pub(crate) async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let by_owner = store.spaces().await?;
        Ok(Self {
            store,
            by_owner: Mutex::new(by_owner),
        })
    }

    /// What `owner` keeps.
    pub(crate) fn get(&self, owner: &Owner<'_>) -> StateSpace {
        let spaces = self.by_owner.lock().unwrap_or_else(PoisonError::into_inner);
        if spaces.is_empty() {
            return StateSpace::default();
        }
        spaces.get(&owner.key()).cloned().unwrap_or_default()
    }

    /// Keeps `space` for `owner`. A store that cannot write it loses it at the
    /// next restart; the run that wrote it counts all the same.
    pub(crate) async fn put(&self, owner: &Owner<'_>, space: StateSpace) {
        let key = owner.key();
        if let Err(problem) = self.store.put_space(key.clone(), space.clone()).await {
            error!(?owner, %problem, "plugin state cannot be kept");
        }
        self.by_owner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, space);
    }
}

/// Whose space it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    /// That of a probe for one target.
    Target(&'a TargetId),
    /// That of a notifier for one channel.
    Channel(&'a ChannelId),
}

impl Owner<'_> {
    fn key(&self) -> String {
        match self {
            Self::Target(target) => format!("target:{}:{}", target.monitor(), target.address()),
            Self::Channel(channel) => format!("channel:{channel}"),
        }
    }
}
