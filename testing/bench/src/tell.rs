//! From a change that counts to the request that tells of it, while a thousand
//! monitors run; and the same beside a channel that hangs.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use target_server::{Answer, Received, Receiver};
use tokio::time::{Instant, sleep, timeout};

use crate::arrivals::{Arrival, Witness};
use crate::daemon::{self, Site};
use crate::figure::{Figure, Findings, median, quantile};
use crate::places::Places;
use crate::runtime::{self, Threads};
use crate::seen::millis;

/// How many monitors run.
const MONITORS: usize = 1_000;

/// From the start of one check to that of the next.
const EVERY: Duration = Duration::from_secs(10);

/// How long they run before anything is measured.
const WARM_UP: Duration = Duration::from_secs(15);

/// Every so many monitors ail, and recover.
const ONE_IN: usize = 5;

/// Longest of 99 in 100, in ms.
const GOAL: f64 = 200.0;

/// How long notices are waited for once all changes have come.
const PATIENCE: Duration = Duration::from_mins(1);

/// The channels whose requests are answered, by path.
const CHANNELS: [&str; 2] = ["/one", "/two"];

/// The channel that is never answered.
const HANGING: &str = "/hanging";

/// Whether one of the channels hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hanging {
    None,
    One,
}

/// All channels answer.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    runtime::run(Threads::Two, watch(places, Hanging::None))
}

/// One channel takes requests and never answers.
pub(crate) fn beside_one_that_hangs(places: &Places) -> anyhow::Result<Findings> {
    runtime::run(Threads::Two, watch(places, Hanging::One))
}

async fn watch(places: &Places, hanging: Hanging) -> anyhow::Result<Findings> {
    let witness = Witness::start(Duration::ZERO).context("cannot start a target")?;
    let receiver = Receiver::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    receiver.at(HANGING, Answer::hang());
    let site = Site::warm(places, &config(&witness, &receiver, hanging)?).await?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    daemon.loaded().await?;
    sleep(WARM_UP).await;
    drop(witness.take());
    receiver.forget();

    // Each is found at its next check, so that the changes are spread over an
    // interval, as many a second as a bad day has.
    let changing: Vec<usize> = (0..MONITORS).step_by(ONE_IN).collect();
    witness.ail(changing.iter().copied());
    sleep(EVERY + EVERY / 2).await;
    witness.ail([]);
    sleep(EVERY + EVERY / 2).await;
    let changes = changes(&witness.take());
    ensure!(
        changes.len() == changing.len() * 2,
        "{} changes of {} monitors",
        changes.len(),
        changing.len()
    );
    let expected = changes.len() * CHANNELS.len();
    let told = timeout(PATIENCE, told(&receiver, expected))
        .await
        .context("not all notices ever arrived")??;
    daemon.stop().await?;

    let mut took = Vec::with_capacity(expected);
    for channel in CHANNELS {
        for (change, at) in &changes {
            let key = (channel.to_owned(), *change);
            let told = told.get(&key).context("a change was not told")?;
            took.push(millis(told.saturating_duration_since(*at)));
        }
    }
    let how = format!(
        "{MONITORS} monitors every {EVERY:?}; {} changes at their checks, {} webhooks; from the request of the check whose answer was another to the webhook's",
        changes.len(),
        CHANNELS.len()
    );
    let mut findings = Findings::default();
    findings.add(
        Figure::new(
            "change to request, p99",
            quantile(&took, 0.99),
            "ms",
            how.clone(),
        )
        .at_most(GOAL),
    );
    findings.add(Figure::new(
        "change to request, median",
        median(&took),
        "ms",
        how.clone(),
    ));
    findings.add(Figure::new(
        "change to request, longest",
        quantile(&took, 1.0),
        "ms",
        how,
    ));
    if hanging == Hanging::One {
        let tried = receiver.received();
        let tried = tried.iter().filter(|each| each.path == HANGING).count();
        ensure!(tried > 0, "the channel that hangs was never tried");
        findings.add(Figure::new(
            "requests to the channel that hangs",
            tried as f64,
            "",
            "none was answered",
        ));
    }
    Ok(findings)
}

fn config(witness: &Witness, receiver: &Receiver, hanging: Hanging) -> anyhow::Result<String> {
    let defaults = format!(
        "every = \"{}s\"\ntimeout = \"9s\"\nflap = false\nretry = {{ times = 0 }}",
        EVERY.as_secs()
    );
    let targets = (0..MONITORS).map(|number| witness.url(number));
    let mut config = daemon::fleet(&defaults, targets);
    let hanging = (hanging == Hanging::One).then_some(HANGING);
    for path in CHANNELS.into_iter().chain(hanging) {
        let id = path.trim_start_matches('/');
        write!(
            config,
            "\n[[channel]]\nid = \"{id}\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n\n[[route]]\nto = [\"{id}\"]\non = [\"sick\", \"dead\", \"recovered\"]\ngroup_wait = \"0s\"\n",
            receiver.url(path)
        )?;
    }
    Ok(config)
}

/// A monitor's number, and whether it is well.
type Change = (usize, bool);

/// When a check of each monitor first found something else than the one before.
fn changes(arrivals: &[Arrival]) -> Vec<(Change, Instant)> {
    let mut well: HashMap<usize, bool> = HashMap::new();
    let mut changes = Vec::new();
    for arrival in arrivals {
        let is_well = !arrival.ails;
        if well.insert(arrival.monitor, is_well).unwrap_or(true) != is_well {
            changes.push(((arrival.monitor, is_well), arrival.at));
        }
    }
    changes
}

/// When each change was first told on each channel that answers, once there are so
/// many of them.
async fn told(
    receiver: &Receiver,
    expected: usize,
) -> anyhow::Result<HashMap<(String, Change), Instant>> {
    loop {
        let mut told = HashMap::new();
        for received in receiver.received() {
            if CHANNELS.contains(&received.path.as_str())
                && let Some(change) = change(&received)?
            {
                told.entry((received.path.clone(), change))
                    .or_insert(received.at);
            }
        }
        if told.len() >= expected {
            return Ok(told);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The change that a notice tells of; none where it is of no target, such as the
/// host's own trouble with a channel.
fn change(received: &Received) -> anyhow::Result<Option<Change>> {
    let notice = received.json()?;
    let Some(target) = notice["affected"][0]["id"].as_str() else {
        return Ok(None);
    };
    let number = target.rsplit('/').next().and_then(|word| word.parse().ok());
    let number = number.with_context(|| format!("a notice of no target: {notice}"))?;
    Ok(Some((number, notice["health"] == "healthy")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_is_the_first_check_that_differs() {
        let at = Instant::now();
        let came = |monitor, ails| Arrival {
            monitor,
            at,
            ails,
            is_marked: false,
        };
        let arrivals = [
            came(1, false),
            came(2, true),
            came(1, true),
            came(2, true),
            came(1, true),
            came(1, false),
        ];
        let found: Vec<Change> = changes(&arrivals).into_iter().map(|(it, _)| it).collect();
        assert_eq!(found, [(2, false), (1, false), (1, true)]);
    }
}
