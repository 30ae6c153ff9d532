//! What is said to the one task that decides beside readings and reports.

use std::time::Duration;

use tokio::sync::oneshot;
use watchkeeper_engine::id::ChannelId;

/// How many may wait.
pub(crate) const QUEUE: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) enum Aside {
    /// Nobody is to be reminded for so long; zero takes that back.
    Hush {
        span: Duration,
        /// Told once that would survive the end of the process.
        done: oneshot::Sender<()>,
    },
    /// Why a channel keeps failing, or that it works.
    Channel {
        channel: ChannelId,
        why: Option<String>,
    },
}
