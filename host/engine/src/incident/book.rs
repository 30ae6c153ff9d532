//! All incidents that matter: which one a change belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Acknowledgement, Incident, IncidentId, Move, Origin, Part, Rules, Severity, Stage};
use crate::health::Health;
use crate::id::{MonitorId, ServiceId};
use crate::time::Timestamp;

mod people;

pub use people::{Opening, Revision};

/// What became of which incident, in order.
type Moves = Vec<(IncidentId, Move)>;

/// The incidents that are open, and those that may still be gone on with.
///
/// A service has at most one open incident that opened by itself, and a monitor
/// ails in at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    incidents: BTreeMap<IncidentId, Incident>,
    next: IncidentId,
}

/// How a monitor stands, as far as people are to hear of it.
#[derive(Clone, Copy, Debug)]
pub struct Stands<'a> {
    /// Which one.
    pub monitor: &'a MonitorId,
    /// How.
    pub health: Health,
    /// Since when.
    pub since: Timestamp,
    /// The dead monitor whose outage explains it.
    pub root: Option<&'a MonitorId>,
    /// How bad that is for its service.
    pub severity: Severity,
    /// Whether it opens an incident where there is none that it belongs to.
    pub opens: bool,
}

/// Why something cannot be done to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not in the book.
    Unknown,
    /// It is over.
    Over,
    /// It goes on as another one.
    Merged,
    /// It is the same one.
    Itself,
}

impl Default for Book {
    /// Nothing has happened yet.
    fn default() -> Self {
        Self::new([], IncidentId::FIRST)
    }
}

impl Book {
    /// A book of `known` incidents; the next to be opened is `next`, or later
    /// where that is taken.
    pub fn new(known: impl IntoIterator<Item = (IncidentId, Incident)>, next: IncidentId) -> Self {
        let incidents: BTreeMap<_, _> = known.into_iter().collect();
        let after_last = incidents.last_key_value().map(|(id, _)| id.next());
        Self {
            next: after_last.map_or(next, |after| after.max(next)),
            incidents,
        }
    }

