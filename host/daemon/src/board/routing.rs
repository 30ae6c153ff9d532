//! Which routes tell what, when, and to whom.
//!
//! A route decides by what it was told; each of its channels hears only what it
//! does not know from another route. What is due by time alone (reminders, the
//! steps of an escalation, the beginning of a route's hours, the end of a window)
//! is done by [`Board::due`], which looks at nothing but what is kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::change::{Cause, Change, Event};
use watchkeeper_engine::folding::Line;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::telling::{Interest, Occasion, Told, sleep_through, tell};
use watchkeeper_engine::time::Timestamp;

use super::desk::lanes::{Item, Lane, Rules};
use super::desk::{Lead, channel_key};
use super::{Batch, Board, as_it_stands};

/// Something that happened to a monitor, while it is being told.
pub(super) struct News<'a> {
    pub(super) monitor: &'a MonitorId,
    pub(super) event: &'a Event,
    /// Whether it is the end of an outage that could not be told when it came.
    pub(super) is_late: bool,
    pub(super) now: Timestamp,
}

impl Board {
    /// Tells `event` of the monitor on every route that is about it.
    pub(super) fn tell(
        &mut self,
        id: &MonitorId,
        event: &Event,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        self.stand(id, event, None, now, batch);
        let leads = self.desk.leads(id);
        let items = self.gather(&leads, id, event, now, batch);
        self.settle_channels(&leads, id, event, &items, batch);
        self.send(items, now, batch);
    }

    /// Does what is due at `now` by time alone.
    pub(crate) fn due(&mut self, now: Timestamp, batch: &mut Batch) {
        if !self.desk.is_open || self.desk.due_at.is_none_or(|at| at > now) {
            return;
        }
        let mut items = Vec::new();
        for lead in 0..self.desk.routes.len() {
            let Lead { key, route } = &self.desk.routes[lead];
            if !route.hours.include(now) {
                let key = key.clone();
                self.desk.awake.remove(&key);
                continue;
            }
            if self.desk.awake.insert(key.clone()) {
                self.wake(lead, now, &mut items, batch);
            }
            self.insist(lead, now, &mut items, batch);
        }
        self.settle_troubles(now, batch);
        self.send(items, now, batch);
        self.release(now, batch);
    }

    /// When [`Self::due`] has to be called next; `None` for never.
    pub(crate) const fn due_at(&self) -> Option<Timestamp> {
        self.desk.due_at
    }

    /// Writes down what waits, once for all that has happened since it was written
    /// down last. Belongs into the commit of what made it wait.
    pub(crate) fn note(&mut self, batch: &mut Batch) {
        self.desk.note_lanes(batch);
    }

    /// Keeps everybody from being reminded for `span`; zero takes that back.
    pub(crate) fn hush(&mut self, span: Duration, now: Timestamp, batch: &mut Batch) {
        self.desk.hush = (!span.is_zero()).then(|| now + span);
        self.desk.note_hush(batch);
        self.stir(now);
    }

    /// Until when nobody is reminded.
    pub(crate) const fn hushed_until(&self) -> Option<Timestamp> {
        self.desk.hush
    }

