//! The threads that compile components, which may never come back.
//!
//! wasmtime bounds neither the time that it takes to compile a component nor can
//! it be interrupted: a component can be made that takes for ever. Each is
//! therefore compiled on threads of its own. Those that are not done in time are
//! left behind, and later components get others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use rayon::ThreadPoolBuilder;
use tokio::sync::{Semaphore, oneshot};

/// How much longer than for others is waited for what nobody needs yet: on a
/// machine that is busy it gets next to no processor time.
const IDLE_PATIENCE: u32 = 6;

/// By how much threads step back whose work nobody needs yet: beside others they get
/// a tenth of a processor, and still come to an end.
const STEP_BACK: i32 = 10;

/// Compiles one component at a time that somebody waits for, and one beside it
/// that nobody does: compiling an interpreter takes hundreds of MiB.
#[derive(Debug)]
pub(crate) struct Compiler {
    patience: Duration,
    urgent: Lane,
    idle: Lane,
}

/// Whether somebody waits for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Yes.
    Urgent,
    /// No: what checks and pages leave of the processors is enough, and nothing
    /// urgent waits behind it.
    Idle,
}

/// Compilations that take turns.
#[derive(Debug)]
struct Lane {
    turns: Semaphore,
    /// One permit for each compilation that runs, waited for or left behind.
    running: Arc<Semaphore>,
}

impl Lane {
    fn new(most_left_behind: usize) -> Self {
        Self {
            turns: Semaphore::new(1),
            running: Arc::new(Semaphore::new(most_left_behind.saturating_add(1))),
        }
    }
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was not done in time. Its threads go on, as nothing can end them.
    TimedOut,
    /// As many as may be left behind have been, and not one has ended since.
    Stuck,
    /// It panicked.
    Panicked,
    /// The system gives no threads.
    NoThreads,
}

impl Compiler {
    /// Waits so long for one compilation, and leaves so many of each pace behind at
    /// most.
    pub(crate) fn new(patience: Duration, most_left_behind: usize) -> Self {
        Self {
            patience,
            urgent: Lane::new(most_left_behind),
            idle: Lane::new(most_left_behind),
        }
    }

