//! ICMP echo. Needs [`Capability::Icmp`](crate::Capability::Icmp).

use std::time::Duration;

use crate::Error;
use crate::bindings::icmp;
use crate::probe::nanos;

/// An answer to an echo request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The address that answered.
    pub address: String,
    /// From request to answer.
    pub round_trip: Duration,
}

/// What came of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The address that was asked.
    pub address: String,
    /// How it went.
    pub outcome: Outcome,
}

/// How it went with one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered: from request to answer.
    Answered(Duration),
    /// No answer came in time.
    TimedOut,
    /// The host has no route to it, as where it has no IPv6; says so in words. It
    /// says nothing of the target.
    Unroutable(String),
    /// Anything else, in words: `host unreachable`.
    Failed(String),
}

/// Sends one echo request to every address of `host` and waits for each at most
/// `timeout`. Fails with [`Error::TimedOut`] if any does not answer. Addresses
/// that the host has no route to are left out unless they are all.
pub fn ping(host: &str, timeout: Duration) -> Result<Vec<Echo>, Error> {
    all_answered(ping_each(host, timeout)?, timeout)
}

/// Sends one echo request to every address of `host`, at most 8 and all at once,
/// and waits for each at most `timeout`: what came of them, in the order of the
/// look-up.
pub fn ping_each(host: &str, timeout: Duration) -> Result<Vec<Reply>, Error> {
    match icmp::ping(host, nanos(timeout)) {
        Ok(echoes) => Ok(echoes.into_iter().map(Reply::from).collect()),
        Err(icmp::Error::Denied(why)) => Err(Error::Denied(why)),
        Err(icmp::Error::Unresolved(why)) => Err(Error::unresolved(host, &why)),
        Err(icmp::Error::Failed(why)) => Err(Error::Failed(why)),
    }
}

fn all_answered(replies: Vec<Reply>, timeout: Duration) -> Result<Vec<Echo>, Error> {
    let mut echoes = Vec::with_capacity(replies.len());
    let mut unroutable = None;
    for Reply { address, outcome } in replies {
        match outcome {
            Outcome::Answered(round_trip) => echoes.push(Echo {
                address,
                round_trip,
            }),
            Outcome::TimedOut => return Err(Error::TimedOut(Some(timeout))),
            Outcome::Failed(why) => return Err(Error::Failed(why)),
            Outcome::Unroutable(why) => unroutable = Some(why),
        }
    }
    match unroutable {
        Some(why) if echoes.is_empty() => Err(Error::Failed(why)),
        _ => Ok(echoes),
    }
}

impl From<icmp::Echo> for Reply {
    fn from(echo: icmp::Echo) -> Self {
        Self {
            address: echo.address,
            outcome: match echo.outcome {
                icmp::Outcome::Answered(round_trip) => {
                    Outcome::Answered(Duration::from_nanos(round_trip))
                }
                icmp::Outcome::TimedOut => Outcome::TimedOut,
                icmp::Outcome::Unroutable(why) => Outcome::Unroutable(why),
                icmp::Outcome::Failed(why) => Outcome::Failed(why),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(outcomes: &[Outcome], expected: &str) {
        let replies = outcomes.iter().map(|outcome| Reply {
            address: "192.0.2.1".to_owned(),
            outcome: outcome.clone(),
        });
        let said = match all_answered(replies.collect(), Duration::from_secs(2)) {
            Ok(echoes) => format!("{} answered", echoes.len()),
            Err(error) => error.to_string(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn every_address_with_a_route_must_answer() {
        let answered = Outcome::Answered(Duration::from_millis(3));
        let unroutable = Outcome::Unroutable("network unreachable".to_owned());
        let failed = Outcome::Failed("host unreachable".to_owned());
        check(&[answered.clone(), answered.clone()], "2 answered");
        check(&[answered.clone(), unroutable.clone()], "1 answered");
        check(&[unroutable], "network unreachable");
        check(&[answered.clone(), Outcome::TimedOut], "no answer in 2 s");
        check(&[answered, failed], "host unreachable");
    }
}
