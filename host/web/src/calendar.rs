//! `/calendar.ics`: what is planned, for people's own calendars (RFC 5545).

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use sha2::{Digest as _, Sha256};
use watchkeeper_engine::time::Timestamp;

use crate::markdown;
use crate::plans::CalendarEvent;
use crate::view::View;
use crate::web::Web;

/// How many octets a line has at most, its end not counted (RFC 5545, 3.1).
const LINE: usize = 75;

/// Calendars ask again and again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/calendar.ics", get(calendar))
}

async fn calendar(State(web): State<Web>, request: Request) -> Response {
    let title = web.frame().map(|frame| frame.title);
    let mut events = web.settings().plans.calendar();
    if let Some(view) = web.view() {
        keep_shown(&mut events, &view);
    }
    let text = write(title.as_deref().unwrap_or("Status"), &events);
    let digest = Sha256::digest(text.as_bytes());
    let digest = digest
        .iter()
        .take(8)
        .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let tag = format!("\"{digest:016x}\"");
    let known = request.headers().get(IF_NONE_MATCH);
    let is_known = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(text.into())
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, CACHE);
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Leaves what covers something of this page, and of what it covers only that: other
/// pages of the same host have calendars of their own.
fn keep_shown(events: &mut Vec<CalendarEvent>, view: &View) {
    // Services go by their labels, monitors by their ids.
    let is_shown = |name: &String| {
        view.services.iter().any(|service| {
            let mut monitors = service.monitors.iter();
            *name == *service.label || monitors.any(|it| *name == it.id.to_string())
        })
    };
    events.retain_mut(|event| {
        let covered_nothing = event.covers.is_empty();
        event.covers.retain(is_shown);
        covered_nothing || !event.covers.is_empty()
    });
}

/// The calendar called `title`.
fn write(title: &str, events: &[CalendarEvent]) -> String {
    let mut calendar = Lines::default();
    calendar.add("BEGIN", "VCALENDAR");
    calendar.add("VERSION", "2.0");
    calendar.add("PRODID", "-//Watchkeeper//Maintenance//EN");
    calendar.add("METHOD", "PUBLISH");
    calendar.add("X-WR-CALNAME", &escaped(title));
    for event in events {
        calendar.add("BEGIN", "VEVENT");
        calendar.add("UID", &escaped(&event.uid));
        calendar.add("SEQUENCE", &event.sequence.to_string());
        calendar.add("DTSTAMP", &stamp(event.updated));
        calendar.add("LAST-MODIFIED", &stamp(event.updated));
        calendar.add("DTSTART", &stamp(event.window.from));
        calendar.add("DTEND", &stamp(event.window.to));
        calendar.add("SUMMARY", &escaped(&event.title));
        let mut said = markdown::plain(&event.text);
        if !event.covers.is_empty() {
            if !said.is_empty() {
                said.push_str("\n\n");
            }
            said.push_str("Affects ");
            said.push_str(&event.covers.join(", "));
        }
        if !said.is_empty() {
            calendar.add("DESCRIPTION", &escaped(&said));
        }
        let status = if event.is_cancelled {
            "CANCELLED"
        } else {
            "CONFIRMED"
        };
        calendar.add("STATUS", status);
        // It is no appointment of whoever subscribes.
        calendar.add("TRANSP", "TRANSPARENT");
        calendar.add("END", "VEVENT");
    }
    calendar.add("END", "VCALENDAR");
    calendar.text
}

