//! `/api/v1/deliveries`: what was told to whom, and trying it again.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use watchkeeper_engine::id::ChannelId;

use super::operation::{Operation, shape};
use super::{Page, Query, admit, answer, busy, nothing};
use crate::dates::Iso;
use crate::failure::problem;
use crate::records::{Delivered, DeliveryRecord, Retry, WantedDeliveries};
use crate::web::Web;

const PATH: &str = "/api/v1/deliveries";

/// What can be asked.
pub(super) fn operations() -> Vec<Operation> {
    const GROUP: &str = "deliveries";
    vec![
        Operation::get(PATH, "listDeliveries", list)
            .says(GROUP, "Notices on their way and delivered, newest first.")
            .query::<String>("channel", "Only those to this channel.")
            .query::<HowFar>("state", "Only those in this state.")
            .query::<i64>("before", "Only those with a smaller number.")
            .query::<super::Limit>("limit", "How many at most.")
            .answers(200, "A page of the list.", shape::<Page<Shown<'static>>>),
        Operation::post("/api/v1/deliveries/{number}/retry", "retryDelivery", retry)
            .says(GROUP, "Has a notice that was given up tried again.")
            .answers(200, "It is tried again.", shape::<Again>),
    ]
}

/// How far a notice is.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(dead_code, reason = "it stands in the document alone")]
enum HowFar {
    Pending,
    Delivered,
    Failed,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
struct Shown<'a> {
    id: i64,
    notice: &'a str,
    channel: &'a str,
    monitor: Option<String>,
    title: &'a str,
    state: &'static str,
    attempts: u32,
    created: String,
    next_try: Option<String>,
    finished: Option<String>,
    error: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RetriedDelivery")]
struct Again {
    state: &'static str,
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.read).await {
        return refused;
    }
    let asked = async {
        let query = Query::read(&head.uri, &["channel", "state", "limit", "before"])?;
        let states = "`pending`, `delivered` or `failed`";
        let channel = |text: &str| ChannelId::new(text).ok();
        let wanted = WantedDeliveries {
            channel: query.parsed("channel", "the id of a channel", channel)?,
            state: query.parsed("state", states, Delivered::from_word)?,
            before: query.parsed("before", "a number", |text| text.parse().ok())?,
            limit: query.limit()?,
        };
        let found = web.settings().records.deliveries(wanted).await;
        let found = found.map_err(|_| busy())?;
        let last = found.last().map(|record| record.number);
        let shown = found.iter().map(Shown::from).collect();
        Ok::<_, Response>(answer(&query.page(PATH, shown, last)?))
    };
    asked.await.unwrap_or_else(|refused| refused)
}

async fn retry(State(web): State<Web>, Path(number): Path<String>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if let Err(refused) = admit(&web, &head, |access| access.write).await {
        return refused;
    }
    let Ok(number) = number.parse() else {
        return no_delivery();
    };
    match web.settings().records.retry(number).await {
        Ok(Retry::Yes) => answer(&Again {
            state: Delivered::Pending.as_str(),
        }),
        Ok(Retry::NotFailed) => {
            let what = "It was not given up: it is still tried, or was delivered.";
            problem(StatusCode::CONFLICT, "Not failed", what)
        }
        Ok(Retry::Unknown) => no_delivery(),
        Err(_) => busy(),
    }
}

fn no_delivery() -> Response {
    nothing("There is no such delivery, or not any more.")
}

impl<'a> From<&'a DeliveryRecord> for Shown<'a> {
    fn from(record: &'a DeliveryRecord) -> Self {
        Self {
            id: record.number,
            notice: &record.notice,
            channel: record.channel.as_str(),
            monitor: record.monitor.as_ref().map(ToString::to_string),
            title: &record.title,
            state: record.state.as_str(),
            attempts: record.attempts,
            created: Iso(record.created).to_string(),
            next_try: record.next_try.map(|at| Iso(at).to_string()),
            finished: record.finished.map(|at| Iso(at).to_string()),
            error: record.error.as_deref(),
        }
    }
}
