//! What there is besides monitors and notifications: maintenance, status pages.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::nested;
use crate::context::Context;
use crate::draft::{Maintenance, Term};
use crate::fields::{Field, Fields};
use crate::names;
use crate::span;

/// The longest description of a maintenance, in characters.
const LONGEST_TEXT: usize = 2_000;

/// Reads the rest. `monitors` are the full names of what became of each monitor.
pub(super) fn read(
    root: &mut Fields<'_>,
    monitors: &BTreeMap<i64, Vec<String>>,
    cx: &mut Context<'_>,
) {
    pages(root, monitors, cx);
    let mut affected: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for field in root.list("monitormaintenance") {
        if let Some(mut row) = field.table(cx)
            && let (Some(monitor), Some(maintenance)) = (
                row.integer("monitorid", cx),
                row.integer("maintenanceid", cx),
            )
        {
            let covered = affected.entry(maintenance).or_default();
            covered.extend(monitors.get(&monitor).into_iter().flatten().cloned());
        }
    }
    for field in root.list("maintenances") {
        if let Some(row) = field.table(cx) {
            maintenance(row, &field, &affected, cx);
        }
    }
    root.lose(&["proxies"], "checks do not go through proxies", cx);
    root.lose(&["tags"], "monitors have no tags", cx);
    root.lose(
        &["incidents"],
        "notices on status pages are not part of the configuration",
        cx,
    );
    root.lose(&["dockerhosts"], "containers are not looked at", cx);
    root.lose(
        &["apikeys"],
        "keys open nothing but metrics in Uptime Kuma: make a token here",
        cx,
    );
    root.skip(&["groups", "monitorgroup", "version"]);
}

fn pages(root: &mut Fields<'_>, monitors: &BTreeMap<i64, Vec<String>>, cx: &mut Context<'_>) {
    let mut published = Vec::new();
    for field in root.list("statuspages") {
        if let Some(mut row) = field.table(cx)
            && row.flag("published", cx).unwrap_or(true)
        {
            published.push((row, field.place.clone()));
        }
    }
    let several = published.len() > 1;
    for (at, (row, place)) in published.iter_mut().enumerate() {
        if at > 0 {
            cx.lost(place, "there is one page, with all services");
            continue;
        }
        for (key, max) in [("title", 100), ("description", 500)] {
            if let Some(text) = row.filled(key, cx) {
                let line = cx.line(&text, max, place);
                cx.draft.page.set_some(key, line);
            }
        }
        let keys = [
            "footertext",
            "customcss",
            "googleanalyticstagid",
            "analyticsid",
        ];
        row.lose(
            &keys,
            "the page has no footer, style or analytics of its own",
            cx,
        );
    }
    let mut shown = std::collections::BTreeSet::new();
    for field in root.clone().list("monitorgroup") {
        if let Some(mut row) = field.table(cx) {
            shown.extend(row.integer("monitorid", cx));
        }
    }
    let hidden = monitors.keys().filter(|id| !shown.contains(id)).count();
    if hidden > 0 && root.has("statuspages") && !several {
        let place = root.place.clone();
        cx.differs(
            &place,
            format!("{hidden} monitors are on no status page: here the page shows every service"),
        );
    }
}

