//! Maintenances as documents in the store. Keys are only ever added, each with a
//! default.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use watchkeeper_config::maintenance::Draft;
use watchkeeper_engine::maintenance::Plan;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::Document;

use super::{Made, Planned};

#[derive(Serialize, Deserialize)]
struct Mirror {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    monitors: Vec<String>,
    #[serde(default)]
    starts: Option<String>,
    #[serde(default)]
    ends: Option<String>,
    #[serde(default)]
    lasts: Option<String>,
    #[serde(default)]
    cron: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    until: Option<String>,
    #[serde(default)]
    ended: Option<i64>,
    #[serde(default)]
    cancelled: Option<i64>,
    #[serde(default)]
    by: String,
}

/// As a document; `None` for one of a file, which is kept there.
pub(super) fn write(planned: &Planned) -> Option<Document> {
    let made = planned.made.as_ref()?;
    let draft = Draft::clone(&planned.maintenance.draft);
    let mirror = Mirror {
        title: draft.title,
        description: draft.description,
        services: draft.services,
        monitors: draft.monitors,
        starts: draft.starts,
        ends: draft.ends,
        lasts: draft.lasts,
        cron: draft.cron,
        time_zone: draft.time_zone,
        until: draft.until,
        ended: planned.plan.ended.map(Timestamp::as_millis),
        cancelled: planned.plan.cancelled.map(Timestamp::as_millis),
        by: made.by.to_string(),
    };
    let content = serde_json::to_string(&mirror).expect("texts and numbers always serialise");
    Some(Document {
        revision: made.revision,
        created_at: made.created_at,
        updated_at: made.updated_at,
        content: content.into(),
    })
}

/// From a document; says what is wrong with it. What it names may have left the
/// configuration since: then it covers nothing there.
pub(super) fn read(id: &str, document: &Document, zone: &TimeZone) -> Result<Planned, String> {
    let mirror: Mirror = serde_json::from_str(&document.content).map_err(|it| it.to_string())?;
    let draft = Draft {
        id: Some(id.to_owned()),
        title: mirror.title,
        description: mirror.description,
        services: mirror.services,
        monitors: mirror.monitors,
        starts: mirror.starts,
        ends: mirror.ends,
        lasts: mirror.lasts,
        cron: mirror.cron,
        time_zone: mirror.time_zone,
        until: mirror.until,
    };
    let maintenance = draft.check(zone).map_err(|mistakes| {
        let all: Vec<_> = mistakes.into_iter().map(|mistake| mistake.what).collect();
        all.join("; ")
    })?;
    Ok(Planned {
        plan: Plan {
            when: maintenance.when.clone(),
            ended: mirror.ended.map(Timestamp::from_millis),
            cancelled: mirror.cancelled.map(Timestamp::from_millis),
        },
        maintenance,
        made: Some(Made {
            revision: document.revision,
            created_at: document.created_at,
            updated_at: document.updated_at,
            by: Arc::from(mirror.by),
        }),
    })
}
