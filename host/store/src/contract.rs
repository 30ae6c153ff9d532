//! The border: what a backend must do, in the order data flows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::id::{MonitorId, ServiceId, TargetId};
use watchkeeper_engine::incident::{IncidentId, Severity, Stage};
use watchkeeper_engine::time::Timestamp;

use crate::access::{Act, Acted, Deed, DeedQuery, DeedRow, Session, User};
use crate::breach::{BreachId, BreachQuery, BreachRow, MonitorHealth, MonitorSums};
use crate::error::{StoreError, Trouble};
use crate::incident::{IncidentQuery, IncidentStory};
use crate::item::{ItemChange, ItemRow};
use crate::outbox::{Delivery, DeliveryCounts, DeliveryId, DeliveryQuery, Retried};
use crate::series::{LatencyPoint, Reading, Resolution, Rollup, Sample};
use crate::state::{ChangeQuery, ChangeRow, Commit, Loaded, Space, Subject};
use crate::token::{Digest, Token};

/// What every method of [`Store`] returns: boxed, so that `Arc<dyn Store>` works.
///
/// A future that is dropped before it is ready does not undo its work: what was
/// queued is still done.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Everything that must survive a restart.
///
/// Methods that write state answer after the data would survive a loss of
/// power. [`Store::record`] is the exception: it answers when the samples are
/// queued, because readings come in bulk and must never hold up an alert.
///
/// Call it from a tokio runtime: reads run on its blocking threads.
pub trait Store: Send + Sync + 'static {
    /// Everything the engine needs to go on where the last process stopped.
    fn load(&self) -> Answer<'_, Loaded>;

    /// Writes all of `commit` or nothing of it, in one transaction.
    ///
    /// A delivery whose notice id is already in the outbox for its channel is
    /// left as it is, so that a commit may be repeated after an error.
    fn commit(&self, commit: Commit) -> Answer<'_, ()>;

    /// Changes that match `query`, newest first.
    fn changes(&self, query: ChangeQuery) -> Answer<'_, Vec<ChangeRow>>;

    /// Incidents that match `query` with their timelines, newest first.
    fn incidents(&self, query: IncidentQuery) -> Answer<'_, Vec<IncidentStory>>;

    /// The incident `id` with its timeline.
    fn incident(&self, id: IncidentId) -> Answer<'_, Option<IncidentStory>>;

    /// How many incidents that began in `from..to` hit each service; those that no
    /// incident hit are left out.
    fn incident_counts(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<'_, HashMap<ServiceId, u64>>;

    /// How many incidents are kept of which severity and stage; those of which there
    /// are none are left out.
    fn incident_states(&self) -> Answer<'_, Vec<(Severity, Stage, u64)>>;

    /// Which health each of `monitors` as a whole had at `from`, as far as that is
    /// known, and every later one, in order for each.
    fn healths(&self, monitors: Vec<MonitorId>, from: Timestamp) -> Answer<'_, Vec<MonitorHealth>>;

    /// Breaches that match `query`, newest first.
    fn breaches(&self, query: BreachQuery) -> Answer<'_, Vec<BreachRow>>;

    /// Notes that `by` has taken note of a breach, and answers it as it then is:
    /// who was first stays. `None` if there is none with this number.
    fn acknowledge_breach(
        &self,
        id: BreachId,
        by: Arc<str>,
        at: Timestamp,
    ) -> Answer<'_, Option<BreachRow>>;

    /// The number of the incident that is opened next.
    fn next_incident(&self) -> Answer<'_, IncidentId>;

    /// The host's own key called `name`: `fresh`, from now on, where there is none.
    fn key(&self, name: &'static str, fresh: Vec<u8>) -> Answer<'_, Vec<u8>>;

    /// The deliveries to try at `now`, at most `limit`, longest due first.
    ///
    /// At most one of each channel, its oldest that is still pending: a later
    /// one never overtakes. A delivery is returned again until it is
    /// [delivered](Self::delivered), [postponed](Self::postpone) or [given
    /// up](Self::give_up), so delivery is at least once, with the same notice id
    /// on every try.
    fn due_deliveries(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Delivery>>;

    /// When [`Self::due_deliveries`] will next return something; `None` while
    /// nothing is pending.
    fn next_delivery_at(&self) -> Answer<'_, Option<Timestamp>>;

    /// The receiver took it. Once delivered it stays so: later answers about the
    /// same delivery change nothing.
    fn delivered(&self, id: DeliveryId, at: Timestamp) -> Answer<'_, ()>;

    /// One try failed; the next is not before `next_try`.
    fn postpone(&self, id: DeliveryId, next_try: Timestamp, error: String) -> Answer<'_, ()>;

    /// No more tries: kept as failed with `error`, and the channel's next
    /// delivery may go.
    fn give_up(&self, id: DeliveryId, at: Timestamp, error: String) -> Answer<'_, ()>;

    /// Has a delivery that was given up tried again, as if it were new at `now`.
    fn retry(&self, id: DeliveryId, now: Timestamp) -> Answer<'_, Retried>;

    /// Deliveries that match `query`, newest first.
    fn deliveries(&self, query: DeliveryQuery) -> Answer<'_, Vec<Delivery>>;

    /// How many deliveries are in which state. Delivered ones leave the count
    /// when [`Self::prune`] removes them.
    fn delivery_counts(&self) -> Answer<'_, DeliveryCounts>;

    /// What plugins keep between runs, by owner.
    fn spaces(&self) -> Answer<'_, HashMap<String, Space>>;

    /// Replaces everything that `owner` keeps; an empty space removes it.
    fn put_space(&self, owner: String, space: Space) -> Answer<'_, ()>;

    /// The token whose digest this is; `None` if there is none, or it was revoked.
    fn token(&self, digest: Digest) -> Answer<'_, Option<Token>>;

    /// Every part of the configuration that was made while the program ran, in the
    /// order in which they were made.
    fn items(&self) -> Answer<'_, Vec<ItemRow>>;

    /// Makes all of `changes` or none of them, in one transaction.
    fn change_items(&self, changes: Vec<ItemChange>) -> Answer<'_, ()>;
    /// Every token, oldest first.
    fn tokens(&self) -> Answer<'_, Vec<Token>>;

    /// Every user, by name.
    fn users(&self) -> Answer<'_, Vec<User>>;

    /// The session whose digest this is, if it is good at `now`: neither ended nor
    /// older than [`crate::SESSION_WHOLE`] nor unused for [`crate::SESSION_IDLE`].
    fn session(&self, digest: Digest, now: Timestamp) -> Answer<'_, Option<Session>>;

    /// Does `act`, and notes `deed` in the same transaction if something was done.
    fn act(&self, act: Act, deed: Option<Deed>, now: Timestamp) -> Answer<'_, Acted>;

    /// Deeds that match `query`, newest first.
    fn deeds(&self, query: DeedQuery) -> Answer<'_, Vec<DeedRow>>;

    /// Queues what checks found and the time they account for.
    ///
    /// Written in batches: after one second, or when 1,000 samples wait. The
    /// queue holds a fixed number of samples (65,536 in SQLite); while it is
    /// full this waits, for at most two seconds, and then drops `samples` and
    /// answers [`StoreError::Overloaded`]. What was queued is visible to the
    /// reading methods within the batch delay, or at once after
    /// [`Self::flush`]. A killed process loses at most the batches not yet
    /// written; [`Self::close`] loses none.
    fn record(&self, samples: Vec<Sample>) -> Answer<'_, ()>;

    /// The rollups of every target and monitor for the days that `from` and `to`
    /// lie in, both included, by subject in no certain order and then by day.
    /// Days are UTC. Includes what has been recorded of the day that still runs.
    fn days(&self, from: Timestamp, to: Timestamp) -> Answer<'_, Vec<Rollup>>;

    /// The rollups of one subject for every bucket that overlaps `from..to`,
    /// oldest first. Buckets without any sample are left out.
    fn rollups(
        &self,
        subject: Subject,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<'_, Vec<Rollup>>;

    /// What [`Self::rollups`] knows about latency, ready to be drawn. Buckets
    /// in which no check measured a latency are left out.
    fn latency(
        &self,
        target: TargetId,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<'_, Vec<LatencyPoint>> {
        Box::pin(async move {
            let rollups = self
                .rollups(Subject::Target(target), resolution, from, to)
                .await?;
            Ok(rollups.iter().filter_map(LatencyPoint::of).collect())
        })
    }

    /// How every monitor was in `from..to`, widened to whole buckets of five
    /// minutes; its targets' checks and latencies as well if `with_readings`.
    ///
    /// Five-minute buckets are kept for 30 days and hours for 400: a span further
    /// back must begin and end with hours or UTC days, or loses what lies before
    /// and after them.
    fn sums(
        &self,
        from: Timestamp,
        to: Timestamp,
        with_readings: bool,
    ) -> Answer<'_, HashMap<MonitorId, MonitorSums>>;

    /// The readings of one target in `from..to`, newest first, at most `limit`.
    /// Readings are kept for days, not for ever.
    fn readings(
        &self,
        target: TargetId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Answer<'_, Vec<Reading>>;

    /// Removes what is past its retention, and takes back the reserve that was
    /// given up on a full disk where there is room again. Meant to be called
    /// about once an hour.
    fn prune(&self, now: Timestamp) -> Answer<'_, ()>;

    /// Copies everything into the folder `to` while the store is in use. The
    /// folder is made where it is missing; files in it are never replaced.
    fn backup(&self, to: &Path) -> Answer<'_, ()>;

    /// Answers when everything that was recorded before is written.
    fn flush(&self) -> Answer<'_, ()>;

    /// Writes everything that is queued and stops. Every later call answers
    /// [`StoreError::Closed`].
    fn close(&self) -> Answer<'_, ()>;

    /// What is wrong with the store now, for the dashboard. Empty when all is
    /// well.
    fn trouble(&self) -> Vec<Trouble>;
}
