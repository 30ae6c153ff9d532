//! What the invented company keeps of its past.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, ready};
use watchkeeper_engine::id::{ChannelId, MonitorId, ServiceId};
use watchkeeper_web::{
    BadLink, Delivered, DeliveryRecord, EntryRecord, Found, IncidentRecord, IncidentView, Link,
    NotTaken, Records, Retry, Stage, Taken, WantedDeliveries, WantedIncidents,
};

use crate::sample;

/// The signature of every good link.
pub(crate) const GOOD: &str = "good";

/// Records in memory.
pub(crate) struct Shelf {
    incidents: Mutex<Vec<IncidentRecord>>,
}

impl Shelf {
    /// With these incidents, newest first.
    pub(crate) fn of(views: impl IntoIterator<Item = IncidentView>) -> Self {
        Self {
            incidents: Mutex::new(views.into_iter().map(record).collect()),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&mut Vec<IncidentRecord>) -> T) -> T {
        read(
            &mut self
                .incidents
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// An incident of which nothing is behind what the public sees but who was told.
fn record(view: IncidentView) -> IncidentRecord {
    let stage = view
        .updates
        .first()
        .map_or(Stage::Investigating, |last| last.stage);
    let mut entries: Vec<_> = view
        .updates
        .iter()
        .rev()
        .map(|update| EntryRecord {
            at: update.at,
            kind: "update",
            stage: update.stage,
            public: true,
            monitor: None,
            author: None,
            text: Arc::clone(&update.text),
        })
        .collect();
    entries.push(EntryRecord {
        at: view.started,
        kind: "told",
        stage,
        public: false,
        monitor: MonitorId::parse("api/rest").ok(),
        author: None,
        text: "Told ops: internal words".into(),
    });
    IncidentRecord {
        private: false,
        number: view.id.parse().unwrap_or(1),
        stage,
        origin: "outage",
        services: ServiceId::new("api").into_iter().collect(),
        reopened: 0,
        merged_into: None,
        taken: None,
        entries,
        view,
    }
}

impl Records for Shelf {
    fn incident(&self, number: u32) -> Found<'_, Option<IncidentRecord>> {
        let found = self.read(|all| all.iter().find(|it| it.number == number).cloned());
        Box::pin(ready(Ok(found)))
    }

    fn incidents(&self, wanted: WantedIncidents) -> Found<'_, Vec<IncidentRecord>> {
        let matches = |it: &IncidentRecord| {
            let open = it.view.resolved.is_none();
            wanted.open.is_none_or(|wanted| wanted == open)
                && wanted.before.is_none_or(|before| it.number < before)
                && wanted
                    .started
                    .is_none_or(|(from, to)| from <= it.view.started && it.view.started < to)
        };
        let found = self.read(|all| {
            let matching = all.iter().filter(|it| matches(it));
            matching.take(wanted.limit).cloned().collect()
        });
        Box::pin(ready(Ok(found)))
    }

    fn acknowledge(
        &self,
        number: u32,
        by: Arc<str>,
        _: Arc<str>,
    ) -> BoxFuture<'_, Result<Taken, NotTaken>> {
        let taken = self.read(|all| {
            let incident = all.iter_mut().find(|it| it.number == number);
            let incident = incident.ok_or(NotTaken::Unknown)?;
            if incident.view.resolved.is_some() {
                return Err(NotTaken::Over);
            }
            let taken = incident.taken.get_or_insert(Taken {
                by,
                at: sample::NOW,
            });
            Ok(taken.clone())
        });
        Box::pin(ready(taken))
    }

    fn is_good(&self, link: &Link<'_>) -> Result<(), BadLink> {
        if link.signature != GOOD {
            Err(BadLink::Forged)
        } else if link.until < sample::NOW.as_secs() {
            Err(BadLink::Expired)
        } else {
            Ok(())
        }
    }

    fn deliveries(&self, wanted: WantedDeliveries) -> Found<'_, Vec<DeliveryRecord>> {
        let delivery = |number: i64, state| {
            Some(DeliveryRecord {
                number,
                notice: format!("n{number}"),
                channel: ChannelId::new("ops").ok()?,
                monitor: None,
                title: "REST API is slow".to_owned(),
                state,
                attempts: 1,
                created: sample::NOW,
                next_try: None,
                finished: Some(sample::NOW),
                error: None,
            })
        };
        let all = [
            delivery(2, Delivered::Failed),
            delivery(1, Delivered::Delivered),
        ];
        let found = all.into_iter().flatten().filter(|it| {
            wanted.state.is_none_or(|state| state == it.state)
                && wanted.before.is_none_or(|before| it.number < before)
                && wanted
                    .channel
                    .as_ref()
                    .is_none_or(|channel| *channel == it.channel)
        });
        Box::pin(ready(Ok(found.take(wanted.limit).collect())))
    }

    fn retry(&self, number: i64) -> Found<'_, Retry> {
        Box::pin(ready(Ok(match number {
            1 => Retry::NotFailed,
            2 => Retry::Yes,
            _ => Retry::Unknown,
        })))
    }
}
