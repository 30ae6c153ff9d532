//! `/admin/incidents`: what happened, and taking it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};

use super::visit::{Form, Visit};
use super::{Shell, done, not_done, page, refuse};
use crate::api::incidents::{checked, line};
use crate::dates::{Form as DateForm, Moment};
use crate::records::{Deed, IncidentRecord, NotTaken, NotTold, WantedIncidents};
use crate::staff::Right;
use crate::view::{Impact, ServiceView};
use crate::web::Web;
use crate::words;

const HERE: &str = "/admin/incidents";

/// How many incidents a page shows.
const PAGE: usize = 50;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(HERE, get(list).post(open))
        .route("/admin/incidents/{number}", get(one))
        .route("/admin/incidents/{number}/ack", post(acknowledge))
        .route("/admin/incidents/{number}/update", post(update))
        .route("/admin/incidents/{number}/postmortem", post(postmortem))
        .route("/admin/incidents/{number}/merge", post(merge))
}

#[derive(Template)]
#[template(path = "admin/incidents.html")]
struct IncidentList {
    shell: Shell,
    incidents: Vec<IncidentRecord>,
    is_open_only: bool,
    older: Option<String>,
    may_write: bool,
    services: Vec<Arc<ServiceView>>,
    problem: Option<&'static str>,
}

async fn list(State(web): State<Web>, visit: Visit, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let get = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == wanted);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let is_open_only = get("state") == "open";
    let wanted = WantedIncidents {
        open: is_open_only.then_some(true),
        before: get("before").parse().ok(),
        private_too: true,
        limit: PAGE,
        ..WantedIncidents::default()
    };
    let found = web.settings().records.incidents(wanted).await;
    let problem = found
        .is_err()
        .then_some("The incidents could not be read. Try again.");
    let incidents = found.unwrap_or_default();
    let last = incidents.last().filter(|_| incidents.len() >= PAGE);
    let state = if is_open_only { "state=open&" } else { "" };
    page(&IncidentList {
        shell: Shell::of(&web, &visit, "Incidents", HERE),
        older: last.map(|last| format!("{state}before={}", last.number)),
        incidents,
        is_open_only,
        may_write: visit.may(Right::Write),
        services: web.services(),
        problem,
    })
}

#[derive(Template)]
#[template(path = "admin/incident.html")]
struct Story {
    shell: Shell,
    record: IncidentRecord,
    may_write: bool,
}

async fn one(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    let refuse = |status, title, what| refuse(&web, &headers, status, title, what);
    let found = match number.parse() {
        Ok(number) => web.settings().records.incident(number).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(record)) => page(&Story {
            shell: Shell::of(&web, &visit, record.view.title.to_string(), HERE),
            record,
            may_write: visit.may(Right::Write),
        }),
        Ok(None) => {
            let what = "It is not kept any more, or never was.";
            refuse(StatusCode::NOT_FOUND, "No such incident", what)
        }
        Err(_) => {
            let what = "It could not be read now. Try again.";
            refuse(StatusCode::SERVICE_UNAVAILABLE, "Busy", what)
        }
    }
}

async fn acknowledge(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Response {
    let Ok(number) = number.parse() else {
        return not_done(&web, &visit, HERE, "There is no such incident.");
    };
    let Some(note) = line(form.get("note")) else {
        let why = "A note is one line of at most 500 characters.";
        return not_done(&web, &visit, HERE, why);
    };
    let by = std::sync::Arc::clone(&visit.person.name);
    let records = &web.settings().records;
    match records.acknowledge(number, by, note.into()).await {
        Ok(taken) => {
            let said = format!("Incident {number} is acknowledged by {}.", taken.by);
            let subject = number.to_string();
            done(&web, &visit, HERE, said, "incident.acknowledge", subject)
        }
        Err(NotTaken::Unknown) => not_done(&web, &visit, HERE, "There is no such incident."),
        Err(NotTaken::Over) => not_done(&web, &visit, HERE, "It is over already."),
        Err(NotTaken::Busy) => {
            not_done(&web, &visit, HERE, "It could not be noted now. Try again.")
        }
    }
}

async fn open(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let services = form.all("service").map(ToOwned::to_owned);
    let services: Vec<String> = services.collect();
    let deed = checked::opening(&checked::Typed {
        title: form.get("title"),
        services: &services,
        severity: form.get("severity"),
        state: form.get("state"),
        text: &lines(form.get("text")),
    });
    match deed {
        Ok(deed) => does(&web, &visit, deed, HERE, "It is open.", "incident.open").await,
        Err(why) => not_done(&web, &visit, HERE, why),
    }
}

async fn update(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Response {
    let (Ok(number), here) = (number.parse::<u32>(), place(&number)) else {
        return not_done(&web, &visit, HERE, "There is no such incident.");
    };
    let public = form.get("internal").is_empty();
    let text = lines(form.get("text"));
    match checked::updating(number, &text, form.get("state"), public) {
        Ok(deed) => does(&web, &visit, deed, &here, "It is said.", "incident.update").await,
        Err(why) => not_done(&web, &visit, &here, why),
    }
}

async fn postmortem(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Response {
    let (Ok(number), here) = (number.parse::<u32>(), place(&number)) else {
        return not_done(&web, &visit, HERE, "There is no such incident.");
    };
    match checked::learning(number, &lines(form.get("text"))) {
        Ok(deed) => {
            let said = "What there was to learn is said.";
            does(&web, &visit, deed, &here, said, "incident.postmortem").await
        }
        Err(why) => not_done(&web, &visit, &here, why),
    }
}

async fn merge(
    State(web): State<Web>,
    Path(number): Path<String>,
    visit: Visit,
    form: Form,
) -> Response {
    let here = place(&number);
    let (Ok(number), Ok(into)) = (number.parse(), form.get("into").parse()) else {
        let why = "Say the number of the incident that it is part of.";
        return not_done(&web, &visit, &here, why);
    };
    let deed = Deed::Merge { number, into };
    does(
        &web,
        &visit,
        deed,
        &here,
        "It goes on there.",
        "incident.merge",
    )
    .await
}

/// Has something done, and leads to `here`.
async fn does(
    web: &Web,
    visit: &Visit,
    deed: Deed,
    here: &str,
    said: &str,
    what: &'static str,
) -> Response {
    let by = Arc::clone(&visit.person.name);
    match web.settings().records.tell(deed, None, by).await {
        Ok(record) => {
            let subject = record.number.to_string();
            let to = place(&subject);
            done(web, visit, &to, said, what, subject)
        }
        Err(NotTold::Unknown) => not_done(web, visit, HERE, "There is no such incident."),
        Err(NotTold::Stale) => not_done(web, visit, here, "Somebody changed it meanwhile."),
        Err(NotTold::NoService(id)) => {
            not_done(web, visit, here, format!("There is no service {id}."))
        }
        Err(NotTold::Unfit(why)) => not_done(web, visit, here, why),
        Err(NotTold::Busy) => not_done(web, visit, here, "It could not be done now. Try again."),
    }
}

/// Where the incident with this number is shown.
fn place(number: &str) -> String {
    match number.parse::<u32>() {
        Ok(number) => format!("{HERE}/{number}"),
        Err(_) => HERE.to_owned(),
    }
}

/// A browser sends its line ends as two characters.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The class that sets an incident's colours.
fn class(record: &IncidentRecord) -> &'static str {
    match record.view.impact {
        _ if record.view.resolved.is_some() => "s-ok",
        Impact::Minor => "s-deg",
        Impact::Major | Impact::Critical => "s-out",
    }
}
