//! What came of the pings, and what to think of it.

use std::collections::BTreeMap;
use std::time::Duration;

use watchkeeper_sdk::config::Span;
use watchkeeper_sdk::icmp::{Outcome, Reply};
use watchkeeper_sdk::{Health, Reading, in_words};

use crate::config::{Addresses, Config};

/// What came of the pings.
#[derive(Debug)]
pub(crate) struct Pings<'a> {
    config: &'a Config,
    /// How long was waited for each answer, for people.
    wait: Duration,
    answered: u32,
    lost: u32,
    /// The round trips that count.
    trips: Vec<Duration>,
    /// The most addresses that answered one ping.
    answering: usize,
    /// Addresses that did not answer, and why; the last reason counts.
    silent: BTreeMap<String, String>,
    /// Whether there is more than one address, so that reasons name them.
    has_several: bool,
}

impl<'a> Pings<'a> {
    /// None yet, of which each would be waited for so long.
    pub(crate) fn new(config: &'a Config, wait: Duration) -> Self {
        Self {
            config,
            wait,
            answered: 0,
            lost: 0,
            trips: Vec::new(),
            answering: 0,
            silent: BTreeMap::new(),
            has_several: false,
        }
    }

    /// Takes in one ping. The error is why no further one makes sense: there is
    /// no address that counts, or no route to any.
    pub(crate) fn take(&mut self, replies: &[Reply]) -> Result<(), String> {
        let family = self.config.family;
        let of_family = || {
            replies
                .iter()
                .filter(|reply| family.contains(&reply.address))
        };
        let mut counted: Vec<&Reply> = of_family()
            .filter(|reply| !matches!(reply.outcome, Outcome::Unroutable(_)))
            .collect();
        if counted.is_empty() {
            let why = of_family().find_map(|reply| match &reply.outcome {
                Outcome::Unroutable(why) => Some(why.clone()),
                _ => None,
            });
            return Err(why.unwrap_or_else(|| format!("the host has no {}", family.name())));
        }
        if self.config.addresses == Addresses::First {
            counted.truncate(1);
        }
        self.has_several |= counted.len() > 1;
        let mut trips = Vec::with_capacity(counted.len());
        for reply in &counted {
            let why = match &reply.outcome {
                Outcome::Answered(trip) => {
                    trips.push(*trip);
                    continue;
                }
                Outcome::TimedOut => format!("no answer in {}", in_words(self.wait)),
                Outcome::Unroutable(why) | Outcome::Failed(why) => why.clone(),
            };
            self.silent.insert(reply.address.clone(), why);
        }
        self.answering = self.answering.max(trips.len());
        let is_answered = match self.config.addresses {
            Addresses::All | Addresses::First => trips.len() == counted.len(),
            Addresses::Any => !trips.is_empty(),
        };
        if is_answered {
            self.answered += 1;
        } else {
            self.lost += 1;
        }
        match self.config.addresses {
            Addresses::Any => self.trips.extend(trips.into_iter().min()),
            Addresses::All | Addresses::First => self.trips.extend(trips),
        }
        Ok(())
    }

    /// What to think of it.
    pub(crate) fn judge(&self) -> Reading {
        let sent = self.answered + self.lost;
        let loss = f64::from(self.lost) / f64::from(sent.max(1));
        let answering = f64::from(u32::try_from(self.answering).unwrap_or(u32::MAX));
        let (Some(slowest), Some(fastest), 1..) = (
            self.trips.iter().max(),
            self.trips.iter().min(),
            self.answered,
        ) else {
            return Reading::dead(self.silence())
                .measure("loss", loss, "ratio")
                .measure("answering", answering, "addresses");
        };
        let rules = &self.config.loss;
        let health = if loss > rules.dead_above {
            Health::Dead
        } else if loss > rules.sick_above {
            Health::Sick
        } else {
            Health::Healthy
        };
        let limit = &self.config.round_trip;
        let above = |limit: Option<Span>| limit.is_some_and(|limit| *slowest > limit.duration());
        let slow = format!("answered after {}", in_words(*slowest));
        Reading::healthy()
            .worsen(health, format!("{} of {sent} answers lost", self.lost))
            .sick_if(above(limit.sick_above), slow.as_str())
            .dead_if(above(limit.dead_above), slow)
            .latency(*slowest)
            .measure("loss", loss, "ratio")
            .measure("round-trip-least", fastest.as_secs_f64(), "seconds")
            .measure("round-trip-most", slowest.as_secs_f64(), "seconds")
            .measure("answering", answering, "addresses")
    }

    /// Who did not answer; the address is told where it is one of several.
    fn silence(&self) -> String {
        let told: Vec<String> = self
            .silent
            .iter()
            .map(|(address, why)| {
                if self.has_several {
                    format!("{address}: {why}")
                } else {
                    why.clone()
                }
            })
            .collect();
        told.join("; ")
    }
}
