//! The host's own trouble: told once when it begins and once when it is over, to
//! every route that wants to hear of it.

use std::collections::BTreeSet;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, TargetId};
use watchkeeper_engine::reading::{Fault, Outcome, Reading};
use watchkeeper_engine::time::{Timestamp, spell};

use super::wording::delivery;
use super::{Batch, Board};
use crate::assignment::Ready;
use crate::notice::{Notice, Occasion, Word, in_zone};

/// How often in a row a plugin breaks down at one target before that is told.
const TRAPS: u32 = 5;

/// The name of the trouble with the host's own network.
pub(super) const NETWORK: &str = "network";

/// The name of the trouble with the store.
const STORE: &str = "store";

/// What the names of troubles with plugins and channels begin with.
const PLUGIN: &str = "plugin:";
const CHANNEL: &str = "channel:";

/// A trouble of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) since: Timestamp,
    /// What is wrong, as people are told it.
    pub(super) what: String,
    /// The channels that were told of it, and not of its end.
    pub(super) told: BTreeSet<ChannelId>,
    /// When it was over, where not everyone has been told.
    pub(super) ended: Option<Timestamp>,
    /// Where a plugin broke down.
    pub(super) at: Option<TargetId>,
}

impl Board {
    /// Takes note of what is wrong with the store, if anything.
    pub(crate) fn store_trouble(
        &mut self,
        what: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let what =
            what.map(|what| format!("The monitoring host has trouble with its data: {what}"));
        self.trouble(STORE, what, now, batch);
    }

    /// Takes note of why a channel keeps failing, or that it works.
    pub(crate) fn channel_trouble(
        &mut self,
        channel: &ChannelId,
        why: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let name = format!("{CHANNEL}{channel}");
        let what = why.map(|why| format!("The channel `{channel}` keeps failing: {why}"));
        self.trouble(&name, what, now, batch);
    }

    /// Goes on counting where the last process stopped.
    pub(super) fn recall_traps(&mut self) {
        let troubles = self.desk.troubles.values();
        let at = troubles.filter_map(|trouble| trouble.at.clone());
        self.desk.traps = at.map(|target| (target, TRAPS)).collect();
    }

    /// Takes note of how a check of `target` ended, as far as that is its plugin's
    /// doing.
    pub(super) fn count_traps(
        &mut self,
        target: &TargetId,
        reading: &Reading,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let trap = match &reading.outcome {
            Outcome::NoVerdict {
                fault: Fault::Trap,
                reason,
            } => Some(reason),
            _ => None,
        };
        let Some(reason) = trap else {
            if self.desk.traps.remove(target).is_some_and(|it| it >= TRAPS)
                && let Some(plugin) = self.plugin_of(target)
            {
                let name = format!("{PLUGIN}{plugin}");
                if !self.keeps_trapping(&plugin) {
                    self.trouble(&name, None, now, batch);
                }
            }
            return;
        };
        let count = self.desk.traps.entry(target.clone()).or_default();
        *count = count.saturating_add(1);
        if *count == TRAPS
            && let Some(plugin) = self.plugin_of(target)
        {
            let monitor = target.monitor();
            let what = format!(
                "The plugin `{plugin}` keeps breaking down at {monitor}, {TRAPS} times in a row: {reason}"
            );
            let name = format!("{PLUGIN}{plugin}");
            self.trouble(&name, Some(what), now, batch);
            if let Some(trouble) = self.desk.troubles.get_mut(&name) {
                trouble.at.get_or_insert_with(|| target.clone());
                self.desk.note_troubles(batch);
            }
        }
    }

