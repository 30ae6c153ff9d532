//! How incidents open and end by themselves.

use std::time::Duration;

use watchkeeper_engine::incident::Rules;

use super::value;
use crate::config::Incidents;
use crate::file::incident::IncidentTable;

/// How long links work where nothing is said: over a week-end and the day after.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_hours(7 * 24);

/// The rules that the table amounts to.
pub(super) fn incidents(table: Option<&IncidentTable>) -> Incidents {
    let default = Rules::default();
    let span = |pick: fn(&IncidentTable) -> Option<Duration>| table.and_then(pick);
    Incidents {
        rules: Rules {
            automatic: value(table.and_then(|table| table.automatic.as_ref()))
                .copied()
                .unwrap_or(default.automatic),
            sick_after: span(|table| value(table.after.as_ref()).map(|span| span.0)),
            reopen_within: span(|table| value(table.reopen_within.as_ref()).map(|span| span.0))
                .unwrap_or(default.reopen_within),
        },
        acknowledge_within: span(|table| {
            value(table.acknowledge_within.as_ref()).map(|span| span.0)
        })
        .unwrap_or(ACKNOWLEDGE_WITHIN),
    }
}
