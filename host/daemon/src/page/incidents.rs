//! The incidents of the first page.

use std::sync::Arc;

use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::{IncidentView, PastView};

use crate::board::Board;
use crate::board::incidents::SHOWN;
use crate::desk;

/// How many incidents that are over the first page shows; the history has all.
const MOST_PAST: usize = 30;

/// Those that go on, and those that ended in the last days, each newest first.
pub(super) fn incidents(board: &Board, now: Timestamp) -> (Vec<IncidentView>, PastView) {
    let config = board.config();
    let views = board.incidents().map(|(id, incident, story)| {
        desk::view(id, &story.title, incident, &story.entries, |service| {
            config
                .service(service)
                .map(|known| Arc::clone(&known.label))
        })
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