fn maintenance(
    mut row: Fields<'_>,
    field: &Field<'_>,
    affected: &BTreeMap<i64, Vec<String>>,
    cx: &mut Context<'_>,
) {
    let place = &field.place;
    let title = row.filled("title", cx);
    let title = title
        .and_then(|title| names::line(&title, 100))
        .unwrap_or_default();
    let gone = |why: &str, cx: &mut Context<'_>| {
        cx.lost(
            place,
            format!("the maintenance `{title}` is left out: {why}"),
        );
    };
    if row.flag("active", cx) == Some(false) {
        gone("it is switched off", cx);
        return;
    }
    let id = row.integer("id", cx).unwrap_or_default();
    let Some(covered) = affected.get(&id).filter(|it| !it.is_empty()) else {
        gone("it covers no monitor that was carried over", cx);
        return;
    };
    let zone = row.filled("timezone", cx);
    let same_as_server = zone.as_deref() == Some("SAME_AS_SERVER");
    let zone = zone.filter(|zone| !["SAME_AS_SERVER", "UTC"].contains(&zone.as_str()));
    if zone
        .as_ref()
        .is_some_and(|zone| TimeZone::get(zone).is_err())
    {
        gone("its time zone is not known", cx);
        return;
    }
    let strategy = row.filled("strategy", cx).unwrap_or_default();
    let mut window = Maintenance {
        place: place.clone(),
        ..Maintenance::default()
    };
    if !title.is_empty() {
        window.keys.set("title", title.as_str());
    }
    if let Some(text) = row.filled("description", cx) {
        let kept: String = text.chars().take(LONGEST_TEXT).collect();
        window.keys.set("description", kept);
    }
    window.keys.set("monitors", covered.clone());
    if same_as_server {
        cx.differs(
            place,
            "the server's own time zone is not in the file: UTC is taken, set `time_zone`",
        );
    }
    let clock = |key: &str, row: &mut Fields<'_>, cx: &mut Context<'_>| {
        let text = row.filled(key, cx)?;
        let padded = if text.matches(':').count() == 1 {
            format!("{text}:00")
        } else {
            text
        };
        padded.parse::<Time>().ok()
    };
    if strategy == "single" {
        let moment = |key: &str, row: &mut Fields<'_>, cx: &mut Context<'_>| {
            let text = row.filled(key, cx)?;
            let time: DateTime = text.trim_end_matches('Z').parse().ok()?;
            let zone = zone.as_deref().unwrap_or("UTC");
            Some(time.in_tz(zone).ok()?.timestamp())
        };
        let bounds = (
            moment("startdate", &mut row, cx),
            moment("enddate", &mut row, cx),
        );
        let (Some(start), Some(end)) = bounds else {
            gone("its start or end cannot be read", cx);
            return;
        };
        let seconds = end.as_second().saturating_sub(start.as_second());
        let Some(lasts) = u64::try_from(seconds).ok().filter(|it| *it > 0) else {
            gone("it ends before it starts", cx);
            return;
        };
        window.keys.set("starts", Term::Time(start.to_string()));
        window
            .keys
            .set("lasts", span::written(lasts.saturating_mul(1_000)));
        cx.draft.maintenances.push(window);
        return;
    }
    let duration = row.integer("duration", cx).filter(|it| *it > 0);
    let times = (
        clock("starttime", &mut row, cx),
        clock("endtime", &mut row, cx),
    );
    let minutes = match times {
        (Some(start), Some(end)) => {
            let minutes = |it: Time| i64::from(it.hour()) * 60 + i64::from(it.minute());
            let length = minutes(end) - minutes(start);
            Some(if length <= 0 { length + 1_440 } else { length })
        }
        _ => None,
    };
    let seconds = minutes.map(|it| it * 60).or(duration);
    let at = times
        .0
        .map(|start| format!("{} {}", start.minute(), start.hour()));
    let days = |key: &str, row: &mut Fields<'_>, cx: &mut Context<'_>| {
        let node = row.take(key).as_ref().and_then(nested)?;
        let nested = Field {
            node: &node,
            place: place.clone(),
        };
        let words: Vec<_> = nested.list().iter().filter_map(|it| it.text(cx)).collect();
        let written: Vec<_> = words
            .iter()
            .filter_map(|word| match word.as_str() {
                "lastDay1" => Some("L".to_owned()),
                word => word.parse::<u8>().ok().map(|day| day.to_string()),
            })
            .collect();
        (!words.is_empty() && written.len() == words.len()).then(|| written.join(","))
    };
    let cron = match strategy.as_str() {
        "cron" => row.filled("cron", cx),
        "recurring-interval" if row.integer("intervalday", cx) == Some(1) => {
            at.map(|at| format!("{at} * * *"))
        }
        "recurring-weekday" => {
            let days = days("weekdays", &mut row, cx);
            at.zip(days).map(|(at, days)| format!("{at} * * {days}"))
        }
        "recurring-day-of-month" => {
            let days = days("daysofmonth", &mut row, cx);
            at.zip(days).map(|(at, days)| format!("{at} {days} * *"))
        }
        _ => None,
    };
    let lasts = seconds
        .and_then(|it| u64::try_from(it).ok())
        .filter(|it| *it > 0);
    let (Some(cron), Some(lasts)) = (cron, lasts) else {
        gone("its rhythm has no counterpart", cx);
        return;
    };
    window.keys.set("cron", cron);
    window
        .keys
        .set("time_zone", zone.unwrap_or_else(|| "UTC".to_owned()));
    window
        .keys
        .set("lasts", span::written(lasts.saturating_mul(1_000)));
    cx.draft.maintenances.push(window);
}
