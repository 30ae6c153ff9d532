//! What the files plan.

use std::sync::Arc;

use jiff::tz::TimeZone;
use watchkeeper_engine::id::MaintenanceId;

use super::references::Known;
use super::{elements, line, rows, value};
use crate::duration;
use crate::file::RootTable;
use crate::file::maintenance::MaintenanceTable;
use crate::maintenance::{Draft, Maintenance, Mistake};
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// The maintenances of the files. Notes mistakes that concern several keys, and
/// ids that are used twice.
pub(super) fn maintenances(
    root: &RootTable,
    known: &Known,
    zone: &TimeZone,
    cx: &mut Context<'_>,
) -> Arc<[Maintenance]> {
    let mut seen: Vec<(MaintenanceId, At)> = Vec::new();
    let mut all = Vec::new();
    for placed in rows(root.maintenance.as_ref()) {
        let Some(found) = maintenance(placed, known, zone, cx) else {
            continue;
        };
        if let Some((_, first)) = seen.iter().find(|(id, _)| *id == found.id) {
            let id = &placed.value.id;
            let what = match id {
                Some(_) => format!("the maintenance `{}` exists twice", found.id),
                None => "the same is planned twice".to_owned(),
            };
            let at = id.as_ref().map_or(placed.at, |id| id.at);
            let finding = Finding::new(at, what).key(&placed.key);
            cx.report(finding.related(*first, "first one"));
            continue;
        }
        let at = placed.value.id.as_ref().map_or(placed.at, |id| id.at);
        seen.push((found.id.clone(), at));
        all.push(found);
    }
    all.into()
}

fn maintenance(
    placed: &Placed<MaintenanceTable>,
    known: &Known,
    zone: &TimeZone,
    cx: &mut Context<'_>,
) -> Option<Maintenance> {
    let table = &placed.value;
    for service in elements(table.services.as_ref()) {
        Known::check("service", &known.services, service, cx);
    }
    for monitor in elements(table.monitors.as_ref()) {
        Known::check("monitor", &known.monitors, monitor, cx);
    }
    let zone_name = value(table.time_zone.as_ref()).and_then(|zone| zone.0.iana_name());
    let draft = Draft {
        id: value(table.id.as_ref()).map(ToString::to_string),
        title: line(table.title.as_ref()).map(|title| title.to_string()),
        description: value(table.description.as_ref()).map(|text| text.0.clone()),
        services: texts(elements(table.services.as_ref())),
        monitors: texts(elements(table.monitors.as_ref())),
        starts: value(table.starts.as_ref()).map(|at| at.0.clone()),
        ends: value(table.ends.as_ref()).map(|at| at.0.clone()),
        lasts: value(table.lasts.as_ref()).map(|span| duration::display(span.0)),
        cron: value(table.cron.as_ref()).map(|cron| cron.0.to_string()),
        time_zone: zone_name.map(ToOwned::to_owned),
        until: value(table.until.as_ref()).map(|at| at.0.clone()),
    };
    match draft.check(zone) {
        Ok(maintenance) => Some(maintenance),
        Err(mistakes) => {
            for mistake in mistakes {
                note(placed, mistake, cx);
            }
            None
        }
    }
}

/// Notes a mistake where its key stands, unless what stands there was noted before.
fn note(placed: &Placed<MaintenanceTable>, mistake: Mistake, cx: &mut Context<'_>) {
    fn at<T>(field: Option<&Placed<T>>) -> Option<At> {
        field.map(|placed| placed.at)
    }
    let table = &placed.value;
    let path = format!("{}.{}", placed.key, mistake.key);
    let also = match mistake.key {
        "starts" => format!("{}.cron", placed.key),
        "services" => format!("{}.monitors", placed.key),
        "lasts" => format!("{}.ends", placed.key),
        _ => path.clone(),
    };
    if cx.is_noted(&path) || cx.is_noted(&also) {
        return;
    }
    let place = match mistake.key {
        "id" => at(table.id.as_ref()),
        "title" => at(table.title.as_ref()),
        "description" => at(table.description.as_ref()),
        "services" => at(table.services.as_ref()),
        "monitors" => at(table.monitors.as_ref()),
        "starts" => at(table.starts.as_ref()),
        "ends" => at(table.ends.as_ref()),
        "lasts" => at(table.lasts.as_ref()),
        "cron" => at(table.cron.as_ref()),
        "time_zone" => at(table.time_zone.as_ref()),
        "until" => at(table.until.as_ref()),
        _ => None,
    };
    let finding = Finding::new(place.unwrap_or(placed.at), mistake.what).key(&path);
    cx.report(if place.is_none() {
        finding.absence()
    } else {
        finding
    });
}

fn texts<T: ToString>(list: &[Placed<T>]) -> Vec<String> {
    list.iter().map(|placed| placed.value.to_string()).collect()
}
