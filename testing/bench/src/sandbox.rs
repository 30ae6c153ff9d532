//! What the sandbox itself costs: a fresh instance, and a check that does nothing.

use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::rounds;
use crate::runtime::{self, Threads};
use crate::subject::Subject;

/// Checks in one round.
const CHECKS: usize = 20_000;

/// Most processor time for one check, in µs.
const GOAL: f64 = 20.0;

/// Measures on one and two threads, one check after another and many at a time.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    for threads in [Threads::One, Threads::Two] {
        for at_once in [1, 256] {
            let cost = runtime::run(threads, async {
                let subject = Subject::load(places, places.guest("trivial")?, "nothing").await?;
                let work = move |_| {
                    let subject = subject.clone();
                    async move { subject.check().await.map(drop) }
                };
                rounds::cost(CHECKS, async || {
                    rounds::drive(CHECKS, at_once, work.clone()).await
                })
                .await
            })?;
            let name = format!(
                "check by the trivial guest, {at_once} at once, {}",
                threads.words()
            );
            let how =
                format!("processor time of the process over {CHECKS} checks, median of 5 rounds");
            findings.add(Figure::new(name, cost, "µs", how).at_most(GOAL));
        }
    }
    Ok(findings)
}
