//! Incidents on the board: what belongs to which, what their timelines say, and
//! what a notice tells of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::change::Event;
use watchkeeper_engine::folding::Bundle;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::incident::{
    self, Acknowledgement, Book, Incident, IncidentId, Move, Refused, Rules, Severity, Stage,
    Stands,
};
use watchkeeper_engine::monitor::Weight;
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_store::{Audience, EntryKind, IncidentEntry, IncidentRow, IncidentStory};

use super::{Batch, Board};
use crate::links::Links;
use crate::notice::{Notice, in_zone};

pub(crate) mod people;
mod wording;

/// How long an incident stays on the first page after its end.
pub(crate) const SHOWN: Duration = Duration::from_hours(14 * 24);

/// How many ended incidents are kept in memory; older ones are in the store.
const MOST_ENDED: usize = 200;

/// How many entries a timeline has before only what people do, its end and its
/// going on are added.
const MOST_ENTRIES: usize = 500;

/// What the board knows of incidents.
#[derive(Default)]
pub(super) struct Incidents {
    book: Book,
    stories: BTreeMap<IncidentId, Story>,
    links: Option<Links>,
}

/// What people read of an incident.
pub(crate) struct Story {
    pub(crate) title: Arc<str>,
    pub(crate) entries: Vec<IncidentEntry>,
}

/// Something to be put on a timeline.
struct Entry<'a> {
    kind: EntryKind,
    audience: Audience,
    monitor: Option<MonitorId>,
    author: Option<Arc<str>>,
    text: &'a str,
    at: Timestamp,
}

/// What a stride of the timeline is about.
struct Stride<'a> {
    id: IncidentId,
    moves: Vec<Move>,
    reason: Option<&'a Arc<str>>,
    at: Timestamp,
}

impl Board {
    /// Goes on with the incidents that the store has. `next` is the number of the
    /// one that is opened next, and `links` signs what people follow.
    pub(crate) fn recall_incidents(
        &mut self,
        stories: Vec<IncidentStory>,
        next: IncidentId,
        links: Links,
    ) {
        let known = stories
            .iter()
            .map(|it| (it.row.id, it.row.incident.clone()));
        let book = Book::new(known, next);
        let stories = stories.into_iter().map(|it| {
            let story = Story {
                title: it.row.title,
                entries: it.entries,
            };
            (it.row.id, story)
        });
        self.incidents = Incidents {
            book,
            stories: stories.collect(),
            links: Some(links),
        };
    }

    /// The incidents that are open or ended lately, oldest first.
    pub(crate) fn incidents(
        &self,
    ) -> impl DoubleEndedIterator<Item = (IncidentId, &Incident, &Story)> {
        let book = self.incidents.book.iter();
        book.filter_map(|(id, incident)| Some((id, incident, self.incidents.stories.get(&id)?)))
    }

    /// Whether somebody has taken the outage that `monitor` is part of: then
    /// nobody is reminded of it, and nobody else is called.
    pub(crate) fn acknowledged(&self, monitor: &MonitorId) -> bool {
        let book = &self.incidents.book;
        let incident = book.ailing(monitor).and_then(|id| book.get(id));
        incident.is_some_and(|incident| incident.acknowledged.is_some())
    }

