//! Makes the public page's view of the board.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_config::config::{Page, Picture};
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{MonitorId, ServiceId, TargetId};
use watchkeeper_engine::monitor;
use watchkeeper_engine::passive::Heard;
use watchkeeper_engine::passive::report::Said;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::{HealthSums, Maintained};
use watchkeeper_store::{ChangeQuery, Store, StoreError, SubjectKind};
use watchkeeper_web::{
    Branding, Day, DayState, Language, Look, MonitorView, OtherPage, Overall, ServiceView,
    TargetView, View,
};

use crate::board::{Board, Monitor, Target};
use crate::history::{self, LATENCIES};

mod incidents;
mod planned;

/// How many changes are read to explain the days of the page. On a page with
/// more, the oldest days say only how long and not why.
const MOST_EXPLANATIONS: usize = 10_000;

/// How far back latencies are read to begin the curves with.
const LATENCIES_FROM: Duration = Duration::from_hours(2);

/// Makes views, and makes anew only what changed.
#[derive(Default)]
pub(crate) struct Views {
    monitors: HashMap<MonitorId, (u64, Arc<MonitorView>)>,
    services: HashMap<ServiceId, Arc<ServiceView>>,
    /// That of the page and those of the pages beside it.
    looks: Vec<Arc<Look>>,
}

impl Views {
    /// Forgets what was made: the configuration changed.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The view of `board` at `now`.
    pub(crate) fn make(&mut self, board: &Board, now: Timestamp) -> View {
        let config = board.config();
        let mut services = Vec::with_capacity(config.services.len());
        let mut healths = Vec::with_capacity(config.services.len());
        for service in config.services.iter() {
            let monitors: Vec<Arc<MonitorView>> = service
                .monitors
                .iter()
                .filter_map(|each| Some(self.monitor(board, board.monitor(&each.id)?)))
                .collect();
            let watched = || {
                let known = service
                    .monitors
                    .iter()
                    .filter(|each| !board.is_paused(&each.id));
                known.filter_map(|each| Some((each.weight, board.monitor(&each.id)?)))
            };
            let maintained = watched().next().is_some()
                && watched().all(|(_, known)| known.maintained == Maintained::Yes);
            // What is under maintenance does not make the rest look bad.
            let counted = || {
                let counts = |known: &Monitor| maintained || known.maintained == Maintained::No;
                watched().filter(move |(_, known)| counts(known))
            };
            let weigh = |(weight, known): (_, &Monitor)| (known.state.standing.health, weight);
            let health = monitor::service(counted().map(weigh));
            if watched().next().is_some() && !maintained {
                healths.push(health);
            }
            let hidden = service.monitors.iter().any(|each| each.private);
            let public = counted().filter(|(_, known)| !known.assigned.monitor.private);
            let public = monitor::service(public.map(weigh));
            let view = ServiceView {
                private: service.private,
                public_health: hidden.then_some(public),
                id: service.id.clone(),
                label: Arc::clone(&service.label),
                description: service.description.clone(),
                health,
                maintained,
                monitors,
            };
            services.push(self.service(view));
        }
        if healths.is_empty() && !config.services.is_empty() {
            // Everything is as it was planned to be.
            healths.push(Health::Healthy);
        }
        let page = monitor::page(healths);
        if self.looks.is_empty() {
            let others = config.page.others.iter().map(|other| &other.page);
            let pages = std::iter::once(&config.page).chain(others);
            self.looks = pages
                .map(|page| Arc::new(Look::new(&branding(page))))
                .collect();
        }
        let (open, past) = incidents::incidents(board, now);
        View {
            title: Arc::clone(&config.page.title),
            company: config.page.company.clone(),
            description: config.page.description.clone(),
            website: config.page.website.clone(),
            support: config.page.support.clone(),
            public_url: Some(board.page_url().into()),
            languages: languages(&config.page),
            time_zone: config.page.time_zone.iana_name().map(Arc::from),
            embed_on: Arc::clone(&config.page.embed_on),
            look: self.looks.first().cloned(),
            others: others(&config.page, &self.looks),
            health: Overall::new(page.worst, page.partial),
            services,
            announcements: planned::announcements(board, now),
            incidents: open,
            maintenance: planned::maintenances(board, now),
            past: Some(past),
            checked_at: board.checked_at(),
            now,
        }
    }

    fn monitor(&mut self, board: &Board, monitor: &Monitor) -> Arc<MonitorView> {
        let id = &monitor.assigned.monitor.id;
        if let Some((version, view)) = self.monitors.get(id)
            && *version == monitor.version
        {
            return Arc::clone(view);
        }
        let view = Arc::new(monitor_view(board, monitor));
        self.monitors
            .insert(id.clone(), (monitor.version, Arc::clone(&view)));
        view
    }

