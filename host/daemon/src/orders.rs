//! What people want done to what the board knows: carried out by the one task that
//! decides, and answered once it would survive the end of the process.

use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::info;
use watchkeeper_engine::incident::{Acknowledgement, IncidentId, Refused};

use crate::apply::Apply;
use crate::board::Batch;

/// How many orders may wait. Who comes then waits for a place, for as long as
/// whoever asks is patient.
pub(crate) const QUEUE: usize = 256;

/// Something that somebody wants done.
#[derive(Debug)]
pub(crate) enum Order {
    /// To note who has taken an incident.
    Acknowledge {
        id: IncidentId,
        by: Arc<str>,
        note: Arc<str>,
        /// Who waits to hear who has taken it.
        reply: oneshot::Sender<Result<Acknowledgement, Refused>>,
    },
}

impl Apply {
    /// Carries out `order`.
    pub(crate) async fn obey(&mut self, order: Order) {
        match order {
            Order::Acknowledge {
                id,
                by,
                note,
                reply,
            } => {
                let mut batch = Batch::default();
                let now = self.clock.now();
                let taken = self.board.acknowledge(id, &by, &note, now, &mut batch);
                let is_news = batch.is_news;
                self.carry_out(batch).await;
                if is_news {
                    info!(incident = %id, %by, "acknowledged");
                    self.show();
                }
                // What could not be written is not yet done, and whoever asks hears nothing
                // rather than that; whoever asked may also have left.
                if self.is_kept() {
                    _ = reply.send(taken);
                }
            }
        }
    }
}
