//! Live events: server-sent events (HTML living standard, section 9.2) to those
//! who follow the page.
//!
//! What is sent is made once and shared by all. A follower that reads too slowly
//! loses what it did not read and gets the present state of everything instead.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, interval};
use tokio_util::sync::CancellationToken;
use watchkeeper_engine::time::Timestamp;

/// After how much silence a comment keeps proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many events a follower may be behind.
pub(crate) const BACKLOG: usize = 32;

/// How long a browser waits before it comes back, in milliseconds.
const RETRY_MS: u32 = 3000;

/// Events of one moment, as they are sent.
#[derive(Default)]
pub(crate) struct Events(String);

impl Events {
    /// What every follower gets first: when to come back, and the shape of the
    /// page that the events are for.
    pub(crate) fn hello(shape: &str) -> Self {
        let mut events = Self(format!("retry: {RETRY_MS}\n"));
        events.event("shape", shape);
        events
    }

    /// The page has another shape: patches do not fit what was loaded before.
    pub(crate) fn reshaped(&mut self, shape: &str) {
        self.event("shape", shape);
    }

    /// When the last check ended and what the time is, in milliseconds since the
    /// epoch.
    pub(crate) fn tick(&mut self, checked_at: Option<Timestamp>, now: Timestamp) {
        let checked_at = checked_at.map_or_else(|| "-".to_owned(), |at| at.as_millis().to_string());
        self.event("tick", &format!("{checked_at} {}", now.as_millis()));
    }

    /// Incidents that are not what they were, each as JSON.
    pub(crate) fn incidents(&mut self, news: &[String]) {
        for incident in news {
            self.event("incident", incident);
        }
    }

    /// Parts of the page as they are now.
    pub(crate) fn patch(&mut self, html: &str) {
        if !html.is_empty() {
            self.event("patch", html);
        }
    }

    /// Ends what belongs to `revision`: whoever got this has all up to there.
    pub(crate) fn finish(mut self, revision: u64) -> Bytes {
        // Only the last event has the identifier, so that a connection cut between
        // two of them does not make the latter one count as seen.
        let written = write!(self.0, "id: {revision}\nevent: seen\ndata: {revision}\n\n");
        written.expect("a String takes all that is written to it");
        self.0.into()
    }

    /// A carriage return ends a line as well as a line feed does; HTML does not
    /// tell them apart.
    fn event(&mut self, name: &str, data: &str) {
        self.0.push_str("event: ");
        self.0.push_str(name);
        for line in data.split(['\n', '\r']) {
            self.0.push_str("\ndata: ");
            self.0.push_str(line);
        }
        self.0.push_str("\n\n");
    }
}

/// Who follows the page.
pub(crate) struct Seats {
    taken: Mutex<Taken>,
    most: usize,
    most_per_address: usize,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to follow the page; given back when dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    address: Option<IpAddr>,
}

