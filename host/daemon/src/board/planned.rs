//! Maintenances on the board: those of the files and those that people made, what
//! they cover now, and what follows when one begins or ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info};
use watchkeeper_config::Config;
use watchkeeper_config::maintenance::{Draft, Maintenance, Mistake};
use watchkeeper_engine::change::Event;
use watchkeeper_engine::id::{MaintenanceId, MonitorId};
use watchkeeper_engine::maintenance::{Phase, Plan, Window};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::Maintained;
use watchkeeper_store::{Document, DocumentKey, DocumentKind, Sample, Subject};

use self::telling::Announced;
use super::{Batch, Board};

mod kept;
mod telling;

/// How many maintenances are kept beside those of the files. Beyond it the oldest
/// that is over makes room.
const MOST: usize = 2_000;

/// How far back a window may lie that is still shown in calendars.
pub(crate) const CALENDAR_BACK: Duration = Duration::from_hours(90 * 24);

/// How far ahead windows are shown in calendars.
pub(crate) const CALENDAR_AHEAD: Duration = Duration::from_hours(180 * 24);

/// What the board knows of maintenances.
#[derive(Default)]
pub(super) struct Planner {
    /// Those of the files first, in their order.
    all: Vec<Arc<Planned>>,
    /// The monitors that are covered, and since and until when.
    covered: BTreeMap<MonitorId, Window>,
    /// When something next begins or ends; `None` for never.
    turn_at: Option<Timestamp>,
    /// What people were told and may have to hear the end of.
    announced: BTreeMap<(MaintenanceId, Timestamp), Announced>,
}

/// A maintenance, wherever it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) maintenance: Maintenance,
    pub(crate) plan: Plan,
    /// What is known of one that people made; `None`: it stands in a file.
    pub(crate) made: Option<Made>,
}

/// What is known of a maintenance that people made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// How often it was written, from 1.
    pub(crate) revision: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Who wrote it last.
    pub(crate) by: Arc<str>,
}

/// What people want done to a maintenance.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    /// That there is a new one.
    Make(Draft),
    /// That it is planned otherwise.
    Change(MaintenanceId, Draft),
    /// That what goes on is over.
    End(MaintenanceId),
    /// That it does not take place, or no longer.
    Cancel(MaintenanceId),
    /// That there never was one.
    Remove(MaintenanceId),
}

/// Why a wish cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such maintenance.
    Unknown,
    /// It stands in a file.
    OfFile,
    /// Somebody wrote it since.
    Stale,
    /// Another one has that id.
    Taken,
    /// It is not such that this can be done: why.
    Unfit(&'static str),
    /// There are too many.
    Full,
    /// What is planned makes no sense.
    Wrong(Vec<Mistake>),
}

impl Planner {
    /// The maintenances as the last process left them.
    fn restore(
        config: &Config,
        documents: &BTreeMap<DocumentKey, Document>,
        notes: &BTreeMap<String, String>,
    ) -> Self {
        let mut planner = Self {
            all: of_files(config),
            announced: telling::recall(notes),
            ..Self::default()
        };
        for (key, document) in documents {
            if key.kind != DocumentKind::Maintenance {
                continue;
            }
            match kept::read(&key.id, document, &config.page.time_zone) {
                Ok(planned) if planner.find(&planned.maintenance.id).is_some() => {
                    error!(id = %key.id, "a maintenance of the database has the id of one of the files, and waits until that is gone");
                }
                Ok(planned) => planner.all.push(Arc::new(planned)),
                Err(problem) => {
                    error!(id = %key.id, problem, "a maintenance in the database cannot be read and is passed over");
                }
            }
        }
        planner
    }

    /// Follows what the files say.
    fn adopt(&mut self, config: &Config) {
        let made = std::mem::take(&mut self.all);
        self.all = of_files(config);
        for planned in made.into_iter().filter(|it| it.made.is_some()) {
            if self.find(&planned.maintenance.id).is_none() {
                self.all.push(planned);
            } else {
                error!(id = %planned.maintenance.id, "a maintenance of the database has the id of one of the files, and is passed over until the next start");
            }
        }
    }

    fn find(&self, id: &MaintenanceId) -> Option<&Arc<Planned>> {
        self.all.iter().find(|it| it.maintenance.id == *id)
    }

    fn going(&self, now: Timestamp) -> Vec<(&Planned, Window)> {
        let windows = self
            .all
            .iter()
            .filter_map(|it| Some((&**it, it.plan.window(now)?)));
        windows.filter(|(_, window)| window.includes(now)).collect()
    }
}

