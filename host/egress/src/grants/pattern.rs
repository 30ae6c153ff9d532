//! Patterns of hosts and ports.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::address::{Class, classify};
use crate::host::{Host, HostError, shortened, split_port};

/// One line of a grant: `example.com:443`, `*.example.com:443`, `example.com:*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern {
    host: HostPart,
    port: PortPart,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum HostPart {
    One(Host),
    /// Every name below this one, not this one itself.
    Below(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum PortPart {
    /// The host may be named and pinged, not connected to.
    None,
    One(u16),
    Any,
}

/// Why a text is no pattern or names nothing to reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The host part.
    #[error(transparent)]
    Host(#[from] HostError),
    /// `*` alone, or within a label.
    #[error("`{0}`: a `*` may only stand for whole labels in front, as in `*.example.com:443`")]
    Wildcard(String),
    /// No port, where one is needed.
    #[error("`{0}` has no port: write `host:port`")]
    NoPort(String),
    /// No number from 1 to 65535.
    #[error("`{0}` has no valid port: 1 to 65535")]
    BadPort(String),
    /// A URL without a host.
    #[error("`{0}` names no host")]
    NoHost(String),
}

impl HostPattern {
    /// Exactly this host and port.
    pub fn exactly(host: Host, port: u16) -> Self {
        Self {
            host: HostPart::One(host),
            port: PortPart::One(port),
        }
    }

    /// This host without any port: it may be looked up and pinged.
    pub fn host_only(host: Host) -> Self {
        Self {
            host: HostPart::One(host),
            port: PortPart::None,
        }
    }

    /// What kind of address the host is by its very text; `None` for a name that has to
    /// be looked up.
    pub(crate) fn literal_class(&self) -> Option<Class> {
        match &self.host {
            HostPart::One(Host::Address(address)) => Some(classify(*address)),
            // RFC 6761, section 6.3.
            HostPart::One(Host::Name(name)) | HostPart::Below(name)
                if name == "localhost" || name.ends_with(".localhost") =>
            {
                Some(Class::Loopback)
            }
            HostPart::One(Host::Name(_)) | HostPart::Below(_) => None,
        }
    }

    /// Whether everything that `other` names is named by this pattern too.
    pub fn covers(&self, other: &Self) -> bool {
        let host = match (&self.host, &other.host) {
            (HostPart::Below(own), HostPart::Below(others)) => {
                own == others || self.matches_host(&Host::Name(others.clone()))
            }
            (_, HostPart::One(host)) => self.matches_host(host),
            (HostPart::One(_), HostPart::Below(_)) => false,
        };
        let port = match (self.port, other.port) {
            (PortPart::Any, _) | (_, PortPart::None) => true,
            (PortPart::One(own), PortPart::One(others)) => own == others,
            (PortPart::None | PortPart::One(_), _) => false,
        };
        host && port
    }

    pub(super) fn matches_host(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (HostPart::One(own), host) => own == host,
            (HostPart::Below(parent), Host::Name(name)) => name
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            (HostPart::Below(_), Host::Address(_)) => false,
        }
    }

    pub(super) fn matches_port(&self, port: u16) -> bool {
        match self.port {
            PortPart::None => false,
            PortPart::One(own) => own == port,
            PortPart::Any => true,
        }
    }

    /// Whether this is the pattern of that very address.
    pub(super) fn is_address(&self, address: IpAddr) -> bool {
        matches!(&self.host, HostPart::One(Host::Address(own)) if *own == address.to_canonical())
    }

    /// Whether this names a listener: by its address or as `localhost`, and by
    /// its own port.
    pub(super) fn names_listener(&self, listener: SocketAddr) -> bool {
        let is_loopback = listener.ip().to_canonical().is_loopback();
        self.port == PortPart::One(listener.port())
            && match &self.host {
                HostPart::One(host) => {
                    self.is_address(listener.ip()) || (is_loopback && host.is_localhost())
                }
                HostPart::Below(_) => false,
            }
    }
}

impl FromStr for HostPattern {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let (host_text, port_text) = split_port(text);
        let port = match port_text {
            None | Some("") => return Err(GrantError::NoPort(shortened(text))),
            Some("*") => PortPart::Any,
            Some(port) => {
                PortPart::One(parse_port(port).ok_or_else(|| GrantError::BadPort(shortened(text)))?)
            }
        };
        let host = if let Some(parent) = host_text.strip_prefix("*.") {
            match Host::parse(parent) {
                Ok(Host::Name(parent)) => HostPart::Below(parent),
                Ok(Host::Address(_)) => return Err(GrantError::Wildcard(shortened(text))),
                Err(_) if parent.contains('*') => {
                    return Err(GrantError::Wildcard(shortened(text)));
                }
                Err(error) => return Err(error.into()),
            }
        } else if host_text.contains('*') {
            return Err(GrantError::Wildcard(shortened(text)));
        } else {
            HostPart::One(Host::parse(host_text)?)
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPart::One(host) => write!(formatter, "{host}")?,
            HostPart::Below(parent) => write!(formatter, "*.{parent}")?,
        }
        match self.port {
            PortPart::None => Ok(()),
            PortPart::One(port) => write!(formatter, ":{port}"),
            PortPart::Any => formatter.write_str(":*"),
        }
    }
}

pub(crate) fn parse_port(text: &str) -> Option<u16> {
    // `u16::from_str` takes a leading `+`, which no URL parser does.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|port| *port != 0)
}