    /// `view`, or the one made before if it is the same.
    fn service(&mut self, view: ServiceView) -> Arc<ServiceView> {
        if let Some(before) = self.services.get(&view.id)
            && before.health == view.health
            && before.maintained == view.maintained
            && before.monitors.len() == view.monitors.len()
            && before
                .monitors
                .iter()
                .zip(&view.monitors)
                .all(|(before, now)| Arc::ptr_eq(before, now))
        {
            return Arc::clone(before);
        }
        let view = Arc::new(view);
        self.services.insert(view.id.clone(), Arc::clone(&view));
        view
    }
}

/// The languages that the page is offered in.
fn languages(page: &Page) -> Arc<[Language]> {
    let codes = page.languages.iter();
    codes.filter_map(|code| Language::from_code(code)).collect()
}

/// The pages beside the main one, whose looks come after that of the main one.
fn others(page: &Page, looks: &[Arc<Look>]) -> Arc<[OtherPage]> {
    let looks = looks.iter().skip(1);
    let others = page.others.iter().zip(looks);
    others
        .map(|(other, look)| {
            let page = &other.page;
            OtherPage {
                domain: Arc::clone(&other.domain),
                services: other.services.clone(),
                title: Arc::clone(&page.title),
                company: page.company.clone(),
                description: page.description.clone(),
                website: page.website.clone(),
                support: page.support.clone(),
                languages: languages(page),
                time_zone: page.time_zone.iana_name().map(Arc::from),
                embed_on: Arc::clone(&page.embed_on),
                look: Some(Arc::clone(look)),
            }
        })
        .collect()
}

/// What the configuration says of the look of the page.
fn branding(page: &Page) -> Branding {
    let picture = |picture: &Picture| (picture.media_type, Arc::clone(&picture.bytes));
    let links = page.links.iter();
    Branding {
        logo: page.logo.as_ref().map(picture),
        icon: page.icon.as_ref().map(picture),
        colours: page.colours.clone(),
        custom_css: page.custom_css.clone(),
        links: links
            .map(|link| (Arc::clone(&link.label), Arc::clone(&link.url)))
            .collect(),
    }
}

/// Reads what explains the days and begins the curves of a board that was just
/// restored.
pub(crate) async fn recall(
    board: &mut Board,
    store: &dyn Store,
    from: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let query = ChangeQuery {
        kind: SubjectKind::Monitors,
        since: Some(from),
        limit: MOST_EXPLANATIONS,
        ..ChangeQuery::default()
    };
    for row in store.changes(query).await? {
        let change = row.entry.change;
        if let Some(monitor) = board.monitor_mut(row.entry.subject.monitor())
            && matches!(change.to, Health::Sick | Health::Dead)
            && let Some(reason) = &change.reason
        {
            monitor.history.explain(change.at, change.to, reason);
        }
    }
    let targets: Vec<TargetId> = board
        .config()
        .monitors()
        .filter_map(|monitor| monitor.targets.first().cloned())
        .collect();
    for target in targets {
        let readings = store
            .readings(target.clone(), now - LATENCIES_FROM, now, LATENCIES)
            .await?;
        if let Some(monitor) = board.monitor_mut(target.monitor()) {
            let answered = |verdict: Option<Verdict>| {
                matches!(verdict, Some(Verdict::Healthy | Verdict::Sick))
            };
            let judged = readings
                .iter()
                .rev()
                .filter(|reading| answered(reading.verdict));
            judged
                .filter_map(|reading| reading.latency)
                .for_each(|latency| monitor.history.add_latency(latency));
        }
    }
    Ok(())
}

fn monitor_view(board: &Board, monitor: &Monitor) -> MonitorView {
    let own = &monitor.assigned.monitor;
    let standing = &monitor.state.standing;
    let names = names(monitor.targets.iter().map(TargetId::address));
    let targets = monitor.targets.iter().zip(names).map(|(id, name)| {
        let target = board.target(id);
        let last = target.and_then(|target| target.last.as_ref());
        let standing = target.map(|target| &target.state.standing);
        let health = standing.map(|standing| standing.health).unwrap_or_default();
        // What is unknown is explained by what the last check failed with.
        let fault = target.and_then(|target| target.state.fault.as_ref());
        let reason = match health {
            Health::Unknown => fault.map(|fault| Arc::clone(&fault.reason)),
            _ => None,
        };
        TargetView {
            name: name.into(),
            address: id.public_address().into(),
            health,
            maintained: monitor.maintained == Maintained::Yes,
            latency_ms: last
                .and_then(|reading| reading.latency)
                .filter(|_| health != Health::Dead)
                .map(millis),
            figures: target.and_then(figures),
            heard_at: target.and_then(called_at),
            reason: reason.or_else(|| standing.and_then(|standing| standing.reason.clone())),
        }
    });
    let sums: HealthSums = monitor.history.days().map(|day| day.sums).sum();
    MonitorView {
        private: own.private,
        id: own.id.clone(),
        label: Arc::clone(&own.label),
        health: standing.health,
        maintained: monitor.maintained == Maintained::Yes,
        paused: board.is_paused(&own.id),
        since: standing.since,
        latency_ms: monitor.history.median_latency().map(millis),
        spark: monitor
            .history
            .latencies()
            .map(|latency| Some(latency.as_secs_f32() * 1e3))
            .collect(),
        days: monitor.history.days().map(day).collect(),
        first_day: monitor.history.first_day(),
        uptime: sums.uptime(),
        excluded_minutes: minutes(sums.maintenance_ms),
        targets: targets.collect(),
    }
}

