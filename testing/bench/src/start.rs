//! How soon after its start the page is there.

use std::time::Duration;

use crate::arrivals::Witness;
use crate::daemon::{self, Site};
use crate::figure::{Figure, Findings, median, quantile};
use crate::places::Places;
use crate::runtime::{self, Threads};

/// How many monitors the page shows.
const MONITORS: usize = 1_000;

/// Starts that are measured.
const STARTS: usize = 5;

/// How long the first run goes on, so that the next find some history.
const FIRST_RUN: Duration = Duration::from_secs(6);

/// Starts once with nothing, then again and again with what that left.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    runtime::run(Threads::Two, watch(places))
}

async fn watch(places: &Places) -> anyhow::Result<Findings> {
    let witness = Witness::start(Duration::ZERO)?;
    let targets = (0..MONITORS).map(|number| witness.url(number));
    let site = Site::new(places, &daemon::fleet("every = \"10s\"", targets))?;
    let mut cold = site.start(None)?;
    let cold_page = cold.answers("/").await?;
    let cold_ready = cold.answers("/readyz").await?;
    let cold_all = cold.loaded().await?;
    tokio::time::sleep(FIRST_RUN).await;
    cold.stop().await?;
    let (mut pages, mut readies) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut warm = site.start(None)?;
        pages.push(warm.answers("/").await?.as_secs_f64());
        readies.push(warm.answers("/readyz").await?.as_secs_f64());
        warm.stop().await?;
    }
    let how = format!(
        "{STARTS} starts with {MONITORS} monitors, history and compiled plugins: from the start of the process until"
    );
    let mut findings = Findings::default();
    findings.add(
        Figure::new(
            "start to the page, longest",
            quantile(&pages, 1.0),
            "s",
            format!("{how} `GET /` was answered"),
        )
        .at_most(1.0),
    );
    findings.add(Figure::new(
        "start to the page, median",
        median(&pages),
        "s",
        format!("{how} `GET /` was answered"),
    ));
    findings.add(Figure::new(
        "start to checking, median",
        median(&readies),
        "s",
        format!("{how} `/readyz` answered 200"),
    ));
    findings.add(Figure::new(
        "first start to the page",
        cold_page.as_secs_f64(),
        "s",
        "an empty data folder",
    ));
    findings.add(Figure::new(
        "first start to checking",
        cold_ready.as_secs_f64(),
        "s",
        "an empty data folder: the only plugin that is used is compiled",
    ));
    findings.add(Figure::new(
        "first start to all bundled plugins",
        cold_all.as_secs_f64(),
        "s",
        "an empty data folder: those that nothing uses are compiled beside the checks",
    ));
    Ok(findings)
}
