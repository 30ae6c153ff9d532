//! Delivers what the outbox holds: at least once, in order within a channel,
//! with the same notice id on every try.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use watchkeeper_engine::id::ChannelId;
use watchkeeper_engine::time::{Timestamp, spell};
use watchkeeper_sandbox::{Fault, NotifyOutcome};
use watchkeeper_store::{Delivery, DeliveryQuery, DeliveryState, Store};

use crate::aside::Aside;
use crate::assignment::{Assignments, Ready};
use crate::clock;
use crate::notice::{Notice, Occasion};
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

/// After how many failed tries in a row others are told that a channel fails.
const KEEPS_FAILING: u32 = 5;

/// How old a reminder may be without asking whether it is old news.
const FRESH: Duration = Duration::from_mins(1);

/// How many newer notices are looked at to see whether a reminder is old news.
const NEWER: usize = 200;

/// The delivery worker.
pub(crate) struct Outbox {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) assignments: watch::Receiver<Arc<Assignments>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) spaces: Arc<Spaces>,
    /// Rung after a commit that put something into the outbox.
    pub(crate) bell: Arc<Notify>,
    /// Where it is said how channels fare.
    pub(crate) asides: mpsc::Sender<Aside>,
}

/// How a channel fares.
#[derive(Debug, Default)]
struct Fare {
    /// Tries that failed since the last that did not.
    failures: u32,
    /// What was said of it last: whether it keeps failing. `None` since the start.
    said: Option<bool>,
}

/// How a try to deliver ended, as far as that says something of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Works,
    Fails(String),
    /// For good.
    GivesUp(String),
    Nothing,
}

impl Outbox {
    /// Delivers until `stop`, then lets tries under way finish.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut busy = HashSet::new();
        let mut fares: HashMap<ChannelId, Fare> = HashMap::new();
        let mut tries: JoinSet<(ChannelId, Verdict)> = JoinSet::new();
        loop {
            let wait = self.start_due(&mut busy, &mut tries).await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(done) = tries.join_next() => {
                    if let Ok((channel, verdict)) = done {
                        busy.remove(&channel);
                        self.judge(fares.entry(channel.clone()).or_default(), channel, verdict);
                    } else {
                        // A panicking try loses only its claim on the channel.
                        busy.clear();
                    }
                }
            }
        }
        while tries.join_next().await.is_some() {}
    }

    /// Says that a channel keeps failing, or that it works, where that is news.
    fn judge(&self, fare: &mut Fare, channel: ChannelId, verdict: Verdict) {
        let why = match verdict {
            Verdict::Nothing => return,
            Verdict::Works => {
                fare.failures = 0;
                None
            }
            Verdict::GivesUp(why) => Some(why),
            Verdict::Fails(why) => {
                fare.failures = fare.failures.saturating_add(1);
                if fare.failures < KEEPS_FAILING {
                    return;
                }
                Some(why)
            }
        };
        let keeps_failing = why.is_some();
        if fare.said != Some(keeps_failing)
            && self
                .asides
                .try_send(Aside::Channel { channel, why })
                .is_ok()
        {
            fare.said = Some(keeps_failing);
        }
    }

    /// Starts what is due on channels that are free. Returns how long to wait
    /// for the next, at most.
    async fn start_due(
        &self,
        busy: &mut HashSet<ChannelId>,
        tries: &mut JoinSet<(ChannelId, Verdict)>,
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
    async fn run(self) -> (ChannelId, Verdict) {
        let outcome = self.attempt().await;
        let mut verdict = match &outcome {
            Outcome::Delivered => Verdict::Works,
            Outcome::Again { reason, .. } => Verdict::Fails(reason.clone()),
            Outcome::Never(reason) => Verdict::GivesUp(reason.clone()),
            Outcome::OldNews => Verdict::Nothing,
        };
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
                let tried = attempts.saturating_add(1);
                let since = retried_at.unwrap_or(*created_at);
                if let Some(at) = next_try(now, since, tried, wait, fastrand::f64()) {
                    self.metrics.delivery(channel.as_str(), "postponed");
                    let next = spell(at.since(now));
                    warn!(%channel, notice = %self.delivery.notice_id, %reason, next, "notice not delivered");
                    self.store.postpone(*id, at, reason).await
                } else {
                    verdict = Verdict::GivesUp(reason.clone());
                    self.fail(now, reason).await
                }
            }
            Outcome::Never(reason) => self.fail(now, reason).await,
            Outcome::OldNews => {
                self.metrics.delivery(channel.as_str(), "superseded");
                info!(%channel, notice = %self.delivery.notice_id, "reminder left out: there is newer news");
                let reason = "a newer notice about the same outage takes its place";
                self.store.give_up(*id, now, reason.to_owned()).await
            }
        };
        if let Err(problem) = kept {
            // It stays pending and is tried again: at least once.
            error!(%channel, %problem, "delivery cannot be marked");
        }
        (self.delivery.channel, verdict)
    }

    /// Whether a reminder that had to wait is followed by something newer about the
    /// same monitor: a channel that works again hears how things are, not how often
    /// it was to be told.
    async fn is_old_news(&self, notice: &Notice) -> bool {
        let Delivery {
            id,
            channel,
            monitor: Some(monitor),
            created_at,
            ..
        } = &self.delivery
        else {
            return false;
        };
        if notice.occasion != Occasion::Reminder || clock::wall().since(*created_at) < FRESH {
            return false;
        }
        let waiting = DeliveryQuery {
            channel: Some(channel.clone()),
            state: Some(DeliveryState::Pending),
            before: None,
            limit: NEWER,
        };
        let Ok(waiting) = self.store.deliveries(waiting).await else {
            return false;
        };
        waiting
            .iter()
            .any(|other| other.id > *id && other.monitor.as_ref() == Some(monitor))
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
        if self.is_old_news(&notice).await {
            return Outcome::OldNews;
        }
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
                let (told, problems) = assigned.words.put(&notice.to_plugin());
                for problem in problems {
                    warn!(%channel, %problem, "a template fails; the host's words are sent");
                }
                let run = ready
                    .notify(channel.as_str(), assigned.timeout, told, state)
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
    /// A reminder that something newer makes needless.
    OldNews,
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
