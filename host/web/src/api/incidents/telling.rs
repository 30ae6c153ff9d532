//! What people do to incidents: open them, say what is going on, change them, and
//! put two together.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use watchkeeper_engine::time::Timestamp;

use super::checked::{self, Emptiness};
use super::{PATH, Shown, no_incident};
use crate::api::operation::{Operation, shape};
use crate::api::{admit, answer, busy, etag, wrong};
use crate::failure::problem;
use crate::inbox::{self, Broken};
use crate::records::{Deed, NotTold};
use crate::view::{Impact, Stage};
use crate::web::Web;

/// The largest body, in bytes.
const MOST: usize = 256 * 1024;

/// What can be asked, beside looking incidents up.
pub(in crate::api) fn operations() -> Vec<Operation> {
    const GROUP: &str = "incidents";
    const ONE: &str = "/api/v1/incidents/{number}";
    let incident = |operation: Operation, status, says| {
        operation.answers_tagged(status, says, shape::<Shown<'static>>)
    };
    vec![
        incident(
            Operation::post(PATH, "openIncident", open)
                .says(GROUP, "Opens one by hand.")
                .body(shape::<WantedIncident>),
            201,
            "The incident.",
        ),
        incident(
            Operation::patch(ONE, "changeIncident", change)
                .says(
                    GROUP,
                    "Changes its title, what it affects or how grave it is.",
                )
                .body(shape::<WantedChange>),
            200,
            "The incident.",
        ),
        incident(
            Operation::post(
                "/api/v1/incidents/{number}/updates",
                "updateIncident",
                update,
            )
            .says(
                GROUP,
                "Says what is going on, to everyone or among operators.",
            )
            .body(shape::<WantedUpdate>),
            200,
            "The incident.",
        ),
        incident(
            Operation::put(
                "/api/v1/incidents/{number}/postmortem",
                "writePostmortem",
                postmortem,
            )
            .says(GROUP, "Says what there was to learn.")
            .body(shape::<WantedText>),
            200,
            "The incident.",
        ),
        incident(
            Operation::post("/api/v1/incidents/{number}/merge", "mergeIncident", merge)
                .says(GROUP, "Has it go on as another one.")
                .body(shape::<WantedMerge>),
            200,
            "The incident that goes on.",
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenIncident")]
struct WantedIncident {
    title: String,
    services: Vec<String>,
    severity: Option<String>,
    state: Option<String>,
    #[serde(default)]
    text: String,
    started: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangeIncident")]
struct WantedChange {
    title: Option<String>,
    services: Option<Vec<String>>,
    severity: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdateIncident")]
struct WantedUpdate {
    text: String,
    state: Option<String>,
    #[serde(default = "yes")]
    public: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Postmortem")]
struct WantedText {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MergeIncident")]
struct WantedMerge {
    into: u32,
}

const fn yes() -> bool {
    true
}

/// `POST /api/v1/incidents`.
async fn open(State(web): State<Web>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = async {
        let by = who(&web, &head).await?;
        let wanted: WantedIncident = read(body).await?;
        let started = wanted
            .started
            .map(|text| {
                let at = text.parse::<jiff::Timestamp>();
                at.map(|at| Timestamp::from_millis(at.as_millisecond()))
                    .map_err(|_| wrong("`started` must be a time such as `2026-12-01T02:00:00Z`"))
            })
            .transpose()?;
        let deed = Deed::Open {
            title: checked::title(&wanted.title).map_err(bad)?,
            services: checked::services(&wanted.services).map_err(bad)?,
            impact: checked::impact(wanted.severity.as_deref())
                .map_err(bad)?
                .unwrap_or(Impact::Minor),
            stage: checked::stage(wanted.state.as_deref())
                .map_err(bad)?
                .unwrap_or(Stage::Investigating),
            text: checked::text(&wanted.text, Emptiness::Fine).map_err(bad)?,
            started,
        };
        let mut response = done(&web, deed, None, by).await?;
        *response.status_mut() = StatusCode::CREATED;
        Ok::<_, Response>(response)
    };
    asked.await.unwrap_or_else(|refused| refused)
}

/// `PATCH /api/v1/incidents/{number}`.
async fn change(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = async {
        let by = who(&web, &head).await?;
        let number = numbered(&number)?;
        let wanted: WantedChange = read(body).await?;
        let deed = Deed::Change {
            number,
            title: wanted
                .title
                .as_deref()
                .map(checked::title)
                .transpose()
                .map_err(bad)?,
            services: wanted
                .services
                .as_deref()
                .map(checked::services)
                .transpose()
                .map_err(bad)?,
            impact: checked::impact(wanted.severity.as_deref()).map_err(bad)?,
        };
        done(&web, deed, etag::seen(&head.headers)?, by).await
    };
    asked.await.unwrap_or_else(|refused| refused)
}

async fn update(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = async {
        let by = who(&web, &head).await?;
        let number = numbered(&number)?;
        let wanted: WantedUpdate = read(body).await?;
        let deed = Deed::Update {
            number,
            text: checked::text(&wanted.text, Emptiness::Wrong).map_err(bad)?,
            public: wanted.public,
            stage: checked::stage(wanted.state.as_deref()).map_err(bad)?,
        };
        done(&web, deed, etag::seen(&head.headers)?, by).await
    };
    asked.await.unwrap_or_else(|refused| refused)
}

async fn postmortem(
    State(web): State<Web>,
    Path(number): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let asked = async {
        let by = who(&web, &head).await?;
        let number = numbered(&number)?;
        let wanted: WantedText = read(body).await?;
        let deed = Deed::Postmortem {
            number,
            text: checked::text(&wanted.text, Emptiness::Wrong).map_err(bad)?,
        };
        done(&web, deed, etag::seen(&head.headers)?, by).await
    };
    asked.await.unwrap_or_else(|refused| refused)
}

async fn merge(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = async {
        let by = who(&web, &head).await?;
        let number = numbered(&number)?;
        let wanted: WantedMerge = read(body).await?;
        let deed = Deed::Merge {
            number,
            into: wanted.into,
        };
        done(&web, deed, etag::seen(&head.headers)?, by).await
    };
    asked.await.unwrap_or_else(|refused| refused)
}

/// Who asks, if they may change incidents.
async fn who(web: &Web, head: &Parts) -> Result<Arc<str>, Response> {
    Ok(admit(web, head, |access| access.write).await?.name)
}

fn numbered(number: &str) -> Result<u32, Response> {
    number.parse().map_err(|_| no_incident())
}

async fn read<T: DeserializeOwned>(body: axum::body::Body) -> Result<T, Response> {
    let body = inbox::whole(body, MOST)
        .await
        .map_err(|broken| match broken {
            Broken::TooLarge => {
                let what = format!("A body has at most {MOST} bytes.");
                problem(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &what)
            }
            Broken::Cut => problem(StatusCode::BAD_REQUEST, "Incomplete", "The body broke off."),
        })?;
    serde_json::from_slice(&body).map_err(|why| wrong(&why.to_string()))
}

async fn done(
    web: &Web,
    deed: Deed,
    revision: Option<u32>,
    by: Arc<str>,
) -> Result<Response, Response> {
    let told = web.settings().records.tell(deed, revision, by).await;
    let record = told.map_err(refuse)?;
    let shown = answer(&Shown::new(&record, true));
    let mut response = etag::mark(shown, record.revision());
    if let Ok(place) = HeaderValue::from_str(&format!("{PATH}/{}", record.number)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

fn refuse(refused: NotTold) -> Response {
    match refused {
        NotTold::Unknown => no_incident(),
        NotTold::Stale => etag::stale(),
        NotTold::NoService(service) => wrong(&format!(
            "`services` names `{service}`, which is no service"
        )),
        NotTold::Unfit(why) => problem(StatusCode::CONFLICT, "Not now", why),
        NotTold::Busy => busy(),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what a mistake is mapped with"
)]
fn bad(why: String) -> Response {
    wrong(&why)
}
