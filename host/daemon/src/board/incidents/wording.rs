//! What timelines say.

use std::sync::Arc;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, ServiceId};

use super::super::Board;

/// That somebody has taken it.
pub(super) fn acknowledged(by: &str, note: &str) -> String {
    if note.is_empty() {
        format!("Acknowledged by {by}.")
    } else {
        format!("Acknowledged by {by}: {note}")
    }
}

impl Board {
    /// `Shop: Web is down`.
    pub(super) fn title(&self, monitor: &MonitorId, health: Health) -> String {
        let name = self.name(monitor);
        match health {
            Health::Dead => format!("{name} is down"),
            Health::Sick => format!("{name} is degraded"),
            Health::Healthy | Health::Unknown => name,
        }
    }

    /// `Shop: Web is down: connection refused.`
    pub(super) fn stands(
        &self,
        monitor: &MonitorId,
        health: Health,
        root: Option<&MonitorId>,
        reason: Option<&Arc<str>>,
    ) -> String {
        if health == Health::Healthy {
            return format!("{} works again.", self.name(monitor));
        }
        let title = self.title(monitor, health);
        match (root, reason) {
            (Some(root), _) => format!("{title}, as it depends on {}.", self.name(root)),
            (None, Some(reason)) => format!("{title}: {}.", reason.trim_end_matches('.')),
            (None, None) => format!("{title}."),
        }
    }

    /// `Shop: Web`.
    pub(in crate::board) fn name(&self, monitor: &MonitorId) -> String {
        let service = self.service_name(monitor.service());
        let label = self.monitors.get(monitor).map_or_else(
            || monitor.name().as_str().into(),
            |known| Arc::clone(&known.assigned.monitor.label),
        );
        if *label == *service {
            service.to_string()
        } else {
            format!("{service}: {label}")
        }
    }

    /// What a service is called.
    pub(in crate::board) fn service_name(&self, service: &ServiceId) -> Arc<str> {
        self.config()
            .service(service)
            .map_or_else(|| service.as_str().into(), |known| Arc::clone(&known.label))
    }
}
