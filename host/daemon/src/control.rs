//! Does what people want done with what is watched.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_web::{Control, NotDone};

use crate::orders::{NotChecked, Order, Wanted};

/// How long somebody waits to hear that something is done: less than browsers
/// wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// See the module.
pub(crate) struct Levers {
    pub(crate) orders: mpsc::Sender<Order>,
}

impl Control for Levers {
    fn pause(&self, monitors: Vec<MonitorId>, by: Arc<str>) -> BoxFuture<'_, Result<(), NotDone>> {
        self.set(monitors, Wanted::Paused, by)
    }

    fn go_on(&self, monitors: Vec<MonitorId>, by: Arc<str>) -> BoxFuture<'_, Result<(), NotDone>> {
        self.set(monitors, Wanted::Watched, by)
    }

    fn check_now(&self, monitors: Vec<MonitorId>) -> BoxFuture<'_, Result<(), NotDone>> {
        let (reply, answer) = oneshot::channel();
        let done = self.order(Order::Check { monitors, reply }, answer);
        Box::pin(async move {
            done.await?.map_err(|why| match why {
                NotChecked::Unknown(id) => NotDone::Unknown(id),
                NotChecked::Paused(id) => NotDone::Paused(id),
                NotChecked::Told(id) => NotDone::Told(id),
                NotChecked::Busy => NotDone::Busy,
            })
        })
    }
}

impl Levers {
    fn set(
        &self,
        monitors: Vec<MonitorId>,
        wanted: Wanted,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<(), NotDone>> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Pause {
            monitors,
            wanted,
            by,
            reply,
        };
        let done = self.order(order, answer);
        Box::pin(async move { done.await?.map_err(NotDone::Unknown) })
    }

    async fn order<T>(&self, order: Order, answer: oneshot::Receiver<T>) -> Result<T, NotDone> {
        let ordering = async {
            self.orders.send(order).await.ok()?;
            answer.await.ok()
        };
        let done = timeout(PATIENCE, ordering).await;
        done.ok().flatten().ok_or(NotDone::Busy)
    }
}
