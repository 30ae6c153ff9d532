//! The incidents of the first page.

use std::sync::Arc;

use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::{IncidentView, PastView};

use crate::board::Board;
use crate::board::incidents::SHOWN;
use crate::desk;
use crate::intake;

/// How many incidents that are over the first page shows; the history has all.
const MOST_PAST: usize = 30;

/// Those that go on, and those that ended in the last days, each newest first.
pub(super) fn incidents(board: &Board, now: Timestamp) -> (Vec<IncidentView>, PastView) {
    let config = board.config();
    let private = intake::private(config);
    let label = |service: &ServiceId| {
        let known = config.service(service);
        let known = known.filter(|known| known.monitors.iter().any(|each| !each.private));
        known.map(|known| Arc::clone(&known.label))
    };
    let public = board.incidents();
    let public = public.filter(|(_, incident, _)| !desk::is_private(incident, &private));
    let views = public.map(|(id, incident, story)| {
        desk::view(id, &story.title, incident, &story.entries, label, &private)
    });
    let (mut open, mut over): (Vec<_>, Vec<_>) =
        views.partition(|view: &IncidentView| view.resolved.is_none());
    open.sort_by(desk::newest_first);
    over.retain(|view| view.resolved.is_some_and(|ended| ended >= now - SHOWN));
    over.sort_by(desk::newest_first);
    over.truncate(MOST_PAST);
    let days = SHOWN.as_secs() / 86_400;
    let past = PastView {
        days: u16::try_from(days).unwrap_or(u16::MAX),
        incidents: over,
    };
    (open, past)
}
