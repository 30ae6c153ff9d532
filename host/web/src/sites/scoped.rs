//! What is kept of the past, as far as it concerns the services of one page.

use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::id::ServiceId;

use super::{has, service_of};
use crate::records::{
    BadLink, DeliveryRecord, Found, IncidentRecord, Link, NotTaken, Records, Retry, Taken,
    WantedDeliveries, WantedIncidents,
};

/// How many incidents are looked through at once.
const BATCH: usize = 200;

/// How often that is done for one answer, at most: on a page that few incidents
/// concern, a list ends with what was found in the latest 4,000.
const MOST_BATCHES: usize = 20;

/// Records of some services.
pub(super) struct Scoped {
    pub(super) records: Arc<dyn Records>,
    pub(super) services: Arc<[ServiceId]>,
}

impl Scoped {
    /// The incident without what it did elsewhere, if it did something here.
    fn narrow(&self, mut record: IncidentRecord) -> Option<IncidentRecord> {
        let services = Some(&*self.services);
        record.services.retain(|id| has(services, id));
        let affects = &mut record.view.affects;
        affects.retain(|it| has(services, service_of(&it.part)));
        let concerns = !record.services.is_empty() || !affects.is_empty();
        concerns.then_some(record)
    }
}

impl Records for Scoped {
    fn incident(&self, number: u32) -> Found<'_, Option<IncidentRecord>> {
        Box::pin(async move {
            let found = self.records.incident(number).await?;
            Ok(found.and_then(|record| self.narrow(record)))
        })
    }

    fn incidents(&self, wanted: WantedIncidents) -> Found<'_, Vec<IncidentRecord>> {
        Box::pin(async move {
            let mut kept = Vec::new();
            let mut before = wanted.before;
            for _ in 0..MOST_BATCHES {
                let batch = WantedIncidents {
                    before,
                    limit: BATCH,
                    ..wanted.clone()
                };
                let found = self.records.incidents(batch).await?;
                let is_last = found.len() < BATCH;
                before = found.last().map(|record| record.number);
                kept.extend(found.into_iter().filter_map(|record| self.narrow(record)));
                if is_last || kept.len() >= wanted.limit {
                    break;
                }
            }
            kept.truncate(wanted.limit);
            Ok(kept)
        })
    }

    /// Who acknowledges does so on the main page.
    fn acknowledge(
        &self,
        _: u32,
        _: Arc<str>,
        _: Arc<str>,
    ) -> BoxFuture<'_, Result<Taken, NotTaken>> {
        Box::pin(async { Err(NotTaken::Unknown) })
    }

    fn is_good(&self, _: &Link<'_>) -> Result<(), BadLink> {
        Err(BadLink::Forged)
    }

    fn deliveries(&self, _: WantedDeliveries) -> Found<'_, Vec<DeliveryRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn retry(&self, _: i64) -> Found<'_, Retry> {
        Box::pin(async { Ok(Retry::Unknown) })
    }
}
