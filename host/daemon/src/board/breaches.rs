//! Promises that were broken: kept, and told once to each channel that a route
//! leads to. Outside of a route's hours it is told when they begin.

use std::time::Duration;

use watchkeeper_config::config::Route;
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{ChannelId, MonitorId, MonitorName};
use watchkeeper_engine::sla::Target;
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_store::Breach;

use super::wording::delivery;
use super::{Batch, Board};
use crate::notice::{Notice, Occasion, Word, in_zone};
use crate::orders::FoundBreach;

impl Board {
    /// Keeps those that are new, and tells whoever was not told.
    pub(crate) fn tell_breaches(&self, found: Vec<FoundBreach>, now: Timestamp, batch: &mut Batch) {
        for FoundBreach { mut breach, is_new } in found {
            let mut untold: Vec<ChannelId> = Vec::new();
            for route in self.config().routes.iter() {
                if !route.sla || !route.hours.include(now) || !self.is_about(route, &breach) {
                    continue;
                }
                for channel in route.to.iter() {
                    if !breach.told.contains(channel) && !untold.contains(channel) {
                        untold.push(channel.clone());
                    }
                }
            }
            if untold.is_empty() && !is_new {
                continue;
            }
            let notice = self.breach_notice(&breach, now);
            if is_new {
                tracing::warn!(period = %breach.period, "{}", notice.title);
            }
            let monitor = breach
                .monitor
                .as_ref()
                .map(|name| MonitorId::new(breach.service.clone(), name.clone()));
            for channel in &untold {
                let row = delivery(channel.clone(), monitor.clone(), &notice, now);
                batch.commit.deliveries.push(row);
            }
            breach.told.extend(untold);
            batch.commit.breaches.push(breach);
        }
    }

    /// Whether the route is about what was promised: a monitor that passes its
    /// filter, or one of the service's.
    fn is_about(&self, route: &Route, breach: &Breach) -> bool {
        let service = self.config().service(&breach.service);
        let monitors = service.into_iter().flat_map(|it| it.monitors.iter());
        monitors
            .filter(|monitor| {
                breach
                    .monitor
                    .as_ref()
                    .is_none_or(|name| monitor.id.name() == name)
            })
            .any(|monitor| route.filter.passes(monitor))
    }

    fn breach_notice(&self, breach: &Breach, now: Timestamp) -> Notice {
        let zone = &self.config().page.time_zone;
        let label = self.promised_label(breach);
        let target = Target::from_millionths(breach.target).unwrap_or(Target::ALWAYS);
        let span = |millis| spell(Duration::from_millis(millis));
        let (starts, ends) = (in_zone(breach.starts, zone), in_zone(breach.ends, zone));
        let kept = format!("{}.{:02}", breach.kept / 100, breach.kept % 100);
        let body = format!(
            "It was down for {} since {starts}; {target} % leave {} ({}, until {ends}). \
             So far it is at {kept} %.",
            span(breach.lost_ms),
            span(breach.budget_ms),
            breach.period,
        );
        Notice {
            health: Word(Health::Sick),
            at_ms: breach.found.as_millis(),
            title: format!("{label} misses its service level of {target} %"),
            body,
            thread: format!(
                "sla:{}/{}@{}",
                breach.service,
                breach.monitor.as_ref().map_or("", MonitorName::as_str),
                breach.starts.as_millis()
            ),
            started_ms: Some(breach.starts.as_millis()),
            ..self.blank(Occasion::Breach, now)
        }
    }

    /// What people call it.
    fn promised_label(&self, breach: &Breach) -> String {
        let Some(service) = self.config().service(&breach.service) else {
            return breach.service.to_string();
        };
        let monitors = service.monitors.iter();
        let named = |name| monitors.clone().find(|it| it.id.name() == name);
        match breach.monitor.as_ref().and_then(named) {
            Some(monitor) => format!("{}: {}", service.label, monitor.label),
            None => service.label.to_string(),
        }
    }
}
