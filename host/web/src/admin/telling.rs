//! `/admin/channels`, `/admin/routes` and `/admin/deliveries`: how people are told.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use watchkeeper_engine::id::ChannelId;

use super::visit::Visit;
use super::{Shell, done, not_done, page};
use crate::console::{ChannelFacts, RouteFacts};
use crate::dates::{Form as DateForm, Moment};
use crate::records::{Delivered, DeliveryRecord, Retry, WantedDeliveries};
use crate::staff::Right;
use crate::web::Web;

const CHANNELS: &str = "/admin/channels";
const ROUTES: &str = "/admin/routes";
const DELIVERIES: &str = "/admin/deliveries";

/// How many deliveries a page shows.
const PAGE: usize = 100;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(CHANNELS, get(channels))
        .route("/admin/channels/{channel}/test", post(test))
        .route(ROUTES, get(ways))
        .route(DELIVERIES, get(deliveries))
        .route("/admin/deliveries/{number}/retry", post(retry))
}

#[derive(Template)]
#[template(path = "admin/channels.html")]
struct ChannelList {
    shell: Shell,
    channels: Vec<ChannelFacts>,
    may_write: bool,
}

#[derive(Template)]
#[template(path = "admin/routes.html")]
struct Ways {
    shell: Shell,
    routes: Vec<RouteFacts>,
}

#[derive(Template)]
#[template(path = "admin/deliveries.html")]
struct DeliveryList {
    shell: Shell,
    deliveries: Vec<DeliveryRecord>,
    /// Each filter: its words, its address, whether it is on.
    tabs: Vec<(&'static str, String, bool)>,
    older: Option<String>,
    may_write: bool,
    problem: Option<&'static str>,
}

async fn channels(State(web): State<Web>, visit: Visit) -> Response {
    page(&ChannelList {
        shell: Shell::of(&web, &visit, "Channels", CHANNELS),
        channels: web.settings().console.channels(),
        may_write: visit.may(Right::Write),
    })
}

async fn test(State(web): State<Web>, Path(channel): Path<String>, visit: Visit) -> Response {
    let Ok(channel) = ChannelId::new(&channel) else {
        return not_done(&web, &visit, CHANNELS, "There is no such channel.");
    };
    match web.settings().console.test(channel.clone()).await {
        Ok(Some(tested)) if tested.is_delivered => {
            let said = format!("{channel} has taken the trial notice.");
            done(
                &web,
                &visit,
                CHANNELS,
                said,
                "channel.test",
                channel.to_string(),
            )
        }
        Ok(Some(tested)) => {
            let why = format!("{channel} has not taken the trial notice: {}", tested.words);
            not_done(&web, &visit, CHANNELS, why)
        }
        Ok(None) => not_done(&web, &visit, CHANNELS, "There is no such channel."),
        Err(_) => not_done(
            &web,
            &visit,
            CHANNELS,
            "It could not be tried now. Try again.",
        ),
    }
}

async fn ways(State(web): State<Web>, visit: Visit) -> Response {
    page(&Ways {
        shell: Shell::of(&web, &visit, "Routes", ROUTES),
        routes: web.settings().console.routes(),
    })
}

async fn deliveries(State(web): State<Web>, visit: Visit, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let get = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == wanted);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let state = Delivered::from_word(&get("state"));
    let wanted = WantedDeliveries {
        channel: ChannelId::new(&get("channel")).ok(),
        state,
        before: get("before").parse().ok(),
        limit: PAGE,
    };
    let channel = wanted.channel.clone();
    let found = web.settings().records.deliveries(wanted).await;
    let problem = found
        .is_err()
        .then_some("The deliveries could not be read. Try again.");
    let deliveries = found.unwrap_or_default();
    let address = |state: Option<Delivered>, before: Option<i64>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(channel) = &channel {
            query.append_pair("channel", channel.as_str());
        }
        if let Some(state) = state {
            query.append_pair("state", state.as_str());
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("{DELIVERIES}?{}", query.finish())
    };
    let tabs = [
        ("All", None),
        ("Pending", Some(Delivered::Pending)),
        ("Delivered", Some(Delivered::Delivered)),
        ("Failed", Some(Delivered::Failed)),
    ];
    let tabs = tabs.map(|(label, each)| (label, address(each, None), each == state));
    let last = deliveries.last().filter(|_| deliveries.len() >= PAGE);
    page(&DeliveryList {
        shell: Shell::of(&web, &visit, "Deliveries", DELIVERIES),
        tabs: tabs.into(),
        older: last.map(|last| address(state, Some(last.number))),
        deliveries,
        may_write: visit.may(Right::Write),
        problem,
    })
}

async fn retry(State(web): State<Web>, Path(number): Path<String>, visit: Visit) -> Response {
    let Ok(number) = number.parse() else {
        return not_done(&web, &visit, DELIVERIES, "There is no such delivery.");
    };
    match web.settings().records.retry(number).await {
        Ok(Retry::Yes) => {
            let said = "It is tried again.";
            done(
                &web,
                &visit,
                DELIVERIES,
                said,
                "delivery.retry",
                number.to_string(),
            )
        }
        Ok(Retry::NotFailed) => not_done(&web, &visit, DELIVERIES, "It was not given up."),
        Ok(Retry::Unknown) => not_done(&web, &visit, DELIVERIES, "There is no such delivery."),
        Err(_) => not_done(
            &web,
            &visit,
            DELIVERIES,
            "It could not be done now. Try again.",
        ),
    }
}

/// The class that sets a delivery's colours, and its symbol.
const fn look(state: Delivered) -> (&'static str, &'static str) {
    match state {
        Delivered::Pending => ("s-mnt", "bell"),
        Delivered::Delivered => ("s-ok", "ok"),
        Delivered::Failed => ("s-out", "out"),
    }
}
