//! What is kept of the past and asked for by address: incidents and notices.
//! Whoever keeps it stands behind [`Records`].

use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::id::{ChannelId, MonitorId, ServiceId};
use watchkeeper_engine::time::Timestamp;

use crate::intake::Refusal;
use crate::view::{Impact, IncidentView, Stage};

/// What was asked of [`Records`]: ready within some seconds.
pub type Found<'a, T> = BoxFuture<'a, Result<T, Refusal>>;

/// Finds what is kept, and does what people want done with it.
pub trait Records: Send + Sync {
    /// The incident with this number.
    fn incident(&self, number: u32) -> Found<'_, Option<IncidentRecord>>;

    /// Incidents, newest first.
    fn incidents(&self, wanted: WantedIncidents) -> Found<'_, Vec<IncidentRecord>>;

    /// Notes that `by` has taken an incident; ready once that would survive the end
    /// of the process. Who was first stays, and is the answer.
    fn acknowledge(
        &self,
        number: u32,
        by: Arc<str>,
        note: Arc<str>,
    ) -> BoxFuture<'_, Result<Taken, NotTaken>>;

    /// Does what people want done to incidents; ready once that would survive the end
    /// of the process. `revision` is the one that whoever asks has seen, where they
    /// say so. Who only looks things up cannot.
    fn tell(
        &self,
        deed: Deed,
        revision: Option<u32>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<IncidentRecord, NotTold>> {
        _ = (deed, revision, by);
        Box::pin(async { Err(NotTold::Busy) })
    }

    /// Whether a link is one that was given to somebody, and still good.
    fn is_good(&self, link: &Link<'_>) -> Result<(), BadLink>;

    /// Notices on their way and delivered, newest first.
    fn deliveries(&self, wanted: WantedDeliveries) -> Found<'_, Vec<DeliveryRecord>>;

    /// Has a notice that was given up tried again.
    fn retry(&self, number: i64) -> Found<'_, Retry>;
}

/// An incident as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentRecord {
    /// Its number.
    pub number: u32,
    /// What the public sees.
    pub view: IncidentView,
    /// How far the work on it is.
    pub stage: Stage,
    /// Who opened it: `outage` or `people`.
    pub origin: &'static str,
    /// The services that it has hit, first that whose outage it is.
    pub services: Vec<ServiceId>,
    /// How often it was gone on with after it seemed to be over.
    pub reopened: u32,
    /// Who has taken it.
    pub taken: Option<Taken>,
    /// The incident as which it goes on.
    pub merged_into: Option<u32>,
    /// Its whole timeline, oldest first.
    pub entries: Vec<EntryRecord>,
    /// Whether the public must not know of it.
    pub private: bool,
}

/// What people do to incidents. Texts are Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// They open one.
    Open {
        /// What happened, in a line.
        title: Arc<str>,
        /// What it hits, first that whose incident it is; at least one.
        services: Vec<ServiceId>,
        /// How bad it is.
        impact: Impact,
        /// How far the work on it is.
        stage: Stage,
        /// What to say first; may be empty.
        text: Arc<str>,
        /// When it began, if not now.
        started: Option<Timestamp>,
    },
    /// They change what it is; `None` leaves something.
    Change {
        /// Which one.
        number: u32,
        /// What happened, in a line.
        title: Option<Arc<str>>,
        /// What it hits.
        services: Option<Vec<ServiceId>>,
        /// How bad it is.
        impact: Option<Impact>,
    },
    /// They say what is going on.
    Update {
        /// In which one.
        number: u32,
        /// What.
        text: Arc<str>,
        /// Whether everyone may see it.
        public: bool,
        /// How far the work is from now on.
        stage: Option<Stage>,
    },
    /// They say what there was to learn.
    Postmortem {
        /// Of which one.
        number: u32,
        /// What.
        text: Arc<str>,
    },
    /// It goes on as another one.
    Merge {
        /// Which one.
        number: u32,
        /// As which.
        into: u32,
    },
}

