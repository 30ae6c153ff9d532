//! The templates of pages that tell of incidents.

use askama::Template;

use super::{Made as _, minutes, paragraphs};
use crate::assets::Assets;
use crate::dates::{self, Form, Moment, Month};
use crate::frame::Frame;
use crate::markdown;
use crate::records::{IncidentRecord, Taken};
use crate::view::{IncidentView, Part, UpdateView};
use crate::words::{self, Shown};

/// What the form sends along.
pub(crate) struct Ask<'a> {
    pub(crate) until: &'a str,
    pub(crate) to: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) longest_name: usize,
}

/// The page of an incident.
pub(crate) fn incident(frame: &Frame, incident: &IncidentView) -> String {
    let headline = &*incident.title;
    Story {
        assets: Assets::get(),
        title: &frame.title,
        headline,
        description: incident.updates.first().map(said),
        brand: &frame.brand,
        rest: &frame.rest,
        days: None,
        frame,
        incident,
        shown: shown_of(incident),
    }
    .made()
}

/// What happened in a month.
pub(crate) fn history(
    frame: &Frame,
    month: Month,
    this_month: Month,
    incidents: &[&IncidentView],
) -> String {
    let mut days: Vec<Day<'_>> = Vec::new();
    for incident in incidents {
        let day = dates::day_of(incident.started);
        match days.last_mut().filter(|last| last.number == day) {
            Some(last) => last.incidents.push(incident),
            None => days.push(Day {
                number: day,
                label: Moment::new(dates::day_start(day), Form::WholeDay).to_string(),
                incidents: vec![incident],
            }),
        }
    }
    History {
        assets: Assets::get(),
        title: &frame.title,
        headline: &words::t().incident_history,
        description: None,
        brand: &frame.brand,
        rest: &frame.rest,
        days: None,
        frame,
        month,
        earlier: month.previous(),
        later: Some(month.next()).filter(|later| *later <= this_month),
        rows: days,
    }
    .made()
}

/// The page on which somebody takes an incident.
pub(crate) fn taking(frame: &Frame, record: &IncidentRecord, ask: &Ask<'_>) -> String {
    Taking {
        assets: Assets::get(),
        title: &frame.title,
        headline: "Acknowledge",
        description: None,
        brand: &frame.brand,
        rest: &frame.rest,
        days: None,
        frame,
        incident: &record.view,
        shown: shown_of(&record.view),
        taken: record.taken.as_ref(),
        ask,
    }
    .made()
}

/// A page with a word and a sentence.
pub(crate) fn word(frame: &Frame, headline: &str, what: &str) -> String {
    Word {
        assets: Assets::get(),
        title: &frame.title,
        headline,
        description: None,
        brand: &frame.brand,
        rest: &frame.rest,
        days: None,
        what,
    }
    .made()
}

/// An incident that is over is shown as what is well.
pub(super) fn shown_of(incident: &IncidentView) -> Shown {
    if incident.resolved.is_some() {
        Shown::Operational
    } else {
        incident.impact.into()
    }
}

#[derive(Template)]
#[template(path = "incident.html")]
struct Story<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    frame: &'a Frame,
    incident: &'a IncidentView,
    shown: Shown,
}

#[derive(Template)]
#[template(path = "history.html")]
struct History<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    frame: &'a Frame,
    month: Month,
    earlier: Month,
    later: Option<Month>,
    rows: Vec<Day<'a>>,
}

struct Day<'a> {
    number: i64,
    /// As markup.
    label: String,
    incidents: Vec<&'a IncidentView>,
}

#[derive(Template)]
#[template(path = "taking.html")]
struct Taking<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    frame: &'a Frame,
    incident: &'a IncidentView,
    shown: Shown,
    taken: Option<&'a Taken>,
    ask: &'a Ask<'a>,
}

#[derive(Template)]
#[template(path = "word.html")]
struct Word<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    what: &'a str,
}

/// What was said, for where only words can stand.
fn said(update: &UpdateView) -> String {
    if update.is_markdown {
        markdown::plain(&update.text)
    } else {
        update.text.to_string()
    }
}

/// Where a part stands on the first page.
fn address(part: &Part) -> String {
    format!("/#{}", super::anchor(part))
}

/// The last that was said.
pub(super) fn latest(incident: &IncidentView) -> Option<&UpdateView> {
    incident.updates.first()
}
