//! What the files say of maintenances.

use serde_json::{Value as Json, json};
use watchkeeper_engine::id::{MaintenanceId, MonitorId, ServiceId};

use super::{DAY, SECOND};
use crate::maintenance::LONGEST_TEXT;
use crate::read::list::List;
use crate::read::scalar::{CronText, Line, Span, Zone, text, wrong};
use crate::read::{Context, FromNode, table};
use crate::tree::{Node, Value};

table! {
    /// A planned time in which something may not work.
    struct MaintenanceTable {
        /// By what it is known: unique. By default one that follows from what it covers and when.
        [optional] id: MaintenanceId,
        /// What is done, in a line.
        [default "Maintenance"] title: Line<200>,
        /// What people will notice of it, in Markdown.
        [optional] description: Prose,
        /// The services that it covers, by their ids.
        [optional] services: List<ServiceId, 1000>,
        /// Monitors that it covers besides, each as `service/monitor`.
        [optional] monitors: List<MonitorId, 1000>,
        /// When it begins: with an offset, or by the clock of `time_zone`.
        [optional] starts: Moment,
        /// When it ends, instead of `lasts`.
        [optional] ends: Moment,
        /// How long it takes.
        [optional] lasts: Span<SECOND, { 366 * DAY }>,
        /// When it begins again and again, as in a crontab, instead of `starts`.
        [optional] cron: CronText,
        /// When it begins no more, with `cron`.
        [optional] until: Moment,
        /// The zone of `cron` and of times without an offset, by its name in the IANA database. By
        /// default that of the page.
        [optional] time_zone: Zone,
    }
}

/// A point in time as it is written. What it amounts to depends on a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Moment(pub(crate) String);

impl FromNode for Moment {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Datetime(text) => Some(Self(text.clone())),
            _ => text(node, "a time such as 2026-12-01T02:00:00Z", cx).map(Self),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 10 })
    }
}

/// Text of several lines.
#[derive(Clone, Debug)]
pub(crate) struct Prose(pub(crate) String);

impl FromNode for Prose {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a text", cx)?;
        if text.chars().count() > LONGEST_TEXT {
            let what = format!("must have at most {LONGEST_TEXT} characters");
            wrong(node, what, None, cx);
            return None;
        }
        Some(Self(text))
    }

    fn schema() -> Json {
        json!({ "type": "string", "maxLength": LONGEST_TEXT })
    }
}
