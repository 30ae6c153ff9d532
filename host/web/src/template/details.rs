//! The template of the page of a service.

use std::time::Duration;

use askama::Template;
use watchkeeper_engine::uptime::{HealthSums, Uptime};

use super::stories::{latest, shown_of};
use super::{Made as _, minutes, paragraphs};
use crate::assets::Assets;
use crate::chart::Chart;
use crate::dates::{Form, Latency, Minutes, Moment, Month};
use crate::figures::Window;
use crate::frame::Frame;
use crate::locale::fill;
use crate::markdown;
use crate::view::{IncidentView, MonitorView, ServiceView};
use crate::words::{self, Shown};

/// What is told of a service.
pub(crate) struct Details<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) service: &'a ServiceView,
    pub(crate) window: Window,
    pub(crate) monitors: Vec<MonitorDetails<'a>>,
    pub(crate) months: Vec<MonthRow>,
    pub(crate) incidents: Vec<&'a IncidentView>,
}

/// A monitor over the window.
pub(crate) struct MonitorDetails<'a> {
    pub(crate) monitor: &'a MonitorView,
    pub(crate) uptime: Option<Uptime>,
    pub(crate) p50: Option<Duration>,
    pub(crate) p95: Option<Duration>,
    pub(crate) chart: Option<Chart>,
}

/// A month of a service.
pub(crate) struct MonthRow {
    pub(crate) month: Month,
    pub(crate) sums: HealthSums,
}

/// The page of a service.
pub(crate) fn service(details: &Details<'_>) -> String {
    let frame = details.frame;
    Page {
        assets: Assets::get(),
        title: &frame.title,
        headline: &details.service.label,
        description: details.service.description.as_deref().map(str::to_owned),
        brand: &frame.brand,
        rest: &frame.rest,
        days: Some(super::spotless_days()),
        frame,
        shown: details.service.into(),
        details,
    }
    .made()
}

#[derive(Template)]
#[template(path = "service.html")]
struct Page<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    frame: &'a Frame,
    shown: Shown,
    details: &'a Details<'a>,
}

/// A latency in words.
fn latency(span: Duration) -> Latency {
    Latency(u32::try_from(span.as_millis()).unwrap_or(u32::MAX))
}

/// A time in words; rounded up, so that no downtime is shown as none.
fn span(millis: u64) -> Minutes {
    Minutes(millis.div_ceil(60_000))
}

/// An uptime in figures.
fn share(uptime: Uptime) -> String {
    let share = uptime.to_string().replace('.', &words::t().decimal);
    format!("{share} %")
}

/// What a chart shows.
fn response_time(window: Window) -> String {
    fill(&words::t().response_time, &[("window", window.as_str())])
}

/// A text with a latency in it.
fn timed(text: &str, span: Duration) -> String {
    fill(text, &[("latency", &latency(span).to_string())])
}

/// How a time on the axis is written.
const fn tick_form(window: Window) -> Form {
    match window {
        Window::Day => Form::Time,
        Window::Week | Window::Month | Window::Quarter => Form::Day,
    }
}