/// The load of a process that has reported it to this host since the start.
fn figures(target: &Target) -> Option<Arc<str>> {
    target.last.as_ref()?;
    match target.heard.as_ref()? {
        Heard::Report(state) if !state.is_silent => match state.report.said {
            Said::Load(load) => Some(load.words().into()),
            Said::Health(_) => None,
        },
        Heard::Report(_) | Heard::Heartbeat(_) => None,
    }
}

/// When a job called last.
fn called_at(target: &Target) -> Option<Timestamp> {
    match target.heard.as_ref()? {
        Heard::Heartbeat(state) => state.called_at,
        Heard::Report(_) => None,
    }
}

fn day(day: &history::Day) -> Day {
    let sums = &day.sums;
    let state = match sums.worst() {
        Some(Health::Dead) => DayState::Dead,
        Some(Health::Sick) => DayState::Sick,
        _ if sums.maintenance_ms > 0 => DayState::Maintenance,
        Some(_) => DayState::Healthy,
        None => DayState::NoData,
    };
    let affected = match state {
        DayState::Maintenance => sums.maintenance_ms,
        _ => sums.sick_ms.saturating_add(sums.dead_ms),
    };
    Day {
        state,
        affected_minutes: minutes(affected),
        why: day.why.as_ref().map(|(_, why)| Arc::clone(why)),
    }
}

/// Begun minutes.
fn minutes(millis: u64) -> u32 {
    u32::try_from(millis.div_ceil(60_000)).unwrap_or(u32::MAX)
}

fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

/// What targets are called in public: the host and port, with the path where
/// hosts alone do not tell them apart. Never user information or a query, which
/// may be secret.
fn names<'a>(addresses: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let short: Vec<&str> = addresses.clone().map(|address| parts(address).0).collect();
    addresses
        .zip(&short)
        .map(|(address, host)| {
            let alone = short.iter().filter(|other| *other == host).count() == 1;
            if alone {
                (*host).to_owned()
            } else {
                format!("{host}{}", parts(address).1)
            }
        })
        .collect()
}

/// An address as those may see it who work with the host: without user information, a
/// query and a fragment, which may be secret.
pub(crate) fn shown_address(address: &str) -> String {
    let (host, path) = parts(address);
    match address.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{host}{path}"),
        None => format!("{host}{path}"),
    }
}

/// Host with port, and path, of an address.
fn parts(address: &str) -> (&str, &str) {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    (
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host),
        path,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_by_what_tells_them_apart_and_never_by_secrets() {
        let check = |addresses: &[&str], expected: &[&str]| {
            assert_eq!(names(addresses.iter().copied()), expected);
        };
        check(
            &[
                "https://a.example.com/health",
                "https://b.example.com/health",
            ],
            &["a.example.com", "b.example.com"],
        );
        check(
            &[
                "https://a.example.com/x",
                "https://a.example.com/y?token=s3cret",
            ],
            &["a.example.com/x", "a.example.com/y"],
        );
        check(
            &["https://user:s3cret@a.example.com/#x"],
            &["a.example.com"],
        );
        check(
            &["tcp://[::1]:80", "whatever", "icmp://host"],
            &["[::1]:80", "whatever", "host"],
        );
    }

    #[test]
    fn those_who_work_with_the_host_see_no_secrets_either() {
        for (address, shown) in [
            (
                "https://user:s3cret@a.example.com/x?token=s3cret#y",
                "https://a.example.com/x",
            ),
            ("tcp://[::1]:80", "tcp://[::1]:80"),
            ("worker-1", "worker-1"),
        ] {
            assert_eq!(shown_address(address), shown);
        }
    }

    #[test]
    fn every_language_of_the_configuration_is_one_of_the_page() {
        let loaded = watchkeeper_config::load_texts(Vec::new(), &|_| None);
        let page = loaded.unwrap().config.page;
        assert_eq!(*languages(&page), Language::ALL);
    }

    #[test]
    fn a_day_shows_its_worst_and_for_how_long() {
        let mut past = history::Day::default();
        assert_eq!(day(&past).state, DayState::NoData);
        past.sums.healthy_ms = 80_000_000;
        assert_eq!(day(&past).state, DayState::Healthy);
        past.sums.maintenance_ms = 120_000;
        assert_eq!(
            (day(&past).state, day(&past).affected_minutes),
            (DayState::Maintenance, 2)
        );
        past.sums.sick_ms = 61_000;
        past.sums.dead_ms = 1_000;
        assert_eq!(
            (day(&past).state, day(&past).affected_minutes),
            (DayState::Dead, 2)
        );
    }
}
