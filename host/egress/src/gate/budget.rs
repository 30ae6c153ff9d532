//! What a run may spend, and what it has spent.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::reason;

/// What one run may spend of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Connections, open or not, DNS questions and pings included.
    pub connections: u32,
    /// Bytes sent and received together, TLS included.
    pub traffic: u64,
    /// Bytes of one response's body.
    pub body: u64,
    /// Different names looked up.
    pub names: u32,
}

/// A limit that a run has hit; shown as `16 connections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Budget::connections`].
    Connections(u32),
    /// [`Budget::traffic`].
    Traffic(u64),
    /// [`Budget::body`].
    Body(u64),
    /// [`Budget::names`].
    Names(u32),
}

/// What one run has spent.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    connections: AtomicU32,
    traffic: AtomicU64,
    limit: OnceLock<Limit>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            connections: 16,
            traffic: 16 << 20,
            body: 4 << 20,
            names: 64,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connections(1) => formatter.write_str("1 connection"),
            Self::Connections(count) => write!(formatter, "{count} connections"),
            Self::Traffic(bytes) => write!(formatter, "{} of traffic", reason::bytes(*bytes)),
            Self::Body(bytes) => write!(formatter, "{} of response body", reason::bytes(*bytes)),
            Self::Names(count) => write!(formatter, "{count} names"),
        }
    }
}

impl std::error::Error for Limit {}

impl Meter {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            connections: AtomicU32::new(0),
            traffic: AtomicU64::new(0),
            limit: OnceLock::new(),
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The first limit that was hit.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.limit.get().copied()
    }

    pub(crate) fn spent_traffic(&self) -> u64 {
        self.traffic.load(Ordering::Relaxed)
    }

    /// Notes that a limit was hit; the first one stays.
    pub(crate) fn hit(&self, limit: Limit) -> Limit {
        *self.limit.get_or_init(|| limit)
    }

    /// Counts one connection.
    pub(crate) fn connection(&self) -> Result<(), Limit> {
        let taken =
            self.connections
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |connections| {
                    (connections < self.budget.connections).then_some(connections + 1)
                });
        match taken {
            Ok(_) => Ok(()),
            Err(_) => Err(self.hit(Limit::Connections(self.budget.connections))),
        }
    }

    /// Counts bytes that went over the wire.
    pub(crate) fn traffic(&self, bytes: usize) -> Result<(), Limit> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.traffic.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.traffic {
            return Err(self.hit(Limit::Traffic(self.budget.traffic)));
        }
        Ok(())
    }

    /// Whether traffic is left, before more is asked for.
    pub(crate) fn has_traffic(&self) -> Result<(), Limit> {
        if self.spent_traffic() >= self.budget.traffic {
            return Err(self.hit(Limit::Traffic(self.budget.traffic)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_limit_hit_is_the_one_told() {
        let meter = Meter::new(Budget {
            connections: 1,
            traffic: 10,
            ..Budget::default()
        });
        assert_eq!(meter.connection(), Ok(()));
        assert_eq!(meter.traffic(10), Ok(()));
        assert_eq!(meter.limit(), None);
        assert_eq!(meter.traffic(1), Err(Limit::Traffic(10)));
        assert_eq!(meter.connection(), Err(Limit::Traffic(10)));
        assert_eq!(meter.limit(), Some(Limit::Traffic(10)));
    }

    #[test]
    fn limits_are_told_in_words() {
        assert_eq!(Limit::Connections(16).to_string(), "16 connections");
        assert_eq!(Limit::Traffic(16 << 20).to_string(), "16 MiB of traffic");
        assert_eq!(Limit::Body(4 << 20).to_string(), "4 MiB of response body");
    }
}
