//! The shapes of Statuspage's JSON.

use serde::Serialize;
use watchkeeper_engine::time::Timestamp;

use super::ids;
use crate::dates::{IsoDay, IsoMillis};
use crate::view::{
    Affected, DayState, IncidentView, MaintenanceView, MonitorView, Overall, Part, ServiceView,
    Stage, UpdateView, View,
};
use crate::words::{self, Shown};

/// Whose page it is.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    id: String,
    name: &'a str,
    url: &'a str,
    time_zone: &'a str,
    updated_at: String,
}

/// How all is, in their words.
#[derive(Serialize)]
pub(super) struct Status {
    indicator: &'static str,
    description: &'static str,
}

/// A service or a monitor.
#[derive(Serialize)]
pub(super) struct Component<'a> {
    id: String,
    name: &'a str,
    status: &'static str,
    created_at: String,
    updated_at: String,
    position: usize,
    description: Option<&'a str>,
    showcase: bool,
    start_date: Option<String>,
    group_id: Option<String>,
    page_id: String,
    group: bool,
    only_show_if_degraded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<String>>,
}

/// An incident.
#[derive(Serialize)]
pub(super) struct Incident<'a> {
    id: String,
    name: &'a str,
    status: &'static str,
    created_at: String,
    updated_at: String,
    monitoring_at: Option<String>,
    resolved_at: Option<String>,
    impact: &'static str,
    shortlink: String,
    started_at: String,
    page_id: String,
    #[serde(rename = "incident_updates")]
    updates: Vec<Update<'a>>,
    components: Vec<Component<'a>>,
    reminder_intervals: Option<()>,
}

/// A maintenance, which is an incident with a time.
#[derive(Serialize)]
pub(super) struct Maintenance<'a> {
    #[serde(flatten)]
    incident: Incident<'a>,
    scheduled_for: String,
    scheduled_until: String,
}

/// Something that was said.
#[derive(Serialize)]
struct Update<'a> {
    id: String,
    status: &'static str,
    body: &'a str,
    incident_id: String,
    created_at: String,
    updated_at: String,
    display_at: String,
    /// What it did to each component, which is not kept update by update.
    affected_components: Option<()>,
    deliver_notifications: bool,
    custom_tweet: Option<()>,
    tweet_id: Option<()>,
}

/// How far a maintenance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Scheduled,
    Ongoing,
    Completed,
}

impl<'a> Page<'a> {
    pub(super) fn of(view: &'a View) -> Self {
        Self {
            id: page_id(view),
            name: &view.title,
            url: view.base(),
            time_zone: "Etc/UTC",
            updated_at: stamp(updated(view)),
        }
    }
}

impl Status {
    pub(super) fn of(view: &View) -> Self {
        let maintained = view.services.iter().any(|service| service.maintained);
        let (indicator, description) = match view.health {
            Overall::Healthy if maintained => ("maintenance", "Service Under Maintenance"),
            Overall::Healthy => ("none", "All Systems Operational"),
            Overall::Unknown if view.services.is_empty() => ("none", "All Systems Operational"),
            Overall::Sick | Overall::Unknown => ("minor", "Minor Service Outage"),
            Overall::Partial => ("major", "Partial System Outage"),
            Overall::Dead => ("critical", "Major Service Outage"),
        };
        Self {
            indicator,
            description,
        }
    }
}

impl<'a> Component<'a> {
    /// All services, each followed by its monitors.
    pub(super) fn all(view: &'a View) -> Vec<Self> {
        let mut all = Vec::new();
        for (index, service) in view.services.iter().enumerate() {
            all.push(Self::service(view, index, service));
            let monitors = service.monitors.iter().enumerate();
            all.extend(monitors.map(|(index, monitor)| Self::monitor(view, index, monitor)));
        }
        all
    }

    /// What a part of the page is, where it is still there.
    fn part(view: &'a View, part: &Part) -> Option<Self> {
        let id = match part {
            Part::Service(id) => id,
            Part::Monitor(id) => id.service(),
        };
        let mut services = view.services.iter().enumerate();
        let (index, service) = services.find(|(_, it)| it.id == *id)?;
        match part {
            Part::Service(_) => Some(Self::service(view, index, service)),
            Part::Monitor(id) => {
                let mut monitors = service.monitors.iter().enumerate();
                let (index, monitor) = monitors.find(|(_, it)| it.id == *id)?;
                Some(Self::monitor(view, index, monitor))
            }
        }
    }

    fn service(view: &'a View, index: usize, service: &'a ServiceView) -> Self {
        let monitors = || service.monitors.iter();
        let first = monitors().filter_map(|it| first_day(it)).min();
        let since = monitors().filter_map(|it| it.since).max();
        let children = monitors().map(|it| ids::of("monitor", &it.id.to_string()));
        Self {
            id: ids::of("service", service.id.as_str()),
            name: &service.label,
            status: status(service.into()),
            created_at: stamp(first.unwrap_or(view.now)),
            updated_at: stamp(since.or(first).unwrap_or(view.now)),
            position: index + 1,
            description: service.description.as_deref(),
            showcase: false,
            start_date: first.map(|day| IsoDay(day).to_string()),
            group_id: None,
            page_id: page_id(view),
            group: true,
            only_show_if_degraded: false,
            components: Some(children.collect()),
        }
    }

