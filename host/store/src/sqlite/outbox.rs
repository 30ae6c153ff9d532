//! The outbox in SQL.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use tracing::error;
use watchkeeper_engine::id::{ChannelId, MonitorId};
use watchkeeper_engine::time::Timestamp;

use crate::error::StoreError;
use crate::outbox::{
    Delivery, DeliveryCounts, DeliveryId, DeliveryQuery, DeliveryState, NewDelivery, Retried,
};

/// How long a delivery that was taken is shown.
const KEEP_DELIVERED: i64 = 30 * 86_400_000;

/// How long one that was given up is shown.
const KEEP_FAILED: i64 = 90 * 86_400_000;

/// The longest error that is kept, in characters.
const MAX_ERROR: usize = 2_000;

const COLUMNS: &str = "id, notice_id, channel, service, monitor, payload, state, attempts, \
     created_at, next_try, finished_at, last_error, retried_at";

/// Puts a notice into the outbox, unless it is there.
pub(super) fn add(connection: &Connection, new: &NewDelivery) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO delivery
                 (notice_id, channel, service, monitor, payload, state, created_at, next_try)
             VALUES (:notice_id, :channel, :service, :monitor, :payload, 'pending',
                 :created_at, :next_try)
             ON CONFLICT (notice_id, channel) DO NOTHING",
        )?
        .execute(named_params! {
            ":notice_id": new.notice_id,
            ":channel": new.channel.as_str(),
            ":service": new.monitor.as_ref().map(|monitor| monitor.service().as_str()),
            ":monitor": new.monitor.as_ref().map(|monitor| monitor.name().as_str()),
            ":payload": new.payload,
            ":created_at": new.created_at.as_millis(),
            ":next_try": new.not_before.as_millis(),
        })?;
    Ok(())
}

/// The oldest pending delivery of each channel, where it is due.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery
         WHERE id IN (SELECT min(id) FROM delivery WHERE state = 'pending' GROUP BY channel)
             AND next_try <= :now
         ORDER BY next_try, id LIMIT :limit"
    ))?;
    let rows = statement.query_map(
        named_params! { ":now": now.as_millis(), ":limit": sql_limit(limit) },
        delivery,
    )?;
    readable(rows)
}

/// When the first of the oldest pending deliveries is due.
pub(super) fn next_at(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = connection
        .prepare_cached(
            "SELECT min(next_try) FROM delivery
             WHERE id IN (SELECT min(id) FROM delivery WHERE state = 'pending' GROUP BY channel)",
        )?
        .query_row((), |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

/// How a try ended.
#[derive(Clone)]
pub(super) enum Ended {
    Delivered { at: Timestamp },
    Postponed { next_try: Timestamp, error: String },
    GivenUp { at: Timestamp, error: String },
}

/// Notes how a try ended. A delivery that is no longer pending stays as it is.
pub(super) fn end_try(
    connection: &Connection,
    id: DeliveryId,
    ended: &Ended,
) -> Result<(), StoreError> {
    let (state, next_try, finished_at, error) = match ended {
        Ended::Delivered { at } => (DeliveryState::Delivered, None, Some(at), None),
        Ended::Postponed { next_try, error } => {
            (DeliveryState::Pending, Some(next_try), None, Some(error))
        }
        Ended::GivenUp { at, error } => (DeliveryState::Failed, None, Some(at), Some(error)),
    };
    let updated = connection
        .prepare_cached(
            "UPDATE delivery SET
                 state = :state,
                 attempts = attempts + 1,
                 next_try = coalesce(:next_try, next_try),
                 finished_at = :finished_at,
                 last_error = coalesce(:error, last_error)
             WHERE id = :id AND state = 'pending'",
        )?
        .execute(named_params! {
            ":state": state.as_str(),
            ":next_try": next_try.map(|at| at.as_millis()),
            ":finished_at": finished_at.map(|at| at.as_millis()),
            ":error": error.map(|error| error.chars().take(MAX_ERROR).collect::<String>()),
            ":id": id.0,
        })?;
    if updated == 0 {
        let known = connection
            .prepare_cached("SELECT 1 FROM delivery WHERE id = ?")?
            .query_row([id.0], |_| Ok(()))
            .optional()?;
        known.ok_or(StoreError::NoSuchDelivery { id: id.0 })?;
    }
    Ok(())
}

/// Deliveries that match, newest first.
pub(super) fn find(
    connection: &Connection,
    query: &DeliveryQuery,
) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery
         WHERE (:channel IS NULL OR channel = :channel)
             AND (:state IS NULL OR state = :state)
             AND (:before IS NULL OR id < :before)
         ORDER BY id DESC LIMIT :limit"
    ))?;
    let rows = statement.query_map(
        named_params! {
            ":channel": query.channel.as_ref().map(ChannelId::as_str),
            ":state": query.state.map(DeliveryState::as_str),
            ":before": query.before.map(|id| id.0),
            ":limit": sql_limit(query.limit),
        },
        delivery,
    )?;
    readable(rows)
}

