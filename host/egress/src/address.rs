//! Addresses: what kind each is, and which kinds a run may reach.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::grants::{Denied, Grants};

/// Whether the operator's own network is within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// For targets of the config file: monitoring them is the job.
    Allowed,
    /// For targets made through the API. Naming an address literally lifts
    /// nothing then: it was not the operator who wrote it.
    Refused,
}

/// Which addresses a run may reach, whatever name led to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether private, shared and loopback addresses may be reached.
    pub private: PrivateAddresses,
    /// Where this host itself listens; an unspecified address stands for every
    /// address of this machine.
    pub own_listeners: Vec<SocketAddr>,
}

/// What kind of address this is, IPv4 within IPv6 unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Everything else: the Internet.
    Public,
    /// RFC 1918, shared (RFC 6598), unique local (RFC 4193), site-local,
    /// benchmarking (RFC 2544) and reserved (240.0.0.0/4).
    Private,
    /// 127.0.0.0/8 and `::1`.
    Loopback,
    /// 169.254.0.0/16 and `fe80::/10`.
    LinkLocal,
    /// Where cloud providers hand out credentials.
    Metadata,
    /// 0.0.0.0/8 and `::`, which many systems take for loopback.
    Unspecified,
    /// 224.0.0.0/4 and `ff00::/8`.
    Multicast,
    /// 255.255.255.255.
    Broadcast,
}

/// AWS, Google, Azure and most others (within link-local), Alibaba, Azure's wire
/// server, Oracle.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// AWS and Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

/// What kind of address this is.
pub fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => classify_v4(address),
            None => classify_v6(address),
        },
    }
}

impl AddressPolicy {
    /// Everything on this machine and its network, but for what needs naming.
    pub fn for_config_targets(own_listeners: Vec<SocketAddr>) -> Self {
        Self {
            private: PrivateAddresses::Allowed,
            own_listeners,
        }
    }

    /// The Internet only.
    pub fn for_api_targets(own_listeners: Vec<SocketAddr>) -> Self {
        Self {
            private: PrivateAddresses::Refused,
            own_listeners,
        }
    }

    /// Whether this address may be reached, at this port if one is known;
    /// `subject` is what the refusal says was asked for.
    pub fn check(
        &self,
        grants: &Grants,
        subject: &str,
        address: IpAddr,
        port: Option<u16>,
    ) -> Result<(), Denied> {
        let class = classify(address);
        let operator_named =
            |port| self.private == PrivateAddresses::Allowed && grants.names_address(address, port);
        let reachable = match class {
            Class::Public => true,
            Class::Private | Class::Loopback => self.private == PrivateAddresses::Allowed,
            Class::LinkLocal
            | Class::Metadata
            | Class::Unspecified
            | Class::Multicast
            | Class::Broadcast => operator_named(port),
        };
        if !reachable {
            return Err(Denied::address(subject.to_owned(), address, class));
        }
        let Some(port) = port else {
            return Ok(());
        };
        let reached = SocketAddr::new(effective(address), port);
        let named = self.private == PrivateAddresses::Allowed && grants.names_listener(reached);
        if self.is_own_listener(reached) && !named {
            return Err(Denied::own_listener(subject.to_owned(), reached));
        }
        Ok(())
    }

    fn is_own_listener(&self, reached: SocketAddr) -> bool {
        self.own_listeners
            .iter()
            .filter(|listener| listener.port() == reached.port())
            .any(|listener| {
                let bound = listener.ip().to_canonical();
                bound == reached.ip() || (bound.is_unspecified() && is_this_machine(reached.ip()))
            })
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Public => "a public address",
            Self::Private => "a private address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata address",
            Self::Unspecified => "an unspecified address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
        })
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    let [a, b, _, _] = address.octets();
    if METADATA_V4.contains(&address) {
        return Class::Metadata;
    }
    match (a, b) {
        (0, _) => Class::Unspecified,
        (127, _) => Class::Loopback,
        (169, 254) => Class::LinkLocal,
        (10, _) | (100, 64..=127) | (172, 16..=31) | (192, 168) | (198, 18..=19) => Class::Private,
        (224..=239, _) => Class::Multicast,
        _ if address.is_broadcast() => Class::Broadcast,
        (240..=255, _) => Class::Private,
        _ => Class::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    if METADATA_V6.contains(&address) {
        return Class::Metadata;
    }
    if address.is_unspecified() {
        return Class::Unspecified;
    }
    if address.is_loopback() {
        return Class::Loopback;
    }
    match address.segments() {
        [0xff00..=0xffff, ..] => Class::Multicast,
        [0xfe80..=0xfebf, ..] => Class::LinkLocal,
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Class::Private,
        _ => Class::Public,
    }
}

/// The IPv4 address that a packet to this IPv6 address would end at.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // `::` and `::1` are no IPv4-compatible addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible (RFC 4291, deprecated) and mapped; translated (RFC 2765);
        // NAT64 by the well-known prefix (RFC 6052) and the local-use one (RFC 8215);
        // 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x0064, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => join(high, low),
        // Teredo (RFC 4380): the client's address, its bits inverted.
        [0x2001, 0, _, _, _, _, high, low] => join(!high, !low),
        _ => None,
    }
}

/// The address that a connection to this one really goes to.
fn effective(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) if address.octets()[0] == 0 => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

/// Whether an address belongs to this machine: the kernel then chooses that same
/// address as the source. Connecting a datagram socket sends nothing.
fn is_this_machine(address: IpAddr) -> bool {
    if address.is_loopback() {
        return true;
    }
    let unspecified: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((unspecified, 0))
        .and_then(|socket| {
            socket.connect((address, 9))?;
            socket.local_addr()
        })
        .is_ok_and(|source| source.ip() == address)
}

#[cfg(test)]
mod tests;
