//! What a JavaScript probe costs: its engine, and a request with its JSON.

use serde_json::json;

use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::rounds;
use crate::runtime::{self, Threads};
use crate::subject::Subject;
use crate::target::TargetServer;

/// Checks in one round.
const CHECKS: usize = 500;

/// Most processor time for a check, in µs.
const GOAL: f64 = 3_000.0;

/// What is measured, by what it is called.
const SCRIPTS: [(&str, &str); 2] = [
    (
        "a function that returns",
        "function check() { return { health: 'healthy' }; }",
    ),
    (
        "one fetch, a JSON path and a threshold",
        "async function check(target, { values }) {
           const answer = await fetch(target, { headers: { accept: 'application/json' } });
           if (!answer.ok) return { health: 'dead', reason: 'status ' + answer.status };
           const { queue } = await answer.json();
           return {
             health: queue.depth > values.max ? 'sick' : 'healthy',
             reason: queue.depth + ' jobs wait',
             measurements: { 'jobs-waiting': [queue.depth, 'jobs'] },
           };
         }",
    ),
];

/// Measures both.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let server = TargetServer::start(places)?;
    let url = server.url("/json");
    let costs = runtime::run(Threads::One, costs(places, &url))?;
    let mut findings = Findings::default();
    for ((name, _), cost) in SCRIPTS.into_iter().zip(costs) {
        let how = format!(
            "bundled probe `js`; processor time of this process over {CHECKS}, median of 5 rounds"
        );
        findings.add(Figure::new(name, cost, "µs", how).at_most(GOAL));
    }
    Ok(findings)
}

/// Processor time of a check with each script, in µs.
async fn costs(places: &Places, url: &str) -> anyhow::Result<Vec<f64>> {
    let subject = Subject::load(places, places.plugin("js")?, url).await?;
    let mut costs = Vec::new();
    for (_, script) in SCRIPTS {
        let config = json!({ "script": script, "values": { "max": 100 } });
        let subject = subject.clone().configured(&config.to_string());
        let check = move |_| {
            let subject = subject.clone();
            async move { subject.check().await.map(drop) }
        };
        let round = async || rounds::drive(CHECKS, 1, check.clone()).await;
        costs.push(rounds::cost(CHECKS, round).await?);
    }
    Ok(costs)
}
