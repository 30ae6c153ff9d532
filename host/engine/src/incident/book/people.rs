//! What people do to incidents.

use std::collections::{BTreeMap, BTreeSet};

use super::{Book, Moves, Refused};
use crate::health::Health;
use crate::id::ServiceId;
use crate::incident::{Incident, IncidentId, Move, Origin, Part, Severity, Stage};
use crate::time::Timestamp;

/// An incident that people open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The services that it hits; the first is the one whose it is.
    pub services: Vec<ServiceId>,
    /// How bad it is.
    pub severity: Severity,
    /// How far the work on it is; one that is over already can be told as well.
    pub stage: Stage,
    /// When it began.
    pub started: Timestamp,
}

/// What people change of an incident; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// How bad it is.
    pub severity: Option<Severity>,
    /// How far the work on it is.
    pub stage: Option<Stage>,
    /// The services that people say it hits, besides those whose monitors are part
    /// of it.
    pub services: Option<Vec<ServiceId>>,
}

impl Book {
    /// Opens an incident of people; `None` if it hits no service.
    pub fn open(&mut self, opening: &Opening, now: Timestamp) -> Option<(IncidentId, Moves)> {
        let (service, rest) = opening.services.split_first()?;
        let id = self.next;
        self.next = id.next();
        let mut incident = Incident {
            origin: Origin::People,
            service: service.clone(),
            affects: rest.iter().cloned().collect(),
            absorbs: BTreeSet::new(),
            merged_into: None,
            severity: opening.severity,
            stage: opening.stage,
            started: opening.started.min(now),
            resolved: None,
            well_since: None,
            reopened: 0,
            acknowledged: None,
            parts: BTreeMap::new(),
        };
        if opening.stage == Stage::Resolved {
            incident.resolve(now);
        }
        self.incidents.insert(id, incident);
        Some((id, vec![(id, Move::Opened)]))
    }

    /// Takes an incident in that was left out because it ended long ago. One that
    /// is known stays as it is.
    pub fn recall(&mut self, id: IncidentId, incident: Incident) {
        self.incidents.entry(id).or_insert(incident);
        self.next = self.next.max(id.next());
    }

    /// Changes what people say of an incident. One that is over goes on if its stage
    /// says so; one that is over by their word waits for no monitor any more.
    pub fn revise(
        &mut self,
        id: IncidentId,
        revision: &Revision,
        now: Timestamp,
    ) -> Result<Moves, Refused> {
        let incident = self.incidents.get_mut(&id).ok_or(Refused::Unknown)?;
        let goes_on = revision.stage.is_some_and(|stage| stage != Stage::Resolved);
        if goes_on && incident.merged_into.is_some() {
            return Err(Refused::Merged);
        }
        let mut moves = Vec::new();
        if let Some(services) = &revision.services
            && let Some((first, rest)) = services.split_first()
        {
            let is_own = incident.origin == Origin::People;
            if is_own {
                incident.service = first.clone();
            }
            let named = if is_own { rest } else { services.as_slice() };
            incident.affects = named.iter().cloned().collect();
            incident.affects.remove(&incident.service);
        }
        if let Some(severity) = revision.severity
            && severity != incident.severity
        {
            incident.severity = severity;
            moves.push((id, Move::Judged(severity)));
        }
        let stage = revision.stage.filter(|stage| *stage != incident.stage);
        match stage {
            Some(Stage::Resolved) => {
                for (monitor, part) in &mut incident.parts {
                    if std::mem::take(&mut part.ails) {
                        let monitor = monitor.clone();
                        moves.push((id, Move::Left { monitor }));
                    }
                }
                incident.resolve(now);
                moves.push((id, Move::Stage(Stage::Resolved)));
            }
            Some(stage) => {
                let was_over = incident.resolved.take().is_some();
                incident.well_since = None;
                incident.stage = stage;
                if was_over {
                    incident.reopened = incident.reopened.saturating_add(1);
                    incident.acknowledged = None;
                    moves.push((id, Move::Reopened));
                }
                moves.push((id, Move::Stage(stage)));
            }
            None => {}
        }
        Ok(moves)
    }

