//! What is planned, and what people want done to it. Whoever decides stands
//! behind [`Plans`].

use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::id::{MaintenanceId, MonitorId, ServiceId};
use watchkeeper_engine::maintenance::{Phase, Window};
use watchkeeper_engine::time::Timestamp;

/// Knows what is planned.
pub trait Plans: Send + Sync {
    /// Every maintenance that is known; those that begin last come first.
    fn maintenances(&self) -> Vec<MaintenanceRecord>;

    /// What stands in a calendar, earliest first; bounded.
    fn calendar(&self) -> Vec<CalendarEvent>;

    /// Has a wish granted; ready once that would survive the end of the process.
    /// `revision` is the one that whoever wishes has seen, where they say so.
    fn wish(
        &self,
        wish: PlanWish,
        revision: Option<u32>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<MaintenanceRecord, NotPlanned>>;
}

/// A maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceRecord {
    /// Its identifier.
    pub id: MaintenanceId,
    /// What is done, in a line.
    pub title: Arc<str>,
    /// What people will notice of it, in Markdown.
    pub text: Arc<str>,
    /// The services that it covers.
    pub services: Vec<ServiceId>,
    /// The monitors that it covers besides.
    pub monitors: Vec<MonitorId>,
    /// How far it is.
    pub phase: Phase,
    /// The window that goes on or comes next, else the only one there was.
    pub window: Option<Window>,
    /// As it was written.
    pub draft: MaintenanceDraft,
    /// Where it was written.
    pub source: Source,
}

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a file: it can only be changed there.
    File,
    /// Through the API, the command line or the operator's pages.
    Made {
        /// How often it was written, from 1.
        revision: u32,
        /// When it was written first.
        created: Timestamp,
        /// When it was written last.
        updated: Timestamp,
        /// Who wrote it last.
        by: Arc<str>,
    },
}

/// A maintenance as people write it; what makes no sense is refused with its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintenanceDraft {
    /// Its identifier; one is made where there is none.
    pub id: Option<String>,
    /// What is done, in a line.
    pub title: Option<String>,
    /// What people will notice of it, in Markdown.
    pub description: Option<String>,
    /// The ids of services that it covers.
    pub services: Vec<String>,
    /// Monitors that it covers, each as `service/monitor`.
    pub monitors: Vec<String>,
    /// When it begins, for one that comes once.
    pub starts: Option<String>,
    /// When it ends, instead of `lasts`.
    pub ends: Option<String>,
    /// How long it takes.
    pub lasts: Option<String>,
    /// When it begins, as in a crontab, for one that comes again and again.
    pub cron: Option<String>,
    /// The zone of times without an offset.
    pub time_zone: Option<String>,
    /// When it begins no more, with `cron`.
    pub until: Option<String>,
}

/// What people want done to what is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanWish {
    /// That there is a new one.
    Make(MaintenanceDraft),
    /// That one is planned otherwise.
    Change(MaintenanceId, MaintenanceDraft),
    /// That what goes on is over.
    End(MaintenanceId),
    /// That one does not take place, or no longer.
    Cancel(MaintenanceId),
    /// That there never was one.
    Remove(MaintenanceId),
}

/// Why a wish was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPlanned {
    /// There is no such maintenance.
    Unknown,
    /// It stands in a file.
    OfFile,
    /// Somebody wrote it since.
    Stale,
    /// Another one has that id.
    Taken,
    /// It is not such that this can be done.
    Unfit(&'static str),
    /// There are too many.
    Full,
    /// What was written makes no sense: each key with what is wrong with it.
    Wrong(Vec<(&'static str, String)>),
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

/// A window of a maintenance in a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEvent {
    /// The same as long as the window is.
    pub uid: String,
    /// How often it was changed.
    pub sequence: u32,
    /// When it was changed last.
    pub updated: Timestamp,
    /// When it is.
    pub window: Window,
    /// Whether it was called off.
    pub is_cancelled: bool,
    /// What is done, in a line.
    pub title: Arc<str>,
    /// What people will notice of it, in Markdown.
    pub text: Arc<str>,
    /// What it covers, for people.
    pub covers: Vec<String>,
}

impl MaintenanceRecord {
    /// How often it was written; 0 for one of a file.
    pub const fn revision(&self) -> u32 {
        match self.source {
            Source::File => 0,
            Source::Made { revision, .. } => revision,
        }
    }
}

/// Stands in where nothing is planned.
pub(crate) struct NoPlans;

impl Plans for NoPlans {
    fn maintenances(&self) -> Vec<MaintenanceRecord> {
        Vec::new()
    }

    fn calendar(&self) -> Vec<CalendarEvent> {
        Vec::new()
    }

    fn wish(
        &self,
        _: PlanWish,
        _: Option<u32>,
        _: Arc<str>,
    ) -> BoxFuture<'_, Result<MaintenanceRecord, NotPlanned>> {
        Box::pin(async { Err(NotPlanned::Busy) })
    }
}
