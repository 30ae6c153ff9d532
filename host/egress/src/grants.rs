//! What a run may reach: patterns of hosts and ports, and the refusal.

mod denied;
mod pattern;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use crate::address::Class;
use crate::host::Host;
use crate::target;

pub use denied::{Denied, Why};
pub(crate) use pattern::parse_port;
pub use pattern::{GrantError, HostPattern};

/// The set of everything that one run may reach. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    patterns: Vec<HostPattern>,
}

impl Grants {
    /// Nothing granted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one pattern; one that is there already changes nothing.
    pub fn grant(&mut self, pattern: HostPattern) {
        if !self.patterns.contains(&pattern) {
            self.patterns.push(pattern);
        }
    }

    /// Adds what a target or a URI of the configuration names: a URL of any
    /// scheme, `host:port`, or a bare host (which may be looked up and pinged).
    ///
    /// The port is the URL's, else the scheme's own; `icmp://host` grants no
    /// port; `dns://server/name` grants the server at 53 and the name, and
    /// `dns:name` (RFC 4501) the name alone. Hosts separated by commas, as in
    /// database URLs, are granted each.
    pub fn grant_url(&mut self, url: &str) -> Result<(), GrantError> {
        for pattern in target::patterns(url)? {
            self.grant(pattern);
        }
        Ok(())
    }

    /// The first host that is not on the Internet by its very text: an address of this
    /// machine or its network, or `localhost`. Where names lead is only known once they
    /// are looked up.
    pub fn first_private(&self) -> Option<(String, Class)> {
        self.patterns.iter().find_map(|pattern| {
            let class = pattern.literal_class()?;
            (class != Class::Public).then(|| (pattern.to_string(), class))
        })
    }

    /// Whether a connection to this host and port is granted by name. Addresses
    /// are judged apart, by [`crate::address::AddressPolicy`].
    pub fn allows(&self, host: &str, port: u16) -> Result<(), Denied> {
        let host = Host::parse(host).map_err(|error| Denied::not_a_host(host, error))?;
        self.allows_parsed(&host, port)
    }

    /// Whether this host may be looked up and pinged: it is granted with any
    /// port or none.
    pub fn allows_host(&self, host: &str) -> Result<(), Denied> {
        let host = Host::parse(host).map_err(|error| Denied::not_a_host(host, error))?;
        self.allows_parsed_host(&host)
    }

    /// Whether a DNS question about this name may be put to the host's own
    /// resolver: the name is a granted host, or a service label (`_dmarc.…`,
    /// `_sip._tcp.…`) in front of one. Other names below a granted one are
    /// refused: a question's labels are data, and leave this network.
    pub fn allows_name(&self, name: &str) -> Result<(), Denied> {
        let host = Host::parse(name).map_err(|error| Denied::not_a_host(name, error))?;
        let mut asked = host.clone();
        for _ in 0..3 {
            if self.allows_parsed_host(&asked).is_ok() {
                return Ok(());
            }
            let parent = match &asked {
                Host::Name(name) if name.starts_with('_') => {
                    name.split_once('.').map(|(_, parent)| parent.to_owned())
                }
                Host::Name(_) | Host::Address(_) => None,
            };
            match parent {
                Some(parent) => asked = Host::Name(parent),
                None => break,
            }
        }
        self.allows_parsed_host(&host)
    }

    /// Whether a pattern is this very address, at this port if one is given:
    /// what lifts the rules against link-local and metadata addresses.
    pub fn names_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.patterns.iter().any(|pattern| {
            pattern.is_address(address) && port.is_none_or(|port| pattern.matches_port(port))
        })
    }

    /// Whether a pattern names the listener at this address itself: by its
    /// address, or as `localhost`, and by its own port. A name that happens to
    /// lead there and a pattern for any port do not name it.
    pub fn names_listener(&self, listener: SocketAddr) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.names_listener(listener))
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, in the order in which they were granted.
    pub fn patterns(&self) -> impl Iterator<Item = &HostPattern> {
        self.patterns.iter()
    }

    pub(crate) fn allows_parsed(&self, host: &Host, port: u16) -> Result<(), Denied> {
        let granted = self
            .patterns
            .iter()
            .any(|pattern| pattern.matches_port(port) && pattern.matches_host(host));
        if granted {
            return Ok(());
        }
        let subject = host.with_port(port);
        Err(Denied::not_granted(subject.clone(), subject))
    }

    pub(crate) fn allows_parsed_host(&self, host: &Host) -> Result<(), Denied> {
        if self
            .patterns
            .iter()
            .any(|pattern| pattern.matches_host(host))
        {
            return Ok(());
        }
        Err(Denied::not_granted(host.to_string(), format!("{host}:*")))
    }
}
