//! The machine-readable reports of Vigil, so that what reads them needs only a
//! new address.
//!
//! Vigil knows three words. `unknown` is told as `sick`: what is not known to be
//! well must not be told as healthy, and must not set off the alarm that `dead`
//! would. A page without services is healthy, as Vigil's is.

use serde::Serialize;
use watchkeeper_engine::health::Health;

use crate::view::{MonitorView, Overall, ServiceView, View};

/// The one word of the page.
pub(crate) fn text(view: &View) -> &'static str {
    match view.health {
        Overall::Unknown if view.services.is_empty() => "healthy",
        Overall::Healthy => "healthy",
        Overall::Sick | Overall::Unknown => "sick",
        Overall::Partial | Overall::Dead => "dead",
    }
}

/// All services with their monitors and targets, as JSON.
pub(crate) fn report(view: &View) -> Vec<u8> {
    let report = Report {
        health: text(view),
        page: Page {
            name: &view.title,
            url: view.public_url.as_deref().unwrap_or_default(),
        },
        probes: view
            .services
            .iter()
            .map(|service| Probe::from(&**service))
            .collect(),
    };
    serde_json::to_vec(&report).expect("texts and lists are always JSON")
}

#[derive(Serialize)]
struct Report<'a> {
    health: &'static str,
    page: Page<'a>,
    probes: Vec<Probe<'a>>,
}

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
struct Probe<'a> {
    name: &'a str,
    status: &'static str,
    nodes: Vec<Node<'a>>,
}

#[derive(Serialize)]
struct Node<'a> {
    name: &'a str,
    status: &'static str,
    replicas: Vec<&'static str>,
}

impl<'a> From<&'a ServiceView> for Probe<'a> {
    fn from(service: &'a ServiceView) -> Self {
        Self {
            name: &service.label,
            status: word_of(service.health, service.maintained),
            nodes: service
                .monitors
                .iter()
                .map(|monitor| Node::from(&**monitor))
                .collect(),
        }
    }
}

impl<'a> From<&'a MonitorView> for Node<'a> {
    fn from(monitor: &'a MonitorView) -> Self {
        Self {
            name: &monitor.label,
            status: word_of(monitor.health, monitor.maintained),
            replicas: monitor
                .targets
                .iter()
                .map(|target| word_of(target.health, target.maintained))
                .collect(),
        }
    }
}

/// What is under maintenance is as it was planned to be.
const fn word_of(health: Health, maintained: bool) -> &'static str {
    if maintained {
        Health::Healthy.as_str()
    } else {
        word(health)
    }
}

const fn word(health: Health) -> &'static str {
    match health {
        Health::Unknown => Health::Sick.as_str(),
        known => known.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_words_for_every_health() {
        let said = |health| {
            text(&View {
                health,
                ..View::default()
            })
        };
        let healths = [
            Overall::Healthy,
            Overall::Sick,
            Overall::Partial,
            Overall::Dead,
            Overall::Unknown,
        ];
        assert_eq!(
            healths.map(said),
            ["healthy", "sick", "dead", "dead", "healthy"]
        );
        assert_eq!(Health::ALL.map(word), ["healthy", "sick", "sick", "dead"]);
    }
}
