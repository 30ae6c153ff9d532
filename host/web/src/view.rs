//! What the page shows, as plain data. Whoever publishes a view decides what is
//! true; this crate decides only how it is said.
//!
//! Views are compared with what was published before, so what did not change
//! should be the same `Arc`: that comparison is one of pointers.

use std::sync::Arc;

use jiff::tz::TimeZone;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::monitor;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Uptime;

use crate::locale::{Language, Locale};
use crate::look::Look;
use crate::words;

/// How many days the bars of a monitor show.
pub const DAYS: usize = 90;

/// Everything the page shows at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// What the page is called: `Acme Status`.
    pub title: Arc<str>,
    /// Whose page it is.
    pub company: Option<Arc<str>>,
    /// A sentence for search engines and link previews; one about the present
    /// health is used where there is none.
    pub description: Option<Arc<str>>,
    /// Where the company lives, as `https:` or `http:` address; shown in the
    /// footer. Any other scheme is left out.
    pub website: Option<Arc<str>>,
    /// Where to ask for help, as `https:`, `http:` or `mailto:` address; shown in
    /// the footer. Any other scheme is left out.
    pub support: Option<Arc<str>>,
    /// Where people find this page, for machine-readable reports.
    pub public_url: Option<Arc<str>>,
    /// The languages that the page is offered in, that of those who ask for none of
    /// them first; all, beginning with English, where there are none here.
    pub languages: Arc<[Language]>,
    /// The zone in which times are told, by its name in the IANA database; UTC where
    /// there is none or it is not known.
    pub time_zone: Option<Arc<str>>,
    /// The pages that may show `/embed` in a frame: origins, or `*` for all.
    pub embed_on: Arc<[Arc<str>]>,
    /// How the page looks; plainly where nothing is said.
    pub look: Option<Arc<Look>>,
    /// How all services together are.
    pub health: Overall,
    /// What the public knows, in the order of the configuration. Identifiers are
    /// unique.
    pub services: Vec<Arc<ServiceView>>,
    /// What people should know whatever the health is; newest first.
    pub announcements: Vec<AnnouncementView>,
    /// What is being worked on; newest first.
    pub incidents: Vec<IncidentView>,
    /// What is planned or under way; soonest first.
    pub maintenance: Vec<MaintenanceView>,
    /// What happened lately; `None` where incidents are not kept, so that the
    /// page does not claim that there were none.
    pub past: Option<PastView>,
    /// The pages that show some of this under other names.
    pub others: Arc<[OtherPage]>,
    /// When the last check ended; `None` before the first.
    pub checked_at: Option<Timestamp>,
    /// When this view was made.
    pub now: Timestamp,
}

impl View {
    /// The languages that the page is offered in.
    pub(crate) fn languages(&self) -> &[Language] {
        if self.languages.is_empty() {
            &Language::ALL
        } else {
            &self.languages
        }
    }

    /// The name of the zone in which times are told.
    pub(crate) fn zone_name(&self) -> &str {
        self.time_zone.as_deref().unwrap_or("UTC")
    }

    /// How this language tells the times of this page.
    pub(crate) fn locale(&self, language: Language) -> Locale {
        let zone = TimeZone::get(self.zone_name());
        Locale {
            language,
            zone: zone.unwrap_or(TimeZone::UTC),
            look: self.look.clone().unwrap_or_else(Look::plain),
            is_choosable: self.languages().len() > 1,
        }
    }

    /// Where people find the page, without a slash at its end; where that is not
    /// known, an address that leads nowhere.
    pub(crate) fn base(&self) -> &str {
        let known = self.public_url.as_deref().and_then(words::web_address);
        known.unwrap_or("http://localhost").trim_end_matches('/')
    }

    /// What of it the public may see.
    pub(crate) fn for_public(mut self) -> Self {
        let is_private = |service: &Arc<ServiceView>| {
            service.private || service.monitors.iter().any(|monitor| monitor.private)
        };
        if !self.services.iter().any(is_private) {
            return self;
        }
        self.services.retain(|service| !service.private);
        for service in &mut self.services {
            if is_private(service) {
                let service = Arc::make_mut(service);
                service.monitors.retain(|monitor| !monitor.private);
                service.health = service.public_health.unwrap_or_default();
            }
        }
        // Of a service whose monitors are all private there is nothing to see.
        self.services.retain(|service| !service.monitors.is_empty());
        let page = monitor::page(self.services.iter().map(|service| service.health));
        self.health = Overall::new(page.worst, page.partial);
        let services = &self.services;
        let is_seen = |affected: &Affected| {
            services.iter().any(|service| match &affected.part {
                Part::Service(id) => service.id == *id,
                Part::Monitor(id) => service.monitors.iter().any(|monitor| monitor.id == *id),
            })
        };
        // What affects nothing that can be seen is not to be told of; what never said
        // what it affects is.
        let keep = |affects: &mut Vec<Affected>| {
            let said = !affects.is_empty();
            affects.retain(is_seen);
            !said || !affects.is_empty()
        };
        self.incidents
            .retain_mut(|incident| keep(&mut incident.affects));
        self.maintenance
            .retain_mut(|maintenance| keep(&mut maintenance.affects));
        if let Some(past) = &mut self.past {
            past.incidents
                .retain_mut(|incident| keep(&mut incident.affects));
        }
        self
    }
}