/// Lines of a calendar, each folded where it is too long.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Adds `name:value`; the value is escaped where it is text.
    fn add(&mut self, name: &str, value: &str) {
        let mut length = 0;
        for character in name.chars().chain(":".chars()).chain(value.chars()) {
            if length + character.len_utf8() > LINE {
                self.text.push_str("\r\n ");
                length = 1;
            }
            self.text.push(character);
            length += character.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

/// Text as a value (RFC 5545, 3.3.11). Control characters have no place there.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            ';' => escaped.push_str("\\;"),
            ',' => escaped.push_str("\\,"),
            '\n' => escaped.push_str("\\n"),
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// A point in time in UTC: `20261201T020000Z`.
fn stamp(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    let at = at.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;
    use watchkeeper_engine::health::Health;
    use watchkeeper_engine::id::ServiceId;
    use watchkeeper_engine::maintenance::Window;

    use super::*;
    use crate::view::ServiceView;

    fn event() -> CalendarEvent {
        let starts = Timestamp::from_millis(1_796_090_400_000);
        CalendarEvent {
            uid: "move@watchkeeper".to_owned(),
            sequence: 2,
            updated: starts - Duration::from_hours(1),
            window: Window::new(starts, Duration::from_hours(1)),
            is_cancelled: false,
            title: "Move, at last; \\o/".into(),
            text: "Reads go *on*.\n\nWrites pause.".into(),
            covers: vec!["API".to_owned(), "Website: Front page".to_owned()],
        }
    }

    /// Takes the folds out again.
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "")
            .split_terminator("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn an_event_says_what_and_when() {
        let text = write("Acme Status", &[event()]);
        assert_eq!(
            unfolded(&text),
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//Watchkeeper//Maintenance//EN",
                "METHOD:PUBLISH",
                "X-WR-CALNAME:Acme Status",
                "BEGIN:VEVENT",
                "UID:move@watchkeeper",
                "SEQUENCE:2",
                "DTSTAMP:20261201T010000Z",
                "LAST-MODIFIED:20261201T010000Z",
                "DTSTART:20261201T020000Z",
                "DTEND:20261201T030000Z",
                "SUMMARY:Move\\, at last\\; \\\\o/",
                "DESCRIPTION:Reads go on.\\nWrites pause.\\n\\nAffects API\\, Website: Front page",
                "STATUS:CONFIRMED",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
                "END:VCALENDAR",
            ]
        );
    }

    #[test]
    fn a_page_tells_of_its_own_services_alone() {
        let service = |id: &str, label: &str| {
            Arc::new(ServiceView {
                private: false,
                public_health: None,
                id: ServiceId::new(id).unwrap(),
                label: label.into(),
                description: None,
                health: Health::Healthy,
                maintained: false,
                monitors: Vec::new(),
            })
        };
        let covering = |covers: &[&str]| CalendarEvent {
            covers: covers.iter().map(|&name| name.to_owned()).collect(),
            ..event()
        };
        let view = View {
            services: vec![service("api", "The API")],
            ..View::default()
        };
        let mut events = vec![
            covering(&["The API", "Shop"]),
            covering(&["Shop", "shop/front"]),
            covering(&["api/rest", "shop/front"]),
            covering(&[]),
        ];
        keep_shown(&mut events, &view);
        let covers: Vec<_> = events.iter().map(|it| it.covers.join(" ")).collect();
        // A monitor that the page does not show may be private.
        assert_eq!(covers, ["The API", ""]);
    }

    #[test]
    fn what_is_called_off_says_so() {
        let text = write(
            "S",
            &[CalendarEvent {
                is_cancelled: true,
                ..event()
            }],
        );
        assert!(text.contains("\r\nSTATUS:CANCELLED\r\n"));
    }

    proptest! {
        /// Whatever is said, no line is too long, no character is cut, and nobody
        /// adds a line.
        #[test]
        fn lines_are_folded_and_nothing_breaks_out(title in any::<String>(), text in any::<String>()) {
            let event = CalendarEvent {
                title: title.as_str().into(),
                text: text.as_str().into(),
                ..event()
            };
            let made = write(&title, &[event]);
            prop_assert!(made.split_terminator("\r\n").all(|line| line.len() <= LINE));
            prop_assert!(!made.replace("\r\n", "").contains(['\r', '\n']));
            let lines = unfolded(&made);
            prop_assert_eq!(lines.iter().filter(|line| line.starts_with("BEGIN:")).count(), 2);
            prop_assert_eq!(lines.len(), 18);
        }
    }
}
