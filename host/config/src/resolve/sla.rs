//! What is promised.

use watchkeeper_engine::sla::Level;

use super::value;
use crate::file::sla::SlaTable;
use crate::read::Placed;
use crate::sla::Sla;

/// The promise that the table amounts to.
pub(super) fn sla(table: Option<&Placed<SlaTable>>) -> Option<Sla> {
    let SlaTable {
        target,
        period,
        sick,
    } = value(table)?;
    Some(Sla {
        level: Level {
            target: value(target.as_ref())?.0,
            sick: value(sick.as_ref()).map(|word| word.0).unwrap_or_default(),
        },
        period: value(period.as_ref())
            .map(|text| text.0)
            .unwrap_or_default(),
    })
}
