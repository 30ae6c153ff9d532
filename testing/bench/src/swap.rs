//! A plugin that is replaced while a thousand monitors run on it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep, sleep_until};

use crate::arrivals::{Arrival, MARK, Witness};
use crate::daemon::{self, Site};
use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::runtime::{self, Threads};
use crate::seen::{Beginning, Fleet, millis};

/// How many monitors run on it.
const MONITORS: usize = 1_000;

/// From the start of one check to that of the next.
const EVERY: Duration = Duration::from_secs(10);

/// How long they run before anything is measured.
const WARM_UP: Duration = Duration::from_secs(15);

/// When the file is put into the folder, from the beginning of what is measured.
const DROP_AFTER: Duration = Duration::from_secs(12);

/// How long is measured: four intervals.
const MEASURED: Duration = Duration::from_secs(40);

/// The user agent as the plugin sends it, without its version.
const AGENT: &[u8] = b"Watchkeeper/";

/// Puts a changed `http` into the plugins folder.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let component = changed(&places.plugin("http")?)?;
    runtime::run(Threads::One, watch(places, &component))
}

async fn watch(places: &Places, component: &[u8]) -> anyhow::Result<Findings> {
    let witness = Witness::start(Duration::ZERO).context("cannot start a target")?;
    let defaults = format!("every = \"{}s\"\ntimeout = \"9s\"", EVERY.as_secs());
    let config = daemon::fleet(&defaults, (0..MONITORS).map(|number| witness.url(number)));
    let site = Site::warm(places, &config).await?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    daemon.loaded().await?;
    sleep(WARM_UP).await;
    let fleet = Fleet {
        monitors: MONITORS,
        every: EVERY,
    };
    let beginning = Beginning::now(fleet, &daemon, &witness).await?;
    let end = beginning.at() + MEASURED;
    sleep_until(beginning.at() + DROP_AFTER).await;
    put(&site.plugins(), component)?;
    let dropped = Instant::now();
    sleep_until(end).await;
    let seen = beginning.end(&daemon, &witness).await?;
    daemon.stop().await?;

    let (first, all) = swapped(&seen.arrivals, dropped)?;
    let how = format!(
        "{MONITORS} monitors every {EVERY:?}; from the file in the folder, which has to be looked at twice and compiled, until"
    );
    let mut findings = Findings::default();
    findings.add(seen.lost().at_most(0.0));
    findings.add(seen.left_out().at_most(0.0));
    findings.add(seen.gaps_over_100().at_most(0.0));
    for figure in seen.gaps() {
        findings.add(figure);
    }
    findings.add(seen.lateness(0.99));
    findings.add(seen.not_healthy().at_most(0.0));
    findings.add(Figure::new(
        "to the first check by the new one",
        millis(first),
        "ms",
        format!("{how} a request with its mark arrives"),
    ));
    findings.add(Figure::new(
        "to the last check by the old one",
        millis(all),
        "ms",
        format!("{how} no request without it arrives"),
    ));
    Ok(findings)
}

/// How long after `dropped` the first marked request came, and the last without.
fn swapped(arrivals: &[Arrival], dropped: Instant) -> anyhow::Result<(Duration, Duration)> {
    let marked = arrivals.iter().filter(|arrival| arrival.is_marked);
    let first = marked.map(|arrival| arrival.at).min();
    let first = first.context("the new plugin was never used")?;
    let others = arrivals.iter().filter(|arrival| !arrival.is_marked);
    let last = others.map(|arrival| arrival.at).max();
    let last = last.context("the old plugin was never used")?;
    Ok((
        first.saturating_duration_since(dropped),
        last.saturating_duration_since(dropped),
    ))
}

/// The component with another user agent, and with a section that nobody reads and
/// that is another each time: it was never compiled before.
fn changed(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut changed = component.to_vec();
    let mut times = 0;
    let mut from = 0;
    while let Some(place) = changed
        .get(from..)
        .and_then(|rest| rest.windows(AGENT.len()).position(|part| part == AGENT))
    {
        let start = from + place;
        if let Some(part) = changed.get_mut(start..start + MARK.len()) {
            part.copy_from_slice(MARK);
        }
        from = start + MARK.len();
        times += 1;
    }
    ensure!(times > 0, "the http plugin has no user agent in it");
    // A custom section: its number, its length, the length of its name, the name.
    changed.extend(*b"\x00\x0d\x04seed");
    changed.extend(fastrand::u64(..).to_le_bytes());
    Ok(changed)
}

/// Writes beside the folder and moves the file in, as careful operators do.
fn put(folder: &Path, component: &[u8]) -> anyhow::Result<()> {
    let aside = folder.join("http.new");
    std::fs::write(&aside, component)?;
    std::fs::rename(aside, folder.join("http.wasm"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_one_has_the_mark_wherever_the_agent_was() {
        let found = changed(b"a Watchkeeper/0.1 b Watchkeeper/").unwrap();
        assert!(found.starts_with(b"a Watchkeepe2/0.1 b Watchkeepe2/\x00\x0d\x04seed"));
        assert_eq!(found.len(), 32 + 2 + 13);
        assert!(changed(b"nothing").is_err());
    }

    #[tokio::test]
    async fn the_mark_tells_old_from_new() {
        let dropped = Instant::now();
        let came = |after: u64, is_marked| Arrival {
            monitor: 0,
            at: dropped + Duration::from_millis(after),
            ails: false,
            is_marked,
        };
        let arrivals = [
            came(1, false),
            came(9, true),
            came(11, false),
            came(20, true),
        ];
        let (first, last) = swapped(&arrivals, dropped).unwrap();
        assert_eq!((first.as_millis(), last.as_millis()), (9, 11));
        assert!(swapped(&arrivals[..1], dropped).is_err());
    }
}
