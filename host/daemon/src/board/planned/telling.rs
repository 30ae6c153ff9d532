//! Notices of maintenances: before one begins, when it does, and when it is over
//! or called off. Who was told of one hears how it went on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::error;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MaintenanceId};
use watchkeeper_engine::maintenance::Window;
use watchkeeper_engine::time::{Timestamp, spell};

use super::Planned;
use crate::board::wording::delivery;
use crate::board::{Batch, Board};
use crate::notice::{Notice, Occasion, Word, in_zone};

/// The name of the note.
const NOTE: &str = "maintenances";

/// What people were told of a window of a maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// When it was to end, as far as they know.
    to: Timestamp,
    title: Arc<str>,
    /// Who was told, and what last.
    channels: BTreeMap<ChannelId, Said>,
}

/// What somebody was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// That it will begin.
    Ahead,
    /// That it has begun.
    Begun,
}

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Ahead,
    Begun,
    Over,
    CalledOff,
}

#[derive(Serialize, Deserialize)]
struct Mirror {
    id: String,
    from: i64,
    to: i64,
    title: Arc<str>,
    #[serde(default)]
    ahead: Vec<String>,
    #[serde(default)]
    begun: Vec<String>,
}

/// Reads what the last process noted.
pub(super) fn recall(
    notes: &BTreeMap<String, String>,
) -> BTreeMap<(MaintenanceId, Timestamp), Announced> {
    let Some(text) = notes.get(NOTE) else {
        return BTreeMap::new();
    };
    let read = || {
        let mirrors: Vec<Mirror> = serde_json::from_str(text).ok()?;
        mirrors
            .into_iter()
            .map(Mirror::read)
            .collect::<Option<BTreeMap<_, _>>>()
    };
    read().unwrap_or_else(|| {
        error!(
            note = NOTE,
            "a note in the database cannot be read and begins anew"
        );
        BTreeMap::new()
    })
}

impl Board {
    /// Tells of maintenances what is to be told at `now`.
    pub(in crate::board) fn tell_planned(&mut self, now: Timestamp, batch: &mut Batch) {
        if !self.desk.is_open {
            return;
        }
        let mut announced = std::mem::take(&mut self.planner.announced);
        let before = announced.clone();
        announced.retain(|(id, from), known| self.follow_up(id, *from, known, now, batch));
        self.announce(&mut announced, now, batch);
        if announced != before {
            let mirrors: Vec<Mirror> = announced
                .iter()
                .map(|((id, from), known)| Mirror::of(id, *from, known))
                .collect();
            let text = serde_json::to_string(&mirrors).expect("texts and numbers always serialise");
            let note = (!mirrors.is_empty()).then_some(text);
            batch.commit.notes.insert(NOTE.to_owned(), note);
        }
        self.planner.announced = announced;
    }

    /// Tells whoever knows of a window that it is over or called off; whether it is
    /// still to come or goes on.
    fn follow_up(
        &self,
        id: &MaintenanceId,
        from: Timestamp,
        known: &mut Announced,
        now: Timestamp,
        batch: &mut Batch,
    ) -> bool {
        let planned = self.planner.find(id);
        let window = planned.and_then(|planned| planned.plan.window(now));
        if let Some(window) = window.filter(|window| window.from == from) {
            known.to = window.to;
            known.title = planned.map_or_else(
                || Arc::clone(&known.title),
                |it| Arc::clone(&it.maintenance.title),
            );
            return true;
        }
        let configured = &self.config().channels;
        for (channel, said) in &known.channels {
            if configured.iter().all(|it| it.id != *channel) {
                continue;
            }
            // Whoever heard only that it would begin has nothing to hear of one
            // that came and went while nobody could tell.
            let news = match said {
                Said::Begun => News::Over,
                Said::Ahead if now < known.to => News::CalledOff,
                Said::Ahead => continue,
            };
            let window = Window {
                from,
                to: known.to.min(now).max(from),
            };
            let planned = planned.map(|planned| &**planned);
            let notice = self.notice_of(id, &known.title, planned, window, news, now);
            let row = delivery(channel.clone(), None, &notice, now);
            batch.commit.deliveries.push(row);
        }
        false
    }

