//! Checks that a time server answers, is synchronised, and how far its clock is off
//! this machine's.

mod packet;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Span;
use watchkeeper_sdk::{
    Capability, Context, Error, Health, Probe, Reading, Stop, Target, Timestamp, in_words, udp,
};

use crate::packet::{Answer, Leap, NtpTime, answer, question};

/// The offset from which NTP sets a clock instead of steering it (RFC 5905 section
/// 12, STEPT): one that is further off than this is not being kept.
const STEP: Span = Span::new(Duration::from_millis(128));

/// How many datagrams that are no answer are passed over.
const MOST_STRAYS: usize = 16;

/// The probe for `ntp` targets.
pub struct Ntp;

/// The configuration of an NTP check. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What to think of a clock that is ahead of or behind this machine's.
    pub offset: Offset,
    /// What to think of the distance to a reference clock.
    pub stratum: Stratum,
    /// What to think of how far off the server may be by its own reckoning.
    pub root_dispersion: RootDispersion,
    /// What to think of an announced leap second.
    pub leap: Announced,
}

/// What to think of a clock that is ahead of or behind this machine's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Offset {
    /// Sick when it is off by more. `"0s"`: never.
    pub sick_above: Span,
    /// Dead when it is off by more.
    pub dead_above: Option<Span>,
}

/// What to think of the distance to a reference clock: 1 for a server that has one,
/// one more for each in between.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stratum {
    /// Sick when it is more.
    #[schemars(range(min = 1, max = 15))]
    pub sick_above: Option<u8>,
    /// Dead when it is more.
    #[schemars(range(min = 1, max = 15))]
    pub dead_above: Option<u8>,
}

/// What to think of how far off the server may be by its own reckoning.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RootDispersion {
    /// Sick when it is more.
    pub sick_above: Option<Span>,
    /// Dead when it is more.
    pub dead_above: Option<Span>,
}

/// What to think of an announced leap second.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Announced {
    /// It is announced where there is one.
    #[default]
    Healthy,
    /// None is due, so that whoever announces one is wrong.
    Sick,
}

impl Default for Offset {
    fn default() -> Self {
        Self {
            sick_above: STEP,
            dead_above: None,
        }
    }
}

impl Probe for Ntp {
    type Config = Config;

    const NAME: &'static str = "ntp";
    const SUMMARY: &'static str = "Checks a time server's offset, stratum and synchronisation";
    const SCHEMES: &'static [&'static str] = &["ntp"];
    const ASKS: &'static [Capability] = &[Capability::Udp];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let host = target.host()?;
        let port = target.url()?.port().unwrap_or(123);
        // Waiting must end before the host ends the check.
        let patience = context.remaining().mul_f64(0.98);
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce)
            .map_err(|error| Error::Host(format!("no randomness: {error}")))?;
        let socket = udp::Socket::open(&host, port, patience)?;
        let asked = NtpTime::of(Timestamp::now());
        let began = Instant::now();
        socket.send(&question(nonce))?;
        for _ in 0..MOST_STRAYS {
            let datagram = match socket.receive() {
                Ok(datagram) => datagram,
                Err(Error::TimedOut(_)) => {
                    return Err(Error::TimedOut(Some(context.timeout())).into());
                }
                Err(error) => return Err(error.into()),
            };
            let took = began.elapsed();
            if let Some(answer) = answer(&datagram, nonce) {
                return judge(&config, &answer, asked, took);
            }
        }
        Ok(Reading::dead(format!(
            "sends {MOST_STRAYS} datagrams that are no answer"
        )))
    }
}

watchkeeper_sdk::probe!(Ntp);

/// Judges an answer that came `took` after it was `asked` for.
fn judge(
    config: &Config,
    answer: &Answer,
    asked: NtpTime,
    took: Duration,
) -> Result<Reading, Stop> {
    match answer.kiss.as_deref() {
        // RFC 5905 section 7.4: it works, and wants to be asked less often.
        Some("RATE") => {
            let why = "the server wants to be asked less often (RATE): make `every` longer";
            return Err(Stop::Undecided(why.to_owned()));
        }
        Some(kiss) => return Ok(Reading::dead(format!("refuses to tell the time ({kiss})"))),
        None => {}
    }
    if answer.leap == Leap::Unsynchronised || !(1..16).contains(&answer.stratum) {
        return Ok(Reading::dead("is not synchronised"));
    }
    // RFC 5905 section 8.
    let there = answer.received.since(asked);
    let back = answer.sent.since(asked.later(took));
    let offset = f64::midpoint(there, back);
    let delay = (there - back).max(0.0);
    let leap = match answer.leap {
        Leap::Inserted => 1.0,
        Leap::Deleted => -1.0,
        Leap::None | Leap::Unsynchronised => 0.0,
    };
    let mut reading = Reading::healthy()
        .latency(took)
        .measure("offset", offset, "seconds")
        .measure("round-trip", delay, "seconds")
        .measure("stratum", f64::from(answer.stratum), "levels")
        .measure("root-delay", answer.root_delay, "seconds")
        .measure("root-dispersion", answer.root_dispersion, "seconds")
        .measure("leap-announced", leap, "seconds");

    let side = if offset < 0.0 { "behind" } else { "ahead" };
    let sick_above = Some(config.offset.sick_above).filter(|above| !above.duration().is_zero());
    let off = span(offset.abs());
    for (health, above) in above(sick_above, config.offset.dead_above) {
        if off > above.duration() {
            let why = format!("clock is {} {side}, more than {above}", in_words(off));
            reading = reading.worsen(health, why);
        }
    }
    let Stratum {
        sick_above,
        dead_above,
    } = config.stratum;
    for (health, above) in above(sick_above, dead_above) {
        if answer.stratum > above {
            let why = format!("stratum is {}, more than {above}", answer.stratum);
            reading = reading.worsen(health, why);
        }
    }
    let RootDispersion {
        sick_above,
        dead_above,
    } = config.root_dispersion;
    let dispersion = span(answer.root_dispersion);
    for (health, above) in above(sick_above, dead_above) {
        if dispersion > above.duration() {
            let by = in_words(dispersion);
            let why = format!("may be off by {by} by its own reckoning, more than {above}");
            reading = reading.worsen(health, why);
        }
    }
    Ok(reading.sick_if(
        leap != 0.0 && config.leap == Announced::Sick,
        "announces a leap second",
    ))
}

