//! `/api/v1/sla` and `/api/v1/analytics`: how well promises are kept, how things
//! were over any time, and the breaches that were found.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use schemars::JsonSchema;
use serde::Serialize;
use watchkeeper_engine::id::{MonitorName, ServiceId};
use watchkeeper_engine::sla::Target;
use watchkeeper_engine::uptime::Uptime;

use super::operation::{Operation, shape};
use super::{Page, Query, admit, answer, busy, nothing};
use crate::dates::Iso;
use crate::levels::{BreachRecord, LevelReport, LevelRow, WantedBreaches, WantedReport, refuse};
use crate::web::Web;

const BREACHES: &str = "/api/v1/sla/breaches";

/// What a report may be asked for by.
const KEYS: [&str; 5] = ["item", "period", "at", "from", "to"];

/// The period of analytics where none is asked for.
const LATELY: &str = "1d";

/// The columns of the table.
const COLUMNS: &str = "service,monitor,label,period,from,to,target,uptime,availability,met,\
    judged_s,maintenance_s,unknown_s,no_data_s,budget_s,used_s,left_s,burn_rate,outages,ongoing,\
    mttr_s,mtbf_s,longest_s,incidents,checks,failed_checks,p50_ms,p95_ms,p99_ms";

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "levels";
    vec![
        asked(Operation::get("/api/v1/sla", "getServiceLevels", promises)).says(
            GROUP,
            "What is promised, and how well it is kept: each for its own period unless one is asked for.",
        ),
        asked(Operation::get("/api/v1/analytics", "getAnalytics", analytics)).says(
            GROUP,
            "How every service and monitor was, promise or not; of the last day unless something else is asked for.",
        ),
        Operation::get(BREACHES, "listBreaches", breaches)
            .says(GROUP, "Broken promises, newest first.")
            .query::<bool>("acknowledged", "Only those that somebody has acknowledged, or nobody.")
            .query::<String>("service", "Only those of this service and its monitors.")
            .query::<i64>("before", "Only those with a smaller number.")
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<ShownBreach<'static>>>),
        Operation::post(
            "/api/v1/sla/breaches/{number}/ack",
            "acknowledgeBreach",
            acknowledge,
        )
        .says(GROUP, "Acknowledges a broken promise. Who was first stays.")
        .answers(200, "It is acknowledged.", shape::<ShownBreach<'static>>),
    ]
}