/// How many are in which state.
pub(super) fn counts(connection: &Connection) -> Result<DeliveryCounts, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT state, count(*) FROM delivery GROUP BY state")?;
    let mut rows = statement.query(())?;
    let mut counts = DeliveryCounts::default();
    while let Some(row) = rows.next()? {
        let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        match DeliveryState::from_word(&row.get::<_, String>(0)?) {
            Some(DeliveryState::Pending) => counts.pending = count,
            Some(DeliveryState::Delivered) => counts.delivered = count,
            Some(DeliveryState::Failed) => counts.failed = count,
            None => {}
        }
    }
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT min(created_at) FROM delivery WHERE state = 'pending'")?
        .query_row((), |row| row.get(0))?;
    counts.oldest_pending = oldest.map(Timestamp::from_millis);
    Ok(counts)
}

/// Takes up again a delivery that was given up.
pub(super) fn retry(
    connection: &Connection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Retried, StoreError> {
    let updated = connection
        .prepare_cached(
            "UPDATE delivery SET state = 'pending', attempts = 0, next_try = :now,
                 retried_at = :now, finished_at = NULL
             WHERE id = :id AND state = 'failed'",
        )?
        .execute(named_params! { ":id": id.0, ":now": now.as_millis() })?;
    if updated > 0 {
        return Ok(Retried::Yes);
    }
    let known = connection
        .prepare_cached("SELECT 1 FROM delivery WHERE id = ?")?
        .query_row([id.0], |_| Ok(()))
        .optional()?;
    Ok(known.map_or(Retried::Unknown, |()| Retried::NotFailed))
}

/// Removes what has been shown long enough.
pub(super) fn prune(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    for (state, keep) in [
        (DeliveryState::Delivered, KEEP_DELIVERED),
        (DeliveryState::Failed, KEEP_FAILED),
    ] {
        connection.execute(
            "DELETE FROM delivery WHERE state = ? AND finished_at < ?",
            (state.as_str(), now.as_millis().saturating_sub(keep)),
        )?;
    }
    Ok(())
}

/// A limit as SQL has it: negative would mean none.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A row; `Err` with its number if it names something that cannot exist.
fn delivery(row: &Row<'_>) -> rusqlite::Result<Result<Delivery, i64>> {
    let id: i64 = row.get(0)?;
    let channel: String = row.get(2)?;
    let (service, monitor): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let state: String = row.get(6)?;
    let attempts: i64 = row.get(7)?;
    let monitor = match (service, monitor) {
        (Some(service), Some(monitor)) => match MonitorId::parse(&format!("{service}/{monitor}")) {
            Ok(monitor) => Some(monitor),
            Err(_) => return Ok(Err(id)),
        },
        _ => None,
    };
    let (Ok(channel), Some(state)) = (ChannelId::new(&channel), DeliveryState::from_word(&state))
    else {
        return Ok(Err(id));
    };
    Ok(Ok(Delivery {
        id: DeliveryId(id),
        notice_id: row.get(1)?,
        channel,
        monitor,
        payload: row.get(5)?,
        state,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_at: Timestamp::from_millis(row.get(8)?),
        next_try: Timestamp::from_millis(row.get(9)?),
        finished_at: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_millis),
        last_error: row.get(11)?,
        retried_at: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_millis),
    }))
}

/// The rows that make sense; only a hand in the database can make others.
fn readable(
    rows: impl Iterator<Item = rusqlite::Result<Result<Delivery, i64>>>,
) -> Result<Vec<Delivery>, StoreError> {
    let mut deliveries = Vec::new();
    for row in rows {
        match row? {
            Ok(delivery) => deliveries.push(delivery),
            Err(id) => error!(id, "delivery in the database names something impossible"),
        }
    }
    Ok(deliveries)
}