    /// The incident `id`.
    pub fn get(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id)
    }

    /// Every incident, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (IncidentId, &Incident)> {
        self.incidents.iter().map(|(id, incident)| (*id, incident))
    }

    /// The incident that `monitor` belongs to: the open one in which it ails, else
    /// the latest of which it was part.
    pub fn of(&self, monitor: &MonitorId) -> Option<IncidentId> {
        self.ailing(monitor).or_else(|| {
            let mut latest = self.iter().rev();
            latest
                .find(|(_, incident)| incident.parts.contains_key(monitor))
                .map(|(id, _)| id)
        })
    }

    /// The open incident in which `monitor` ails.
    pub fn ailing(&self, monitor: &MonitorId) -> Option<IncidentId> {
        let ails = |incident: &Incident| {
            incident.is_open() && incident.parts.get(monitor).is_some_and(|part| part.ails)
        };
        self.iter()
            .find(|(_, incident)| ails(incident))
            .map(|(id, _)| id)
    }

    /// Takes in how a monitor stands. The same said twice moves nothing.
    pub fn stand(&mut self, stands: &Stands<'_>, rules: &Rules, now: Timestamp) -> Moves {
        let mut moves = Vec::new();
        let current = self.ailing(stands.monitor);
        match stands.health {
            // Not to know is no end.
            Health::Unknown => {}
            Health::Healthy => {
                if let Some(id) = current {
                    self.recover(id, stands, rules, &mut moves);
                }
            }
            Health::Sick | Health::Dead => {
                let target = self.target(stands, current);
                let target = target.or_else(|| self.opened(stands, rules, now, &mut moves));
                if let Some(id) = target {
                    self.join(id, stands, &mut moves);
                }
                if let Some(id) = current.filter(|current| Some(*current) != target) {
                    if let (Some(target), Some(root)) = (target, stands.root) {
                        self.follow(id, target, stands, root, &mut moves);
                    }
                    self.leave(id, stands.monitor, rules, now, &mut moves);
                }
            }
        }
        moves
    }

    /// Does what time alone does: an incident that was gone on with ends once all
    /// has been well for long enough.
    pub fn tick(&mut self, rules: &Rules, now: Timestamp) -> Moves {
        let mut moves = Vec::new();
        for (id, incident) in &mut self.incidents {
            let steady = |since: Timestamp| now.since(since) >= rules.reopen_within;
            if incident.is_open()
                && incident.origin == Origin::Outage
                && let Some(since) = incident.well_since.filter(|since| steady(*since))
            {
                incident.resolve(since);
                moves.push((*id, Move::Stage(Stage::Resolved)));
            }
        }
        moves
    }

    /// Notes that somebody has taken an incident. Who took it first stays: the
    /// answer then is no move.
    pub fn acknowledge(
        &mut self,
        id: IncidentId,
        by: &Arc<str>,
        now: Timestamp,
    ) -> Result<Option<Move>, Refused> {
        let incident = self.incidents.get_mut(&id).ok_or(Refused::Unknown)?;
        if !incident.is_open() {
            return Err(Refused::Over);
        }
        if incident.acknowledged.is_some() {
            return Ok(None);
        }
        incident.acknowledged = Some(Acknowledgement {
            by: Arc::clone(by),
            at: now,
        });
        Ok(Some(Move::Acknowledged))
    }

    /// Waits no longer for monitors that do not exist.
    pub fn forget_monitors(
        &mut self,
        exists: impl Fn(&MonitorId) -> bool,
        rules: &Rules,
        now: Timestamp,
    ) -> Moves {
        let gone: Vec<_> = self
            .iter()
            .filter(|(_, incident)| incident.is_open())
            .flat_map(|(id, incident)| incident.parts.iter().map(move |part| (id, part)))
            .filter(|(_, (monitor, part))| part.ails && !exists(monitor))
            .map(|(id, (monitor, _))| (id, monitor.clone()))
            .collect();
        let mut moves = Vec::new();
        for (id, monitor) in gone {
            self.leave(id, &monitor, rules, now, &mut moves);
        }
        moves
    }

    /// Takes incidents out that ended before `end` and are not to be gone on with,
    /// and the oldest ended ones beyond `most`; returns which.
    pub fn prune(&mut self, end: Timestamp, most: usize) -> Vec<IncidentId> {
        let mut ended: Vec<_> = self
            .iter()
            .filter_map(|(id, incident)| Some((incident.resolved?, id)))
            .collect();
        ended.sort_unstable();
        let excess = ended.len().saturating_sub(most);
        let old = ended.partition_point(|(resolved, _)| *resolved < end);
        ended.truncate(old.max(excess));
        let gone: Vec<_> = ended.into_iter().map(|(_, id)| id).collect();
        for id in &gone {
            self.incidents.remove(id);
        }
        gone
    }

    /// The open incident that a bad monitor belongs to: that of what explains it,
    /// the one it is in, or its service's.
    fn target(&self, stands: &Stands<'_>, current: Option<IncidentId>) -> Option<IncidentId> {
        if let Some(root) = stands.root {
            let of_root = self.ailing(root);
            return of_root.or_else(|| self.open_of(root.service()));
        }
        let own = stands.monitor.service();
        let stays = |id: &IncidentId| {
            self.get(*id).is_some_and(|incident| {
                let part = incident.parts.get(stands.monitor);
                // What nothing explains any longer goes to its own service.
                incident.service == *own
                    || incident.absorbs.contains(own)
                    || part.is_some_and(|part| part.root.is_none())
            })
        };
        current.filter(stays).or_else(|| self.open_of(own))
    }

    fn open_of(&self, service: &ServiceId) -> Option<IncidentId> {
        self.iter()
            .find(|(_, it)| {
                let is_own = it.origin == Origin::Outage && it.service == *service;
                it.is_open() && (is_own || it.absorbs.contains(service))
            })
            .map(|(id, _)| id)
    }

    /// The incident that a bad monitor opens or goes on with.
    fn opened(
        &mut self,
        stands: &Stands<'_>,
        rules: &Rules,
        now: Timestamp,
        moves: &mut Moves,
    ) -> Option<IncidentId> {
        if !rules.automatic || !stands.opens {
            return None;
        }
        let service = stands.root.unwrap_or(stands.monitor).service();
        let recent = |incident: &Incident| {
            incident.origin == Origin::Outage
                && incident.merged_into.is_none()
                && incident.service == *service
                && incident
                    .resolved
                    .is_some_and(|ended| now.since(ended) < rules.reopen_within)
        };
        let known = self.iter().rev().find(|(_, incident)| recent(incident));
        if let Some(id) = known.map(|(id, _)| id) {
            let incident = self.incidents.get_mut(&id)?;
            incident.resolved = None;
            incident.reopened = incident.reopened.saturating_add(1);
            // Whoever took it has seen it end.
            incident.acknowledged = None;
            incident.stage = Stage::Investigating;
            moves.push((id, Move::Reopened));
            return Some(id);
        }
        let id = self.next;
        self.next = id.next();
        let incident = Incident {
            origin: Origin::Outage,
            service: service.clone(),
            affects: BTreeSet::new(),
            absorbs: BTreeSet::new(),
            merged_into: None,
            severity: stands.severity,
            stage: Stage::Investigating,
            started: stands.since.min(now),
            resolved: None,
            well_since: None,
            reopened: 0,
            acknowledged: None,
            parts: BTreeMap::new(),
        };
        self.incidents.insert(id, incident);
        moves.push((id, Move::Opened));
        Some(id)
    }

    /// A bad monitor becomes part of an incident, or is worse or better than it was.
    fn join(&mut self, id: IncidentId, stands: &Stands<'_>, moves: &mut Moves) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let known = incident.parts.get(stands.monitor).filter(|part| part.ails);
        let before = known.map_or(Health::Healthy, |part| part.health);
        let same_root = known.is_some_and(|part| part.root.as_ref() == stands.root);
        let worst = incident
            .parts
            .get(stands.monitor)
            .map_or(stands.health, |part| part.worst.max(stands.health));
        incident.well_since = None;
        if before != stands.health || !same_root {
            let part = Part {
                health: stands.health,
                since: stands.since,
                worst,
                ails: true,
                root: stands.root.cloned(),
            };
            incident.parts.insert(stands.monitor.clone(), part);
            let moved = Move::Part {
                monitor: stands.monitor.clone(),
                from: before,
                to: stands.health,
                root: stands.root.cloned(),
            };
            moves.push((id, moved));
        }
        if incident.severity < stands.severity {
            incident.severity = stands.severity;
            moves.push((id, Move::Worsened(stands.severity)));
        }
        let stage = match incident.stage {
            Stage::Investigating | Stage::Monitoring if stands.root.is_some() => Stage::Identified,
            Stage::Monitoring => Stage::Investigating,
            stage => stage,
        };
        if stage != incident.stage {
            incident.stage = stage;
            moves.push((id, Move::Stage(stage)));
        }
    }

    /// What a monitor explained goes with it to the incident of what explains it.
    fn follow(
        &mut self,
        from: IncidentId,
        to: IncidentId,
        stands: &Stands<'_>,
        root: &MonitorId,
        moves: &mut Moves,
    ) {
        let Some(incident) = self.incidents.get_mut(&from) else {
            return;
        };
        let explained = |part: &Part| part.ails && part.root.as_ref() == Some(stands.monitor);
        let mut followers = Vec::new();
        for (monitor, part) in &mut incident.parts {
            if explained(part) {
                part.ails = false;
                followers.push((monitor.clone(), part.clone()));
                let monitor = monitor.clone();
                moves.push((from, Move::Left { monitor }));
            }
        }
        for (monitor, part) in followers {
            let stands = Stands {
                monitor: &monitor,
                health: part.health,
                since: part.since,
                root: Some(root),
                ..*stands
            };
            self.join(to, &stands, moves);
        }
    }

    /// A monitor is well again.
    fn recover(&mut self, id: IncidentId, stands: &Stands<'_>, rules: &Rules, moves: &mut Moves) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        if let Some(part) = incident.parts.get_mut(stands.monitor) {
            let moved = Move::Part {
                monitor: stands.monitor.clone(),
                from: part.health,
                to: Health::Healthy,
                root: None,
            };
            part.health = Health::Healthy;
            part.since = stands.since;
            part.ails = false;
            part.root = None;
            moves.push((id, moved));
        }
        self.settle(id, rules, stands.since, moves);
    }

    fn leave(
        &mut self,
        id: IncidentId,
        monitor: &MonitorId,
        rules: &Rules,
        now: Timestamp,
        moves: &mut Moves,
    ) {
        let part = self
            .incidents
            .get_mut(&id)
            .and_then(|incident| incident.parts.get_mut(monitor));
        if let Some(part) = part {
            part.ails = false;
            let monitor = monitor.clone();
            moves.push((id, Move::Left { monitor }));
            self.settle(id, rules, now, moves);
        }
    }

    /// Ends an incident that waits for nothing any more, or watches it for a while
    /// if that turned out wrong before.
    fn settle(&mut self, id: IncidentId, rules: &Rules, since: Timestamp, moves: &mut Moves) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        if incident.origin == Origin::People || !incident.is_well() {
            return;
        }
        let stage = if incident.reopened == 0 || rules.reopen_within.is_zero() {
            incident.resolve(since);
            Stage::Resolved
        } else {
            incident.well_since = Some(since.max(incident.started));
            incident.stage = Stage::Monitoring;
            Stage::Monitoring
        };
        moves.push((id, Move::Stage(stage)));
    }
}

impl Incident {
    fn resolve(&mut self, at: Timestamp) {
        let at = at.max(self.started);
        self.stage = Stage::Resolved;
        self.well_since = Some(at);
        self.resolved = Some(at);
    }
}
