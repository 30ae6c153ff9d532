//! `/api/v1/deliveries`: what was told to whom, and trying it again.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Serialize;
use watchkeeper_engine::id::ChannelId;

use super::{Query, admit, answer, busy, nothing};
use crate::dates::Iso;
use crate::failure::problem;
use crate::records::{Delivered, DeliveryRecord, Retry, WantedDeliveries};
use crate::web::Web;

const PATH: &str = "/api/v1/deliveries";

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route(PATH, get(list))
        .route("/api/v1/deliveries/{number}/retry", post(retry))
}

#[derive(Serialize)]
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

#[derive(Serialize)]
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