    /// Takes note of a trouble: of what it is, or that it is over.
    pub(super) fn trouble(
        &mut self,
        name: &str,
        what: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let troubles = &mut self.desk.troubles;
        match (troubles.get_mut(name), what) {
            (None, None) => return,
            (Some(known), None) if known.ended.is_some() => return,
            (Some(known), None) => known.ended = Some(now),
            // What nobody has heard the end of goes on.
            (Some(known), Some(_)) if known.ended.is_none() => return,
            (Some(known), Some(_)) => known.ended = None,
            (None, Some(what)) => {
                tracing::error!(trouble = name, "{what}");
                let trouble = Trouble {
                    since: now,
                    what,
                    told: BTreeSet::new(),
                    ended: None,
                    at: None,
                };
                troubles.insert(name.to_owned(), trouble);
            }
        }
        self.desk.note_troubles(batch);
        self.settle_troubles(now, batch);
    }

    /// Tells of troubles and their ends to whoever does not know and may hear now.
    pub(super) fn settle_troubles(&mut self, now: Timestamp, batch: &mut Batch) {
        if self.desk.troubles.is_empty() {
            return;
        }
        self.end_troubles_of_what_is_gone(now);
        let audience = self.audience_of_the_host(now);
        let mut troubles = std::mem::take(&mut self.desk.troubles);
        let before = troubles.clone();
        for (name, trouble) in &mut troubles {
            let itself = name.strip_prefix(CHANNEL);
            let mut hears: BTreeSet<ChannelId> = audience.clone();
            hears.retain(|channel| Some(channel.as_str()) != itself);
            let (notice, channels): (Notice, Vec<ChannelId>) = match trouble.ended {
                None => (
                    self.trouble_begun(name, trouble, now),
                    hears.difference(&trouble.told).cloned().collect(),
                ),
                Some(ended) => (
                    self.trouble_over(name, trouble, ended, now),
                    hears.intersection(&trouble.told).cloned().collect(),
                ),
            };
            for channel in channels {
                if trouble.ended.is_none() {
                    trouble.told.insert(channel.clone());
                } else {
                    trouble.told.remove(&channel);
                }
                batch
                    .commit
                    .deliveries
                    .push(delivery(channel, None, &notice, now));
            }
        }
        let configured = self.config().channels.clone();
        for trouble in troubles.values_mut() {
            trouble
                .told
                .retain(|channel| configured.iter().any(|it| it.id == *channel));
        }
        troubles.retain(|_, trouble| trouble.ended.is_none() || !trouble.told.is_empty());
        let moved = troubles != before;
        self.desk.troubles = troubles;
        if moved {
            self.desk.note_troubles(batch);
        }
    }

    /// Tells that the host has started and how everything stands, where a route
    /// wants that.
    pub(super) fn tell_start(&self, now: Timestamp, batch: &mut Batch) {
        let routes = self.desk.routes.iter();
        let routes = routes.filter(|lead| lead.route.startup && lead.route.hours.include(now));
        let channels: BTreeSet<&ChannelId> = routes.flat_map(|lead| lead.route.to.iter()).collect();
        if channels.is_empty() {
            return;
        }
        let monitors = || {
            let monitors = self.assignments.monitors.iter();
            monitors.filter_map(|it| self.monitors.get(&it.monitor.id))
        };
        let count = |health| {
            let of_health = monitors().filter(|it| it.state.standing.health == health);
            (of_health.count(), health)
        };
        let counts = Health::ALL.map(count);
        let counts: Vec<String> = counts
            .iter()
            .rev()
            .filter(|(count, _)| *count > 0)
            .map(|(count, health)| format!("{count} {health}"))
            .collect();
        let health = monitors().map(|it| it.state.standing.health).max();
        let is_known = monitors().any(|it| it.state.standing.health != Health::Unknown);
        let body = if is_known {
            format!("As last known: {}.", counts.join(", "))
        } else {
            "Nothing is known of any monitor yet.".to_owned()
        };
        let down =
            monitors().filter(|it| matches!(it.state.standing.health, Health::Sick | Health::Dead));
        let affected = down.flat_map(|it| self.targets_of(it, false, now));
        let notice = Notice {
            health: Word(health.unwrap_or_default()),
            title: format!("{} is being watched again", self.config().page.title),
            body,
            affected: affected.take(50).collect(),
            ..self.blank(Occasion::Startup, now)
        };
        let rows = channels
            .into_iter()
            .map(|channel| delivery(channel.clone(), None, &notice, now));
        batch.commit.deliveries.extend(rows);
    }

