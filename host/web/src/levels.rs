//! How well promises are kept: whoever computes it stands behind [`Levels`]. The
//! public page of it, and the same facts as JSON and CSV.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use futures::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use watchkeeper_engine::id::{MonitorName, ServiceId};
use watchkeeper_engine::sla::Report;
use watchkeeper_engine::time::Timestamp;

use crate::api::{Query, busy, nothing, wrong};
use crate::failure::Failure;
use crate::records::Found;
use crate::template;
use crate::view::View;
use crate::web::Web;

/// Computes reports, and keeps the breaches that were found.
pub trait Levels: Send + Sync {
    /// Whether everyone may see the page of them.
    fn are_public(&self) -> bool;

    /// What was asked for; ready within some seconds.
    fn report(&self, wanted: WantedReport) -> BoxFuture<'_, Result<LevelReport, NoReport>>;

    /// Breaches, newest first.
    fn breaches(&self, wanted: WantedBreaches) -> Found<'_, Vec<BreachRecord>>;

    /// Notes that `by` has taken note of a breach; ready once that would survive
    /// the end of the process. Who was first stays. `None` if there is no such
    /// breach.
    fn acknowledge(&self, number: i64, by: Arc<str>) -> Found<'_, Option<BreachRecord>>;
}

/// Which report, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedReport {
    /// A service and its monitors, or a monitor as `service/monitor`; all if none.
    pub item: Option<String>,
    /// A period such as `month` or `30d`; for each what was promised if none.
    pub period: Option<String>,
    /// A day in the period, as `2026-11-21`; today if none.
    pub at: Option<String>,
    /// The first day or moment; then there is no `period`.
    pub from: Option<String>,
    /// The last day, or the first moment after.
    pub to: Option<String>,
    /// The period of those of which nothing was promised; they are left out if
    /// none.
    pub otherwise: Option<&'static str>,
    /// Whether checks and latencies are wanted.
    pub with_readings: bool,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReport {
    /// What was asked for makes no sense; for people.
    Wrong(String),
    /// There is no such service or monitor.
    Unknown,
    /// It could not be made now.
    Busy,
}

/// A report on services and monitors.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelReport {
    /// When it was made.
    pub made: Timestamp,
    /// The time zone of its periods.
    pub zone: String,
    /// One for each, services before their monitors.
    pub rows: Vec<LevelRow>,
}

/// How well one promise was kept, or how something was of which none was made.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelRow {
    /// Of which service.
    pub service: ServiceId,
    /// Of which of its monitors; of the service as a whole if none.
    pub monitor: Option<MonitorName>,
    /// What people call it.
    pub label: String,
    /// The period: `month`, `30d` or `custom`.
    pub period: String,
    /// The period in words, by the clock of the time zone.
    pub span: String,
    /// The figures.
    pub report: Report,
    /// How many incidents began; only services have incidents.
    pub incidents: Option<u64>,
    /// Checks and latencies, where they were wanted.
    pub readings: Option<ReadingFigures>,
}

/// What checks found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadingFigures {
    /// Checks that came to the verdict healthy, sick and dead, and those that came
    /// to none.
    pub checks: [u64; 4],
    /// Latencies that half, 95 and 99 of 100 checks did not exceed, to an eighth;
    /// none if no check measured one.
    pub latency: Option<[Duration; 3]>,
}

/// Which breaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedBreaches {
    /// Only those of this service and its monitors.
    pub service: Option<ServiceId>,
    /// Only those of which somebody has taken note, or nobody.
    pub acknowledged: Option<bool>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachRecord {
    /// Its number.
    pub number: i64,
    /// Whose promise.
    pub service: ServiceId,
    /// The monitor, if it is not that of the service as a whole.
    pub monitor: Option<MonitorName>,
    /// The period: `month` or `30d`.
    pub period: Arc<str>,
    /// When the period began.
    pub starts: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// When it was found.
    pub found: Timestamp,
    /// What was promised, in millionths.
    pub target: u32,
    /// What it was when it was found, in hundredths of a percent.
    pub kept: u16,
    /// What might have been lost, and what had been, in milliseconds.
    pub budget_ms: u64,
    /// See `budget_ms`.
    pub lost_ms: u64,
    /// Who has taken note of it, and when.
    pub acknowledged: Option<(Arc<str>, Timestamp)>,
}

/// Stands in where nothing is computed.
pub(crate) struct NoLevels;

impl Levels for NoLevels {
    fn are_public(&self) -> bool {
        false
    }

    fn report(&self, _: WantedReport) -> BoxFuture<'_, Result<LevelReport, NoReport>> {
        Box::pin(async { Err(NoReport::Unknown) })
    }

    fn breaches(&self, _: WantedBreaches) -> Found<'_, Vec<BreachRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn acknowledge(&self, _: i64, _: Arc<str>) -> Found<'_, Option<BreachRecord>> {
        Box::pin(async { Ok(None) })
    }
}

/// The public page.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/sla", get(page))
}

async fn page(State(web): State<Web>, request: Request) -> Response {
    let levels = &web.settings().levels;
    if !levels.are_public() {
        return Failure::NotFound.answer(request.headers());
    }
    let Some(frame) = web.frame() else {
        return Failure::Starting.answer(request.headers());
    };
    let query = match Query::read(request.uri(), &["period", "at"]) {
        Ok(query) => query,
        Err(refused) => return refused,
    };
    // A form sends what was not filled in as nothing.
    let asked = |key| query.get(key).filter(|text| !text.is_empty());
    let wanted = WantedReport {
        period: asked("period").map(str::to_owned),
        at: asked("at").map(str::to_owned),
        with_readings: true,
        ..WantedReport::default()
    };
    let (period, at) = (wanted.period.clone(), wanted.at.clone());
    match levels.report(wanted).await {
        Ok(mut report) => {
            let view = web.view();
            report
                .rows
                .retain(|row| view.as_ref().is_some_and(|view| row.is_shown(view)));
            let body = template::levels::page(&frame, &report, period.as_deref(), at.as_deref());
            let mut response = Response::new(body.into());
            let headers = response.headers_mut();
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            headers.insert(CONTENT_TYPE, html);
            let cache = HeaderValue::from_static("public, max-age=0, s-maxage=10");
            headers.insert(CACHE_CONTROL, cache);
            response
        }
        Err(why) => refuse(why),
    }
}

impl LevelRow {
    /// Whether the public sees in `view` what it is about.
    fn is_shown(&self, view: &View) -> bool {
        let service = view.services.iter().find(|each| each.id == self.service);
        service.is_some_and(|service| match &self.monitor {
            None => true,
            Some(name) => service.monitors.iter().any(|it| it.id.name() == name),
        })
    }
}

/// What is answered where there is no report.
pub(crate) fn refuse(why: NoReport) -> Response {
    match why {
        NoReport::Wrong(what) => wrong(&what),
        NoReport::Unknown => nothing("There is no such service or monitor."),
        NoReport::Busy => busy(),
    }
}
