//! One template for each part of the page. The page as it is loaded and the
//! patches that follow are made of the same parts.
//!
//! The templates escape every text. Where one says `safe`, the value was made
//! here and holds no stranger's text that was not escaped before.

use std::sync::Arc;

use askama::Template;
use watchkeeper_engine::time::Timestamp;

use crate::assets::Assets;
use crate::bars::{self, Bars};
use crate::dates::{self, Form, Iso, IsoDay, Latency, Minutes, Moment, Utc};
use crate::frame::Frame;
use crate::locale::Language;
use crate::markdown;
use crate::past::PastRow;
use crate::spark;
use crate::view::{
    AnnouncementView, IncidentView, MaintenanceView, MonitorView, Part, PastView, ServiceView, View,
};
use crate::words::{self, Shown};

pub(crate) mod changes;
pub(crate) mod details;
pub(crate) mod levels;
pub(crate) mod reference;
pub(crate) mod stories;

/// The headline, and where a script shows that the page is live.
pub(crate) fn overall(view: &View) -> String {
    Overall::new(view, None).made()
}

/// As [`overall`], with the time of the last check. It is left out of what is
/// compared and patched, as it is another one every second.
pub(crate) fn overall_checked(view: &View) -> String {
    Overall::new(view, Some(Checked::new(view.checked_at))).made()
}

/// What people should know whatever the health is.
pub(crate) fn notes(announcements: &[AnnouncementView]) -> String {
    Notes { announcements }.made()
}

/// What is being worked on.
pub(crate) fn incidents(incidents: &[IncidentView]) -> String {
    Incidents { incidents }.made()
}

/// The line of a service above its monitors.
pub(crate) fn service_head(service: &ServiceView) -> String {
    ServiceHead {
        service,
        shown: service.into(),
    }
    .made()
}

/// A monitor with its bars and targets, below the heading of its service.
pub(crate) fn monitor(monitor: &MonitorView) -> String {
    monitor_below(monitor, "h4")
}

/// A monitor whose heading is this element.
fn monitor_below(monitor: &MonitorView, heading: &'static str) -> String {
    let shown = Shown::from(monitor);
    let open = monitor.targets.iter().any(|target| {
        !matches!(Shown::from(target), Shown::Operational | Shown::NoData)
            || target.reason.is_some()
    });
    MonitorPart {
        monitor,
        heading,
        shown,
        open,
        bars: Bars::new(monitor),
        spark: spark::path(&monitor.spark),
    }
    .made()
}

/// All services, of parts that were made before.
pub(crate) fn services(parts: &[ServicePart<'_>]) -> String {
    Services { parts }.made()
}

/// What is planned.
pub(crate) fn maintenance(planned: &[MaintenanceView]) -> String {
    Maintenance { planned }.made()
}

/// What happened lately.
pub(crate) fn past(past: Option<&PastView>, now: Timestamp) -> String {
    Past {
        rows: past.map(|past| PastRow::of(past, now)),
    }
    .made()
}

/// One line for a frame of another page.
pub(crate) fn widget(frame: &Frame, name: &str, word: &str, shown: Shown, address: &str) -> String {
    Widget {
        assets: Assets::get(),
        title: &frame.title,
        headline: word,
        description: None,
        days: None,
        name,
        word,
        shown,
        address,
    }
    .made()
}

/// A page that says what went wrong.
pub(crate) fn failure(headline: &str, detail: &str) -> String {
    Failure {
        assets: Assets::get(),
        title: &words::t().status,
        headline,
        description: None,
        brand: &words::t().status,
        rest: "",
        days: None,
        detail,
    }
    .made()
}

/// The whole page.
#[derive(Template)]
#[template(path = "page.html")]
pub(crate) struct Page<'a> {
    pub(crate) assets: &'a Assets,
    pub(crate) title: &'a str,
    pub(crate) headline: &'static str,
    pub(crate) description: Option<String>,
    pub(crate) public_url: Option<&'a str>,
    pub(crate) website: Option<&'a str>,
    pub(crate) support: Option<&'a str>,
    /// The languages that it is offered in.
    pub(crate) languages: &'a [Language],
    /// The zone in which times are told where no script runs.
    pub(crate) zone: &'a str,
    pub(crate) brand: &'a str,
    pub(crate) rest: &'a str,
    pub(crate) days: Option<String>,
    pub(crate) revision: u64,
    pub(crate) shape: &'a str,
    pub(crate) overall: String,
    pub(crate) notes: &'a str,
    pub(crate) incidents: &'a str,
    pub(crate) services: String,
    pub(crate) maintenance: &'a str,
    pub(crate) past: &'a str,
}

/// A service whose parts were made before.
pub(crate) struct ServicePart<'a> {
    pub(crate) id: &'a str,
    pub(crate) label: &'a str,
    pub(crate) open: bool,
    pub(crate) head: &'a str,
    pub(crate) monitors: Vec<&'a str>,
}

/// Makes text of a template. Writing into a `String` cannot fail, and the
/// templates hold no value whose `Display` does.
pub(crate) trait Made: Template {
    fn made(&self) -> String {
        self.render()
            .expect("neither a String nor our values refuse to be written")
    }
}

impl<T: Template> Made for T {}

