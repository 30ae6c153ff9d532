//! What is kept of the past, for whoever asks the web for it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;
use tracing::{error, info};
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::incident::{Incident, IncidentId, Refused, Severity, Stage};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{
    Audience, Delivery, DeliveryId, DeliveryQuery, DeliveryState, Ended, EntryKind, IncidentEntry,
    IncidentQuery, IncidentStory, Retried, Store, StoreError,
};
use watchkeeper_web::{
    Affected, BadLink, Deed, Delivered, DeliveryRecord, EntryRecord, Found, Impact, IncidentRecord,
    IncidentView, Link, NotTaken, NotTold, Part, Records, Refusal, Retry, Taken, UpdateView,
    WantedDeliveries, WantedIncidents,
};

use crate::board::incidents::people::{self, NotDone};
use crate::clock;
use crate::intake::Keys;
use crate::links::{Links, NotGood, Shown};
use crate::notice::Notice;
use crate::orders::Order;

/// How long somebody waits to hear that an incident is theirs: less than browsers
/// wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// Where the past is looked up.
pub(crate) struct Desk {
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) links: Links,
    /// Rung when the outbox has something to try again.
    pub(crate) bell: Arc<Notify>,
}

impl Records for Desk {
    fn incident(&self, number: u32) -> Found<'_, Option<IncidentRecord>> {
        Box::pin(async move {
            let found = self.store.incident(IncidentId::new(number)).await;
            let story = found.map_err(|problem| unreadable(&problem))?;
            let keys = Arc::clone(&self.keys.borrow());
            Ok(story.map(|story| record(story, &keys)))
        })
    }

    fn incidents(&self, wanted: WantedIncidents) -> Found<'_, Vec<IncidentRecord>> {
        let private_too = wanted.private_too;
        let query = IncidentQuery {
            ended: match wanted.open {
                None => Ended::Any,
                Some(true) => Ended::No,
                Some(false) => Ended::Yes,
            },
            service: wanted.service,
            started: wanted.started,
            live_since: None,
            before: wanted.before.map(IncidentId::new),
            limit: wanted.limit,
        };
        Box::pin(async move {
            let found = self.store.incidents(query).await;
            let stories = found.map_err(|problem| unreadable(&problem))?;
            let keys = Arc::clone(&self.keys.borrow());
            let records = stories.into_iter().map(|story| record(story, &keys));
            Ok(records
                .filter(|record| private_too || !record.private)
                .collect())
        })
    }

    fn acknowledge(
        &self,
        number: u32,
        by: Arc<str>,
        note: Arc<str>,
    ) -> BoxFuture<'_, Result<Taken, NotTaken>> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Acknowledge {
            id: IncidentId::new(number),
            by,
            note,
            reply,
        };
        let taking = async move {
            self.orders.send(order).await.map_err(|_| NotTaken::Busy)?;
            match answer.await {
                Ok(Ok(taken)) => Ok(Taken {
                    by: taken.by,
                    at: taken.at,
                }),
                Ok(Err(Refused::Over | Refused::Merged | Refused::Itself)) => Err(NotTaken::Over),
                Ok(Err(Refused::Unknown)) => Err(NotTaken::Unknown),
                Err(_) => Err(NotTaken::Busy),
            }
        };
        Box::pin(async move {
            match timeout(PATIENCE, taking).await {
                Ok(Err(NotTaken::Unknown)) => self.not_on_the_board(number).await,
                Ok(taken) => taken,
                Err(_) => Err(NotTaken::Busy),
            }
        })
    }

    fn tell(
        &self,
        deed: Deed,
        revision: Option<u32>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<IncidentRecord, NotTold>> {
        let (id, into, deed) = doing(deed);
        let telling = async move {
            let mut stories = Vec::new();
            // What ended long ago is not on the board.
            for wanted in id.into_iter().chain(into) {
                let found = self.store.incident(wanted).await;
                let found = found.map_err(|problem| {
                    unreadable(&problem);
                    NotTold::Busy
                })?;
                stories.push(found.ok_or(NotTold::Unknown)?);
            }
            let (reply, answer) = oneshot::channel();
            let order = Order::Tell {
                id,
                deed: Box::new(deed),
                revision,
                by,
                stories,
                reply,
            };
            self.orders.send(order).await.map_err(|_| NotTold::Busy)?;
            let done = answer.await.map_err(|_| NotTold::Busy)?;
            let done = done.map_err(|refused| match refused {
                NotDone::Unknown => NotTold::Unknown,
                NotDone::Stale => NotTold::Stale,
                NotDone::NoService(service) => NotTold::NoService(service),
                NotDone::Unfit(why) => NotTold::Unfit(why),
            })?;
            let story = self.incident(done.get()).await;
            story.ok().flatten().ok_or(NotTold::Busy)
        };
        Box::pin(async move {
            timeout(PATIENCE, telling)
                .await
                .unwrap_or(Err(NotTold::Busy))
        })
    }

    fn is_good(&self, link: &Link<'_>) -> Result<(), BadLink> {
        let shown = Shown {
            incident: IncidentId::new(link.incident),
            until: link.until,
            channel: link.channel,
            signature: link.signature,
        };
        self.links
            .check(&shown, clock::wall())
            .map_err(|why| match why {
                NotGood::Forged => BadLink::Forged,
                NotGood::Expired => BadLink::Expired,
            })
    }

    fn deliveries(&self, wanted: WantedDeliveries) -> Found<'_, Vec<DeliveryRecord>> {
        let query = DeliveryQuery {
            channel: wanted.channel,
            state: wanted.state.map(|state| match state {
                Delivered::Pending => DeliveryState::Pending,
                Delivered::Delivered => DeliveryState::Delivered,
                Delivered::Failed => DeliveryState::Failed,
            }),
            before: wanted.before.map(DeliveryId),
            limit: wanted.limit,
        };
        Box::pin(async move {
            let found = self.store.deliveries(query).await;
            let deliveries = found.map_err(|problem| unreadable(&problem))?;
            Ok(deliveries.into_iter().map(delivery).collect())
        })
    }

    fn retry(&self, number: i64) -> Found<'_, Retry> {
        Box::pin(async move {
            let retried = self.store.retry(DeliveryId(number), clock::wall()).await;
            match retried.map_err(|problem| unreadable(&problem))? {
                Retried::Yes => {
                    info!(
                        delivery = number,
                        "a notice that was given up is tried again"
                    );
                    self.bell.notify_one();
                    Ok(Retry::Yes)
                }
                Retried::NotFailed => Ok(Retry::NotFailed),
                Retried::Unknown => Ok(Retry::Unknown),
            }
        })
    }
}

