//! What people say of incidents, and what they do to them.

use std::sync::Arc;

use tracing::info;
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::incident::{
    Incident, IncidentId, Move, Opening, Refused, Revision, Severity, Stage,
};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{Audience, EntryKind, IncidentStory};

use super::{Batch, Board, Entry, Story};

/// What somebody does to incidents.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// Opens one.
    Open {
        title: Arc<str>,
        services: Vec<ServiceId>,
        severity: Severity,
        stage: Stage,
        /// Empty for nothing.
        text: Arc<str>,
        started: Option<Timestamp>,
    },
    /// Changes what it is.
    Change {
        title: Option<Arc<str>>,
        services: Option<Vec<ServiceId>>,
        severity: Option<Severity>,
    },
    /// Says what is going on.
    Update {
        text: Arc<str>,
        audience: Audience,
        stage: Option<Stage>,
    },
    /// Says what there was to learn.
    Postmortem { text: Arc<str> },
    /// Goes on with it as another one.
    Merge { into: IncidentId },
}

/// Why a deed cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// There is no such incident on the board.
    Unknown,
    /// Somebody wrote it since.
    Stale,
    /// No service has this id.
    NoService(ServiceId),
    /// It is not such that this can be done: why.
    Unfit(&'static str),
}

impl From<Refused> for NotDone {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::Unknown,
            Refused::Over => Self::Unfit("Only incidents that go on can be merged."),
            Refused::Merged => Self::Unfit(
                "It goes on as another incident, into which it was merged: go on with that one.",
            ),
            Refused::Itself => Self::Unfit("An incident cannot be merged into itself."),
        }
    }
}

impl Board {
    /// Takes in an incident that ended too long ago to be on the board, so that
    /// something can be done to it. It leaves again by itself.
    pub(crate) fn recall_incident(&mut self, story: IncidentStory) {
        let id = story.row.id;
        self.incidents.book.recall(id, story.row.incident);
        self.incidents.stories.entry(id).or_insert(Story {
            title: story.row.title,
            entries: story.entries,
        });
    }

