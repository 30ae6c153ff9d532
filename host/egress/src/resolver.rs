//! Names to addresses, by this machine's own configuration.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
    ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::system_conf::read_system_conf;
use tokio::time::{Instant, timeout};

use crate::reason;

/// How often the system's files are looked at for a change.
const RELOAD_EVERY: Duration = Duration::from_secs(5);

/// The longest that an answer is kept: a target that has moved is found again
/// within minutes, whatever its records say.
const LONGEST_POSITIVE: Duration = Duration::from_mins(5);

/// The longest that "no such host" is kept, so that a target is seen to be back
/// at the next check or the one after.
const LONGEST_NEGATIVE: Duration = Duration::from_secs(10);

/// Names kept; each takes well under a kilobyte.
const CACHED_NAMES: u64 = 2_048;

/// Questions that one server may have open.
const QUESTIONS_AT_ONCE: usize = 4_096;

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

/// Looks names up. Clones share one cache.
#[derive(Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

/// How names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverOptions {
    /// The servers to ask; empty: those of `/etc/resolv.conf`, and the one on
    /// this machine when there is no such file (resolv.conf(5)).
    pub servers: Vec<SocketAddr>,
    /// The longest that one look-up may take, all servers and retries together.
    pub timeout: Duration,
}

/// Why a name has no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name does not exist.
    #[error("no such host")]
    NoSuchHost,
    /// The name exists and has neither an IPv4 nor an IPv6 address.
    #[error("the host has no address")]
    NoAddress,
    /// No server answered in time.
    #[error("no answer from DNS in {}", reason::duration(*.0))]
    TimedOut(Duration),
    /// The servers could not answer; says why.
    #[error("DNS failed: {0}")]
    Failed(String),
}

struct Shared {
    options: ResolverOptions,
    state: Mutex<State>,
}

struct State {
    resolver: TokioResolver,
    servers: Arc<[SocketAddr]>,
    stamps: [Option<SystemTime>; 2],
    looked: Option<Instant>,
}

impl Default for ResolverOptions {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(5),
        }
    }
}

impl Resolver {
    /// A resolver with these options. Changes of `/etc/resolv.conf` and
    /// `/etc/hosts` are followed within seconds.
    pub fn new(options: ResolverOptions) -> Result<Self, ResolveError> {
        let state = State::read(&options)?;
        Ok(Self {
            shared: Arc::new(Shared {
                options,
                state: Mutex::new(state),
            }),
        })
    }

    /// The addresses of a name, IPv4 before IPv6: where both work they are
    /// equally good, and where one is broken it is nearly always IPv6.
    /// `localhost` and names below it are always loopback (RFC 6761).
    ///
    /// Takes at most `limit`, and never longer than the configured timeout.
    pub async fn lookup(&self, name: &str, limit: Duration) -> Result<Vec<IpAddr>, ResolveError> {
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let limit = limit.min(self.shared.options.timeout);
        let resolver = self.current();
        let answer = timeout(limit, resolver.lookup_ip(name))
            .await
            .map_err(|_| ResolveError::TimedOut(limit))?
            .map_err(|error| ResolveError::from_hickory(&error, limit))?;
        let mut addresses = Vec::new();
        for address in answer.iter().map(|address| address.to_canonical()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(ResolveError::NoAddress);
        }
        Ok(addresses)
    }

    /// The servers that are asked, in order.
    pub fn servers(&self) -> Arc<[SocketAddr]> {
        self.refreshed(|state| Arc::clone(&state.servers))
    }

    fn current(&self) -> TokioResolver {
        self.refreshed(|state| state.resolver.clone())
    }

    fn refreshed<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = state
            .looked
            .is_none_or(|looked| now.duration_since(looked) >= RELOAD_EVERY);
        if is_due {
            state.looked = Some(now);
            if state.stamps != stamps()
                && let Ok(read) = State::read(&self.shared.options)
            {
                *state = read;
                state.looked = Some(now);
            }
        }
        read(&state)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resolver")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl State {
    fn read(options: &ResolverOptions) -> Result<Self, ResolveError> {
        let stamps = stamps();
        let (config, mut settings) = if options.servers.is_empty() {
            read_system_conf().unwrap_or_else(|_| {
                let local = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
                (
                    ResolverConfig::from_parts(None, Vec::new(), vec![local]),
                    ResolverOpts::default(),
                )
            })
        } else {
            let servers = options.servers.iter().map(|server| server_at(*server));
            (
                ResolverConfig::from_parts(None, Vec::new(), servers.collect()),
                ResolverOpts::default(),
            )
        };
        let servers = config
            .name_servers()
            .iter()
            .filter_map(|server| {
                let port = server.connections.first()?.port;
                Some(SocketAddr::new(server.ip, port))
            })
            .collect();
        settings.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        settings.use_hosts_file = ResolveHosts::Always;
        settings.cache_size = CACHED_NAMES;
        settings.positive_max_ttl = Some(LONGEST_POSITIVE);
        settings.negative_max_ttl = Some(LONGEST_NEGATIVE);
        settings.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        // One server may be asked about the targets of every monitor at once.
        settings.max_active_requests = QUESTIONS_AT_ONCE;
        // Two tries fit into the time that a look-up has.
        settings.attempts = 2;
        settings.timeout = settings.timeout.min(options.timeout / 2);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = settings;
        let resolver = builder
            .build()
            .map_err(|error| ResolveError::Failed(error.to_string()))?;
        Ok(Self {
            resolver,
            servers,
            stamps,
            looked: None,
        })
    }
}

impl ResolveError {
    fn from_hickory(error: &NetError, limit: Duration) -> Self {
        match error {
            NetError::Timeout => Self::TimedOut(limit),
            NetError::Dns(DnsError::NoRecordsFound(found)) => match found.response_code {
                ResponseCode::NXDomain => Self::NoSuchHost,
                ResponseCode::NoError => Self::NoAddress,
                code => Self::Failed(code.to_string().to_lowercase()),
            },
            NetError::Dns(DnsError::ResponseCode(code)) => {
                Self::Failed(code.to_string().to_lowercase())
            }
            NetError::Io(error) => Self::Failed(reason::of_io(error)),
            error => Self::Failed(error.to_string()),
        }
    }
}

fn server_at(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .into_iter()
        .map(|mut connection| {
            connection.port = address.port();
            connection
        })
        .collect();
    NameServerConfig::new(address.ip(), true, connections)
}

/// When the system's files were last written; none for one that is missing.
fn stamps() -> [Option<SystemTime>; 2] {
    [RESOLV_CONF, HOSTS].map(|path| {
        Path::new(path)
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
    })
}

#[cfg(test)]
mod tests;