impl Desk {
    /// Why an incident that the board does not know cannot be taken: it ended long
    /// ago, or there is none.
    async fn not_on_the_board(&self, number: u32) -> Result<Taken, NotTaken> {
        match self.store.incident(IncidentId::new(number)).await {
            Ok(Some(_)) => Err(NotTaken::Over),
            Ok(None) => Err(NotTaken::Unknown),
            Err(problem) => {
                unreadable(&problem);
                Err(NotTaken::Busy)
            }
        }
    }
}

/// What somebody wants done, in the board's words, and to which incidents.
fn doing(deed: Deed) -> (Option<IncidentId>, Option<IncidentId>, people::Deed) {
    let id = |number| Some(IncidentId::new(number));
    match deed {
        Deed::Open {
            title,
            services,
            impact,
            stage,
            text,
            started,
        } => {
            let deed = people::Deed::Open {
                title,
                services,
                severity: severity(impact),
                stage: worked(stage),
                text,
                started,
            };
            (None, None, deed)
        }
        Deed::Change {
            number,
            title,
            services,
            impact,
        } => {
            let deed = people::Deed::Change {
                title,
                services,
                severity: impact.map(severity),
            };
            (id(number), None, deed)
        }
        Deed::Update {
            number,
            text,
            public,
            stage,
        } => {
            let deed = people::Deed::Update {
                text,
                audience: if public {
                    Audience::Public
                } else {
                    Audience::Internal
                },
                stage: stage.map(worked),
            };
            (id(number), None, deed)
        }
        Deed::Postmortem { number, text } => (id(number), None, people::Deed::Postmortem { text }),
        Deed::Merge { number, into } => {
            let into = IncidentId::new(into);
            (id(number), Some(into), people::Deed::Merge { into })
        }
    }
}

const fn severity(impact: Impact) -> Severity {
    match impact {
        Impact::Minor => Severity::Minor,
        Impact::Major => Severity::Major,
        Impact::Critical => Severity::Critical,
    }
}

const fn worked(stage: watchkeeper_web::Stage) -> Stage {
    match stage {
        watchkeeper_web::Stage::Investigating => Stage::Investigating,
        watchkeeper_web::Stage::Identified => Stage::Identified,
        watchkeeper_web::Stage::Monitoring => Stage::Monitoring,
        watchkeeper_web::Stage::Resolved => Stage::Resolved,
    }
}

