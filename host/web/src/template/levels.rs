//! The template of the page that tells how well promises are kept.

use std::time::Duration;

use askama::Template;
use watchkeeper_engine::sla::Budget;
use watchkeeper_engine::time::spell;

use super::Made as _;
use crate::assets::Assets;
use crate::frame::Frame;
use crate::levels::{LevelReport, LevelRow};
use crate::words::{self, Shown};

/// The periods that are offered.
const PERIODS: [(&str, &str); 6] = [
    ("", "As promised"),
    ("day", "Day"),
    ("week", "Week"),
    ("month", "Month"),
    ("quarter", "Quarter"),
    ("year", "Year"),
];

/// The page of `report`; `period` and `at` are what was asked for.
pub(crate) fn page(
    frame: &Frame,
    report: &LevelReport,
    period: Option<&str>,
    at: Option<&str>,
) -> String {
    Page {
        assets: Assets::get(),
        title: &frame.title,
        headline: "Service levels",
        description: None,
        brand: &frame.brand,
        rest: &frame.rest,
        days: None,
        frame,
        report,
        rows: report.rows.iter().map(Row::of).collect(),
        period: period.unwrap_or_default(),
        at: at.unwrap_or_default(),
    }
    .made()
}

#[derive(Template)]
#[template(path = "sla.html")]
struct Page<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    frame: &'a Frame,
    report: &'a LevelReport,
    rows: Vec<Row<'a>>,
    period: &'a str,
    at: &'a str,
}

/// What is said of one.
struct Row<'a> {
    label: &'a str,
    /// Whether it is a monitor, below its service.
    is_part: bool,
    shown: Shown,
    word: &'static str,
    /// What was promised for which time.
    promise: String,
    /// Names and values.
    figures: Vec<(&'static str, String)>,
}

impl<'a> Row<'a> {
    fn of(row: &'a LevelRow) -> Self {
        let report = &row.report;
        let overdrawn = report.budget.is_some_and(Budget::is_overdrawn);
        let (shown, word) = match report.is_met() {
            _ if overdrawn => (Shown::Major, "Missed"),
            Some(false) => (Shown::Degraded, "At risk"),
            Some(true) => (Shown::Operational, "Met"),
            None => (Shown::NoData, "No data"),
        };
        let percent = |share: Option<_>| {
            share.map_or_else(|| "no data".to_owned(), |share| format!("{share} %"))
        };
        let span = |millis: u64| spell(Duration::from_millis(millis));
        let mut figures = vec![
            ("Uptime", percent(report.uptime)),
            ("Availability", percent(report.availability)),
        ];
        if let Some(budget) = report.budget {
            let left = match u64::try_from(budget.left_ms()) {
                Ok(left) => format!("{} of {} left", span(left), span(budget.total_ms)),
                Err(_) => format!("{} of {} used", span(budget.used_ms), span(budget.total_ms)),
            };
            figures.push(("Error budget", left));
        }
        if let Some(burn) = report.burn_rate() {
            figures.push(("Burn rate", format!("{burn:.2}")));
        }
        let outages = &report.outages;
        let count = match outages.ongoing {
            0 => outages.count.to_string(),
            ongoing => format!("{}, {ongoing} going on", outages.count),
        };
        figures.push(("Outages", count));
        let times = [
            ("Longest outage", outages.longest),
            ("Mean time to recovery", outages.mttr),
            ("Mean time between failures", outages.mtbf),
        ];
        for (name, time) in times {
            figures.extend(time.map(|time| (name, spell(time))));
        }
        figures.extend(row.incidents.map(|count| ("Incidents", count.to_string())));
        if let Some([median, high, highest]) = row.readings.and_then(|it| it.latency) {
            let text = format!("{} / {} / {}", spell(median), spell(high), spell(highest));
            figures.push(("Latency p50 / p95 / p99", text));
        }
        figures.push(("Judged", span(report.judged_ms())));
        let left_out = [
            ("Maintenance, left out", report.time.maintenance_ms),
            ("Unknown, left out", report.time.unknown_ms),
            ("No data, left out", report.no_data_ms),
        ];
        for (name, millis) in left_out {
            if millis > 0 {
                figures.push((name, span(millis)));
            }
        }
        let promise = match report.level {
            Some(level) => format!("{} %, {}: {}", level.target, row.period, row.span),
            None => format!("{}: {}", row.period, row.span),
        };
        Self {
            label: &row.label,
            is_part: row.monitor.is_some(),
            shown,
            word,
            promise,
            figures,
        }
    }
}
