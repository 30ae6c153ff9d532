//! What a notifier is given to tell.

use std::time::Duration;

use crate::run::Verdict;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The host started.
    Startup,
    /// A monitor's or service's health changed.
    Changed,
    /// It is still not healthy.
    Reminder,
    /// An incident was opened, updated or resolved.
    Incident,
    /// A maintenance was scheduled, began or ended.
    Maintenance,
    /// An announcement was published.
    Announcement,
    /// A service-level target was missed.
    Breach,
    /// An operator tries the channel out.
    Trial,
}

/// A target that a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// `service:monitor:target`, as in the status page's JSON.
    pub id: String,
    /// The service's label.
    pub service: String,
    /// The monitor's label.
    pub monitor: String,
    /// What it is now.
    pub health: Verdict,
    /// Why.
    pub reason: Option<String>,
    /// Since when, as time since 1970-01-01T00:00:00Z.
    pub since: Duration,
}

/// What to tell. The words of the plugin contract, whatever its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The same for every attempt to deliver this notice.
    pub id: String,
    /// What happened.
    pub occasion: Occasion,
    /// The health now.
    pub health: Verdict,
    /// The health before.
    pub previous: Option<Verdict>,
    /// When, as time since 1970-01-01T00:00:00Z.
    pub at: Duration,
    /// One line, in words.
    pub title: String,
    /// More lines, plain text; may be empty.
    pub body: String,
    /// The targets that it is about.
    pub affected: Vec<Affected>,
    /// How long it has lasted, for reminders and recoveries.
    pub lasted: Option<Duration>,
    /// 0 for the first notice, then 1, 2, … for reminders.
    pub reminder: u32,
    /// The status page's title.
    pub page_title: String,
    /// The status page's address.
    pub page_url: String,
    /// The address of the incident's page, if there is one.
    pub incident_url: Option<String>,
    /// The same for every notice about one outage or incident, its recovery
    /// included.
    pub thread: String,
    /// When the outage or incident began, as time since 1970-01-01T00:00:00Z.
    pub started: Option<Duration>,
    /// A signed address where a person acknowledges; opening it changes nothing
    /// by itself.
    pub acknowledge_url: Option<String>,
}
