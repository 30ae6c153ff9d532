//! Doing something many times, and what each time cost.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::cpu;
use crate::figure::median;

/// How often the whole is measured: the middle of five is steady on a machine that
/// does other things now and then.
const ROUNDS: usize = 5;

/// Does `work` so many times, `at_once` at a time, each with its number.
pub(crate) async fn drive<F, W>(times: usize, at_once: usize, work: F) -> anyhow::Result<()>
where
    F: Fn(usize) -> W + Clone + Send + 'static,
    W: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut lanes = JoinSet::new();
    for lane in 0..at_once {
        let work = work.clone();
        lanes.spawn(async move {
            for number in (lane..times).step_by(at_once) {
                work(number).await?;
                // What never waits would keep the other lanes from starting.
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended??;
    }
    Ok(())
}

/// Processor time of this process, in µs for each of the `times` that `round` does
/// something: the middle of several rounds, after one that is not counted.
pub(crate) async fn cost(
    times: usize,
    mut round: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    round().await?;
    let mut costs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let before = cpu::own();
        round().await?;
        costs.push(cpu::own().saturating_sub(before).as_secs_f64() * 1e6 / times as f64);
    }
    Ok(median(&costs))
}

/// Processor time of this process, in µs for each time that `once` is done, so many
/// times a second for a while.
pub(crate) async fn paced(
    per_second: u32,
    time: Duration,
    mut once: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    once().await?;
    ticks.tick().await;
    let times = time.as_secs().saturating_mul(per_second.into());
    let before = cpu::own();
    for _ in 0..times {
        ticks.tick().await;
        once().await?;
    }
    Ok(cpu::own().saturating_sub(before).as_secs_f64() * 1e6 / times as f64)
}
