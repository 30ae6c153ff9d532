//! Taking an incident by the link in a notice.
//!
//! Programs that look at every link that people are sent must not take anything:
//! to open the link changes nothing, and what takes the incident is a form on the
//! page. The link itself is the permission, so that nobody can be made to send
//! that form who does not have it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::{frame_or_bare, html};
use crate::api::incidents::line;
use crate::doors::Entry;
use crate::failure::problem;
use crate::inbox;
use crate::negotiate::reads_html;
use crate::records::{BadLink, IncidentRecord, Link, NotTaken};
use crate::reporter::slow_down;
use crate::template::stories::{self, Ask};
use crate::web::Web;

/// The largest form, in bytes.
const MOST: usize = 8 * 1024;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/incidents/{number}/acknowledge", get(ask).post(take))
}

/// What a link or a form says.
struct Said {
    pairs: Vec<(String, String)>,
}

async fn ask(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let said = Said::read(head.uri.query().unwrap_or_default().as_bytes());
    match admit(&web, &head, &number, &said).await {
        Ok(record) => show(&web, &record, &said),
        Err(refused) => refused,
    }
}

async fn take(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = inbox::whole(body, MOST).await else {
        return tell(
            &web,
            &head.headers,
            StatusCode::BAD_REQUEST,
            "Not understood",
            "The form did not come in whole. Go back and send it again.",
        );
    };
    let said = Said::read(&body);
    let record = match admit(&web, &head, &number, &said).await {
        Ok(record) => record,
        Err(refused) => return refused,
    };
    let name = line(said.get("by")).filter(|name| name.chars().count() <= LONGEST_NAME);
    let Some(name) = name else {
        let what = format!("A name is one line of at most {LONGEST_NAME} characters.");
        return tell(
            &web,
            &head.headers,
            StatusCode::BAD_REQUEST,
            "Not a name",
            &what,
        );
    };
    let channel = said.get("to");
    let by: Arc<str> = if name.is_empty() {
        format!("somebody by a link to {channel}").into()
    } else {
        format!("{name} (by a link to {channel})").into()
    };
    let records = &web.settings().records;
    match records.acknowledge(record.number, by, "".into()).await {
        // Loading the page anew must not send the form again.
        Ok(_) | Err(NotTaken::Over) => {
            let query = said.link_query();
            let to = format!("acknowledge?{query}");
            let mut response = Response::default();
            *response.status_mut() = StatusCode::SEE_OTHER;
            if let Ok(to) = HeaderValue::from_str(&to) {
                response.headers_mut().insert(LOCATION, to);
            }
            response
        }
        Err(NotTaken::Unknown) => no_incident(&web, &head.headers),
        Err(NotTaken::Busy) => busy(&web, &head.headers),
    }
}

/// Finds the incident of a link that is good.
async fn admit(
    web: &Web,
    head: &Parts,
    number: &str,
    said: &Said,
) -> Result<IncidentRecord, Response> {
    let headers = &head.headers;
    let (Ok(incident), Ok(until)) = (number.parse(), said.get("until").parse()) else {
        return Err(bad_link(web, headers));
    };
    let link = Link {
        incident,
        until,
        channel: said.get("to"),
        signature: said.get("signature"),
    };
    let records = &web.settings().records;
    let judged = records.is_good(&link);
    let signed = judged != Err(BadLink::Forged);
    match (web.doors().judge(head, link.signature, signed), judged) {
        (Entry::Open, Ok(())) => {}
        (Entry::Open, Err(BadLink::Expired)) => {
            let what = "It worked for some days only. Somebody with access to the API can still acknowledge: `watchkeeper incident ack`.";
            return Err(tell(
                web,
                headers,
                StatusCode::GONE,
                "This link has expired",
                what,
            ));
        }
        (Entry::Shut, _) => return Err(slow_down()),
        (Entry::Open | Entry::Wrong, _) => return Err(bad_link(web, headers)),
    }
    match records.incident(incident).await {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(no_incident(web, headers)),
        Err(_) => Err(busy(web, headers)),
    }
}

fn show(web: &Web, record: &IncidentRecord, said: &Said) -> Response {
    let ask = Ask {
        until: said.get("until"),
        to: said.get("to"),
        signature: said.get("signature"),
        longest_name: LONGEST_NAME,
    };
    let page = stories::taking(&frame_or_bare(web), record, &ask);
    html(StatusCode::OK, page, NOT_KEPT)
}

fn bad_link(web: &Web, headers: &HeaderMap) -> Response {
    let what = "Open it as it stands in the notice: programs that shorten or break links make them useless.";
    tell(
        web,
        headers,
        StatusCode::FORBIDDEN,
        "This link is not whole",
        what,
    )
}

fn no_incident(web: &Web, headers: &HeaderMap) -> Response {
    let what = "It is not kept any more.";
    tell(
        web,
        headers,
        StatusCode::NOT_FOUND,
        "No such incident",
        what,
    )
}

fn busy(web: &Web, headers: &HeaderMap) -> Response {
    let what = "It could not be noted now. Try again.";
    tell(web, headers, StatusCode::SERVICE_UNAVAILABLE, "Busy", what)
}

/// Says something to people on a page, and to programs as they read it.
fn tell(web: &Web, headers: &HeaderMap, status: StatusCode, title: &str, what: &str) -> Response {
    if reads_html(headers) {
        html(
            status,
            stories::word(&frame_or_bare(web), title, what),
            NOT_KEPT,
        )
    } else {
        problem(status, title, what)
    }
}

impl Said {
    fn read(form: &[u8]) -> Self {
        Self {
            pairs: form_urlencoded::parse(form).into_owned().collect(),
        }
    }

    fn get(&self, key: &str) -> &str {
        let pair = self.pairs.iter().find(|(known, _)| known == key);
        pair.map_or("", |(_, value)| value)
    }

    fn link_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for key in ["until", "to", "signature"] {
            query.append_pair(key, self.get(key));
        }
        query.finish()
    }
}