/// A page beside the main one, which browsers ask for by another name.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherPage {
    /// The name: `status.shop.example`, without a port.
    pub domain: Arc<str>,
    /// The services that it shows; all where nothing is said.
    pub services: Option<Arc<[ServiceId]>>,
    /// As in [`View`], and so the next ones.
    pub title: Arc<str>,
    /// Whose page it is.
    pub company: Option<Arc<str>>,
    /// A sentence for search engines and link previews.
    pub description: Option<Arc<str>>,
    /// Where the company lives.
    pub website: Option<Arc<str>>,
    /// Where to ask for help.
    pub support: Option<Arc<str>>,
    /// The languages that it is offered in.
    pub languages: Arc<[Language]>,
    /// The zone in which times are told.
    pub time_zone: Option<Arc<str>>,
    /// The pages that may show its `/embed` in a frame.
    pub embed_on: Arc<[Arc<str>]>,
    /// How it looks.
    pub look: Option<Arc<Look>>,
}

/// How the page as a whole is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overall {
    /// Every service works.
    Healthy,
    /// At least one service is sick, none is dead.
    Sick,
    /// Some services are dead, others are not.
    Partial,
    /// All services are dead.
    Dead,
    /// Nothing is known to be wrong, but of some services nothing is known.
    #[default]
    Unknown,
}

impl Overall {
    /// The worst health of all services, where `partial` says whether some are
    /// dead while others are not.
    pub const fn new(worst: Health, partial: bool) -> Self {
        match worst {
            Health::Healthy => Self::Healthy,
            Health::Unknown => Self::Unknown,
            Health::Sick => Self::Sick,
            Health::Dead if partial => Self::Partial,
            Health::Dead => Self::Dead,
        }
    }
}

/// A service: what the public knows.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceView {
    /// Its identifier.
    pub id: ServiceId,
    /// Its name for people.
    pub label: Arc<str>,
    /// What it is, in a few words.
    pub description: Option<Arc<str>>,
    /// Whether the public must not know that there is such a service.
    pub private: bool,
    /// How the public sees that it is, where that is not how it is: some of its
    /// monitors are private.
    pub public_health: Option<Health>,
    /// How it is.
    pub health: Health,
    /// Whether a maintenance covers it now.
    pub maintained: bool,
    /// The checks on it, in the order of the configuration.
    pub monitors: Vec<Arc<MonitorView>>,
}

/// One kind of check on a service.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorView {
    /// Its identifier; unique on the page.
    pub id: MonitorId,
    /// Its name for people.
    pub label: Arc<str>,
    /// Whether the public must not know that there is such a monitor.
    pub private: bool,
    /// How it is.
    pub health: Health,
    /// Whether a maintenance covers it now.
    pub maintained: bool,
    /// Whether people have paused it: nobody checks it, and it counts for nothing.
    pub paused: bool,
    /// Since when it has this health, if that is known.
    pub since: Option<Timestamp>,
    /// How long its checks typically take lately, in milliseconds.
    pub latency_ms: Option<u32>,
    /// Latencies in milliseconds, oldest first, evenly spaced; `None` where there
    /// is a gap. Empty where no curve should be shown.
    pub spark: Vec<Option<f32>>,
    /// What the days were like, oldest first, today last; the latest [`DAYS`] are
    /// shown, and missing ones are shown as days without data.
    pub days: Vec<Day>,
    /// When the first of `days` began: midnight UTC.
    pub first_day: Timestamp,
    /// The share of the time shown in which it was not dead; `None` if it was
    /// never checked.
    pub uptime: Option<Uptime>,
    /// For how many minutes of the days shown it was under maintenance, which the
    /// share leaves out.
    pub excluded_minutes: u32,
    /// What it checks, in the order of the configuration.
    pub targets: Vec<TargetView>,
}

