//! Where a request comes from: from which page, and from whom.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::{HOST, HeaderName, ORIGIN};
use http::request::Parts;

use crate::allowance::neighbourhood;
use crate::serve::Connection;
use crate::web::Web;

/// Whether a browser says that what it sends comes from a page of this host.
pub(super) fn is_from_here(web: &Web, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if site(headers).is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some((_, origin)) = text(&ORIGIN).and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    // Another site cannot have a browser send any of these with its own name.
    let forwarded = HeaderName::from_static("x-forwarded-host");
    let of_page = web.settings().own_authority.as_deref();
    [text(&HOST), text(&forwarded), of_page]
        .into_iter()
        .flatten()
        .any(|own| own.eq_ignore_ascii_case(origin))
}

/// Where a browser says that a request was caused.
pub(super) fn site(headers: &HeaderMap) -> Option<&str> {
    headers.get("sec-fetch-site")?.to_str().ok()
}

/// Whether the browser came by TLS, which a proxy may have ended. Browsers name the
/// scheme in `Origin` where they send a form.
pub(super) fn is_encrypted(headers: &HeaderMap) -> bool {
    headers
        .get(ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// Where somebody is: what a proxy on this machine says, or who is at the other end
/// of the connection.
pub(crate) fn origin(head: &Parts) -> Arc<str> {
    client(head).map_or_else(|| "unknown".into(), |address| address.to_string().into())
}

/// Whose tries to sign in count together: a line, or this machine.
pub(crate) fn line(head: &Parts) -> Option<IpAddr> {
    client(head).and_then(neighbourhood)
}

fn client(head: &Parts) -> Option<IpAddr> {
    let peer = head
        .extensions
        .get::<Connection>()?
        .peer
        .ip()
        .to_canonical();
    if !peer.is_loopback() {
        return Some(peer);
    }
    // What the proxy itself added comes last; before it stands what it was told.
    let told = head.headers.get_all("x-forwarded-for").iter().next_back();
    let told = told.and_then(|value| value.to_str().ok());
    let last = told.and_then(|list| list.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    Some(last.map_or(peer, |address| address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_says_who_asks() {
        let head = |peer: &str, forwarded: &str| {
            let request = http::Request::builder().header("x-forwarded-for", forwarded);
            let (mut head, ()) = request.body(()).unwrap().into_parts();
            head.extensions.insert(Connection {
                peer: std::net::SocketAddr::new(peer.parse().unwrap(), 1),
                closing: tokio_util::sync::CancellationToken::new(),
            });
            head
        };
        for (peer, forwarded, expected) in [
            ("127.0.0.1", "192.0.2.9, 192.0.2.1", "192.0.2.1"),
            ("127.0.0.1", "nonsense", "127.0.0.1"),
            ("192.0.2.7", "192.0.2.1", "192.0.2.7"),
            ("::1", "2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(&*origin(&head(peer, forwarded)), expected);
        }
        assert_eq!(line(&head("127.0.0.1", "")), None);
    }
}