impl Board {
    /// Whether a maintenance covers `monitor` now.
    pub(crate) fn is_maintained(&self, monitor: &MonitorId) -> bool {
        self.planner.covered.contains_key(monitor)
    }

    /// Every maintenance that is known.
    pub(crate) fn planned(&self) -> &[Arc<Planned>] {
        &self.planner.all
    }

    /// Begins where the last process ended: what is covered at `now` is, without
    /// anything following from it.
    pub(super) fn recall_planned(
        &mut self,
        documents: &BTreeMap<DocumentKey, Document>,
        notes: &BTreeMap<String, String>,
        now: Timestamp,
    ) {
        self.planner = Planner::restore(self.config(), documents, notes);
        let covered = self.coverage(now);
        for id in covered.keys() {
            if let Some(monitor) = self.monitors.get_mut(id) {
                monitor.maintained = Maintained::Yes;
            }
        }
        self.planner.covered = covered;
        self.look_for_turn(now);
    }

    /// Follows what the files say of maintenances.
    pub(super) fn adopt_planned(&mut self, now: Timestamp, batch: &mut Batch) {
        let config = Arc::clone(&self.assignments);
        self.planner.adopt(&config.config);
        self.planner.turn_at = Some(now);
        self.turn(now, batch);
    }

    /// Looks at every maintenance again at the next opportunity: the clock was set.
    pub(super) const fn stir_planned(&mut self) {
        self.planner.turn_at = Some(Timestamp::from_millis(i64::MIN));
    }

    /// Does what follows from maintenances that have begun or ended. Comes before
    /// whatever else happens at `now`.
    pub(super) fn turn(&mut self, now: Timestamp, batch: &mut Batch) {
        if self.planner.turn_at.is_none_or(|at| now < at) {
            return;
        }
        let covered = self.coverage(now);
        let before = std::mem::replace(&mut self.planner.covered, covered.clone());
        let mut freed = Vec::new();
        for (id, window) in &before {
            if !covered.contains_key(id) {
                self.flip(id, Maintained::No, window.to.min(now), now, batch);
                freed.push(id.clone());
            }
        }
        for (id, window) in &covered {
            if !before.contains_key(id) {
                self.flip(id, Maintained::Yes, window.from.min(now), now, batch);
                // What was not told yet is told once it is over, if it still is so.
                self.held.remove(id);
                self.folded.remove(id);
            }
        }
        self.look_for_turn(now);
        for id in freed {
            self.free(&id, now, batch);
        }
    }