    /// Tells of windows that are near or have begun.
    fn announce(
        &self,
        announced: &mut BTreeMap<(MaintenanceId, Timestamp), Announced>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let leads = self.desk.routes.iter();
        let leads: Vec<_> = leads
            .filter_map(|lead| Some((lead, lead.route.maintenance_ahead?)))
            .filter(|(lead, _)| lead.route.hours.include(now))
            .collect();
        let Some(longest) = leads.iter().map(|(_, ahead)| *ahead).max() else {
            return;
        };
        for planned in &self.planner.all {
            let Some(window) = planned.plan.window(now) else {
                continue;
            };
            if window.from > now + longest {
                continue;
            }
            let id = &planned.maintenance.id;
            for (lead, ahead) in &leads {
                let news = if window.includes(now) {
                    (News::Begun, Said::Begun)
                } else if *ahead > Duration::ZERO && window.from <= now + *ahead {
                    (News::Ahead, Said::Ahead)
                } else {
                    continue;
                };
                let scope = &planned.maintenance.scope;
                let mut monitors = self.config().monitors();
                if !monitors.any(|it| scope.covers(&it.id) && lead.route.filter.passes(it)) {
                    continue;
                }
                for channel in lead.route.to.iter() {
                    let known = announced
                        .entry((id.clone(), window.from))
                        .or_insert_with(|| Announced {
                            to: window.to,
                            title: Arc::clone(&planned.maintenance.title),
                            channels: BTreeMap::new(),
                        });
                    let said = known.channels.get(channel);
                    if said == Some(&Said::Begun) || said == Some(&news.1) {
                        continue;
                    }
                    known.channels.insert(channel.clone(), news.1);
                    let title = &planned.maintenance.title;
                    let notice = self.notice_of(id, title, Some(planned), window, news.0, now);
                    let row = delivery(channel.clone(), None, &notice, now);
                    batch.commit.deliveries.push(row);
                }
            }
        }
    }

    fn notice_of(
        &self,
        id: &MaintenanceId,
        title: &str,
        planned: Option<&Planned>,
        window: Window,
        news: News,
        now: Timestamp,
    ) -> Notice {
        let zone = &self.config().page.time_zone;
        let (from, to) = (in_zone(window.from, zone), in_zone(window.to, zone));
        let lasted = spell(window.to.since(window.from));
        let (said, span) = match news {
            News::Ahead => (
                format!("{title} begins at {from}"),
                format!("From {from} to {to} ({lasted})."),
            ),
            News::Begun => (
                format!("{title} has begun"),
                format!(
                    "From {from} to {to} ({lasted}). Until then, nobody is told of what it covers."
                ),
            ),
            News::Over => (
                format!("{title} is over after {lasted}"),
                format!("It went on from {from} to {to}."),
            ),
            News::CalledOff => (
                format!("{title} does not take place as planned"),
                format!("It was to begin at {from}."),
            ),
        };
        let mut body = vec![span];
        let covered = planned
            .map(|planned| self.labels(planned))
            .unwrap_or_default();
        if !covered.is_empty() {
            body.push(format!("Covers {}.", covered.join(", ")));
        }
        if let Some(text) = planned.map(|it| &it.maintenance.text)
            && !text.is_empty()
            && matches!(news, News::Ahead | News::Begun)
        {
            body.push(text.to_string());
        }
        Notice {
            health: Word(Health::Healthy),
            at_ms: match news {
                News::Ahead | News::CalledOff => now,
                News::Begun => window.from,
                News::Over => window.to,
            }
            .as_millis(),
            title: said,
            body: body.join("\n"),
            lasted_ms: (news == News::Over).then(|| {
                let lasted = window.to.since(window.from).as_millis();
                u64::try_from(lasted).unwrap_or(u64::MAX)
            }),
            thread: format!("maintenance:{id}@{}", window.from.as_millis()),
            started_ms: Some(window.from.as_millis()),
            ..self.blank(Occasion::Maintenance, now)
        }
    }

    /// What the services and monitors that it covers are called.
    fn labels(&self, planned: &Planned) -> Vec<String> {
        let scope = &planned.maintenance.scope;
        let services = scope.services.iter();
        let services = services.map(|id| self.service_name(id).to_string());
        let monitors = scope.monitors.iter().map(|id| self.name(id));
        services.chain(monitors).collect()
    }
}

impl Mirror {
    fn of(id: &MaintenanceId, from: Timestamp, known: &Announced) -> Self {
        let told = |wanted: Said| {
            let channels = known
                .channels
                .iter()
                .filter(move |(_, said)| **said == wanted);
            channels.map(|(channel, _)| channel.to_string()).collect()
        };
        Self {
            id: id.to_string(),
            from: from.as_millis(),
            to: known.to.as_millis(),
            title: Arc::clone(&known.title),
            ahead: told(Said::Ahead),
            begun: told(Said::Begun),
        }
    }

    fn read(self) -> Option<((MaintenanceId, Timestamp), Announced)> {
        let ahead = self.ahead.iter().map(|channel| (channel, Said::Ahead));
        let begun = self.begun.iter().map(|channel| (channel, Said::Begun));
        let channels = ahead
            .chain(begun)
            .map(|(channel, said)| Some((ChannelId::new(channel).ok()?, said)));
        let known = Announced {
            to: Timestamp::from_millis(self.to),
            title: self.title,
            channels: channels.collect::<Option<_>>()?,
        };
        let id = MaintenanceId::new(&self.id).ok()?;
        Some(((id, Timestamp::from_millis(self.from)), known))
    }
}
