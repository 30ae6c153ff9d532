//! `/changes`: every confirmed change of a monitor, newest first, and where it came
//! from.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::HeaderValue;
use watchkeeper_engine::id::ServiceId;

use crate::api::{Query, busy};
use crate::failure::Failure;
use crate::incidents::html;
use crate::intake::Kind;
use crate::survey::{ChangeRecord, WantedChanges, Whose};
use crate::template::changes::{self, Row};
use crate::view::ServiceView;
use crate::web::Web;
use crate::words::Shown;

/// How many changes a page shows.
const PAGE: usize = 50;

/// As of incidents: whoever reads it is not to read an old one.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=5");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/changes", get(list))
}

async fn list(State(web): State<Web>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let Some(frame) = web.frame() else {
        return Failure::Starting.answer(&head.headers);
    };
    let services = web.services();
    let asked = async {
        let query = Query::read(&head.uri, &["service", "before", "lang"])?;
        let service = query.parsed("service", "the id of a service", |text| {
            ServiceId::new(text).ok()
        })?;
        if let Some(id) = &service
            && services.iter().all(|it| it.id != *id)
        {
            return Err(Failure::NotFound.answer(&head.headers));
        }
        let wanted = WantedChanges {
            whose: service.clone().map_or(Whose::All, Whose::Service),
            of_targets: Some(false),
            since: None,
            before: query.parsed("before", "a number", |text| text.parse().ok())?,
            limit: PAGE,
        };
        let found = web.settings().survey.changes(wanted).await;
        let found = found.map_err(|_| busy())?;
        // What is not on the page any more is nobody's to see.
        let intake = &web.settings().intake;
        let rows = found.iter().filter_map(|record| {
            let origin = Origin::of(record, intake.kind(&record.monitor));
            Row::of(record, origin, &services)
        });
        let earlier = found.last().filter(|_| found.len() >= PAGE);
        let earlier = earlier.map(|last| match &service {
            Some(id) => format!("/changes?service={id}&before={}", last.number),
            None => format!("/changes?before={}", last.number),
        });
        let rows: Vec<_> = rows.collect();
        let locale = web.locale(&head.uri, &head.headers);
        let page = locale.speak(|| changes::page(&frame, &rows, earlier.as_deref()));
        Ok(html(StatusCode::OK, page, CACHE))
    };
    asked.await.unwrap_or_else(|refused: Response| refused)
}

/// Where a change came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// What checks found, or that they changed too often.
    Check,
    /// What a process or an agent reported, or that it was silent.
    Report,
    /// What a job said, or that it did not call.
    Heartbeat,
    /// What people said.
    Manual,
    /// The outage of what it depends on.
    Propagation,
    /// The host: it lost its network, a plugin is gone, people had it pause, nothing
    /// was found out for too long.
    Host,
    /// The configuration: its targets or rules are others.
    Configuration,
}

impl Origin {
    /// Where a change of a monitor came from that is told so.
    fn of(record: &ChangeRecord, kind: Option<Kind>) -> Self {
        match record.cause {
            _ if record.folded_into.is_some() => Self::Propagation,
            "reading" | "flapping" | "steady" => match kind {
                Some(Kind::Push | Kind::Local) => Self::Report,
                Some(Kind::Heartbeat) => Self::Heartbeat,
                Some(Kind::Manual) => Self::Manual,
                Some(Kind::Asks) | None => Self::Check,
            },
            "reconfigured" => Self::Configuration,
            _ => Self::Host,
        }
    }

    /// As it is shown.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Check => "Found by a check",
            Self::Report => "Reported",
            Self::Heartbeat => "By its heartbeat",
            Self::Manual => "Set by people",
            Self::Propagation => "By what it depends on",
            Self::Host => "By the monitoring host",
            Self::Configuration => "By a change of configuration",
        }
    }
}

impl<'a> Row<'a> {
    /// A change of a monitor that the page shows.
    fn of(record: &'a ChangeRecord, origin: Origin, shown: &[Arc<ServiceView>]) -> Option<Self> {
        let service = shown.iter().find(|it| it.id == *record.monitor.service())?;
        let mut monitors = service.monitors.iter();
        let monitor = monitors.find(|it| it.id == record.monitor)?;
        Some(Self {
            service: service.label.to_string(),
            monitor: monitor.label.to_string(),
            at: record.at,
            from: Shown::of(record.from),
            to: Shown::of(record.to),
            reason: record.reason.as_deref(),
            origin,
            maintained: record.maintained,
        })
    }
}
