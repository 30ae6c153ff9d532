//! Single parts of the page: what each showed when it was made, and whether it has
//! to be made again.

use std::collections::HashMap;
use std::sync::Arc;

use watchkeeper_engine::id::{MonitorId, ServiceId};

use crate::template;
use crate::view::{MonitorView, ServiceView, View};
use crate::words;

/// From so many monitors on, services that are well are shown folded.
const FOLD_FROM: usize = 40;

/// A part of the page.
#[derive(Clone)]
pub(super) struct Fragment {
    pub(super) html: Arc<str>,
    /// The last revision at which it changed or was told.
    pub(super) stamp: u64,
    pub(super) untold: Untold,
}

/// Whether those who follow the page have not been told of a change yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Untold {
    No,
    /// Figures moved; that can wait.
    Quiet,
    /// Something is not what it was; people should see it at once.
    Loud,
}

pub(super) struct Service {
    pub(super) view: Arc<ServiceView>,
    pub(super) open: bool,
    pub(super) head: Fragment,
    pub(super) monitors: Vec<(Arc<MonitorView>, Fragment)>,
}

/// Parts of the former revision, by what they show.
#[derive(Default)]
pub(super) struct Former {
    heads: HashMap<ServiceId, (Arc<ServiceView>, Fragment)>,
    pub(super) monitors: HashMap<MonitorId, (Arc<MonitorView>, Fragment)>,
}

impl Fragment {
    pub(super) fn new(html: String, revision: u64) -> Self {
        Self {
            html: html.into(),
            stamp: revision,
            untold: Untold::Loud,
        }
    }

    pub(super) fn set(&mut self, html: String, revision: u64, untold: Untold) {
        if *self.html != *html {
            let untold = self.untold.max(untold);
            *self = Self {
                html: html.into(),
                stamp: revision,
                untold,
            };
        }
    }

    /// The stamp moves with the telling: who comes back having missed it is told
    /// again.
    pub(super) const fn tell(&mut self, revision: u64) {
        self.untold = Untold::No;
        self.stamp = revision;
    }
}

impl Service {
    /// Takes over what is known now of the same service with the same monitors.
    pub(super) fn advance(&mut self, now: &Arc<ServiceView>, revision: u64) {
        if Arc::ptr_eq(&self.view, now) {
            return;
        }
        self.head
            .set(template::service_head(now), revision, Untold::Loud);
        for ((before, part), now) in self.monitors.iter_mut().zip(&now.monitors) {
            // Two `Arc`s of one value are equal without a look at the value only if
            // its equality is reflexive, which that of numbers with NaN is not.
            if !Arc::ptr_eq(before, now) {
                if before != now {
                    part.set(template::monitor(now), revision, urgency(before, now));
                }
                before.clone_from(now);
            }
        }
        self.view = Arc::clone(now);
    }
}

impl Former {
    pub(super) fn of(services: Vec<Service>) -> Self {
        let mut former = Self::default();
        for service in services {
            former
                .heads
                .insert(service.view.id.clone(), (service.view, service.head));
            for (view, part) in service.monitors {
                former.monitors.insert(view.id.clone(), (view, part));
            }
        }
        former
    }

    fn head(&mut self, now: &Arc<ServiceView>, revision: u64) -> Fragment {
        match self.heads.remove(&now.id) {
            Some((before, part)) if Arc::ptr_eq(&before, now) => part,
            _ => Fragment::new(template::service_head(now), revision),
        }
    }

    fn monitor(&mut self, now: &Arc<MonitorView>, revision: u64) -> Fragment {
        match self.monitors.remove(&now.id) {
            Some((before, part)) if Arc::ptr_eq(&before, now) || before == *now => part,
            _ => Fragment::new(template::monitor(now), revision),
        }
    }
}

/// Makes every service, of former parts where they show the same.
pub(super) fn services(view: &View, mut former: Former, revision: u64) -> Vec<Service> {
    let folds = folds(view);
    view.services
        .iter()
        .map(|now| Service {
            view: Arc::clone(now),
            open: is_open(now, folds),
            head: former.head(now, revision),
            monitors: now
                .monitors
                .iter()
                .map(|monitor| (Arc::clone(monitor), former.monitor(monitor, revision)))
                .collect(),
        })
        .collect()
}

/// Whether the page is so long that services that are well are folded.
pub(super) fn folds(view: &View) -> bool {
    view.services
        .iter()
        .map(|service| service.monitors.len())
        .sum::<usize>()
        >= FOLD_FROM
}

pub(super) fn is_open(service: &ServiceView, folds: bool) -> bool {
    !folds || words::Shown::from(service).is_bad()
}

/// Whether people should see a change at once: how something is, not how fast.
fn urgency(before: &MonitorView, now: &MonitorView) -> Untold {
    let same = before.health == now.health
        && before.maintained == now.maintained
        && before.paused == now.paused
        && before.label == now.label
        && before.targets.len() == now.targets.len()
        && before
            .targets
            .iter()
            .zip(&now.targets)
            .all(|(before, now)| {
                before.health == now.health
                    && before.maintained == now.maintained
                    && before.name == now.name
            });
    if same { Untold::Quiet } else { Untold::Loud }
}