    /// Notes that `by` has taken an incident. Who was first stays, and is the
    /// answer.
    pub(crate) fn acknowledge(
        &mut self,
        id: IncidentId,
        by: &Arc<str>,
        note: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Acknowledgement, Refused> {
        if self.incidents.book.acknowledge(id, by, now)?.is_some() {
            let text = wording::acknowledged(by, note);
            let author = Some(Arc::clone(by));
            self.write(id, EntryKind::Acknowledged, None, author, &text, now, batch);
            self.keep(id, batch);
            self.stir(now);
        }
        let incident = self.incidents.book.get(id).ok_or(Refused::Unknown)?;
        incident.acknowledged.clone().ok_or(Refused::Unknown)
    }

    /// Sees which incident an event of `monitor` belongs to, before people are told
    /// of it; `root` is the dead monitor that explains it. Returns that incident,
    /// or the one that the event ended.
    pub(super) fn stand(
        &mut self,
        monitor: &MonitorId,
        event: &Event,
        root: Option<&MonitorId>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Option<IncidentId> {
        let before = self.incidents.book.ailing(monitor);
        match event {
            Event::Changed(change) => {
                if let Some(root) = root {
                    self.stand_root(root, monitor, change.to, now, batch);
                }
                self.stand_so(
                    monitor,
                    (change.to, change.since),
                    root,
                    change.reason.as_ref(),
                    now,
                    batch,
                );
            }
            Event::FlappingStarted { at, health, reason } => {
                // The change to the health at which it is held comes after, and the
                // notice that tells of both must know the incident.
                if before.is_none() && matches!(health, Health::Sick | Health::Dead) {
                    self.stand_so(monitor, (*health, *at), None, reason.as_ref(), now, batch);
                }
                if let Some(id) = self.incidents.book.ailing(monitor) {
                    let text = format!("{} keeps changing.", self.name(monitor));
                    let about = Some(monitor.clone());
                    self.write(id, EntryKind::Change, about, None, &text, *at, batch);
                }
            }
            Event::FlappingEnded { .. } => {}
        }
        self.incidents.book.ailing(monitor).or(before)
    }

    /// The incidents that what is told together belongs to, each with the first of
    /// its monitors. An end belongs to the incident that it may have ended.
    pub(super) fn incidents_of(&self, bundle: &Bundle) -> Vec<(IncidentId, MonitorId)> {
        let mut found: Vec<(IncidentId, MonitorId)> = Vec::new();
        for line in &bundle.lines {
            let book = &self.incidents.book;
            let past = || {
                let mut parts = book.iter().filter(|(_, incident)| {
                    incident.parts.contains_key(&line.monitor)
                        && incident.resolved.is_none_or(|at| at >= line.began)
                });
                parts.next_back().map(|(id, _)| id)
            };
            if let Some(id) = book.ailing(&line.monitor).or_else(past)
                && found.iter().all(|(known, _)| *known != id)
            {
                found.push((id, line.monitor.clone()));
            }
        }
        found
    }

    /// Does what time alone does to incidents.
    pub(super) fn tick_incidents(&mut self, now: Timestamp, batch: &mut Batch) {
        let rules = self.rules();
        let moves = self.incidents.book.tick(&rules, now);
        self.record(moves, None, now, batch);
        if let Some(after) = rules.sick_after.filter(|_| rules.automatic) {
            self.stand_sick(after, now, batch);
        }
        for id in self.incidents.book.prune(now - SHOWN, MOST_ENDED) {
            self.incidents.stories.remove(&id);
            batch.is_news = true;
        }
    }

    /// Waits no longer for monitors that are not watched any more, or not now.
    pub(super) fn adopt_incidents(&mut self, now: Timestamp, batch: &mut Batch) {
        let rules = self.rules();
        let (monitors, paused) = (&self.monitors, &self.paused);
        let exists =
            |monitor: &MonitorId| monitors.contains_key(monitor) && !paused.contains_key(monitor);
        let moves = self.incidents.book.forget_monitors(exists, &rules, now);
        self.record(moves, None, now, batch);
    }

    /// Adds to a notice what people need to know of the incident that it belongs
    /// to.
    pub(super) fn link(
        &self,
        notice: &mut Notice,
        incident: Option<IncidentId>,
        channel: &ChannelId,
        now: Timestamp,
    ) {
        let Some((id, incident)) = incident.and_then(|id| Some((id, self.incidents.book.get(id)?)))
        else {
            return;
        };
        notice.incident_url = Some(format!("{}/incidents/{id}", self.page_url));
        let zone = &self.config().page.time_zone;
        if let Some(taken) = &incident.acknowledged {
            let at = in_zone(taken.at, zone);
            let line = format!("Acknowledged by {} at {at}.", taken.by);
            if !notice.body.is_empty() {
                notice.body.push('\n');
            }
            notice.body.push_str(&line);
        } else if notice.health.0 != Health::Healthy
            && let (Some(links), Some(base)) =
                (&self.incidents.links, &self.config().server.public_url)
        {
            let until = now + self.config().incidents.acknowledge_within;
            notice.acknowledge_url = Some(links.acknowledge(base, id, channel, until));
        }
    }

    /// Writes down that a channel is told.
    pub(super) fn note_told(
        &mut self,
        incident: Option<IncidentId>,
        monitor: &MonitorId,
        channel: &ChannelId,
        title: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if let Some(id) = incident {
            let text = format!("Told {channel}: {title}");
            let about = Some(monitor.clone());
            self.write(id, EntryKind::Told, about, None, &text, now, batch);
        }
    }

    /// Sees to it that the monitor that explains another one has an incident for it
    /// to belong to.
    fn stand_root(
        &mut self,
        root: &MonitorId,
        monitor: &MonitorId,
        health: Health,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if self.incidents.book.ailing(root).is_some() || !self.opens(monitor, health) {
            return;
        }
        let Some(known) = self.monitors.get(root) else {
            return;
        };
        let standing = known.state.standing.clone();
        let stands = Stands {
            monitor: root,
            health: standing.health,
            since: standing.since.unwrap_or(now),
            root: None,
            severity: self.severity(root, standing.health),
            opens: true,
        };
        let moves = self.incidents.book.stand(&stands, &self.rules(), now);
        self.record(moves, standing.reason.as_ref(), now, batch);
    }

    fn stand_so(
        &mut self,
        monitor: &MonitorId,
        (health, since): (Health, Timestamp),
        root: Option<&MonitorId>,
        reason: Option<&Arc<str>>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let stands = Stands {
            monitor,
            health,
            since,
            root,
            severity: self.severity(monitor, health),
            opens: self.opens(monitor, health),
        };
        let moves = self.incidents.book.stand(&stands, &self.rules(), now);
        self.record(moves, reason, now, batch);
    }

    /// Opens incidents for what has been sick for too long.
    fn stand_sick(&mut self, after: Duration, now: Timestamp, batch: &mut Batch) {
        let book = &self.incidents.book;
        let too_long = self.monitors.iter().filter_map(|(id, monitor)| {
            let standing = &monitor.state.standing;
            let since = standing.since.filter(|since| now.since(*since) >= after)?;
            let is_bad = matches!(standing.health, Health::Sick | Health::Dead);
            let waits = self.waits_for_others(id);
            (is_bad && !waits && book.ailing(id).is_none())
                .then(|| (id.clone(), standing.health, since, standing.reason.clone()))
        });
        let too_long: BTreeMap<_, _> = too_long
            .map(|(id, health, since, reason)| (id, (health, since, reason)))
            .collect();
        for (id, (health, since, reason)) in too_long {
            let stands = Stands {
                monitor: &id,
                health,
                since,
                root: None,
                severity: self.severity(&id, health),
                opens: true,
            };
            let moves = self.incidents.book.stand(&stands, &self.rules(), now);
            self.record(moves, reason.as_ref(), now, batch);
        }
    }

    /// Whether a monitor that stands so opens an incident: where its death is its
    /// service's.
    fn opens(&self, monitor: &MonitorId, health: Health) -> bool {
        let weight = self
            .monitors
            .get(monitor)
            .map(|it| it.assigned.monitor.weight);
        health == Health::Dead && weight == Some(Weight::Critical)
    }

    /// How bad it is for its service that a monitor stands so.
    fn severity(&self, monitor: &MonitorId, health: Health) -> Severity {
        let service = self.config().service(monitor.service());
        let monitors = service.iter().flat_map(|service| service.monitors.iter());
        let stands = monitors.filter_map(|each| {
            let known = self.monitors.get(&each.id)?;
            let health = if each.id == *monitor {
                health
            } else {
                known.state.standing.health
            };
            Some((health, each.weight))
        });
        incident::severity(stands).unwrap_or(Severity::Minor)
    }

    fn rules(&self) -> Rules {
        self.config().incidents.rules
    }

    /// Writes down what became of incidents.
    fn record(
        &mut self,
        moves: Vec<(IncidentId, Move)>,
        reason: Option<&Arc<str>>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let mut by_incident: BTreeMap<IncidentId, Vec<Move>> = BTreeMap::new();
        for (id, moved) in moves {
            by_incident.entry(id).or_default().push(moved);
        }
        for (id, moves) in by_incident {
            let stride = Stride {
                id,
                moves,
                reason,
                at: now,
            };
            self.record_stride(&stride, batch);
            self.keep(id, batch);
        }
    }

    /// What happened at once is one entry for the public, and what is behind it
    /// others that it does not see.
    fn record_stride(&mut self, stride: &Stride<'_>, batch: &mut Batch) {
        let id = stride.id;
        let Some(incident) = self.incidents.book.get(id).cloned() else {
            return;
        };
        let has = |wanted: &Move| stride.moves.contains(wanted);
        let staged = stride.moves.iter().any(|it| matches!(it, Move::Stage(_)));
        let part = stride.moves.iter().rev().find_map(|moved| match moved {
            Move::Part {
                monitor, to, root, ..
            } => Some((monitor, *to, root.as_ref())),
            _ => None,
        });
        if has(&Move::Opened) {
            let title = part.map_or_else(
                || format!("{} is down", self.service_name(&incident.service)),
                |(monitor, to, _)| self.title(monitor, to),
            );
            let story = Story {
                title: title.into(),
                entries: Vec::new(),
            };
            self.incidents.stories.insert(id, story);
        } else if let (Some((monitor, to @ Health::Dead, None)), Some(true)) = (
            part,
            stride.moves.iter().find_map(|moved| match moved {
                Move::Worsened(to) => Some(*to > Severity::Minor),
                _ => None,
            }),
        ) && incident
            .parts
            .values()
            .filter(|it| it.worst == Health::Dead)
            .count()
            == 1
        {
            // What was only sick until now is called by what it has become.
            let title = self.title(monitor, to).into();
            if let Some(story) = self.incidents.stories.get_mut(&id) {
                story.title = title;
            }
        }
        let kind = if has(&Move::Opened) {
            Some(EntryKind::Opened)
        } else if has(&Move::Reopened) {
            Some(EntryKind::Reopened)
        } else if staged {
            Some(EntryKind::Stage)
        } else {
            part.map(|_| EntryKind::Change)
        };
        if let Some(kind) = kind {
            let mut said: Vec<String> = part
                .map(|(monitor, to, root)| self.stands(monitor, to, root, stride.reason))
                .into_iter()
                .collect();
            match incident.stage {
                Stage::Resolved if staged => {
                    let lasted = spell(incident.lasted(stride.at));
                    said.push(format!("It is over after {lasted}."));
                }
                Stage::Monitoring if staged => {
                    said.push("We watch whether it stays so.".to_owned());
                }
                _ => {}
            }
            let monitor = part.map(|(monitor, ..)| monitor.clone());
            self.write(id, kind, monitor, None, &said.join(" "), stride.at, batch);
        }
        for moved in &stride.moves {
            match moved {
                Move::Left { monitor } => {
                    let text = format!("{} belongs to it no longer.", self.name(monitor));
                    let about = Some(monitor.clone());
                    self.write(id, EntryKind::Left, about, None, &text, stride.at, batch);
                }
                Move::Worsened(severity) => {
                    let text = format!("Its severity is {} now.", severity.as_str());
                    self.write(id, EntryKind::Severity, None, None, &text, stride.at, batch);
                }
                _ => {}
            }
        }
    }

    /// Adds an entry to a timeline.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of an entry, each of its own type"
    )]
    fn write(
        &mut self,
        id: IncidentId,
        kind: EntryKind,
        monitor: Option<MonitorId>,
        author: Option<Arc<str>>,
        text: &str,
        at: Timestamp,
        batch: &mut Batch,
    ) {
        let audience = match kind {
            EntryKind::Opened
            | EntryKind::Reopened
            | EntryKind::Change
            | EntryKind::Stage
            | EntryKind::Update
            | EntryKind::Merged
            | EntryKind::Postmortem => Audience::Public,
            EntryKind::Left
            | EntryKind::Severity
            | EntryKind::Acknowledged
            | EntryKind::Told
            | EntryKind::Changed => Audience::Internal,
        };
        let entry = Entry {
            kind,
            audience,
            monitor,
            author,
            text,
            at,
        };
        self.enter(id, entry, batch);
    }

