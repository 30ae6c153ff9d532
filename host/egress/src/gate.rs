//! The gate of one run: what it may reach, has looked up and has spent.

mod budget;
mod stream;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::address::AddressPolicy;
use crate::grants::{Denied, Grants};
use crate::host::Host;
use crate::http::Exchange;
use crate::reason;
use crate::resolver::{ResolveError, Resolver};
use crate::tls::Tls;

pub(crate) use budget::Meter;
pub use budget::{Budget, Limit};
pub use stream::CountedStream;
pub(crate) use stream::limit_of;

/// Addresses tried for one connection; a name with more is a content network
/// whose others are no better.
const ADDRESSES_TRIED: usize = 8;

/// Exchanges remembered for [`Gate::exchanges`]: as many as names, so that a run
/// whose connections are all refused cannot grow the list for ever.
const EXCHANGES_KEPT: usize = 64;

/// What a gate is made of. Resolver and TLS are shared by every run.
#[derive(Debug, Clone)]
pub struct GateOptions {
    /// What the run was granted.
    pub grants: Arc<Grants>,
    /// Which addresses it may reach.
    pub policy: Arc<AddressPolicy>,
    /// How names become addresses.
    pub resolver: Resolver,
    /// Trusted roots and TLS settings.
    pub tls: Tls,
    /// What it may spend.
    pub budget: Budget,
}

/// The gate of one run. Dropping it ends nothing: streams that it handed out go
/// on counting against its budget.
#[derive(Debug)]
pub struct Gate {
    grants: Arc<Grants>,
    policy: Arc<AddressPolicy>,
    resolver: Resolver,
    tls: Tls,
    meter: Arc<Meter>,
    /// The addresses that each name stands for during this run: a second look-up
    /// gives the same. They are judged at each use, when the port is known too.
    pins: Mutex<HashMap<String, Arc<[IpAddr]>>>,
    exchanges: Mutex<Vec<Exchange>>,
}

/// An open connection.
#[derive(Debug)]
pub struct Dialled {
    /// The stream, its bytes counted.
    pub stream: CountedStream,
    /// What it is connected to.
    pub address: SocketAddr,
    /// How long the name took to look up; zero for an address.
    pub resolve: Duration,
    /// How long TCP took, failed addresses included.
    pub connect: Duration,
}

/// Why there is no connection, in the words that people expect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The run may not reach it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The name leads nowhere; says why.
    #[error("{0}")]
    Unresolved(String),
    /// Nothing listens there.
    #[error("connection refused")]
    Refused,
    /// No answer within this time.
    #[error("no answer in {}", reason::duration(*.0))]
    TimedOut(Duration),
    /// The other side broke the connection.
    #[error("connection reset")]
    Reset,
    /// Anything else: `network unreachable`.
    #[error("{0}")]
    Failed(String),
    /// The run's budget is spent.
    #[error("limit reached: {0}")]
    Limit(#[from] Limit),
}

impl Gate {
    /// A gate for one run.
    pub fn new(options: GateOptions) -> Arc<Self> {
        Arc::new(Self {
            grants: options.grants,
            policy: options.policy,
            resolver: options.resolver,
            tls: options.tls,
            meter: Arc::new(Meter::new(options.budget)),
            pins: Mutex::default(),
            exchanges: Mutex::default(),
        })
    }

    /// What the run was granted.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The shared TLS settings.
    pub fn tls(&self) -> &Tls {
        &self.tls
    }

    /// The shared resolver.
    pub fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// The first limit that this run hit, however the guest took it.
    pub fn limit_hit(&self) -> Option<Limit> {
        self.meter.limit()
    }

    /// Bytes sent and received so far.
    pub fn traffic(&self) -> u64 {
        self.meter.spent_traffic()
    }

