//! A thousand notices in one second.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use target_server::Receiver;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::daemon::{Daemon, Site};
use crate::figure::{Figure, Findings};
use crate::places::Places;
use crate::runtime::{self, Threads};
use crate::seen::millis;

/// How many channels are told of each change.
const CHANNELS: usize = 4;

/// Monitors; each dies and recovers.
const MONITORS: usize = 125;

/// Changes of health.
const CHANGES: usize = MONITORS * 2;

/// Notices in all.
const NOTICES: usize = CHANGES * CHANNELS;

/// In which all changes are reported.
const WITHIN: Duration = Duration::from_secs(1);

/// Most processor time for a notice, in µs.
const GOAL: f64 = 2_000.0;

/// How long deliveries are waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// `:storm-of-the-bench` in base 64.
const PASSWORD: &str = "Basic OnN0b3JtLW9mLXRoZS1iZW5jaA==";

/// Reports changes of monitors that are told, so that no check costs anything.
pub(crate) fn measure(places: &Places) -> anyhow::Result<Findings> {
    runtime::run(Threads::Two, watch(places))
}

async fn watch(places: &Places) -> anyhow::Result<Findings> {
    let receiver = Receiver::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let site = Site::warm(places, &config(&receiver)?).await?;
    let mut daemon = site.start(None)?;
    daemon.answers("/readyz").await?;
    daemon.loaded().await?;
    for monitor in 0..MONITORS {
        report(daemon.url(&path(monitor)), "healthy").await?;
    }
    receiver.forget();

    let cpu = daemon.cpu()?;
    let began = Instant::now();
    let reported = reports(&daemon).await?;
    let last = timeout(PATIENCE, delivered(&receiver))
        .await
        .context("not all notices ever arrived")?;
    let cpu = daemon.cpu()?.saturating_sub(cpu);
    let received = receiver.received();
    let mut told = Vec::with_capacity(received.len());
    for each in &received {
        let notice = each.json()?;
        let id = notice["id"].as_str().unwrap_or_default().to_owned();
        let monitor = notice["affected"][0]["id"].to_string();
        let is_well = notice["health"] == "healthy";
        told.push((
            each.path.clone(),
            Told {
                id,
                monitor,
                is_well,
            },
        ));
    }
    daemon.stop().await?;

    let channels = by_channel(told);
    ensure!(
        channels.len() == CHANNELS,
        "{} channels were told",
        channels.len()
    );
    let how = format!(
        "{CHANGES} changes reported within {WITHIN:?}, each told on {CHANNELS} webhooks by itself"
    );
    let mut findings = Findings::default();
    let lost: usize = channels.values().map(|told| CHANGES - distinct(told)).sum();
    findings.add(Figure::new("notices lost", lost as f64, "", how.clone()).at_most(0.0));
    let turned: usize = channels.values().map(|told| out_of_order(told)).sum();
    findings.add(
        Figure::new(
            "recoveries told before their outage",
            turned as f64,
            "",
            "by the receiver, for each channel and monitor",
        )
        .at_most(0.0),
    );
    findings.add(
        Figure::new(
            "places in which channels tell another order than the first",
            differing(&channels) as f64,
            "",
            "by the receiver: all channels have the same news",
        )
        .at_most(0.0),
    );
    let each = cpu.as_secs_f64() * 1e6 / NOTICES as f64;
    findings.add(
        Figure::new(
            "processor for each notice",
            each,
            "µs",
            format!("{how}; `/proc/PID/stat`, taking the reports included"),
        )
        .at_most(GOAL),
    );
    findings.add(Figure::new(
        "first report to last",
        millis(reported.saturating_duration_since(began)),
        "ms",
        how.clone(),
    ));
    findings.add(Figure::new(
        "last report to last notice",
        millis(last.saturating_duration_since(reported)),
        "ms",
        how,
    ));
    Ok(findings)
}

fn config(receiver: &Receiver) -> anyhow::Result<String> {
    let mut config =
        "[compat.vigil]\nreporter_token = \"storm-of-the-bench\"\n\n[[service]]\nid = \"storm\"\n"
            .to_owned();
    for monitor in 0..MONITORS {
        write!(
            config,
            "\n[[service.monitor]]\nid = \"m{monitor}\"\npassive = \"local\"\ndead_after = \"10m\"\nflap = false\n"
        )?;
    }
    for channel in 0..CHANNELS {
        let url = receiver.url(&format!("/{channel}"));
        write!(
            config,
            "\n[[channel]]\nid = \"c{channel}\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{url}\" }}\n\n[[route]]\nto = [\"c{channel}\"]\non = [\"dead\", \"recovered\"]\ngroup_wait = \"0s\"\n"
        )?;
    }
    Ok(config)
}

