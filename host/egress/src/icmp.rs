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

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// The address that answered.
    pub address: IpAddr,
    /// How long it took.
    pub round_trip: Duration,
}

/// Why a host was not pinged, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IcmpError {
    /// The run may not reach it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The name leads nowhere; says why.
    #[error("{0}")]
    Unresolved(String),
    /// One of the host's addresses did not answer within this time.
    #[error("no answer from {address} in {}", reason::duration(*.after))]
    TimedOut {
        /// Which.
        address: IpAddr,
        /// After what time.
        after: Duration,
    },
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
/// once, and waits for each. One that does not answer fails the whole. Addresses
/// of a family that this machine has no route for are left out unless they are
/// all: a target with an IPv6 address is not down because this machine has none.
pub async fn ping(gate: &Gate, host: &str, limit: Duration) -> Result<Vec<Echo>, IcmpError> {
    let started = Instant::now();
    let addresses = gate.resolve(host, limit).await?;
    let left = limit.saturating_sub(started.elapsed());
    let pings = addresses
        .into_iter()
        .take(ADDRESSES_PINGED)
        .map(|address| ping_address(gate, address, left, limit));
    let mut echoes = Vec::new();
    let mut unroutable = None;
    for result in join_all(pings).await {
        match result {
            Ok(echo) => echoes.push(echo),
            Err(Failure::NoRoute(why)) => unroutable = Some(why),
            Err(Failure::Final(error)) => return Err(error),
        }
    }
    match unroutable {
        Some(why) if echoes.is_empty() => Err(IcmpError::Failed(why)),
        _ => Ok(echoes),
    }
}

enum Failure {
    NoRoute(String),
    Final(IcmpError),
}

async fn ping_address(
    gate: &Gate,
    address: IpAddr,
    left: Duration,
    limit: Duration,
) -> Result<Echo, Failure> {
    let final_error = |error: IcmpError| Failure::Final(error);
    gate.count_connection()
        .map_err(|limit| final_error(limit.into()))?;
    let socket = EchoSocket::open(Family::of(address)).map_err(|error| of_io(&error))?;
    let socket = socket.map_err(|why| final_error(IcmpError::NotPermitted(why)))?;
    socket
        .connect(address)
        .await
        .map_err(|error| of_io(&error))?;

    let mut token = [0; TOKEN_LENGTH];
    getrandom::fill(&mut token)
        .map_err(|error| final_error(IcmpError::Failed(error.to_string())))?;
    let request = packet::request(Family::of(address), &token);
    gate.count_traffic(request.len())
        .map_err(|limit| final_error(limit.into()))?;

    let started = Instant::now();
    let answer = async {
        socket.send(&request).await?;
        let mut buffer = [0; 2_048];
        loop {
            let length = socket.receive(&mut buffer).await?;
            let round_trip = started.elapsed();
            let packet = buffer.get(..length).unwrap_or_default();
            if packet::is_reply(Family::of(address), packet, &token) {
                return Ok::<_, io::Error>((length, round_trip));
            }
        }
    };
    let (length, round_trip) = timeout(left, answer)
        .await
        .map_err(|_| {
            final_error(IcmpError::TimedOut {
                address,
                after: limit,
            })
        })?
        .map_err(|error| of_io(&error))?;
    gate.count_traffic(length)
        .map_err(|limit| final_error(limit.into()))?;
    Ok(Echo {
        address,
        round_trip,
    })
}

fn of_io(error: &io::Error) -> Failure {
    let why = reason::of_io(error);
    match error.kind() {
        // The last two are what a kernel without IPv6 says.
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::Unsupported => Failure::NoRoute(why),
        _ => Failure::Final(IcmpError::Failed(why)),
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
    match EchoSocket::open(Family::V4) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(why)) => Err(IcmpError::NotPermitted(why)),
        Err(error) => Err(IcmpError::Failed(reason::of_io(&error))),
    }
}
