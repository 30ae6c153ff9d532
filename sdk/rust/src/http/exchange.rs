//! What the host saw of this run's HTTP exchanges.

use std::time::Duration;

use crate::bindings::http_trace;
use crate::tls::Session;

/// One exchange as the host saw it: each phase is a part of its own, none where
/// the exchange did not come so far or needed none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Name look-up.
    pub resolve: Option<Duration>,
    /// TCP connection.
    pub connect: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the answer's first byte.
    pub first_byte: Option<Duration>,
    /// From there to its last.
    pub transfer: Option<Duration>,
    /// The address that was connected to.
    pub address: Option<String>,
    /// What TLS was agreed upon, with the certificates.
    pub session: Option<Session>,
}

impl Exchange {
    /// The sum of all phases; none where the host saw none.
    pub fn total(&self) -> Option<Duration> {
        self.phases()
            .map(|(_, phase)| phase)
            .reduce(Duration::saturating_add)
    }

    /// The phases that there were, in their order: `resolve`, `connect`, `tls`,
    /// `first-byte`, `transfer`.
    pub fn phases(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        [
            ("resolve", self.resolve),
            ("connect", self.connect),
            ("tls", self.tls),
            ("first-byte", self.first_byte),
            ("transfer", self.transfer),
        ]
        .into_iter()
        .filter_map(|(name, phase)| Some((name, phase?)))
    }
}

/// The exchanges of this run, oldest first; each redirect is one.
pub fn exchanges() -> Vec<Exchange> {
    http_trace::exchanges()
        .into_iter()
        .map(Exchange::from)
        .collect()
}

impl From<http_trace::Exchange> for Exchange {
    fn from(exchange: http_trace::Exchange) -> Self {
        let span = |nanos: Option<u64>| nanos.map(Duration::from_nanos);
        Self {
            resolve: span(exchange.resolve),
            connect: span(exchange.connect),
            tls: span(exchange.tls),
            first_byte: span(exchange.first_byte),
            transfer: span(exchange.transfer),
            address: exchange.address,
            session: exchange.session.map(Session::from),
        }
    }
}