    /// Goes on with `from` in `into`: what ails there ails here, and the first is
    /// over. What follows in the services of `from` belongs to `into` as long as that
    /// goes on.
    pub fn merge(
        &mut self,
        from: IncidentId,
        into: IncidentId,
        now: Timestamp,
    ) -> Result<Moves, Refused> {
        if from == into {
            return Err(Refused::Itself);
        }
        let target = self.incidents.get(&into).ok_or(Refused::Unknown)?;
        let source = self.incidents.get(&from).ok_or(Refused::Unknown)?;
        if !target.is_open() || !source.is_open() {
            return Err(Refused::Over);
        }
        let mut gone = source.clone();
        for part in gone.parts.values_mut() {
            part.ails = false;
        }
        gone.merged_into = Some(into);
        gone.resolve(now);
        let source =
            std::mem::replace(self.incidents.get_mut(&from).ok_or(Refused::Unknown)?, gone);
        let incident = self.incidents.get_mut(&into).ok_or(Refused::Unknown)?;
        let mut moves = Vec::new();
        let services: Vec<ServiceId> = source.services().into_iter().cloned().collect();
        for (monitor, part) in source.parts {
            let Some(known) = incident.parts.get(&monitor).filter(|_| !part.ails) else {
                let worst = incident.parts.get(&monitor).map(|known| known.worst);
                let worst = worst.map_or(part.worst, |worst| worst.max(part.worst));
                if part.ails {
                    incident.well_since = None;
                    moves.push((
                        into,
                        Move::Part {
                            monitor: monitor.clone(),
                            from: Health::Healthy,
                            to: part.health,
                            root: part.root.clone(),
                        },
                    ));
                }
                incident.parts.insert(monitor, Part { worst, ..part });
                continue;
            };
            let worst = known.worst.max(part.worst);
            let known = Part {
                worst,
                ..known.clone()
            };
            incident.parts.insert(monitor, known);
        }
        incident.absorbs.extend(source.absorbs);
        if source.origin == Origin::Outage {
            incident.absorbs.insert(source.service);
        }
        incident.affects.extend(services);
        incident.affects.remove(&incident.service);
        incident.started = incident.started.min(source.started);
        if incident.acknowledged.is_none() {
            incident.acknowledged = source.acknowledged;
        }
        if incident.severity < source.severity {
            incident.severity = source.severity;
            moves.push((into, Move::Worsened(source.severity)));
        }
        moves.push((into, Move::Absorbed(from)));
        moves.push((from, Move::MergedInto(into)));
        Ok(moves)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::id::MonitorId;
    use crate::incident::{Rules, Stands};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn service(id: &str) -> ServiceId {
        ServiceId::new(id).unwrap()
    }

    fn opening(services: &[&str]) -> Opening {
        Opening {
            services: services.iter().map(|id| service(id)).collect(),
            severity: Severity::Minor,
            stage: Stage::Investigating,
            started: at(0),
        }
    }

    fn stand(book: &mut Book, monitor: &str, health: Health, second: i64) {
        let monitor = MonitorId::parse(monitor).unwrap();
        let stands = Stands {
            monitor: &monitor,
            health,
            since: at(second),
            root: None,
            severity: Severity::Major,
            opens: true,
        };
        book.stand(&stands, &Rules::default(), at(second));
    }

    fn hit(incident: &Incident) -> Vec<&str> {
        incident
            .services()
            .into_iter()
            .map(ServiceId::as_str)
            .collect()
    }

    #[test]
    fn people_open_change_and_end_one() {
        let mut book = Book::default();
        let (id, _) = book.open(&opening(&["api", "web"]), at(5)).unwrap();
        assert_eq!(hit(book.get(id).unwrap()), ["api", "web"]);
        // No outage of the service belongs to it by itself, and none ends it.
        stand(&mut book, "api/a", Health::Dead, 6);
        stand(&mut book, "api/a", Health::Healthy, 7);
        assert!(book.get(id).unwrap().is_open() && book.get(id).unwrap().parts.is_empty());
        let wider = Revision {
            severity: Some(Severity::Critical),
            stage: Some(Stage::Identified),
            services: Some(vec![service("web"), service("mail")]),
        };
        let moves = book.revise(id, &wider, at(8)).unwrap();
        let expected = [
            (id, Move::Judged(Severity::Critical)),
            (id, Move::Stage(Stage::Identified)),
        ];
        assert_eq!(moves, expected);
        assert_eq!(hit(book.get(id).unwrap()), ["web", "mail"]);
        let over = Revision {
            stage: Some(Stage::Resolved),
            ..Revision::default()
        };
        book.revise(id, &over, at(9)).unwrap();
        assert_eq!(book.get(id).unwrap().resolved, Some(at(9)));
        assert_eq!(book.revise(id, &over, at(10)), Ok(Vec::new()));
        let again = Revision {
            stage: Some(Stage::Monitoring),
            ..Revision::default()
        };
        let moves = book.revise(id, &again, at(11)).unwrap();
        assert_eq!(moves[0], (id, Move::Reopened));
        assert!(book.get(id).unwrap().is_open());
        assert_eq!(book.open(&opening(&[]), at(5)), None);
    }

    #[test]
    fn who_says_that_an_outage_is_over_is_believed_until_the_next_one() {
        let mut book = Book::default();
        stand(&mut book, "api/a", Health::Dead, 1);
        let id = IncidentId::FIRST;
        let over = Revision {
            stage: Some(Stage::Resolved),
            ..Revision::default()
        };
        book.revise(id, &over, at(2)).unwrap();
        assert!(!book.get(id).unwrap().is_open());
        assert_eq!(book.ailing(&MonitorId::parse("api/a").unwrap()), None);
        stand(&mut book, "api/b", Health::Dead, 3);
        assert!(book.get(id).unwrap().is_open(), "it is gone on with");
    }

    #[test]
    fn one_that_opened_itself_goes_on_as_one_of_people() {
        let mut book = Book::default();
        stand(&mut book, "api/a", Health::Dead, 1);
        let outage = IncidentId::FIRST;
        let (ours, _) = book.open(&opening(&["web"]), at(2)).unwrap();
        let moves = book.merge(outage, ours, at(3)).unwrap();
        assert!(moves.contains(&(ours, Move::Absorbed(outage))));
        assert!(moves.contains(&(outage, Move::MergedInto(ours))));
        let incident = book.get(ours).unwrap();
        assert_eq!(hit(incident), ["web", "api"]);
        assert_eq!(incident.severity, Severity::Major);
        assert!(!book.get(outage).unwrap().is_open());
        assert_eq!(book.ailing(&MonitorId::parse("api/a").unwrap()), Some(ours));
        // What follows in the service belongs to it, and it ends by people's word.
        stand(&mut book, "api/b", Health::Dead, 4);
        assert_eq!(book.ailing(&MonitorId::parse("api/b").unwrap()), Some(ours));
        stand(&mut book, "api/a", Health::Healthy, 5);
        stand(&mut book, "api/b", Health::Healthy, 5);
        assert!(book.get(ours).unwrap().is_open());
        assert_eq!(book.merge(outage, ours, at(6)), Err(Refused::Over));
        assert_eq!(book.merge(ours, ours, at(6)), Err(Refused::Itself));
        let again = Revision {
            stage: Some(Stage::Monitoring),
            ..Revision::default()
        };
        assert_eq!(book.revise(outage, &again, at(7)), Err(Refused::Merged));
        let over = Revision {
            stage: Some(Stage::Resolved),
            ..Revision::default()
        };
        book.revise(ours, &over, at(8)).unwrap();
        // The next outage is one of its own, and not the one that was merged.
        stand(&mut book, "api/a", Health::Dead, 9);
        let next = book.ailing(&MonitorId::parse("api/a").unwrap()).unwrap();
        assert!(next != outage && next != ours);
    }

    #[test]
    fn one_that_opened_itself_and_took_others_in_ends_by_itself() {
        let mut book = Book::default();
        stand(&mut book, "api/a", Health::Dead, 1);
        stand(&mut book, "web/a", Health::Dead, 2);
        let (api, web) = (IncidentId::new(1), IncidentId::new(2));
        book.merge(web, api, at(3)).unwrap();
        stand(&mut book, "api/a", Health::Healthy, 4);
        assert!(book.get(api).unwrap().is_open());
        stand(&mut book, "web/a", Health::Healthy, 5);
        let incident = book.get(api).unwrap();
        assert_eq!(incident.resolved, Some(at(5)));
        assert_eq!(incident.lasted(at(9)), Duration::from_secs(4));
    }
}