    /// Runs `compile` when it is its turn. The patience begins then: who waits
    /// behind a component that takes for ever does not pay for it.
    pub(crate) async fn run<T, F>(&self, pace: Pace, compile: F) -> Result<T, Failure>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (lane, patience) = match pace {
            Pace::Urgent => (&self.urgent, self.patience),
            Pace::Idle => (&self.idle, self.patience * IDLE_PATIENCE),
        };
        let _turn = lane.turns.acquire().await.map_err(|_| Failure::Stuck)?;
        let running = Arc::clone(&lane.running);
        let permit = running.try_acquire_owned().map_err(|_| Failure::Stuck)?;
        // A pool of its own: wasmtime compiles functions side by side in the pool
        // that calls it, and one that never ends would keep the threads of all.
        let pool = ThreadPoolBuilder::new()
            .num_threads(available_parallelism().map_or(1, usize::from))
            .thread_name(|index| format!("compile-{index}"))
            .start_handler(move |_| {
                if pace == Pace::Idle {
                    // On Linux this is of the calling thread alone. Where it is
                    // refused the work is done all the same.
                    _ = rustix::process::nice(STEP_BACK);
                }
            })
            .build()
            .map_err(|_| Failure::NoThreads)?;
        let (sender, receiver) = oneshot::channel();
        // What was spawned keeps the pool alive, and the pool ends with it.
        pool.spawn(move || {
            // wasmtime does not promise to survive compiling hostile bytes.
            let compiled = catch_unwind(AssertUnwindSafe(compile));
            drop(permit);
            // Nobody may be waiting any more.
            _ = sender.send(compiled.map_err(|_| Failure::Panicked));
        });
        drop(pool);
        match tokio::time::timeout(patience, receiver).await {
            Ok(Ok(compiled)) => compiled,
            Ok(Err(_dropped)) => Err(Failure::Panicked),
            Err(_elapsed) => Err(Failure::TimedOut),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rayon::prelude::*;

    use super::*;

    /// Short, as it is waited for in full.
    const PATIENCE: Duration = Duration::from_millis(20);
    /// Long: what is waited for so long does not come.
    const ENOUGH: Duration = Duration::from_mins(1);

    /// A compilation that ends when the sender is dropped, on every thread that
    /// there is.
    fn endless() -> (mpsc::Sender<()>, impl FnOnce() -> u32 + Send + 'static) {
        let (sender, receiver) = mpsc::channel::<()>();
        let receiver = std::sync::Mutex::new(receiver);
        let compile = move || {
            let threads = rayon::current_num_threads();
            (0..threads).into_par_iter().for_each(|_| {
                let receiver = receiver.lock().unwrap();
                assert!(receiver.recv().is_err());
            });
            0
        };
        (sender, compile)
    }

    #[tokio::test]
    async fn what_never_ends_is_left_behind_and_others_go_on() {
        let compiler = Compiler::new(PATIENCE, 2);
        let mut kept = Vec::new();
        for _ in 0..3 {
            let (sender, compile) = endless();
            assert_eq!(
                compiler.run(Pace::Urgent, compile).await,
                Err(Failure::TimedOut)
            );
            kept.push(sender);
            if kept.len() < 3 {
                let patient = compiler.run(Pace::Urgent, || (0..100).into_par_iter().sum::<u32>());
                // On a busy machine a short patience may end before it is done.
                assert!(matches!(patient.await, Ok(4950) | Err(Failure::TimedOut)));
                while compiler.urgent.running.available_permits() < 3 - kept.len() {
                    tokio::task::yield_now().await;
                }
            }
        }
        assert_eq!(compiler.run(Pace::Urgent, || 1).await, Err(Failure::Stuck));
        // When one of them does end, there is room again.
        kept.pop();
        let room = async {
            while compiler.urgent.running.available_permits() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(ENOUGH, room).await.unwrap();
        assert_ne!(compiler.run(Pace::Urgent, || 1).await, Err(Failure::Stuck));
    }

    #[tokio::test]
    async fn one_is_compiled_at_a_time_and_a_panic_ends_nothing_else() {
        let compiler = Arc::new(Compiler::new(ENOUGH, 1));
        let failed = compiler
            .run(Pace::Urgent, || -> u32 { panic!("hostile bytes") })
            .await;
        assert_eq!(failed, Err(Failure::Panicked));
        let (sender, compile) = endless();
        let first = tokio::spawn({
            let compiler = Arc::clone(&compiler);
            async move { compiler.run(Pace::Urgent, compile).await }
        });
        while compiler.urgent.running.available_permits() == 2 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let compiler = Arc::clone(&compiler);
            async move { compiler.run(Pace::Urgent, || 1).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(
            compiler.urgent.running.available_permits(),
            1,
            "the second waits"
        );
        drop(sender);
        assert_eq!(first.await.unwrap(), Ok(0));
        assert_eq!(second.await.unwrap(), Ok(1));
    }

    #[tokio::test]
    async fn what_is_urgent_does_not_wait_for_what_is_idle() {
        let compiler = Arc::new(Compiler::new(ENOUGH, 1));
        let (sender, compile) = endless();
        let idle = tokio::spawn({
            let compiler = Arc::clone(&compiler);
            async move { compiler.run(Pace::Idle, compile).await }
        });
        while compiler.idle.running.available_permits() == 2 {
            tokio::task::yield_now().await;
        }
        let priority = || rustix::process::getpriority_process(None).unwrap();
        assert_eq!(compiler.run(Pace::Urgent, priority).await, Ok(priority()));
        drop(sender);
        assert_eq!(idle.await.unwrap(), Ok(0));
        let stepped_back = compiler.run(Pace::Idle, priority).await;
        // There is none below 19.
        assert_eq!(stepped_back, Ok((priority() + STEP_BACK).min(19)));
    }
}