    /// Grants a wish of `by`, unless what it is about is not at `revision` any more.
    pub(crate) fn maintain(
        &mut self,
        wish: Wish,
        revision: Option<u32>,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Arc<Planned>, Refused> {
        // What has ended by now is over before anything is done to it.
        self.turn(now, batch);
        let (known, planned) = match wish {
            Wish::Make(draft) => (None, Some(self.made(draft, by, now)?)),
            Wish::Change(id, draft) => {
                let known = self.changeable(&id, revision)?;
                let draft = Draft {
                    id: Some(id.to_string()),
                    ..draft
                };
                let maintenance = self.sensible(&draft)?;
                if !known.plan.phase(now).is_ahead() {
                    return Err(Refused::Unfit("It is over, and stays as it was."));
                }
                let plan = Plan {
                    when: maintenance.when.clone(),
                    ..known.plan.clone()
                };
                let planned = Planned {
                    maintenance,
                    plan,
                    made: known.made.clone(),
                };
                (Some(known), Some(planned))
            }
            Wish::End(id) => {
                let known = self.changeable(&id, revision)?;
                if known.plan.phase(now) != Phase::InProgress {
                    return Err(Refused::Unfit(
                        "It is not in progress: only what goes on can be ended.",
                    ));
                }
                let mut planned = Planned::clone(&known);
                planned.plan.ended = Some(now);
                (Some(known), Some(planned))
            }
            Wish::Cancel(id) => {
                let known = self.changeable(&id, revision)?;
                if !known.plan.phase(now).is_ahead() {
                    return Err(Refused::Unfit("It is over: there is nothing to call off."));
                }
                let mut planned = Planned::clone(&known);
                planned.plan.cancelled = Some(now);
                (Some(known), Some(planned))
            }
            Wish::Remove(id) => (Some(self.changeable(&id, revision)?), None),
        };
        let answer = match (&known, planned) {
            (Some(known), None) => {
                self.drop_planned(&known.maintenance.id, batch);
                Arc::clone(known)
            }
            (_, Some(planned)) => self.put_planned(planned, by, now, batch),
            (None, None) => return Err(Refused::Unknown),
        };
        batch.is_news = true;
        info!(id = %answer.maintenance.id, %by, "a maintenance was changed");
        self.planner.turn_at = Some(now);
        self.turn(now, batch);
        self.tell_planned(now, batch);
        Ok(answer)
    }

    /// A new one, if there may be one.
    fn made(&self, draft: Draft, by: &Arc<str>, now: Timestamp) -> Result<Planned, Refused> {
        let draft = Draft {
            id: draft.id.or_else(|| Some(fresh_id())),
            ..draft
        };
        let maintenance = self.sensible(&draft)?;
        if self.planner.find(&maintenance.id).is_some() {
            return Err(Refused::Taken);
        }
        let plan = Plan::new(maintenance.when.clone());
        if !plan.phase(now).is_ahead() {
            return Err(Refused::Wrong(vec![Mistake {
                key: "starts",
                what: "`starts` lies so far back that it would be over already".to_owned(),
            }]));
        }
        let made = self.planner.all.iter().filter(|it| it.made.is_some());
        let over = made
            .clone()
            .filter(|it| !it.plan.phase(now).is_ahead())
            .count();
        if made.count() >= MOST && over == 0 {
            return Err(Refused::Full);
        }
        Ok(Planned {
            maintenance,
            plan,
            made: Some(Made {
                revision: 0,
                created_at: now,
                updated_at: now,
                by: Arc::clone(by),
            }),
        })
    }

    /// What a draft amounts to, if all that it names exists.
    fn sensible(&self, draft: &Draft) -> Result<Maintenance, Refused> {
        let config = self.config();
        let checked = draft.check(&config.page.time_zone);
        let maintenance = checked.map_err(Refused::Wrong)?;
        let services = maintenance.scope.services.iter();
        let services = services.filter(|id| config.service(id).is_none());
        let services = services.map(|id| ("services", format!("there is no service `{id}`")));
        let monitors = maintenance.scope.monitors.iter();
        let monitors = monitors.filter(|id| config.monitor(id).is_none());
        let monitors = monitors.map(|id| ("monitors", format!("there is no monitor `{id}`")));
        let missing: Vec<_> = services
            .chain(monitors)
            .map(|(key, what)| Mistake { key, what })
            .collect();
        if missing.is_empty() {
            Ok(maintenance)
        } else {
            Err(Refused::Wrong(missing))
        }
    }

    /// The maintenance `id`, if people made it and it is at `revision`.
    fn changeable(
        &self,
        id: &MaintenanceId,
        revision: Option<u32>,
    ) -> Result<Arc<Planned>, Refused> {
        let known = self.planner.find(id).ok_or(Refused::Unknown)?;
        let made = known.made.as_ref().ok_or(Refused::OfFile)?;
        if revision.is_some_and(|revision| revision != made.revision) {
            return Err(Refused::Stale);
        }
        Ok(Arc::clone(known))
    }

    fn put_planned(
        &mut self,
        mut planned: Planned,
        by: &Arc<str>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Arc<Planned> {
        if let Some(made) = &mut planned.made {
            made.revision = made.revision.saturating_add(1);
            made.updated_at = now;
            made.by = Arc::clone(by);
        }
        let planned = Arc::new(planned);
        let id = &planned.maintenance.id;
        self.planner.all.retain(|it| it.maintenance.id != *id);
        self.make_room(now, batch);
        self.planner.all.push(Arc::clone(&planned));
        let document = kept::write(&planned);
        batch.commit.documents.insert(key(id), document);
        planned
    }

    /// The oldest that is over leaves where there are too many.
    fn make_room(&mut self, now: Timestamp, batch: &mut Batch) {
        let made = || self.planner.all.iter().filter(|it| it.made.is_some());
        if made().count() < MOST {
            return;
        }
        let over = made().filter(|it| !it.plan.phase(now).is_ahead());
        let oldest = over.min_by_key(|it| it.made.as_ref().map(|made| made.updated_at));
        if let Some(id) = oldest.map(|it| it.maintenance.id.clone()) {
            self.drop_planned(&id, batch);
        }
    }

    fn drop_planned(&mut self, id: &MaintenanceId, batch: &mut Batch) {
        self.planner.all.retain(|it| it.maintenance.id != *id);
        batch.commit.documents.insert(key(id), None);
    }

    /// Everything that is covered at `now`.
    fn coverage(&self, now: Timestamp) -> BTreeMap<MonitorId, Window> {
        let going = self.planner.going(now);
        if going.is_empty() {
            return BTreeMap::new();
        }
        let monitors = self.monitors.keys();
        monitors
            .filter_map(|id| Some((id.clone(), cover(id, &going)?)))
            .collect()
    }

    fn look_for_turn(&mut self, now: Timestamp) {
        let turns = self.planner.all.iter();
        self.planner.turn_at = turns.filter_map(|it| it.plan.next_turn(now)).min();
    }

    /// From `at` on, which is `now` or just before, time counts otherwise.
    fn flip(
        &mut self,
        id: &MonitorId,
        maintained: Maintained,
        at: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(monitor) = self.monitors.get_mut(id) else {
            return;
        };
        // What is noticed late may lie before what is accounted for already.
        let health = monitor.state.standing.health;
        if let Some(span) = monitor.account(at.max(monitor.accounted), health) {
            batch.samples.push(Sample {
                subject: Subject::Monitor(id.clone()),
                reading: None,
                span: Some(span),
            });
        }
        let before = std::mem::replace(&mut monitor.maintained, maintained);
        monitor.version += 1;
        for target in &monitor.targets {
            let Some(entry) = self.targets.get_mut(target) else {
                continue;
            };
            let health = entry.state.standing.health;
            if let Some(span) = entry.account(at.max(entry.accounted), health, before) {
                batch.samples.push(Sample {
                    subject: Subject::Target(target.clone()),
                    reading: None,
                    span: Some(span),
                });
            }
        }
        batch.is_news = true;
        info!(monitor = %id, covered = maintained == Maintained::Yes, late = ?now.since(at), "maintenance");
    }

    /// Tells how a monitor stands that is covered no longer, and what it explains.
    fn free(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        self.retell(id, now, batch);
        let explained: Vec<_> = self
            .folded
            .iter()
            .filter(|(_, (_, root))| root == id)
            .map(|(child, (change, _))| (child.clone(), change.clone()))
            .collect();
        for (child, change) in explained {
            self.stand(&child, &Event::Changed(change), Some(id), now, batch);
        }
    }
}

impl Planned {
    /// The window that goes on at `now` or comes next, else the only one there was.
    pub(crate) fn window(&self, now: Timestamp) -> Option<Window> {
        use watchkeeper_engine::maintenance::When;

        self.plan.window(now).or(match self.plan.when {
            When::Once(window) => {
                let to = self.plan.ended.map_or(window.to, |at| window.to.min(at));
                Some(Window {
                    to: to.max(window.from),
                    ..window
                })
            }
            When::Again { .. } => None,
        })
    }

    /// The windows that overlap the span from `from` to `to`, at most `most`.
    pub(crate) fn windows(&self, from: Timestamp, to: Timestamp, most: usize) -> Vec<Window> {
        let windows = self.plan.windows(from);
        windows
            .take_while(|window| window.from < to)
            .take(most)
            .collect()
    }

    /// Whether it was called off before it began, or while it went on.
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        self.plan.phase(now)
    }
}

/// What covers `monitor`: from the earliest beginning to the latest end of all that
/// is `going` on.
fn cover(monitor: &MonitorId, going: &[(&Planned, Window)]) -> Option<Window> {
    let covering = going
        .iter()
        .filter(|(planned, _)| planned.maintenance.scope.covers(monitor));
    covering.map(|(_, window)| *window).reduce(|a, b| Window {
        from: a.from.min(b.from),
        to: a.to.max(b.to),
    })
}

fn of_files(config: &Config) -> Vec<Arc<Planned>> {
    let all = config.maintenances.iter();
    all.map(|maintenance| {
        Arc::new(Planned {
            maintenance: maintenance.clone(),
            plan: Plan::new(maintenance.when.clone()),
            made: None,
        })
    })
    .collect()
}

fn key(id: &MaintenanceId) -> DocumentKey {
    DocumentKey {
        kind: DocumentKind::Maintenance,
        id: id.as_str().into(),
    }
}

/// An id that no other has: short enough to be said, and of a random number.
fn fresh_id() -> String {
    let number = uuid::Uuid::new_v4().as_u128();
    format!("m-{:012x}", number & 0xffff_ffff_ffff)
}
