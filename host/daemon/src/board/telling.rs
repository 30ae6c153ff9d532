//! Who is told of a monitor's events, and in what words.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use watchkeeper_engine::change::{Cause, Event};
use watchkeeper_engine::dependencies::{Checked, Dependency, Held, ParentView, Release, release};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::telling::{Occasion, tell};
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_store::{NewDelivery, RouteKey};

use super::{Batch, Board, Monitor, as_it_stands};
use crate::notice::{self, Affected, Notice, Word, in_zone};
use crate::scheduler::Request;

/// How many targets a notice lists at most.
const MOST_AFFECTED: usize = 50;

/// What parents are given beyond their own longest run before a child's change is
/// told without them.
const GRACE: Duration = Duration::from_secs(2);

impl Board {
    /// Tells `event` of `monitor`, or holds it until its parents were heard.
    pub(super) fn tell_or_hold(
        &mut self,
        id: &MonitorId,
        event: &Event,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if let Event::Changed(change) = event {
            if change.cause == Cause::NetworkLost {
                // One notice tells of the network; that nothing is known follows.
                return;
            }
            // A newer change takes the place of one that was not told yet.
            self.held.remove(id);
            self.folded.remove(id);
            if !self.dependencies.parents(id).is_empty() {
                self.held.insert(id.clone(), change.clone());
                self.decide(id, now, batch);
                return;
            }
        }
        self.tell(id, event, now, batch);
    }

    /// Looks again at everything that waits for somebody.
    pub(super) fn settle(&mut self, now: Timestamp, batch: &mut Batch) {
        let held: Vec<_> = self.held.keys().cloned().collect();
        for id in held {
            self.decide(&id, now, batch);
        }
        let folded: Vec<_> = self.folded.keys().cloned().collect();
        for id in folded {
            self.reconsider(&id, now, batch);
        }
    }

    /// Tells how a monitor stands to whoever does not know. Whoever knows hears
    /// nothing.
    pub(super) fn retell(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some(monitor) = self.monitors.get(id) else {
            return;
        };
        if monitor.state.standing.since.is_some() {
            let event = Event::Changed(as_it_stands(&monitor.state.standing, now));
            self.tell_or_hold(id, &event, now, batch);
        }
    }

    /// Decides about a held change.
    fn decide(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some(change) = self.held.get(id).cloned() else {
            return;
        };
        let parents = self.dependencies.parents(id).iter();
        let patience = parents
            .filter_map(|parent| self.monitors.get(parent))
            .map(|parent| parent.assigned.longest_run())
            .max()
            .unwrap_or_default();
        let held = Held {
            child: id,
            change: &change,
            patience: patience + GRACE,
        };
        match self
            .dependencies
            .hold(&held, now, |monitor| self.view(monitor, change.at))
        {
            Dependency::AskParents(parents) => {
                for parent in parents {
                    self.ask(parent, change.at, now, batch);
                }
            }
            Dependency::Folded { into } => {
                tracing::info!(monitor = %id, %into, "outage folded into that of what it depends on");
                self.held.remove(id);
                self.folded.insert(id.clone(), (change, into));
            }
            Dependency::Tell => {
                self.held.remove(id);
                self.tell(id, &Event::Changed(change), now, batch);
            }
        }
    }

    /// Decides about a folded change: it stays so while a parent is dead.
    fn reconsider(&mut self, id: &MonitorId, now: Timestamp, batch: &mut Batch) {
        let Some((change, _)) = self.folded.get(id).cloned() else {
            return;
        };
        let dead = |parent: &MonitorId| {
            self.monitors
                .get(parent)
                .is_some_and(|known| known.state.standing.health == Health::Dead)
        };
        let parents = self.dependencies.parents(id);
        if parents.iter().any(dead) {
            return;
        }
        let free_since = parents
            .iter()
            .filter_map(|parent| self.monitors.get(parent)?.state.standing.since)
            .max()
            .unwrap_or(change.at)
            .max(change.at);
        match release(self.view(id, free_since)) {
            Release::AskChild => self.ask(id.clone(), free_since, now, batch),
            Release::Tell => {
                self.folded.remove(id);
                if let Some(monitor) = self.monitors.get(id) {
                    let event = Event::Changed(as_it_stands(&monitor.state.standing, now));
                    self.tell(id, &event, now, batch);
                }
            }
            Release::Forget => {
                self.folded.remove(id);
            }
        }
    }

