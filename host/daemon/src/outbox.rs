//! Delivers what the outbox holds: at least once, in order within a channel,
//! with the same notice id on every try.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use watchkeeper_engine::id::ChannelId;
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_sandbox::{Fault, NotifyOutcome};
use watchkeeper_store::{Delivery, DeliveryState, Store};

use crate::assignment::{Assignments, Ready};
use crate::clock;
use crate::notice::Notice;
use crate::run;
use crate::spaces::{Owner, Spaces};
use crate::telemetry::Metrics;

/// The first pause after a failed try.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// How long a notice is tried before it is kept as failed.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// How often the outbox is looked at when nothing announces work: a floor under
/// every missed wake-up.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How many channels are delivered to side by side; one has at most one delivery
/// under way.
const SIDE_BY_SIDE: usize = 64;

/// The delivery worker.
pub(crate) struct Outbox {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) assignments: watch::Receiver<Arc<Assignments>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) spaces: Arc<Spaces>,
    /// Rung after a commit that put something into the outbox.
    pub(crate) bell: Arc<Notify>,
}

impl Outbox {
    /// Delivers until `stop`, then lets tries under way finish.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut busy = HashSet::new();
        let mut tries: JoinSet<ChannelId> = JoinSet::new();
        loop {
            let wait = self.start_due(&mut busy, &mut tries).await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(done) = tries.join_next() => {
                    if let Ok(channel) = done {
                        busy.remove(&channel);
                    } else {
                        // A panicking try loses only its claim on the channel.
                        busy.clear();
                    }
                }
            }
        }
        while tries.join_next().await.is_some() {}
    }

    /// Starts what is due on channels that are free. Returns how long to wait
    /// for the next, at most.
    async fn start_due(
        &self,
        busy: &mut HashSet<ChannelId>,
        tries: &mut JoinSet<ChannelId>,
    ) -> Duration {
        let now = clock::wall();
        let due = match self.store.due_deliveries(now, SIDE_BY_SIDE).await {
            Ok(due) => due,
            Err(problem) => {
                error!(%problem, "outbox cannot be read");
                return LOOK_EVERY;
            }
        };
        if let Ok(counts) = self.store.delivery_counts().await {
            self.metrics
                .deliveries_pending
                .set(i64::try_from(counts.pending).unwrap_or(i64::MAX));
            let age = counts.oldest_pending.map(|at| now.since(at));
            self.metrics
                .oldest_delivery
                .set(age.unwrap_or_default().as_secs_f64());
        }
        for delivery in due {
            if busy.len() >= SIDE_BY_SIDE || !busy.insert(delivery.channel.clone()) {
                continue;
            }
            let assignments = Arc::clone(&self.assignments.borrow());
            let attempt = Try {
                store: Arc::clone(&self.store),
                metrics: Arc::clone(&self.metrics),
                spaces: Arc::clone(&self.spaces),
                assignments,
                delivery,
            };
            tries.spawn(attempt.run());
        }
        match self.store.next_delivery_at().await {
            Ok(Some(at)) if busy.is_empty() => {
                at.since(now).clamp(Duration::from_millis(50), LOOK_EVERY)
            }
            _ => LOOK_EVERY,
        }
    }
}

/// One try to deliver one notice.
struct Try {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    spaces: Arc<Spaces>,
    assignments: Arc<Assignments>,
    delivery: Delivery,
}

impl Try {
    async fn run(self) -> ChannelId {
        let outcome = self.attempt().await;
        let Delivery {
            id,
            channel,
            attempts,
            created_at,
            retried_at,
            ..
        } = &self.delivery;
        let now = clock::wall();
        let kept = match outcome {
            Outcome::Delivered => {
                self.metrics.delivery(channel.as_str(), "delivered");
                info!(%channel, notice = %self.delivery.notice_id, "notice delivered");
                self.store.delivered(*id, now).await
            }
            Outcome::Again { reason, wait } => {
                match next_try(
                    now,
                    retried_at.unwrap_or(*created_at),
                    attempts.saturating_add(1),
                    wait,
                    fastrand::f64(),
                ) {
                    Some(at) => {
                        self.metrics.delivery(channel.as_str(), "postponed");
                        let next = spell(at.since(now));
                        warn!(%channel, notice = %self.delivery.notice_id, %reason, next, "notice not delivered");
                        self.store.postpone(*id, at, reason).await
                    }
                    None => self.fail(now, reason).await,
                }
            }
            Outcome::Never(reason) => self.fail(now, reason).await,
        };
        if let Err(problem) = kept {
            // It stays pending and is tried again: at least once.
            error!(%channel, %problem, "delivery cannot be marked");
        }
        self.delivery.channel
    }

