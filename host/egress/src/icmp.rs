//! ICMP echo (RFC 792, RFC 4443).

mod packet;
mod socket;

#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};

use crate::gate::{DialError, Gate, Limit};
use crate::grants::Denied;
use crate::reason;

use packet::{Family, TOKEN_LENGTH};
use socket::EchoSocket;

/// Addresses pinged at once.
const ADDRESSES_PINGED: usize = 8;

/// What came of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// The address that was pinged.
    pub address: IpAddr,
    /// How it went.
    pub outcome: Outcome,
}

/// How pinging one address went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answered after so long.
    Answered(Duration),
    /// It did not answer in time.
    TimedOut,
    /// This machine has no route to it, as where it has no IPv6; says what it has
    /// instead: `network unreachable`. It says nothing of the host.
    Unroutable(String),
    /// Anything else: `host unreachable`.
    Failed(String),
}

/// Why a host was not pinged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IcmpError {
    /// The run may not reach it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The name leads nowhere; says why.
    #[error("{0}")]
    Unresolved(String),
    /// This machine does not let this process ping; says what would.
    #[error("{0}")]
    NotPermitted(String),
    /// Anything else: `network unreachable`.
    #[error("{0}")]
    Failed(String),
    /// The run's budget is spent.
    #[error("limit reached: {0}")]
    Limit(#[from] Limit),
}

/// Sends one echo request to every address of a granted host, at most 8, all at
/// once, and waits for each: what came of them, in the order of the look-up.
pub async fn ping(gate: &Gate, host: &str, limit: Duration) -> Result<Vec<Echo>, IcmpError> {
    let started = Instant::now();
    let addresses = gate.resolve(host, limit).await?;
    let left = limit.saturating_sub(started.elapsed());
    let pings = addresses
        .into_iter()
        .take(ADDRESSES_PINGED)
        .map(|address| ping_address(gate, address, left));
    let mut echoes = Vec::new();
    for (address, result) in join_all(pings).await {
        let outcome = match result {
            Ok(round_trip) => Outcome::Answered(round_trip),
            Err(Failure::OfAddress(outcome)) => outcome,
            Err(Failure::OfAll(error)) => return Err(error),
        };
        echoes.push(Echo { address, outcome });
    }
    Ok(echoes)
}

enum Failure {
    OfAddress(Outcome),
    OfAll(IcmpError),
}

async fn ping_address(
    gate: &Gate,
    address: IpAddr,
    left: Duration,
) -> (IpAddr, Result<Duration, Failure>) {
    (address, round_trip(gate, address, left).await)
}

async fn round_trip(gate: &Gate, address: IpAddr, left: Duration) -> Result<Duration, Failure> {
    let family = Family::of(address);
    gate.count_connection()?;
    let socket =
        EchoSocket::open(family)?.map_err(|why| Failure::OfAll(IcmpError::NotPermitted(why)))?;
    socket.connect(address).await?;

    let mut token = [0; TOKEN_LENGTH];
    getrandom::fill(&mut token)
        .map_err(|error| Failure::OfAll(IcmpError::Failed(error.to_string())))?;
    let request = packet::request(family, &token);
    gate.count_traffic(request.len())?;

    let started = Instant::now();
    let answer = async {
        socket.send(&request).await?;
        let mut buffer = [0; 2_048];
        loop {
            let length = socket.receive(&mut buffer).await?;
            let round_trip = started.elapsed();
            let packet = buffer.get(..length).unwrap_or_default();
            if packet::is_reply(family, packet, &token) {
                return Ok::<_, io::Error>((length, round_trip));
            }
        }
    };
    let (length, round_trip) = timeout(left, answer)
        .await
        .map_err(|_| Failure::OfAddress(Outcome::TimedOut))??;
    gate.count_traffic(length)?;
    // This machine answers itself before any timer looks.
    if round_trip > left {
        return Err(Failure::OfAddress(Outcome::TimedOut));
    }
    Ok(round_trip)
}

impl From<Limit> for Failure {
    fn from(limit: Limit) -> Self {
        Self::OfAll(limit.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let why = reason::of_io(&error);
        Self::OfAddress(match error.kind() {
            // The last two are what a kernel without IPv6 says.
            io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::Unsupported => Outcome::Unroutable(why),
            _ => Outcome::Failed(why),
        })
    }
}

impl From<DialError> for IcmpError {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Denied(denied) => Self::Denied(denied),
            DialError::Unresolved(why) => Self::Unresolved(why),
            DialError::Limit(limit) => Self::Limit(limit),
            error @ (DialError::Refused
            | DialError::TimedOut(_)
            | DialError::Reset
            | DialError::Failed(_)) => Self::Failed(error.to_string()),
        }
    }
}

/// Whether this host could ping at all: for a message at the start rather than
/// at the first check.
pub fn availability() -> Result<(), IcmpError> {
    match socket::permitted(Family::V4) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(why)) => Err(IcmpError::NotPermitted(why)),
        Err(error) => Err(IcmpError::Failed(reason::of_io(&error))),
    }
}