    /// Asks for a check out of turn, unless one was asked for after `since` that
    /// may still be under way.
    fn ask(&mut self, id: MonitorId, since: Timestamp, now: Timestamp, batch: &mut Batch) {
        let patience = self
            .monitors
            .get(&id)
            .map(|known| known.assigned.longest_run())
            .unwrap_or_default();
        let pending = self
            .asked
            .get(&id)
            .is_some_and(|asked| *asked >= since && now.since(*asked) < patience);
        if !pending {
            self.asked.insert(id.clone(), now);
            batch.requests.push(Request::Monitor(id));
        }
    }

    /// How a monitor is, and whether that is known since `since`.
    fn view(&self, id: &MonitorId, since: Timestamp) -> ParentView {
        let Some(monitor) = self.monitors.get(id) else {
            return ParentView {
                health: Health::Unknown,
                checked: Checked::Settled,
            };
        };
        let targets = || {
            monitor
                .targets
                .iter()
                .filter_map(|target| self.targets.get(target))
        };
        // What is told how things are cannot be asked: it stands as it was told.
        let is_told = monitor.assigned.monitor.passive.is_some();
        let heard = targets().all(|target| {
            target
                .last
                .as_ref()
                .is_some_and(|reading| reading.at >= since)
        });
        let checked = if is_told {
            Checked::Settled
        } else if !heard {
            Checked::NotSince
        } else if targets().any(|target| target.state.is_wavering()) {
            Checked::Wavering
        } else {
            Checked::Settled
        };
        ParentView {
            health: monitor.state.standing.health,
            checked,
        }
    }

    /// Puts a notice for every channel that hears of `event` into the outbox.
    fn tell(&mut self, id: &MonitorId, event: &Event, now: Timestamp, batch: &mut Batch) {
        let Some(interests) = self.interests.get(id).cloned() else {
            return;
        };
        let mut written: Option<Notice> = None;
        for (channel, interest) in interests {
            let key = (RouteKey(channel.to_string()), id.clone());
            let told = self.told.get(&key).cloned().unwrap_or_default();
            let (after, occasion) = tell(&told, event, &interest);
            // A recovery forgets the outage that it ends.
            let began = after.outage.as_ref().or(told.outage.as_ref());
            let began = began.map(|outage| outage.since);
            if after != told {
                batch
                    .commit
                    .told
                    .push((key.0.clone(), id.clone(), after.clone()));
                self.told.insert(key.clone(), after);
            }
            let Some(occasion) = occasion else { continue };
            let Some(monitor) = self.monitors.get(id) else {
                continue;
            };
            // One change is one notice, whatever a channel knew before.
            let notice_id = written
                .as_ref()
                .map_or_else(|| Uuid::now_v7().to_string(), |first| first.id.clone());
            let notice = Notice {
                thread: thread(id, began),
                started_ms: began.map(Timestamp::as_millis),
                ..self.compose(notice_id, monitor, event, &occasion, now)
            };
            batch
                .commit
                .deliveries
                .push(delivery(channel, Some(id.clone()), &notice, now));
            written = Some(notice);
        }
    }

