//! The template of the page that lists changes.

use askama::Template;
use watchkeeper_engine::time::Timestamp;

use super::Made as _;
use crate::assets::Assets;
use crate::changes::Origin;
use crate::dates::{Form, Moment};
use crate::frame::Frame;
use crate::words::{self, Shown};

/// A change.
pub(crate) struct Row<'a> {
    pub(crate) service: String,
    pub(crate) monitor: String,
    pub(crate) at: Timestamp,
    pub(crate) from: Shown,
    pub(crate) to: Shown,
    pub(crate) reason: Option<&'a str>,
    pub(crate) origin: Origin,
    pub(crate) maintained: bool,
}

/// The page; `earlier` is the address of the next one.
pub(crate) fn page(frame: &Frame, rows: &[Row<'_>], earlier: Option<&str>) -> String {
    Changes {
        assets: Assets::get(),
        title: &frame.title,
        headline: "Changes",
        description: None,
        brand: &frame.brand,
        rest: &frame.rest,
        days: None,
        frame,
        rows,
        earlier,
    }
    .made()
}

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes<'a> {
    assets: &'a Assets,
    title: &'a str,
    headline: &'a str,
    description: Option<String>,
    brand: &'a str,
    rest: &'a str,
    days: Option<String>,
    frame: &'a Frame,
    rows: &'a [Row<'a>],
    earlier: Option<&'a str>,
}
