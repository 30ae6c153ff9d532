//! The maintenances and announcements of the first page.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::{Affected, AnnouncementView, MaintenanceView, Part};

use crate::announcing::shown_kind;
use crate::board::Board;
use crate::board::announced::Form;

/// How many maintenances and announcements the first page shows each; the calendar
/// and the API have more.
const MOST: usize = 20;

/// How long before it begins one is shown.
const AHEAD: Duration = Duration::from_hours(60 * 24);

/// What is announced at `now`, those that are pinned first.
pub(super) fn announcements(board: &Board, now: Timestamp) -> Vec<AnnouncementView> {
    let all = board.announced();
    let shown = all.iter().filter(|it| it.is_shown(now)).take(MOST);
    shown
        .map(|it| AnnouncementView {
            id: Arc::clone(&it.id),
            kind: shown_kind(it.says.kind),
            pinned: it.says.pinned,
            is_markdown: it.says.form == Form::Markdown,
            title: it.says.title.as_str().into(),
            text: it.says.text.as_str().into(),
            link: None,
            at: it.since(),
        })
        .collect()
}

/// Those that go on or begin before long, soonest first. Of those that come again
/// and again, the next time.
pub(super) fn maintenances(board: &Board, now: Timestamp) -> Vec<MaintenanceView> {
    let config = board.config();
    let ahead = board.planned().iter().filter_map(|planned| {
        let window = planned.plan.window(now)?;
        if window.from > now + AHEAD {
            return None;
        }
        let maintenance = &planned.maintenance;
        let services = maintenance.scope.services.iter().filter_map(|id| {
            Some(Affected {
                label: Arc::clone(&config.service(id)?.label),
                part: Part::Service(id.clone()),
            })
        });
        let monitors = maintenance.scope.monitors.iter().filter_map(|id| {
            Some(Affected {
                label: Arc::clone(&config.monitor(id)?.label),
                part: Part::Monitor(id.clone()),
            })
        });
        Some(MaintenanceView {
            id: maintenance.id.as_str().into(),
            in_progress: window.includes(now),
            title: Arc::clone(&maintenance.title),
            text: Arc::clone(&maintenance.text),
            starts: window.from,
            ends: window.to,
            affects: services.chain(monitors).collect(),
        })
    });
    let mut ahead: Vec<_> = ahead.collect();
    ahead.sort_by(|a, b| (a.starts, &a.id).cmp(&(b.starts, &b.id)));
    ahead.truncate(MOST);
    ahead
}
