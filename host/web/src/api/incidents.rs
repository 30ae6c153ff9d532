//! `/api/v1/incidents`: what happened, and taking it.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::id::ServiceId;

use super::operation::{Operation, shape};
use super::{Page, Query, admit, answer, busy, etag, nothing, wrong};
use crate::dates::Iso;
use crate::failure::problem;
use crate::inbox::{self, Broken};
use crate::records::{EntryRecord, IncidentRecord, NotTaken, Taken, WantedIncidents};
use crate::web::Web;
use crate::words;

pub(crate) mod checked;
pub(crate) mod telling;

/// The largest body, in bytes.
const MOST: usize = 16 * 1024;

/// The longest note or name, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;

const PATH: &str = "/api/v1/incidents";

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "incidents";
    vec![
        Operation::get(PATH, "listIncidents", list)
            .says(GROUP, "What happened, newest first.")
            .query::<Which>(
                "state",
                "Only those that go on, or only those that are over.",
            )
            .query::<String>("service", "Only those that hit this service.")
            .query::<u32>("before", "Only those with a smaller number.")
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Shown<'static>>>),
        Operation::get("/api/v1/incidents/{number}", "getIncident", one)
            .says(GROUP, "One of them, with its timeline.")
            .answers(200, "The incident.", shape::<Shown<'static>>),
        Operation::post(
            "/api/v1/incidents/{number}/ack",
            "acknowledgeIncident",
            acknowledge,
        )
        .says(GROUP, "Takes it: nobody is reminded of it any more.")
        .may_send(shape::<Wanted>)
        .answers(
            200,
            "Who has taken it: whoever was first.",
            shape::<ShownTaken<'static>>,
        ),
    ]
}

/// Whether an incident goes on.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(dead_code, reason = "it stands in the document alone")]
enum Which {
    Open,
    Resolved,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Incident")]
struct Shown<'a> {
    id: u32,
    title: &'a str,
    origin: &'a str,
    severity: &'static str,
    state: &'static str,
    services: Vec<&'a str>,
    started: String,
    resolved: Option<String>,
    reopened: u32,
    acknowledged: Option<ShownTaken<'a>>,
    /// The incident as which it goes on.
    merged_into: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// What there was to learn, in Markdown.
    postmortem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<ShownEntry<'a>>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Acknowledgement")]
struct ShownTaken<'a> {
    by: &'a str,
    at: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IncidentEntry")]
struct ShownEntry<'a> {
    at: String,
    kind: &'a str,
    state: &'static str,
    public: bool,
    monitor: Option<String>,
    author: Option<&'a str>,
    text: &'a str,
}

/// What is sent.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AcknowledgeIncident")]
struct Wanted {
    #[serde(default)]
    by: String,
    #[serde(default)]
    note: String,
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = async {
        let query = Query::read(&head.uri, &["state", "service", "limit", "before"])?;
        let open = query.parsed("state", "`open` or `resolved`", |word| match word {
            "open" => Some(true),
            "resolved" => Some(false),
            _ => None,
        })?;
        let service = |text: &str| ServiceId::new(text).ok();
        let wanted = WantedIncidents {
            open,
            service: query.parsed("service", "the id of a service", service)?,
            before: query.parsed("before", "a number", |text| text.parse().ok())?,
            private_too: true,
            limit: query.limit()?,
            started: None,
        };
        let found = web.settings().records.incidents(wanted).await;
        let found = found.map_err(|_| busy())?;
        let last = found.last().map(|record| i64::from(record.number));
        // The timelines are at the address of each.
        let shown = found.iter().map(|record| Shown::new(record, false));
        Ok::<_, Response>(answer(&query.page(PATH, shown.collect(), last)?))
    };
    asked.await.unwrap_or_else(|refused| refused)
}

async fn one(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let Ok(number) = number.parse() else {
        return no_incident();
    };
    match web.settings().records.incident(number).await {
        Ok(Some(record)) => etag::mark(answer(&Shown::new(&record, true)), record.revision()),
        Ok(None) => no_incident(),
        Err(_) => busy(),
    }
}

async fn acknowledge(
    State(web): State<Web>,
    Path(number): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let access = match admit(&web, &head, |access| access.write).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    let Ok(number) = number.parse() else {
        return no_incident();
    };
    let body = match inbox::whole(body, MOST).await {
        Ok(body) => body,
        Err(Broken::TooLarge) => {
            let what = format!("A body has at most {MOST} bytes.");
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &what);
        }
        Err(Broken::Cut) => {
            return problem(StatusCode::BAD_REQUEST, "Incomplete", "The body broke off.");
        }
    };
    let wanted: Wanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(_) if body.is_empty() => Wanted::default(),
        Err(why) => return wrong(&why.to_string()),
    };
    let (Some(by), Some(note)) = (line(&wanted.by), line(&wanted.note)) else {
        return wrong(&format!(
            "`by` and `note` must each be one line of at most {LONGEST_TEXT} characters without control characters"
        ));
    };
    let by = if by.is_empty() {
        access.name
    } else {
        // Whoever has the token can say anything: the log shows whose it was.
        format!("{by} ({})", access.name).into()
    };
    let records = &web.settings().records;
    match records.acknowledge(number, by, note.into()).await {
        Ok(taken) => answer(&ShownTaken::from(&taken)),
        Err(NotTaken::Unknown) => no_incident(),
        Err(NotTaken::Over) => {
            let what = "The incident is over: there is nothing to take.";
            problem(StatusCode::CONFLICT, "Over", what)
        }
        Err(NotTaken::Busy) => busy(),
    }
}

/// One line of what people write, without the space around it.
pub(crate) fn line(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control);
    fits.then_some(text)
}

fn no_incident() -> Response {
    nothing("There is no such incident.")
}

impl<'a> Shown<'a> {
    fn new(record: &'a IncidentRecord, whole: bool) -> Self {
        let view = &record.view;
        Self {
            id: record.number,
            title: &view.title,
            origin: record.origin,
            severity: words::impact_word(view.impact),
            state: words::stage_word(record.stage),
            services: record.services.iter().map(ServiceId::as_str).collect(),
            started: Iso(view.started).to_string(),
            resolved: view.resolved.map(|at| Iso(at).to_string()),
            reopened: record.reopened,
            acknowledged: record.taken.as_ref().map(ShownTaken::from),
            merged_into: record.merged_into,
            postmortem: view.postmortem.as_deref().filter(|_| whole),
            entries: whole.then(|| record.entries.iter().map(ShownEntry::from).collect()),
        }
    }
}

impl<'a> From<&'a Taken> for ShownTaken<'a> {
    fn from(taken: &'a Taken) -> Self {
        Self {
            by: &taken.by,
            at: Iso(taken.at).to_string(),
        }
    }
}

impl<'a> From<&'a EntryRecord> for ShownEntry<'a> {
    fn from(entry: &'a EntryRecord) -> Self {
        Self {
            at: Iso(entry.at).to_string(),
            kind: entry.kind,
            state: words::stage_word(entry.stage),
            public: entry.public,
            monitor: entry.monitor.as_ref().map(ToString::to_string),
            author: entry.author.as_deref(),
            text: &entry.text,
        }
    }
}
