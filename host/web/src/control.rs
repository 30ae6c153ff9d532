//! What people want done with what is watched. Whoever does it stands behind
//! [`Control`].

use std::sync::Arc;

use futures::future::BoxFuture;
use watchkeeper_engine::id::MonitorId;

/// Does what people want done with what is watched.
pub trait Control: Send + Sync {
    /// Pauses all of `monitors`, or none of them; ready once that would survive the
    /// end of the process. Those that are paused already stay so.
    fn pause(&self, monitors: Vec<MonitorId>, by: Arc<str>) -> BoxFuture<'_, Result<(), NotDone>>;

    /// Goes on with all of `monitors`, or with none of them; ready once that would
    /// survive the end of the process. Those that are not paused stay so.
    fn go_on(&self, monitors: Vec<MonitorId>, by: Arc<str>) -> BoxFuture<'_, Result<(), NotDone>>;

    /// Has all of `monitors` checked now; ready once that is asked for.
    fn check_now(&self, monitors: Vec<MonitorId>) -> BoxFuture<'_, Result<(), NotDone>>;
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// There is no such monitor.
    Unknown(MonitorId),
    /// The monitor is paused.
    Paused(MonitorId),
    /// The monitor is told how things are, and cannot ask.
    Told(MonitorId),
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

/// Stands in where nobody does anything.
pub(crate) struct NoControl;

impl Control for NoControl {
    fn pause(&self, _: Vec<MonitorId>, _: Arc<str>) -> BoxFuture<'_, Result<(), NotDone>> {
        Box::pin(async { Err(NotDone::Busy) })
    }

    fn go_on(&self, _: Vec<MonitorId>, _: Arc<str>) -> BoxFuture<'_, Result<(), NotDone>> {
        Box::pin(async { Err(NotDone::Busy) })
    }

    fn check_now(&self, _: Vec<MonitorId>) -> BoxFuture<'_, Result<(), NotDone>> {
        Box::pin(async { Err(NotDone::Busy) })
    }
}