/// Why something cannot be done to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTold {
    /// There is none with this number.
    Unknown,
    /// Somebody wrote it since.
    Stale,
    /// There is no such service.
    NoService(ServiceId),
    /// It is not such that this can be done.
    Unfit(&'static str),
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

impl IncidentRecord {
    /// Another one after everything that happens to it.
    pub fn revision(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }
}

/// Something on a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRecord {
    /// When.
    pub at: Timestamp,
    /// The word for what kind of thing it is.
    pub kind: &'static str,
    /// How far the work was from then on.
    pub stage: Stage,
    /// Whether everyone may see it.
    pub public: bool,
    /// The monitor that it is about.
    pub monitor: Option<MonitorId>,
    /// Who did it.
    pub author: Option<Arc<str>>,
    /// What happened.
    pub text: Arc<str>,
}

/// Who has taken an incident, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// Why an incident cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// There is none with this number.
    Unknown,
    /// It is over.
    Over,
    /// It could not be noted within some seconds, or not be kept.
    Busy,
}

/// Which incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedIncidents {
    /// Only those that go on, or only those that are over.
    pub open: Option<bool>,
    /// Only those that hit this service.
    pub service: Option<ServiceId>,
    /// Only those that began at the first time or later, and before the second.
    pub started: Option<(Timestamp, Timestamp)>,
    /// Only those with a smaller number.
    pub before: Option<u32>,
    /// Also those that the public must not know of.
    pub private_too: bool,
    /// At most so many.
    pub limit: usize,
}

/// What a link says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The number of the incident.
    pub incident: u32,
    /// Until when it is good, in seconds since the epoch.
    pub until: i64,
    /// The channel that it went to.
    pub channel: &'a str,
    /// What makes it good.
    pub signature: &'a str,
}

/// Why a link is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLink {
    /// Nobody was given it.
    Forged,
    /// It was good once.
    Expired,
}

/// Which notices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedDeliveries {
    /// Only those to this channel.
    pub channel: Option<ChannelId>,
    /// Only those in this state.
    pub state: Option<Delivered>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// How far a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Not taken by the receiver yet.
    Pending,
    /// Taken.
    Delivered,
    /// Given up.
    Failed,
}

/// A notice on its way to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Its number.
    pub number: i64,
    /// The same on every try.
    pub notice: String,
    /// Where it goes.
    pub channel: ChannelId,
    /// What it is about.
    pub monitor: Option<MonitorId>,
    /// Its first line; empty where it cannot be read.
    pub title: String,
    /// How far it is.
    pub state: Delivered,
    /// How many tries have ended.
    pub attempts: u32,
    /// When the notice was written.
    pub created: Timestamp,
    /// When it is tried next, while it is not finished.
    pub next_try: Option<Timestamp>,
    /// When it was delivered or given up.
    pub finished: Option<Timestamp>,
    /// Why the last try failed, in the receiver's words, without secrets.
    pub error: Option<String>,
}

/// What became of the wish to try a notice again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It is tried again.
    Yes,
    /// It was not given up.
    NotFailed,
    /// There is no such notice.
    Unknown,
}

impl Delivered {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The one that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Stands in where nothing is kept.
pub(crate) struct Nothing;

impl Records for Nothing {
    fn incident(&self, _: u32) -> Found<'_, Option<IncidentRecord>> {
        Box::pin(async { Ok(None) })
    }

    fn incidents(&self, _: WantedIncidents) -> Found<'_, Vec<IncidentRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn acknowledge(
        &self,
        _: u32,
        _: Arc<str>,
        _: Arc<str>,
    ) -> BoxFuture<'_, Result<Taken, NotTaken>> {
        Box::pin(async { Err(NotTaken::Unknown) })
    }

    fn is_good(&self, _: &Link<'_>) -> Result<(), BadLink> {
        Err(BadLink::Forged)
    }

    fn deliveries(&self, _: WantedDeliveries) -> Found<'_, Vec<DeliveryRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn retry(&self, _: i64) -> Found<'_, Retry> {
        Box::pin(async { Ok(Retry::Unknown) })
    }
}
