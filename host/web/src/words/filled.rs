//! Texts of the language that is spoken with what belongs into them, for templates.

use std::sync::Arc;

use watchkeeper_engine::time::Timestamp;

use super::summary;
use crate::dates::{Form, Moment, Month};
use crate::locale::{self, Texts, fill};
use crate::look::Look;
use crate::view::View;

/// The texts of the language that is spoken, for templates.
pub(crate) fn t() -> &'static Texts {
    locale::texts()
}

/// How the page that is written looks.
pub(crate) fn look() -> Arc<Look> {
    locale::look()
}

/// Whether visitors can choose another language of the page that is written.
pub(crate) fn is_choosable() -> bool {
    locale::is_choosable()
}

/// The code of the language that is spoken.
pub(crate) fn language() -> &'static str {
    locale::language().code()
}

/// A text with a time in it, as markup.
pub(crate) fn timed(text: &str, at: Timestamp, form: Form) -> String {
    fill(text, &[("time", &Moment::new(at, form).to_string())])
}

/// Which program made the page.
pub(crate) fn powered() -> String {
    fill(&t().powered_by, &[("product", "Watchkeeper")])
}

/// The heading of the incidents of a month.
pub(crate) fn incidents_in(month: Month) -> String {
    fill(&t().incidents_in, &[("month", &month.name())])
}

/// When the bars begin, as markup: how many days they show depends on the width.
pub(crate) fn days_ago() -> String {
    let days = "<span class=\"x90\">90</span><span class=\"x45\">45</span>";
    fill(&t().days_ago, &[("days", days)])
}

/// When the last check was.
pub(crate) fn checked_at(time: &str) -> String {
    fill(&t().checked_at, &[("time", time)])
}

/// The words of the link to a service.
pub(crate) fn more_about(name: &str) -> String {
    fill(&t().more_about, &[("name", name)])
}

/// What the page is about, for search engines.
pub(crate) fn description(name: &str, view: &View) -> String {
    let summary = summary(view);
    fill(&t().description, &[("name", name), ("summary", &summary)])
}

/// What the script of the page says, as JSON.
pub(crate) fn script() -> String {
    let texts = t();
    serde_json::json!({
        "operational": texts.operational,
        "noData": texts.no_data,
        "noDowntime": texts.no_downtime,
        "help": texts.bar_help,
        "ago": texts.checked_ago,
        "local": texts.local_zone,
        "seconds": texts.seconds,
        "minutes": texts.minutes,
    })
    .to_string()
}
