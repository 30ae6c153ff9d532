//! What people want done to what the board knows: carried out by the one task that
//! decides, and answered once it would survive the end of the process.

use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::info;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::incident::{Acknowledgement, IncidentId, Refused};
use watchkeeper_store::{Breach, IncidentStory};
use watchkeeper_web::MonitorState;

use crate::apply::Apply;
use crate::board::Batch;
use crate::board::announced::{self, Announcement};
use crate::board::incidents::people::{Deed, NotDone};
use crate::board::planned::{self, Planned, Wish};
use crate::scheduler::Request;
use crate::survey;

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
    /// To do something to an incident, or to open one.
    Tell {
        id: Option<IncidentId>,
        deed: Box<Deed>,
        /// How many entries its timeline has, as far as whoever does it has seen.
        revision: Option<u32>,
        by: Arc<str>,
        /// The incidents that it is about, as they are kept.
        stories: Vec<IncidentStory>,
        /// Who waits to hear which incident it is.
        reply: oneshot::Sender<Result<IncidentId, NotDone>>,
    },
    /// To announce something, or otherwise.
    Announce {
        wish: Box<announced::Wish>,
        /// What whoever wishes has seen.
        revision: Option<u32>,
        by: Arc<str>,
        /// Who waits to hear what became of it.
        reply: oneshot::Sender<Result<Arc<Announcement>, announced::Refused>>,
    },
    /// To plan something, or otherwise.
    Maintain {
        wish: Box<Wish>,
        /// What whoever wishes has seen.
        revision: Option<u32>,
        by: Arc<str>,
        /// Who waits to hear what became of it.
        reply: oneshot::Sender<Result<Arc<Planned>, planned::Refused>>,
    },
    /// To keep promises that were found broken, and to tell of those who wants to
    /// hear of it and was not told.
    TellBreaches(Vec<FoundBreach>),
    /// To pause monitors, or to go on with them.
    Pause {
        monitors: Vec<MonitorId>,
        wanted: Wanted,
        by: Arc<str>,
        /// Who waits to hear that it is so, or which monitor is not known.
        reply: oneshot::Sender<Result<(), MonitorId>>,
    },
    /// To say how every monitor is.
    Survey {
        /// Who waits to hear it.
        reply: oneshot::Sender<Arc<Vec<MonitorState>>>,
    },
    /// To check monitors now.
    Check {
        monitors: Vec<MonitorId>,
        /// Who waits to hear that it is asked for, or why it is not.
        reply: oneshot::Sender<Result<(), NotChecked>>,
    },
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(crate) struct FoundBreach {
    pub(crate) breach: Breach,
    /// Whether it is not kept yet.
    pub(crate) is_new: bool,
}

/// What is to become of monitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Paused,
    Watched,
}

/// Why a monitor cannot be checked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotChecked {
    Unknown(MonitorId),
    Paused(MonitorId),
    /// It is told and does not ask.
    Told(MonitorId),
    /// More is asked for than can be run.
    Busy,
}

impl Apply {
    /// Carries out `order`.
    pub(crate) async fn obey(&mut self, order: Order) {
        match order {
            Order::TellBreaches(found) => {
                let mut batch = Batch::default();
                self.board
                    .tell_breaches(found, self.clock.now(), &mut batch);
                self.carry_out(batch).await;
            }
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
            Order::Tell {
                id,
                deed,
                revision,
                by,
                stories,
                reply,
            } => {
                let mut batch = Batch::default();
                let now = self.clock.now();
                for story in stories {
                    self.board.recall_incident(story);
                }
                let done = self
                    .board
                    .do_deed(id, *deed, revision, &by, now, &mut batch);
                self.carry_out(batch).await;
                if done.is_ok() {
                    self.show();
                }
                if self.is_kept() {
                    _ = reply.send(done);
                }
            }
            Order::Announce {
                wish,
                revision,
                by,
                reply,
            } => {
                let mut batch = Batch::default();
                let now = self.clock.now();
                let done = self
                    .board
                    .announce_for(*wish, revision, &by, now, &mut batch);
                self.carry_out(batch).await;
                if done.is_ok() {
                    self.show();
                }
                if self.is_kept() {
                    _ = reply.send(done);
                }
            }
            Order::Maintain {
                wish,
                revision,
                by,
                reply,
            } => {
                let mut batch = Batch::default();
                let now = self.clock.now();
                let done = self.board.maintain(*wish, revision, &by, now, &mut batch);
                self.carry_out(batch).await;
                if done.is_ok() {
                    self.show();
                }
                if self.is_kept() {
                    _ = reply.send(done);
                }
            }
            Order::Pause {
                monitors,
                wanted,
                by,
                reply,
            } => {
                let mut batch = Batch::default();
                let now = self.clock.now();
                let done = match wanted {
                    Wanted::Paused => self.board.pause(&monitors, &by, now, &mut batch),
                    Wanted::Watched => self.board.go_on(&monitors, now, &mut batch),
                };
                let is_news = batch.is_news;
                // Before anything is asked for: what goes on is checked at once.
                self.show_paused();
                self.carry_out(batch).await;
                if is_news {
                    info!(?monitors, ?wanted, %by, "paused or gone on with");
                    self.show();
                }
                if self.is_kept() {
                    _ = reply.send(done);
                }
            }
            Order::Survey { reply } => {
                _ = reply.send(Arc::new(survey::monitors(&self.board)));
            }
            Order::Check { monitors, reply } => {
                _ = reply.send(self.check(&monitors));
            }
        }
    }

    /// Asks for checks out of turn.
    fn check(&self, monitors: &[MonitorId]) -> Result<(), NotChecked> {
        for id in monitors {
            let known = self.board.monitor(id);
            let known = known.ok_or_else(|| NotChecked::Unknown(id.clone()))?;
            if known.assigned.monitor.passive.is_some() {
                return Err(NotChecked::Told(id.clone()));
            }
            if self.board.is_paused(id) {
                return Err(NotChecked::Paused(id.clone()));
            }
        }
        for id in monitors {
            let request = Request::Monitor(id.clone());
            self.requests
                .try_send(request)
                .map_err(|_| NotChecked::Busy)?;
        }
        Ok(())
    }
}