    /// What each of the routes `leads` tells of `event`.
    fn gather(
        &mut self,
        leads: &[usize],
        id: &MonitorId,
        event: &Event,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Vec<Item> {
        let mut items = Vec::new();
        let is_end = matches!(event, Event::Changed(change) if change.to == Health::Healthy);
        for lead in leads {
            let lead = self.desk.routes[*lead].clone();
            let mut told = self.desk.told(&lead.key, id);
            if !lead.route.hours.include(now) {
                let after = sleep_through(&told, event);
                self.desk.remember(&lead.key, id, after, batch);
                continue;
            }
            // An end that could not be told when it came is told before what came
            // after it.
            if let Some(ended) = told.outage.as_ref().and_then(|outage| outage.ended)
                && !is_end
            {
                let end = end_at(ended, now);
                let news = News {
                    monitor: id,
                    event: &end,
                    is_late: true,
                    now,
                };
                told = self.tell_on(&lead, &told, &news, &mut items, batch);
            }
            let news = News {
                monitor: id,
                event,
                is_late: false,
                now,
            };
            let after = self.tell_on(&lead, &told, &news, &mut items, batch);
            self.desk.remember(&lead.key, id, after, batch);
        }
        items
    }

    /// What one route tells. Returns what it has been told afterwards.
    fn tell_on(
        &mut self,
        lead: &Lead,
        told: &Told,
        news: &News<'_>,
        items: &mut Vec<Item>,
        batch: &mut Batch,
    ) -> Told {
        let (after, occasion) = tell(told, news.event, &lead.route.on);
        if occasion.is_some() && !lead.route.reminders_only {
            let known = told.outage.as_ref();
            let steps = known
                .filter(|outage| outage.ended.is_none() || is_end(news.event))
                .map_or(0, |outage| outage.steps);
            for channel in lead.audience(steps) {
                let has_heard = items.iter().any(|item| {
                    item.lane.channel == *channel && says(&item.line.occasion, news.event)
                });
                if has_heard {
                    continue;
                }
                if let Some(line) = self.line_for(channel, news, batch) {
                    items.push(item(lead, channel, line));
                }
            }
        }
        after
    }

    /// What the channel hears of the news, if it does not know it from another
    /// route.
    pub(super) fn line_for(
        &mut self,
        channel: &ChannelId,
        news: &News<'_>,
        batch: &mut Batch,
    ) -> Option<Line> {
        let key = channel_key(channel);
        let told = self.desk.told(&key, news.monitor);
        let owed = told.outage.as_ref().and_then(|outage| outage.ended);
        if news.is_late && owed.is_none() {
            return None;
        }
        let (after, occasion) = tell(&told, news.event, &Interest::ALL);
        let occasion = occasion?;
        let outage = after.outage.as_ref().or(told.outage.as_ref());
        let began = outage.map_or(news.now, |outage| outage.since);
        let previous = match news.event {
            Event::Changed(change) if change.from != Health::Unknown => Some(change.from),
            _ => None,
        };
        self.desk.remember(&key, news.monitor, after, batch);
        Some(Line {
            monitor: news.monitor.clone(),
            began,
            previous,
            occasion,
        })
    }

    /// After an end: whoever was not told of it has nothing to hear of that outage
    /// any more, unless a route tells it once its hours begin.
    fn settle_channels(
        &mut self,
        leads: &[usize],
        id: &MonitorId,
        event: &Event,
        items: &[Item],
        batch: &mut Batch,
    ) {
        if !is_end(event) {
            return;
        }
        let mut owed: BTreeSet<ChannelId> = BTreeSet::new();
        for lead in leads {
            let lead = &self.desk.routes[*lead];
            let told = self.desk.told(&lead.key, id);
            if let Some(outage) = told.outage.filter(|it| it.ended.is_some())
                && lead.route.on.recovered
                && !lead.route.reminders_only
            {
                owed.extend(lead.audience(outage.steps).cloned());
            }
        }
        let channels = self.config().channels.clone();
        for channel in channels.iter().map(|channel| &channel.id) {
            let key = channel_key(channel);
            let told = self.desk.told(&key, id);
            if told.outage.is_none() || items.iter().any(|item| item.lane.channel == *channel) {
                continue;
            }
            let after = if owed.contains(channel) {
                sleep_through(&told, event)
            } else {
                Told::default()
            };
            self.desk.remember(&key, id, after, batch);
        }
    }

    /// A route's hours have begun, or it is new: tells how things stand to whoever
    /// does not know.
    fn wake(&mut self, lead: usize, now: Timestamp, items: &mut Vec<Item>, batch: &mut Batch) {
        let monitors = self.assignments.monitors.iter();
        let ids: Vec<MonitorId> = monitors.map(|it| it.monitor.id.clone()).collect();
        for id in ids {
            if !self.desk.leads(&id).contains(&lead) || self.waits_for_others(&id) {
                continue;
            }
            let Some(monitor) = self.monitors.get(&id) else {
                continue;
            };
            let standing = &monitor.state.standing;
            if standing.since.is_none()
                || standing.cause == Some(Cause::NetworkLost)
                || self.is_paused(&id)
            {
                continue;
            }
            let event = Event::Changed(as_it_stands(standing, now));
            items.extend(self.gather(&[lead], &id, &event, now, batch));
        }
    }

    /// Whether a change of `id` waits for word of its parents, is told by theirs, or
    /// waits for the end of a maintenance.
    pub(super) fn waits_for_others(&self, id: &MonitorId) -> bool {
        self.held.contains_key(id) || self.folded.contains_key(id) || self.is_maintained(id)
    }

    /// Puts what goes out at once into the outbox; the rest is gathered.
    fn send(&mut self, items: Vec<Item>, now: Timestamp, batch: &mut Batch) {
        if !items.is_empty() {
            let rules = self.lane_rules();
            let out = self.desk.lanes.offer(items, &rules, now);
            self.post(out, now, batch);
        }
        self.stir(now);
    }

    /// Puts what has waited long enough into the outbox.
    fn release(&mut self, now: Timestamp, batch: &mut Batch) {
        let rules = self.lane_rules();
        let out = self.desk.lanes.release(&rules, now);
        self.post(out, now, batch);
        self.look_for_due(now);
    }

    /// Has [`Self::due`] look at everything: once for all that happens at a time.
    pub(super) const fn stir(&mut self, now: Timestamp) {
        self.desk.due_at = Some(now);
    }

    /// What the configuration says of lanes.
    fn lane_rules(&self) -> Rules {
        Rules {
            routes: Arc::clone(&self.desk.routes),
            channels: Arc::clone(&self.config().channels),
        }
    }

    /// Finds out when something is due next.
    fn look_for_due(&mut self, now: Timestamp) {
        let mut due_at = self.desk.lanes.due_at(&self.lane_rules(), now);
        for (index, lead) in self.desk.routes.iter().enumerate() {
            let next = if !lead.route.hours.include(now) {
                lead.route.hours.next_opening(now)
            } else if self.desk.awake.contains(&lead.key) {
                let plan = &lead.route.plan;
                let insists = plan.reminders.is_some() || !plan.steps.is_empty();
                let outages = insists.then(|| self.desk.outages(index));
                let outages = outages.into_iter().flatten();
                let outages = outages.filter(|id| self.may_insist(id));
                let due = outages.filter_map(|id| {
                    let told = self.desk.told(&lead.key, &id);
                    plan.next(&told.outage?, self.desk.hush)
                });
                due.min()
            } else {
                Some(now)
            };
            due_at = due_at.into_iter().chain(next).min();
        }
        self.desk.due_at = due_at;
    }
}

pub(super) fn item(lead: &Lead, channel: &ChannelId, line: Line) -> Item {
    Item {
        lane: Lane {
            route: lead.key.clone(),
            channel: channel.clone(),
        },
        line,
    }
}

/// The end of an outage, told at `now`.
fn end_at(ended: Timestamp, now: Timestamp) -> Event {
    Event::Changed(Change {
        from: Health::Unknown,
        to: Health::Healthy,
        at: now,
        since: ended,
        lasted: None,
        reason: None,
        cause: Cause::Reading,
    })
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::Changed(change) if change.to == Health::Healthy)
}

/// Whether `occasion` is what `event` is told as.
fn says(occasion: &Occasion, event: &Event) -> bool {
    match event {
        Event::Changed(change) if change.to == Health::Healthy => {
            matches!(occasion, Occasion::Recovered { .. })
        }
        Event::Changed(_) => matches!(occasion, Occasion::Outage { .. }),
        Event::FlappingStarted { .. } => matches!(occasion, Occasion::Flapping { .. }),
        Event::FlappingEnded { .. } => false,
    }
}
