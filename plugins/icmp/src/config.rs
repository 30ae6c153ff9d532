//! What operators can say about a ping.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::Span;

/// The configuration of a ping. All keys are optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many times to ping each address of the host, one after the other.
    #[schemars(range(min = 1, max = 20))]
    pub packets: u32,
    /// Which of the host's addresses must answer.
    pub addresses: Addresses,
    /// Which kind of addresses counts.
    pub family: Family,
    /// How long to wait for each answer. Default: an equal share of the check's
    /// time for each.
    pub wait: Option<Span>,
    /// What to think of lost answers.
    pub loss: Loss,
    /// What to think of slow answers.
    pub round_trip: RoundTrip,
}

/// Which of a host's addresses must answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// Every address; the slowest one's round trip counts.
    #[default]
    All,
    /// One of them, whichever; the fastest one's round trip counts.
    Any,
    /// The first that the look-up gives; the others do not matter.
    First,
}

/// Which kind of addresses counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Both kinds, as far as the host that checks has a route to them.
    #[default]
    Any,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
}

/// What to think of lost answers, as parts of 1. A ping counts as lost when not
/// every address that must answer did.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Loss {
    /// Sick when more than this part is lost.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sick_above: f64,
    /// Dead when more than this part is lost. When all is lost the target is dead
    /// in any case.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dead_above: f64,
}

/// What to think of slow answers: the slowest ping counts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoundTrip {
    /// Sick when it takes longer.
    pub sick_above: Option<Span>,
    /// Dead when it takes longer.
    pub dead_above: Option<Span>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            packets: 1,
            addresses: Addresses::default(),
            family: Family::default(),
            wait: None,
            loss: Loss::default(),
            round_trip: RoundTrip::default(),
        }
    }
}

impl Default for Loss {
    fn default() -> Self {
        Self {
            sick_above: 0.0,
            dead_above: 0.5,
        }
    }
}

impl Family {
    /// Whether `address` is of this kind. What cannot be read as an address is
    /// of none but [`Family::Any`].
    pub(crate) fn contains(self, address: &str) -> bool {
        let address = address.parse::<IpAddr>();
        match self {
            Self::Any => true,
            Self::Ipv4 => address.is_ok_and(|address| address.is_ipv4()),
            Self::Ipv6 => address.is_ok_and(|address| address.is_ipv6()),
        }
    }

    /// For a sentence: `no IPv6 address`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "address",
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
        }
    }
}