#[derive(Template)]
#[template(path = "overall.html")]
struct Overall<'a> {
    title: &'a str,
    headline: &'static str,
    shown: Shown,
    summary: String,
    checked: Option<Checked>,
}

struct Checked {
    at: Option<CheckedAt>,
}

struct CheckedAt {
    iso: Iso,
    text: String,
}

#[derive(Template)]
#[template(path = "notes.html")]
struct Notes<'a> {
    announcements: &'a [AnnouncementView],
}

#[derive(Template)]
#[template(path = "incidents.html")]
struct Incidents<'a> {
    incidents: &'a [IncidentView],
}

#[derive(Template)]
#[template(path = "services.html")]
struct Services<'a> {
    parts: &'a [ServicePart<'a>],
}

#[derive(Template)]
#[template(path = "service_head.html")]
struct ServiceHead<'a> {
    service: &'a ServiceView,
    shown: Shown,
}

#[derive(Template)]
#[template(path = "monitor.html")]
struct MonitorPart<'a> {
    monitor: &'a MonitorView,
    heading: &'static str,
    shown: Shown,
    /// Whether the targets are shown without being asked for.
    open: bool,
    bars: Bars,
    spark: Option<String>,
}

#[derive(Template)]
#[template(path = "maintenance.html")]
struct Maintenance<'a> {
    planned: &'a [MaintenanceView],
}

#[derive(Template)]
#[template(path = "past.html")]
struct Past<'a> {
    rows: Option<Vec<PastRow<'a>>>,
}

#[derive(Template)]
#[template(path = "widget.html")]
struct Widget<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    days: Option<String>,
    name: &'a str,
    word: &'a str,
    shown: Shown,
    address: &'a str,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    detail: &'a str,
}

impl<'a> Overall<'a> {
    fn new(view: &'a View, checked: Option<Checked>) -> Self {
        Self {
            title: &view.title,
            headline: words::headline_of(view),
            shown: view.health.into(),
            summary: words::summary(view),
            checked,
        }
    }
}

impl Checked {
    fn new(at: Option<Timestamp>) -> Self {
        Self {
            at: at.map(|at| CheckedAt {
                iso: Iso(at),
                text: Utc::new(at, Form::Second).to_string(),
            }),
        }
    }
}

/// The paragraphs of a text; empty lines set them apart.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
}

/// The words and the address of a link that may be followed.
fn link(link: Option<&(Arc<str>, Arc<str>)>) -> Option<(&str, &str)> {
    let (words, address) = link?;
    Some((words, words::web_address(address)?))
}

/// Where a part stands on the page.
fn anchor(part: &Part) -> String {
    match part {
        Part::Service(id) => format!("service-{id}"),
        Part::Monitor(id) => format!("monitor-{id}"),
    }
}

/// The span between two times.
fn minutes(from: Timestamp, to: Timestamp) -> Minutes {
    Minutes(to.since(from).as_secs() / 60)
}

/// The name of the page, cut so that the company's part of it can stand out.
pub(crate) fn brand(view: &View) -> (&str, &str) {
    let company = view.company.as_deref().unwrap_or_default();
    if view.title.is_empty() {
        return (
            if company.is_empty() {
                &words::t().status
            } else {
                company
            },
            "",
        );
    }
    match view.title.strip_prefix(company) {
        Some(rest) if !company.is_empty() && rest.starts_with(' ') => (company, rest.trim()),
        _ => (&view.title, ""),
    }
}

/// The drawing of ninety good days, which monitors refer to.
pub(crate) fn spotless_days() -> String {
    bars::spotless_path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_stands_out() {
        let brand = |title: &str, company: &str| {
            let company = (!company.is_empty()).then(|| company.into());
            let view = View {
                title: title.into(),
                company,
                ..View::default()
            };
            let (brand, rest) = super::brand(&view);
            format!("{brand}|{rest}")
        };
        assert_eq!(brand("Acme Status", "Acme"), "Acme|Status");
        assert_eq!(brand("Acmestatus", "Acme"), "Acmestatus|");
        assert_eq!(brand("Status of Acme", "Acme"), "Status of Acme|");
        assert_eq!(brand("Acme Status", ""), "Acme Status|");
        assert_eq!(brand("", "Acme"), "Acme|");
        assert_eq!(brand("", ""), "Status|");
    }

    #[test]
    fn links_that_may_not_be_followed_are_left_out() {
        let note = |address: &str| {
            notes(&[AnnouncementView {
                id: "new".into(),
                kind: crate::view::NoteKind::Warning,
                pinned: false,
                is_markdown: false,
                title: "New".into(),
                text: "One.\n\nTwo.".into(),
                link: Some(("More".into(), address.into())),
                at: Timestamp::default(),
            }])
        };
        let fine = note("https://acme.example/?a=1&b=\"2\"");
        assert!(
            fine.contains("<p class=\"pre\">One.</p><p class=\"pre\">Two.</p>"),
            "{fine}"
        );
        assert!(
            fine.contains("href=\"https://acme.example/?a=1&#38;b=&#34;2&#34;\">More</a>"),
            "{fine}"
        );
        assert!(!note("javascript:alert(1)").contains("<a "));
        assert_eq!(
            notes(&[]),
            "<aside id=\"notes\" aria-label=\"Announcements\" hidden></aside>"
        );
    }
}