/// What every report may be asked for by.
fn asked(operation: Operation) -> Operation {
    operation
        .query::<String>("item", "A service, or a monitor as `service/monitor`.")
        .query::<String>(
            "period",
            "`day`, `week`, `month`, `quarter`, `year`, or a span such as `30d`.",
        )
        .query::<String>("at", "A day in the period, such as `2026-11-21`.")
        .query::<String>("from", "Instead of a period: the first day, or a time.")
        .query::<String>("to", "With `from`: the last day, or a time.")
        .answers(200, "The report.", shape::<ShownReport<'static>>)
}

/// The same as tables, for spreadsheets.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/sla.csv", get(promises_csv))
        .route("/api/v1/analytics.csv", get(analytics_csv))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServiceLevelReport")]
struct ShownReport<'a> {
    made: String,
    time_zone: &'a str,
    items: Vec<Shown<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServiceLevel")]
struct Shown<'a> {
    service: &'a str,
    monitor: Option<&'a str>,
    label: &'a str,
    period: &'a str,
    from: String,
    to: String,
    /// What is promised, in percent.
    target: Option<f64>,
    /// In percent, rounded down to two decimals.
    uptime: Option<f64>,
    /// In percent, rounded down to two decimals.
    availability: Option<f64>,
    /// What being sick means for the target: `up` or `down`.
    sick: Option<&'static str>,
    met: Option<bool>,
    /// What uptime is a share of.
    judged_s: f64,
    time: Time,
    budget: Option<ShownBudget>,
    outages: ShownOutages,
    incidents: Option<u64>,
    checks: Option<Checks>,
    latency: Option<Latency>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TimeByHealth")]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the JSON say their unit"
)]
struct Time {
    healthy_s: f64,
    sick_s: f64,
    dead_s: f64,
    maintenance_s: f64,
    unknown_s: f64,
    no_data_s: f64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ErrorBudget")]
struct ShownBudget {
    total_s: f64,
    used_s: f64,
    left_s: f64,
    burn_rate: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OutageFigures")]
struct ShownOutages {
    count: u64,
    ongoing: u64,
    mttr_s: Option<f64>,
    mtbf_s: Option<f64>,
    longest_s: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CheckCounts")]
struct Checks {
    healthy: u64,
    sick: u64,
    dead: u64,
    undecided: u64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LatencyQuantiles")]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the JSON say their unit"
)]
struct Latency {
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Breach")]
struct ShownBreach<'a> {
    id: i64,
    service: &'a str,
    monitor: Option<&'a str>,
    period: &'a str,
    starts: String,
    ends: String,
    found: String,
    target: f64,
    kept: f64,
    budget_s: f64,
    lost_s: f64,
    acknowledged: Option<Acknowledged<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AcknowledgedBreach")]
struct Acknowledged<'a> {
    by: &'a str,
    at: String,
}

async fn promises(State(web): State<Web>, request: Request) -> Response {
    made(&web, request, None, as_json).await
}

async fn promises_csv(State(web): State<Web>, request: Request) -> Response {
    made(&web, request, None, as_csv).await
}

async fn analytics(State(web): State<Web>, request: Request) -> Response {
    made(&web, request, Some(LATELY), as_json).await
}

async fn analytics_csv(State(web): State<Web>, request: Request) -> Response {
    made(&web, request, Some(LATELY), as_csv).await
}

/// The report that was asked for, in the form that `form` gives it. `lately` is
/// the period where none is asked for; without it, what was promised.
async fn made(
    web: &Web,
    request: Request,
    lately: Option<&'static str>,
    form: fn(&LevelReport) -> Response,
) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(web, &head, |access| access.read).await {
        return refused;
    }
    let wanted = match wanted(&head, lately) {
        Ok(wanted) => wanted,
        Err(refused) => return refused,
    };
    match web.settings().levels.report(wanted).await {
        Ok(report) => form(&report),
        Err(why) => refuse(why),
    }
}

fn wanted(head: &Parts, lately: Option<&'static str>) -> Result<WantedReport, Response> {
    let query = Query::read(&head.uri, &KEYS)?;
    let text = |key| query.get(key).map(str::to_owned);
    let mut wanted = WantedReport {
        item: text("item"),
        period: text("period"),
        at: text("at"),
        from: text("from"),
        to: text("to"),
        otherwise: lately,
        with_readings: true,
    };
    if let Some(lately) = lately
        && wanted.period.is_none()
        && wanted.from.is_none()
    {
        wanted.period = Some(lately.to_owned());
    }
    Ok(wanted)
}

async fn breaches(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = async {
        let query = Query::read(&head.uri, &["acknowledged", "service", "limit", "before"])?;
        let service = |text: &str| ServiceId::new(text).ok();
        let wanted = WantedBreaches {
            service: query.parsed("service", "the id of a service", service)?,
            acknowledged: query.parsed("acknowledged", "`true` or `false`", |text| {
                text.parse().ok()
            })?,
            before: query.parsed("before", "a number", |text| text.parse().ok())?,
            limit: query.limit()?,
        };
        let found = web.settings().levels.breaches(wanted).await;
        let found = found.map_err(|_| busy())?;
        let last = found.last().map(|record| record.number);
        let shown = found.iter().map(ShownBreach::from);
        Ok::<_, Response>(answer(&query.page(BREACHES, shown.collect(), last)?))
    };
    asked.await.unwrap_or_else(|refused| refused)
}

async fn acknowledge(
    State(web): State<Web>,
    Path(number): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let access = match admit(&web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let none = || nothing("There is no such breach.");
    let Ok(number) = number.parse() else {
        return none();
    };
    match web.settings().levels.acknowledge(number, access.name).await {
        Ok(Some(record)) => answer(&ShownBreach::from(&record)),
        Ok(None) => none(),
        Err(_) => busy(),
    }
}

fn as_json(report: &LevelReport) -> Response {
    answer(&ShownReport {
        made: Iso(report.made).to_string(),
        time_zone: &report.zone,
        items: report.rows.iter().map(Shown::from).collect(),
    })
}

fn as_csv(report: &LevelReport) -> Response {
    let mut response = Response::new(csv(&report.rows).into());
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = HeaderValue::from_static("attachment; filename=\"sla.csv\"");
    headers.insert(CONTENT_DISPOSITION, name);
    response
}

/// A table as RFC 4180 has it.
fn csv(rows: &[LevelRow]) -> String {
    let mut out = format!("{COLUMNS}\r\n");
    for row in rows {
        let shown = Shown::from(row);
        let number = |value: Option<f64>| value.map_or_else(String::new, |it| it.to_string());
        let count = |value: Option<u64>| value.map_or_else(String::new, |it| it.to_string());
        let budget = shown.budget.as_ref();
        let checks = shown.checks.as_ref();
        let latency = shown.latency.as_ref();
        let fields = [
            shown.service.to_owned(),
            shown.monitor.unwrap_or_default().to_owned(),
            quoted(shown.label),
            shown.period.to_owned(),
            shown.from,
            shown.to,
            number(shown.target),
            number(shown.uptime),
            number(shown.availability),
            shown.met.map_or_else(String::new, |met| met.to_string()),
            shown.judged_s.to_string(),
            shown.time.maintenance_s.to_string(),
            shown.time.unknown_s.to_string(),
            shown.time.no_data_s.to_string(),
            number(budget.map(|it| it.total_s)),
            number(budget.map(|it| it.used_s)),
            number(budget.map(|it| it.left_s)),
            number(budget.and_then(|it| it.burn_rate)),
            shown.outages.count.to_string(),
            shown.outages.ongoing.to_string(),
            number(shown.outages.mttr_s),
            number(shown.outages.mtbf_s),
            number(shown.outages.longest_s),
            count(shown.incidents),
            count(checks.map(|it| it.healthy + it.sick + it.dead + it.undecided)),
            count(checks.map(|it| it.dead)),
            number(latency.map(|it| it.p50_ms)),
            number(latency.map(|it| it.p95_ms)),
            number(latency.map(|it| it.p99_ms)),
        ];
        out.push_str(&fields.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A text as a field. What a spreadsheet would take for a formula is marked as
/// text.
fn quoted(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

impl<'a> From<&'a LevelRow> for Shown<'a> {
    fn from(row: &'a LevelRow) -> Self {
        let report = &row.report;
        let time = &report.time;
        let outages = &report.outages;
        Self {
            service: row.service.as_str(),
            monitor: row.monitor.as_ref().map(MonitorName::as_str),
            label: &row.label,
            period: &row.period,
            from: Iso(report.window.from).to_string(),
            to: Iso(report.window.to).to_string(),
            target: report.level.map(|level| target(level.target)),
            uptime: report.uptime.map(percent),
            availability: report.availability.map(percent),
            sick: report.level.map(|level| level.sick.as_str()),
            met: report.is_met(),
            judged_s: seconds(report.judged_ms()),
            time: Time {
                healthy_s: seconds(time.healthy_ms),
                sick_s: seconds(time.sick_ms),
                dead_s: seconds(time.dead_ms),
                maintenance_s: seconds(time.maintenance_ms),
                unknown_s: seconds(time.unknown_ms),
                no_data_s: seconds(report.no_data_ms),
            },
            budget: report.budget.map(|budget| ShownBudget {
                total_s: seconds(budget.total_ms),
                used_s: seconds(budget.used_ms),
                left_s: seconds(budget.total_ms) - seconds(budget.used_ms),
                burn_rate: report.burn_rate().map(rounded),
            }),
            outages: ShownOutages {
                count: outages.count,
                ongoing: outages.ongoing,
                mttr_s: outages.mttr.map(|it| it.as_secs_f64()),
                mtbf_s: outages.mtbf.map(|it| it.as_secs_f64()),
                longest_s: outages.longest.map(|it| it.as_secs_f64()),
            },
            incidents: row.incidents,
            checks: row.readings.map(|readings| {
                let [healthy, sick, dead, undecided] = readings.checks;
                Checks {
                    healthy,
                    sick,
                    dead,
                    undecided,
                }
            }),
            latency: row.readings.and_then(|readings| readings.latency).map(
                |[median, high, highest]| Latency {
                    p50_ms: millis(median),
                    p95_ms: millis(high),
                    p99_ms: millis(highest),
                },
            ),
        }
    }
}

impl<'a> From<&'a BreachRecord> for ShownBreach<'a> {
    fn from(record: &'a BreachRecord) -> Self {
        Self {
            id: record.number,
            service: record.service.as_str(),
            monitor: record.monitor.as_ref().map(MonitorName::as_str),
            period: &record.period,
            starts: Iso(record.starts).to_string(),
            ends: Iso(record.ends).to_string(),
            found: Iso(record.found).to_string(),
            target: f64::from(record.target) / 10_000.0,
            kept: f64::from(record.kept) / 100.0,
            budget_s: seconds(record.budget_ms),
            lost_s: seconds(record.lost_ms),
            acknowledged: record.acknowledged.as_ref().map(|(by, at)| Acknowledged {
                by,
                at: Iso(*at).to_string(),
            }),
        }
    }
}

fn percent(uptime: Uptime) -> f64 {
    f64::from(uptime.hundredths_of_percent()) / 100.0
}

fn target(target: Target) -> f64 {
    f64::from(target.millionths()) / 10_000.0
}

fn seconds(millis: u64) -> f64 {
    Duration::from_millis(millis).as_secs_f64()
}

fn millis(latency: Duration) -> f64 {
    rounded(latency.as_secs_f64() * 1000.0)
}

/// To three decimals: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_text_in_a_spreadsheet() {
        assert_eq!(quoted("API"), "\"API\"");
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("@cmd"), "\"'@cmd\"");
    }
}