fn path(monitor: usize) -> String {
    format!("/reporter/storm/m{monitor}")
}

/// Reports all deaths, then all recoveries, evenly over the time. Returns when the
/// last was taken in.
async fn reports(daemon: &Daemon) -> anyhow::Result<Instant> {
    let mut ticks = interval(WITHIN / u32::try_from(CHANGES)?);
    let mut running = JoinSet::new();
    for health in ["dead", "healthy"] {
        for monitor in 0..MONITORS {
            ticks.tick().await;
            running.spawn(report(daemon.url(&path(monitor)), health));
        }
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(Instant::now())
}

/// Waits until every notice has arrived, and returns when the last did.
async fn delivered(receiver: &Receiver) -> Instant {
    loop {
        let received = receiver.received();
        if received.len() >= NOTICES {
            return received
                .iter()
                .map(|each| each.at)
                .max()
                .unwrap_or_else(Instant::now);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Says how a monitor is, as an agent in another network does.
async fn report(url: String, health: &'static str) -> anyhow::Result<()> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().context("the URL names a host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let body = format!("{{\"replica\":\"tcp://storm\",\"interval\":600,\"health\":\"{health}\"}}");
    let request = Request::post(uri.path())
        .header(HOST, authority)
        .header(AUTHORIZATION, PASSWORD)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(body))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let said = answer.into_body().collect().await?.to_bytes();
    ensure!(
        status.is_success(),
        "a report is answered with {status}: {}",
        String::from_utf8_lossy(&said)
    );
    drop(sender);
    connection.await??;
    Ok(())
}

/// One notice, as its receiver saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    id: String,
    monitor: String,
    is_well: bool,
}

/// What each channel was told, in order. What was told again counts once.
fn by_channel(told: Vec<(String, Told)>) -> HashMap<String, Vec<Told>> {
    let mut channels: HashMap<String, Vec<Told>> = HashMap::new();
    for (channel, told) in told {
        let known = channels.entry(channel).or_default();
        if known.iter().all(|each| each.id != told.id) {
            known.push(told);
        }
    }
    channels
}

/// How many changes it was told of.
fn distinct(told: &[Told]) -> usize {
    let changes: HashSet<_> = told
        .iter()
        .map(|each| (&each.monitor, each.is_well))
        .collect();
    changes.len()
}

/// How many recoveries come before their outage.
fn out_of_order(told: &[Told]) -> usize {
    let mut dead = HashSet::new();
    let mut turned = 0;
    for each in told {
        if !each.is_well {
            dead.insert(&each.monitor);
        } else if !dead.contains(&each.monitor) {
            turned += 1;
        }
    }
    turned
}

/// In how many places the channels' orders differ from that of one of them.
fn differing(channels: &HashMap<String, Vec<Told>>) -> usize {
    let mut channels = channels.values();
    let Some(first) = channels.next() else {
        return 0;
    };
    let same =
        |one: &Told, other: &Told| one.monitor == other.monitor && one.is_well == other.is_well;
    channels
        .map(|other| {
            let pairs = first.iter().zip(other);
            let differing = pairs.filter(|(one, other)| !same(one, other)).count();
            differing + first.len().abs_diff(other.len())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str, monitor: &str, is_well: bool) -> Told {
        Told {
            id: id.to_owned(),
            monitor: monitor.to_owned(),
            is_well,
        }
    }

    #[test]
    fn what_is_turned_is_counted() {
        let straight = vec![told("1", "a", false), told("2", "a", true)];
        let turned = vec![told("2", "a", true), told("1", "a", false)];
        assert_eq!((out_of_order(&straight), out_of_order(&turned)), (0, 1));
        assert_eq!(distinct(&straight), 2);
        let both = |one: &[Told], other: &[Told]| {
            let all = [("/0", one), ("/1", other)];
            let told = all
                .into_iter()
                .flat_map(|(path, told)| told.iter().map(|each| (path.to_owned(), each.clone())));
            by_channel(told.collect())
        };
        assert_eq!(differing(&both(&straight, &straight)), 0);
        assert_eq!(differing(&both(&straight, &turned)), 2);
        assert_eq!(differing(&both(&straight, &straight[..1])), 1);
    }

    #[test]
    fn what_is_told_again_counts_once() {
        let again = vec![
            ("/0".to_owned(), told("1", "a", false)),
            ("/0".to_owned(), told("1", "a", false)),
        ];
        assert_eq!(by_channel(again)["/0"].len(), 1);
    }
}
