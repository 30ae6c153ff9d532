//! Measures the processor time of a future, and keeps its panics to itself.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// How long a run has kept a processor busy, shared between the future that is
/// measured and what stops it at its limit. All polls of one run happen one
/// after another, so that no order stronger than `Relaxed` is needed.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Nanoseconds of the polls that are over.
    spent: AtomicU64,
    /// Nanoseconds that the host worked on its behalf in other tasks.
    background: AtomicU64,
    /// The thread's processor clock when the poll now going on began.
    began: AtomicU64,
    /// Polls begun.
    polls: AtomicU64,
    /// The poll in which the guest was last interrupted while it computed.
    interrupted: AtomicU64,
}

impl Meter {
    /// Processor time of the polls that are over and of the work in the
    /// background.
    pub(crate) fn spent(&self) -> Duration {
        let polls = self.spent.load(Ordering::Relaxed);
        Duration::from_nanos(polls.saturating_add(self.background.load(Ordering::Relaxed)))
    }

    /// Processor time of the polls until now, to be asked on the thread that
    /// polls.
    pub(crate) fn spent_now(&self) -> Duration {
        let running = thread_time().saturating_sub(self.began.load(Ordering::Relaxed));
        Duration::from_nanos(self.spent.load(Ordering::Relaxed).saturating_add(running))
    }

    /// Notes that the guest gives its thread away while it computes.
    pub(crate) fn interrupt(&self) {
        self.interrupted
            .store(self.polls.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether the last poll ended because the guest was interrupted, rather than
    /// because it waits for something.
    pub(crate) fn computes(&self) -> bool {
        let polls = self.polls.load(Ordering::Relaxed);
        polls > 0 && self.interrupted.load(Ordering::Relaxed) == polls
    }

    /// Adds the processor time of `future`, which other threads may poll, to what
    /// the run is said to have spent. It does not count towards the limit: what
    /// the host does with a target's bytes is not for the guest to answer for.
    pub(crate) async fn background<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| {
            let began = thread_time();
            let polled = future.as_mut().poll(context);
            let took = thread_time().saturating_sub(began);
            self.background.fetch_add(took, Ordering::Relaxed);
            polled
        })
        .await
    }

    fn begin(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.began.store(thread_time(), Ordering::Relaxed);
    }

    fn end(&self) {
        let took = thread_time().saturating_sub(self.began.load(Ordering::Relaxed));
        self.spent.fetch_add(took, Ordering::Relaxed);
    }
}

/// A future whose polls a [`Meter`] measures. A panic in one of them is its
/// output, and ends nothing else.
pub(crate) struct Metered<'a, F> {
    future: F,
    meter: &'a Meter,
}

impl<'a, F: Future + Unpin> Metered<'a, F> {
    pub(crate) fn new(future: F, meter: &'a Meter) -> Self {
        Self { future, meter }
    }
}

impl<F: Future + Unpin> Future for Metered<'_, F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, meter } = &mut *self;
        meter.begin();
        // A store that a panic went through is dropped and never entered again,
        // so that nobody sees what it left half done.
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(context)));
        meter.end();
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(words(&*panic))),
        }
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    if let Some(words) = panic.downcast_ref::<&str>() {
        (*words).to_owned()
    } else if let Some(words) = panic.downcast_ref::<String>() {
        words.clone()
    } else {
        "no words".to_owned()
    }
}

/// The processor time of this thread in nanoseconds. It stands still while
/// another thread has the processor, so that a busy machine makes no run longer.
#[cfg(unix)]
fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Time since the first call, in nanoseconds: the nearest thing at hand.
#[cfg(not(unix))]
fn thread_time() -> u64 {
    static START: std::sync::OnceLock<tokio::time::Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(tokio::time::Instant::now);
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(time: Duration) {
        let start = thread_time();
        let nanos = u64::try_from(time.as_nanos()).unwrap();
        while thread_time() - start < nanos {
            std::hint::spin_loop();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn counts_work_and_not_waiting() {
        let meter = Meter::default();
        let future = async {
            spin(Duration::from_millis(5));
            tokio::time::sleep(Duration::from_hours(1)).await;
            spin(Duration::from_millis(5));
        };
        Metered::new(Box::pin(future), &meter).await.unwrap();
        assert!(meter.spent() >= Duration::from_millis(10));
        assert!(meter.spent() < Duration::from_mins(1));
    }

    #[tokio::test]
    async fn a_panic_is_an_output() {
        let future = async { panic!("queue number {}", 3) };
        let outcome: Result<(), String> = Metered::new(Box::pin(future), &Meter::default()).await;
        assert_eq!(outcome.unwrap_err(), "queue number 3");
    }
}
