//! `/admin/monitors`: every monitor, found, sorted, paused and checked.

use std::cmp::Ordering;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use watchkeeper_engine::id::MonitorId;

use super::row::{self, Row, State as Health};
use super::visit::{Form, Visit, way_on};
use super::{Shell, done, not_done, page};
use crate::console::{NotChecked, Pause};
use crate::dates::Latency;
use crate::staff::Right;
use crate::web::Web;

const HERE: &str = "/admin/monitors";

/// How many monitors a page shows.
const PAGE: usize = 100;

/// The longest text that is searched for, in characters.
const LONGEST_SEARCH: usize = 100;

/// The most monitors that one form names.
const MOST_NAMED: usize = 1_000;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(HERE, get(list))
        .route("/admin/monitors/all", post(together))
        .route("/admin/monitors/{service}/{monitor}/pause", post(pause))
        .route("/admin/monitors/{service}/{monitor}/resume", post(resume))
        .route("/admin/monitors/{service}/{monitor}/check", post(check))
}

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    q: String,
    service: String,
    health: Option<Health>,
    sort: Sort,
    /// Whether the order is turned round.
    is_turned: bool,
    /// From zero.
    page: usize,
}

/// What the order goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    State,
    Name,
    Plugin,
    Latency,
    Next,
    Uptime,
}

impl Sort {
    const ALL: [Self; 6] = [
        Self::State,
        Self::Name,
        Self::Plugin,
        Self::Latency,
        Self::Next,
        Self::Uptime,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Name => "name",
            Self::Plugin => "plugin",
            Self::Latency => "latency",
            Self::Next => "next",
            Self::Uptime => "uptime",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::State => "State",
            Self::Name => "Monitor",
            Self::Plugin => "Plugin",
            Self::Latency => "Latency",
            Self::Next => "Next check",
            Self::Uptime => "90 d",
        }
    }

    fn compare(self, a: &Row, b: &Row) -> Ordering {
        // What is not known comes last.
        let known = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        match self {
            Self::State => a.state.cmp(&b.state),
            Self::Name => a.label.cmp(&b.label),
            Self::Plugin => a.means.cmp(&b.means),
            Self::Latency => known(b.latency.map(u64::from), a.latency.map(u64::from)),
            Self::Next => known(a.next.map(|next| next.0), b.next.map(|next| next.0)),
            Self::Uptime => {
                let share = |row: &Row| Some(u64::from(row.uptime?.hundredths_of_percent()));
                known(share(a), share(b))
            }
        }
    }
}

impl Wanted {
    fn read(query: &str) -> Self {
        let mut wanted = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "q" => wanted.q = value.trim().chars().take(LONGEST_SEARCH).collect(),
                "service" => wanted.service = value.into_owned(),
                "health" => {
                    wanted.health = Health::ALL.into_iter().find(|it| it.as_str() == value);
                }
                "sort" => {
                    let (turned, word) = match value.strip_prefix('-') {
                        Some(word) => (true, word),
                        None => (false, &*value),
                    };
                    if let Some(sort) = Sort::ALL.into_iter().find(|it| it.as_str() == word) {
                        (wanted.sort, wanted.is_turned) = (sort, turned);
                    }
                }
                "page" => {
                    let page = value.parse::<usize>();
                    wanted.page = page.map_or(0, |page| page.saturating_sub(1));
                }
                _ => {}
            }
        }
        wanted
    }

    /// The address of a page that differs in what `change` does.
    fn address(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut wanted = self.clone();
        wanted.page = 0;
        change(&mut wanted);
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !wanted.q.is_empty() {
            query.append_pair("q", &wanted.q);
        }
        if !wanted.service.is_empty() {
            query.append_pair("service", &wanted.service);
        }
        if let Some(health) = wanted.health {
            query.append_pair("health", health.as_str());
        }
        if wanted.sort != Sort::default() || wanted.is_turned {
            let turned = if wanted.is_turned { "-" } else { "" };
            query.append_pair("sort", &format!("{turned}{}", wanted.sort.as_str()));
        }
        if wanted.page > 0 {
            query.append_pair("page", &(wanted.page + 1).to_string());
        }
        match query.finish() {
            query if query.is_empty() => HERE.to_owned(),
            query => format!("{HERE}?{query}"),
        }
    }

    fn takes(&self, row: &Row) -> bool {
        (self.service.is_empty() || row.id.service().as_str() == self.service)
            && (self.q.is_empty() || row.has(&self.q.to_lowercase()))
    }
}