    /// The HTTP exchanges of this run so far, oldest first; at most 64.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock_exchanges().clone()
    }

    /// Looks a granted host up: the addresses that may be reached, in the order
    /// in which to try them. They are pinned: for the rest of the run the name
    /// stands for these, and [`Gate::permits`] takes them.
    pub async fn resolve(&self, host: &str, limit: Duration) -> Result<Vec<IpAddr>, DialError> {
        let host = Host::parse(host).map_err(|error| Denied::not_a_host(host, error))?;
        self.grants.allows_parsed_host(&host)?;
        let addresses = self.addresses(&host, limit).await?;
        self.reachable(&host, &addresses, None)
            .map_err(DialError::from)
    }

    /// Opens a TCP connection to a granted host and port. Only addresses that
    /// were checked are connected to, one after another; each gets its share of
    /// the time that is left.
    pub async fn dial(&self, host: &str, port: u16, limit: Duration) -> Result<Dialled, DialError> {
        let host = Host::parse(host).map_err(|error| Denied::not_a_host(host, error))?;
        self.dial_parsed(&host, port, limit, |_| ()).await
    }

    /// As [`Gate::dial`]; tells how long the look-up took before connecting, so
    /// that it is known even of connections that fail.
    pub(crate) async fn dial_parsed(
        &self,
        host: &Host,
        port: u16,
        limit: Duration,
        resolved: impl FnOnce(Duration),
    ) -> Result<Dialled, DialError> {
        self.grants.allows_parsed(host, port)?;
        let started = Instant::now();
        let addresses = self.addresses(host, limit).await?;
        let resolve = match host {
            Host::Name(_) => started.elapsed(),
            Host::Address(_) => Duration::ZERO,
        };
        resolved(resolve);
        let addresses = self.reachable(host, &addresses, Some(port))?;
        self.meter.connection()?;

        let connecting = Instant::now();
        let tried = addresses.len().min(ADDRESSES_TRIED);
        let mut worst: Option<DialError> = None;
        for (index, address) in addresses.into_iter().take(tried).enumerate() {
            let address = SocketAddr::new(address, port);
            let left = limit.saturating_sub(started.elapsed());
            let shares = u32::try_from(tried - index).unwrap_or(u32::MAX);
            let error = match timeout(left / shares, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Delayed small writes would be measured as the target's latency.
                    drop(stream.set_nodelay(true));
                    return Ok(Dialled {
                        stream: CountedStream::new(stream, Arc::clone(&self.meter)),
                        address,
                        resolve,
                        connect: connecting.elapsed(),
                    });
                }
                Ok(Err(error)) => DialError::from_io(&error),
                Err(_) => DialError::TimedOut(limit),
            };
            if worst
                .as_ref()
                .is_none_or(|worst| rank(&error) > rank(worst))
            {
                worst = Some(error);
            }
        }
        Err(worst.unwrap_or_else(|| DialError::Unresolved("no such host".to_owned())))
    }

    /// Whether a raw socket may talk to this address: one that was handed out
    /// for a granted name, or that is granted itself, and a granted port.
    pub fn permits(&self, address: SocketAddr) -> Result<(), Denied> {
        let ip = address.ip().to_canonical();
        let literal = Host::Address(ip);
        let subject = literal.with_port(address.port());
        let mut refusal = match self.grants.allows_parsed(&literal, address.port()) {
            Ok(()) => {
                return self
                    .policy
                    .check(&self.grants, &subject, ip, Some(address.port()));
            }
            Err(refusal) => refusal,
        };
        for (name, addresses) in self.lock_pins().iter() {
            if !addresses.contains(&ip) {
                continue;
            }
            let name = Host::Name(name.clone());
            let checked = self
                .grants
                .allows_parsed(&name, address.port())
                .and_then(|()| {
                    self.policy
                        .check(&self.grants, &subject, ip, Some(address.port()))
                });
            match checked {
                Ok(()) => return Ok(()),
                Err(named) => refusal = named,
            }
        }
        Err(refusal)
    }

    /// Counts a connection that others make, such as a raw socket's.
    pub fn count_connection(&self) -> Result<(), Limit> {
        self.meter.connection()
    }

    /// Counts bytes that others carry, such as a raw socket's.
    pub fn count_traffic(&self, bytes: usize) -> Result<(), Limit> {
        self.meter.traffic(bytes)
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Begins the record of an exchange; none when the list is full.
    pub(crate) fn begin_exchange(&self) -> Option<usize> {
        let mut exchanges = self.lock_exchanges();
        if exchanges.len() >= EXCHANGES_KEPT {
            return None;
        }
        exchanges.push(Exchange::default());
        Some(exchanges.len() - 1)
    }

    pub(crate) fn record_exchange(&self, index: Option<usize>, record: impl FnOnce(&mut Exchange)) {
        let mut exchanges = self.lock_exchanges();
        if let Some(exchange) = index.and_then(|index| exchanges.get_mut(index)) {
            record(exchange);
        }
    }

    /// The addresses of a host that may be reached at all, or at this port.
    pub(crate) fn reachable(
        &self,
        host: &Host,
        addresses: &[IpAddr],
        port: Option<u16>,
    ) -> Result<Vec<IpAddr>, Denied> {
        let subject = match port {
            Some(port) => host.with_port(port),
            None => host.to_string(),
        };
        let mut first_refusal = None;
        let mut reachable = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.policy.check(&self.grants, &subject, *address, port) {
                Ok(()) => reachable.push(*address),
                Err(refusal) => {
                    first_refusal.get_or_insert(refusal);
                }
            }
        }
        match first_refusal {
            Some(refusal) if reachable.is_empty() => Err(refusal),
            _ => Ok(reachable),
        }
    }

    /// Every address of a host, pinned, not yet judged.
    async fn addresses(&self, host: &Host, limit: Duration) -> Result<Arc<[IpAddr]>, DialError> {
        let name = match host {
            Host::Address(address) => return Ok(Arc::from([*address])),
            Host::Name(name) => name,
        };
        let names = {
            let pins = self.lock_pins();
            if let Some(pinned) = pins.get(name) {
                return Ok(Arc::clone(pinned));
            }
            u32::try_from(pins.len()).unwrap_or(u32::MAX)
        };
        let budget = self.meter.budget().names;
        if names >= budget {
            return Err(self.meter.hit(Limit::Names(budget)).into());
        }
        let found = self.resolver.lookup(name, limit).await?;
        let found: Arc<[IpAddr]> = found.into();
        // Two look-ups at once: both go on with the answer that came first.
        Ok(Arc::clone(
            self.lock_pins().entry(name.clone()).or_insert(found),
        ))
    }

    fn lock_pins(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<[IpAddr]>>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_exchanges(&self) -> std::sync::MutexGuard<'_, Vec<Exchange>> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl DialError {
    pub(crate) fn from_io(error: &io::Error) -> Self {
        if let Some(limit) = limit_of(error) {
            return Self::Limit(limit);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset => Self::Reset,
            _ => Self::Failed(reason::of_io(error)),
        }
    }
}

impl From<ResolveError> for DialError {
    fn from(error: ResolveError) -> Self {
        Self::Unresolved(error.to_string())
    }
}

/// Which of several addresses' failures says most: one that answered says more
/// than one that was silent, and that more than one that this machine has no
/// route to, as is usual for IPv6.
fn rank(error: &DialError) -> u8 {
    match error {
        DialError::Refused => 3,
        DialError::Reset => 2,
        DialError::TimedOut(_) => 1,
        DialError::Denied(_)
        | DialError::Unresolved(_)
        | DialError::Failed(_)
        | DialError::Limit(_) => 0,
    }
}
