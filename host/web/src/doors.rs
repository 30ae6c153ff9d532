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

/// Remembers who was wrong.
pub(crate) struct Doors {
    mistakes: Allowance<IpAddr>,
}

impl Doors {
    /// Nobody was wrong yet.
    pub(crate) fn new() -> Self {
        Self {
            mistakes: Allowance::new(MISTAKES, FORGIVEN),
        }
    }

    /// Whether who sent a request with this head was wrong too often to be
    /// listened to now. Clients on this machine never are: they may be a proxy.
    pub(crate) fn is_shut(&self, request: &Parts) -> bool {
        who(request).is_some_and(|who| !self.mistakes.has(who))
    }

    /// Notes that who sent a request with this head was wrong.
    pub(crate) fn mistaken(&self, request: &Parts) {
        if let Some(who) = who(request) {
            self.mistakes.take(who);
        }
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
