//! What people were told and what waits to be told: routes, what each of them and
//! each channel knows, what is gathered, and the host's own trouble.
//!
//! Everything here that must survive the process goes into the commit of the
//! change that made it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use watchkeeper_config::Config;
use watchkeeper_config::config::Route;
use watchkeeper_engine::id::{ChannelId, MonitorId, TargetId};
use watchkeeper_engine::telling::Told;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::RouteKey;

use self::kept::Notes;
use self::lanes::Lanes;
use super::Batch;
use super::troubles::Trouble;

mod kept;
pub(super) mod lanes;

/// See the module.
pub(super) struct Desk {
    /// In the order of the configuration.
    pub(super) routes: Arc<[Lead]>,
    /// The routes that are about a monitor, by their place in `routes`.
    leads: HashMap<MonitorId, Vec<usize>>,
    /// What each route and each channel was told of each monitor. A channel's key
    /// is its id: several routes to it are one to whoever reads it.
    told: HashMap<(RouteKey, MonitorId), Told>,
    pub(super) lanes: Lanes,
    /// The routes whose hours had begun when that was last looked at.
    pub(super) awake: BTreeSet<RouteKey>,
    /// Until when nobody is reminded.
    pub(super) hush: Option<Timestamp>,
    /// By what it is of: `network`, `store`, `plugin:NAME`, `channel:ID`.
    pub(super) troubles: BTreeMap<String, Trouble>,
    /// How often in a row the plugin broke down at each target.
    pub(super) traps: HashMap<TargetId, u32>,
    /// Whether what the last process left untold has been told, with what waits for
    /// word of parents. Nothing is told by time alone before.
    pub(super) is_open: bool,
    /// When something is to be told that nothing else will make happen.
    pub(super) due_at: Option<Timestamp>,
}

/// A route and what it is known by.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    pub(super) key: RouteKey,
    pub(super) route: Route,
}

impl Desk {
    /// The desk as the last process left it.
    pub(super) fn restore(
        told: Vec<(RouteKey, MonitorId, Told)>,
        notes: &BTreeMap<String, String>,
    ) -> Self {
        let Notes {
            lanes,
            troubles,
            hush,
        } = kept::read(notes);
        Self {
            routes: [].into(),
            leads: HashMap::new(),
            told: told
                .into_iter()
                .map(|(route, monitor, told)| ((route, monitor), told))
                .collect(),
            lanes,
            awake: BTreeSet::new(),
            hush,
            troubles,
            traps: HashMap::new(),
            is_open: false,
            due_at: None,
        }
    }

    /// Follows `config`.
    pub(super) fn wire(&mut self, config: &Config) {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let leads = config.routes.iter().map(|route| {
            let name = name(route);
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            let key = match count {
                1 => RouteKey(format!("route:{name}")),
                twin => RouteKey(format!("route:{name}#{twin}")),
            };
            Lead {
                key,
                route: route.clone(),
            }
        });
        self.routes = leads.collect();
        let routes = &self.routes;
        self.leads = config
            .monitors()
            .map(|monitor| {
                let about = routes.iter().enumerate();
                let about = about.filter(|(_, lead)| lead.route.filter.passes(monitor));
                let about = about.map(|(index, _)| index).collect();
                (monitor.id.clone(), about)
            })
            .collect();
        self.awake
            .retain(|key| routes.iter().any(|lead| lead.key == *key));
        self.troubles.retain(|name, _| {
            name.strip_prefix("channel:")
                .is_none_or(|id| config.channels.iter().any(|each| each.id.as_str() == id))
        });
        self.lanes.keep(
            |channel| config.channel(channel).is_some(),
            |route| routes.iter().any(|lead| lead.key == *route),
        );
        self.due_at = Some(Timestamp::default());
    }

    /// The routes that are about `monitor`.
    pub(super) fn leads(&self, monitor: &MonitorId) -> Vec<usize> {
        self.leads.get(monitor).cloned().unwrap_or_default()
    }

    /// What a route or channel was told of `monitor`.
    pub(super) fn told(&self, key: &RouteKey, monitor: &MonitorId) -> Told {
        let key = (key.clone(), monitor.clone());
        self.told.get(&key).cloned().unwrap_or_default()
    }

    /// Remembers what a route or channel was told, beside the notice.
    pub(super) fn remember(
        &mut self,
        key: &RouteKey,
        monitor: &MonitorId,
        told: Told,
        batch: &mut Batch,
    ) {
        let full = (key.clone(), monitor.clone());
        let before = self.told.get(&full);
        if before.is_none_or(|before| *before != told)
            && !(before.is_none() && told == Told::default())
        {
            batch
                .commit
                .told
                .push((key.clone(), monitor.clone(), told.clone()));
            self.told.insert(full, told);
        }
    }

    /// The outages of which the route was told and not of their end, by monitor.
    pub(super) fn outages(&self, lead: usize) -> Vec<MonitorId> {
        let key = &self.routes[lead].key;
        let of_route = self
            .told
            .iter()
            .filter(|((route, _), told)| route == key && told.outage.is_some());
        let about = of_route.map(|((_, monitor), _)| monitor).filter(|monitor| {
            let leads = self.leads.get(*monitor);
            leads.is_some_and(|leads| leads.contains(&lead))
        });
        let mut monitors: Vec<MonitorId> = about.cloned().collect();
        monitors.sort();
        monitors
    }

    /// Moves what is remembered by `millis`, after the wall clock was stepped by
    /// that much.
    pub(super) fn shift(&mut self, millis: i64) {
        let moved = |at: Timestamp| Timestamp::from_millis(at.as_millis().saturating_add(millis));
        for told in self.told.values_mut() {
            if let Some(outage) = &mut told.outage {
                outage.first = moved(outage.first);
                outage.last = moved(outage.last);
            }
        }
        self.due_at = Some(Timestamp::default());
    }
}

impl Lead {
    /// Who hears of an outage of which so many `steps` of the escalation were
    /// taken.
    pub(super) fn audience(&self, steps: u32) -> impl Iterator<Item = &ChannelId> {
        let steps = usize::try_from(steps).unwrap_or(usize::MAX);
        let escalated = self.route.escalate.iter().take(steps);
        let escalated = escalated.flat_map(|step| step.to.iter());
        self.route.to.iter().chain(escalated)
    }
}

/// The key of what a channel was told.
pub(super) fn channel_key(channel: &ChannelId) -> RouteKey {
    RouteKey(channel.to_string())
}

/// What a route is known by from one process to the next: where it leads and what
/// it is about. What it tells of that, and when, may change in the middle of an
/// outage.
fn name(route: &Route) -> String {
    let about = format!("{:?} {:?}", route.to, route.filter);
    let digest = Sha256::digest(about.as_bytes());
    let eight = digest.iter().take(8);
    let number = eight.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}