/// A column's head.
struct Head {
    label: &'static str,
    address: String,
    /// How it is sorted, if by this column.
    sorted: Option<&'static str>,
    is_number: bool,
}

#[derive(Template)]
#[template(path = "admin/monitors.html")]
struct Monitors {
    shell: Shell,
    rows: Vec<Row>,
    heads: Vec<Head>,
    /// Each filter: its words, how many it lets through, its address, whether it is on.
    tabs: Vec<(&'static str, usize, String, bool)>,
    wanted: Wanted,
    may_write: bool,
    /// The address of this very page.
    back: String,
    found: usize,
    earlier: Option<String>,
    later: Option<String>,
}

async fn list(State(web): State<Web>, visit: Visit, request: Request) -> Response {
    let wanted = Wanted::read(request.uri().query().unwrap_or_default());
    let mut rows = row::all(&web);
    rows.retain(|row| wanted.takes(row));
    let mut tabs = vec![(
        "All",
        rows.len(),
        wanted.address(|wanted| wanted.health = None),
        wanted.health.is_none(),
    )];
    tabs.extend(Health::ALL.into_iter().filter_map(|health| {
        let count = rows.iter().filter(|row| row.state == health).count();
        let is_on = wanted.health == Some(health);
        let address = wanted.address(|wanted| wanted.health = Some(health));
        (count > 0 || is_on).then(|| (health.word(), count, address, is_on))
    }));
    if let Some(health) = wanted.health {
        rows.retain(|row| row.state == health);
    }
    // Those that are the same stay in the order of the configuration.
    rows.sort_by(|a, b| wanted.sort.compare(a, b));
    if wanted.is_turned {
        rows.reverse();
    }
    let found = rows.len();
    let last = found.saturating_sub(1) / PAGE;
    let here = wanted.page.min(last);
    let rows: Vec<Row> = rows.into_iter().skip(here * PAGE).take(PAGE).collect();
    let heads = Sort::ALL.map(|sort| {
        let is_this = wanted.sort == sort;
        Head {
            label: sort.label(),
            address: wanted.address(|wanted| {
                wanted.is_turned = is_this && !wanted.is_turned;
                wanted.sort = sort;
            }),
            sorted: match (is_this, wanted.is_turned) {
                (false, _) => None,
                (true, false) => Some("ascending"),
                (true, true) => Some("descending"),
            },
            is_number: matches!(sort, Sort::Latency | Sort::Uptime),
        }
    });
    page(&Monitors {
        shell: Shell::of(&web, &visit, "Monitors", HERE),
        rows,
        heads: heads.into(),
        tabs,
        may_write: visit.may(Right::Write),
        back: wanted.address(|wanted| wanted.page = here),
        earlier: (here > 0).then(|| wanted.address(|wanted| wanted.page = here - 1)),
        later: (here < last).then(|| wanted.address(|wanted| wanted.page = here + 1)),
        found,
        wanted,
    })
}

/// What a form wants done to the monitors whose boxes are ticked.
async fn together(State(web): State<Web>, visit: Visit, form: Form) -> Response {
    let back = way_on(form.get("back")).to_owned();
    let back = if back == "/admin" {
        HERE.to_owned()
    } else {
        back
    };
    let named = form.all("monitor").take(MOST_NAMED);
    let monitors: Vec<_> = named.filter_map(|id| MonitorId::parse(id).ok()).collect();
    if monitors.is_empty() {
        return not_done(&web, &visit, &back, "Tick the monitors first.");
    }
    match form.get("do") {
        "pause" => pause_all(&web, &visit, monitors, Pause::Stop, &back).await,
        "resume" => pause_all(&web, &visit, monitors, Pause::GoOn, &back).await,
        "check" => check_all(&web, &visit, monitors, &back).await,
        _ => not_done(&web, &visit, &back, "Choose what to do with them."),
    }
}

async fn pause(
    State(web): State<Web>,
    Path((service, monitor)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    one(&web, &visit, &service, &monitor, Some(Pause::Stop)).await
}

async fn resume(
    State(web): State<Web>,
    Path((service, monitor)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    one(&web, &visit, &service, &monitor, Some(Pause::GoOn)).await
}

async fn check(
    State(web): State<Web>,
    Path((service, monitor)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    one(&web, &visit, &service, &monitor, None).await
}

async fn one(
    web: &Web,
    visit: &Visit,
    service: &str,
    monitor: &str,
    pause: Option<Pause>,
) -> Response {
    let Ok(id) = MonitorId::parse(&format!("{service}/{monitor}")) else {
        return not_done(web, visit, HERE, "There is no such monitor.");
    };
    let back = format!("{HERE}/{id}");
    match pause {
        Some(pause) => pause_all(web, visit, vec![id], pause, &back).await,
        None => check_all(web, visit, vec![id], &back).await,
    }
}

async fn pause_all(
    web: &Web,
    visit: &Visit,
    monitors: Vec<MonitorId>,
    pause: Pause,
    back: &str,
) -> Response {
    let names: Vec<_> = monitors.iter().map(ToString::to_string).collect();
    let by = std::sync::Arc::clone(&visit.person.name);
    let console = &web.settings().console;
    let (what, verb) = match pause {
        Pause::Stop => ("monitor.pause", "paused"),
        Pause::GoOn => ("monitor.resume", "checked again"),
    };
    match console.pause(monitors, pause, by).await {
        Ok(0) => not_done(web, visit, back, "Nothing had to be changed."),
        Ok(count) => {
            let said = format!("{} {verb}.", counted(count, "monitor"));
            done(web, visit, back, said, what, names.join(", "))
        }
        Err(_) => not_done(web, visit, back, "It could not be done now. Try again."),
    }
}

async fn check_all(web: &Web, visit: &Visit, monitors: Vec<MonitorId>, back: &str) -> Response {
    let console = &web.settings().console;
    let names: Vec<_> = monitors.iter().map(ToString::to_string).collect();
    let mut count = 0;
    let mut why = None;
    for monitor in monitors {
        match console.check(monitor).await {
            Ok(()) => count += 1,
            Err(NotChecked::Busy) => {
                why = Some("Too many checks wait. Try again.");
                break;
            }
            Err(NotChecked::Unknown) => why = Some("There is no such monitor any more."),
            Err(NotChecked::Paused) => why = Some("It is paused: it is not checked."),
            Err(NotChecked::Unable) => {
                why = Some("It does not ask, or has no plugin: it cannot be checked.");
            }
        }
    }
    match (count, why) {
        (0, why) => not_done(
            web,
            visit,
            back,
            why.unwrap_or("There is nothing to check."),
        ),
        (count, _) => {
            let said = format!("{} checked now.", counted(count, "monitor"));
            done(web, visit, back, said, "monitor.check", names.join(", "))
        }
    }
}

/// `1 monitor` or `3 monitors`.
fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_addresses_are_the_same() {
        for query in [
            "",
            "?q=a+b&health=dead",
            "?service=api&sort=-latency&page=3",
            "?sort=name",
        ] {
            let wanted = Wanted::read(query.trim_start_matches('?'));
            assert_eq!(
                wanted.address(|changed| changed.page = wanted.page),
                format!("{HERE}{query}")
            );
        }
        let odd = Wanted::read("health=x&sort=y&page=0&other=1&q=%00");
        assert_eq!((odd.health, odd.sort, odd.page), (None, Sort::State, 0));
    }
}