    fn trouble_begun(&self, name: &str, trouble: &Trouble, now: Timestamp) -> Notice {
        let since = in_zone(trouble.since, &self.config().page.time_zone);
        let rest = match name {
            NETWORK => {
                " All its canaries fail, so nothing is known of any target, and no outage is told until one answers."
            }
            _ => "",
        };
        Notice {
            health: Word(if name == NETWORK {
                Health::Unknown
            } else {
                Health::Sick
            }),
            at_ms: trouble.since.as_millis(),
            title: trouble.what.clone(),
            body: format!("Since {since}.{rest}"),
            thread: thread(name, trouble),
            started_ms: Some(trouble.since.as_millis()),
            ..self.blank(Occasion::Host, now)
        }
    }

    fn trouble_over(
        &self,
        name: &str,
        trouble: &Trouble,
        ended: Timestamp,
        now: Timestamp,
    ) -> Notice {
        let zone = &self.config().page.time_zone;
        let lasted = ended.since(trouble.since);
        let after = spell(lasted);
        let title = if name == NETWORK {
            format!("The monitoring host has its own network back after {after}")
        } else if let Some(plugin) = name.strip_prefix(PLUGIN) {
            format!("The plugin `{plugin}` works again after {after}")
        } else if let Some(channel) = name.strip_prefix(CHANNEL) {
            format!("The channel `{channel}` delivers again after {after}")
        } else {
            format!("The monitoring host keeps its data again after {after}")
        };
        let (since, at) = (in_zone(trouble.since, zone), in_zone(ended, zone));
        Notice {
            health: Word(Health::Healthy),
            at_ms: ended.as_millis(),
            title,
            body: format!("It lasted from {since} to {at}."),
            lasted_ms: Some(u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX)),
            thread: thread(name, trouble),
            started_ms: Some(trouble.since.as_millis()),
            ..self.blank(Occasion::Host, now)
        }
    }

    /// The channels that hear of the host's trouble now.
    fn audience_of_the_host(&self, now: Timestamp) -> BTreeSet<ChannelId> {
        let routes = self.desk.routes.iter();
        let routes = routes.filter(|lead| lead.route.host && lead.route.hours.include(now));
        routes
            .flat_map(|lead| lead.route.to.iter().cloned())
            .collect()
    }

    /// A plugin that no target meets any more does not break down either.
    fn end_troubles_of_what_is_gone(&mut self, now: Timestamp) {
        let targets = &self.targets;
        self.desk
            .traps
            .retain(|target, _| targets.contains_key(target));
        let plugins: Vec<String> = self
            .desk
            .troubles
            .iter()
            .filter(|(_, trouble)| trouble.ended.is_none())
            .filter_map(|(name, _)| name.strip_prefix(PLUGIN))
            .map(ToOwned::to_owned)
            .collect();
        for plugin in plugins {
            let is_used = self.assignments.monitors.iter().any(|assigned| {
                matches!(&assigned.plugin, Ready::Use(ready)
                    if ready.plugin.description().name.as_str() == plugin)
            });
            if !is_used
                && let Some(trouble) = self.desk.troubles.get_mut(&format!("{PLUGIN}{plugin}"))
            {
                trouble.ended = Some(now);
            }
        }
    }

    fn keeps_trapping(&self, plugin: &str) -> bool {
        let mut traps = self.desk.traps.iter();
        traps.any(|(target, count)| {
            *count >= TRAPS && self.plugin_of(target).is_some_and(|it| it == plugin)
        })
    }

    fn plugin_of(&self, target: &TargetId) -> Option<String> {
        match &self.monitors.get(target.monitor())?.assigned.plugin {
            Ready::Use(ready) => Some(ready.plugin.description().name.to_string()),
            Ready::Missing(_) => None,
        }
    }
}

/// What the two notices of one trouble have in common.
fn thread(name: &str, trouble: &Trouble) -> String {
    format!("{name}@{}", trouble.since.as_millis())
}
