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

/// Sends one echo request to every address of `host` and waits for each at most
/// `timeout`. Fails with [`Error::TimedOut`] if any does not answer.
pub fn ping(host: &str, timeout: Duration) -> Result<Vec<Echo>, Error> {
    match icmp::ping(host, nanos(timeout)) {
        Ok(echoes) => Ok(echoes
            .into_iter()
            .map(|echo| Echo {
                address: echo.address,
                round_trip: Duration::from_nanos(echo.round_trip),
            })
            .collect()),
        Err(icmp::Error::Denied(why)) => Err(Error::Denied(why)),
        Err(icmp::Error::Unresolved(why)) => Err(Error::unresolved(host, &why)),
        Err(icmp::Error::TimedOut) => Err(Error::TimedOut(Some(timeout))),
        Err(icmp::Error::Failed(why)) => Err(Error::Failed(why)),
    }
}
