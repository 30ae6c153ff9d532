//! Whose turn it is to have an instance.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::run::Fault;
use crate::sandbox::Inner;

/// The right to have one instance. Given back when dropped, which must come after
/// the store's.
pub(crate) struct Turn {
    _plugin: OwnedSemaphorePermit,
    _sandbox: OwnedSemaphorePermit,
}

impl Turn {
    /// Waits for a free instance, the plugin's own share first: a plugin that
    /// waits for its share holds nothing of the others'.
    pub(crate) async fn take(
        sandbox: &Inner,
        plugin: &Arc<Semaphore>,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        if let (Ok(plugin), Ok(sandbox)) = (
            plugin.clone().try_acquire_owned(),
            sandbox.instances.clone().try_acquire_owned(),
        ) {
            return Ok(Self {
                _plugin: plugin,
                _sandbox: sandbox,
            });
        }
        let both = async {
            let plugin = plugin.clone().acquire_owned().await.ok()?;
            let sandbox = sandbox.instances.clone().acquire_owned().await.ok()?;
            Some(Self {
                _plugin: plugin,
                _sandbox: sandbox,
            })
        };
        match tokio::time::timeout(timeout, both).await {
            Ok(Some(turn)) => Ok(turn),
            Ok(None) => Err(Fault::Host("the sandbox is closed".to_owned())),
            Err(_elapsed) => Err(Fault::Host(format!("no instance was free for {timeout:?}"))),
        }
    }
}
