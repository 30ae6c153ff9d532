//! How long after a target stops the webhook arrives.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use target_server::{HttpTarget, Receiver};
use tokio::time::{Instant, sleep, timeout};

use crate::daemon::Site;
use crate::figure::{Figure, Findings, median, quantile};
use crate::places::Places;
use crate::runtime::{self, Threads};

/// How often the target stops.
const ROUNDS: usize = 10;

/// Between two checks. Shorter than most people's, so that ten rounds end soon; the
/// bound grows with it.
const EVERY: Duration = Duration::from_secs(2);

/// The pause before a dead check is repeated.
const RETRY: Duration = Duration::from_millis(500);

/// What may be added to interval and retry.
const SLACK: Duration = Duration::from_secs(1);

/// How long a notice is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stops the target at random moments.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    let took = runtime::run(Threads::Two, watch(places))?;
    let bound = EVERY + RETRY + SLACK;
    let how = format!(
        "{ROUNDS} rounds: the target's port closed at a random moment; checked every {EVERY:?}, retried after {RETRY:?}"
    );
    let mut findings = Findings::default();
    findings.add(
        Figure::new(
            "refused to first webhook, longest",
            quantile(&took, 1.0),
            "s",
            how.clone(),
        )
        .at_most(bound.as_secs_f64()),
    );
    findings.add(Figure::new(
        "refused to first webhook, median",
        median(&took),
        "s",
        how,
    ));
    let intervals = quantile(&took, 1.0) / EVERY.as_secs_f64();
    findings.add(Figure::new(
        "the longest in intervals",
        intervals,
        "×",
        "quotient",
    ));
    Ok(findings)
}

async fn watch(places: &Places) -> anyhow::Result<Vec<f64>> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let target = HttpTarget::start(any).await?;
    let receiver = Receiver::start(any).await?;
    let config = format!(
        r#"
[defaults]
every = "{}ms"
timeout = "1s"
retry = {{ times = 1, wait = "{}ms" }}
flap = false

[[service]]
id = "shop"

[[service.monitor]]
id = "home"
targets = ["{}"]

[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "{}" }}

[[route]]
to = ["hook"]
on = ["dead", "recovered"]
"#,
        EVERY.as_millis(),
        RETRY.as_millis(),
        target.url("/ok"),
        receiver.url("/hook"),
    );
    let site = Site::new(places, &config)?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    daemon.loaded().await?;
    timeout(PATIENCE, first_check(&target))
        .await
        .context("the target is not checked")?;
    let mut took = Vec::with_capacity(ROUNDS);
    let mut next = 0;
    for _ in 0..ROUNDS {
        sleep(EVERY + EVERY.mul_f64(fastrand::f64())).await;
        let stopped = Instant::now();
        target.stop().await;
        let (told, number) = notice(&receiver, next, "dead").await?;
        took.push(told.saturating_duration_since(stopped).as_secs_f64());
        target.restart().await?;
        (_, next) = notice(&receiver, number, "healthy").await?;
    }
    daemon.stop().await?;
    Ok(took)
}

async fn first_check(target: &HttpTarget) {
    while target.hits() == 0 {
        sleep(Duration::from_millis(20)).await;
    }
}

/// When the first notice of this health arrived, and the number of the one after it.
async fn notice(
    receiver: &Receiver,
    mut next: u64,
    health: &str,
) -> anyhow::Result<(Instant, u64)> {
    let waiting = async {
        loop {
            let received = receiver.nth(next).await;
            next = received.number + 1;
            if received.json()?["health"] == health {
                return anyhow::Ok((received.at, next));
            }
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .with_context(|| format!("no notice that it is {health}"))?
}
