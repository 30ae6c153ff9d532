//! Calls somebody again and again while the host decides about readings, so that
//! they can tell when it no longer does.
//!
//! A process that is there and decides nothing does not call: the task that decides
//! gives a pulse, and without it the call is withheld.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};
use watchkeeper_config::config::DeadMan as Settings;

use crate::assignment::Assignments;
use crate::source::Client;
use crate::telemetry::Metrics;

/// How old the last pulse may be. There is one each second.
const STILL: Duration = Duration::from_secs(15);

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of an answer is read; what it says does not matter.
const MOST: u64 = 64 << 10;

/// See the module.
pub(crate) struct DeadMan {
    pub(crate) assignments: watch::Receiver<Arc<Assignments>>,
    /// When the task that decides was last seen to.
    pub(crate) pulse: watch::Receiver<Instant>,
    pub(crate) client: Client,
    pub(crate) metrics: Arc<Metrics>,
}

impl DeadMan {
    /// Calls until dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let settings = self.assignments.borrow_and_update().config.dead_man.clone();
            let wait = async {
                match &settings {
                    Some(settings) => self.call_for_ever(settings).await,
                    None => std::future::pending().await,
                }
            };
            let mut assignments = self.assignments.clone();
            let followed = settings.clone();
            let changed = async move {
                let differs = |now: &Arc<Assignments>| now.config.dead_man != followed;
                assignments.wait_for(differs).await.is_ok()
            };
            tokio::select! {
                () = wait => {}
                goes_on = changed => if !goes_on { return },
            }
        }
    }

    async fn call_for_ever(&self, settings: &Settings) {
        let mut rhythm = tokio::time::interval(settings.every);
        rhythm.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rhythm.tick().await;
            let outcome = if self.pulse.borrow().elapsed() > STILL {
                warn!("nobody decides about readings: the call that says so is withheld");
                "withheld"
            } else {
                self.call(settings).await
            };
            self.metrics.dead_man(outcome);
        }
    }

    async fn call(&self, settings: &Settings) -> &'static str {
        let url = settings.url.expose();
        let Ok(uri) = url.parse() else {
            return "failed";
        };
        let called = timeout(PATIENCE, self.client.get(&uri, &[], None, MOST)).await;
        let problem = match called {
            Ok(Ok(answer)) if answer.status.is_success() => {
                debug!("told that the host works");
                return "called";
            }
            Ok(Ok(answer)) => format!("the answer is {}", answer.status),
            // Whoever knows the URL can call.
            Ok(Err(problem)) => format!("{problem:#}").replace(url, "****"),
            Err(_) => "no answer in 10 s".to_owned(),
        };
        warn!(%problem, "nobody could be told that the host works");
        "failed"
    }
}
