//! Notices on their way to a channel.

use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::time::Timestamp;

/// The number of a delivery, in the order in which they were committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// A notice to be delivered, as part of a [`Commit`](crate::Commit).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The same on every try, so that a receiver can tell a repetition. One
    /// notice goes to each channel at most once.
    pub notice_id: String,
    /// Where it goes.
    pub channel: ChannelId,
    /// What it is about; `None` for notices about the page or the host.
    pub monitor: Option<MonitorId>,
    /// The notice, as JSON. The store never looks inside.
    pub payload: String,
    /// When the notice was written.
    pub created_at: Timestamp,
    /// The first try is not before this.
    pub not_before: Timestamp,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Not taken by the receiver yet.
    Pending,
    /// Taken by the receiver.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// The word used in the database, the API and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Failed]
            .into_iter()
            .find(|s| s.as_str() == word)
    }
}

/// A delivery as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// The same on every try.
    pub notice_id: String,
    /// Where it goes.
    pub channel: ChannelId,
    /// What it is about.
    pub monitor: Option<MonitorId>,
    /// The notice, as JSON.
    pub payload: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How many tries have ended, since it was last taken up again.
    pub attempts: u32,
    /// When the notice was written.
    pub created_at: Timestamp,
    /// When somebody last had it tried again after it had been given up.
    pub retried_at: Option<Timestamp>,
    /// The next try is not before this.
    pub next_try: Timestamp,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
    /// Why the last try failed; kept after a later success.
    pub last_error: Option<String>,
}

/// Which deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only those to this channel.
    pub channel: Option<ChannelId>,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those older than this one: the cursor of the next page.
    pub before: Option<DeliveryId>,
    /// At most so many.
    pub limit: usize,
}

impl Default for DeliveryQuery {
    /// The newest 100.
    fn default() -> Self {
        Self {
            channel: None,
            state: None,
            before: None,
            limit: 100,
        }
    }
}

/// How many deliveries are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Not taken yet.
    pub pending: u64,
    /// Taken, and not yet pruned.
    pub delivered: u64,
    /// Given up, and not yet pruned.
    pub failed: u64,
    /// When the oldest that is not taken yet was written.
    pub oldest_pending: Option<Timestamp>,
}

/// What became of the wish to try a delivery again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is tried again.
    Yes,
    /// It was not given up: it is still tried, or was taken.
    NotFailed,
    /// There is no such delivery, or not any more.
    Unknown,
}