    /// Adds an entry to a timeline, for whom it says.
    fn enter(&mut self, id: IncidentId, entry: Entry<'_>, batch: &mut Batch) {
        let Some(incident) = self.incidents.book.get(id) else {
            return;
        };
        let stage = incident.stage;
        let Some(story) = self.incidents.stories.get_mut(&id) else {
            return;
        };
        let is_of_people = entry.author.is_some();
        let matters = is_of_people || entry.kind == EntryKind::Reopened || stage == Stage::Resolved;
        if story.entries.len() >= MOST_ENTRIES && !matters {
            return;
        }
        let last = story.entries.last().map(|entry| entry.number);
        let entry = IncidentEntry {
            incident: id,
            number: last.map_or(0, |last| last.saturating_add(1)),
            at: entry.at,
            kind: entry.kind,
            stage,
            audience: entry.audience,
            monitor: entry.monitor,
            author: entry.author,
            text: entry.text.into(),
        };
        story.entries.push(entry.clone());
        batch.commit.entries.push(entry);
        batch.is_news = true;
    }

    /// Has an incident kept as it stands.
    fn keep(&self, id: IncidentId, batch: &mut Batch) {
        let book = &self.incidents.book;
        let (Some(incident), Some(story)) = (book.get(id), self.incidents.stories.get(&id)) else {
            return;
        };
        let row = IncidentRow {
            id,
            title: Arc::clone(&story.title),
            incident: incident.clone(),
        };
        batch.commit.incidents.retain(|known| known.id != id);
        batch.commit.incidents.push(row);
        batch.is_news = true;
    }
}