    fn monitor(view: &'a View, index: usize, monitor: &'a MonitorView) -> Self {
        let first = first_day(monitor);
        Self {
            id: ids::of("monitor", &monitor.id.to_string()),
            name: &monitor.label,
            status: status(monitor.into()),
            created_at: stamp(first.unwrap_or(view.now)),
            updated_at: stamp(monitor.since.or(first).unwrap_or(view.now)),
            position: index + 1,
            description: None,
            showcase: true,
            start_date: first.map(|day| IsoDay(day).to_string()),
            group_id: Some(ids::of("service", monitor.id.service().as_str())),
            page_id: page_id(view),
            group: false,
            only_show_if_degraded: false,
            components: None,
        }
    }
}

impl<'a> Incident<'a> {
    pub(super) fn of(view: &'a View, incident: &'a IncidentView) -> Self {
        let id = ids::incident(&incident.id);
        let total = incident.updates.len();
        let updates = incident.updates.iter().enumerate();
        let last = incident.updates.first();
        let monitored = incident.updates.iter();
        Self {
            name: &incident.title,
            status: match (incident.resolved, last) {
                (Some(_), _) => words::stage_word(Stage::Resolved),
                (None, Some(last)) => words::stage_word(last.stage),
                (None, None) => words::stage_word(Stage::Investigating),
            },
            created_at: stamp(incident.started),
            updated_at: stamp(last.map_or(incident.started, |last| last.at)),
            monitoring_at: monitored
                .rev()
                .find(|update| update.stage == Stage::Monitoring)
                .map(|update| stamp(update.at)),
            resolved_at: incident.resolved.map(stamp),
            impact: words::impact_word(incident.impact),
            shortlink: format!("{}/incidents/{}", view.base(), incident.id),
            started_at: stamp(incident.started),
            page_id: page_id(view),
            updates: updates
                .map(|(index, update)| Update::of(&id, total - index, update))
                .collect(),
            components: components(view, &incident.affects),
            reminder_intervals: None,
            id,
        }
    }
}

impl<'a> Maintenance<'a> {
    pub(super) fn of(view: &'a View, planned: &'a MaintenanceView) -> Self {
        let progress = Progress::of(planned, view.now);
        let starts = stamp(planned.starts);
        let id = ids::of("maintenance", &planned.id);
        let update = Update {
            status: progress.word(),
            body: &planned.text,
            ..Update::bare(&id, 1, planned.starts.min(view.now))
        };
        Self {
            incident: Incident {
                name: &planned.title,
                status: progress.word(),
                created_at: stamp(planned.starts.min(view.now)),
                updated_at: stamp(planned.starts.min(view.now)),
                monitoring_at: None,
                resolved_at: (progress == Progress::Completed).then(|| stamp(planned.ends)),
                impact: "maintenance",
                shortlink: format!("{}/#maintenance-{}", view.base(), planned.id),
                started_at: starts.clone(),
                page_id: page_id(view),
                updates: vec![update],
                components: components(view, &planned.affects),
                reminder_intervals: None,
                id,
            },
            scheduled_for: starts,
            scheduled_until: stamp(planned.ends),
        }
    }
}

impl<'a> Update<'a> {
    fn of(incident: &str, turn: usize, update: &'a UpdateView) -> Self {
        Self {
            status: words::stage_word(update.stage),
            body: &update.text,
            ..Self::bare(incident, turn, update.at)
        }
    }

    /// One in which nothing is said; `turn` is its place among those of its incident,
    /// the first of which is 1.
    fn bare(incident: &str, turn: usize, at: Timestamp) -> Self {
        Self {
            id: ids::of("update", &format!("{incident} {turn}")),
            status: "",
            body: "",
            incident_id: incident.to_owned(),
            created_at: stamp(at),
            updated_at: stamp(at),
            display_at: stamp(at),
            affected_components: None,
            deliver_notifications: true,
            custom_tweet: None,
            tweet_id: None,
        }
    }
}

impl Progress {
    pub(super) fn of(planned: &MaintenanceView, now: Timestamp) -> Self {
        if planned.in_progress {
            Self::Ongoing
        } else if now < planned.starts {
            Self::Scheduled
        } else {
            Self::Completed
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ongoing => "in_progress",
            Self::Completed => "completed",
        }
    }
}

fn components<'a>(view: &'a View, affects: &[Affected]) -> Vec<Component<'a>> {
    let parts = affects.iter();
    parts
        .filter_map(|affected| Component::part(view, &affected.part))
        .collect()
}

const fn status(shown: Shown) -> &'static str {
    match shown {
        Shown::Operational => "operational",
        Shown::Degraded | Shown::NoData => "degraded_performance",
        Shown::Partial => "partial_outage",
        Shown::Major => "major_outage",
        // Somebody wants it so, as with maintenance; Statuspage has no word for it.
        Shown::Maintenance | Shown::Paused => "under_maintenance",
    }
}

fn page_id(view: &View) -> String {
    ids::of("page", view.base())
}

/// When the page last changed in what these documents tell.
fn updated(view: &View) -> Timestamp {
    let monitors = view.services.iter().flat_map(|it| &it.monitors);
    let changes = monitors.filter_map(|monitor| monitor.since);
    let past = view.past.iter().flat_map(|past| &past.incidents);
    let incidents = view.incidents.iter().chain(past);
    let said = incidents.flat_map(|it| it.updates.iter().map(|update| update.at));
    changes.chain(said).max().unwrap_or(view.now)
}

/// The first of the days shown on which something was known.
fn first_day(monitor: &MonitorView) -> Option<Timestamp> {
    let known = |day: &crate::view::Day| day.state != DayState::NoData;
    let index = monitor.days.iter().position(known)?;
    let days = i64::try_from(index).ok()?;
    let first = crate::dates::day_of(monitor.first_day);
    Some(crate::dates::day_start(first.saturating_add(days)))
}

fn stamp(at: Timestamp) -> String {
    IsoMillis(at).to_string()
}