    /// Does a deed of `by` to the incident `id`, or opens one, unless it has not
    /// `revision` entries any more. Returns which one it was.
    pub(crate) fn do_deed(
        &mut self,
        id: Option<IncidentId>,
        deed: Deed,
        revision: Option<u32>,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<IncidentId, NotDone> {
        if let Some(id) = id {
            let story = self.incidents.stories.get(&id).ok_or(NotDone::Unknown)?;
            let known = u32::try_from(story.entries.len()).unwrap_or(u32::MAX);
            if revision.is_some_and(|revision| revision != known) {
                return Err(NotDone::Stale);
            }
        }
        let id = match (id, deed) {
            (
                _,
                Deed::Open {
                    title,
                    services,
                    severity,
                    stage,
                    text,
                    started,
                },
            ) => {
                self.check_services(&services)?;
                let opening = Opening {
                    services,
                    severity,
                    stage,
                    started: started.unwrap_or(now),
                };
                self.open_for(&opening, &title, &text, by, now, batch)?
            }
            (None, _) => return Err(NotDone::Unknown),
            (
                Some(id),
                Deed::Change {
                    title,
                    services,
                    severity,
                },
            ) => {
                self.check_services(services.as_deref().unwrap_or_default())?;
                let revision = Revision {
                    severity,
                    stage: None,
                    services,
                };
                self.change(id, title, &revision, by, now, batch)?;
                id
            }
            (
                Some(id),
                Deed::Update {
                    text,
                    audience,
                    stage,
                },
            ) => {
                let revision = Revision {
                    stage,
                    ..Revision::default()
                };
                let moves = self.incidents.book.revise(id, &revision, now)?;
                let kind = EntryKind::Update;
                self.say(id, (kind, audience), by, &text, now, batch);
                self.note_moves(moves, now, batch);
                id
            }
            (Some(id), Deed::Postmortem { text }) => {
                let incident = self.incidents.book.get(id).ok_or(NotDone::Unknown)?;
                if incident.is_open() {
                    return Err(NotDone::Unfit(
                        "It goes on: what there was to learn is told once it is over.",
                    ));
                }
                let kind = (EntryKind::Postmortem, Audience::Public);
                self.say(id, kind, by, &text, now, batch);
                id
            }
            (Some(id), Deed::Merge { into }) => {
                self.merge(id, into, by, now, batch)?;
                id
            }
        };
        info!(incident = %id, %by, "people changed an incident");
        self.keep(id, batch);
        self.stir(now);
        Ok(id)
    }

    fn open_for(
        &mut self,
        opening: &Opening,
        title: &Arc<str>,
        text: &str,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<IncidentId, NotDone> {
        let opened = self.incidents.book.open(opening, now);
        let (id, _) = opened.ok_or(NotDone::Unfit("An incident hits at least one service."))?;
        let story = Story {
            title: Arc::clone(title),
            entries: Vec::new(),
        };
        self.incidents.stories.insert(id, story);
        let entry = (EntryKind::Opened, Audience::Internal);
        self.say(id, entry, by, &format!("Opened by {by}."), now, batch);
        if !text.is_empty() {
            let entry = (EntryKind::Update, Audience::Public);
            self.say(id, entry, by, text, now, batch);
        }
        Ok(id)
    }

    fn change(
        &mut self,
        id: IncidentId,
        title: Option<Arc<str>>,
        revision: &Revision,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), NotDone> {
        let before = self.incidents.book.get(id).map(services_of);
        let moves = self.incidents.book.revise(id, revision, now)?;
        let mut said = Vec::new();
        if let Some(title) = title
            && let Some(story) = self.incidents.stories.get_mut(&id)
            && story.title != title
        {
            said.push(format!("It is called \"{title}\" now."));
            story.title = title;
        }
        let after = self.incidents.book.get(id).map(services_of);
        if let Some(services) = after.filter(|after| before.as_ref() != Some(after)) {
            let names = services.iter().map(|id| self.service_name(id).to_string());
            let names: Vec<_> = names.collect();
            said.push(format!("It hits {}.", names.join(", ")));
        }
        for moved in &moves {
            if let (_, Move::Judged(severity)) = moved {
                said.push(format!("Its severity is {} now.", severity.as_str()));
            }
        }
        if said.is_empty() {
            return Ok(());
        }
        let kind = (EntryKind::Changed, Audience::Internal);
        self.say(id, kind, by, &said.join(" "), now, batch);
        Ok(())
    }

    fn merge(
        &mut self,
        id: IncidentId,
        into: IncidentId,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), NotDone> {
        let moves = self.incidents.book.merge(id, into, now)?;
        let stories = &self.incidents.stories;
        let title = |id| stories.get(&id).map(|it: &Story| Arc::clone(&it.title));
        let (from_title, into_title) = (
            title(id).unwrap_or_default(),
            title(into).unwrap_or_default(),
        );
        let kind = (EntryKind::Merged, Audience::Public);
        let text = format!("It goes on as \"{into_title}\" (incident {into}).");
        self.say(id, kind, by, &text, now, batch);
        let text = format!("\"{from_title}\" (incident {id}) is part of it from now on.");
        self.say(into, kind, by, &text, now, batch);
        self.note_moves(moves, now, batch);
        self.keep(into, batch);
        Ok(())
    }

    /// Writes down what followed from what people said.
    fn note_moves(&mut self, moves: Vec<(IncidentId, Move)>, now: Timestamp, batch: &mut Batch) {
        for (id, moved) in moves {
            let (kind, monitor, text) = match moved {
                Move::Left { monitor } => {
                    let text = format!("{} is not waited for any more.", self.name(&monitor));
                    (EntryKind::Left, Some(monitor), text)
                }
                Move::Worsened(severity) | Move::Judged(severity) => {
                    let text = format!("Its severity is {} now.", severity.as_str());
                    (EntryKind::Severity, None, text)
                }
                _ => continue,
            };
            self.write(id, kind, monitor, None, &text, now, batch);
        }
    }

    /// Adds what somebody says to a timeline.
    fn say(
        &mut self,
        id: IncidentId,
        (kind, audience): (EntryKind, Audience),
        by: &Arc<str>,
        text: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let entry = Entry {
            kind,
            audience,
            monitor: None,
            author: Some(Arc::clone(by)),
            text,
            at: now,
        };
        self.enter(id, entry, batch);
    }

    fn check_services(&self, services: &[ServiceId]) -> Result<(), NotDone> {
        let mut services = services.iter();
        match services.find(|id| self.config().service(id).is_none()) {
            Some(id) => Err(NotDone::NoService(id.clone())),
            None => Ok(()),
        }
    }
}

fn services_of(incident: &Incident) -> Vec<ServiceId> {
    incident.services().into_iter().cloned().collect()
}
