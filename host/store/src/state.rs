//! What the engine decided: states that go on, and changes that are history.

use std::collections::{BTreeMap, HashMap};

use watchkeeper_engine::change::Change;
use watchkeeper_engine::id::{MonitorId, ServiceId, TargetId};
use watchkeeper_engine::monitor::MonitorState;
use watchkeeper_engine::network::NetworkState;
use watchkeeper_engine::passive::Heard;
use watchkeeper_engine::target::TargetState;
use watchkeeper_engine::telling::Told;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;

use crate::breach::Breach;
use crate::document::{Document, DocumentKey};
use crate::incident::{IncidentEntry, IncidentRow};
use crate::outbox::NewDelivery;

/// What a route is known by. Whoever configures routes sees to it that a route
/// keeps its key over a restart and that no two share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey(pub String);

/// What one plugin keeps between its runs for one owner.
pub type Space = BTreeMap<String, Vec<u8>>;

/// Everything the engine needs to go on.
///
/// Also of things that are no longer configured; whoever loads leaves those
/// out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The targets of which anything was ever known.
    pub targets: HashMap<TargetId, TargetState>,
    /// The monitors of which anything was ever known.
    pub monitors: HashMap<MonitorId, MonitorState>,
    /// What each route was told of each monitor.
    pub told: Vec<(RouteKey, MonitorId, Told)>,
    /// How the host's own network stood.
    pub network: NetworkState,
    /// What targets said that tell how they are.
    pub heard: HashMap<TargetId, Heard>,
    /// When the last process was last known to listen to them; `None` if none
    /// ever did.
    pub alive_at: Option<Timestamp>,
    /// What the host noted for itself, by name.
    pub notes: BTreeMap<String, String>,
    /// What people wrote.
    pub documents: BTreeMap<DocumentKey, Document>,
}

/// What one decision leaves behind. Everything in it is written, or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// How these targets stand from now on.
    pub targets: Vec<(TargetId, TargetState)>,
    /// How these monitors stand from now on.
    pub monitors: Vec<(MonitorId, MonitorState)>,
    /// What these routes have been told from now on.
    pub told: Vec<(RouteKey, MonitorId, Told)>,
    /// How the host's own network stands from now on; `None` leaves it.
    pub network: Option<NetworkState>,
    /// What these targets said that tell how they are; `None` forgets the target,
    /// its state included.
    pub heard: Vec<(TargetId, Option<Heard>)>,
    /// That somebody listens to them now; `None` leaves what was known.
    pub alive_at: Option<Timestamp>,
    /// What the host notes for itself, by name: `None` removes a note. The store
    /// never looks inside.
    pub notes: BTreeMap<String, Option<String>>,
    /// What has changed, in order.
    pub changes: Vec<NewChange>,
    /// How these incidents stand from now on.
    pub incidents: Vec<IncidentRow>,
    /// What happened to incidents.
    pub entries: Vec<IncidentEntry>,
    /// What people wrote; `None` removes it.
    pub documents: BTreeMap<DocumentKey, Option<Document>>,
    /// Promises that were not kept, and who has been told of them.
    pub breaches: Vec<Breach>,
    /// Who is to be told, in order.
    pub deliveries: Vec<NewDelivery>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A monitor as a whole.
    Monitor(MonitorId),
    /// One target of a monitor.
    Target(TargetId),
}

impl Subject {
    /// The monitor, or the one that the target belongs to.
    pub const fn monitor(&self) -> &MonitorId {
        match self {
            Self::Monitor(monitor) => monitor,
            Self::Target(target) => target.monitor(),
        }
    }

    /// The address of the target; `None` for a monitor.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Monitor(_) => None,
            Self::Target(target) => Some(target.address()),
        }
    }
}

/// A change to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    /// What has changed.
    pub subject: Subject,
    /// From what to what, when and why.
    pub change: Change,
    /// Whether maintenance covered it.
    pub maintained: Maintained,
    /// The parent whose outage explains it, so that nobody was told of this one.
    pub folded_into: Option<MonitorId>,
}

/// The number of a change, in the order in which they were committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub i64);

/// A change as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its number.
    pub id: ChangeId,
    /// What was committed.
    pub entry: NewChange,
}

/// Whose changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Everyone's.
    #[default]
    All,
    /// Those of a service: of its monitors and their targets.
    Service(ServiceId),
    /// Those of a monitor and of its targets.
    Monitor(MonitorId),
    /// Those of one target.
    Target(TargetId),
}

/// Which kind of subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectKind {
    /// Monitors and targets.
    #[default]
    Any,
    /// Only monitors as a whole.
    Monitors,
    /// Only targets.
    Targets,
}

/// Which changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeQuery {
    /// Whose.
    pub whose: Whose,
    /// Of which kind of subject.
    pub kind: SubjectKind,
    /// Only those decided at this time or later.
    pub since: Option<Timestamp>,
    /// Only those older than this one: the cursor of the next page.
    pub before: Option<ChangeId>,
    /// At most so many.
    pub limit: usize,
}

impl Default for ChangeQuery {
    /// The newest 100 of everything.
    fn default() -> Self {
        Self {
            whose: Whose::All,
            kind: SubjectKind::Any,
            since: None,
            before: None,
            limit: 100,
        }
    }
}
