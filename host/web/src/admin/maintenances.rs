//! `/admin/maintenance`: what is planned, and planning it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use watchkeeper_engine::id::MaintenanceId;
use watchkeeper_engine::maintenance::Phase;

use super::visit::{Form, Visit};
use super::{Shell, done, not_done, page, page_again};
use crate::dates::{Form as DateForm, Moment};
use crate::plans::{MaintenanceDraft, MaintenanceRecord, NotPlanned, PlanWish, Source};
use crate::staff::Right;
use crate::view::ServiceView;
use crate::web::Web;

const HERE: &str = "/admin/maintenance";

/// How many that are over the page shows; the API has more.
const MOST_PAST: usize = 20;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(HERE, get(list).post(make))
        .route("/admin/maintenance/{id}/end", post(end))
        .route("/admin/maintenance/{id}/cancel", post(cancel))
        .route("/admin/maintenance/{id}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "admin/maintenances.html")]
struct Planned {
    shell: Shell,
    ahead: Vec<MaintenanceRecord>,
    past: Vec<MaintenanceRecord>,
    services: Vec<Arc<ServiceView>>,
    /// What was typed.
    typed: MaintenanceDraft,
    may_write: bool,
    problems: Vec<String>,
}

async fn list(State(web): State<Web>, visit: Visit) -> Response {
    page(&show(&web, &visit))
}

fn show(web: &Web, visit: &Visit) -> Planned {
    let all = web.settings().plans.maintenances();
    let (mut ahead, mut past): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|it| it.phase.is_ahead());
    // Soonest first.
    ahead.reverse();
    past.truncate(MOST_PAST);
    Planned {
        shell: Shell::of(web, visit, "Maintenance", HERE),
        ahead,
        past,
        services: web.services(),
        typed: MaintenanceDraft::default(),
        may_write: visit.may(Right::Write),
        problems: Vec::new(),
    }
}

async fn make(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let said = |name: &str| Some(form.get(name).to_owned()).filter(|text| !text.is_empty());
    let draft = MaintenanceDraft {
        id: None,
        title: said("title"),
        description: said("description"),
        services: form.all("service").map(ToOwned::to_owned).collect(),
        monitors: Vec::new(),
        starts: said("starts"),
        ends: None,
        lasts: said("lasts"),
        cron: said("cron"),
        time_zone: said("time_zone"),
        until: None,
    };
    let plans = &web.settings().plans;
    let wish = PlanWish::Make(draft.clone());
    match plans.wish(wish, None, Arc::clone(&visit.person.name)).await {
        Ok(record) => {
            let text = format!("{} is planned.", record.title);
            let subject = record.id.to_string();
            done(&web, &visit, HERE, text, "maintenance.plan", subject)
        }
        Err(why) => {
            let mut shown = show(&web, &visit);
            shown.typed = draft;
            shown.problems = words(why);
            page_again(&shown)
        }
    }
}

async fn end(State(web): State<Web>, Path(id): Path<String>, visit: Visit) -> Response {
    let said = "It is over: people are told again.";
    does(&web, &visit, &id, PlanWish::End, said, "maintenance.end").await
}

async fn cancel(State(web): State<Web>, Path(id): Path<String>, visit: Visit) -> Response {
    let said = "It is called off.";
    does(
        &web,
        &visit,
        &id,
        PlanWish::Cancel,
        said,
        "maintenance.cancel",
    )
    .await
}

async fn remove(State(web): State<Web>, Path(id): Path<String>, visit: Visit) -> Response {
    let said = "It is removed.";
    does(
        &web,
        &visit,
        &id,
        PlanWish::Remove,
        said,
        "maintenance.remove",
    )
    .await
}

async fn does(
    web: &Web,
    visit: &Visit,
    id: &str,
    wish: fn(MaintenanceId) -> PlanWish,
    said: &str,
    what: &'static str,
) -> Response {
    let Ok(id) = MaintenanceId::new(id) else {
        return not_done(web, visit, HERE, "There is no such maintenance.");
    };
    let plans = &web.settings().plans;
    let subject = id.to_string();
    match plans
        .wish(wish(id), None, Arc::clone(&visit.person.name))
        .await
    {
        Ok(_) => done(web, visit, HERE, said, what, subject),
        Err(why) => not_done(web, visit, HERE, words(why).join(" ")),
    }
}

fn words(why: NotPlanned) -> Vec<String> {
    let one = match why {
        NotPlanned::Wrong(mistakes) => {
            return mistakes.into_iter().map(|(_, what)| what).collect();
        }
        NotPlanned::Unknown => "There is no such maintenance.",
        NotPlanned::OfFile => "It stands in a configuration file and can only be changed there.",
        NotPlanned::Stale => "Somebody changed it meanwhile. Look again.",
        NotPlanned::Taken => "Another maintenance has this id.",
        NotPlanned::Unfit(why) => why,
        NotPlanned::Full => "There are as many maintenances ahead as can be kept.",
        NotPlanned::Busy => "It could not be done now. Try again.",
    };
    vec![one.to_owned()]
}

/// The word for how far it is, and the class that sets its colours.
const fn phase(record: &MaintenanceRecord) -> (&'static str, &'static str) {
    match record.phase {
        Phase::Scheduled => ("scheduled", "s-none"),
        Phase::InProgress => ("in progress", "s-mnt"),
        Phase::Completed => ("completed", "s-ok"),
        Phase::Cancelled => ("cancelled", "s-none"),
    }
}

fn is_of_file(record: &MaintenanceRecord) -> bool {
    record.source == Source::File
}

fn is_typed(typed: &MaintenanceDraft, service: &ServiceView) -> bool {
    typed.services.iter().any(|it| it == service.id.as_str())
}
