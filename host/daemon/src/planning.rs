//! What is planned, for whoever asks the web for it or wants it otherwise.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use watchkeeper_config::maintenance::Draft;
use watchkeeper_engine::id::ServiceId;
use watchkeeper_engine::maintenance::When;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::{
    CalendarEvent, MaintenanceDraft, MaintenanceRecord, NotPlanned, PlanWish, Plans, Source,
};

use crate::board::planned::{CALENDAR_AHEAD, CALENDAR_BACK, Planned, Refused, Wish};
use crate::clock;
use crate::intake::Keys;
use crate::orders::Order;

/// How long somebody waits to hear that it is done: less than browsers wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many events a calendar has at most, the earliest of them.
const MOST_EVENTS: usize = 1_000;

/// How many events of one maintenance a calendar has at most.
const MOST_OF_ONE: usize = 200;

/// Every maintenance that is known.
pub(crate) type AllPlanned = Arc<[Arc<Planned>]>;

/// Where plans are looked up and changed.
pub(crate) struct Planning {
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
    pub(crate) planned: watch::Receiver<AllPlanned>,
    pub(crate) orders: mpsc::Sender<Order>,
}

impl Plans for Planning {
    fn maintenances(&self) -> Vec<MaintenanceRecord> {
        let now = clock::wall();
        let all = Arc::clone(&self.planned.borrow());
        let mut records: Vec<_> = all.iter().map(|it| record(it, now)).collect();
        records.sort_by_key(|it| {
            let begins = it.window.map_or(Timestamp::default(), |window| window.from);
            (std::cmp::Reverse(begins), it.id.clone())
        });
        records
    }

    fn calendar(&self) -> Vec<CalendarEvent> {
        let now = clock::wall();
        let all = Arc::clone(&self.planned.borrow());
        let keys = Arc::clone(&self.keys.borrow());
        let events = all.iter().flat_map(|it| events(it, &keys.services, now));
        let mut events: Vec<_> = events.collect();
        events.sort_by(|a, b| (a.window.from, &a.uid).cmp(&(b.window.from, &b.uid)));
        events.truncate(MOST_EVENTS);
        events
    }

    fn wish(
        &self,
        wish: PlanWish,
        revision: Option<u32>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<MaintenanceRecord, NotPlanned>> {
        let (reply, answer) = oneshot::channel();
        let wish = match wish {
            PlanWish::Make(written) => Wish::Make(draft(written)),
            PlanWish::Change(id, written) => Wish::Change(id, draft(written)),
            PlanWish::End(id) => Wish::End(id),
            PlanWish::Cancel(id) => Wish::Cancel(id),
            PlanWish::Remove(id) => Wish::Remove(id),
        };
        let order = Order::Maintain {
            wish: Box::new(wish),
            revision,
            by,
            reply,
        };
        let wishing = async move {
            self.orders
                .send(order)
                .await
                .map_err(|_| NotPlanned::Busy)?;
            match answer.await {
                Ok(Ok(planned)) => Ok(record(&planned, clock::wall())),
                Ok(Err(refused)) => Err(refusal(refused)),
                Err(_) => Err(NotPlanned::Busy),
            }
        };
        Box::pin(async move {
            timeout(PATIENCE, wishing)
                .await
                .unwrap_or(Err(NotPlanned::Busy))
        })
    }
}

fn record(planned: &Planned, now: Timestamp) -> MaintenanceRecord {
    let maintenance = &planned.maintenance;
    let written = Draft::clone(&maintenance.draft);
    MaintenanceRecord {
        id: maintenance.id.clone(),
        title: Arc::clone(&maintenance.title),
        text: Arc::clone(&maintenance.text),
        services: maintenance.scope.services.clone(),
        monitors: maintenance.scope.monitors.clone(),
        phase: planned.phase(now),
        window: planned.window(now),
        draft: MaintenanceDraft {
            id: written.id,
            title: written.title,
            description: written.description,
            services: written.services,
            monitors: written.monitors,
            starts: written.starts,
            ends: written.ends,
            lasts: written.lasts,
            cron: written.cron,
            time_zone: written.time_zone,
            until: written.until,
        },
        source: planned
            .made
            .as_ref()
            .map_or(Source::File, |made| Source::Made {
                revision: made.revision,
                created: made.created_at,
                updated: made.updated_at,
                by: Arc::clone(&made.by),
            }),
    }
}

fn draft(written: MaintenanceDraft) -> Draft {
    Draft {
        id: written.id,
        title: written.title,
        description: written.description,
        services: written.services,
        monitors: written.monitors,
        starts: written.starts,
        ends: written.ends,
        lasts: written.lasts,
        cron: written.cron,
        time_zone: written.time_zone,
        until: written.until,
    }
}

fn refusal(refused: Refused) -> NotPlanned {
    match refused {
        Refused::Unknown => NotPlanned::Unknown,
        Refused::OfFile => NotPlanned::OfFile,
        Refused::Stale => NotPlanned::Stale,
        Refused::Taken => NotPlanned::Taken,
        Refused::Unfit(why) => NotPlanned::Unfit(why),
        Refused::Full => NotPlanned::Full,
        Refused::Wrong(mistakes) => NotPlanned::Wrong(
            mistakes
                .into_iter()
                .map(|mistake| (mistake.key, mistake.what))
                .collect(),
        ),
    }
}

/// The windows of a maintenance as events. One that comes once keeps its uid
/// whenever it is moved to; of those again and again each has its own.
fn events(
    planned: &Planned,
    labels: &HashMap<ServiceId, Arc<str>>,
    now: Timestamp,
) -> Vec<CalendarEvent> {
    let maintenance = &planned.maintenance;
    let (from, to) = (now - CALENDAR_BACK, now + CALENDAR_AHEAD);
    let is_once = matches!(maintenance.when, When::Once(_));
    let mut windows = planned.windows(from, to, MOST_OF_ONE);
    let is_cancelled = is_once && windows.is_empty() && planned.plan.cancelled.is_some();
    if is_cancelled {
        // Calendars that have it must hear that it does not take place.
        windows.extend(planned.window(now).filter(|window| window.to > from));
    }
    let services = maintenance.scope.services.iter();
    let services = services.map(|id| labels.get(id).map_or(id.as_str(), |label| label).to_owned());
    let monitors = maintenance.scope.monitors.iter().map(ToString::to_string);
    let covers: Vec<String> = services.chain(monitors).collect();
    let made = planned.made.as_ref();
    windows
        .into_iter()
        .map(|window| CalendarEvent {
            uid: if is_once {
                format!("{}@watchkeeper", maintenance.id)
            } else {
                format!("{}-{}@watchkeeper", maintenance.id, window.from.as_secs())
            },
            sequence: made.map_or(0, |made| made.revision.saturating_sub(1)),
            // A file does not say when it was written: its events are as old as
            // what they tell of, so that the calendar is the same every time.
            updated: made.map_or(window.from, |made| made.updated_at),
            window,
            is_cancelled,
            title: Arc::clone(&maintenance.title),
            text: Arc::clone(&maintenance.text),
            covers: covers.clone(),
        })
        .collect()
}