/// The thresholds that there are, the milder first.
fn above<T>(sick: Option<T>, dead: Option<T>) -> impl Iterator<Item = (Health, T)> {
    let sick = sick.map(|above| (Health::Sick, above));
    let dead = dead.map(|above| (Health::Dead, above));
    sick.into_iter().chain(dead)
}

/// As long as can be where there are more seconds than fit.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: u64 = 1_700_000_000;

    /// From a server that is so far ahead and takes 20 ms to hear and to be heard.
    fn told(ahead: f64) -> Answer {
        let asked = NtpTime::of(Timestamp::from_seconds(ASKED - 1000));
        let received = asked.later(Duration::from_secs_f64(1000.02 + ahead));
        Answer {
            leap: Leap::None,
            stratum: 3,
            root_delay: 0.01,
            root_dispersion: 0.05,
            kiss: None,
            received,
            sent: received,
        }
    }

    fn check(config: &str, answer: &Answer, expected: &str) {
        let config = watchkeeper_sdk::config::parse(config).unwrap();
        let asked = NtpTime::of(Timestamp::from_seconds(ASKED));
        let found = match judge(&config, answer, asked, Duration::from_millis(40)) {
            Ok(reading) => {
                let reason = reading.reason.unwrap_or_default();
                format!("{:?} {reason}", reading.health)
            }
            Err(stop) => format!("{stop:?}"),
        };
        assert_eq!(found, expected, "{config:?}");
    }

    #[test]
    fn the_offset_leaves_the_way_out() {
        let asked = NtpTime::of(Timestamp::from_seconds(ASKED));
        for ahead in [-7.5, 0.0, 0.1, 100.0] {
            let reading = judge(
                &Config::default(),
                &told(ahead),
                asked,
                Duration::from_millis(40),
            )
            .unwrap();
            let value = |index: usize| reading.measurements[index].value;
            assert!((value(0) - ahead).abs() < 1e-6, "{}", value(0));
            assert!((value(1) - 0.04).abs() < 1e-6, "{}", value(1));
        }
    }

    #[test]
    fn every_threshold_counts() {
        check("{}", &told(0.1), "Health::Healthy ");
        check(
            "{}",
            &told(0.2504),
            "Health::Sick clock is 250 ms ahead, more than 128 ms",
        );
        check(
            r#"{"offset":{"sick_above":"0s"}}"#,
            &told(9.0),
            "Health::Healthy ",
        );
        check(
            r#"{"offset":{"dead_above":"1s"}}"#,
            &told(-3.0),
            "Health::Dead clock is 3 s behind, more than 1 s",
        );
        check(
            r#"{"stratum":{"sick_above":2,"dead_above":3}}"#,
            &told(0.0),
            "Health::Sick stratum is 3, more than 2",
        );
        check(
            r#"{"root_dispersion":{"dead_above":"10ms"}}"#,
            &told(0.0),
            "Health::Dead may be off by 50 ms by its own reckoning, more than 10 ms",
        );
        let leaping = Answer {
            leap: Leap::Inserted,
            ..told(0.0)
        };
        check("{}", &leaping, "Health::Healthy ");
        check(
            r#"{"leap":"sick"}"#,
            &leaping,
            "Health::Sick announces a leap second",
        );
    }

    #[test]
    fn a_server_without_the_time_is_dead() {
        let answer = |stratum, kiss: Option<&str>| Answer {
            stratum,
            kiss: kiss.map(str::to_owned),
            ..told(0.0)
        };
        for stratum in [0, 16, 255] {
            check(
                "{}",
                &answer(stratum, None),
                "Health::Dead is not synchronised",
            );
        }
        check(
            "{}",
            &answer(0, Some("DENY")),
            "Health::Dead refuses to tell the time (DENY)",
        );
        check(
            "{}",
            &answer(0, Some("RATE")),
            r#"Undecided("the server wants to be asked less often (RATE): make `every` longer")"#,
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
