//! How often something may happen: so often at once, and then so often in a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many are remembered. Beyond it, those that have all they may are forgotten,
/// and if none has, all are: who comes then has everything it may again.
const MOST: usize = 10_000;

/// An allowance for each of many.
pub(crate) struct Allowance<K> {
    at_once: u32,
    /// In which time one more is allowed.
    every: Duration,
    /// Until when what each has used up is paid off.
    paid_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Allowance<K> {
    /// So many `at_once`, and one more in `every`.
    pub(crate) fn new(at_once: u32, every: Duration) -> Self {
        Self {
            at_once,
            every,
            paid_at: Mutex::default(),
        }
    }

    /// Uses up one, if there is one left.
    pub(crate) fn take(&self, who: K) -> bool {
        self.look(who, true)
    }

    /// Whether there is one left.
    pub(crate) fn has(&self, who: K) -> bool {
        self.look(who, false)
    }

    fn look(&self, who: K, take: bool) -> bool {
        let now = Instant::now();
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        if paid_at.len() >= MOST && !paid_at.contains_key(&who) {
            paid_at.retain(|_, paid_at| *paid_at > now);
            if paid_at.len() >= MOST {
                paid_at.clear();
            }
        }
        let due = paid_at.get(&who).map_or(now, |paid_at| (*paid_at).max(now));
        let next = due + self.every;
        let allowed = next.duration_since(now) <= self.every * self.at_once;
        if allowed && take {
            paid_at.insert(who, next);
        }
        allowed
    }
}

/// Whose attempts count together: an address, or a /64 of IPv6, as one line has
/// one of those. `None` for this machine, where a proxy may speak for everybody.
pub(crate) fn neighbourhood(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    if address.is_loopback() {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let prefix = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(prefix).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn some_at_once_and_then_one_by_one() {
        let allowance = Allowance::new(3, Duration::from_secs(2));
        let taken = |count: usize| (0..count).filter(|_| allowance.take("a")).count();
        assert_eq!(taken(5), 3);
        assert!(!allowance.has("a") && allowance.has("b"));
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(taken(5), 2);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(taken(5), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let allowance = Allowance::new(1, Duration::from_secs(1));
        for who in 0..3 * MOST {
            assert!(allowance.take(who));
        }
        assert!(allowance.paid_at.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn a_line_counts_as_one() {
        let of = |address: &str| neighbourhood(address.parse().unwrap()).map(|it| it.to_string());
        assert_eq!(of("127.0.0.1"), None);
        assert_eq!(of("::1"), None);
        assert_eq!(of("::ffff:127.0.0.1"), None);
        assert_eq!(of("192.0.2.1").unwrap(), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3::4").unwrap(), "2001:db8:1:2::");
    }
}