    /// The notice of `occasion`.
    fn compose(
        &self,
        id: String,
        monitor: &Monitor,
        event: &Event,
        occasion: &Occasion,
        now: Timestamp,
    ) -> Notice {
        let config = self.config();
        let own = &monitor.assigned.monitor;
        let zone = &config.page.time_zone;
        let service = config.service(own.id.service()).map_or_else(
            || Arc::from(own.id.service().as_str()),
            |service| Arc::clone(&service.label),
        );
        let what = format!("{service}: {}", own.label);
        let previous = match event {
            Event::Changed(change) if change.from != Health::Unknown => Some(Word(change.from)),
            _ => None,
        };
        let because = |reason: &Option<Arc<str>>| {
            reason
                .as_ref()
                .map_or_else(String::new, |why| format!(": {why}"))
        };
        let mut body = Vec::new();
        let (health, title, at, lasted) = match occasion {
            Occasion::Outage {
                health,
                since,
                reason,
            } => {
                body.push(format!("Since {}.", in_zone(*since, zone)));
                (
                    *health,
                    format!("{what} is {health}{}", because(reason)),
                    *since,
                    None,
                )
            }
            Occasion::Flapping {
                health,
                since,
                reason,
            } => {
                body.push("It changes too often. Nothing more is told until it is steady, unless it gets worse.".to_owned());
                (
                    *health,
                    format!("{what} keeps changing{}", because(reason)),
                    *since,
                    None,
                )
            }
            Occasion::Recovered {
                from,
                since,
                at,
                lasted,
            } => {
                body.push(format!(
                    "It was {from} from {} to {}.",
                    in_zone(*since, zone),
                    in_zone(*at, zone)
                ));
                (
                    Health::Healthy,
                    format!("{what} is healthy again after {}", spell(*lasted)),
                    *at,
                    Some(*lasted),
                )
            }
        };
        let dependents: Vec<_> = self
            .dependencies
            .children(&own.id)
            .iter()
            .filter_map(|child| self.monitors.get(child))
            .filter(|child| health == Health::Dead && child.state.standing.health == Health::Dead)
            .map(|child| child.assigned.monitor.label.to_string())
            .collect();
        if !dependents.is_empty() {
            body.push(format!("Dead because of it: {}.", dependents.join(", ")));
        }
        Notice {
            id,
            occasion: notice::Occasion::Changed,
            health: Word(health),
            previous,
            at_ms: at.as_millis(),
            title,
            body: body.join("\n"),
            affected: self.affected(monitor, &service, health, now),
            lasted_ms: lasted.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            page_title: config.page.title.to_string(),
            page_url: self.page_url.clone(),
            thread: own.id.to_string(),
            started_ms: None,
            acknowledge_url: None,
        }
    }

    /// The targets that a notice lists: those that are not healthy, or of a
    /// recovery all.
    fn affected(
        &self,
        monitor: &Monitor,
        service: &str,
        health: Health,
        now: Timestamp,
    ) -> Vec<Affected> {
        let own = &monitor.assigned.monitor;
        monitor
            .targets
            .iter()
            .filter_map(|id| Some((id, &self.targets.get(id)?.state.standing)))
            .filter(|(_, standing)| health == Health::Healthy || standing.health != Health::Healthy)
            .take(MOST_AFFECTED)
            .map(|(id, standing)| Affected {
                id: id.to_string(),
                service: service.to_owned(),
                monitor: own.label.to_string(),
                health: Word(standing.health),
                reason: standing.reason.as_ref().map(ToString::to_string),
                since_ms: standing.since.unwrap_or(now).as_millis(),
            })
            .collect()
    }

    /// Puts one notice about the host's own network into the outbox of every
    /// channel that a route leads to.
    pub(super) fn tell_network_lost(&self, at: Timestamp, batch: &mut Batch) {
        let config = self.config();
        let notice = Notice {
            id: Uuid::now_v7().to_string(),
            occasion: notice::Occasion::Network,
            health: Word(Health::Unknown),
            previous: None,
            at_ms: at.as_millis(),
            title: "The monitoring host has lost its own network".to_owned(),
            body: format!(
                "Since {}. All its canaries fail, so nothing is known of any target, and no outage is told until one answers.",
                in_zone(at, &config.page.time_zone)
            ),
            affected: Vec::new(),
            lasted_ms: None,
            page_title: config.page.title.to_string(),
            page_url: self.page_url.clone(),
            thread: format!("network@{}", at.as_millis()),
            started_ms: Some(at.as_millis()),
            acknowledge_url: None,
        };
        let mut channels: Vec<&ChannelId> = config
            .routes
            .iter()
            .flat_map(|route| route.to.iter())
            .collect();
        channels.sort();
        channels.dedup();
        batch.commit.deliveries.extend(
            channels
                .into_iter()
                .map(|channel| delivery(channel.clone(), None, &notice, at)),
        );
    }
}

/// What the notices of one outage have in common: the monitor, and when the
/// outage began for whoever is told.
fn thread(monitor: &MonitorId, began: Option<Timestamp>) -> String {
    match began {
        Some(began) => format!("{monitor}@{}", began.as_millis()),
        None => monitor.to_string(),
    }
}

fn delivery(
    channel: ChannelId,
    monitor: Option<MonitorId>,
    notice: &Notice,
    now: Timestamp,
) -> NewDelivery {
    NewDelivery {
        notice_id: notice.id.clone(),
        channel,
        monitor,
        payload: notice.to_payload(),
        created_at: now,
        not_before: now,
    }
}