/// What the public sees of an incident whose services are called `labels`. Those
/// that are not configured any more are left out.
pub(crate) fn view(
    id: IncidentId,
    title: &Arc<str>,
    incident: &Incident,
    entries: &[IncidentEntry],
    label: impl Fn(&ServiceId) -> Option<Arc<str>>,
    private: &HashSet<MonitorId>,
) -> IncidentView {
    let affects = incident.services().into_iter().filter_map(|service| {
        Some(Affected {
            label: label(service)?,
            part: Part::Service(service.clone()),
        })
    });
    let is_private = |entry: &IncidentEntry| {
        let monitor = entry.monitor.as_ref();
        monitor.is_some_and(|it| private.contains(it))
    };
    let newest_first = entries.iter().rev();
    let (learned, told): (Vec<_>, Vec<_>) = newest_first
        .filter(|entry| entry.audience == Audience::Public && !is_private(entry))
        .partition(|entry| entry.kind == EntryKind::Postmortem);
    let updates = told.into_iter().map(|entry| UpdateView {
        stage: stage(entry.stage),
        at: entry.at,
        text: Arc::clone(&entry.text),
        is_markdown: entry.kind == EntryKind::Update,
    });
    IncidentView {
        id: id.to_string().into(),
        title: Arc::clone(title),
        impact: match incident.severity {
            Severity::Minor => Impact::Minor,
            Severity::Major => Impact::Major,
            Severity::Critical => Impact::Critical,
        },
        started: incident.started,
        resolved: incident.resolved,
        affects: affects.collect(),
        updates: updates.collect(),
        postmortem: learned.first().map(|entry| Arc::clone(&entry.text)),
    }
}

/// Whether the public must not know of an incident: its title names what it began
/// with, and where that is private, or all that it hit, there is nothing to tell.
pub(crate) fn is_private(incident: &Incident, private: &HashSet<MonitorId>) -> bool {
    let parts = || incident.parts.keys();
    let roots = incident
        .parts
        .values()
        .filter_map(|part| part.root.as_ref());
    let own = parts().filter(|monitor| *monitor.service() == incident.service);
    let of_own_service = own.clone().count() > 0 && own.clone().all(|it| private.contains(it));
    of_own_service
        || (!incident.parts.is_empty() && parts().all(|it| private.contains(it)))
        || roots.into_iter().any(|it| private.contains(it))
}

fn record(story: IncidentStory, keys: &Keys) -> IncidentRecord {
    let IncidentStory { row, entries } = story;
    let incident = &row.incident;
    let label = |service: &ServiceId| keys.services.get(service).map(Arc::clone);
    let view = view(row.id, &row.title, incident, &entries, label, &keys.private);
    IncidentRecord {
        private: is_private(incident, &keys.private),
        number: row.id.get(),
        view,
        stage: stage(incident.stage),
        origin: incident.origin.as_str(),
        services: incident.services().into_iter().cloned().collect(),
        reopened: incident.reopened,
        merged_into: incident.merged_into.map(IncidentId::get),
        taken: incident.acknowledged.as_ref().map(|taken| Taken {
            by: Arc::clone(&taken.by),
            at: taken.at,
        }),
        entries: entries
            .into_iter()
            .map(|entry| EntryRecord {
                at: entry.at,
                kind: entry.kind.as_str(),
                stage: stage(entry.stage),
                public: entry.audience == Audience::Public,
                monitor: entry.monitor,
                author: entry.author,
                text: entry.text,
            })
            .collect(),
    }
}

const fn stage(stage: Stage) -> watchkeeper_web::Stage {
    match stage {
        Stage::Investigating => watchkeeper_web::Stage::Investigating,
        Stage::Identified => watchkeeper_web::Stage::Identified,
        Stage::Monitoring => watchkeeper_web::Stage::Monitoring,
        Stage::Resolved => watchkeeper_web::Stage::Resolved,
    }
}

/// What is said of a delivery. What the receiver said was rid of secrets before it
/// was kept; of the notice only its first line is shown, as the rest holds links
/// that are for the receiver alone.
fn delivery(delivery: Delivery) -> DeliveryRecord {
    let title = Notice::from_payload(&delivery.payload).map(|notice| notice.title);
    let pending = delivery.state == DeliveryState::Pending;
    DeliveryRecord {
        number: delivery.id.0,
        notice: delivery.notice_id,
        channel: delivery.channel,
        monitor: delivery.monitor,
        title: title.unwrap_or_default(),
        state: match delivery.state {
            DeliveryState::Pending => Delivered::Pending,
            DeliveryState::Delivered => Delivered::Delivered,
            DeliveryState::Failed => Delivered::Failed,
        },
        attempts: delivery.attempts,
        created: delivery.created_at,
        next_try: pending.then_some(delivery.next_try),
        finished: delivery.finished_at,
        error: delivery.last_error,
    }
}

fn unreadable(problem: &StoreError) -> Refusal {
    error!(%problem, "the past cannot be looked up");
    Refusal::Busy
}

/// The order in which people look at incidents: those that go on first, and of
/// each the newest.
pub(crate) fn newest_first(a: &IncidentView, b: &IncidentView) -> std::cmp::Ordering {
    let key = |view: &IncidentView| {
        (
            view.resolved.unwrap_or(Timestamp::from_millis(i64::MAX)),
            view.started,
        )
    };
    key(b).cmp(&key(a))
}
