//! How long many plugins take to be loaded: compiled at the very first start, and
//! taken from what that left at later ones.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::arrivals::Witness;
use crate::daemon::{self, Site};
use crate::figure::{Figure, Findings, median, quantile};
use crate::places::Places;
use crate::runtime::{self, Threads};

/// How many files lie in the plugins folder.
const FILES: usize = 30;

/// Starts that are measured.
const STARTS: usize = 5;

/// Longest warm start until all are loaded, in seconds.
const GOAL: f64 = 0.3;

/// What starts took, in seconds.
#[derive(Default)]
struct Took {
    /// Until checks begin.
    ready: Vec<f64>,
    /// Until every bundled plugin is there too.
    all: Vec<f64>,
}

/// Starts with a folder of thirty, then with the bundled ones alone.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let files = components(places)?;
    let (cold, warm) = runtime::run(Threads::Two, starts(places, &files))?;
    let (bundled, _) = runtime::run(Threads::Two, starts(places, &[]))?;
    let mut findings = Findings::default();
    let start = "from the start of the process until";
    let how = format!("{start} `/readyz` answered 200: {FILES} files in the plugins folder");
    findings.add(Figure::new(
        format!("{FILES} plugins, nothing compiled before"),
        median(&cold.ready),
        "s",
        format!("{how}, an empty data folder; one after the other, each on all cores"),
    ));
    let how = format!("{how}, {STARTS} starts");
    findings.add(
        Figure::new(
            format!("{FILES} plugins, compiled before, longest"),
            quantile(&warm.ready, 1.0),
            "s",
            how.clone(),
        )
        .at_most(GOAL),
    );
    findings.add(Figure::new(
        format!("{FILES} plugins, compiled before, median"),
        median(&warm.ready),
        "s",
        how,
    ));
    findings.add(Figure::new(
        "all bundled plugins besides, compiled before, median",
        median(&warm.all),
        "s",
        format!("{start} `watchkeeper_plugins_loading` is 0"),
    ));
    findings.add(Figure::new(
        "one bundled plugin used, nothing compiled before",
        median(&bundled.ready),
        "s",
        format!("{start} `/readyz` answered 200: an empty data folder"),
    ));
    findings.add(Figure::new(
        "all bundled plugins, nothing compiled before",
        median(&bundled.all),
        "s",
        format!(
            "{start} `watchkeeper_plugins_loading` is 0: compiled beside the checks at low priority"
        ),
    ));
    Ok(findings)
}

/// One start with nothing compiled, and several with what it left.
async fn starts(places: &Places, files: &[PathBuf]) -> anyhow::Result<(Took, Took)> {
    let witness = Witness::start(Duration::ZERO)?;
    let config = daemon::fleet("every = \"10s\"", std::iter::once(witness.url(0)));
    let site = Site::new(places, &config)?;
    for file in files {
        let name = file.file_name().context("a file has a name")?;
        std::fs::copy(file, site.plugins().join(name))?;
    }
    let cold = starts_of(&site, 1).await?;
    let warm = starts_of(&site, STARTS).await?;
    Ok((cold, warm))
}

async fn starts_of(site: &Site, times: usize) -> anyhow::Result<Took> {
    let mut took = Took::default();
    for _ in 0..times {
        let mut daemon = site.start(None)?;
        took.ready
            .push(daemon.answers("/readyz").await?.as_secs_f64());
        took.all.push(daemon.loaded().await?.as_secs_f64());
        daemon.stop().await?;
    }
    Ok(took)
}

/// The first components by name, `http` among them.
fn components(places: &Places) -> anyhow::Result<Vec<PathBuf>> {
    let folder = places.root.join("target/plugins");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(FILES);
    ensure!(
        files.len() == FILES,
        "{} has only {} plugins: start with `cargo xtask bench`",
        folder.display(),
        files.len()
    );
    Ok(files)
}
