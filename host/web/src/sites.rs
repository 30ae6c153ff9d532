//! Several pages from one host, told apart by the name that a browser asks for. Each
//! shows some of the services under a title and a look of its own, and knows nothing
//! of the others.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::HOST;
use tower::Service as _;
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::monitor;

use crate::edition::lock;
use crate::routes;
use crate::view::{Affected, IncidentView, OtherPage, Overall, Part, View};
use crate::web::{Web, WebSettings};

use self::scoped::Scoped;

mod scoped;

/// The pages beside the main one.
#[derive(Default)]
pub(crate) struct Sites {
    list: ArcSwap<Vec<Arc<Site>>>,
    /// Held by who changes the list.
    changing: Mutex<()>,
}

/// A page with a name of its own.
struct Site {
    domain: Arc<str>,
    services: Option<Arc<[ServiceId]>>,
    web: Web,
    router: Router,
}

impl Sites {
    /// Shows on each page what it has of `view`. Pages come and go with it.
    pub(crate) fn publish(&self, settings: &WebSettings, view: &View) {
        let _turn = lock(&self.changing);
        let before = self.list.load();
        if view.others.is_empty() && before.is_empty() {
            return;
        }
        let sites: Vec<_> = view
            .others
            .iter()
            .map(|other| {
                let same =
                    |it: &&Arc<Site>| it.domain == other.domain && it.services == other.services;
                let known = before.iter().find(same).cloned();
                known.unwrap_or_else(|| Arc::new(Site::new(settings, other)))
            })
            .collect();
        for (site, other) in sites.iter().zip(view.others.iter()) {
            site.web.publish(narrow(view, other));
        }
        self.list.store(Arc::new(sites));
    }

    /// The page of this name.
    fn at(&self, headers: &HeaderMap) -> Option<Router> {
        let list = self.list.load();
        if list.is_empty() {
            return None;
        }
        let host = headers.get(HOST)?.to_str().ok()?;
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            // An address of IPv6 has colons of its own.
            if port.bytes().all(|byte| byte.is_ascii_digit()) {
                name
            } else {
                host
            }
        });
        let name = name.trim_end_matches('.');
        let site = list
            .iter()
            .find(|it| it.domain.eq_ignore_ascii_case(name))?;
        Some(site.router.clone())
    }
}

/// Answers with the page that the browser asked for by name; the main one has every
/// name that is no other's.
pub(crate) async fn dispatch(State(web): State<Web>, request: Request, next: Next) -> Response {
    match web.sites().at(request.headers()) {
        Some(mut router) => router.call(request).await.into_response(),
        None => next.run(request).await,
    }
}

impl Site {
    fn new(settings: &WebSettings, other: &OtherPage) -> Self {
        let mut settings = settings.clone();
        if let Some(services) = &other.services {
            settings.records = Arc::new(Scoped {
                records: settings.records,
                services: Arc::clone(services),
            });
        }
        let web = Web::new(settings);
        Self {
            domain: Arc::clone(&other.domain),
            services: other.services.clone(),
            router: routes::public(&web),
            web,
        }
    }
}

/// What a page has of the view of all.
fn narrow(view: &View, other: &OtherPage) -> View {
    let has = |id: &ServiceId| has(other.services.as_deref(), id);
    let services: Vec<_> = view
        .services
        .iter()
        .filter(|it| has(&it.id))
        .cloned()
        .collect();
    let healths = services.iter().map(|service| service.health);
    let health = monitor::page(healths);
    let affects = |parts: &[Affected]| -> Vec<Affected> {
        let parts = parts.iter();
        parts
            .filter(|it| has(service_of(&it.part)))
            .cloned()
            .collect()
    };
    let incidents = |all: &[IncidentView]| -> Vec<IncidentView> {
        let of_it = all.iter().filter_map(|incident| {
            let kept = affects(&incident.affects);
            (!kept.is_empty()).then(|| IncidentView {
                affects: kept,
                ..incident.clone()
            })
        });
        of_it.collect()
    };
    let maintenance = view.maintenance.iter().filter_map(|planned| {
        let kept = affects(&planned.affects);
        // What names nothing concerns all.
        (planned.affects.is_empty() || !kept.is_empty()).then(|| {
            let mut planned = planned.clone();
            planned.affects = kept;
            planned
        })
    });
    let scheme = view
        .base()
        .split_once("://")
        .map_or("https", |(scheme, _)| scheme);
    View {
        title: Arc::clone(&other.title),
        company: other.company.clone(),
        description: other.description.clone(),
        website: other.website.clone(),
        support: other.support.clone(),
        public_url: Some(format!("{scheme}://{}", other.domain).into()),
        languages: Arc::clone(&other.languages),
        time_zone: other.time_zone.clone(),
        embed_on: Arc::clone(&other.embed_on),
        look: other.look.clone(),
        health: Overall::new(health.worst, health.partial),
        services,
        incidents: incidents(&view.incidents),
        maintenance: maintenance.collect(),
        past: view.past.as_ref().map(|past| {
            let mut past = past.clone();
            past.incidents = incidents(&past.incidents);
            past
        }),
        others: Arc::default(),
        ..view.clone()
    }
}

/// Whether a page that shows `services`, or all, shows this one.
fn has(services: Option<&[ServiceId]>, id: &ServiceId) -> bool {
    services.is_none_or(|services| services.contains(id))
}

fn service_of(part: &Part) -> &ServiceId {
    match part {
        Part::Service(id) => id,
        Part::Monitor(id) => id.service(),
    }
}
