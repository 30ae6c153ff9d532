//! Incidents: what is remembered of each, and its timeline.

use std::sync::Arc;

use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::incident::{Incident, IncidentId, Stage};
use watchkeeper_engine::time::Timestamp;

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRow {
    /// Its number.
    pub id: IncidentId,
    /// What happened, in a line, for the public.
    pub title: Arc<str>,
    /// What the engine remembers of it.
    pub incident: Incident,
}

/// Something on the timeline of an incident. Once committed it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentEntry {
    /// Of which incident.
    pub incident: IncidentId,
    /// Which one of its timeline, from 0. A number that is there already is not
    /// written again, so that a commit may be repeated after an error.
    pub number: u32,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing it is.
    pub kind: EntryKind,
    /// How far the work was from then on.
    pub stage: Stage,
    /// Who may see it.
    pub audience: Audience,
    /// The monitor that it is about.
    pub monitor: Option<MonitorId>,
    /// Who did it; `None` for what happened by itself.
    pub author: Option<Arc<str>>,
    /// What happened, for people.
    pub text: Arc<str>,
}

/// What kind of thing is on a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// It began.
    Opened,
    /// It had ended, and goes on.
    Reopened,
    /// A monitor's health changed.
    Change,
    /// A monitor belongs to it no longer.
    Left,
    /// It is worse than was known.
    Severity,
    /// The work on it is at another stage.
    Stage,
    /// Somebody has taken it.
    Acknowledged,
    /// A notice was put on its way.
    Told,
    /// What somebody had to say, in Markdown.
    Update,
    /// Somebody changed what it is.
    Changed,
    /// It goes on as another one, or another one as it.
    Merged,
    /// What there was to learn, in Markdown. Of several the last counts.
    Postmortem,
}

/// Who may see something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Everyone.
    Public,
    /// Who has access to the API or the operator's pages.
    Internal,
}

/// An incident with its timeline, oldest entry first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentStory {
    /// How it stands.
    pub row: IncidentRow,
    /// What happened.
    pub entries: Vec<IncidentEntry>,
}

/// Whether incidents go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// Both.
    #[default]
    Any,
    /// Only those that go on.
    No,
    /// Only those that are over.
    Yes,
}

/// Which incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Whether they go on.
    pub ended: Ended,
    /// Only those that hit this service.
    pub service: Option<ServiceId>,
    /// Only those that began at the first time or later, and before the second.
    pub started: Option<(Timestamp, Timestamp)>,
    /// Only those that go on or ended at this time or later.
    pub live_since: Option<Timestamp>,
    /// Only those with a smaller number: the cursor of the next page.
    pub before: Option<IncidentId>,
    /// At most so many.
    pub limit: usize,
}

impl Default for IncidentQuery {
    /// The newest 100.
    fn default() -> Self {
        Self {
            ended: Ended::Any,
            service: None,
            started: None,
            live_since: None,
            before: None,
            limit: 100,
        }
    }
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Opened,
        Self::Reopened,
        Self::Change,
        Self::Left,
        Self::Severity,
        Self::Stage,
        Self::Acknowledged,
        Self::Told,
        Self::Update,
        Self::Changed,
        Self::Merged,
        Self::Postmortem,
    ];

    /// The word used in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Change => "change",
            Self::Left => "left",
            Self::Severity => "severity",
            Self::Stage => "stage",
            Self::Acknowledged => "acknowledged",
            Self::Told => "told",
            Self::Update => "update",
            Self::Changed => "changed",
            Self::Merged => "merged",
            Self::Postmortem => "postmortem",
        }
    }

    /// The kind that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
