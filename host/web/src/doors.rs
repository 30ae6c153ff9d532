//! Who is let in: what clients show, and how often they may be wrong.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::allowance::{Allowance, neighbourhood};
use crate::serve::Connection;

/// How often an address may show a wrong secret at once. More than a person
/// mistypes, and of a secret that can be guessed at all it finds nothing.
const MISTAKES: u32 = 30;

/// In which time it may be wrong once more.
const FORGIVEN: Duration = Duration::from_secs(2);

/// The fewest characters of a secret that cannot be guessed, however often somebody
/// tries. Who shows one that is right is let in wherever wrong ones came from: many
/// may share an address, and a stranger's mistakes are not to silence them.
const UNGUESSABLE: usize = 16;

/// Remembers who was wrong.
pub(crate) struct Doors {
    mistakes: Allowance<IpAddr>,
}

/// What becomes of who shows a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is right.
    Open,
    /// It is wrong.
    Wrong,
    /// Whoever shows it was wrong too often to be listened to now.
    Shut,
}

impl Doors {
    /// Nobody was wrong yet.
    pub(crate) fn new() -> Self {
        Self {
            mistakes: Allowance::new(MISTAKES, FORGIVEN),
        }
    }

    /// What becomes of who sent a request with this head and showed `secret`, which
    /// is right or not. Clients on this machine are always heard: they may be a
    /// proxy.
    pub(crate) fn judge(&self, request: &Parts, secret: &str, is_right: bool) -> Entry {
        let who = who(request);
        if is_right && secret.len() >= UNGUESSABLE {
            return Entry::Open;
        }
        if who.is_some_and(|who| !self.mistakes.has(who)) {
            return Entry::Shut;
        }
        if is_right {
            return Entry::Open;
        }
        if let Some(who) = who {
            self.mistakes.take(who);
        }
        Entry::Wrong
    }
}

fn who(request: &Parts) -> Option<IpAddr> {
    let connection = request.extensions.get::<Connection>()?;
    neighbourhood(connection.peer.ip())
}

/// The password of HTTP's Basic scheme (RFC 7617), whoever the user is; `None`
/// where there is no such header.
pub(crate) fn basic(headers: &HeaderMap) -> Option<String> {
    let pair = STANDARD.decode(shown(headers, "basic")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let password = pair.split_once(':').map(|(_, password)| password);
    Some(password.unwrap_or_default().to_owned())
}

/// The token of HTTP's Bearer scheme (RFC 6750); `None` where there is no such
/// header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    shown(headers, "bearer")
}

fn shown<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| shown.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_wrong_too_often_is_shut_out_but_not_who_knows_a_long_secret() {
        let from = |address: &str| {
            let (mut head, ()) = http::Request::new(()).into_parts();
            let peer = std::net::SocketAddr::new(address.parse().unwrap(), 1);
            let closing = tokio_util::sync::CancellationToken::new();
            head.extensions.insert(Connection { peer, closing });
            head
        };
        let (doors, stranger) = (Doors::new(), from("192.0.2.1"));
        for _ in 0..MISTAKES {
            assert_eq!(doors.judge(&stranger, "wrong", false), Entry::Wrong);
        }
        assert_eq!(doors.judge(&stranger, "wrong", false), Entry::Shut);
        assert_eq!(doors.judge(&stranger, "right", true), Entry::Shut);
        assert_eq!(
            doors.judge(&stranger, "0123456789abcdef", true),
            Entry::Open
        );
        assert_eq!(doors.judge(&from("192.0.2.2"), "right", true), Entry::Open);
        let proxy = from("127.0.0.1");
        for _ in 0..2 * MISTAKES {
            assert_eq!(doors.judge(&proxy, "wrong", false), Entry::Wrong);
        }
        tokio::time::advance(FORGIVEN).await;
        assert_eq!(doors.judge(&stranger, "right", true), Entry::Open);
    }

    #[test]
    fn passwords_are_found() {
        for (header, expected) in [
            ("Basic OnNlY3JldA==", Some("secret")),
            ("basic dXNlcjpzZTpjcmV0", Some("se:cret")),
            ("Basic dXNlcg==", Some("")),
            ("Basic ?", None),
            ("Basic", None),
            ("Bearer OnNlY3JldA==", None),
        ] {
            assert_eq!(basic(&headers(header)).as_deref(), expected, "{header}");
        }
        assert_eq!(basic(&HeaderMap::new()), None);
        assert_eq!(bearer(&headers("Bearer  abc ")), Some("abc"));
        assert_eq!(bearer(&headers("Basic abc")), None);
    }
}
