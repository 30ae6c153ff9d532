//! Guests that misbehave among monitors that do not: are those checked when they
//! are due?

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::sleep;

use crate::arrivals::Witness;
use crate::daemon::{self, Site};
use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::runtime::{self, Threads};
use crate::seen::{Beginning, Fleet};

/// How many do not misbehave.
const INNOCENTS: usize = 50;

/// From the start of one check to that of the next, for all.
const EVERY: Duration = Duration::from_secs(1);

/// How long they run before anything is measured.
const WARM_UP: Duration = Duration::from_secs(10);

/// How long is measured.
const MEASURED: Duration = Duration::from_secs(40);

/// What the hostile guests do, each its monitor, and with what.
const DEEDS: [(&str, &str); 8] = [
    ("loop", ""),
    ("sleep", ""),
    ("memory", ""),
    ("recursion", ""),
    ("resources", ""),
    ("log", "100000"),
    ("output", "10000000"),
    ("panic", "for a thousand words"),
];

/// Runs the innocents by themselves, then among the hostile.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    for (company, hostile) in [("alone", 0), ("among the hostile", DEEDS.len())] {
        for figure in runtime::run(Threads::One, watch(places, hostile))? {
            let name = format!("{}, {company}", figure.name);
            let figure = Figure { name, ..figure };
            findings.add(figure);
        }
    }
    findings.note(format!(
        "each of the hostile is checked every {EVERY:?} too, and does: {}",
        DEEDS.map(|(deed, _)| deed).join(", ")
    ));
    Ok(findings)
}

async fn watch(places: &Places, hostile: usize) -> anyhow::Result<Vec<Figure>> {
    let witness = Witness::start(Duration::ZERO).context("cannot start a target")?;
    let defaults = format!(
        "every = \"{}s\"\ntimeout = \"900ms\"\nflap = false",
        EVERY.as_secs()
    );
    let targets = (0..INNOCENTS).map(|number| witness.url(number));
    let mut config = daemon::fleet(&defaults, targets);
    if hostile > 0 {
        config.push_str("\n[[service]]\nid = \"hostile\"\n");
    }
    for (number, (deed, with)) in DEEDS.iter().take(hostile).enumerate() {
        write!(
            config,
            "\n[[service.monitor]]\nid = \"hostile-{number}\"\nprobe = \"hostile\"\ntargets = [\"hostile://{number}\"]\nconfig = {{ do = \"{deed}\", with = \"{with}\" }}\n"
        )?;
    }
    let site = Site::warm(places, &config).await?;
    std::fs::write(
        site.plugins().join("hostile.wasm"),
        places.guest("hostile")?,
    )?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    daemon.loaded().await?;
    sleep(WARM_UP).await;
    let fleet = Fleet {
        monitors: INNOCENTS,
        every: EVERY,
    };
    let before = daemon.metrics().await?;
    let beginning = Beginning::now(fleet, &daemon, &witness).await?;
    sleep(MEASURED).await;
    let seen = beginning.end(&daemon, &witness).await?;
    let after = daemon.metrics().await?;
    let counted = |label: &str| {
        let name = "watchkeeper_checks_total";
        after.sum(name, label) - before.sum(name, label)
    };
    let misdeeds = counted("plugin=\"hostile\"");
    ensure!(
        (hostile == 0) == (misdeeds <= 0.0),
        "{misdeeds} hostile checks by {hostile} monitors"
    );
    let innocent = counted("plugin=\"http\"") - counted("plugin=\"http\",outcome=\"healthy\"");
    daemon.stop().await?;
    let mut figures = vec![
        seen.lost().at_most(0.0),
        seen.gaps_over_100().at_most(0.0),
        seen.lateness(0.99),
    ];
    figures.extend(seen.gaps());
    figures.push(
        Figure::new(
            "innocents not healthy",
            innocent,
            "",
            "`watchkeeper_checks_total` of `http`",
        )
        .at_most(0.0),
    );
    figures.push(Figure::new(
        "hostile checks ended",
        misdeeds,
        "",
        "`watchkeeper_checks_total` of `hostile`",
    ));
    figures.push(seen.processor());
    Ok(figures)
}
