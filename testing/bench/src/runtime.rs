//! Runtimes of a certain width, and the end of everything on them.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};

/// The longest that one measurement may take.
const LIMIT: Duration = Duration::from_mins(8);

/// How many threads do the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// This one alone.
    One,
    /// Two workers.
    Two,
}

impl Threads {
    /// `1 thread`, `2 threads`.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::One => "1 thread",
            Self::Two => "2 threads",
        }
    }
}

/// Does `work`, at most until the limit, or until somebody asks for the end. What it
/// started is dropped with it.
pub(crate) fn run<T>(
    threads: Threads,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::Two => tokio::runtime::Builder::new_multi_thread(),
    };
    if threads == Threads::Two {
        builder.worker_threads(2);
    }
    let runtime = builder
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = tokio::time::timeout(LIMIT, work) => done.context("took too long")?,
            _ = terminate.recv() => bail!("was told to stop"),
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                bail!("was interrupted")
            }
        }
    })
}
