//! What the files say of incidents.

use super::{DAY, MINUTE, SECOND};
use crate::read::scalar::Span;
use crate::read::table;

table! {
    /// How incidents open and end by themselves.
    struct IncidentTable {
        /// Whether an incident opens by itself when a service is dead.
        [default true] automatic: bool,
        /// How long a monitor is sick before that opens an incident as well. Without it, only
        /// death does.
        [optional] after: Span<SECOND, { 30 * DAY }>,
        /// A service that dies again within this time goes on with its incident, which then ends
        /// only once all has been well for as long.
        [default "10m"] reopen_within: Span<0, { 7 * DAY }>,
        /// How long the link in a notice works by which people acknowledge.
        [default "7d"] acknowledge_within: Span<MINUTE, { 90 * DAY }>,
    }
}
