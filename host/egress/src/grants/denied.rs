//! The refusal, and what an operator would write to lift it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::address::Class;
use crate::host::{HostError, shortened};

/// A refusal: the plugin asked for something that it was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    subject: String,
    why: Why,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// No pattern matches.
    NotGranted {
        /// The pattern that would match.
        pattern: String,
    },
    /// The address is one that no name may lead to.
    Address {
        /// What the name resolved to, or the address itself.
        address: IpAddr,
        /// What kind of address it is.
        class: Class,
    },
    /// The address and port at which this host itself listens.
    OwnListener {
        /// The address that was about to be reached.
        listener: SocketAddr,
    },
    /// What was asked for is no host at all.
    NotAHost(HostError),
}

impl Denied {
    pub(super) fn not_granted(subject: String, pattern: String) -> Self {
        Self {
            subject,
            why: Why::NotGranted { pattern },
        }
    }

    pub(crate) fn not_a_host(text: &str, error: HostError) -> Self {
        Self {
            subject: shortened(text),
            why: Why::NotAHost(error),
        }
    }

    pub(crate) fn address(subject: String, address: IpAddr, class: Class) -> Self {
        Self {
            subject,
            why: Why::Address { address, class },
        }
    }

    pub(crate) fn own_listener(subject: String, listener: SocketAddr) -> Self {
        Self {
            subject,
            why: Why::OwnListener { listener },
        }
    }

    /// What was asked for, as `host:port` or `host`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What stands in the way.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// What an operator would write to grant it, on one line.
    pub fn remedy(&self) -> String {
        match &self.why {
            Why::NotGranted { pattern } => format!("allow = [\"{pattern}\"]"),
            Why::Address {
                class: Class::Private | Class::Loopback,
                ..
            } => "[server] api_private_targets = true, or a target in the config file".to_owned(),
            Why::Address { address, .. } => {
                format!("a target in the config file that names {address} itself")
            }
            Why::OwnListener { listener } => {
                format!("a target in the config file that names {listener} itself")
            }
            Why::NotAHost(_) => "a host name or address".to_owned(),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not granted: {}", self.subject)?;
        match &self.why {
            Why::NotGranted { .. } => Ok(()),
            Why::Address { address, class } => write!(formatter, " ({address} is {class})"),
            Why::OwnListener { listener } => {
                write!(formatter, " ({listener} is this monitor's own listener)")
            }
            Why::NotAHost(error) => write!(formatter, " ({error})"),
        }
    }
}

impl std::error::Error for Denied {}