/// What a day was like for a monitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// The worst of the day.
    pub state: DayState,
    /// For how many minutes it was not healthy, or under maintenance.
    pub affected_minutes: u32,
    /// Why, in the words of the probe or of people.
    pub why: Option<Arc<str>>,
}

/// The worst that a day saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DayState {
    /// Nothing is known of the day.
    #[default]
    NoData,
    /// Healthy whenever it was looked at.
    Healthy,
    /// Sick at times.
    Sick,
    /// Dead in part: some targets were dead while others were not.
    Partial,
    /// Dead at times.
    Dead,
    /// Under maintenance at times, and otherwise healthy.
    Maintenance,
}

/// One address that a monitor checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// What to call it: its host, or what tells it from the monitor's others.
    pub name: Arc<str>,
    /// Its address, without what may be a secret; for what is told, its replica's
    /// name. Not shown.
    pub address: Arc<str>,
    /// How it is.
    pub health: Health,
    /// Whether a maintenance covers it now.
    pub maintained: bool,
    /// How long its last check took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// Figures beside the latency: `CPU 12 %, RAM 40 %`.
    pub figures: Option<Arc<str>>,
    /// When it was heard of last, where it tells how it is by itself.
    pub heard_at: Option<Timestamp>,
    /// Why it is not healthy; shown only then.
    pub reason: Option<Arc<str>>,
}

/// Something people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementView {
    /// Its identifier, unique among announcements.
    pub id: Arc<str>,
    /// What kind of announcement it is.
    pub kind: NoteKind,
    /// Whether it stands above those that are not.
    pub pinned: bool,
    /// Whether the text is Markdown.
    pub is_markdown: bool,
    /// The sentence to begin with.
    pub title: Arc<str>,
    /// What else there is to say; may be empty. Blank lines make paragraphs.
    pub text: Arc<str>,
    /// Where to read more: the words of the link and an `https:` or `http:`
    /// address. Any other scheme is left out.
    pub link: Option<(Arc<str>, Arc<str>)>,
    /// When it was announced.
    pub at: Timestamp,
}

/// What kind of announcement something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// Good to know.
    #[default]
    Information,
    /// Something will be otherwise than people are used to.
    Warning,
    /// Something does not work.
    Outage,
    /// Something works again, or is there that was not.
    Operational,
}

impl NoteKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Information,
        Self::Warning,
        Self::Outage,
        Self::Operational,
    ];

    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Outage => "outage",
            Self::Operational => "operational",
        }
    }

    /// The kind that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A story told to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentView {
    /// Its identifier, unique among incidents.
    pub id: Arc<str>,
    /// What happened, in a line.
    pub title: Arc<str>,
    /// How bad it is.
    pub impact: Impact,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it goes on.
    pub resolved: Option<Timestamp>,
    /// What it affects.
    pub affects: Vec<Affected>,
    /// What was said, newest first.
    pub updates: Vec<UpdateView>,
    /// What there was to learn, in Markdown.
    pub postmortem: Option<Arc<str>>,
}

/// How bad an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Impact {
    /// Few notice it.
    Minor,
    /// Many notice it.
    Major,
    /// Nothing works.
    Critical,
}

/// A part of the page that an incident or a maintenance affects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// Its name for people.
    pub label: Arc<str>,
    /// Where it stands on the page.
    pub part: Part,
}

/// A place on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A service.
    Service(ServiceId),
    /// A monitor.
    Monitor(MonitorId),
}

/// What was said about an incident at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateView {
    /// How far the work was.
    pub stage: Stage,
    /// When it was said.
    pub at: Timestamp,
    /// What was said. Blank lines make paragraphs.
    pub text: Arc<str>,
    /// Whether the text is Markdown: what people said, unlike what happened.
    pub is_markdown: bool,
}

/// How far the work on an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The cause is looked for.
    Investigating,
    /// The cause is known.
    Identified,
    /// A remedy is in place and is being watched.
    Monitoring,
    /// It is over.
    Resolved,
}

/// A planned time in which something may not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceView {
    /// Its identifier, unique among maintenances.
    pub id: Arc<str>,
    /// Whether it goes on now.
    pub in_progress: bool,
    /// What is done.
    pub title: Arc<str>,
    /// What people will notice of it, in Markdown; may be empty.
    pub text: Arc<str>,
    /// When it begins.
    pub starts: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// What it affects.
    pub affects: Vec<Affected>,
}

/// What happened lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastView {
    /// How many days before today are told of.
    pub days: u16,
    /// What ended in those days, newest first.
    pub incidents: Vec<IncidentView>,
}
