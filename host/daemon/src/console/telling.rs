//! Channels and routes, in words.

use std::collections::HashMap;
use std::sync::Arc;

use watchkeeper_config::Config;
use watchkeeper_config::config::{Route, RouteFilter};
use watchkeeper_engine::reminding::Backoff;
use watchkeeper_engine::time::spell;
use watchkeeper_web::{ChannelFacts, RouteFacts};

use super::shown_config;
use crate::assignment::{Assignments, Ready};
use crate::plugins::Shelf;

/// Every channel.
pub(super) fn channels(assignments: &Assignments, shelf: &Shelf) -> Vec<ChannelFacts> {
    let config = &assignments.config;
    let mut routes: HashMap<&str, usize> = HashMap::new();
    for route in config.routes.iter() {
        let steps = route.escalate.iter().flat_map(|step| step.to.iter());
        for channel in route.to.iter().chain(steps) {
            *routes.entry(channel.as_str()).or_default() += 1;
        }
    }
    let channels = config.channels.iter().map(|channel| {
        let assigned = assignments.channels.get(&channel.id);
        ChannelFacts {
            id: channel.id.clone(),
            notifier: channel.notifier.to_string(),
            missing: assigned.and_then(|assigned| match &assigned.plugin {
                Ready::Missing(why) => Some(Arc::clone(why)),
                Ready::Use(_) => None,
            }),
            config: shown_config(shelf, channel.notifier.as_str(), &channel.config),
            rate: channel
                .rate
                .map(|rate| format!("{} in {}", rate.notices, spell(rate.per))),
            routes: routes.get(channel.id.as_str()).copied().unwrap_or(0),
        }
    });
    channels.collect()
}

/// Every route.
pub(super) fn routes(config: &Config) -> Vec<RouteFacts> {
    config.routes.iter().map(route).collect()
}

fn route(route: &Route) -> RouteFacts {
    let on = [
        (route.on.dead, "dead"),
        (route.on.sick, "sick"),
        (route.on.recovered, "recovered"),
        (route.on.unknown, "unknown"),
        (route.host, "the host's own trouble"),
        (route.startup, "the start"),
        (route.reminders_only, "only by reminders"),
    ];
    let on: Vec<_> = on
        .iter()
        .filter(|(is_told, _)| *is_told)
        .map(|(_, word)| *word)
        .collect();
    let reminders = route.plan.reminders.map(|reminders| {
        let growing = match reminders.backoff {
            Backoff::None => "",
            Backoff::Linear => ", later linearly",
            Backoff::Square => ", later by squares",
            Backoff::Cubic => ", later by cubes",
        };
        format!("every {}{growing}", spell(reminders.every))
    });
    let escalation = route.escalate.iter().map(|step| {
        let to: Vec<_> = step.to.iter().map(ToString::to_string).collect();
        format!("after {}: {}", spell(step.after), to.join(", "))
    });
    RouteFacts {
        to: route.to.iter().map(ToString::to_string).collect(),
        on: on.join(", "),
        about: about(&route.filter),
        hours: if route.hours.are_always() {
            "always".to_owned()
        } else {
            "at certain hours".to_owned()
        },
        reminders: reminders.unwrap_or_else(|| "never".to_owned()),
        escalation: escalation.collect(),
    }
}

fn about(filter: &RouteFilter) -> String {
    let mut words = Vec::new();
    if let Some(named) = &filter.names {
        words.extend(named.services.iter().map(ToString::to_string));
        words.extend(named.monitors.iter().map(ToString::to_string));
    }
    let names = if words.is_empty() {
        "every monitor".to_owned()
    } else {
        words.join(", ")
    };
    if filter.tags.is_empty() {
        return names;
    }
    let tags: Vec<_> = filter.tags.iter().map(ToString::to_string).collect();
    format!("{names} with the tag {}", tags.join(" or "))
}
