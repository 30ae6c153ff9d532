//! Reminders and escalation: what is told again of an outage that goes on.

use watchkeeper_engine::change::{Change, Event};
use watchkeeper_engine::folding::Line;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::network::OwnNetwork;
use watchkeeper_engine::telling::{Occasion, Told, ToldOutage};
use watchkeeper_engine::time::Timestamp;

use super::desk::lanes::Item;
use super::routing::{News, item};
use super::{Batch, Board, as_it_stands};

impl Board {
    /// Reminds and escalates on one route.
    pub(super) fn insist(
        &mut self,
        lead: usize,
        now: Timestamp,
        items: &mut Vec<Item>,
        batch: &mut Batch,
    ) {
        let plan = &self.desk.routes[lead].route.plan;
        if plan.reminders.is_none() && plan.steps.is_empty() {
            return;
        }
        for id in self.desk.outages(lead) {
            if !self.may_insist(&id) {
                continue;
            }
            let lead = self.desk.routes[lead].clone();
            let told = self.desk.told(&lead.key, &id);
            let Some(outage) = told.outage else { continue };
            let (after, due) = lead.route.plan.take(&outage, self.desk.hush, now);
            if let Some(number) = due.reminder
                && let Some(line) = self.reminder(&id, &outage, number)
            {
                for channel in lead.audience(outage.steps) {
                    let has_heard = items
                        .iter()
                        .any(|item| item.lane.channel == *channel && item.line.monitor == id);
                    if !has_heard {
                        items.push(item(&lead, channel, line.clone()));
                    }
                }
            }
            for step in &lead.route.escalate[due.steps] {
                for channel in step.to.iter() {
                    if let Some(line) = self.escalation(channel, &id, &outage, now, batch) {
                        items.push(item(&lead, channel, line));
                    }
                }
            }
            let after = Told {
                outage: Some(after),
            };
            self.desk.remember(&lead.key, &id, after, batch);
        }
    }

    /// Whether whoever was told of the outage of `id` may be told again.
    pub(super) fn may_insist(&self, id: &MonitorId) -> bool {
        let is_down = self
            .monitors
            .get(id)
            .is_some_and(|monitor| monitor.state.standing.health != Health::Healthy);
        is_down
            && !self.is_paused(id)
            && self.network.network == OwnNetwork::Fine
            && !self.acknowledged(id)
            && !self.waits_for_others(id)
    }

    fn reminder(&self, id: &MonitorId, outage: &ToldOutage, number: u32) -> Option<Line> {
        let standing = &self.monitors.get(id)?.state.standing;
        Some(Line {
            monitor: id.clone(),
            began: outage.since,
            previous: Some(standing.health),
            occasion: Occasion::Reminder {
                health: standing.health,
                since: outage.since,
                reason: standing.reason.clone(),
                number,
            },
        })
    }

    /// What a channel hears of an outage that goes on, if it does not know of it.
    fn escalation(
        &mut self,
        channel: &ChannelId,
        id: &MonitorId,
        outage: &ToldOutage,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Option<Line> {
        let standing = self.monitors.get(id)?.state.standing.clone();
        let event = Event::Changed(Change {
            since: outage.since,
            ..as_it_stands(&standing, now)
        });
        let news = News {
            monitor: id,
            event: &event,
            is_late: false,
            now,
        };
        let line = self.line_for(channel, &news, batch)?;
        Some(Line {
            previous: Some(standing.health),
            occasion: Occasion::Escalated {
                health: standing.health,
                since: outage.since,
                reason: standing.reason,
            },
            ..line
        })
    }
}