    async fn fail(
        &self,
        now: Timestamp,
        reason: String,
    ) -> Result<(), watchkeeper_store::StoreError> {
        self.metrics
            .delivery(self.delivery.channel.as_str(), "failed");
        error!(
            channel = %self.delivery.channel, notice = %self.delivery.notice_id, %reason,
            "notice given up"
        );
        self.store.give_up(self.delivery.id, now, reason).await
    }

    async fn attempt(&self) -> Outcome {
        debug_assert_eq!(self.delivery.state, DeliveryState::Pending);
        let notice = match Notice::from_payload(&self.delivery.payload) {
            Ok(notice) => notice,
            Err(problem) => {
                return Outcome::Never(format!("the outbox holds no notice: {problem}"));
            }
        };
        let channel = &self.delivery.channel;
        let Some(assigned) = self.assignments.channels.get(channel) else {
            return Outcome::Never(format!("channel `{channel}` is no longer configured"));
        };
        match &assigned.plugin {
            Ready::Missing(why) => Outcome::Again {
                reason: why.to_string(),
                wait: None,
            },
            Ready::Use(ready) => {
                let owner = Owner::Channel(channel);
                let state = self.spaces.get(&owner);
                let run = ready
                    .notify(
                        channel.as_str(),
                        assigned.timeout,
                        notice.to_plugin(),
                        state,
                    )
                    .await;
                let plugin = ready.plugin.description().name.as_str();
                run.log
                    .iter()
                    .for_each(|line| run::pass_on(line, plugin, channel));
                if let Some(kept) = run.state {
                    self.spaces.put(&owner, kept).await;
                }
                match run.outcome {
                    NotifyOutcome::Delivered => Outcome::Delivered,
                    NotifyOutcome::Temporary {
                        reason,
                        retry_after,
                    } => Outcome::Again {
                        reason,
                        wait: retry_after,
                    },
                    NotifyOutcome::Permanent(reason) => Outcome::Never(reason),
                    // A missing grant stays missing until the operator grants it, and then
                    // the notice is old news.
                    NotifyOutcome::Fault(Fault::Denied(why)) => Outcome::Never(why),
                    // A trap or a limit may have been the receiver's doing.
                    NotifyOutcome::Fault(fault) => Outcome::Again {
                        reason: fault.to_string(),
                        wait: None,
                    },
                }
            }
        }
    }
}

enum Outcome {
    Delivered,
    Again {
        reason: String,
        wait: Option<Duration>,
    },
    Never(String),
}

/// When to try again after `attempts` failed tries, or `None` to give up. The
/// pause doubles from 2 s to 15 min; `dice` in 0..1 spreads it over its upper
/// half, so that receivers are not met by everyone at once; a receiver that said
/// how long to wait is not asked sooner.
fn next_try(
    now: Timestamp,
    created_at: Timestamp,
    attempts: u32,
    wait: Option<Duration>,
    dice: f64,
) -> Option<Timestamp> {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let pause = doubled
        .min(LONGEST_PAUSE)
        .mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0);
    let at = now + pause.max(wait.unwrap_or_default());
    (at.since(created_at) <= GIVE_UP_AFTER).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(attempts: u32, wait: Option<u64>, dice: f64) -> u128 {
        let start = Timestamp::from_millis(0);
        let at = next_try(start, start, attempts, wait.map(Duration::from_secs), dice).unwrap();
        at.since(start).as_millis()
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let pauses = [1, 2, 3, 4, 9, 10, 60, u32::MAX].map(|attempts| after(attempts, None, 1.0));
        assert_eq!(
            pauses,
            [
                2_000, 4_000, 8_000, 16_000, 512_000, 900_000, 900_000, 900_000
            ]
        );
        assert_eq!(after(1, None, 0.0), 1_000);
    }

    #[test]
    fn the_receivers_wait_is_honoured() {
        assert_eq!(after(1, Some(30), 1.0), 30_000);
        assert_eq!(after(10, Some(30), 1.0), 900_000);
    }

    #[test]
    fn a_day_of_failures_ends_it() {
        let (created, mut now, mut tries) =
            (Timestamp::from_millis(0), Timestamp::from_millis(0), 0);
        while let Some(next) = next_try(now, created, tries + 1, None, 1.0) {
            (now, tries) = (next, tries + 1);
        }
        assert!((95..=110).contains(&tries), "{tries} tries");
        assert!(now.since(created) > GIVE_UP_AFTER.saturating_sub(LONGEST_PAUSE));
    }
}