impl Seats {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            taken: Mutex::default(),
            most,
            most_per_address,
        }
    }

    /// A seat for a client at `address`; `None` if all are taken. Whoever comes
    /// from this machine counts towards the total alone, as that may be a proxy
    /// behind which everyone is.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Seat> {
        let address = address
            .map(counted_as)
            .filter(|address| !address.is_loopback());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.total >= self.most {
            return None;
        }
        if let Some(address) = address {
            let count = taken.by_address.entry(address).or_default();
            if *count >= self.most_per_address {
                return None;
            }
            *count += 1;
        }
        taken.total += 1;
        Some(Seat {
            seats: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.total = taken.total.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(count) = taken.by_address.get_mut(&address)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// One client may have a whole /64 of IPv6 addresses: they count as one.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

/// A follower's subscription and what it is told first.
pub(crate) struct Joined {
    pub(crate) first: Bytes,
    pub(crate) events: broadcast::Receiver<Bytes>,
}

struct Follower<F> {
    first: Option<Bytes>,
    events: broadcast::Receiver<Bytes>,
    keep_alive: Interval,
    closing: CancellationToken,
    rejoin: F,
    _seat: Seat,
}

/// What a follower is sent, until it leaves, the server closes or the page goes.
/// `rejoin` is called when it has fallen behind.
pub(crate) fn follow<F>(joined: Joined, seat: Seat, closing: CancellationToken, rejoin: F) -> Body
where
    F: Fn() -> Option<Joined> + Send + 'static,
{
    let follower = Follower {
        first: Some(joined.first),
        events: joined.events,
        keep_alive: interval(KEEP_ALIVE),
        closing,
        rejoin,
        _seat: seat,
    };
    Body::from_stream(stream::unfold(follower, |mut follower| async move {
        let next = follower.next().await?;
        Some((Ok::<_, Infallible>(next), follower))
    }))
}

impl<F: Fn() -> Option<Joined>> Follower<F> {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            self.keep_alive.reset();
            return Some(first);
        }
        let next = tokio::select! {
            biased;
            () = self.closing.cancelled() => return None,
            next = self.events.recv() => next,
            _ = self.keep_alive.tick() => return Some(Bytes::from_static(b":\n\n")),
        };
        self.keep_alive.reset();
        match next {
            Ok(events) => Some(events),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(_)) => {
                let joined = (self.rejoin)()?;
                self.events = joined.events;
                Some(joined.first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::StreamExt as _;

    use super::*;

    #[test]
    fn every_line_is_data() {
        let mut events = Events::hello("abc");
        events.tick(Some(Timestamp::from_millis(7)), Timestamp::from_millis(9));
        events.patch("<p>a\nid: 5\r\n\revent: x</p>");
        events.patch("");
        let sent = String::from_utf8(events.finish(3).to_vec()).unwrap();
        assert_eq!(
            sent,
            "retry: 3000\nevent: shape\ndata: abc\n\nevent: tick\ndata: 7 9\n\n\
             event: patch\ndata: <p>a\ndata: id: 5\ndata: \ndata: \ndata: event: x</p>\n\n\
             id: 3\nevent: seen\ndata: 3\n\n"
        );
    }

    #[test]
    fn seats_are_given_back() {
        let seats = Arc::new(Seats::new(3, 2));
        let far = |text: &str| Some(text.parse().unwrap());
        let one = seats.take(far("2001:db8::1")).unwrap();
        let _two = seats.take(far("2001:db8::2")).unwrap();
        assert!(
            seats.take(far("2001:db8::3")).is_none(),
            "they are one client"
        );
        let _three = seats.take(far("192.0.2.1")).unwrap();
        assert!(seats.take(far("192.0.2.2")).is_none(), "all are taken");
        assert!(seats.take(far("127.0.0.1")).is_none());
        drop(one);
        let _four = seats.take(far("2001:db8::3")).unwrap();
    }

    #[test]
    fn this_machine_counts_towards_the_total_alone() {
        let seats = Arc::new(Seats::new(5, 1));
        let near: Vec<_> = ["127.0.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1"]
            .into_iter()
            .map(|address| seats.take(Some(address.parse().unwrap())).unwrap())
            .collect();
        assert!(seats.take(None).is_some());
        drop(near);
        assert_eq!(seats.taken.lock().unwrap().total, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_and_laggards_catch_up() {
        let (sender, events) = broadcast::channel(2);
        let seats = Arc::new(Seats::new(1, 1));
        let seat = seats.take(None).unwrap();
        let closing = CancellationToken::new();
        let subscribe = sender.clone();
        let rejoin = move || {
            let events = subscribe.subscribe();
            Some(Joined {
                first: Bytes::from_static(b"all"),
                events,
            })
        };
        let joined = Joined {
            first: Bytes::from_static(b"hello"),
            events,
        };
        let mut body = follow(joined, seat, closing.clone(), rejoin).into_data_stream();

        assert_eq!(body.next().await.unwrap().unwrap(), "hello");
        let before = tokio::time::Instant::now();
        assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
        assert_eq!(before.elapsed(), Duration::from_secs(15));
        for event in ["1", "2", "3", "4"] {
            sender.send(Bytes::from_static(event.as_bytes())).unwrap();
        }
        assert_eq!(body.next().await.unwrap().unwrap(), "all");
        sender.send(Bytes::from_static(b"5")).unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), "5");
        closing.cancel();
        assert!(body.next().await.is_none());
        drop(body);
        assert!(seats.take(None).is_some(), "the seat was given back");
    }
}
